//! The part of the web that can carry trust to one organisation: [`Way`], with the vetoes that matter there ([`Vetoing`]).
//!
//! It is found backwards where everything that is said counts, in whatever scope. No chain to the organisation leaves it, so
//! that `F` is the same there as in the whole web, and costs only what was said there.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    organisation::OrgId,
    statement::{DEPTH, FULL},
    trust::{
        graph::ROOT,
        independence::ENOUGH,
        web::{
            grounds::{
                Grounds, Pair, Place,
                scopes::{ANYTHING, ScopeId},
            },
            layer::{Mesh, Purpose, empowered, vetoes},
        },
    },
};

/// How high those stand who say something in a scope.
pub(super) type Weight = u16;

/// An endorsement or a root entry.
pub(super) struct Word {
    pair: Pair,
    place: Place,
    amount: u8,
    depth: u8,
}

/// What can carry trust to an organisation, in whatever scope.
pub(super) struct Way {
    top: OrgId,
    /// Everybody on it.
    pub(super) orgs: BTreeSet<OrgId>,
    pub(super) said: Vec<Word>,
}

impl Way {
    /// Backwards from a node, as far as introductions can go.
    pub(super) fn to(grounds: &Grounds, widest: &Mesh, top: &OrgId) -> Self {
        let Mesh { graph, standing } = widest;
        let mut way = Self {
            top: *top,
            orgs: BTreeSet::new(),
            said: Vec::new(),
        };
        let mut met = BTreeSet::from([*top]);
        let mut layer: Vec<OrgId> = vec![*top];
        for hops in 0..=DEPTH {
            for org in std::mem::take(&mut layer) {
                way.orgs.extend(grounds.families.members_of(&org));
                let arcs = graph.index_of(&org).map_or(&[][..], |node| graph.into(node));
                for said in arcs.chunk_by(|one, two| one.node == two.node) {
                    let deep = said.iter().find(|arc| arc.depth >= hops);
                    let left = |node: u32| standing.max_remaining(node).unwrap_or(0);
                    let Some(arc) = deep.filter(|arc| arc.node == ROOT || left(arc.node) > hops) else {
                        continue;
                    };
                    let pair = (graph.org(arc.node), org);
                    way.said.extend(words(grounds, pair, hops));
                    layer.extend(pair.0.filter(|from| met.insert(*from)));
                }
            }
        }
        way
    }

    /// The scopes in which anything is said on it.
    pub(super) fn scopes(&self) -> impl Iterator<Item = ScopeId> {
        self.said.iter().map(|word| word.place.scope)
    }

    /// How much weight is behind each scope: what comes of the most that anybody says in it, in whatever scope it came so
    /// far, and as much again for what would come for any question. So neither do many who stand low weigh more than one of
    /// them, nor does somebody who is trusted about something else weigh as much as one who is trusted about anything.
    pub(super) fn weights(&self, grounds: &Grounds, widest: &Mesh, vetoing: &Vetoing) -> BTreeMap<ScopeId, Weight> {
        let (anyway, _) = self.mesh(grounds, vetoing, &BTreeSet::from([ANYTHING]));
        let mut weights: BTreeMap<ScopeId, Weight> = BTreeMap::new();
        for Word {
            pair, place, amount, ..
        } in &self.said
        {
            let stands = |mesh: &Mesh| pair.0.map_or(FULL, |from| mesh.stands(&from));
            let comes = |mesh: &Mesh| Weight::from(stands(mesh).min(*amount));
            let weight = weights.entry(place.scope).or_default();
            *weight = (comes(widest) + comes(&anyway)).max(*weight);
        }
        weights
    }

    /// Whether enough reaches one of the organisations at its end, by what is said in these scopes.
    pub(super) fn carries(
        &self,
        grounds: &Grounds,
        org: &OrgId,
        vetoing: &Vetoing,
        scopes: &BTreeSet<ScopeId>,
        enough: u8,
    ) -> bool {
        let (mesh, vetoed) = self.mesh(grounds, vetoing, scopes);
        !vetoed.contains(org) && mesh.carries(&self.top, enough)
    }

