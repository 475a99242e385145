//! What goes wrong in a scenario: nodes that go, lines that break, clocks that lie, and adversaries.

use serde::{Deserialize, Serialize};

use crate::network::Separation;

/// Nodes whose machines are off now and then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// Whose.
    pub role: String,
    /// How long a node stays, on average.
    pub stay_seconds: u64,
    /// How long it is away, on average.
    pub away_seconds: u64,
    /// From when on.
    #[serde(default)]
    pub from_seconds: u64,
    /// Until when; all are back then.
    pub until_seconds: u64,
}

/// A part of the network that the rest cannot reach for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// How it shows.
    pub kind: Separation,
    /// From when on.
    pub at_seconds: u64,
    /// Until when.
    pub until_seconds: u64,
    /// The part, as a share of all nodes, chosen by chance.
    pub share: Option<f64>,
    /// The part, by role.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The part, by region.
    #[serde(default)]
    pub regions: Vec<String>,
}

/// Nodes whose machines lose their power and have it again. Nobody is told of either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// Whose.
    pub role: String,
    /// How many of them.
    pub count: u32,
    /// When.
    pub at_seconds: u64,
    /// When they are back.
    pub back_seconds: u64,
    /// What became of the store.
    #[serde(default)]
    pub store: StoreFate,
}

/// What becomes of a store in a crash, the worst last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreFate {
    /// All that was acknowledged is there.
    #[default]
    Kept,
    /// The disk lied: its last three flushes never happened. The journal is whole.
    TornTail,
    /// The store is gone. The journal, which holds what the node said itself, is whole.
    Lost,
}

/// Clocks that are wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skew {
    /// Whose.
    pub role: String,
    /// How many of them.
    pub count: u32,
    /// By how much, ahead or, below zero, behind.
    pub milliseconds: i64,
}

/// Nodes that do not play by the rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adversary {
    /// What they do.
    pub kind: AdversaryKind,
    /// The role whose nodes they are.
    pub role: String,
    /// How many of that role, chosen by chance; none means all of them.
    pub share: Option<f64>,
    /// Of `eclipse`: the role that is surrounded.
    pub victims: Option<String>,
    /// Of `flooder`: messages a second, each.
    pub per_second: Option<f64>,
    /// Of `sybil` and `colluder`: how many members are talked into vouching for the first of them, which vouches for all others.
    /// A colluder without them is a member like others.
    pub endorsements: Option<u32>,
    /// And how much each of those members vouches, 1 to 120.
    pub amount: Option<u8>,
    /// Of those who publish poison, vote or are no nodes: the time between two of them, each.
    pub every_seconds: Option<f64>,
    /// From when on.
    #[serde(default)]
    pub from_seconds: u64,
    /// What the others do about it.
    pub answer: Option<Answer>,
    /// And when.
    pub answered_seconds: Option<u64>,
}

/// What is done about adversaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Everyone who vouches for them takes it back.
    Withdraw,
    /// A founder vetoes them.
    Veto,
    /// Their organisations revoke their nodes from the last record before they turned.
    Revoke,
    /// Every operator pins them as bad.
    Pin,
}

/// What an adversary does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdversaryKind {
    /// Announces records, takes requests for their bodies and never says a word to them.
    Withholder,
    /// Connects to its victims and keeps from them what the others say.
    Eclipse,
    /// Publishes as fast as it can.
    Flooder,
    /// Passes nothing on.
    Censor,
    /// Many identities behind few endorsements.
    Sybil,
    /// Publishes names that everybody needs.
    Poisoner,
    /// Behaves for long, and then publishes poison.
    Sleeper,
    /// Has the key of an honest node from some time on, and publishes poison in its name.
    Thief,
    /// Writes two histories, and tells each neighbour one of them. No node, like the three that follow.
    Equivocator,
    /// Announces messages that nobody wrote.
    IhaveSpammer,
    /// Leaves every mesh and grafts itself into it again, without end.
    GraftSpammer,
    /// Says again what others said.
    Replayer,
    /// Asks everybody for what is TLP:GREEN. No node either.
    Eavesdropper,
    /// Votes with others against what is true.
    Colluder,
}

impl AdversaryKind {
    /// Whether it begins when `from_seconds` says.
    pub fn may_begin_later(self) -> bool {
        !matches!(self, Self::Withholder | Self::Censor | Self::Eclipse)
    }

    /// Whether it publishes poison, now or later.
    pub fn poisons(self) -> bool {
        matches!(self, Self::Sybil | Self::Poisoner | Self::Sleeper | Self::Thief)
    }

    /// Whether it is after what others believe.
    pub fn is_after_trust(self) -> bool {
        self.poisons() || matches!(self, Self::Colluder | Self::Equivocator)
    }

    /// Whether it is no node, but speaks in the place of one.
    pub fn speaks(self) -> bool {
        self.is_guest() || matches!(self, Self::Equivocator | Self::Eavesdropper)
    }

    /// Whether it proves nothing to anybody.
    pub fn is_guest(self) -> bool {
        matches!(self, Self::IhaveSpammer | Self::GraftSpammer | Self::Replayer)
    }
}
