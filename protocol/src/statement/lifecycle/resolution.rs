//! Resolutions: an organisation settles what an accident, or a thief, has left open.

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, PublicKey, SecretKey};

use super::LogPosition;
use crate::{
    community::Community,
    organisation::OrgId,
    statement::{
        Kind, Statement, StatementError,
        endorsement::{read_as, signed},
        statement,
    },
};

/// What is settled, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Settles {
    /// A node that wrote two histories goes on from here; proofs of what lies before count no more.
    Node {
        /// The node.
        node_key: PublicKey,
        /// Whose roots sign.
        manifest_seq: u64,
        /// The last record that is surely right.
        at: LogPosition,
    },
    /// Of two manifests of one number this one goes on. Signed by both the roots before the two and their own, each in
    /// sufficient number: a thief of either settles nothing.
    Manifest {
        /// The id of the one that goes on.
        id: Digest,
    },
    /// A recovery that nobody in the organisation asked for is called off. One root is enough.
    Recovery {
        /// The id of the recovery.
        id: Digest,
    },
}

/// What an organisation's roots say about an open question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Whose question.
    pub org: OrgId,
    /// In which mesh; `None` is any.
    pub community: Option<Community>,
    /// The answer.
    pub settles: Settles,
}

impl Resolution {
    /// Signs with these roots; the others add theirs with [`Statement::signed_by`].
    pub fn sign(&self, roots: &[&SecretKey]) -> Result<Statement, StatementError> {
        signed(statement(Kind::RESOLUTION, self)?, roots)
    }

    /// Reads a resolution without looking at its signatures, to show it.
    pub fn read(statement: &Statement) -> Result<Self, StatementError> {
        read_as(Kind::RESOLUTION, statement)
    }
}
