//! The network that is filled: each organisation is two nodes with its capacity between them, and behind the organisations
//! asked about lie their supplies, the origins that they share, and the sink.
//!
//! Links are kept in pairs, forth and back: link `n ^ 1` is the other direction of link `n`, and has what the first carries.

use std::collections::BTreeMap;

use starfish_crypto::Digest;

mod filling;

use self::filling::Steps;
use super::{
    Limit, Path, Supply,
    gathering::{Gathered, Said},
};
use crate::{organisation::OrgId, statement::FULL, trust::graph::Graph};

#[derive(Debug)]
struct Link {
    to: u32,
    room: u32,
}

pub(super) struct Network<'a> {
    graph: &'a Graph,
    gathered: &'a Gathered,
    links: Vec<Link>,
    /// The links at each node, in the order in which they are tried: those of one node behind those of the one before.
    at: Vec<u32>,
    /// Where the links of each node begin in `at`, and in the end where the last ones end.
    starts: Vec<u32>,
    /// The origins, whose nodes come behind those of the organisations.
    origins: Vec<Digest>,
    source: u32,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Sink,
    /// Where trust comes into a place.
    Into(u32),
    /// Where it goes out of it.
    OutOf(u32),
    Origin(Digest),
}

/// The node where everything arrives.
const SINK: u32 = 0;

impl<'a> Network<'a> {
    /// The network of what was gathered. The places of the targets come first in it.
    pub(super) fn new(graph: &'a Graph, gathered: &'a Gathered, targets: &[(u32, Supply)]) -> Self {
        let mut network = Self {
            graph,
            gathered,
            links: Vec::with_capacity(2 * (targets.len() + gathered.nodes.len() + gathered.said.len())),
            at: Vec::new(),
            starts: Vec::new(),
            origins: Vec::new(),
            // Without a way from the root, any node without links into it serves: nothing arrives from there.
            source: gathered.root.map_or(SINK, out_of),
        };
        network.link_supplies(targets);
        network.link_organisations();
        for Said { from, to, amount } in &gathered.said {
            network.link(out_of(*from), into(*to), *amount);
        }
        network.sort();
        network
    }

    /// Supplies come first at their organisations, because a path that can end there should.
    fn link_supplies(&mut self, targets: &[(u32, Supply)]) {
        let first = self.first_origin();
        let mut origins: BTreeMap<Digest, (u32, u32)> = BTreeMap::new();
        for (place, (_, supply)) in (0..).zip(targets) {
            let target = match supply.origin {
                None => SINK,
                Some(origin) => {
                    let shared = origins.entry(origin).or_insert_with(|| {
                        self.origins.push(origin);
                        (first + self.origins.len() as u32 - 1, 0)
                    });
                    shared.1 = shared.1.max(supply.amount);
                    shared.0
                }
            };
            self.link(out_of(place), target, supply.amount);
        }
        for (node, amount) in origins.into_values() {
            self.link(node, SINK, amount);
        }
    }

    fn link_organisations(&mut self) {
        for place in 0..self.gathered.nodes.len() as u32 {
            if self.org(place).is_some() {
                self.link(into(place), out_of(place), u32::from(FULL));
            }
        }
    }

    fn link(&mut self, from: u32, to: u32, room: u32) {
        self.links.push(Link { to, room });
        self.links.push(Link { to: from, room: 0 });
    }

    /// Lays the links out by the node where they begin; those of one node stay in the order in which they were added.
    fn sort(&mut self) {
        let mut places = vec![0; self.nodes() + 1];
        for number in 0..self.links.len() as u32 {
            if let Some(count) = places.get_mut(self.to(number ^ 1) as usize) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for place in &mut places {
            sum += *place;
            *place = sum;
        }
        // Each node's part is filled from its end, so that what is left in the end is where it begins.
        let mut at = vec![0; self.links.len()];
        for number in (0..self.links.len() as u32).rev() {
            if let Some(place) = places.get_mut(self.to(number ^ 1) as usize) {
                *place -= 1;
                if let Some(slot) = at.get_mut(*place as usize) {
                    *slot = number;
                }
            }
        }
        (self.at, self.starts) = (at, places);
    }

    fn nodes(&self) -> usize {
        self.first_origin() as usize + self.origins.len()
    }

    fn first_origin(&self) -> u32 {
        1 + 2 * self.gathered.nodes.len() as u32
    }

    fn end(&self, node: u32) -> End {
        match node.checked_sub(1) {
            None => End::Sink,
            Some(below) if node < self.first_origin() => {
                if below.is_multiple_of(2) {
                    End::Into(below / 2)
                } else {
                    End::OutOf(below / 2)
                }
            }
            Some(_) => {
                let origin = self.origins.get((node - self.first_origin()) as usize);
                origin.map_or(End::Sink, |origin| End::Origin(*origin))
            }
        }
    }

    /// The organisation of a place; none for the root.
    fn org(&self, place: u32) -> Option<OrgId> {
        let node = self.gathered.nodes.get(place as usize)?;
        self.graph.org(*node)
    }

    fn links_at(&self, node: u32) -> &[u32] {
        let start = |node: u32| self.starts.get(node as usize).map(|place| *place as usize);
        let range = start(node).zip(start(node + 1));
        range.and_then(|(from, to)| self.at.get(from..to)).unwrap_or(&[])
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

    /// What leaves the nodes that can still be reached: the cut next to the source, the same for every largest flow. There
    /// is none while the sink can be reached.
    pub(super) fn cut(&self) -> Vec<Limit> {
        let mut unbounded = usize::MAX;
        let mut found = Steps::default();
        self.find_steps(&mut found, &mut unbounded);
        let reached = |node: u32| found.reach(node);
        if reached(SINK) && self.source != SINK {
            return Vec::new();
        }
        let mut cut: Vec<Limit> = (0..self.links.len() as u32)
            .step_by(2)
            .filter(|number| reached(self.to(number ^ 1)) && !reached(self.to(*number)))
            .filter_map(|number| self.limit(number))
            .collect();
        cut.sort_unstable();
        cut
    }

    /// What to say of a link forth where it is the limit.
    fn limit(&self, number: u32) -> Option<Limit> {
        let amount = self.room(number) + self.room(number ^ 1);
        let limit = match (self.end(self.to(number ^ 1)), self.end(self.to(number))) {
            (End::Into(place), End::OutOf(_)) => Limit::Organisation(self.org(place)?),
            (End::OutOf(from), End::Into(to)) => Limit::Endorsement {
                from: self.org(from),
                to: self.org(to)?,
                amount,
            },
            (End::OutOf(place), _) => Limit::Supply {
                org: self.org(place)?,
                amount,
            },
            (End::Origin(origin), _) => Limit::Origin { origin, amount },
            _ => return None,
        };
        (amount > 0).then_some(limit)
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
        let orgs = steps.iter().filter_map(|step| match self.end(self.to(*step)) {
            End::Into(place) => self.org(place),
            _ => None,
        });
        let orgs = orgs.collect();
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
}

/// Where trust comes into an organisation.
fn into(place: u32) -> u32 {
    1 + 2 * place
}

/// Where it goes out of it.
fn out_of(place: u32) -> u32 {
    2 + 2 * place
}
