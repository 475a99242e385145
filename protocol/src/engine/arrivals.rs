//! What comes in: headers and bodies, from gossip, from a push, or from a range.
//!
//! Two decisions stay apart: whether a message is forwarded (the `Acceptance`), and whether its record is believed (the
//! verdict that is stored with it). `Reject` is for what is provably false; everything else that is not taken is
//! ignored, so that two honest nodes of differing policy never lower each other's score.

mod charges;
mod forks;
mod statements;
mod strangers;

use starfish_crypto::{Digest, Verified};

use crate::{
    intake::{Fault, OpenGossip},
    limits,
    organisation::OrgId,
    peer::Peer,
    record::{Audience, Body, BodyFault, Header, RecordId, Tlp},
    trust::Verdict,
};

use self::strangers::Stranger;
pub(super) use self::{charges::Charges, strangers::Strangers};
use super::{
    Engine, Reading,
    logs::Place,
    port::{Acceptance, Change, Event, Found, Output, Ticket},
};

/// The compressed bytes of a body, and what they say.
type Opened = (Vec<u8>, Body);

impl Engine {
    pub(super) fn gossip(&mut self, peer: Peer, message: Vec<u8>, opened: Result<OpenGossip, Fault>) {
        let acceptance = match opened {
            Err(fault) => {
                self.strike(&peer, fault);
                Acceptance::Reject
            }
            Ok(OpenGossip::Header { header, body }) => self.arrive(header, body, &peer, true),
            Ok(OpenGossip::Statements(statements)) => self.statements_told(&peer, &statements),
            Ok(OpenGossip::Fork(pair)) => self.learn_fork(*pair),
        };
        self.out.push(Output::Validate {
            peer,
            message,
            acceptance,
        });
    }

    /// One header, with its body when that came along. `live` ones were not asked for.
    pub(super) fn arrive(
        &mut self,
        header: Verified<Header>,
        body: Option<Opened>,
        peer: &Peer,
        live: bool,
    ) -> Acceptance {
        if !self.is_for_us(&header) {
            return Acceptance::Ignore;
        }
        let Some(org) = self.roster.organisation_of(&header.author, header.created_at) else {
            self.hold_stranger(Stranger {
                header,
                body,
                peer: peer.clone(),
            });
            return Acceptance::Ignore;
        };
        let verdict = self.trust.judge(Some(org));
        let place = self.logs.place(&header);
        if place == Place::Known {
            let steps = self.bodies.heard(header.body_digest, peer, self.now.mono);
            self.carry_out(steps);
            // A copy of what was pushed or fetched before goes on; a replay of something old does not.
            let fresh = header.created_at + limits::CLOCK_TOLERANCE >= self.now.wall;
            return self.forwarded(&header, verdict, fresh);
        }
        if self.is_congested() {
            self.bounded("the store is behind; headers come with the next sync");
        } else if self.may_cost(org, verdict, peer, &header, live) {
            return self.arrive_at(place, header, body, peer, verdict);
        }
        if verdict.relay && !matches!(place, Place::Frozen | Place::TooManyEpochs) {
            self.lag(header.log(), header.seq);
        }
        Acceptance::Ignore
    }

    fn arrive_at(
        &mut self,
        place: Place,
        header: Verified<Header>,
        body: Option<Opened>,
        peer: &Peer,
        verdict: Verdict,
    ) -> Acceptance {
        let acceptance = self.forwarded(&header, verdict, true);
        match place {
            Place::Next => {
                self.take(header, body, peer);
                acceptance
            }
            Place::Ahead => {
                self.take_early(header, peer);
                acceptance
            }
            Place::Old => {
                let seq = header.seq;
                self.dispute(header, seq);
                Acceptance::Ignore
            }
            Place::Contradicts(seq) => {
                self.dispute(header, seq);
                Acceptance::Ignore
            }
            Place::TooFar => {
                self.lag(header.log(), header.seq);
                Acceptance::Ignore
            }
            Place::Known | Place::Frozen | Place::TooManyEpochs => Acceptance::Ignore,
        }
    }

    /// Whether a header that is taken is passed on: not from the quarantine, and not while its author's bodies fail.
    fn forwarded(&self, header: &Header, verdict: Verdict, fresh: bool) -> Acceptance {
        let forward = verdict.relay && fresh && !self.bodies.is_overdrawn(&header.author);
        if forward {
            Acceptance::Accept
        } else {
            Acceptance::Ignore
        }
    }

    /// Only CLEAR, of this mesh, and not from the future. None of it is anybody's fault.
    fn is_for_us(&self, header: &Header) -> bool {
        let latest = self.now.wall.max(self.highest_wall) + limits::CLOCK_TOLERANCE;
        let opens = header.seq > 0 || header.created_at.0.abs_diff(header.epoch.0) <= limits::CLOCK_TOLERANCE.0;
        header.community == self.community
            && header.audience == Audience::Clear
            && header.tlp == Tlp::Clear
            && header.created_at <= latest
            && header.epoch <= latest
            && header.expires_at.0.saturating_sub(header.created_at.0) <= limits::LIFETIME.0
            // An epoch is the time of its opening, or its author could open any number in the past.
            && opens
    }

    fn may_cost(&mut self, org: OrgId, verdict: Verdict, peer: &Peer, header: &Verified<Header>, live: bool) -> bool {
        let now = self.now.mono;
        let fits = if !verdict.believe && !verdict.relay {
            let body = if self.pulls(header) {
                u64::from(header.compressed_len)
            } else {
                0
            };
            self.charges
                .quarantined(peer, header.signed().bytes().len() as u64 + body, now)
        } else if live {
            self.charges.live(org, u64::from(header.compressed_len), now)
        } else {
            self.charges.history(org, now)
        };
        if !fits {
            self.bounded("headers over a quota; they come with a later sync");
        }
        fits
    }

