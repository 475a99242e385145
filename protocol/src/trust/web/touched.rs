//! Whom a change may matter to: [`Trace`].
//!
//! Trust goes forward, so a change matters at most to those who are reached through it within the introductions that are left.
//! Two changed graphs need not be compared for that: what lies behind the last change of a chain is the same in both. The
//! chains are followed where every endorsement counts, whatever its scope and whoever vetoes it, so that the answer is never
//! too small for any question; and what comes from an organisation that nobody may introduce matters to nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    grounds::{Changes, Grounds, Pair},
    layer::Mesh,
};
use crate::{
    organisation::OrgId,
    statement::DEPTH,
    trust::{graph::ROOT, independence::ENOUGH},
};

/// Where changes go on from, with how many introductions left.
type Seeds = BTreeMap<OrgId, u8>;

/// What is to be known of the time before a change.
#[derive(Debug)]
pub(super) struct Trace<'a> {
    changes: &'a Changes,
    /// In the graph of all that is said.
    said: Seeds,
    /// In the graph of those who may veto anything.
    holding: Seeds,
    /// Whose vetoes might have counted.
    heard: BTreeSet<OrgId>,
}

impl<'a> Trace<'a> {
    /// Before anything follows the changes.
    pub(super) fn before(grounds: &Grounds, widest: &Mesh, holders: &Mesh, changes: &'a Changes) -> Self {
        Self {
            changes,
            said: seeds(widest, &changes.pairs),
            holding: seeds(holders, &changes.pairs),
            heard: heard(grounds, holders, changes),
        }
    }

    /// When everything has followed them: all to whom they may matter.
    pub(super) fn touched(mut self, grounds: &Grounds, widest: &Mesh, holders: &Mesh) -> BTreeSet<OrgId> {
        let changes = self.changes;
        raise(&mut self.said, seeds(widest, &changes.pairs));
        raise(&mut self.holding, seeds(holders, &changes.pairs));
        self.heard.extend(heard(grounds, holders, changes));
        let mut touched = self.vetoed(grounds, holders);
        for org in &touched {
            let top = grounds.families.top_of(org);
            let node = widest.graph.index_of(&top);
            let left = node.and_then(|node| widest.standing.max_remaining(node));
            raise(&mut self.said, left.map(|left| (top, left.min(DEPTH))));
        }
        for top in spread(widest, &self.said) {
            touched.extend(grounds.families.members_of(&top));
        }
        touched
    }

    /// Those who may be vetoed now and were not before, or the other way round, and those of whom something else is known.
    fn vetoed(&self, grounds: &Grounds, holders: &Mesh) -> BTreeSet<OrgId> {
        let changes = self.changes;
        let subject = |(issuer, subject): &(OrgId, OrgId)| self.heard.contains(issuer).then_some(*subject);
        let mut open: Vec<OrgId> = changes.vetoes.iter().filter_map(subject).collect();
        for top in spread(holders, &self.holding) {
            let members = grounds.families.members_of(&top);
            open.extend(members.iter().flat_map(|org| meant_by(grounds, org)));
        }
        for org in &changes.orgs {
            open.push(*org);
            open.extend(meant_by(grounds, org));
        }
        let mut met = BTreeSet::new();
        while let Some(org) = open.pop() {
            for org in grounds.families.below(&org) {
                if met.insert(org) && may_veto(grounds, holders, &org) {
                    open.extend(meant_by(grounds, &org));
                }
            }
        }
        met
    }
}

/// The issuers of changed vetoes who may veto in some scope.
fn heard(grounds: &Grounds, holders: &Mesh, changes: &Changes) -> BTreeSet<OrgId> {
    let issuers = changes.vetoes.iter().map(|(issuer, _)| *issuer);
    issuers.filter(|issuer| may_veto(grounds, holders, issuer)).collect()
}

fn may_veto(grounds: &Grounds, holders: &Mesh, issuer: &OrgId) -> bool {
    *issuer == grounds.own || holders.stands(&grounds.families.top_of(issuer)) >= ENOUGH
}

/// Against whom an organisation has vetoes.
fn meant_by(grounds: &Grounds, issuer: &OrgId) -> Vec<OrgId> {
    let vetoes = grounds.vetoes.get(issuer).into_iter().flat_map(BTreeMap::keys);
    vetoes.map(|(subject, _)| *subject).collect()
}

fn raise(seeds: &mut Seeds, more: impl IntoIterator<Item = (OrgId, u8)>) {
    for (org, left) in more {
        let most = seeds.entry(org).or_insert(left);
        *most = left.max(*most);
    }
}

/// Where something said between these nodes arrives in a graph, if anything of it can.
fn seeds(mesh: &Mesh, pairs: &BTreeSet<Pair>) -> Seeds {
    let mut seeds = Seeds::new();
    for (from, to) in pairs {
        let Mesh { graph, standing } = mesh;
        let source = from.map_or(Some(ROOT), |from| graph.index_of(&from));
        let Some((source, target)) = source.zip(graph.index_of(to)) else {
            continue;
        };
        let before = standing.max_remaining(source).and_then(|left| left.checked_sub(1));
        let depth = graph.between(source, target).iter().map(|arc| arc.depth).max();
        let left = before.zip(depth).map(|(before, depth)| before.min(depth));
        raise(&mut seeds, left.map(|left| (*to, left)));
    }
    seeds
}

/// Everybody who is reached from the seeds.
fn spread(mesh: &Mesh, seeds: &Seeds) -> BTreeSet<OrgId> {
    let graph = &mesh.graph;
    let mut open: BTreeSet<(u8, u32)> = BTreeSet::new();
    let starts = seeds
        .iter()
        .filter_map(|(org, left)| Some((*left, graph.index_of(org)?)));
    open.extend(starts);
    let mut met = BTreeSet::new();
    // Those with the most introductions left come first, so that nobody is met a second time with more.
    while let Some((left, node)) = open.pop_last() {
        if !met.insert(node) {
            continue;
        }
        let Some(further) = left.checked_sub(1) else { continue };
        let arcs = graph.out(node).iter().filter(|arc| !met.contains(&arc.node));
        open.extend(arcs.map(|arc| (further.min(arc.depth), arc.node)));
    }
    met.iter().filter_map(|node| graph.org(*node)).collect()
}
