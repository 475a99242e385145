//! Endorsements and vetoes: what one organisation says of another, signed by its endorsing key or its roots, never by a node
//! (design, trust 4.2).
//!
//! Both stand in their issuer's chain: `seq` rises by one with every statement of the chain and `prev` is the id of the one
//! before; a [`ChainHead`] says which of them count, so that whoever is told the newest head knows what is withheld. For one
//! issuer, subject and scope the highest number counts, even when it says less.

mod chain_head;
mod subsidiary;

pub use chain_head::ChainHead;
pub use subsidiary::Subsidiary;

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, SecretKey};

use super::{Kind, Statement, StatementError, read, statement};
use crate::{community::Community, limits, observable::Suffix, organisation::OrgId, record::Topic, time::Millis};
/// The most that one organisation can vouch for another, and the most that passes through one organisation.
pub const FULL: u8 = 120;
/// The most further introductions behind a subject.
pub const DEPTH: u8 = 7;

/// What an endorsement, a root entry or a veto is about. `None` is anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// Topics.
    pub topics: Option<BTreeSet<Topic>>,
    /// Domain suffixes.
    pub suffixes: Option<BTreeSet<Suffix>>,
}

impl Scope {
    /// Whether it covers all of these topics and this host name. What has no name is outside every list of suffixes.
    pub fn covers(&self, topics: &BTreeSet<Topic>, host: Option<&str>) -> bool {
        let about = self.topics.as_ref().is_none_or(|own| topics.is_subset(own));
        let under = |own: &BTreeSet<Suffix>| host.is_some_and(|host| own.iter().any(|suffix| suffix.covers(host)));
        about && self.suffixes.as_ref().is_none_or(under)
    }

    /// Whether it covers nothing that another one does not cover.
    pub fn is_within(&self, wide: &Self) -> bool {
        let topics = match (&self.topics, &wide.topics) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(wide)) => own.is_subset(wide),
        };
        let suffixes = match (&self.suffixes, &wide.suffixes) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(wide)) => own
                .iter()
                .all(|one| wide.iter().any(|suffix| suffix.covers(one.as_str()))),
        };
        topics && suffixes
    }

    /// An empty list would cover nothing, and somebody would take it for everything.
    fn check(&self) -> Result<(), StatementError> {
        let topics = self.topics.as_ref().map_or(1, BTreeSet::len);
        let suffixes = self.suffixes.as_ref().map_or(1, BTreeSet::len);
        let fits = (1..=limits::SCOPE_TOPICS).contains(&topics) && (1..=limits::SCOPE_SUFFIXES).contains(&suffixes);
        fits.then_some(()).ok_or(StatementError::Scope)
    }
}

/// Such as `anything`, `c2, phishing` or `anything under nl`.
impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.topics {
            None => out.write_str("anything")?,
            Some(topics) => out.write_str(&topics.iter().map(Topic::as_str).collect::<Vec<_>>().join(", "))?,
        }
        match &self.suffixes {
            None => Ok(()),
            Some(suffixes) => {
                let suffixes: Vec<&str> = suffixes.iter().map(Suffix::as_str).collect();
                write!(out, " under {}", suffixes.join(", "))
            }
        }
    }
}

/// What one organisation vouches for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endorsement {
    /// Who vouches.
    pub issuer: OrgId,
    /// For whom.
    pub subject: OrgId,
    /// In which mesh; `None` is any.
    pub community: Option<Community>,
    /// Its place in the issuer's chain.
    pub seq: u64,
    /// The id of the statement before it in that chain; zero for the first.
    pub prev: Digest,
    /// How much, 1 to [`FULL`]; 0 withdraws the earlier one of the same scope.
    pub amount: u8,
    /// How many further introductions behind the subject the issuer honours, 0 to [`DEPTH`].
    pub depth: u8,
    /// About what.
    pub scope: Scope,
    /// From this wall time on.
    pub not_before: Millis,
    /// Until before this one.
    pub not_after: Millis,
    /// Whether the subject may veto.
    pub may_veto: bool,
    /// Whether the subject may be told TLP:GREEN: to be believed is not to be confided in.
    pub receive_green: bool,
}

