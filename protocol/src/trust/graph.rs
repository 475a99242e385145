//! The endorsements that count for one question, as a graph: [`Graph`].
//!
//! Node 0 is [`ROOT`], this node's own policy; every other node is an organisation. Arcs lie in lists by node, sorted by the
//! organisation at the other end, so that whoever walks them always walks them in the same order, whatever order the
//! statements came in. Nodes are numbered in no order that means anything.

use std::ops::Range;

use crate::{
    organisation::OrgId,
    statement::{DEPTH, FULL},
};

#[cfg(test)]
pub(crate) mod samples;

/// The node from which all trust comes: this node's own policy.
pub const ROOT: u32 = 0;

/// One endorsement that counts, or a root entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who vouches; `None` is [`ROOT`].
    pub from: Option<OrgId>,
    /// For whom.
    pub to: OrgId,
    /// How much, 1 to [`FULL`]. More is taken as [`FULL`], and 0 is no edge.
    pub amount: u8,
    /// How many further introductions, 0 to [`DEPTH`]. More is taken as [`DEPTH`].
    pub depth: u8,
}

/// One end of an edge, seen from the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arc {
    /// The node at the other end.
    pub node: u32,
    /// How much.
    pub amount: u8,
    /// How many further introductions.
    pub depth: u8,
}

/// A graph. Two nodes may have several arcs, next to each other, when more depth costs amount: none of them is both at most
/// as much and at most as deep as another. They are one endorsement said in two ways, so their amounts never add up.
#[derive(Clone, Debug)]
pub struct Graph {
    orgs: Vec<Option<OrgId>>,
    /// The nodes of organisations in the order of these, each with the beginning of its id: whoever looks for one reads few
    /// ids that lie far apart.
    order: Vec<(u64, u32)>,
    out: Vec<Vec<Arc>>,
    into: Vec<Vec<Arc>>,
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            orgs: vec![None],
            order: Vec::new(),
            out: vec![Vec::new()],
            into: vec![Vec::new()],
        }
    }
}

impl Graph {
    /// The graph of these edges, in any order. Edges to oneself say nothing and are left out.
    pub fn new(edges: impl IntoIterator<Item = Edge>) -> Self {
        let mut edges: Vec<Edge> = edges.into_iter().filter(|edge| edge.from != Some(edge.to)).collect();
        edges.sort_unstable();
        let mut orgs: Vec<OrgId> = edges
            .iter()
            .flat_map(|edge| [Some(edge.to), edge.from])
            .flatten()
            .collect();
        orgs.sort_unstable();
        orgs.dedup();
        let mut graph = Self::default();
        for org in &orgs {
            graph.node(org);
        }
        for pair in edges.chunk_by(|one, two| (one.from, one.to) == (two.from, two.to)) {
            graph.append(pair);
        }
        graph
    }

    /// How many nodes there are, [`ROOT`] included. Every node is less than that.
    pub fn nodes(&self) -> usize {
        self.orgs.len()
    }

    /// The node of an organisation, if it has ever had an edge.
    pub fn index_of(&self, org: &OrgId) -> Option<u32> {
        let at = self.find(org).ok()?;
        self.order.get(at).map(|(_, node)| *node)
    }

    /// The organisation of a node; none for [`ROOT`] and for what is no node.
    pub fn org(&self, node: u32) -> Option<OrgId> {
        self.orgs.get(node as usize).copied().flatten()
    }

    /// What a node says of others.
    pub fn out(&self, node: u32) -> &[Arc] {
        self.out.get(node as usize).map_or(&[], Vec::as_slice)
    }

    /// What others say of a node; [`ROOT`] comes first. (Call it on a `&Graph`: an owned one finds [`Into`] instead.)
    pub fn into(&self, node: u32) -> &[Arc] {
        self.into.get(node as usize).map_or(&[], Vec::as_slice)
    }

    /// What one node says of another.
    pub fn between(&self, from: u32, to: u32) -> &[Arc] {
        let arcs = self.out(from);
        arcs.get(self.place(arcs, to)).unwrap_or(&[])
    }

    /// All edges, in order.
    pub fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (from, arcs) in (0u32..).zip(&self.out) {
            for arc in arcs {
                if let Some(to) = self.org(arc.node) {
                    edges.push(edge(self.org(from), to, (arc.amount, arc.depth)));
                }
            }
        }
        edges.sort_unstable();
        edges
    }

    /// Replaces everything that `from` says of `to` by these amounts and depths; answers both nodes and whether that is
    /// different from before. Nothing to say about nodes that have no edge yet makes no node.
    pub fn replace(&mut self, from: Option<OrgId>, to: OrgId, said: &[(u8, u8)]) -> Option<(u32, u32)> {
        let said = best(said);
        if from == Some(to) || said.is_empty() && !self.knows(from, &to) {
            return None;
        }
        let source = from.map_or(ROOT, |org| self.node(&org));
        let target = self.node(&to);
        let forth: Vec<Arc> = said.iter().map(|said| arc(target, *said)).collect();
        let back: Vec<Arc> = said.iter().map(|said| arc(source, *said)).collect();
        let range = self.place(&self.out[source as usize], target);
        if self.out[source as usize][range.clone()] == forth[..] {
            return None;
        }
        splice(&mut self.out[source as usize], range, forth);
        let range = self.place(&self.into[target as usize], source);
        splice(&mut self.into[target as usize], range, back);
        Some((source, target))
    }

    fn knows(&self, from: Option<OrgId>, to: &OrgId) -> bool {
        self.find(to).is_ok() && from.is_none_or(|from| self.find(&from).is_ok())
    }

    /// Where the arcs to this node are in a list, or belong.
    fn place(&self, arcs: &[Arc], node: u32) -> Range<usize> {
        let org = self.org(node);
        let start = arcs.partition_point(|arc| self.org(arc.node) < org);
        let end = arcs.partition_point(|arc| self.org(arc.node) <= org);
        start..end
    }

    /// The node of an organisation, new if need be.
    fn node(&mut self, org: &OrgId) -> u32 {
        let at = match self.find(org) {
            Ok(at) => return self.order[at].1,
            Err(at) => at,
        };
        let next = self.orgs.len() as u32;
        self.order.insert(at, (beginning(org), next));
        self.orgs.push(Some(*org));
        self.out.push(Vec::new());
        self.into.push(Vec::new());
        next
    }

    /// Where an organisation's node is in the order of organisations, or belongs.
    fn find(&self, org: &OrgId) -> Result<usize, usize> {
        let begins = beginning(org);
        self.order.binary_search_by(|(known, node)| {
            known
                .cmp(&begins)
                .then_with(|| self.org(*node).as_ref().cmp(&Some(org)))
        })
    }

    /// Adds what one node says of another, which must come after everything that is here.
    fn append(&mut self, pair: &[Edge]) {
        let Some(first) = pair.first() else { return };
        let said: Vec<(u8, u8)> = pair.iter().map(|edge| (edge.amount, edge.depth)).collect();
        let source = first.from.map_or(ROOT, |org| self.node(&org));
        let target = self.node(&first.to);
        for said in best(&said) {
            self.out[source as usize].push(arc(target, said));
            self.into[target as usize].push(arc(source, said));
        }
    }
}

