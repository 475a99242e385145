//! What a node acknowledged is not lost: its own records never while its journal is there, everything else as long as the disk
//! does not lie, and then no more than the flushes that it lied about. A body goes when the rules of the ledger let it.

use std::collections::{BTreeMap, BTreeSet};

use starfish_node::{
    ledger::{
        Ledger, Options,
        catalogue::{Card, State},
    },
    mesh::Event,
};
use starfish_protocol::{engine::port, limits, record::RecordId, time::Millis};

use crate::{
    storage::{Damage, Disk},
    world::{
        ended::{broken, invariant},
        residents::Resident,
    },
};

/// A quarantine of so many bytes may be over its budget once more is written: it is emptied to fifteen sixteenths of that.
const FULL: u64 = limits::QUARANTINE_BYTES / 8 * 7;

/// By which flush of the disk the header of a record, and its body, were durable at the latest.
#[derive(Clone, Copy, Debug)]
struct Flushes {
    header: u64,
    body: Option<u64>,
}

/// What one node has said is durable.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    durable: BTreeMap<RecordId, Flushes>,
    /// What it has published: the journal keeps it when the store is lost.
    own: BTreeSet<RecordId>,
    /// Whether it ever lost anything, which others may have from it.
    has_lost: bool,
    /// Whether its quarantine ever had no room.
    was_full: bool,
}

impl Kept {
    pub(super) fn published(&mut self, records: &[RecordId]) {
        self.own.extend(records);
    }

    pub(super) fn note(&mut self, event: &Event, resident: &Resident) {
        let (id, has_body) = match event {
            Event::Engine(port::Event::Stored(id)) => (id, false),
            Event::Engine(port::Event::BodyStored(id)) => (id, true),
            _ => return,
        };
        let now = resident.drawer.flushes();
        let flushes = self.durable.entry(*id).or_insert(Flushes {
            header: now,
            body: None,
        });
        if has_body {
            flushes.body.get_or_insert(now);
        }
    }

    /// It crashed, and its disk has taken this damage.
    pub(super) fn damaged(&mut self, damage: Damage, resident: &Resident) {
        let left = resident.drawer.flushes();
        self.durable.retain(|_, flushes| flushes.header <= left);
        for flushes in self.durable.values_mut() {
            flushes.body = flushes.body.filter(|flush| *flush <= left);
        }
        self.has_lost |= damage != Damage::None;
        if damage == Damage::AllLost {
            self.own.clear();
        }
    }

    /// Its quarantine holds so many bytes.
    pub(super) fn holds(&mut self, bytes: u64) {
        self.was_full |= bytes >= FULL;
    }

    /// Everything that it said of records that are durable.
    pub(super) fn records(&self) -> impl Iterator<Item = &RecordId> {
        self.durable.keys()
    }

    /// Whether others may have this record from it.
    pub(super) fn may_have_told(&self, id: &RecordId) -> bool {
        self.has_lost || self.durable.contains_key(id) || self.own.contains(id)
    }

    pub(super) fn check(&self, node: usize, ledger: &Ledger<Disk>, wall: Millis) {
        let own = self.own.iter().map(|id| (id, true));
        let all = self.durable.iter().map(|(id, flushes)| (id, flushes.body.is_some()));
        for (record, has_body) in all.chain(own) {
            let card = ledger.card_of(record).expect("memory does not fail");
            let Some((_, card)) = card else {
                broken(format!("node {node} acknowledged record {record} and has lost it"));
            };
            invariant!(
                !has_body || self.has_body(&card, ledger, wall),
                "node {node} acknowledged the body of record {record} and has lost it: it is {:?}",
                card.state
            );
        }
    }

    /// Whether the body of a record can be read, or has left when it was to.
    fn has_body(&self, card: &Card, ledger: &Ledger<Disk>, wall: Millis) -> bool {
        let is_past = |since: Millis, length: Millis| since.0.saturating_add(length.0) <= wall.0;
        let is_withdrawn = card.withdrawn == card.items && !card.withheld;
        match card.state {
            State::Bare => true,
            State::Present => ledger.body_of(&card.id).is_ok_and(|body| body.is_some()),
            State::Waiting | State::Spoiled => false,
            State::Dropped => !card.believed && (self.was_full || is_past(card.received_at, limits::QUARANTINE_AGE)),
            State::Expired => card.expires_at <= wall,
            State::Purged => {
                let since = card.withdrawn_at.filter(|_| is_withdrawn);
                since.is_some_and(|since| is_past(since, Options::default().grace))
            }
        }
    }
}
