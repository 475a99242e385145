//! Bodies that are wanted and not here, as the store knows them: looked through once after a start or a change of what is
//! wanted, as fast as they arrive, and then a few at each sync.
//!
//! A withdrawal is a record behind its target. No body is asked of a peer before everything is known that this peer has
//! shown, so that what was withdrawn long ago is never shown, not for a moment.

use std::collections::BTreeSet;

use starfish_crypto::{PublicKey, Verified};

use crate::{
    limits,
    peer::Peer,
    record::{Header, RecordId},
    time::Millis,
};

use super::super::{
    Engine, Reading,
    peers::PeerState,
    port::{Found, Query},
};

/// Which of the missing bodies are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Look {
    /// All of them, of anyone.
    All,
    /// A few, of the peers of one sync.
    Few,
}

impl Look {
    /// How many are read at a time.
    fn most(self) -> usize {
        match self {
            Self::All => limits::RANGE_HEADERS,
            Self::Few => limits::MISSING_PER_SYNC,
        }
    }
}

/// What a look has passed over.
#[derive(Debug)]
struct LeftOut {
    after: Option<RecordId>,
    authors: BTreeSet<PublicKey>,
}

/// Where the search for missing bodies stands.
#[derive(Debug, Default)]
pub(in crate::engine) struct Missing {
    /// The next page of all of them, and how many must have ended before it is read.
    all: Option<(Option<RecordId>, u64)>,
    /// It is the turn of those who are neither believed nor handed on, whose bodies are looked for last. And whether there
    /// are any.
    turn_of_strangers: bool,
    strangers: bool,
    /// Those of whom some were left out, because enough of theirs were asked for, and where the first of these was.
    left_out: Option<LeftOut>,
    /// The look goes back for these alone; none when it is for all.
    only: Option<BTreeSet<PublicKey>>,
    /// Asked to begin again at the first page.
    again: bool,
    /// Where the few of each sync go on.
    few_after: Option<RecordId>,
    /// Whom to ask for a few; none when it is not time.
    few: Vec<Peer>,
    reading: bool,
    /// All were looked through while headers were on their way to the store, which did not know of those yet.
    behind: bool,
    /// They are looked through for the second time for that reason, and not for a third: headers may come all the time.
    repeated: bool,
    /// The store could not answer.
    failed: bool,
    /// Since when there was always somebody new, who had not shown yet what he has.
    waits_since: Option<Millis>,
    /// When a newly connected peer was last a reason to begin again, and whether another one is at the next sync.
    new_peer: Option<Millis>,
    /// See `new_peer`.
    another_peer: bool,
}

impl Missing {
    /// At the first page, for everybody.
    fn begin(&mut self) {
        self.all = Some((None, 0));
        (self.turn_of_strangers, self.strangers) = (false, false);
        (self.left_out, self.only) = (None, None);
    }

    /// All of them, from the first.
    pub(in crate::engine) fn look_through(&mut self) {
        self.again = true;
    }

    /// A few, of these peers.
    pub(in crate::engine) fn look_again(&mut self, peers: Vec<Peer>) {
        self.few = peers;
        self.again |= std::mem::take(&mut self.failed) | std::mem::take(&mut self.another_peer);
    }

    /// A peer that may have what the others have not was caught up with. One that comes and goes is only a reason at each
    /// sync.
    pub(in crate::engine) fn look_at_new_peer(&mut self, now: Millis) {
        let seldom = self.new_peer.is_none_or(|at| now >= at + limits::MISSING_COUNTS);
        if seldom {
            (self.new_peer, self.again) = (Some(now), true);
        } else {
            self.another_peer = true;
        }
    }
}

impl Engine {
    /// The body of a record that a range brought. Its withdrawal may be further on.
    pub(in crate::engine) fn defer_body(&mut self, header: &Verified<Header>, peer: &Peer) {
        match self.peers.get_mut(peer) {
            Some(state) if state.deferred.len() < limits::DEFERRED_BODIES => state.deferred.push(header.clone()),
            Some(_) => {}
            None => self.missing.look_through(),
        }
    }

    /// Everything that a peer has shown is here by now: bodies may follow.
    pub(in crate::engine) fn want_deferred(&mut self, peer: &Peer) {
        let Some(state) = self.peers.get_mut(peer) else { return };
        let deferred = std::mem::take(&mut state.deferred);
        if deferred.len() >= limits::DEFERRED_BODIES {
            return self.missing.look_through();
        }
        for header in deferred {
            if !self.may_want(&header) {
                return self.missing.look_through();
            }
            let steps = self.bodies.follow(&header, peer, self.now.mono);
            self.carry_out(steps);
        }
    }

    /// Reads the next page when there is room for what it may hold, and somebody to ask.
    pub(in crate::engine) fn seek_when_due(&mut self) {
        if self.missing.reading || !self.is_caught_up() || self.is_congested() {
            return;
        }
        let is_busy = |peer| self.peers.get(peer).is_some_and(PeerState::is_catching_up);
        let is_due = !self.missing.few.is_empty() && !self.missing.few.iter().any(is_busy);
        // What is left out may never have room, so that a sync is a reason to look for everybody else's meanwhile.
        let begins = self.missing.all.is_none() || (is_due && !self.may_go_on());
        if begins && std::mem::take(&mut self.missing.again) {
            self.missing.begin();
        }
        let room = |from: u64| self.may_go_on() && (self.bodies.ended() >= from || self.bodies.active() == 0);
        let (after, look) = match self.missing.all {
            Some((after, from)) if room(from) => (after, Look::All),
            _ if is_due => (self.missing.few_after, Look::Few),
            _ => return,
        };
        self.missing.reading = true;
        let limit = look.most();
        self.read(Query::Missing { after, limit }, Reading::Missing(look));
    }

