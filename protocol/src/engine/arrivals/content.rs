//! Bodies that come in: pushed by their publisher, or in answer to a request of ours. Each is opened off the event loop, and
//! only then its content counts.

use starfish_crypto::{Digest, Verified};

use crate::{
    limits,
    peer::Peer,
    record::{BodyFault, Header, RecordId},
};

use super::{
    super::{
        Engine,
        logs::Place,
        port::{Change, Event, Output, Ticket},
    },
    Opened,
};

impl Engine {
    pub(super) fn want_body(&mut self, header: &Verified<Header>, peer: &Peer) {
        if !self.may_want(header) {
            return self.missing.look_through();
        }
        let steps = self.bodies.want(header, peer.clone(), self.now.mono);
        self.carry_out(steps);
    }

    /// The same body may stand behind other records, which are waiting for it. Where it has come already, it is being opened
    /// for them, or they look into the store for it afterwards.
    pub(super) fn open_others(&mut self, header: &Verified<Header>, compressed: Vec<u8>, peer: &Peer) {
        let digest = header.body_digest;
        if self.bodies.seeks(&digest) {
            let steps = self.bodies.arrived(digest, self.now.mono);
            self.carry_out(steps);
            self.open(Some(peer), digest, &compressed, Some(RecordId::of(header)));
        }
    }

    /// Has a body, of a peer or of the own store, opened for every record that waits for it, but one.
    pub(in crate::engine) fn open(
        &mut self,
        peer: Option<&Peer>,
        digest: Digest,
        compressed: &[u8],
        but: Option<RecordId>,
    ) {
        for header in self.bodies.headers(&digest) {
            let record = RecordId::of(&header);
            if Some(record) != but {
                let ticket = self.ticket();
                self.opening.insert(ticket, (peer.cloned(), digest, record));
                self.out.push(Output::Open {
                    ticket,
                    header,
                    compressed: compressed.to_vec(),
                });
            }
        }
    }

    /// A body that came with its header from its publisher.
    pub(in crate::engine) fn pushed(&mut self, header: Verified<Header>, body: Option<Opened>, peer: &Peer) {
        match self.place_in_log(&header) {
            Place::Known => {}
            // One that overtook the gossip before it is left to the gossip: held here, its own message would be a repeat
            // that goes on to nobody, and if it is the last one, nobody further on would know that something is missing.
            Place::Ahead | Place::Waiting | Place::Crowded | Place::TooFar => return,
            _ => {
                self.arrive(header, body, peer, true);
                return;
            }
        }
        let (record, digest) = (RecordId::of(&header), header.body_digest);
        // One that has come already is being opened, or on its way to the store.
        let Some(opened) = body.filter(|_| self.bodies.seeks(&digest)) else {
            return;
        };
        let waits = self
            .bodies
            .headers(&digest)
            .iter()
            .any(|held| RecordId::of(held) == record);
        let steps = self.bodies.arrived(digest, self.now.mono);
        self.carry_out(steps);
        self.open(Some(peer), digest, &opened.0, Some(record));
        if waits {
            self.store_body(record, digest, opened);
        }
    }

    fn store_body(&mut self, record: RecordId, digest: Digest, (compressed, body): Opened) {
        self.step.bodies.push((record, digest));
        let received_at = self.now.wall;
        self.step.changes.push(Change::Body {
            record,
            compressed,
            body,
            received_at,
        });
    }

    /// A body that matches its digest was opened: only now its content counts.
    pub(in crate::engine) fn opened(&mut self, ticket: Ticket, body: Result<Opened, BodyFault>) {
        let Some((peer, digest, record)) = self.opening.remove(&ticket) else {
            return;
        };
        match body {
            Ok(opened) => self.store_body(record, digest, opened),
            Err(BodyFault::Digest) => {
                let steps = self.bodies.mistaken(digest, peer, self.now.mono);
                self.carry_out(steps);
            }
            // The bytes are the author's own: whoever passed them on did as promised.
            Err(_) => self.spoil(digest, record),
        }
    }

    fn spoil(&mut self, digest: Digest, record: RecordId) {
        if self.spoiled.len() >= limits::SPOILED {
            self.spoiled.pop_first();
        }
        self.spoiled.insert(record);
        self.step.changes.push(Change::Spoiled(record));
        self.out.push(Output::Event(Event::Spoiled(record)));
        let steps = self.bodies.spoiled(digest, record, self.now.mono);
        self.carry_out(steps);
    }
}
