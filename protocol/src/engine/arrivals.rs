//! What comes in: headers and bodies, from gossip, from a push, or from a range.
//!
//! Two decisions stay apart: whether a message is forwarded (the `Acceptance`), and whether its record is believed (the
//! verdict that is stored with it). `Reject` is for what is provably false; everything else that is not taken is
//! ignored, so that two honest nodes of differing policy never lower each other's score.

mod budgets;
mod charges;
mod content;
mod forks;
mod statements;
mod strangers;

use starfish_crypto::Verified;

use crate::{
    intake::{Fault, OpenGossip},
    limits,
    organisation::OrgId,
    peer::Peer,
    record::{Audience, Body, Header, LogId, RecordId, Tlp},
    time::Millis,
    trust::Verdict,
    wire::Channel,
};

use self::{budgets::Cost, strangers::Stranger};
pub(super) use self::{
    charges::{Charges, Source},
    strangers::Strangers,
};
use super::{
    Engine, Reading,
    logs::Place,
    port::{Acceptance, Change, Found, Output, Ticket},
};

/// The compressed bytes of a body, and what they say.
type Opened = (Vec<u8>, Body);

impl Engine {
    pub(super) fn gossip(&mut self, peer: Peer, channel: Channel, message: Vec<u8>, opened: Result<OpenGossip, Fault>) {
        let acceptance = match opened {
            Err(fault) => {
                self.strike(&peer, fault);
                Acceptance::Reject
            }
            Ok(OpenGossip::Header { header, body }) => self.arrive(header, body, &peer, true),
            Ok(OpenGossip::Statements(statements)) => self.statements_told(&peer, &statements),
        };
        self.out.push(Output::Validate {
            peer,
            channel,
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
        let Some(org) = self.author_of(&header) else {
            if self.roster.revoked(&header.author).is_some() {
                return Acceptance::Ignore;
            }
            self.hold_stranger(Stranger {
                header,
                body,
                peer: peer.clone(),
            });
            return Acceptance::Ignore;
        };
        // What a peer kept is history; what is new is written by somebody who may write now.
        if live && self.roster.organisation_of(&header.author, self.now.wall) != Some(org) {
            return Acceptance::Ignore;
        }
        let verdict = self.trust.judge(Some(org));
        let place = self.place(&header, verdict);
        if place == Place::Known {
            let steps = self.bodies.heard(header.body_digest, peer, self.now.mono);
            self.carry_out(steps);
            // A copy of what was pushed or fetched before goes on; a replay of something old does not.
            let since = self.logs.held_since(&header);
            let fresh = header.created_at + limits::CLOCK_TOLERANCE >= self.now.wall
                && since.is_some_and(|since| since + limits::REPEATS_PASSED_ON >= self.now.mono);
            return self.forwarded(&header, verdict, fresh);
        }
        if self.is_congested() {
            self.bounded("the store is behind; headers come with the next sync");
        } else if self.may_cost(place, org, verdict, peer, &header, live) {
            return self.arrive_at(place, header, body, peer, verdict, live);
        }
        if matches!(place, Place::Next | Place::Ahead | Place::Crowded | Place::TooFar) {
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
        live: bool,
    ) -> Acceptance {
        let acceptance = self.forwarded(&header, verdict, true);
        match place {
            Place::Next => {
                self.take(header, body, peer, live);
                acceptance
            }
            Place::Ahead => {
                self.take_early(header, peer);
                acceptance
            }
            Place::Crowded => {
                self.bounded("early headers; they come with the next sync");
                self.lag(header.log(), header.seq);
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
            Place::TooFar if verdict.relay => {
                self.lag(header.log(), header.seq);
                Acceptance::Ignore
            }
            Place::TooFar => {
                self.fill_soon(header.log(), header.seq, peer, limits::EARLY_LOGS / 2);
                Acceptance::Ignore
            }
            Place::Known | Place::Waiting | Place::Frozen | Place::TooManyEpochs => Acceptance::Ignore,
        }
    }

    /// The organisation for which this record counts, if it does: a revoked node's last good records do as ever.
    pub(super) fn author_of(&self, header: &Verified<Header>) -> Option<OrgId> {
        let (log, seq, id) = (header.log(), header.seq, RecordId::of(header));
        let certificate = self.roster.certificate_behind(&log, seq, id, header.created_at);
        certificate.map(|certificate| certificate.org)
    }

    /// Whether a record is behind the last good one of a revoked node: a thief's, or nobody can tell.
    pub(super) fn is_void(&self, header: &Verified<Header>) -> bool {
        self.roster.revoked(&header.author).is_some() && self.author_of(header).is_none()
    }

    /// Where a header stands in its log.
    pub(super) fn place_in_log(&self, header: &Verified<Header>) -> Place {
        if self.is_shut(&header.log(), header.seq) {
            Place::Frozen
        } else {
            self.logs.place(header)
        }
    }

    /// Whether nothing is taken here of this log: its author wrote two histories, and its roots have not said that this
    /// place is right.
    pub(super) fn is_shut(&self, log: &LogId, seq: u64) -> bool {
        self.logs.is_frozen(&log.author) && !self.roster.confirms(log, seq)
    }

    /// Where a header stands. Of authors that are not handed on nothing waits in memory, and there is an end to their logs.
    fn place(&self, header: &Verified<Header>, verdict: Verdict) -> Place {
        let place = self.place_in_log(header);
        let unrelayed = self.logs.count().saturating_sub(self.frontier.count());
        match place {
            _ if verdict.relay => place,
            Place::Ahead | Place::Crowded => Place::TooFar,
            Place::Next if header.seq == 0 && unrelayed >= limits::UNRELAYED_LOGS => Place::TooManyEpochs,
            _ => place,
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

    /// CLEAR or GREEN, of this mesh, and not from the future. None of it is anybody's fault. Whoever told this node what is
    /// GREEN has decided that for itself; whom this node tells is another question.
    fn is_for_us(&self, header: &Header) -> bool {
        let opens = header.seq > 0 || header.created_at.0.abs_diff(header.epoch.0) <= limits::CLOCK_TOLERANCE.0;
        header.community == self.community
            && matches!(
                (header.audience, header.tlp),
                (Audience::Clear, Tlp::Clear) | (Audience::Green, Tlp::Green)
            )
            && self.early_until(header).is_none()
            && header.expires_at.0.saturating_sub(header.created_at.0) <= limits::LIFETIME.0
            // An epoch is the time of its opening, or its author could open any number in the past.
            && opens
    }

    /// Until when this header is from the future, if it is.
    pub(super) fn early_until(&self, header: &Header) -> Option<Millis> {
        let latest = self.now.wall.max(self.highest_wall) + limits::CLOCK_TOLERANCE;
        let at = header.created_at.max(header.epoch);
        (at > latest).then(|| Millis(at.0.saturating_sub(limits::CLOCK_TOLERANCE.0)))
    }

    /// An organisation pays for what is news of it. Whatever else its headers are good for is charged to whoever brought
    /// them: anybody can repeat what somebody else wrote long ago.
    fn may_cost(
        &mut self,
        place: Place,
        org: OrgId,
        verdict: Verdict,
        peer: &Peer,
        header: &Verified<Header>,
        live: bool,
    ) -> bool {
        let (now, source) = (self.now.mono, self.source(peer));
        let fits = if !matches!(place, Place::Next | Place::Ahead) {
            self.charges.delivered(source, now)
        } else if !verdict.believe && !verdict.relay {
            let body = if self.pulls(header) {
                u64::from(header.compressed_len)
            } else {
                0
            };
            self.charges
                .quarantined(source, header.signed().bytes().len() as u64 + body, now)
        } else if live {
            let path = self.paid_by(org);
            self.charges
                .author(&path, Cost::Live(u64::from(header.compressed_len)), now)
        } else {
            let path = self.paid_by(org);
            self.charges.author(&path, Cost::History, now)
        };
        if !fits {
            self.bounded("headers over a quota; they come with a later sync");
        }
        fits
    }

    /// Who pays for what an organisation costs: it, and everybody who introduced it.
    fn paid_by(&self, org: OrgId) -> Vec<OrgId> {
        let path = self.trust.introducers(&org);
        if path.is_empty() { vec![org] } else { path }
    }

    /// The next header of its log, and those that waited for it.
    fn take(&mut self, header: Verified<Header>, body: Option<Opened>, peer: &Peer, live: bool) {
        let log = header.log();
        // A small body comes along unasked; what is not pulled is not shown either.
        let body = body.filter(|_| self.pulls(&header));
        self.store_header(header, body, Some((peer, live)));
        while let Some(waiting) = self.logs.successor(log) {
            match self.place_in_log(&waiting) {
                Place::Next if self.is_void(&waiting) => return,
                Place::Next => self.store_header(waiting, None, Some((peer, live))),
                Place::Contradicts(seq) => return self.dispute(waiting, seq),
                _ => return,
            }
        }
        let reached = self.logs.head(&log).map_or(0, |(seq, _)| seq);
        if self.early.get(&log).is_some_and(|filling| filling.to <= reached) {
            self.early.remove(&log);
        }
    }

    fn take_early(&mut self, header: Verified<Header>, peer: &Peer) {
        let (log, seq) = (header.log(), header.seq);
        self.logs.wait(header);
        if !self.fill_soon(log, seq, peer, limits::EARLY_LOGS) {
            self.bounded("early headers; they come with the next sync");
            self.lag(log, seq);
        }
    }

    /// Whether the body of this header is wanted here at all.
    pub(super) fn pulls(&self, header: &Verified<Header>) -> bool {
        header.raw_len > 0
            && header.expires_at > self.now.wall
            && self.subscription.covers(header)
            && !self.spoiled.contains(&RecordId::of(header))
    }

    /// Puts a header that is next in its log into this step's batch and, when its body is wanted, asks for that. `from`
    /// says who brought it, and whether unasked; nobody brings what is our own.
    pub(super) fn store_header(&mut self, header: Verified<Header>, body: Option<Opened>, from: Option<(&Peer, bool)>) {
        self.logs.advance(&header, self.now.mono);
        let org = self.author_of(&header);
        let own = header.author == self.key.public();
        if own && from.is_some() {
            self.own.adopted(header.audience);
        }
        self.step.heads.push(Self::head_of(&header));
        // A body that came along is news like one that came later: peers may be waiting for it here.
        if body.is_some() {
            self.step.bodies.push((RecordId::of(&header), header.body_digest));
        }
        match (&body, from) {
            (Some((compressed, _)), Some((peer, _))) => self.open_others(&header, compressed.clone(), peer),
            (None, Some((peer, true))) if self.pulls(&header) && self.is_told_again(&header) => {
                // It was told again by somebody who caught up: what has become of it since is to be known first.
                self.defer_body(&header, peer);
                self.start_sync(peer);
            }
            (None, Some((peer, true))) if self.pulls(&header) => self.want_body(&header, peer),
            (None, Some((peer, false))) if self.pulls(&header) => self.defer_body(&header, peer),
            _ => {}
        }
        self.step.changes.push(Change::Record {
            org,
            header,
            body,
            received_at: self.now.wall,
            own,
        });
    }

    pub(super) fn found(&mut self, ticket: Ticket, found: Found) {
        match self.reads.remove(&ticket) {
            None => {}
            Some(Reading::Contradiction(header)) => {
                self.contradictions = self.contradictions.saturating_sub(1);
                self.compare(*header, found);
            }
            Some(Reading::Inquiry(inquiry)) => self.inquired(inquiry, found),
            Some(Reading::Target { command, answer }) => self.target_found(command, answer, found),
            Some(Reading::Missing(look)) => self.want_missing(look, found),
            Some(Reading::Held(digest)) => self.held(digest, found),
        }
    }
}
