//! From a statement as received to one that its makers stand by: [`Statement::check`] is the only way to a
//! [`CheckedStatement`], needs nothing but the statement, and so runs off the event loop.

use std::sync::Arc;

use starfish_crypto::{Digest, PublicKey, Strict, Verified, Verifier};

use super::{
    ChainHead, Endorsement, EndpointStatement, Kind, Manifest, NodeCertificate, Recovery, Resolution, Revocation,
    Statement, StatementError, Subsidiary, Veto, lifecycle, proof,
};
use crate::{organisation::OrgId, record::Header};

/// A statement that makes sense and whose signatures all hold. Whether those who signed may say so, a [`Roster`]
/// judges: only it knows an organisation's roots.
///
/// Clones are the same one: whoever has it holds a pointer, and all of it is there once.
///
/// [`Roster`]: super::Roster
#[derive(Clone, Debug)]
pub struct CheckedStatement(Arc<Checked>);

#[derive(Debug)]
struct Checked {
    statement: Statement,
    id: Digest,
    issuer: Option<OrgId>,
    says: Says,
}

/// Checks what comes in. Who has many nodes in one process has a checker that looks at the same bytes once and gives all of
/// them the same statement.
pub trait Checker: Verifier {
    /// What [`Statement::check`] says.
    ///
    /// # Errors
    /// As there.
    fn check(&self, statement: Statement) -> Result<CheckedStatement, CheckError>;
}

impl Checker for Strict {
    fn check(&self, statement: Statement) -> Result<CheckedStatement, CheckError> {
        statement.check(self)
    }
}

/// A manifest and its names, which are digests and take time to find.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) org: OrgId,
    /// Of its statement.
    pub(super) id: Digest,
    pub(super) manifest: Manifest,
}

/// A certificate and who signed its statement.
#[derive(Debug)]
pub(super) struct Certified {
    pub(super) id: Digest,
    pub(super) certificate: NodeCertificate,
    /// The node comes last.
    pub(super) signers: Vec<PublicKey>,
}

/// Where a node is, and the statement that says so.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) id: Digest,
    pub(super) endpoint: EndpointStatement,
}

