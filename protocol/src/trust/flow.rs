//! How much trust reaches organisations through everybody at once: [`flow`] (design, trust 4.3).
//!
//! The largest flow from [`ROOT`] to some organisations, each of which takes up to its [`Supply`]. An arc carries what was
//! endorsed and an organisation passes on at most [`FULL`], so whoever introduces a thousand others is one source for all of
//! them: the weight of a whole group of sybils is at most what was endorsed to them from outside.
//!
//! First the arcs that can matter are gathered backwards from the organisations asked about (`gathering.rs`); then a
//! network of those is filled, the shortest ways first (`network.rs`). Every list is in the order of [`OrgId`], so the same
//! graph has the same paths and the same cut on every machine. The work is bounded: where it does not suffice, the answer
//! says so and is what one path carries at least, which is safe because the whole flow is never less.

use std::collections::BTreeMap;

use starfish_crypto::Digest;

use super::{
    graph::{Graph, ROOT},
    standing::Standing,
};
use crate::{limits, organisation::OrgId, statement::FULL};

mod gathering;
mod memo;
mod network;
#[cfg(test)]
mod tests;

pub use self::memo::{Memo, Strength};
use self::network::Network;

/// How much an organisation takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Supply {
    /// At most so much.
    pub amount: u32,
    /// Where its word comes from. All that name one origin take together at most what the largest of them may take.
    pub origin: Option<Digest>,
}

impl From<u32> for Supply {
    fn from(amount: u32) -> Self {
        Self { amount, origin: None }
    }
}

/// What limits a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// What one vouches for another; no `from` is this node's own root entry.
    Endorsement {
        /// Who vouches.
        from: Option<OrgId>,
        /// For whom.
        to: OrgId,
        /// How much.
        amount: u32,
    },
    /// The most that passes through one organisation, [`FULL`].
    Organisation(OrgId),
    /// What an organisation asked about takes.
    Supply {
        /// Which.
        org: OrgId,
        /// How much.
        amount: u32,
    },
    /// What an origin that several of them share takes.
    Origin {
        /// Which.
        origin: Digest,
        /// How much.
        amount: u32,
    },
}

/// One way of the flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// From a root to one of the organisations asked about, both included.
    pub orgs: Vec<OrgId>,
    /// How much comes this way.
    pub amount: u32,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// How much arrives.
    pub value: u32,
    /// By which ways, which add up to `value` unless it was truncated.
    pub paths: Vec<Path>,
    /// What limits it, in order: the limits add up to `value`. Empty when more would have come but was not asked for, and
    /// when it was truncated.
    pub cut: Vec<Limit>,
    /// The work did not suffice: `value` may be too small.
    pub truncated: bool,
    /// How many organisations had a part in the question.
    pub visited: usize,
}

/// How much work one question is worth, in arcs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Looked at while gathering.
    pub gathered: usize,
    /// Looked at while looking for paths.
    pub searched: usize,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            gathered: limits::FLOW_ARCS,
            searched: limits::FLOW_SEARCHED,
        }
    }
}

/// The flow to these organisations. It is enough to know whether `saturation` arrives; `u32::MAX` asks for all of it.
pub fn flow(graph: &Graph, standing: &Standing, supplies: &BTreeMap<u32, Supply>, saturation: u32) -> Flow {
    flow_within(graph, standing, supplies, saturation, Work::default())
}

/// `F`: how much reaches one organisation, at most [`FULL`] (design, trust 4.3).
pub fn full_flow(graph: &Graph, standing: &Standing, node: u32) -> Flow {
    let supplies = BTreeMap::from([(node, Supply::from(u32::from(FULL)))]);
    flow(graph, standing, &supplies, u32::from(FULL))
}

/// The flow, found with at most so much work.
pub fn flow_within(
    graph: &Graph,
    standing: &Standing,
    supplies: &BTreeMap<u32, Supply>,
    saturation: u32,
    work: Work,
) -> Flow {
    let targets = targets(graph, standing, supplies);
    let least = least(standing, &targets).min(saturation);
    let gathered = gathering::gather(graph, standing, &targets, work.gathered);
    let visited = gathered.nodes.len();
    if gathered.truncated {
        return Flow {
            value: least,
            truncated: true,
            visited,
            ..Flow::default()
        };
    }
    let mut network = Network::new(graph, &gathered, &targets);
    let (value, truncated) = network.fill(saturation, work.searched);
    Flow {
        value: if truncated { value.max(least) } else { value },
        cut: if truncated { Vec::new() } else { network.cut() },
        paths: network.paths(),
        truncated,
        visited,
    }
}

/// The value of [`full_flow`] alone, which costs a fraction of its reasons.
fn strength(graph: &Graph, standing: &Standing, node: u32) -> Strength {
    let (full, best) = (u32::from(FULL), u32::from(standing.of(node)));
    if best == 0 || best == full {
        // Nothing arrives, or one path carries all that may.
        return Strength {
            value: best,
            truncated: false,
        };
    }
    let (work, targets) = (Work::default(), [(node, Supply::from(full))]);
    let gathered = gathering::gather(graph, standing, &targets, work.gathered);
    let (value, truncated) = if gathered.truncated {
        (0, true)
    } else {
        Network::new(graph, &gathered, &targets).fill(full, work.searched)
    };
    Strength {
        // What the best single path carries arrives at least.
        value: value.max(best),
        truncated,
    }
}

/// The nodes asked about that anything reaches at all, in the order of their organisations.
fn targets(graph: &Graph, standing: &Standing, supplies: &BTreeMap<u32, Supply>) -> Vec<(u32, Supply)> {
    let asked = supplies
        .iter()
        .filter(|(node, supply)| **node != ROOT && supply.amount > 0 && standing.of(**node) > 0);
    let mut targets: Vec<(OrgId, u32, Supply)> = asked
        .filter_map(|(node, supply)| graph.org(*node).map(|org| (org, *node, *supply)))
        .collect();
    targets.sort_unstable_by_key(|(org, ..)| *org);
    targets.into_iter().map(|(_, node, supply)| (node, supply)).collect()
}

/// What arrives at least: what the best single path carries to one of them.
fn least(standing: &Standing, targets: &[(u32, Supply)]) -> u32 {
    let each = targets
        .iter()
        .map(|(node, supply)| supply.amount.min(u32::from(standing.of(*node))));
    each.max().unwrap_or(0)
}