/// Most nodes have one arc, or a few: a list that grows by itself has room for four from the beginning.
fn splice(arcs: &mut Vec<Arc>, range: Range<usize>, said: Vec<Arc>) {
    arcs.reserve_exact(said.len().saturating_sub(range.len()));
    arcs.splice(range, said);
}

fn beginning(org: &OrgId) -> u64 {
    let digest = org.digest();
    let first = digest.as_bytes().first_chunk();
    first.map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// What is left of these amounts and depths when each that says no more than another is left out: by falling amount.
fn best(said: &[(u8, u8)]) -> Vec<(u8, u8)> {
    let mut said: Vec<(u8, u8)> = said
        .iter()
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, depth)| ((*amount).min(FULL), (*depth).min(DEPTH)))
        .collect();
    said.sort_unstable_by(|one, two| two.cmp(one));
    let mut kept: Vec<(u8, u8)> = Vec::new();
    for (amount, depth) in said {
        if kept.last().is_none_or(|(_, deepest)| depth > *deepest) {
            kept.push((amount, depth));
        }
    }
    kept
}

fn arc(node: u32, (amount, depth): (u8, u8)) -> Arc {
    Arc { node, amount, depth }
}

fn edge(from: Option<OrgId>, to: OrgId, (amount, depth): (u8, u8)) -> Edge {
    Edge {
        from,
        to,
        amount,
        depth,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        samples::{org, said},
        *,
    };

    #[test]
    fn order_and_repetition_change_nothing_and_lists_are_sorted() {
        let edges = [
            said(3, 1, 10, 0),
            said(0, 3, 9, 9),
            said(0, 2, 200, 1),
            said(2, 1, 5, 7),
        ];
        let mut graph = Graph::default();
        for edge in edges.iter().rev().chain(&edges) {
            graph.replace(edge.from, edge.to, &[(edge.amount, edge.depth)]);
        }
        assert_eq!(graph.edges(), Graph::new(edges).edges());
        assert_eq!(Graph::new(edges.iter().chain(&edges).copied()).edges(), graph.edges());
        let view = &graph;
        let into = view.into(graph.index_of(&org(1)).expect("a node of the sample"));
        let from: Vec<_> = into
            .iter()
            .map(|arc| graph.org(arc.node).expect("a node of the sample"))
            .collect();
        assert_eq!(from, [org(2), org(3)]);
        assert_eq!(graph.edges()[0], said(0, 2, FULL, 1), "cut down to what can be said");
        assert_eq!(graph.edges()[1], said(0, 3, 9, DEPTH));
    }

    #[test]
    fn what_says_no_more_is_left_out() {
        let check = |given: &[(u8, u8)], kept: &[(u8, u8)]| assert_eq!(best(given), kept, "{given:?}");
        check(&[], &[]);
        check(&[(0, 7)], &[]);
        check(&[(60, 5), (120, 0)], &[(120, 0), (60, 5)]);
        check(&[(60, 0), (120, 0), (60, 0)], &[(120, 0)]);
        check(&[(60, 5), (60, 7), (10, 7), (5, 6)], &[(60, 7)]);
    }

    #[test]
    fn what_is_said_no_more_is_gone_both_ways() {
        let mut graph = Graph::new([said(0, 1, 10, 1), said(1, 1, 9, 1), said(1, 2, 3, 0)]);
        let (one, two) = (
            graph.index_of(&org(1)).expect("a node of the sample"),
            graph.index_of(&org(2)).expect("a node of the sample"),
        );
        assert_eq!(graph.out(one).len(), 1, "nothing about itself");
        assert_eq!(graph.replace(Some(org(1)), org(2), &[(3, 0)]), None, "the same again");
        assert_eq!(graph.replace(Some(org(1)), org(2), &[]), Some((one, two)));
        let view = &graph;
        assert!(view.out(one).is_empty() && view.into(two).is_empty());
        assert_eq!(
            (graph.nodes(), graph.org(ROOT), graph.index_of(&org(9))),
            (3, None, None)
        );
        assert!(view.out(77).is_empty() && view.into(77).is_empty());
        assert_eq!(graph.replace(Some(org(8)), org(9), &[]), None);
    }
}
