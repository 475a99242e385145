//! Endorsements and vetoes: what one organisation says of another, signed by its endorsing key or its roots, never by a node
//! (design, trust 4.2).
//!
//! Both stand in their issuer's chain: `seq` rises by one with every statement of the chain and `prev` is the id of the one
//! before, so that whoever is told the newest number knows what is withheld. For one issuer, subject and scope the highest
//! number counts, even when it says less.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use starfish_crypto::Digest;

use crate::{community::Community, observable::Suffix, organisation::OrgId, record::Topic, time::Millis};

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
