//! What counts for one node: the graph of what is said and not taken back, vetoed or pinned, and who stands how high in it
//! ([`View`]).

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use starfish_protocol::{
    organisation::OrgId,
    trust::{
        Pin, Root,
        flow::full_flow,
        graph::{Edge, Graph},
        independence::ENOUGH,
        standing::Standing,
    },
};

use super::{Clock, Facts, Loss, Policy};

/// What counts for one node, at one state of the facts.
#[derive(Debug)]
pub(super) struct View {
    state: (usize, usize),
    graph: Graph,
    standing: Standing,
    /// Those who may be told TLP:GREEN.
    confiding: Graph,
    confided: Standing,
    known: BTreeMap<OrgId, bool>,
}

impl View {
    /// Whether it was made at this state.
    pub(super) fn is_of(&self, state: (usize, usize)) -> bool {
        self.state == state
    }

    /// Whether an organisation may be believed.
    pub(super) fn allows(&mut self, org: OrgId) -> bool {
        let Self { graph, standing, .. } = self;
        *self.known.entry(org).or_insert_with(|| {
            let node = graph.index_of(&org);
            node.is_some_and(|node| full_flow(graph, standing, node).value >= u32::from(ENOUGH))
        })
    }

    /// Whether an organisation may be told TLP:GREEN.
    pub(super) fn confides(&self, org: &OrgId) -> bool {
        let place = self.confiding.index_of(org);
        place.map_or(0, |place| self.confided.of(place)) >= ENOUGH
    }
}

impl Facts {
    /// What counts for a node, at one state of the facts.
    pub(super) fn view(&self, node: usize, state: (usize, usize), clock: Clock) -> View {
        let policy = &self.policies[node];
        let pinned = self.pinned(node, clock);
        let of = |wanted: Pin| {
            pinned
                .iter()
                .filter(move |(_, pin)| **pin == wanted)
                .map(|(org, _)| *org)
        };
        let bad: BTreeSet<OrgId> = of(Pin::Bad).collect();
        let immune: BTreeSet<OrgId> = of(Pin::Good)
            .chain(self.roots_of(policy).map(|root| root.org))
            .collect();
        let holders = self.graph(policy, &bad, clock, |said| said.may_veto);
        let mut without = self.vetoed(policy.own, &holders, &immune, clock);
        without.extend(&bad);
        let graph = self.graph(policy, &without, clock, |_| true);
        let confiding = self.graph(policy, &without, clock, |said| said.receive_green);
        View {
            state,
            standing: Standing::new(&graph),
            graph,
            confided: Standing::new(&confiding),
            confiding,
            known: BTreeMap::new(),
        }
    }

    /// The last pin of each organisation that a node's operator has pinned.
    fn pinned(&self, node: usize, clock: Clock) -> BTreeMap<OrgId, Pin> {
        let mut pinned = self.policies[node].pins.clone();
        for (at, loss) in &self.losses {
            match loss {
                Loss::Pin { node: whose, org, pin } if *whose == node && clock.is_due(*at) => {
                    pinned.insert(*org, *pin);
                }
                _ => {}
            }
        }
        pinned
    }

    /// What is said in this way, but by or of those.
    fn graph(&self, policy: &Policy, without: &BTreeSet<OrgId>, clock: Clock, taken: fn(&Root) -> bool) -> Graph {
        let said = self
            .said
            .iter()
            .filter(|said| said.until.is_none_or(|until| !clock.is_due(until)));
        // What our own organisation says comes from the root.
        let said = said.map(|said| {
            (
                Some(said.issuer).filter(|issuer| *issuer != policy.own),
                said.says.clone(),
            )
        });
        let all = said.chain(self.roots_of(policy).map(|root| (None, root)));
        let counts = |org: &OrgId| !without.contains(org);
        let taken = all.filter(|(from, says)| {
            let known = counts(&says.org) && from.is_none_or(|from| counts(&from));
            known && says.org != policy.own && taken(says)
        });
        Graph::new(taken.map(|(from, says)| Edge {
            from,
            to: says.org,
            amount: says.amount,
            depth: says.depth,
        }))
    }

    fn roots_of<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = Root> + 'a {
        let everybody = self.policies.iter().map(|policy| policy.own);
        let listed = everybody.filter(|org| policy.listed.as_ref().is_none_or(|listed| listed.contains(org)));
        policy.entries.iter().cloned().chain(listed.map(Root::paired))
    }

    /// Those who may veto are heard from the highest standing down, those of one standing together.
    fn vetoed(&self, own: OrgId, holders: &Graph, immune: &BTreeSet<OrgId>, clock: Clock) -> BTreeSet<OrgId> {
        let standing = Standing::new(holders);
        let mut ranks: BTreeMap<Reverse<u8>, Vec<(OrgId, OrgId)>> = BTreeMap::new();
        for (at, loss) in &self.losses {
            let Loss::Veto { issuer, subject } = loss else { continue };
            let stands = holders.index_of(issuer).map_or(0, |node| standing.of(node));
            let stands = if *issuer == own { u8::MAX } else { stands };
            if clock.is_due(*at) && stands >= ENOUGH {
                ranks.entry(Reverse(stands)).or_default().push((*issuer, *subject));
            }
        }
        let mut vetoed = BTreeSet::new();
        for together in ranks.into_values() {
            let heard = together.into_iter().filter(|(issuer, _)| !vetoed.contains(issuer));
            let subjects: Vec<OrgId> = heard.map(|(_, subject)| subject).collect();
            vetoed.extend(subjects.into_iter().filter(|org| !immune.contains(org) && *org != own));
        }
        vetoed
    }
}
