//! How much each organisation is vouched for along its best single path: [`Standing`], `B` of the design (trust 4.3).
//!
//! For every node and every number `r` of further introductions it holds the largest amount that some chain of endorsements
//! carries to the node with at least `r` introductions left. One more introduction needs one more left at its issuer, so
//! level `r` follows from level `r + 1` alone: no cycle can support itself, and one pass over the edges per level is all.
//! The same makes updates simple: a level whose inputs changed is computed again from its edges, from the highest down,
//! and only where something changed does it go on.

use std::collections::BTreeSet;

use super::graph::{Graph, ROOT};
use crate::statement::{DEPTH, FULL};

mod witness;

const LEVELS: usize = DEPTH as usize + 1;

/// The standing of every node of one graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// By introductions left, then by node: whoever asks about many nodes asks with the same number of them, and that many
    /// lie close together in memory.
    levels: [Vec<u8>; LEVELS],
}

impl Standing {
    /// Of a whole graph.
    pub fn new(graph: &Graph) -> Self {
        let mut standing = Self::default();
        standing.grow(graph.nodes());
        for level in (0..LEVELS).rev() {
            standing.fill(graph, level);
        }
        standing
    }

    /// The amount with which a node is vouched for, 0 where nothing reaches it.
    pub fn of(&self, node: u32) -> u8 {
        self.at(node, 0)
    }

    /// The same among the chains that leave so many introductions; [`ROOT`] has any number of them.
    pub fn at(&self, node: u32, remaining: u8) -> u8 {
        if node == ROOT {
            return FULL;
        }
        let level = self.levels.get(usize::from(remaining));
        level.and_then(|level| level.get(node as usize)).copied().unwrap_or(0)
    }

    /// The most introductions that are left to a node on any chain; none where nothing reaches it.
    pub fn max_remaining(&self, node: u32) -> Option<u8> {
        if node == ROOT {
            return Some(DEPTH + 1);
        }
        (0..=DEPTH).rev().find(|remaining| self.at(node, *remaining) > 0)
    }

    /// Follows a graph in which these pairs of nodes say something else than before; answers the nodes that stand
    /// differently now.
    pub fn update(&mut self, graph: &Graph, pairs: &[(u32, u32)]) -> BTreeSet<u32> {
        self.grow(graph.nodes());
        let told: BTreeSet<u32> = pairs.iter().map(|(_, subject)| *subject).collect();
        let mut changed = BTreeSet::new();
        let mut reached = BTreeSet::new();
        for level in (0..LEVELS).rev() {
            let mut next = BTreeSet::new();
            for node in told.union(&reached) {
                let before = self.levels[level][*node as usize];
                let after = self.best(graph, *node, level);
                if before != after {
                    self.levels[level][*node as usize] = after;
                    changed.insert(*node);
                    self.pass_on(graph, *node, level, (before, after), &mut next);
                }
            }
            reached = next;
        }
        changed
    }

    /// The nodes one introduction further for which the change of this one may matter.
    fn pass_on(&self, graph: &Graph, node: u32, level: usize, (before, after): (u8, u8), further: &mut BTreeSet<u32>) {
        let Some(below) = level.checked_sub(1) else { return };
        for arc in graph.out(node).iter().filter(|arc| usize::from(arc.depth) >= below) {
            let stands = self.levels[below][arc.node as usize];
            let raises = after.min(arc.amount) > stands;
            let held_up = after < before && before.min(arc.amount) == stands;
            if raises || held_up {
                further.insert(arc.node);
            }
        }
    }

    /// What a node's edges give it at a level, when the level above is known.
    fn best(&self, graph: &Graph, node: u32, level: usize) -> u8 {
        let needed = level as u8 + 1;
        let arcs = graph.into(node).iter().filter(|arc| usize::from(arc.depth) >= level);
        arcs.map(|arc| self.at(arc.node, needed).min(arc.amount))
            .max()
            .unwrap_or(0)
    }

