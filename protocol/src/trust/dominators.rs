//! On whom everything about an organisation hangs: [`Dominators`], the tree of single points of trust.
//!
//! A node dominates another when every chain of introductions from the root to the other passes through it. It is for display
//! and for speed; decisions are made by removal ([`super::independence`]), which heeds amounts and depths. The algorithm is
//! that of Lengauer and Tarjan (1979) with path compression: O(E log N) on any shape, because anybody may draw the graph.

use super::{
    graph::{Graph, ROOT},
    standing::Standing,
};

const NONE: u32 = u32::MAX;

/// The immediate dominator of every node that the root reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dominators {
    immediate: Vec<u32>,
}

impl Dominators {
    /// Of all nodes, over the edges of those who may introduce.
    pub fn new(graph: &Graph, standing: &Standing) -> Self {
        let walk = Walk::from_root(graph, standing);
        let tree = walk.tree(graph, standing);
        let mut immediate = vec![NONE; graph.nodes()];
        for (place, above) in tree.iter().enumerate().skip(1) {
            immediate[walk.nodes[place] as usize] = walk.nodes[*above as usize];
        }
        Self { immediate }
    }

    /// The last node through which every chain to this one passes: [`ROOT`] when there is no single one. None for what is
    /// not reached, and for the root.
    pub fn of(&self, node: u32) -> Option<u32> {
        self.immediate
            .get(node as usize)
            .copied()
            .filter(|above| *above != NONE)
    }

    /// All nodes through which every chain passes, from the root's side, without the root and the node itself.
    pub fn chain(&self, node: u32) -> Vec<u32> {
        let mut chain: Vec<u32> = std::iter::successors(self.of(node), |above| self.of(*above))
            .filter(|above| *above != ROOT)
            .collect();
        chain.reverse();
        chain
    }
}

/// Whether a node may introduce others at all.
fn introduces(standing: &Standing, node: u32) -> bool {
    standing.at(node, 1) > 0
}

/// A walk in depth first; "place" is a position in it.
struct Walk {
    /// The node at each place.
    nodes: Vec<u32>,
    /// The place of each node.
    places: Vec<u32>,
    /// The place from which each place was reached.
    parents: Vec<u32>,
}

impl Walk {
    fn from_root(graph: &Graph, standing: &Standing) -> Self {
        let mut walk = Self {
            nodes: Vec::new(),
            places: vec![NONE; graph.nodes()],
            parents: Vec::new(),
        };
        walk.enter(ROOT, 0);
        // A place on the way, and how many of its arcs are done.
        let mut way = vec![(0u32, 0usize)];
        while let Some((place, done)) = way.last_mut() {
            let (place, arc) = (*place, *done);
            *done += 1;
            let node = walk.nodes[place as usize];
            let arcs = if introduces(standing, node) {
                graph.out(node)
            } else {
                &[]
            };
            match arcs.get(arc) {
                None => {
                    way.pop();
                }
                Some(arc) if walk.places[arc.node as usize] == NONE => way.push((walk.enter(arc.node, place), 0)),
                Some(_) => {}
            }
        }
        walk
    }

    fn enter(&mut self, node: u32, parent: u32) -> u32 {
        let place = self.nodes.len() as u32;
        self.places[node as usize] = place;
        self.nodes.push(node);
        self.parents.push(parent);
        place
    }

    /// The place of the immediate dominator of each place.
    fn tree(&self, graph: &Graph, standing: &Standing) -> Vec<u32> {
        let count = self.nodes.len();
        let mut forest = Forest::new(count);
        let mut tree = vec![0u32; count];
        // For each place the last of those whose semidominator it is, and the one before each of these.
        let (mut last, mut before) = (vec![NONE; count], vec![NONE; count]);
        for place in (1..count).rev() {
            for arc in graph.into(self.nodes[place]) {
                if introduces(standing, arc.node) {
                    let best = forest.lowest(self.places[arc.node as usize]);
                    forest.semi[place] = forest.semi[place].min(forest.semi[best as usize]);
                }
            }
            let semi = forest.semi[place] as usize;
            before[place] = last[semi];
            last[semi] = place as u32;
            let parent = self.parents[place];
            forest.above[place] = parent;
            let mut waiting = std::mem::replace(&mut last[parent as usize], NONE);
            while waiting != NONE {
                let best = forest.lowest(waiting);
                let lower = forest.semi[best as usize] < forest.semi[waiting as usize];
                tree[waiting as usize] = if lower { best } else { parent };
                waiting = before[waiting as usize];
            }
        }
        for place in 1..count {
            if tree[place] != forest.semi[place] {
                tree[place] = tree[tree[place] as usize];
            }
        }
        tree
    }
}