/// That one organisation vouches for another is not to count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Veto {
    /// Who says so.
    pub issuer: OrgId,
    /// Whose endorsement or whose root entry is meant: the subject of the vetoed edges.
    pub subject: OrgId,
    /// In which mesh; `None` is any.
    pub community: Option<Community>,
    /// Its place in the issuer's chain.
    pub seq: u64,
    /// The id of the statement before it in that chain; zero for the first.
    pub prev: Digest,
    /// About what.
    pub scope: Scope,
    /// True to take an earlier veto of the same scope back.
    pub withdrawn: bool,
    /// From this wall time on.
    pub not_before: Millis,
    /// Until before this one.
    pub not_after: Millis,
}

impl Endorsement {
    /// Signs with the endorsing key alone, or with as many roots as are needed.
    pub fn sign(&self, keys: &[&SecretKey]) -> Result<Statement, StatementError> {
        signed(self.unsigned()?, keys)
    }

    /// The statement before anyone has signed, for roots that are kept apart.
    pub fn unsigned(&self) -> Result<Statement, StatementError> {
        self.check()?;
        statement(Kind::ENDORSEMENT, self)
    }

    /// Reads an endorsement without looking at its signatures, to show it.
    pub fn read(statement: &Statement) -> Result<Self, StatementError> {
        let endorsement: Self = read_as(Kind::ENDORSEMENT, statement)?;
        endorsement.check()?;
        Ok(endorsement)
    }

    /// Whether it takes an earlier one back.
    pub fn withdraws(&self) -> bool {
        self.amount == 0
    }

    fn check(&self) -> Result<(), StatementError> {
        if self.amount > FULL || self.depth > DEPTH {
            return Err(StatementError::Amount);
        }
        stands_in_chain((self.issuer, self.subject), self.seq, &self.prev)?;
        lasts(self.not_before, self.not_after)?;
        self.scope.check()
    }
}

impl Veto {
    /// Signs with the endorsing key alone, or with as many roots as are needed.
    pub fn sign(&self, keys: &[&SecretKey]) -> Result<Statement, StatementError> {
        signed(self.unsigned()?, keys)
    }

    /// The statement before anyone has signed, for roots that are kept apart.
    pub fn unsigned(&self) -> Result<Statement, StatementError> {
        self.check()?;
        statement(Kind::VETO, self)
    }

    /// Reads a veto without looking at its signatures, to show it.
    pub fn read(statement: &Statement) -> Result<Self, StatementError> {
        let veto: Self = read_as(Kind::VETO, statement)?;
        veto.check()?;
        Ok(veto)
    }

    fn check(&self) -> Result<(), StatementError> {
        stands_in_chain((self.issuer, self.subject), self.seq, &self.prev)?;
        lasts(self.not_before, self.not_after)?;
        self.scope.check()
    }
}

pub(super) fn signed(unsigned: Statement, keys: &[&SecretKey]) -> Result<Statement, StatementError> {
    keys.iter()
        .try_fold(unsigned, |statement, key| statement.signed_by(key))
}

pub(super) fn read_as<T>(kind: Kind, statement: &Statement) -> Result<T, StatementError>
where
    T: Serialize + serde::de::DeserializeOwned,
{
    if statement.kind() == kind {
        read(statement)
    } else {
        Err(StatementError::Encoding)
    }
}

/// The first of a chain has the number 0 and nothing before it; nobody says anything of itself.
fn stands_in_chain((issuer, subject): (OrgId, OrgId), seq: u64, prev: &Digest) -> Result<(), StatementError> {
    if issuer == subject || (seq == 0) != (*prev == Digest::ZERO) {
        return Err(StatementError::Contradiction);
    }
    Ok(())
}

fn lasts(from: Millis, to: Millis) -> Result<(), StatementError> {
    if from < to { Ok(()) } else { Err(StatementError::Period) }
}
