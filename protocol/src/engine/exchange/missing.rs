//! Bodies that are wanted and not here, as the store knows them: looked through once after a start or a change of what is
//! wanted, as fast as they arrive, and then a few at each sync.

use starfish_crypto::Verified;

use crate::{
    limits,
    peer::Peer,
    record::{Header, RecordId},
    time::Millis,
};

use super::super::{
    Engine, Reading,
    port::{Found, Query},
};

/// Where the search for missing bodies stands.
#[derive(Debug, Default)]
pub(in crate::engine) struct Missing {
    /// The next page of all of them, and how many must have ended before it is read.
    all: Option<(Option<RecordId>, u64)>,
    /// Asked to begin again at the first page.
    again: bool,
    /// Where the few of each sync go on.
    few_after: Option<RecordId>,
    /// Whom to ask for a few; none when it is not time.
    few: Vec<Peer>,
    reading: bool,
    /// The store could not answer.
    failed: bool,
    /// When a newly connected peer was last a reason to begin again.
    new_peer: Option<Millis>,
}

impl Missing {
    /// All of them, from the first.
    pub(in crate::engine) fn look_through(&mut self) {
        self.again = true;
    }

    /// A few, of these peers.
    pub(in crate::engine) fn look_again(&mut self, peers: Vec<Peer>) {
        self.few = peers;
        self.again |= std::mem::take(&mut self.failed);
    }

    /// A peer that may have what the others have not was caught up with. Not for one that comes and goes.
    pub(in crate::engine) fn look_at_new_peer(&mut self, now: Millis) {
        if self.new_peer.is_none_or(|at| now >= at + limits::MISSING_COUNTS) {
            self.new_peer = Some(now);
            self.again = true;
        }
    }
}

impl Engine {
    /// Reads the next page when there is room for what it may hold, and somebody to ask.
    pub(in crate::engine) fn seek_when_due(&mut self) {
        if self.missing.reading || self.peers.is_empty() || self.is_congested() {
            return;
        }
        if self.missing.all.is_none() && std::mem::take(&mut self.missing.again) {
            self.missing.all = Some((None, 0));
        }
        let room = |from: u64| self.bodies.ended() >= from || self.bodies.active() == 0;
        let (after, all) = match self.missing.all {
            Some((after, from)) if room(from) => (after, true),
            None if !self.missing.few.is_empty() => (self.missing.few_after, false),
            _ => return,
        };
        self.missing.reading = true;
        let limit = if all {
            limits::RANGE_HEADERS
        } else {
            limits::MISSING_PER_SYNC
        };
        self.read(Query::Missing { after, limit }, Reading::Missing { all });
    }

    pub(in crate::engine) fn want_missing(&mut self, all: bool, found: Found) {
        self.missing.reading = false;
        let few = if all {
            Vec::new()
        } else {
            std::mem::take(&mut self.missing.few)
        };
        let Found::Missing(headers) = found else {
            self.missing.failed |= all;
            self.missing.all = None;
            return;
        };
        let most = if all {
            limits::RANGE_HEADERS
        } else {
            limits::MISSING_PER_SYNC
        };
        let mut after = headers.last().map(RecordId::of).filter(|_| headers.len() >= most);
        let mut last = if all {
            self.missing.all.and_then(|(after, _)| after)
        } else {
            self.missing.few_after
        };
        let mut stuck = false;
        for header in &headers {
            let id = RecordId::of(header);
            let skip = !self.pulls(header) || self.is_wanted(&header.body_digest, id) && all;
            if !skip && !self.bodies.may_want(&header.author) {
                (after, stuck) = (last, true);
                break;
            }
            last = Some(id);
            if !skip && self.may_hold(header) {
                let steps = self.bodies.look_for(header, &few, all, self.now.mono);
                self.carry_out(steps);
            }
        }
        if !all {
            self.missing.few_after = after;
            return;
        }
        // Half of what is being asked for must have come before the rest is looked at.
        let wait = if stuck { 1 + self.bodies.active() as u64 / 2 } else { 0 };
        let more = stuck || after.is_some();
        self.missing.all = more.then_some((after, self.bodies.ended() + wait));
    }

    /// Whether the quarantine has room for this body, if that is where it goes.
    fn may_hold(&mut self, header: &Verified<Header>) -> bool {
        let org = self.roster.organisation_of(&header.author, header.created_at);
        self.trust.judge(org).believe
            || self
                .charges
                .quarantined_body(u64::from(header.compressed_len), self.now.mono)
    }
}
