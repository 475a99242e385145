//! What honest nodes felt of each adversary and each partition, and what they turned away: [`Felt`]. A run in which an adversary
//! did nothing shows by it that it proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use starfish_node::mesh::{CloseReason, Event};
use starfish_protocol::{
    engine::port::{self, DisconnectReason},
    record::RecordId,
};

use super::{
    carrying::Sent,
    watching::{Held, held},
};
use crate::{
    network::{
        Count,
        kinds::{BODIES, COMPARISONS, GOSSIP},
    },
    report::Trouble,
    scenario::{
        Scenario,
        placing::{Place, of_scheme},
        written::AdversaryKind,
    },
    world::{World, chronicle::What},
};

/// Why an honest node turned something away, if that is what it says here.
pub(super) fn turned_away(event: &Event) -> Option<&'static str> {
    match event {
        Event::Bounded(what) | Event::Engine(port::Event::Bounded(what)) => Some(what),
        Event::Engine(port::Event::Faulted { .. }) => Some("provable faults"),
        Event::Engine(port::Event::ForkProven(_)) => Some("authors of two histories"),
        Event::Engine(port::Event::Spoiled(_)) => Some("bodies that cannot be opened"),
        Event::Closed { reason, .. } => match reason {
            CloseReason::Flooding => Some("peers that gossiped too much"),
            CloseReason::Engine(DisconnectReason::Misbehaved) => Some("peers with too many faults"),
            CloseReason::Engine(DisconnectReason::GuestsFull) => Some("guests beyond the room for them"),
            CloseReason::Engine(DisconnectReason::Blocked | DisconnectReason::Distrusted) => {
                Some("peers without a right to be here")
            }
            _ => None,
        },
        _ => None,
    }
}

/// Hears of what adversaries publish and of what honest nodes turn away.
#[derive(Debug, Default)]
pub(super) struct Felt {
    /// What each adversary has published, votes among it.
    records: BTreeMap<usize, Vec<RecordId>>,
    reasons: BTreeMap<&'static str, u64>,
}

impl Felt {
    /// These records of an adversary are durable at it.
    pub(super) fn published(&mut self, adversary: usize, records: &[RecordId]) {
        self.records.entry(adversary).or_default().extend(records);
    }

    /// An honest node says this.
    pub(super) fn heard(&mut self, what: &What) {
        if let What::Mesh(event) = what
            && let Some(reason) = turned_away(event)
        {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }

    /// What honest nodes turned away, by the reason.
    pub(super) fn turned_away(&self, world: &World) -> BTreeMap<String, u64> {
        let scored = (
            "neighbours with a gossip score below zero",
            world.scored_below_zero() as u64,
        );
        let reasons = self.reasons.iter().map(|(reason, count)| (*reason, *count));
        let all = reasons.chain([scored]).filter(|(_, count)| *count > 0);
        all.map(|(reason, count)| (reason.to_owned(), count)).collect()
    }

    /// What was felt of every section; `waited` says how many bodies waited for the end of each partition.
    pub(super) fn troubles(&self, looked: Looked<'_>, waited: &[u64]) -> Vec<Trouble> {
        let written = &looked.scenario.written;
        let adversaries = written.adversary.iter().map(|(name, adversary)| {
            let (counts, count) = felt(adversary.kind);
            let nodes = of_scheme(looked.places, name).into_iter();
            Trouble {
                section: format!("adversary.{name}"),
                felt: nodes.map(|node| count(self, looked, node as usize)).sum(),
                counts: counts.to_owned(),
            }
        });
        let partitions = written.partition.keys().zip(waited);
        let partitions = partitions.map(|(name, waited)| Trouble {
            section: format!("partition.{name}"),
            felt: *waited,
            counts: "bodies that were published while it lasted and arrived after its end".to_owned(),
        });
        adversaries.chain(partitions).collect()
    }

    /// Of every pair of an honest node and a record of this adversary: how many are like this.
    fn pairs(&self, looked: Looked<'_>, adversary: usize, wanted: fn(Held) -> bool) -> u64 {
        let honest = || (0..looked.places.len()).filter(|node| looked.is_honest(*node));
        let records = self.records.get(&adversary).into_iter().flatten();
        let pairs = records.flat_map(|record| honest().map(move |node| (node, record)));
        pairs
            .filter(|(node, record)| wanted(held(looked.world, *node, record)))
            .count() as u64
    }
}

/// What is looked at in the end.
#[derive(Clone, Copy)]
pub(super) struct Looked<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) places: &'a [Place],
    pub(super) world: &'a World,
    pub(super) sent: &'a Sent,
    /// The last record of each author while it was honest.
    pub(super) reports: &'a [RecordId],
}

