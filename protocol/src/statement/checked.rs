//! From a statement as received to one that its makers stand by: [`Statement::check`] is the only way to a
//! [`CheckedStatement`], needs nothing but the statement, and so runs off the event loop.

use starfish_crypto::{Digest, PublicKey, Verified, Verifier};

use super::{
    ChainHead, Endorsement, EndpointStatement, Kind, Manifest, NodeCertificate, Recovery, Resolution, Revocation,
    Statement, StatementError, Subsidiary, Veto, lifecycle, proof,
};
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
    Endorsement(Endorsement),
    Veto(Veto),
    Subsidiary(Subsidiary),
    ChainHead(ChainHead),
    Revocation(Revocation),
    Resolution(Resolution),
    /// With what the new manifest says.
    Recovery(Box<(Recovery, Manifest)>),
    /// One of the two manifests.
    ManifestProof(Box<Manifest>),
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
                let signed = manifest.is_signed(&self, verifier);
                signed.then_some(Says::Manifest(manifest))
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
            Kind::MANIFEST_PROOF => {
                let manifest = lifecycle::read_manifest_proof(&self, verifier)?;
                Some(Says::ManifestProof(Box::new(manifest)))
            }
            kind if kind.is_of_later_version() => self.signers(|_| true, verifier).map(|_| Says::Unknown),
            _ => {
                let says = self.read_signed(verifier)?;
                let signed = self.signers(|_| true, verifier);
                signed.is_some_and(|count| count > 0).then_some(says)
            }
        };
        Ok(CheckedStatement {
            id: self.id(),
            says: says.ok_or(CheckError::Forged)?,
            statement: self,
        })
    }

    /// What a statement says whose signers only a roster can judge.
    fn read_signed(&self, verifier: &dyn Verifier) -> Result<Says, CheckError> {
        Ok(match self.kind {
            Kind::ENDORSEMENT => Says::Endorsement(Endorsement::read(self)?),
            Kind::VETO => Says::Veto(Veto::read(self)?),
            Kind::SUBSIDIARY => Says::Subsidiary(Subsidiary::read(self)?),
            Kind::CHAIN_HEAD => Says::ChainHead(ChainHead::read(self)?),
            Kind::REVOCATION => Says::Revocation(Revocation::read(self)?),
            Kind::RESOLUTION => Says::Resolution(Resolution::read(self)?),
            Kind::RECOVERY => {
                let recovery = Recovery::read(self)?;
                let manifest = recovery.new_manifest()?;
                if !manifest.is_signed(&recovery.manifest, verifier) {
                    return Err(CheckError::Forged);
                }
                Says::Recovery(Box::new((recovery, manifest)))
            }
            _ => Says::Unknown,
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

    /// The statement that two manifests of one number are: their organisation stands still. Both were checked before, or
    /// come from a roster.
    pub fn of_manifests(one: &Self, two: &Self) -> Result<Self, StatementError> {
        let (Says::Manifest(manifest), Says::Manifest(_)) = (&one.says, &two.says) else {
            return Err(StatementError::Proof);
        };
        let statement = lifecycle::write_manifest_proof(&one.statement, &two.statement)?;
        Ok(Self {
            id: statement.id(),
            says: Says::ManifestProof(Box::new(manifest.clone())),
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

    /// Those who signed, each once and in order.
    pub(super) fn signers(&self) -> Vec<PublicKey> {
        self.statement.signatures.iter().map(|(key, _)| *key).collect()
    }

    /// A manifest that a roster holds.
    pub(super) fn of_manifest(statement: &Statement, manifest: Manifest) -> Self {
        Self {
            id: statement.id(),
            says: Says::Manifest(manifest),
            statement: statement.clone(),
        }
    }
}
