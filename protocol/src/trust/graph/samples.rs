//! Graphs to try things on: the vectors of the design (trust 4.7) and arbitrary small ones.

use proptest::{collection::vec, prelude::Strategy};
use starfish_crypto::Digest;

use super::{Edge, Graph};
use crate::organisation::OrgId;

/// A graph of the design with what is known of it; organisations are numbers, 0 is the root.
pub(crate) struct Vector {
    pub(crate) name: &'static str,
    pub(crate) edges: Vec<Edge>,
    /// Number, amount, introductions left.
    pub(crate) standing: Vec<(u32, u8, Option<u8>)>,
    /// Number and the number of its immediate dominator.
    pub(crate) dominators: Vec<(u32, Option<u32>)>,
    pub(crate) witnesses: Vec<Vec<u32>>,
}

/// The organisation with this number; they are in the order of their numbers.
pub(crate) fn org(number: u32) -> OrgId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    OrgId::from_digest(Digest::from_bytes(bytes))
}

/// Its node.
pub(crate) fn node(graph: &Graph, number: u32) -> u32 {
    match number {
        0 => super::ROOT,
        _ => graph.index_of(&org(number)).expect("a node of the sample"),
    }
}

/// One edge between numbers.
pub(crate) fn said(from: u32, to: u32, amount: u8, depth: u8) -> Edge {
    Edge {
        from: (from > 0).then(|| org(from)),
        to: org(to),
        amount,
        depth,
    }
}

/// Up to eleven organisations with up to fifty edges of round amounts, so that ties and cycles are common.
pub(crate) fn any_edges() -> impl Strategy<Value = Vec<Edge>> {
    let edge = (0u32..12, 1u32..12, 1u8..13, 0u8..8);
    vec(
        edge.prop_map(|(from, to, tens, depth)| said(from, to, tens * 10, depth)),
        1..50,
    )
}

/// T1 to T5.
pub(crate) fn vectors() -> Vec<Vector> {
    let mut farm = vec![said(0, 1, 120, 3), said(0, 2, 120, 3), said(2, 3, 50, 7)];
    for one in 4..14 {
        farm.push(said(3, one, 120, 7));
        farm.extend((4..14).map(|two| said(one, two, 120, 7)));
    }
    vec![
        Vector {
            name: "T1 chain",
            edges: vec![
                said(0, 1, 120, 2),
                said(1, 2, 100, 1),
                said(2, 3, 80, 1),
                said(3, 4, 120, 1),
            ],
            standing: vec![(1, 120, Some(2)), (2, 100, Some(1)), (3, 80, Some(0)), (4, 0, None)],
            dominators: vec![(1, Some(0)), (2, Some(1)), (3, Some(2)), (4, None)],
            witnesses: vec![vec![1], vec![1, 2], vec![1, 2, 3]],
        },
        Vector {
            name: "T2 two sponsors",
            edges: vec![
                said(0, 1, 120, 1),
                said(0, 2, 120, 1),
                said(1, 3, 60, 0),
                said(2, 3, 60, 0),
            ],
            standing: vec![(1, 120, Some(1)), (2, 120, Some(1)), (3, 60, Some(0))],
            dominators: vec![(1, Some(0)), (2, Some(0)), (3, Some(0))],
            witnesses: vec![vec![1, 3]],
        },
        Vector {
            name: "T3 same entity twice",
            edges: vec![
                said(0, 1, 60, 2),
                said(1, 2, 120, 1),
                said(1, 3, 120, 1),
                said(2, 4, 120, 0),
                said(3, 4, 120, 0),
            ],
            standing: vec![(1, 60, Some(2)), (2, 60, Some(1)), (3, 60, Some(1)), (4, 60, Some(0))],
            dominators: vec![(2, Some(1)), (3, Some(1)), (4, Some(1))],
            witnesses: vec![vec![1, 2, 4]],
        },
        Vector {
            name: "T4 depth vs width",
            edges: vec![
                said(0, 1, 120, 1),
                said(0, 2, 40, 7),
                said(1, 3, 120, 7),
                said(2, 3, 40, 7),
                said(3, 4, 120, 0),
            ],
            standing: vec![(3, 120, Some(6)), (4, 40, Some(0))],
            dominators: vec![(3, Some(0)), (4, Some(3))],
            witnesses: vec![vec![1, 3], vec![2, 3, 4]],
        },
        Vector {
            name: "T5 sybil farm",
            edges: farm,
            standing: vec![(1, 120, Some(3)), (3, 50, Some(2)), (4, 50, Some(1)), (13, 50, Some(1))],
            dominators: vec![(3, Some(2)), (4, Some(3)), (13, Some(3))],
            witnesses: vec![vec![2, 3, 4], vec![2, 3, 13]],
        },
    ]
}