    /// Computes a level of all nodes from the one above it.
    fn fill(&mut self, graph: &Graph, level: usize) {
        for node in 0..graph.nodes() as u32 {
            let gives = self.at(node, level as u8 + 1);
            if gives == 0 {
                continue;
            }
            for arc in graph.out(node).iter().filter(|arc| usize::from(arc.depth) >= level) {
                let stands = &mut self.levels[level][arc.node as usize];
                *stands = (*stands).max(gives.min(arc.amount));
            }
        }
    }

    fn grow(&mut self, nodes: usize) {
        self.levels.iter_mut().for_each(|level| level.resize(nodes, 0));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::graph::{
            Edge,
            samples::{any_edges, node, org, said, vectors},
        },
        *,
    };

    /// The algorithm as the design writes it, with buckets from the largest amount down.
    fn by_buckets(graph: &Graph) -> Vec<[u8; LEVELS]> {
        let mut best = vec![[0u8; LEVELS]; graph.nodes()];
        best[ROOT as usize] = [FULL; LEVELS];
        let mut buckets: Vec<Vec<(u32, usize)>> = vec![Vec::new(); usize::from(FULL) + 1];
        buckets[usize::from(FULL)].push((ROOT, usize::MAX));
        for amount in (1..=FULL).rev() {
            let mut at = 0;
            while let Some((from, left)) = buckets[usize::from(amount)].get(at).copied() {
                at += 1;
                if from != ROOT && (best[from as usize][left] != amount || left == 0) {
                    continue;
                }
                for arc in graph.out(from) {
                    let gives = amount.min(arc.amount);
                    let left = usize::from(arc.depth).min(left - 1);
                    if best[arc.node as usize][left] < gives {
                        for level in (0..=left).rev() {
                            let level = &mut best[arc.node as usize][level];
                            *level = (*level).max(gives);
                        }
                        buckets[usize::from(gives)].push((arc.node, left));
                    }
                }
            }
        }
        best
    }

    fn rows(graph: &Graph, standing: &Standing) -> Vec<[u8; LEVELS]> {
        (0..graph.nodes() as u32)
            .map(|node| std::array::from_fn(|level| standing.at(node, level as u8)))
            .collect()
    }

    /// What can be compared when the nodes are numbered differently.
    fn by_org(graph: &Graph, standing: &Standing) -> Vec<(OrgRow, Vec<crate::organisation::OrgId>)> {
        let mut all: Vec<_> = (1..graph.nodes() as u32)
            .filter(|node| standing.of(*node) > 0)
            .map(|node| {
                let row: [u8; LEVELS] = std::array::from_fn(|level| standing.at(node, level as u8));
                ((graph.org(node), row), standing.witness(graph, node))
            })
            .collect();
        all.sort();
        all
    }

    type OrgRow = (Option<crate::organisation::OrgId>, [u8; LEVELS]);

    #[test]
    fn the_vectors_of_the_design() {
        for vector in vectors() {
            let graph = Graph::new(vector.edges);
            let standing = Standing::new(&graph);
            for (number, stands, remaining) in vector.standing {
                let node = node(&graph, number);
                let found = (standing.of(node), standing.max_remaining(node));
                assert_eq!(found, (stands, remaining), "{} {number}", vector.name);
            }
            for path in vector.witnesses {
                let path: Vec<_> = path.into_iter().map(org).collect();
                let last = graph
                    .index_of(path.last().expect("a node of the sample"))
                    .expect("a node of the sample");
                assert_eq!(standing.witness(&graph, last), path, "{}", vector.name);
            }
        }
    }

