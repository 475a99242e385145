//! Node certificates: which node speaks for an organisation, in which mesh and when.
//!
//! They are short, so that roots sign several in advance and stay offline; each is signed by m roots and by the node.
//! The node's own signature is there because anybody could certify somebody else's key as theirs and claim its records.

use serde::{Deserialize, Serialize};
use starfish_crypto::{PublicKey, SecretKey};

use super::{Kind, Statement, StatementError, read, statement};
use crate::{community::Community, limits, organisation::OrgId, time::Millis};

/// A node's right to speak for an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeCertificate {
    /// For whom it speaks.
    pub org: OrgId,
    /// In which mesh.
    pub community: Community,
    /// Under which manifest.
    pub manifest_seq: u64,
    /// The node's key, which is its name on the transport too.
    pub node_key: PublicKey,
    /// An X25519 key for sealed records, which come later.
    pub seal_key: Option<[u8; 32]>,
    /// Whether it may publish.
    pub publish: bool,
    /// Whether it may relay.
    pub relay: bool,
    /// From this wall time on.
    pub not_before: Millis,
    /// Until before this one, at most 90 days later.
    pub not_after: Millis,
}

impl NodeCertificate {
    /// A certificate under the genesis, with every right and without a sealing key.
    pub fn new(org: OrgId, community: Community, node_key: PublicKey, not_before: Millis, not_after: Millis) -> Self {
        let (manifest_seq, seal_key, publish, relay) = (0, None, true, true);
        Self {
            org,
            community,
            manifest_seq,
            node_key,
            seal_key,
            publish,
            relay,
            not_before,
            not_after,
        }
    }

    /// Signs with these roots and the node. Roots that are kept elsewhere add theirs with [`Statement::signed_by`].
    pub fn sign(&self, roots: &[&SecretKey], node: &SecretKey) -> Result<Statement, StatementError> {
        if node.public() != self.node_key {
            return Err(StatementError::Signer);
        }
        roots
            .iter()
            .try_fold(self.unsigned()?.signed_by(node)?, |statement, key| {
                statement.signed_by(key)
            })
    }

    /// The statement before anyone has signed, for ceremonies in which roots and node never meet.
    pub fn unsigned(&self) -> Result<Statement, StatementError> {
        self.check()?;
        statement(Kind::CERTIFICATE, self)
    }

    /// Whether it holds at this wall time.
    pub fn covers(&self, at: Millis) -> bool {
        self.not_before <= at && at < self.not_after
    }

    /// Reads a certificate without looking at its signatures, to show it.
    pub fn read(statement: &Statement) -> Result<Self, StatementError> {
        if statement.kind() != Kind::CERTIFICATE {
            return Err(StatementError::Encoding);
        }
        let certificate: Self = read(statement)?;
        certificate.check()?;
        Ok(certificate)
    }

    fn check(&self) -> Result<(), StatementError> {
        let length = self.not_after.0.checked_sub(self.not_before.0);
        match length {
            Some(length) if length > 0 && length <= limits::CERTIFICATE_LIFETIME.0 => Ok(()),
            _ => Err(StatementError::Window),
        }
    }
}