/// What a statement says. What a roster keeps by itself is behind a pointer.
#[derive(Clone, Debug)]
pub(super) enum Says {
    Manifest(Arc<Named>),
    Certificate(Arc<Certified>),
    Endpoint(Arc<Located>),
    Proof(Box<(Verified<Header>, Verified<Header>)>),
    Endorsement(Arc<Endorsement>),
    Veto(Arc<Veto>),
    Subsidiary(Arc<Subsidiary>),
    ChainHead(Arc<ChainHead>),
    Revocation(Box<Revocation>),
    Resolution(Box<Resolution>),
    /// With what the new manifest says.
    Recovery(Box<(Recovery, Arc<Named>)>),
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
        let id = self.id();
        let says = match self.kind {
            Kind::MANIFEST => {
                let manifest = Manifest::read(&self)?;
                let signed = manifest.is_signed(&self, verifier);
                signed.then(|| Says::Manifest(Arc::new(Named::new(id, manifest))))
            }
            Kind::CERTIFICATE => {
                let certificate = NodeCertificate::read(&self)?;
                let by_node = self.is_signed_by(&certificate.node_key);
                (by_node && self.signers(|_| true, verifier).is_some()).then(|| {
                    let mut signers = self.signed_by_whom();
                    signers.sort_by_key(|key| *key == certificate.node_key);
                    Says::Certificate(Arc::new(Certified {
                        id,
                        certificate,
                        signers,
                    }))
                })
            }
            Kind::ENDPOINT => {
                let endpoint = EndpointStatement::read(&self)?;
                let signed = self.signers(|key| *key == endpoint.node_key, verifier);
                (signed == Some(1)).then(|| Says::Endpoint(Arc::new(Located { id, endpoint })))
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
        Ok(CheckedStatement::new(self, id, says.ok_or(CheckError::Forged)?))
    }

    fn signed_by_whom(&self) -> Vec<PublicKey> {
        self.signatures.iter().map(|(key, _)| *key).collect()
    }

    /// What a statement says whose signers only a roster can judge.
    fn read_signed(&self, verifier: &dyn Verifier) -> Result<Says, CheckError> {
        Ok(match self.kind {
            Kind::ENDORSEMENT => Says::Endorsement(Arc::new(Endorsement::read(self)?)),
            Kind::VETO => Says::Veto(Arc::new(Veto::read(self)?)),
            Kind::SUBSIDIARY => Says::Subsidiary(Arc::new(Subsidiary::read(self)?)),
            Kind::CHAIN_HEAD => Says::ChainHead(Arc::new(ChainHead::read(self)?)),
            Kind::REVOCATION => Says::Revocation(Box::new(Revocation::read(self)?)),
            Kind::RESOLUTION => Says::Resolution(Box::new(Resolution::read(self)?)),
            Kind::RECOVERY => {
                let recovery = Recovery::read(self)?;
                let manifest = recovery.new_manifest()?;
                if !manifest.is_signed(&recovery.manifest, verifier) {
                    return Err(CheckError::Forged);
                }
                let named = Named::new(recovery.manifest.id(), manifest);
                Says::Recovery(Box::new((recovery, Arc::new(named))))
            }
            _ => Says::Unknown,
        })
    }
}

impl Named {
    fn new(id: Digest, manifest: Manifest) -> Self {
        let org = manifest.id();
        Self { org, id, manifest }
    }
}

impl Says {
    /// Whose statement it is; nobody's in particular where anybody may say so.
    fn issuer(&self) -> Option<OrgId> {
        match self {
            Self::Manifest(named) => Some(named.org),
            Self::Certificate(certified) => Some(certified.certificate.org),
            Self::Endpoint(located) => Some(located.endpoint.org),
            Self::Endorsement(says) => Some(says.issuer),
            Self::Veto(says) => Some(says.issuer),
            Self::Subsidiary(says) => Some(says.issuer),
            Self::ChainHead(says) => Some(says.issuer),
            Self::Revocation(says) => Some(says.org),
            Self::Resolution(says) => Some(says.org),
            Self::Recovery(says) => Some(says.0.org),
            Self::ManifestProof(manifest) => Some(manifest.id()),
            Self::Proof(_) | Self::Unknown => None,
        }
    }
}

impl CheckedStatement {
    fn new(statement: Statement, id: Digest, says: Says) -> Self {
        let issuer = says.issuer();
        Self(Arc::new(Checked {
            statement,
            id,
            issuer,
            says,
        }))
    }

    /// The statement that two verified headers are: their author wrote two histories.
    pub fn of_fork(one: &Verified<Header>, two: &Verified<Header>) -> Result<Self, StatementError> {
        let statement = proof::write(one, two)?;
        let says = Says::Proof(Box::new((one.clone(), two.clone())));
        Ok(Self::new(statement.clone(), statement.id(), says))
    }

    /// The statement that two manifests of one number are: their organisation stands still. Both were checked before.
    pub fn of_manifests(one: &Self, two: &Self) -> Result<Self, StatementError> {
        let (Says::Manifest(named), Says::Manifest(_)) = (one.says(), two.says()) else {
            return Err(StatementError::Proof);
        };
        let statement = lifecycle::write_manifest_proof(one.statement(), two.statement())?;
        let says = Says::ManifestProof(Box::new(named.manifest.clone()));
        Ok(Self::new(statement.clone(), statement.id(), says))
    }

    /// As it was signed.
    pub fn statement(&self) -> &Statement {
        &self.0.statement
    }

    pub(super) fn id(&self) -> Digest {
        self.0.id
    }

    pub(super) fn says(&self) -> &Says {
        &self.0.says
    }

    /// The organisation whose statement it is; none of a proof against a node, or of a later version.
    pub(super) fn issuer(&self) -> Option<OrgId> {
        self.0.issuer
    }

    /// The two headers, if this proves that their author wrote two histories.
    pub fn fork(&self) -> Option<&(Verified<Header>, Verified<Header>)> {
        match self.says() {
            Says::Proof(pair) => Some(pair),
            _ => None,
        }
    }

    /// Those who signed, each once and in order.
    pub(super) fn signers(&self) -> Vec<PublicKey> {
        self.0.statement.signed_by_whom()
    }
}