impl Looked<'_> {
    fn is_honest(&self, node: usize) -> bool {
        self.places[node].adversary.is_none()
    }

    /// Questions of honest nodes to a censor; none when there is nothing that it keeps to itself.
    fn denied(&self, censor: usize) -> u64 {
        let hides = |record| held(self.world, censor, record) == Held::Unbelieved;
        let asked = total(self.sent.said_by_honest(censor), &[BODIES, COMPARISONS], |count| {
            count.opened
        });
        if self.reports.iter().any(hides) { asked } else { 0 }
    }

    /// Requests of honest nodes for bodies to which a withholder said nothing.
    fn unanswered(&self, withholder: usize) -> u64 {
        let asked = total(self.sent.said_by_honest(withholder), &[BODIES], |count| count.opened);
        let answered = total(self.sent.said_to_honest(withholder), &[BODIES], |count| count.answered);
        asked.saturating_sub(answered)
    }

    /// Connections between a node and its victims at the end; none when it has one to anybody else who is honest.
    fn surrounding(&self, node: usize) -> u64 {
        let connected = self.world.network().connected().into_iter();
        let others = connected.filter_map(|ends| match ends {
            (one, other) if one == node => Some(other),
            (one, other) if other == node => Some(one),
            _ => None,
        });
        let others: BTreeSet<usize> = others.filter(|other| self.is_honest(*other)).collect();
        let is_victim = |other: &usize| self.places[node].dials.contains(&(*other as u32));
        if others.iter().all(is_victim) {
            others.len() as u64
        } else {
            0
        }
    }
}

/// What is counted of an adversary of this kind, in words, and how.
type Counting = (&'static str, fn(&Felt, Looked<'_>, usize) -> u64);

fn felt(kind: AdversaryKind) -> Counting {
    use AdversaryKind::{
        Censor, Colluder, Eavesdropper, Eclipse, Equivocator, Flooder, GraftSpammer, IhaveSpammer, Poisoner, Replayer,
        Sleeper, Sybil, Thief, Withholder,
    };
    match kind {
        Withholder => (
            "requests of honest nodes for bodies that got no answer",
            |_, looked, node| looked.unanswered(node),
        ),
        Censor => (
            "questions of honest nodes for what it kept to itself",
            |_, looked, node| looked.denied(node),
        ),
        Eclipse => ("connections to victims and to nobody else", |_, looked, node| {
            looked.surrounding(node)
        }),
        Eavesdropper => ("questions to honest nodes", |_, looked, node| {
            total(looked.sent.said_to_honest(node), &[BODIES, COMPARISONS], |count| {
                count.opened
            })
        }),
        Equivocator | GraftSpammer | IhaveSpammer | Replayer => ("frames to honest nodes", |_, looked, node| {
            total(looked.sent.said_to_honest(node), &[GOSSIP], |count| count.writes)
        }),
        Colluder => ("votes that an honest node believes", |felt, looked, node| {
            felt.pairs(looked, node, |held| held == Held::Believed)
        }),
        Flooder | Poisoner | Sleeper | Sybil | Thief => ("records that an honest node holds", |felt, looked, node| {
            felt.pairs(looked, node, |held| held != Held::Not)
        }),
    }
}

fn total(said: BTreeMap<&str, Count>, kinds: &[&str], of: fn(&Count) -> u64) -> u64 {
    kinds.iter().filter_map(|kind| said.get(kind)).map(of).sum()
}