    #[test]
    fn hostile_shapes_support_nothing_and_end() {
        let check = |name: &str, edges: Vec<Edge>, number: u32, stands: u8| {
            let graph = Graph::new(edges);
            let standing = Standing::new(&graph);
            assert_eq!(standing.of(node(&graph, number)), stands, "{name}");
        };
        check(
            "a cycle without roots",
            vec![said(1, 2, 120, 7), said(2, 1, 120, 7)],
            1,
            0,
        );
        check(
            "oneself",
            vec![said(0, 1, 5, 7), said(1, 1, 120, 7), said(1, 2, 120, 7)],
            2,
            5,
        );
        check(
            "a reporter introduces",
            vec![said(0, 1, 120, 0), said(1, 2, 120, 7)],
            2,
            0,
        );
        let cycle = vec![
            said(0, 1, 120, 1),
            said(1, 2, 120, 7),
            said(2, 1, 120, 7),
            said(2, 3, 1, 1),
        ];
        check("depth from a cycle", cycle, 3, 0);
        let fan = (2..10_002).flat_map(|number| [said(1, number, 120, 7), said(number, 1, 120, 7)]);
        check("a fan", fan.chain([said(0, 1, 30, 2)]).collect(), 10_001, 30);
    }

    proptest! {
        #[test]
        fn levels_are_what_buckets_give(edges in any_edges()) {
            let graph = Graph::new(edges);
            prop_assert_eq!(rows(&graph, &Standing::new(&graph)), by_buckets(&graph));
        }

        #[test]
        fn more_is_never_less(edges in any_edges(), more in any_edges()) {
            let all = Graph::new(edges.iter().chain(&more).copied());
            let few = Graph::new(edges);
            let (before, after) = (Standing::new(&few), Standing::new(&all));
            for number in 1..few.nodes() as u32 {
                let there = all.index_of(&few.org(number).expect("a node of the sample")).expect("a node of the sample");
                for level in 0..=DEPTH {
                    prop_assert!(before.at(number, level) <= after.at(there, level));
                }
            }
        }

        #[test]
        fn updates_are_as_good_as_from_scratch(steps in any_edges()) {
            let mut graph = Graph::default();
            let mut standing = Standing::new(&graph);
            for (number, edge) in steps.iter().enumerate() {
                let gone = number % 3 == 2;
                let said: &[(u8, u8)] = if gone { &[] } else { &[(edge.amount, edge.depth)] };
                // What is taken away is something that was said, mostly.
                let edge = if gone { &steps[number / 2] } else { edge };
                let before = rows(&graph, &standing);
                let Some(pair) = graph.replace(edge.from, edge.to, said) else { continue };
                let changed = standing.update(&graph, &[pair]);
                let after = rows(&graph, &standing);
                let differ = (0..after.len()).filter(|node| after[*node] != before.get(*node).copied().unwrap_or_default());
                let differ: BTreeSet<u32> = differ.map(|node| node as u32).filter(|node| *node != ROOT).collect();
                prop_assert_eq!(changed, differ);
                let fresh = Graph::new(graph.edges());
                prop_assert_eq!(by_org(&graph, &standing), by_org(&fresh, &Standing::new(&fresh)));
            }
        }

        #[test]
        fn witnesses_carry_what_they_claim(edges in any_edges()) {
            let graph = Graph::new(edges);
            let standing = Standing::new(&graph);
            for node in 1..graph.nodes() as u32 {
                let path = standing.witness(&graph, node);
                prop_assert_eq!(path.is_empty(), standing.of(node) == 0);
                let Some(end) = path.last() else { continue };
                prop_assert_eq!(*end, graph.org(node).expect("a node of the sample"));
                prop_assert_eq!(path.iter().collect::<BTreeSet<_>>().len(), path.len(), "no loops");
                let mut from = ROOT;
                for (place, org) in path.iter().enumerate() {
                    let needed = path.len() - 1 - place;
                    let to = graph.index_of(org).expect("a node of the sample");
                    let mut arcs = graph.out(from).iter().filter(|arc| arc.node == to);
                    let carried = arcs.any(|arc| arc.amount >= standing.of(node) && usize::from(arc.depth) >= needed);
                    prop_assert!(carried, "{:?}", path);
                    from = to;
                }
            }
        }
    }
}