    /// The next header of its log, and those that waited for it.
    fn take(&mut self, header: Verified<Header>, body: Option<Opened>, peer: &Peer) {
        let log = header.log();
        self.store_header(header, body, Some(peer));
        while let Some(waiting) = self.logs.successor(log) {
            match self.logs.place(&waiting) {
                Place::Next => self.store_header(waiting, None, Some(peer)),
                Place::Contradicts(seq) => return self.dispute(waiting, seq),
                _ => return,
            }
        }
        if self.logs.last_early(log).is_none() {
            self.early.remove(&log);
        }
    }

    /// Gossip passes itself by: a header that came too early waits a moment before its predecessors are asked for.
    fn take_early(&mut self, header: Verified<Header>, peer: &Peer) {
        let (log, seq) = (header.log(), header.seq);
        if !self.logs.wait(header) || (self.early.len() >= limits::EARLY_LOGS && !self.early.contains_key(&log)) {
            self.bounded("early headers; they come with the next sync");
            return self.lag(log, seq);
        }
        let at = self.now.mono + limits::EARLY_WAIT;
        self.early.entry(log).or_insert((at, peer.clone()));
    }

    /// Whether the body of this header is wanted here at all.
    pub(super) fn pulls(&self, header: &Verified<Header>) -> bool {
        header.raw_len > 0
            && header.expires_at > self.now.wall
            && self.subscription.covers(header)
            && !self.spoiled.contains(&RecordId::of(header))
    }

    /// Puts a header that is next in its log into this step's batch and, when its body is wanted, asks for that.
    pub(super) fn store_header(&mut self, header: Verified<Header>, body: Option<Opened>, peer: Option<&Peer>) {
        self.logs.advance(&header);
        let org = self.roster.organisation_of(&header.author, header.created_at);
        let own = header.author == self.key.public();
        if own && peer.is_some() {
            self.own.adopted();
        }
        self.step.heads.push(Self::head_of(&header));
        match &body {
            Some((compressed, _)) => self.open_others(&header, compressed.clone(), peer),
            None if self.pulls(&header) => self.want_body(&header, peer.cloned()),
            None => {}
        }
        self.step.changes.push(Change::Record {
            believed: self.trust.judge(org).believe,
            org,
            header,
            body,
            received_at: self.now.wall,
            own,
        });
    }

    fn want_body(&mut self, header: &Verified<Header>, peer: Option<Peer>) {
        if !self.bodies.may_want(&header.author) {
            return self.missing.look_through();
        }
        let steps = self.bodies.want(header, peer, self.now.mono);
        self.carry_out(steps);
    }

    /// The same body may stand behind other records, which are waiting for it.
    fn open_others(&mut self, header: &Verified<Header>, compressed: Vec<u8>, peer: Option<&Peer>) {
        let digest = header.body_digest;
        if let Some(peer) = peer
            && self.bodies.wants(&digest)
        {
            let steps = self.bodies.arrived(digest, self.now.mono);
            self.carry_out(steps);
            self.open(peer, digest, &compressed, Some(RecordId::of(header)));
        }
    }

    /// Has a body opened for every record that waits for it, but one.
    pub(super) fn open(&mut self, peer: &Peer, digest: Digest, compressed: &[u8], but: Option<RecordId>) {
        for header in self.bodies.headers(&digest) {
            let record = RecordId::of(&header);
            if Some(record) != but {
                let ticket = self.ticket();
                self.opening.insert(ticket, (peer.clone(), digest, record));
                self.out.push(Output::Open {
                    ticket,
                    header,
                    compressed: compressed.to_vec(),
                });
            }
        }
    }

    /// A body that came with its header from its publisher.
    pub(super) fn pushed(&mut self, header: Verified<Header>, body: Option<Opened>, peer: &Peer) {
        if self.logs.place(&header) != Place::Known {
            self.arrive(header, body, peer, true);
            return;
        }
        let (record, digest) = (RecordId::of(&header), header.body_digest);
        let Some(opened) = body.filter(|_| self.bodies.wants(&digest)) else {
            return;
        };
        let waits = self
            .bodies
            .headers(&digest)
            .iter()
            .any(|held| RecordId::of(held) == record);
        let steps = self.bodies.arrived(digest, self.now.mono);
        self.carry_out(steps);
        self.open(peer, digest, &opened.0, Some(record));
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
    pub(super) fn opened(&mut self, ticket: Ticket, body: Result<Opened, BodyFault>) {
        let Some((peer, digest, record)) = self.opening.remove(&ticket) else {
            return;
        };
        match body {
            Ok(opened) => self.store_body(record, digest, opened),
            Err(BodyFault::Digest) => {
                let steps = self.bodies.mistaken(digest, &peer, self.now.mono);
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

    pub(super) fn found(&mut self, ticket: Ticket, found: Found) {
        match self.reads.remove(&ticket) {
            None => {}
            Some(Reading::Contradiction(header)) => {
                self.contradictions = self.contradictions.saturating_sub(1);
                self.compare(*header, found);
            }
            Some(Reading::Range { peer, asked }) => self.answer_range(&peer, asked, found),
            Some(Reading::Body { peer, asked, digest }) => self.answer_body(&peer, asked, digest, found),
            Some(Reading::Target { command, withdrawal }) => self.withdraw_found(command, withdrawal, found),
            Some(Reading::Missing { all }) => self.want_missing(all, found),
        }
    }
}
