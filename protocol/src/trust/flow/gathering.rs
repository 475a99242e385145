//! The arcs that can carry trust to the organisations asked about, found backwards from them.
//!
//! An arc counts when its depth, and what is left of the depth behind its issuer, still cover the hops to the nearest of them.
//! So depth is exact for the shortest way on, and relaxed for longer ones; that never raises a flow over a cut. For a set, one
//! that is near may make an arc count for one that is far: the parts of a set then add up to less than the whole, but the
//! whole is still at most what was said of the set from outside.

use std::collections::{BTreeMap, VecDeque};

use super::Supply;
use crate::{
    statement::DEPTH,
    trust::{
        graph::{Arc, Graph, ROOT},
        standing::Standing,
    },
};

/// What was gathered. Nodes are numbered by their place in `nodes`.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The nodes of the graph, in the order in which they were met; the targets come first.
    pub(super) nodes: Vec<u32>,
    /// What is said of each of them, in the same order, and of one in the order of those who say it.
    pub(super) said: Vec<Said>,
    /// The place of [`ROOT`], if it was reached.
    pub(super) root: Option<u32>,
    /// There were more arcs to look at than was allowed.
    pub(super) truncated: bool,
}

/// An arc between two places.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) amount: u32,
}

struct Search<'a> {
    graph: &'a Graph,
    standing: &'a Standing,
    gathered: Gathered,
    places: BTreeMap<u32, u32>,
    /// Places whose arcs are to be looked at, with the hops to the nearest target.
    queue: VecDeque<(u32, u8)>,
}

/// Gathers, looking at no more than so many arcs.
pub(super) fn gather(graph: &Graph, standing: &Standing, targets: &[(u32, Supply)], arcs: usize) -> Gathered {
    let mut search = Search {
        graph,
        standing,
        gathered: Gathered::default(),
        places: BTreeMap::new(),
        queue: VecDeque::new(),
    };
    for (node, _) in targets {
        search.place(*node, 0);
    }
    let mut left = arcs;
    while let Some((place, hops)) = search.queue.pop_front() {
        let arcs = search.arcs(place);
        let Some(rest) = left.checked_sub(arcs.len()) else {
            search.gathered.truncated = true;
            break;
        };
        left = rest;
        search.look(place, hops, arcs);
    }
    search.gathered
}

impl<'a> Search<'a> {
    fn arcs(&self, place: u32) -> &'a [Arc] {
        let node = self.gathered.nodes.get(place as usize);
        node.map_or(&[], |node| self.graph.into(*node))
    }

    /// Keeps those arcs into a place that can carry anything on over so many hops.
    fn look(&mut self, place: u32, hops: u8, arcs: &[Arc]) {
        // What one says of another in several ways is one endorsement: the most of what is deep enough counts.
        for said in arcs.chunk_by(|one, two| one.node == two.node) {
            let deep = said.iter().filter(|arc| arc.depth >= hops);
            let Some(best) = deep.max_by_key(|arc| arc.amount) else {
                continue;
            };
            if !self.may_introduce(best.node, hops) {
                continue;
            }
            let from = self.place(best.node, hops + 1);
            self.gathered.said.push(Said {
                from,
                to: place,
                amount: u32::from(best.amount),
            });
        }
    }

    /// Whether some path to the node honours an introduction with so many hops behind it.
    fn may_introduce(&self, node: u32, hops: u8) -> bool {
        node == ROOT
            || self
                .standing
                .max_remaining(node)
                .is_some_and(|remaining| remaining > hops)
    }

    /// The place of a node. A new one waits for its own arcs, unless none can be deep enough.
    fn place(&mut self, node: u32, hops: u8) -> u32 {
        let next = self.gathered.nodes.len() as u32;
        let place = *self.places.entry(node).or_insert(next);
        if place == next {
            self.gathered.nodes.push(node);
            if node == ROOT {
                self.gathered.root = Some(place);
            } else if hops <= DEPTH {
                self.queue.push_back((place, hops));
            }
        }
        place
    }
}
