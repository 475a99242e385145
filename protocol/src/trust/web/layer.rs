//! What counts for one purpose, as a graph: [`Layer`], with who is vetoed in it.
//!
//! A layer is never built anew while it is in use: what changed between two nodes is replaced in its graph, and the standing
//! follows. First it finds who may veto, from the veto-free graph of those who were given that right, then who is vetoed, and
//! then what is left.

use std::collections::{BTreeMap, BTreeSet};

use super::grounds::{
    Changes, Grounds, Pair, Said,
    scopes::{ANYTHING, ScopeId},
};
use crate::{
    organisation::OrgId,
    statement::FULL,
    trust::{
        flow::{Memo, Strength, Supply, flow},
        graph::{Edge, Graph},
        standing::Standing,
    },
};

pub(super) mod vetoes;

/// What a layer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Whom to connect to: scopes do not matter, but for a veto, which ends a connection only when it is about anything.
    Reach,
    /// Whom to tell TLP:GREEN: what is about anything and says so counts, and every veto.
    Confide,
    /// What was said in these scopes.
    Scopes(BTreeSet<ScopeId>),
}

impl Purpose {
    /// Whether an edge is for this purpose.
    pub(super) fn takes(&self, scope: ScopeId, said: &Said) -> bool {
        match self {
            Self::Reach => true,
            Self::Confide => scope == ANYTHING && said.receive_green,
            Self::Scopes(scopes) => scopes.contains(&scope),
        }
    }

    /// Whether it gives the right to veto for this purpose.
    pub(super) fn empowers(&self, scope: ScopeId, said: &Said) -> bool {
        said.may_veto
            && match self {
                Self::Reach => scope == ANYTHING,
                Self::Confide => true,
                Self::Scopes(scopes) => scopes.contains(&scope),
            }
    }

    /// Whether a veto is about this purpose.
    pub(super) fn heeds(&self, scope: ScopeId) -> bool {
        match self {
            Self::Reach => scope == ANYTHING,
            Self::Confide => true,
            Self::Scopes(scopes) => scopes.contains(&scope),
        }
    }
}

/// A graph and what stands in it.
#[derive(Clone, Debug)]
pub(super) struct Mesh {
    pub(super) graph: Graph,
    pub(super) standing: Standing,
}

impl Mesh {
    pub(super) fn new(edges: impl IntoIterator<Item = (Pair, Vec<(u8, u8)>)>) -> Self {
        let edges = edges.into_iter().flat_map(|((from, to), said)| {
            said.into_iter().map(move |(amount, depth)| Edge {
                from,
                to,
                amount,
                depth,
            })
        });
        let graph = Graph::new(edges);
        Self {
            standing: Standing::new(&graph),
            graph,
        }
    }

    /// Replaces what is said between these nodes; whether that is anything else.
    pub(super) fn replace(&mut self, edges: impl IntoIterator<Item = (Pair, Vec<(u8, u8)>)>) -> bool {
        let edges = edges.into_iter();
        let pairs: Vec<(u32, u32)> = edges
            .filter_map(|((from, to), said)| self.graph.replace(from, to, &said))
            .collect();
        if !pairs.is_empty() {
            self.standing.update(&self.graph, &pairs);
        }
        !pairs.is_empty()
    }

    /// Whether so much reaches an organisation that stands for itself: by one path, or by all of them together.
    pub(super) fn carries(&self, top: &OrgId, enough: u8) -> bool {
        let Some(node) = self.graph.index_of(top) else {
            return false;
        };
        let full = || {
            let supplies = BTreeMap::from([(node, Supply::from(u32::from(FULL)))]);
            flow(&self.graph, &self.standing, &supplies, u32::from(enough)).value
        };
        self.standing.of(node) >= enough || full() >= u32::from(enough)
    }

    /// How an organisation stands that stands for itself.
    pub(super) fn stands(&self, top: &OrgId) -> u8 {
        let node = self.graph.index_of(top);
        node.map_or(0, |node| self.standing.of(node))
    }
}

/// What counts for one purpose.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) purpose: Purpose,
    /// What is left when vetoes are heeded.
    pub(super) mesh: Mesh,
    /// Who may veto.
    pub(super) holders: Mesh,
    /// Who is vetoed, and by whom.
    pub(super) vetoed: BTreeMap<OrgId, OrgId>,
    pub(super) memo: Memo,
}

