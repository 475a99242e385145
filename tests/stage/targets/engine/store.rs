//! What is durable: the simplest store that can answer every query.

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::{Digest, Signed, Strict, Verified};
use starfish_protocol::{
    codec,
    engine::port::{Change, Found, Query},
    organisation::OrgId,
    record::{Body, Header, LogId, RecordId},
    wire::{GOSSIP_BYTES, Gossip},
};

/// A stored record: its header, its organisation, and its body when that is here.
type Held = (Verified<Header>, Option<OrgId>, Option<Body>);

/// Records and bodies.
#[derive(Default)]
pub(super) struct Store {
    logs: BTreeMap<LogId, BTreeMap<u64, Signed>>,
    records: BTreeMap<RecordId, Held>,
    bodies: BTreeMap<Digest, Vec<u8>>,
    spoiled: BTreeSet<RecordId>,
}

impl Store {
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Record { header, org, body, .. } => {
                let log = self.logs.entry(header.log()).or_default();
                let next = log.last_key_value().map_or(0, |(seq, _)| seq + 1);
                assert_eq!(header.seq, next, "a log has a hole");
                log.insert(header.seq, header.signed().clone());
                let body = body.map(|(compressed, body)| {
                    self.bodies.insert(header.body_digest, compressed);
                    body
                });
                self.records.insert(RecordId::of(&header), (header, org, body));
            }
            Change::Body {
                record,
                compressed,
                body,
                ..
            } => {
                let held = self.records.get_mut(&record).expect("a body comes after its record");
                self.bodies.insert(held.0.body_digest, compressed);
                held.2 = Some(body);
            }
            Change::Spoiled(record) => {
                self.spoiled.insert(record);
            }
            _ => {}
        }
    }

    pub(super) fn find(&self, query: &Query) -> Found {
        match query {
            Query::Headers { log, from, limit } => {
                let headers = self.logs.get(log).into_iter().flat_map(|log| log.range(from..));
                Found::Headers(headers.take(*limit).map(|(_, header)| header.clone()).collect())
            }
            Query::Body { digest, .. } => Found::Body(self.bodies.get(digest).cloned()),
            Query::Record(record) => Found::Record(self.records.get(record).cloned()),
            Query::Missing { after, limit } => {
                let rest = self.records.iter().filter(|(id, held)| {
                    after.is_none_or(|after| **id > after) && held.2.is_none() && !self.spoiled.contains(id)
                });
                Found::Missing(rest.take(*limit).map(|(_, held)| held.0.clone()).collect())
            }
        }
    }

    pub(super) fn holds(&self, record: &RecordId) -> bool {
        self.records.contains_key(record)
    }

    /// A record of the store; an unknown one when it is empty.
    pub(super) fn some_record(&self, which: u8) -> RecordId {
        let nth = usize::from(which) % self.records.len().max(1);
        self.records
            .keys()
            .nth(nth)
            .copied()
            .unwrap_or(RecordId::from_digest(Digest::ZERO))
    }

    /// A header that is sent in a range must be in the store.
    pub(super) fn expect_held(&self, header: &Signed) {
        let header = header.clone().verify::<Header>(&Strict).expect("what is sent verifies");
        assert!(self.holds(&RecordId::of(&header)), "sent before it was durable");
    }

    /// The same for a header that is published.
    pub(super) fn expect_durable(&self, payload: &[u8]) {
        match codec::decode(payload, GOSSIP_BYTES) {
            Ok(Gossip::Header { header, .. }) => self.expect_held(&header),
            other => panic!("not a header on the CLEAR mesh: {other:?}"),
        }
    }
}
