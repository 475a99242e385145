//! The network that is filled: each organisation is two nodes with its capacity between them, and behind the organisations
//! asked about lie their supplies, the origins that they share, and the sink.
//!
//! Links are kept in pairs, forth and back: link `n ^ 1` is the other direction of link `n`, and has what the first carries.

use std::collections::{BTreeMap, VecDeque};

use starfish_crypto::Digest;

use super::{Gathered, Limit, Path, Supply};
use crate::{organisation::OrgId, statement::FULL, trust::graph::Graph};

/// Why filling ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing more fits: there is a cut.
    Full,
    /// Enough arrived, and more would have.
    Saturated,
    /// There was no more work to spend.
    OutOfWork,
}

#[derive(Debug)]
struct Link {
    to: u32,
    room: u32,
}

pub(super) struct Network {
    links: Vec<Link>,
    /// What each link forth had room for at first, and what to say where it is the limit.
    limits: Vec<(u32, Option<Limit>)>,
    /// The links at each node, in the order in which they are tried.
    at: Vec<Vec<u32>>,
    /// Whose word a node is when a path goes into it.
    orgs: Vec<Option<OrgId>>,
    source: u32,
}

/// The node where everything arrives.
const SINK: u32 = 0;

impl Network {
    /// The network of what was gathered. The places of the targets come first in it.
    pub(super) fn new(graph: &Graph, gathered: &Gathered, targets: &[(u32, Supply)]) -> Self {
        let nodes = 1 + 2 * gathered.nodes.len();
        let mut network = Self {
            links: Vec::new(),
            limits: Vec::new(),
            at: vec![Vec::new(); nodes],
            orgs: vec![None; nodes],
            // Without a way from the root, any node without links into it serves: nothing arrives from there.
            source: gathered.root.map_or(SINK, out_of),
        };
        network.link_supplies(graph, targets);
        network.link_organisations(graph, gathered);
        network.link_endorsements(graph, gathered);
        network
    }

    /// Supplies come first at their organisations, because a path that can end there should.
    fn link_supplies(&mut self, graph: &Graph, targets: &[(u32, Supply)]) {
        let mut origins: BTreeMap<Digest, (u32, u32)> = BTreeMap::new();
        for (place, (node, supply)) in (0..).zip(targets) {
            let Some(org) = graph.org(*node) else { continue };
            let amount = supply.amount;
            let target = match supply.origin {
                None => SINK,
                Some(origin) => {
                    let shared = origins.entry(origin).or_insert_with(|| (self.add_node(), 0));
                    shared.1 = shared.1.max(amount);
                    shared.0
                }
            };
            self.link(out_of(place), target, amount, Some(Limit::Supply { org, amount }));
        }
        for (origin, (node, amount)) in origins {
            self.link(node, SINK, amount, Some(Limit::Origin { origin, amount }));
        }
    }

    fn link_organisations(&mut self, graph: &Graph, gathered: &Gathered) {
        for (place, node) in (0..).zip(&gathered.nodes) {
            let Some(org) = graph.org(*node) else { continue };
            let limit = Some(Limit::Organisation(org));
            self.link(into(place), out_of(place), u32::from(FULL), limit);
            if let Some(slot) = self.orgs.get_mut(into(place) as usize) {
                *slot = Some(org);
            }
        }
    }

    /// The endorsements at each issuer in the order of their subjects.
    fn link_endorsements(&mut self, graph: &Graph, gathered: &Gathered) {
        let mut places: Vec<u32> = (0..gathered.nodes.len() as u32).collect();
        let node = |place: u32| gathered.nodes.get(place as usize).copied();
        let org = |place: u32| node(place).and_then(|node| graph.org(node));
        places.sort_unstable_by_key(|place| org(*place));
        for place in places {
            let Some(to) = org(place) else { continue };
            for (from, amount) in gathered.into.get(place as usize).into_iter().flatten() {
                let limit = Limit::Endorsement {
                    from: org(*from),
                    to,
                    amount: *amount,
                };
                self.link(out_of(*from), into(place), *amount, Some(limit));
            }
        }
    }

    fn add_node(&mut self) -> u32 {
        self.at.push(Vec::new());
        self.orgs.push(None);
        self.at.len() as u32 - 1
    }

    fn link(&mut self, from: u32, to: u32, room: u32, limit: Option<Limit>) {
        for (node, to, room) in [(from, to, room), (to, from, 0)] {
            if let Some(at) = self.at.get_mut(node as usize) {
                at.push(self.links.len() as u32);
            }
            self.links.push(Link { to, room });
        }
        self.limits.push((room, limit));
    }

    /// Fills the network up to a value, one shortest path after the other.
    pub(super) fn fill(&mut self, saturation: u32, work: usize) -> (u32, End) {
        let mut value = 0;
        let mut left = work;
        if self.source == SINK {
            return (0, End::Full);
        }
        loop {
            let Some(before) = self.search(&mut left) else {
                return (value, End::OutOfWork);
            };
            if before.get(SINK as usize).copied().flatten().is_none() {
                return (value, End::Full);
            }
            if value == saturation {
                return (value, End::Saturated);
            }
            value += self.augment(&before, saturation - value);
        }
    }

