//! Whether trust survives the removal of any one organisation (design, trust 4.6a): of one, [`independent`], and of a set of
//! reporters, [`two_source`].
//!
//! Only an organisation on one chain that carries enough can matter: with any other one gone that chain is still there. So
//! the canonical witness names the few that are tried. Each trial looks for another chain backwards from the end, and only
//! through nodes that had enough when everybody was there.

use std::collections::BTreeSet;

use super::{
    graph::{Graph, ROOT},
    standing::Standing,
};
use crate::{organisation::OrgId, statement::DEPTH};

/// What an organisation must be vouched for to be believed: half of [`FULL`](crate::statement::FULL).
pub const ENOUGH: u8 = 60;

/// Whether a node keeps [`ENOUGH`] when any one other organisation is gone.
pub fn independent(graph: &Graph, standing: &Standing, node: u32) -> bool {
    standing.of(node) >= ENOUGH && keystone(graph, standing, node).is_none()
}

/// The first organisation on a node's witness whose removal would leave it with less than [`ENOUGH`].
pub fn keystone(graph: &Graph, standing: &Standing, node: u32) -> Option<OrgId> {
    let path = standing.witness(graph, node);
    let others = path.iter().filter(|org| graph.org(node) != Some(**org));
    others
        .copied()
        .find(|gone| !survives(graph, standing, &[node], graph.index_of(gone)))
}

/// Whether some of these reporters keep [`ENOUGH`] whichever one organisation is gone, a reporter included.
pub fn two_source(graph: &Graph, standing: &Standing, reporters: impl IntoIterator<Item = u32>) -> bool {
    let nodes: Vec<u32> = reporters.into_iter().collect();
    let Some(one) = nodes.iter().find(|node| standing.of(**node) >= ENOUGH) else {
        return false;
    };
    let path = standing.witness(graph, *one);
    path.iter()
        .all(|gone| survives(graph, standing, &nodes, graph.index_of(gone)))
}

/// Whether enough reaches one of these nodes when one node is gone.
fn survives(graph: &Graph, standing: &Standing, nodes: &[u32], gone: Option<u32>) -> bool {
    // Nodes with the introductions needed. Few of a large graph are behind one answer.
    let mut looked = BTreeSet::new();
    let stands = |node: u32, needed: u8| Some(node) != gone && standing.at(node, needed) >= ENOUGH;
    let mut open: Vec<(u32, u8)> = nodes.iter().map(|node| (*node, 0)).collect();
    open.retain(|(node, _)| stands(*node, 0));
    while let Some((node, needed)) = open.pop() {
        for arc in graph.into(node) {
            if arc.amount < ENOUGH || arc.depth < needed {
                continue;
            }
            if arc.node == ROOT {
                return true;
            }
            let further = needed + 1;
            if further <= DEPTH && stands(arc.node, further) && looked.insert((arc.node, further)) {
                open.push((arc.node, further));
            }
        }
    }
    false
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

    /// What stands when an organisation has never been.
    fn without(edges: &[Edge], gone: OrgId) -> (Graph, Standing) {
        let left = edges
            .iter()
            .filter(|edge| edge.from != Some(gone) && edge.to != gone)
            .copied();
        let graph = Graph::new(left);
        let standing = Standing::new(&graph);
        (graph, standing)
    }

    fn enough((graph, standing): &(Graph, Standing), org: &OrgId) -> bool {
        graph.index_of(org).is_some_and(|node| standing.of(node) >= ENOUGH)
    }

    #[test]
    fn the_vectors_of_the_design() {
        let check = |vector: usize, number: u32, expected: bool| {
            let graph = Graph::new(vectors()[vector].edges.iter().copied());
            let found = independent(&graph, &Standing::new(&graph), node(&graph, number));
            assert_eq!(found, expected, "T{} {number}", vector + 1);
        };
        check(0, 1, true);
        check(0, 2, false);
        check(0, 4, false);
        check(1, 3, true);
        check(2, 1, true);
        check(2, 4, false);
        check(3, 3, false);
        check(4, 4, false);
    }

    #[test]
    fn two_sources_are_two_organisations() {
        let edges = [
            said(0, 1, 120, 2),
            said(0, 2, 120, 2),
            said(2, 3, 120, 0),
            said(2, 4, 120, 0),
            said(1, 5, 50, 0),
        ];
        let graph = Graph::new(edges);
        let standing = Standing::new(&graph);
        let check = |set: &[u32], expected: bool| {
            let nodes = set.iter().filter_map(|number| graph.index_of(&org(*number)));
            assert_eq!(two_source(&graph, &standing, nodes), expected, "{set:?}");
        };
        check(&[], false);
        check(&[1], false);
        check(&[1, 2], true);
        check(&[3, 4], false);
        check(&[2, 3, 4], false);
        check(&[1, 3], true);
        check(&[2, 5], false);
        check(&[99, 1], false);
    }

    proptest! {
        #[test]
        fn independence_is_what_removal_leaves(edges in any_edges(), set in proptest::collection::btree_set(1u32..12, 0..4)) {
            let graph = Graph::new(edges.iter().copied());
            let standing = Standing::new(&graph);
            let worlds: Vec<_> = (1..12).map(|number| (org(number), without(&edges, org(number)))).collect();
            for place in 1..graph.nodes() as u32 {
                let own = graph.org(place).expect("a node of the sample");
                let others = worlds.iter().filter(|(gone, _)| *gone != own);
                let expected = standing.of(place) >= ENOUGH && others.clone().all(|(_, world)| enough(world, &own));
                prop_assert_eq!(independent(&graph, &standing, place), expected);
            }
            let set: BTreeSet<OrgId> = set.into_iter().map(org).collect();
            let any = |world: &(Graph, Standing)| set.iter().any(|org| enough(world, org));
            let expected = worlds.iter().all(|(_, world)| any(world));
            let nodes = set.iter().filter_map(|org| graph.index_of(org));
            prop_assert_eq!(two_source(&graph, &standing, nodes), expected);
        }
    }
}
