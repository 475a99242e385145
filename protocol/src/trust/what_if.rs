//! A graph of trust that somebody made up, and what follows from it: [`Hypothesis`] and [`evaluate`].
//!
//! For planning, teaching and tests: the document names organisations by any text, and the answer is computed by the same
//! code that judges the mesh, without touching a node. It cannot say everything that a mesh knows: there are no manifests,
//! vetoes or pins in it, so what it shows is what the endorsements alone do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    confidence::{Delta, Fading},
    observable::Suffix,
    record::Topic,
    statement::Scope,
    time::Millis,
};

mod judging;
mod numbers;
mod selection;
#[cfg(test)]
mod tests;

pub use self::judging::evaluate;

/// The document. Fields that are not known are refused, because one with a typing error would silently mean nothing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hypothesis {
    /// Wall time in milliseconds since 1970.
    #[serde(deserialize_with = "numbers::time")]
    pub now: u64,
    /// Whom the node believes by its own policy.
    pub roots: Vec<RootEntry>,
    /// Who vouches for whom.
    pub endorsements: Vec<Vouching>,
    /// Pairs whose endorsements are all withdrawn, whatever their `seq`.
    #[serde(default)]
    pub revoked: Vec<Pair>,
    /// What the trust is for. Without it no scope matters.
    #[serde(default)]
    pub question: Option<Asked>,
    /// Groups whose weight is asked for.
    #[serde(default)]
    pub sets: Vec<Vec<String>>,
    /// What they say of one observable.
    #[serde(default)]
    pub claims: Vec<Said>,
    /// How long a claim lasts; that of a domain when it is left out.
    #[serde(default, deserialize_with = "numbers::time_or_none")]
    pub tau_ms: Option<u64>,
    /// How it fades: 1, 2, 3, or `1/3` or `1/2` as text; 2 when it is left out.
    #[serde(default, deserialize_with = "numbers::delta")]
    pub delta: Delta,
}

/// One root entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootEntry {
    /// Whom it is about.
    pub org: String,
    /// How much, up to 120; 0 is no entry.
    #[serde(deserialize_with = "numbers::amount")]
    pub amount: u8,
    /// How many further introductions, up to 7.
    #[serde(deserialize_with = "numbers::depth")]
    pub depth: u8,
    /// For which topics; any when left out.
    #[serde(default)]
    pub topics: Option<BTreeSet<Topic>>,
    /// For names under which suffixes; any when left out.
    #[serde(default)]
    pub suffixes: Option<BTreeSet<Suffix>>,
    /// Up to which mark it may be told.
    #[serde(default)]
    pub receive_tlp: Mark,
}

/// One endorsement.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vouching {
    /// Who vouches.
    pub from: String,
    /// For whom.
    pub to: String,
    /// How much, up to 120; 0 withdraws the earlier one of the same scope.
    #[serde(deserialize_with = "numbers::amount")]
    pub amount: u8,
    /// How many further introductions, up to 7.
    #[serde(deserialize_with = "numbers::depth")]
    pub depth: u8,
    /// For which topics; any when left out.
    #[serde(default)]
    pub topics: Option<BTreeSet<Topic>>,
    /// For names under which suffixes; any when left out.
    #[serde(default)]
    pub suffixes: Option<BTreeSet<Suffix>>,
    /// Up to which mark the subject may be told.
    #[serde(default)]
    pub receive_tlp: Mark,
    /// Until before this wall time; for good when left out.
    #[serde(default, deserialize_with = "numbers::time_or_none")]
    pub until: Option<u64>,
    /// Its place among those of its issuer: its position in the document when left out.
    #[serde(default)]
    pub seq: Option<u64>,
}

/// Issuer and subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Issuer.
    pub from: String,
    /// Subject.
    pub to: String,
}

/// What a question is about.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// All of these topics.
    pub topics: BTreeSet<Topic>,
    /// This host name, written as people write it.
    #[serde(default)]
    pub name: Option<String>,
}

/// One claim.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Whose. The last claim of an organisation counts.
    pub org: String,
    /// What it says.
    pub kind: Opinion,
    /// In per cent.
    #[serde(deserialize_with = "numbers::confidence")]
    pub confidence: u8,
    /// How long ago; just now when left out.
    #[serde(default, deserialize_with = "numbers::time")]
    pub age_ms: u64,
}

/// What a claim says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opinion {
    /// It is what it is said to be.
    Report,
    /// It was seen.
    Sighting,
    /// It is not.
    FalsePositive,
}

/// A mark up to which somebody may be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// TLP:CLEAR.
    #[default]
    #[serde(alias = "CLEAR")]
    Clear,
    /// TLP:GREEN.
    #[serde(alias = "GREEN")]
    Green,
}

/// What is wrong with a document that could be read.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No host name.
    #[error("question: `{0}` is not a host name")]
    Name(String),
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// For every organisation that the document names.
    pub orgs: BTreeMap<String, Judged>,
    /// The weight of each set, in the document's order.
    pub sets: Vec<u32>,
    /// How sure the claims make.
    pub claims: Shares,
}

/// How one organisation is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// What the best single path carries.
    #[serde(rename = "B")]
    pub best: u8,
    /// What all paths together carry.
    #[serde(rename = "F")]
    pub full: u32,
    /// How many introductions are left to it; 0 also where nothing reaches it.
    pub max_remaining_depth: u8,
    /// The last organisation through which all trust in it passes, if there is a single one.
    pub dominator: Option<String>,
    /// It stays believed whichever other organisation is gone.
    pub independent: bool,
    /// It connects by right.
    pub connect: bool,
    /// Its records are shown.
    pub accept: bool,
    /// Its records are handed on.
    pub relay: bool,
    /// It may be told TLP:GREEN.
    pub confide: bool,
    /// What it says may be acted on.
    pub act: bool,
}

/// How sure the claims make: two flows and three shares of a thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shares {
    /// What flows for it.
    pub r: u32,
    /// What flows against it, before it is multiplied.
    pub s: u32,
    /// Belief.
    pub b: u32,
    /// Disbelief.
    pub d: u32,
    /// Uncertainty.
    pub u: u32,
}

impl Hypothesis {
    /// Every organisation that it names, in order.
    pub fn names(&self) -> BTreeSet<&str> {
        let roots = self.roots.iter().map(|root| &root.org);
        let vouching = self.endorsements.iter().flat_map(|said| [&said.from, &said.to]);
        let revoked = self.revoked.iter().flat_map(|pair| [&pair.from, &pair.to]);
        let claims = self.claims.iter().map(|said| &said.org);
        let all = roots.chain(vouching).chain(revoked).chain(claims);
        all.chain(self.sets.iter().flatten()).map(String::as_str).collect()
    }

    /// The host name of the question in its normal form.
    fn host(&self) -> Result<Option<Suffix>, Fault> {
        let name = self.question.as_ref().and_then(|question| question.name.as_ref());
        let parsed = name.map(|name| Suffix::parse(name).map_err(|_| Fault::Name(name.clone())));
        parsed.transpose()
    }

    fn fading(&self) -> Fading {
        Fading {
            tau: self.tau_ms.map_or(Fading::default().tau, Millis),
            delta: self.delta,
        }
    }
}

fn scope(topics: &Option<BTreeSet<Topic>>, suffixes: &Option<BTreeSet<Suffix>>) -> Scope {
    Scope {
        topics: topics.clone(),
        suffixes: suffixes.clone(),
    }
}
