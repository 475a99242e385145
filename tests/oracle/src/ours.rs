//! What Starfish says of a graph: [`Judge`]. `B` and `F` are those of `starfish-protocol`; the flow without the capacities of
//! organisations, which OpenPGP does not have, is computed here over the same arcs by `pathfinding`.

use std::collections::{BTreeMap, VecDeque};

use pathfinding::directed::edmonds_karp::edmonds_karp_sparse;
use starfish_crypto::Digest;
use starfish_protocol::{
    organisation::OrgId,
    statement::{DEPTH, FULL},
    trust::{
        flow::full_flow,
        graph::{Edge, Graph, ROOT},
        standing::Standing,
    },
};

use crate::graphs::Endorsement;

/// Stands for the place where everything arrives.
const SINK: u32 = u32::MAX;

/// Judges one graph.
pub struct Judge {
    graph: Graph,
    standing: Standing,
}

impl Judge {
    /// Of these endorsements.
    pub fn new(edges: &[Endorsement]) -> Self {
        let graph = Graph::new(edges.iter().map(|edge| Edge {
            from: (edge.from > 0).then(|| org(edge.from)),
            to: org(edge.to),
            amount: edge.amount,
            depth: edge.depth,
        }));
        let standing = Standing::new(&graph);
        Self { graph, standing }
    }

    /// `B`.
    pub fn best_path(&self, number: u32) -> u32 {
        u32::from(self.standing.of(self.node(number)))
    }

    /// `F`.
    pub fn flow(&self, number: u32) -> u32 {
        let flow = full_flow(&self.graph, &self.standing, self.node(number));
        assert!(
            !flow.truncated,
            "graphs of this size are within the work of one question"
        );
        flow.value
    }

    /// `F`, were there no limit on what passes through one organisation.
    pub fn flow_without_capacities(&self, number: u32) -> u32 {
        let target = self.node(number);
        let mut room = self.arcs(target);
        room.insert((target, SINK), i64::from(FULL));
        let mut nodes: Vec<u32> = (0..self.graph.nodes() as u32).collect();
        nodes.push(SINK);
        let (_, value, _) = edmonds_karp_sparse(&nodes, &ROOT, &SINK, room);
        u32::try_from(value).expect("a flow is at most what its target takes")
    }

    /// The arcs that can matter to a target, as the design gathers them (trust 4.3): deep enough for the hops that follow, and
    /// from somebody who may introduce over so many.
    fn arcs(&self, target: u32) -> BTreeMap<(u32, u32), i64> {
        let mut hops = BTreeMap::from([(target, 0u8)]);
        let mut open = VecDeque::from([target]);
        let mut arcs = BTreeMap::new();
        while let Some(node) = open.pop_front() {
            let far = hops[&node];
            for arc in Graph::into(&self.graph, node) {
                let left = self.standing.max_remaining(arc.node).unwrap_or(0);
                if arc.depth < far || arc.node != ROOT && left <= far {
                    continue;
                }
                arcs.insert((arc.node, node), i64::from(arc.amount));
                if far < DEPTH + 1 && arc.node != ROOT && !hops.contains_key(&arc.node) {
                    hops.insert(arc.node, far + 1);
                    open.push_back(arc.node);
                }
            }
        }
        arcs
    }

    fn node(&self, number: u32) -> u32 {
        self.graph
            .index_of(&org(number))
            .expect("every organisation asked about has an edge")
    }
}

fn org(number: u32) -> OrgId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    OrgId::from_digest(Digest::from_bytes(bytes))
}
