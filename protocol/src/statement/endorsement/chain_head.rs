//! The head of an issuer's chain, so that a withdrawn endorsement cannot be withheld unnoticed (design, trust 4.6a).
//!
//! A roster keeps only what counts, so that holes in the numbers are no sign of anything. The head therefore names
//! everything that counts by one digest: whoever holds less, or something that was replaced, sees the difference.

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, SecretKey, domain};

use super::{lasts, read_as, signed};
use crate::{
    community::Community,
    limits,
    organisation::OrgId,
    statement::{Kind, Statement, StatementError, statement},
    time::Millis,
};

/// What an issuer has said so far. The one of the latest `as_of` counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// Whose chain.
    pub issuer: OrgId,
    /// In which mesh; `None` is any.
    pub community: Option<Community>,
    /// The number of the last statement.
    pub seq: u64,
    /// Its id.
    pub id: Digest,
    /// What [`ChainHead::standing`] gives for the statements of the chain that count.
    pub standing: Digest,
    /// Of which wall time this is said.
    pub as_of: Millis,
    /// Until when a later one is not missed.
    pub fresh_until: Millis,
}

impl ChainHead {
    /// The digest over the ids of the statements that count: of each issuer, kind, subject and scope the last one.
    pub fn standing(ids: &[Digest]) -> Digest {
        let mut ids = ids.to_vec();
        ids.sort();
        let bytes: Vec<u8> = ids.iter().flat_map(Digest::as_bytes).copied().collect();
        Digest::of(domain::STATEMENT, &bytes)
    }

    /// Signs with the endorsing key alone, or with as many roots as are needed.
    pub fn sign(&self, keys: &[&SecretKey]) -> Result<Statement, StatementError> {
        signed(self.unsigned()?, keys)
    }

    /// The statement before anyone has signed, for roots that are kept apart.
    pub fn unsigned(&self) -> Result<Statement, StatementError> {
        self.check()?;
        statement(Kind::CHAIN_HEAD, self)
    }

    /// Reads one without looking at its signatures, to show it.
    pub fn read(statement: &Statement) -> Result<Self, StatementError> {
        let head: Self = read_as(Kind::CHAIN_HEAD, statement)?;
        head.check()?;
        Ok(head)
    }

    fn check(&self) -> Result<(), StatementError> {
        lasts(self.as_of, self.fresh_until)?;
        let length = self.fresh_until.0 - self.as_of.0;
        if length <= limits::LIFETIME.0 {
            Ok(())
        } else {
            Err(StatementError::Period)
        }
    }
}