    /// Whether there is room for those whom the look has gone back for. Who had too much goes on when half of it has come: others'
    /// bodies that end say nothing of his.
    fn may_go_on(&self) -> bool {
        let only = self.missing.only.as_ref();
        only.is_none_or(|only| only.iter().any(|author| self.bodies.may_want_many(author)))
    }

    /// Whether somebody's records are known here, and nobody who is connected by right is about to show his. Whoever comes and
    /// goes and never shows them is not waited for without end.
    fn is_caught_up(&mut self) -> bool {
        let is_new = |state: &PeerState| state.is_new() && self.trust.judge(state.org).connect;
        if !self.peers.values().any(is_new) {
            self.missing.waits_since = None;
        } else {
            let since = *self.missing.waits_since.get_or_insert(self.now.mono);
            if self.now.mono < since + limits::NEWCOMERS_WAITED_FOR {
                return false;
            }
        }
        self.peers.values().any(|state| state.caught_up)
    }

    pub(in crate::engine) fn want_missing(&mut self, look: Look, found: Found) {
        self.missing.reading = false;
        match (look, found) {
            (Look::All, Found::Missing(headers)) => self.want_all(&headers),
            (Look::Few, Found::Missing(headers)) => self.want_few(&headers),
            (Look::All, _) => (self.missing.failed, self.missing.all) = (true, None),
            (Look::Few, _) => self.missing.few.clear(),
        }
    }

    /// A page of all that are missing, of anyone.
    fn want_all(&mut self, headers: &[Verified<Header>]) {
        let last = self.missing.all.and_then(|(after, _)| after);
        let (after, full) = self.want_page(Look::All, headers, &[], last);
        // Half of what is being asked for must have come before the rest is looked at.
        let wait = if full { 1 + self.bodies.active() as u64 / 2 } else { 0 };
        let from = self.bodies.ended() + wait;
        let missing = &mut self.missing;
        let has_ended = after.is_none() && !full;
        missing.all = if !has_ended {
            Some((after, from))
        } else if let Some(LeftOut { after, authors }) = missing.left_out.take() {
            missing.only = Some(authors);
            Some((after, from))
        } else if missing.strangers && !std::mem::replace(&mut missing.turn_of_strangers, true) {
            missing.only = None;
            Some((None, from))
        } else {
            missing.only = None;
            None
        };
        if missing.all.is_none() {
            let repeated = std::mem::take(&mut missing.repeated);
            self.missing.behind = !repeated && self.is_storing_headers();
        }
    }

    /// Whether headers are on their way to the store, so that it cannot say yet that their bodies are missing.
    fn is_storing_headers(&self) -> bool {
        let coming = self.appends.values().any(|step| !step.heads.is_empty());
        coming || !self.step.heads.is_empty()
    }

    /// A step with headers became durable: what was looked through too early is looked through again.
    pub(in crate::engine) fn headers_stored(&mut self) {
        if self.missing.behind && !self.is_storing_headers() {
            (self.missing.behind, self.missing.repeated) = (false, true);
            self.missing.look_through();
        }
    }

    /// A few, of a few.
    fn want_few(&mut self, headers: &[Verified<Header>]) {
        let few = std::mem::take(&mut self.missing.few);
        self.missing.few_after = self.want_page(Look::Few, headers, &few, self.missing.few_after).0;
    }

    /// Wants what of a page is wanted. Says where to go on, and whether that is because there was no room at all.
    fn want_page(
        &mut self,
        look: Look,
        headers: &[Verified<Header>],
        peers: &[Peer],
        mut last: Option<RecordId>,
    ) -> (Option<RecordId>, bool) {
        for header in headers {
            let id = RecordId::of(header);
            let sought = look == Look::All && (self.is_wanted(&header.body_digest, id) || !self.is_in_turn(header));
            if self.pulls(header) && !sought && !self.is_void(header) {
                if self.bodies.is_full() || (self.missing.turn_of_strangers && !self.bodies.has_room_for_strangers()) {
                    return (last, true);
                }
                if self.may_want(header) {
                    let steps = self.bodies.look_for(header, peers, look == Look::All, self.now.mono);
                    self.carry_out(steps);
                } else if look == Look::All {
                    self.leave_out(header.author, last);
                }
            }
            last = Some(id);
        }
        (last.filter(|_| headers.len() >= look.most()), false)
    }

    /// Notes that a body of this author is left out for now, behind this place.
    fn leave_out(&mut self, author: PublicKey, last: Option<RecordId>) {
        let left_out = self.missing.left_out.get_or_insert_with(|| LeftOut {
            after: last,
            authors: BTreeSet::new(),
        });
        left_out.authors.insert(author);
    }

    /// Whether a header's author has its turn.
    fn is_in_turn(&mut self, header: &Verified<Header>) -> bool {
        let is_passed = |only: &BTreeSet<PublicKey>| !only.contains(&header.author);
        if self.missing.only.as_ref().is_some_and(is_passed) {
            return false;
        }
        let stranger = self.is_strangers(header);
        self.missing.strangers |= stranger;
        stranger == self.missing.turn_of_strangers
    }

    /// Whether another body of this author may be asked for: strangers' leave room for those of everybody else.
    pub(in crate::engine) fn may_want(&self, header: &Verified<Header>) -> bool {
        let room = self.bodies.has_room_for_strangers() || !self.is_strangers(header);
        room && self.bodies.may_want(&header.author)
    }

    /// Whether its author is neither believed nor handed on.
    fn is_strangers(&self, header: &Verified<Header>) -> bool {
        let verdict = self.trust.judge(self.author_of(header));
        !verdict.believe && !verdict.relay
    }
}
