//! What a node acknowledged is not lost: its own records never while its journal is there, everything else as long as the disk
//! does not lie, and then no more than the flushes that it lied about.

use std::collections::{BTreeMap, BTreeSet};

use starfish_node::{
    ledger::{Ledger, catalogue::State},
    mesh::Event,
};
use starfish_protocol::{engine::port, record::RecordId};

use crate::{
    storage::{Damage, Disk},
    world::{
        ended::{broken, invariant},
        residents::Resident,
    },
};

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

    /// Everything that it said of records that are durable.
    pub(super) fn records(&self) -> impl Iterator<Item = &RecordId> {
        self.durable.keys()
    }

    /// Whether others may have this record from it.
    pub(super) fn may_have_told(&self, id: &RecordId) -> bool {
        self.has_lost || self.durable.contains_key(id) || self.own.contains(id)
    }

    pub(super) fn check(&self, node: usize, ledger: &Ledger<Disk>) {
        let own = self.own.iter().map(|id| (id, true));
        let all = self.durable.iter().map(|(id, flushes)| (id, flushes.body.is_some()));
        for (record, has_body) in all.chain(own) {
            let card = ledger.card_of(record).expect("memory does not fail");
            let Some((_, card)) = card else {
                broken(format!("node {node} acknowledged record {record} and has lost it"));
            };
            invariant!(
                !has_body || card.state != State::Waiting,
                "node {node} acknowledged the body of record {record} and has lost it"
            );
        }
    }
}
