//! From a statement as received to one that its makers stand by: [`Statement::check`] is the only way to a
//! [`CheckedStatement`], needs nothing but the statement, and so runs off the event loop.

use starfish_crypto::{Digest, PublicKey, Verified, Verifier};

use super::{EndpointStatement, Kind, Manifest, NodeCertificate, Statement, StatementError, proof};
use crate::record::Header;

/// A statement that makes sense and whose signatures all hold. Whether those who signed may say so, a [`Roster`]
/// judges: only it knows an organisation's roots.
///
/// [`Roster`]: super::Roster
#[derive(Clone, Debug)]
pub struct CheckedStatement {
    pub(super) statement: Statement,
    pub(super) id: Digest,
    pub(super) says: Says,
}

/// What a statement says.
#[derive(Clone, Debug)]
pub(super) enum Says {
    Manifest(Manifest),
    Certificate(NodeCertificate),
    Endpoint(EndpointStatement),
    Proof(Box<(Verified<Header>, Verified<Header>)>),
    /// Something that a later version may read.
    Unknown,
}

/// Why a statement was not taken further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// A signature does not fit, or one is missing or too many. Whoever passed it on could see that.
    #[error("the statement is not signed by those who must sign it")]
    Forged,
    /// It says nothing that this version understands, at no fault of anyone.
    #[error("the statement makes no sense here: {0}")]
    Malformed(#[from] StatementError),
}

impl Statement {
    /// Checks everything about a statement that can be told from itself.
    pub fn check(self, verifier: &dyn Verifier) -> Result<CheckedStatement, CheckError> {
        let says = match self.kind {
            Kind::MANIFEST => {
                let manifest = Manifest::read(&self)?;
                let signed = self.signers(|key| manifest.roots.contains(key), verifier);
                signed
                    .is_some_and(|count| count >= usize::from(manifest.m))
                    .then_some(Says::Manifest(manifest))
            }
            Kind::CERTIFICATE => {
                let certificate = NodeCertificate::read(&self)?;
                let by_node = self.is_signed_by(&certificate.node_key);
                (by_node && self.signers(|_| true, verifier).is_some()).then_some(Says::Certificate(certificate))
            }
            Kind::ENDPOINT => {
                let endpoint = EndpointStatement::read(&self)?;
                let signed = self.signers(|key| *key == endpoint.node_key, verifier);
                (signed == Some(1)).then_some(Says::Endpoint(endpoint))
            }
            Kind::PROOF => Some(Says::Proof(Box::new(proof::read(&self, verifier)?))),
            _ => self.signers(|_| true, verifier).map(|_| Says::Unknown),
        };
        Ok(CheckedStatement {
            id: self.id(),
            says: says.ok_or(CheckError::Forged)?,
            statement: self,
        })
    }
}

impl CheckedStatement {
    /// The statement that two verified headers are: their author wrote two histories.
    pub fn of_fork(one: &Verified<Header>, two: &Verified<Header>) -> Result<Self, StatementError> {
        let statement = proof::write(one, two)?;
        Ok(Self {
            id: statement.id(),
            says: Says::Proof(Box::new((one.clone(), two.clone()))),
            statement,
        })
    }

    /// As it was signed.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The two headers, if this proves that their author wrote two histories.
    pub fn fork(&self) -> Option<&(Verified<Header>, Verified<Header>)> {
        match &self.says {
            Says::Proof(pair) => Some(pair),
            _ => None,
        }
    }

    /// The organisation's roots among the signers, as `is_root` tells them; none when anybody else but `node` signed.
    pub(super) fn roots(&self, node: &PublicKey, is_root: impl Fn(&PublicKey) -> bool) -> Option<usize> {
        let signers = || self.statement.signatures.iter().map(|(key, _)| key);
        signers()
            .all(|key| is_root(key) || key == node)
            .then(|| signers().filter(|key| is_root(key)).count())
    }
}