impl Layer {
    pub(super) fn new(grounds: &Grounds, purpose: Purpose) -> Self {
        let holders = Mesh::new(grounds.pairs().map(|pair| (pair, empowered(grounds, &purpose, &pair))));
        let vetoed = vetoes::vetoed(grounds, &purpose, &holders);
        let mesh = Mesh::new(
            grounds
                .pairs()
                .map(|pair| (pair, left(grounds, &purpose, &vetoed, &pair))),
        );
        Self {
            purpose,
            mesh,
            holders,
            vetoed,
            memo: Memo::default(),
        }
    }

    /// Takes in what changed.
    pub(super) fn follow(&mut self, grounds: &Grounds, changes: &Changes) {
        let Self { purpose, .. } = self;
        let pairs = changes.pairs.iter();
        let holders = pairs.map(|pair| (*pair, empowered(grounds, purpose, pair)));
        let others_hold = self.holders.replace(holders);
        let heard = |issuer: &OrgId| vetoes::rank(grounds, &self.holders, issuer).is_some();
        let vetoes_differ = changes.vetoes.iter().any(|(issuer, _)| heard(issuer));
        let mut pairs = changes.pairs.clone();
        if others_hold || vetoes_differ || !changes.orgs.is_empty() {
            let vetoed = vetoes::vetoed(grounds, purpose, &self.holders);
            let before = std::mem::replace(&mut self.vetoed, vetoed);
            let all = before.keys().chain(self.vetoed.keys());
            let differ = all.filter(|org| before.contains_key(*org) != self.vetoed.contains_key(*org));
            pairs.extend(differ.flat_map(|org| grounds.pairs_of(org)));
        }
        let Self { purpose, vetoed, .. } = self;
        let said = pairs.iter().map(|pair| (*pair, left(grounds, purpose, vetoed, pair)));
        if self.mesh.replace(said) {
            self.memo = Memo::default();
        }
    }

    /// `F` of an organisation that stands for itself.
    pub(super) fn full(&mut self, top: &OrgId) -> Strength {
        let Mesh { graph, standing } = &self.mesh;
        let node = graph.index_of(top);
        node.map_or_else(Strength::default, |node| self.memo.full(graph, standing, node))
    }
}

/// What is said between two nodes for a purpose by those who are not vetoed of those who are not.
fn left(grounds: &Grounds, purpose: &Purpose, vetoed: &BTreeMap<OrgId, OrgId>, pair: &Pair) -> Vec<(u8, u8)> {
    if pair.1 == grounds.own {
        return ourselves(grounds, pair);
    }
    let free = |org: &OrgId| !vetoed.contains_key(org);
    let said = grounds.between(pair).filter(|(place, said)| {
        let taken = purpose.takes(place.scope, said) && grounds.counts(place, said);
        taken && free(&place.subject) && place.issuer.is_none_or(|issuer| free(&issuer))
    });
    said.map(|(_, said)| (said.amount, said.depth)).collect()
}

/// What gives the right to veto for a purpose, vetoes aside.
pub(super) fn empowered(grounds: &Grounds, purpose: &Purpose, pair: &Pair) -> Vec<(u8, u8)> {
    if pair.1 == grounds.own {
        return Vec::new();
    }
    let said = grounds.between(pair);
    said.filter(|(place, said)| purpose.empowers(place.scope, said) && grounds.counts(place, said))
        .map(|(_, said)| (said.amount, said.depth))
        .collect()
}

/// Everything that is said between two nodes, in whatever scope, vetoes aside.
pub(super) fn anything(grounds: &Grounds, pair: &Pair) -> Vec<(u8, u8)> {
    if pair.1 == grounds.own {
        return ourselves(grounds, pair);
    }
    let said = grounds.between(pair);
    said.filter(|(place, said)| grounds.counts(place, said))
        .map(|(_, said)| (said.amount, said.depth))
        .collect()
}

/// Our own organisation is a full source, whatever others say of it. Nobody stands behind it: its word comes from the root.
fn ourselves(grounds: &Grounds, pair: &Pair) -> Vec<(u8, u8)> {
    if *pair == (None, grounds.own) {
        vec![(FULL, 0)]
    } else {
        Vec::new()
    }
}
