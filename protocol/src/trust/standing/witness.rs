//! The chain that shows why an organisation stands where it does: among the chains that carry all of its amount the
//! shortest, and of those the first in the order of their organisations. Every node that knows the same says the same.

use std::collections::BTreeSet;

use super::Standing;
use crate::{
    organisation::OrgId,
    trust::graph::{Arc, Graph, ROOT},
};

impl Standing {
    /// The organisations from the root entry to this node, itself the last; empty where nothing reaches it.
    pub fn witness(&self, graph: &Graph, node: u32) -> Vec<OrgId> {
        let amount = self.of(node);
        if node == ROOT || amount == 0 {
            return Vec::new();
        }
        let layers = self.layers(graph, node, amount);
        let mut path = Vec::new();
        let mut from = ROOT;
        for (left, layer) in layers.iter().enumerate().rev() {
            let carries = |arc: &&Arc| carries(arc, amount, left) && layer.contains(&arc.node);
            // The arcs are sorted by organisation, so the first is the smallest.
            let Some(arc) = graph.out(from).iter().find(carries) else {
                return Vec::new();
            };
            path.extend(graph.org(arc.node));
            from = arc.node;
        }
        path
    }

    /// The nodes from which the amount reaches this one in so many steps and no fewer, until the root reaches one of them.
    /// A node that is met again is no longer of use: its shorter chain needs less depth.
    fn layers(&self, graph: &Graph, node: u32, amount: u8) -> Vec<BTreeSet<u32>> {
        let mut met = BTreeSet::from([node]);
        let mut layers = vec![BTreeSet::from([node])];
        while let Some(layer) = layers.last() {
            let left = layers.len() - 1;
            let arcs = layer.iter().flat_map(|node| graph.into(*node));
            let arcs = arcs.filter(|arc| carries(arc, amount, left) && self.at(arc.node, left as u8 + 1) >= amount);
            let before: BTreeSet<u32> = arcs.map(|arc| arc.node).collect();
            if before.contains(&ROOT) {
                break;
            }
            let before: BTreeSet<u32> = before.into_iter().filter(|node| met.insert(*node)).collect();
            if before.is_empty() {
                break;
            }
            layers.push(before);
        }
        layers
    }
}

fn carries(arc: &Arc, amount: u8, left: usize) -> bool {
    arc.amount >= amount && usize::from(arc.depth) >= left
}
