//! What is known of single organisations already: [`Memo`]. A node that reports much is asked about with every observable.

use std::collections::BTreeMap;

use super::strength;
use crate::trust::{graph::Graph, standing::Standing};

/// The full flows of one graph that were asked for. It holds at most one entry for each node; whoever changes the graph
/// starts a new one.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    known: BTreeMap<u32, Strength>,
}

/// What is kept of a full flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strength {
    /// `F`.
    pub value: u32,
    /// It may be too small.
    pub truncated: bool,
}

impl Memo {
    /// `F` of a node, computed when it is new.
    pub fn full(&mut self, graph: &Graph, standing: &Standing, node: u32) -> Strength {
        *self
            .known
            .entry(node)
            .or_insert_with(|| strength(graph, standing, node))
    }
}
