//! Revocations: a node speaks for its organisation no more. What it wrote is cut at positions of its logs, never at a time,
//! because whoever stole its key can write any time.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use starfish_crypto::{PublicKey, SecretKey};

use crate::{
    community::Community,
    limits,
    organisation::OrgId,
    record::{Audience, RecordId},
    statement::{
        Kind, Statement, StatementError,
        endorsement::{read_as, signed},
        statement,
    },
    time::Millis,
};

/// Why a node was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RevocationReason {
    /// It was put out of service: everything that it wrote stays.
    Retired,
    /// Somebody else may have its key: what lies behind the last good positions is void.
    Compromised,
}

/// A record in the logs that one node key writes for one audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogPosition {
    /// Who may see that log.
    pub audience: Audience,
    /// When it was opened.
    pub epoch: Millis,
    /// The place in it.
    pub seq: u64,
    /// The record there.
    pub id: RecordId,
}

impl LogPosition {
    /// Whether this record is here or before in the same log. Another log of the same key is another matter, however early it
    /// says that it was opened: whoever stole the key can write any time.
    pub fn covers(&self, audience: Audience, epoch: Millis, seq: u64, id: RecordId) -> bool {
        let same = (audience, epoch) == (self.audience, self.epoch);
        same && (seq < self.seq || (seq, id) == (self.seq, self.id))
    }
}

/// The end of a node's right to speak for its organisation, under the certificates of one manifest and those before it.
///
/// One without positions and with the number 0 is signed together with each certificate and kept by two custodians. One
/// with a higher number that names the last good positions takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Which organisation's node.
    pub org: OrgId,
    /// In which mesh; `None` is any.
    pub community: Option<Community>,
    /// Whose roots sign. Certificates of later manifests are not touched, so that a thief of old roots revokes no new node.
    pub manifest_seq: u64,
    /// The highest counts; 0 in the one that is signed in advance.
    pub seq: u64,
    /// The node.
    pub node_key: PublicKey,
    /// Why.
    pub reason: RevocationReason,
    /// The last record of each log that is surely the organisation's, in ascending order; of a log that is not named, none is.
    pub last_good: Vec<LogPosition>,
}

impl Revocation {
    /// The one that is signed together with a certificate, for the day on which the node is stolen.
    pub fn in_advance(org: OrgId, manifest_seq: u64, node_key: PublicKey) -> Self {
        Self {
            org,
            community: None,
            manifest_seq,
            seq: 0,
            node_key,
            reason: RevocationReason::Compromised,
            last_good: Vec::new(),
        }
    }

    /// Signs with these roots; the others add theirs with [`Statement::signed_by`].
    pub fn sign(&self, roots: &[&SecretKey]) -> Result<Statement, StatementError> {
        self.check()?;
        signed(statement(Kind::REVOCATION, self)?, roots)
    }

    /// Reads a revocation without looking at its signatures, to show it.
    pub fn read(statement: &Statement) -> Result<Self, StatementError> {
        let revocation: Self = read_as(Kind::REVOCATION, statement)?;
        revocation.check()?;
        Ok(revocation)
    }

    /// Whether this record of the node still counts.
    pub fn keeps(&self, audience: Audience, epoch: Millis, seq: u64, id: RecordId) -> bool {
        let covers = |good: &LogPosition| good.covers(audience, epoch, seq, id);
        self.reason == RevocationReason::Retired || self.last_good.iter().any(covers)
    }

    fn check(&self) -> Result<(), StatementError> {
        let logs: BTreeSet<(Audience, Millis)> =
            self.last_good.iter().map(|good| (good.audience, good.epoch)).collect();
        let once = logs.len() == self.last_good.len();
        let sorted = self.last_good.is_sorted_by(|one, next| one < next);
        if once && sorted && self.last_good.len() <= limits::LAST_GOOD {
            Ok(())
        } else {
            Err(StatementError::Positions)
        }
    }
}