/// The part of the walk's tree that was worked through, with its paths compressed.
struct Forest {
    /// The semidominator of each place so far.
    semi: Vec<u32>,
    /// The place above in the compressed tree; none for a root of the forest.
    above: Vec<u32>,
    /// The place with the lowest semidominator on the compressed part.
    label: Vec<u32>,
}

impl Forest {
    fn new(count: usize) -> Self {
        Self {
            semi: (0..count as u32).collect(),
            above: vec![NONE; count],
            label: (0..count as u32).collect(),
        }
    }

    /// The place with the lowest semidominator from this one up to below the root of its tree.
    fn lowest(&mut self, place: u32) -> u32 {
        let mut path = Vec::new();
        let mut at = place;
        while self.above[at as usize] != NONE && self.above[self.above[at as usize] as usize] != NONE {
            path.push(at as usize);
            at = self.above[at as usize];
        }
        for at in path.into_iter().rev() {
            let above = self.above[at] as usize;
            let (mine, theirs) = (self.label[at], self.label[above]);
            if self.semi[theirs as usize] < self.semi[mine as usize] {
                self.label[at] = theirs;
            }
            self.above[at] = self.above[above];
        }
        self.label[place as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{
        super::graph::samples::{any_edges, node, said, vectors},
        *,
    };

    fn reached(graph: &Graph, standing: &Standing, without: Option<u32>) -> BTreeSet<u32> {
        let mut met = BTreeSet::from([ROOT]);
        let mut open = vec![ROOT];
        while let Some(node) = open.pop() {
            for arc in graph.out(node).iter().filter(|_| introduces(standing, node)) {
                if Some(arc.node) != without && met.insert(arc.node) {
                    open.push(arc.node);
                }
            }
        }
        met
    }

    #[test]
    fn the_vectors_of_the_design() {
        for vector in vectors() {
            let graph = Graph::new(vector.edges);
            let dominators = Dominators::new(&graph, &Standing::new(&graph));
            for (number, above) in vector.dominators {
                let above = above.map(|above| node(&graph, above));
                assert_eq!(dominators.of(node(&graph, number)), above, "{} {number}", vector.name);
            }
        }
    }

    #[test]
    fn a_chain_is_named_from_the_root_on() {
        let graph = Graph::new([said(0, 1, 9, 7), said(1, 2, 9, 7), said(2, 3, 9, 7)]);
        let dominators = Dominators::new(&graph, &Standing::new(&graph));
        assert_eq!(dominators.chain(node(&graph, 3)), [node(&graph, 1), node(&graph, 2)]);
        assert_eq!((dominators.chain(ROOT), dominators.of(99)), (vec![], None));
    }

    proptest! {
        #[test]
        fn without_its_dominators_and_nobody_else_a_node_is_not_reached(edges in any_edges()) {
            let graph = Graph::new(edges);
            let standing = Standing::new(&graph);
            let dominators = Dominators::new(&graph, &standing);
            let all = reached(&graph, &standing, None);
            for gone in 1..graph.nodes() as u32 {
                let left = reached(&graph, &standing, Some(gone));
                for other in all.iter().filter(|other| **other != ROOT && **other != gone) {
                    prop_assert_eq!(dominators.chain(*other).contains(&gone), !left.contains(other));
                }
                prop_assert_eq!(dominators.of(gone).is_some(), standing.of(gone) > 0);
            }
        }
    }
}