    /// What is said in these scopes by those who are not vetoed, of those who are not; and who is vetoed.
    fn mesh(&self, grounds: &Grounds, vetoing: &Vetoing, scopes: &BTreeSet<ScopeId>) -> (Mesh, BTreeSet<OrgId>) {
        let vetoed = vetoing.vetoed(grounds, scopes);
        let free = |org: &OrgId| !vetoed.contains(org);
        let counts = |word: &&Word| {
            let place = &word.place;
            scopes.contains(&place.scope) && free(&place.subject) && place.issuer.as_ref().is_none_or(free)
        };
        let said = self.said.iter().filter(counts);
        let mesh = Mesh::new(said.map(|word| (word.pair, vec![(word.amount, word.depth)])));
        (mesh, vetoed)
    }
}

/// What counts between two nodes, if nobody vetoes it, for those who are so many introductions further.
fn words(grounds: &Grounds, pair: Pair, hops: u8) -> impl Iterator<Item = Word> {
    let said = grounds.between(&pair);
    let counts = said.filter(move |(place, said)| said.depth >= hops && grounds.counts(place, said));
    counts.map(move |(place, said)| Word {
        pair,
        place: *place,
        amount: said.amount,
        depth: said.depth,
    })
}

/// What decides who is vetoed on a way; nothing when nobody's veto is about any of them.
#[derive(Default)]
pub(super) struct Vetoing {
    /// In which scopes vetoes are said, and the right to veto is given.
    pub(super) scopes: BTreeSet<ScopeId>,
    /// In which scopes the operator has entries for those who are meant: they cannot be vetoed there.
    immune: BTreeSet<ScopeId>,
    /// Who gives the right to whom.
    pub(super) rights: Vec<Pair>,
}

impl Vetoing {
    /// Of the vetoes of those who may veto in some scope.
    pub(super) fn of(grounds: &Grounds, holders: &Mesh, orgs: &BTreeSet<OrgId>) -> Self {
        let mut found = Self::default();
        let mut meant = false;
        let heard = |issuer: &OrgId| vetoes::rank(grounds, holders, issuer).is_some();
        for (_, vetoes) in grounds.vetoes.iter().filter(|(issuer, _)| heard(issuer)) {
            for ((subject, scope), _) in vetoes.iter().filter(|(_, veto)| veto.counts(grounds.now)) {
                found.scopes.insert(*scope);
                for org in grounds.families.below(subject) {
                    let entries = grounds.roots_of(&org);
                    found.immune.extend(entries.map(|(place, _)| place.scope));
                    meant = meant || orgs.contains(&org);
                }
            }
        }
        if !meant {
            return Self::default();
        }
        // Anybody can say of anybody that he may veto; only what comes from the operator with enough gives the right.
        let Mesh { graph, standing } = holders;
        for edge in graph.edges().into_iter().filter(|edge| edge.amount >= ENOUGH) {
            let node = edge.from.map_or(Some(ROOT), |from| graph.index_of(&from));
            if node.is_some_and(|node| standing.at(node, 1) >= ENOUGH) {
                let pair = (edge.from, edge.to);
                let rights = grounds.between(&pair).filter(|(_, said)| said.may_veto);
                found.scopes.extend(rights.map(|(place, _)| place.scope));
                found.rights.push(pair);
            }
        }
        found.rights.dedup();
        found.scopes.insert(ANYTHING);
        found
    }

    /// Whether no veto is about anybody who matters here.
    pub(super) fn is_nobodys(&self) -> bool {
        self.scopes.is_empty()
    }

    /// Every scope that may make a difference to who is vetoed.
    pub(super) fn deciding(&self) -> impl Iterator<Item = ScopeId> {
        self.scopes.union(&self.immune).copied()
    }

    /// Who is vetoed in these scopes.
    fn vetoed(&self, grounds: &Grounds, scopes: &BTreeSet<ScopeId>) -> BTreeSet<OrgId> {
        if self.scopes.is_empty() {
            return BTreeSet::new();
        }
        let purpose = Purpose::Scopes(scopes.clone());
        let rights = self.rights.iter();
        let holders = Mesh::new(rights.map(|pair| (*pair, empowered(grounds, &purpose, pair))));
        vetoes::vetoed(grounds, &purpose, &holders).into_keys().collect()
    }
}
