//! The parent's side of a `parent` link. It counts only while the subsidiary's own manifest names the same parent: nobody
//! is drawn into a family, or brings itself into one, without the other.

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, SecretKey};

use super::{read_as, signed, stands_in_chain};
use crate::{
    community::Community,
    organisation::OrgId,
    statement::{Kind, Statement, StatementError, statement},
};

/// That another organisation is a part of this one. In the issuer's chain like an endorsement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subsidiary {
    /// The parent, which says so.
    pub issuer: OrgId,
    /// The organisation below it.
    pub subject: OrgId,
    /// In which mesh; `None` is any.
    pub community: Option<Community>,
    /// Its place in the issuer's chain.
    pub seq: u64,
    /// The id of the statement before it in that chain; zero for the first.
    pub prev: Digest,
    /// True when it no longer is.
    pub withdrawn: bool,
}

impl Subsidiary {
    /// Signs with the endorsing key alone, or with as many roots as are needed.
    pub fn sign(&self, keys: &[&SecretKey]) -> Result<Statement, StatementError> {
        signed(self.unsigned()?, keys)
    }

    /// The statement before anyone has signed, for roots that are kept apart.
    pub fn unsigned(&self) -> Result<Statement, StatementError> {
        self.check()?;
        statement(Kind::SUBSIDIARY, self)
    }

    /// Reads one without looking at its signatures, to show it.
    pub fn read(statement: &Statement) -> Result<Self, StatementError> {
        let subsidiary: Self = read_as(Kind::SUBSIDIARY, statement)?;
        subsidiary.check()?;
        Ok(subsidiary)
    }

    fn check(&self) -> Result<(), StatementError> {
        stands_in_chain((self.issuer, self.subject), self.seq, &self.prev)
    }
}
