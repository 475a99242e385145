//! The arcs that can carry trust to the organisations asked about, found backwards from them.
//!
//! An arc counts when its depth, and what is left of the depth behind its issuer, still cover the hops to the nearest of them.
//! So depth is exact for the shortest way on, and relaxed for longer ones; that never raises a flow over a cut. For a set, one
//! that is near may make an arc count for one that is far: the parts of a set then add up to less than the whole, but the
//! whole is still at most what was said of the set from outside.

use std::collections::BTreeMap;

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
    standing: &'a Standing,
    gathered: Gathered,
    places: BTreeMap<u32, u32>,
    /// Places that were met last and whose arcs are to be looked at, with their nodes.
    next: Vec<(u32, u32)>,
    /// Which arcs may count, of those that are looked at.
    fits: Vec<bool>,
}

/// So many organisations stand behind one answer, as a rule.
const USUAL: usize = 32;

/// Gathers, looking at no more than so many arcs.
pub(super) fn gather(graph: &Graph, standing: &Standing, targets: &[(u32, Supply)], arcs: usize) -> Gathered {
    let mut search = Search {
        standing,
        gathered: Gathered {
            nodes: Vec::with_capacity(USUAL),
            said: Vec::with_capacity(2 * USUAL),
            ..Gathered::default()
        },
        places: BTreeMap::new(),
        next: Vec::new(),
        fits: Vec::new(),
    };
    for (node, _) in targets {
        search.place(*node);
    }
    let (mut left, mut said) = (arcs, Vec::new());
    for hops in 0..=DEPTH {
        said.clear();
        said.extend(search.next.drain(..).map(|(place, node)| (place, graph.into(node))));
        let Some(rest) = left.checked_sub(said.iter().map(|(_, arcs)| arcs.len()).sum()) else {
            search.gathered.truncated = true;
            break;
        };
        left = rest;
        search.look(hops, &said);
    }
    search.gathered
}

impl<'a> Search<'a> {
    /// Keeps those arcs into places that can carry anything on over so many hops.
    fn look(&mut self, hops: u8, said: &[(u32, &'a [Arc])]) {
        // All of them are read before anything depends on one: arcs, and how their issuers stand, lie far apart in memory, and
        // a processor waits for many of them as long as for one.
        let mut fits = std::mem::take(&mut self.fits);
        fits.clear();
        for (_, arcs) in said {
            // Some path to the issuer honours an introduction with so many hops behind it.
            let may_introduce = |arc: &Arc| self.standing.at(arc.node, hops + 1) > 0;
            fits.extend(arcs.iter().map(|arc| (arc.depth >= hops) & may_introduce(arc)));
        }
        let mut rest = fits.as_slice();
        for (place, arcs) in said {
            let (these, further) = rest.split_at(arcs.len());
            rest = further;
            let fit = arcs.iter().zip(these).filter_map(|(arc, fits)| fits.then_some(arc));
            self.keep(*place, fit);
        }
        self.fits = fits;
    }

    fn keep(&mut self, place: u32, arcs: impl Iterator<Item = &'a Arc>) {
        let mut arcs = arcs.peekable();
        while let Some(arc) = arcs.next() {
            // What one says of another in several ways is one endorsement: the most of what is deep enough counts.
            let mut amount = arc.amount;
            while let Some(other) = arcs.next_if(|other| other.node == arc.node) {
                amount = amount.max(other.amount);
            }
            let from = self.place(arc.node);
            self.gathered.said.push(Said {
                from,
                to: place,
                amount: u32::from(amount),
            });
        }
    }

    /// The place of a node. The arcs of a new one are to be looked at.
    fn place(&mut self, node: u32) -> u32 {
        let next = self.gathered.nodes.len() as u32;
        let place = *self.places.entry(node).or_insert(next);
        if place == next {
            self.gathered.nodes.push(node);
            if node == ROOT {
                self.gathered.root = Some(place);
            } else {
                self.next.push((place, node));
            }
        }
        place
    }
}