    /// By which link each node is reached first from the source; nothing when there was not enough work left.
    fn search(&self, left: &mut usize) -> Option<Vec<Option<u32>>> {
        let mut before = vec![None; self.at.len()];
        let mut queue = VecDeque::from([self.source]);
        while let Some(node) = queue.pop_front() {
            let links = self.links_at(node);
            *left = left.checked_sub(links.len())?;
            for number in links {
                let Some(link) = self.links.get(*number as usize) else {
                    continue;
                };
                let Some(slot) = before.get_mut(link.to as usize) else {
                    continue;
                };
                if link.room > 0 && slot.is_none() && link.to != self.source {
                    *slot = Some(*number);
                    queue.push_back(link.to);
                }
            }
            if before.get(SINK as usize).copied().flatten().is_some() {
                break;
            }
        }
        Some(before)
    }

    fn links_at(&self, node: u32) -> &[u32] {
        self.at.get(node as usize).map_or(&[], Vec::as_slice)
    }

    /// Sends what fits along the path that was found.
    fn augment(&mut self, before: &[Option<u32>], most: u32) -> u32 {
        let mut path = Vec::new();
        let mut node = SINK;
        while let Some(number) = before.get(node as usize).copied().flatten() {
            path.push(number);
            node = self.to(number ^ 1);
        }
        let room = path.iter().map(|number| self.room(*number)).min();
        let amount = room.unwrap_or(0).min(most);
        for number in path {
            self.send(number, amount);
        }
        amount
    }

    fn to(&self, number: u32) -> u32 {
        self.links.get(number as usize).map_or(SINK, |link| link.to)
    }

    fn room(&self, number: u32) -> u32 {
        self.links.get(number as usize).map_or(0, |link| link.room)
    }

    /// Moves room from a link to its other direction.
    fn send(&mut self, number: u32, amount: u32) {
        if let Some(link) = self.links.get_mut(number as usize) {
            link.room = link.room.saturating_sub(amount);
        }
        if let Some(back) = self.links.get_mut((number ^ 1) as usize) {
            back.room = back.room.saturating_add(amount);
        }
    }

    /// What leaves the nodes that can still be reached: the cut next to the source, the same for every largest flow.
    pub(super) fn cut(&self) -> Vec<Limit> {
        let mut unbounded = usize::MAX;
        let before = self.search(&mut unbounded).unwrap_or_default();
        let reached = |node: u32| node == self.source || before.get(node as usize).copied().flatten().is_some();
        let mut cut: Vec<Limit> = self
            .limits
            .iter()
            .zip((0..).step_by(2))
            .filter(|((room, _), number)| *room > 0 && reached(self.to(number ^ 1)) && !reached(self.to(*number)))
            .filter_map(|((_, limit), _)| limit.clone())
            .collect();
        cut.sort_unstable();
        cut
    }

    /// Takes the flow apart into paths, each the first that is left.
    pub(super) fn paths(mut self) -> Vec<Path> {
        let mut paths = Vec::new();
        while let Some(path) = self.take_path() {
            paths.push(path);
        }
        paths
    }

    /// The first path that carries anything, taken out. What goes round in a circle arrives nowhere and is dropped.
    fn take_path(&mut self) -> Option<Path> {
        let mut steps: Vec<u32> = Vec::new();
        let mut node = self.source;
        while node != SINK {
            let number = self.carrying(node)?;
            steps.push(number);
            node = self.to(number);
            if let Some(start) = steps.iter().position(|step| self.to(step ^ 1) == node) {
                let circle = steps.split_off(start);
                self.take(&circle);
            }
        }
        let orgs = steps.iter().filter_map(|step| self.org(self.to(*step))).collect();
        let amount = self.take(&steps);
        (amount > 0).then_some(Path { orgs, amount })
    }

    /// The first link forth at a node that carries something.
    fn carrying(&self, node: u32) -> Option<u32> {
        let forth = |number: &&u32| number.is_multiple_of(2);
        let carries = |number: &&u32| self.room(**number ^ 1) > 0;
        self.links_at(node).iter().filter(forth).find(carries).copied()
    }

    fn take(&mut self, steps: &[u32]) -> u32 {
        let amount = steps.iter().map(|step| self.room(step ^ 1)).min().unwrap_or(0);
        for step in steps {
            self.send(step ^ 1, amount);
        }
        amount
    }

    fn org(&self, node: u32) -> Option<OrgId> {
        self.orgs.get(node as usize).copied().flatten()
    }
}

/// Where trust comes into an organisation.
fn into(place: u32) -> u32 {
    1 + 2 * place
}

/// Where it goes out of it.
fn out_of(place: u32) -> u32 {
    2 + 2 * place
}
