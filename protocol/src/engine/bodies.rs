//! Bodies: who is asked for which, and who waits here for one that is still on its way.
//!
//! Each wanted digest is [`Wanted`] until every record that names it has its body durable. It is `Seeking` (somebody is
//! asked, or will be), `Opening` (the bytes are here), or `Missing` (nobody had it; some rounds later it is left to the
//! syncs). The machine says what to do as [`BodyStep`]s and keeps all its timers in one ordered set.

mod coming;
mod neighbours;
mod resolving;
mod seeking;
mod waiting;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::{Digest, PublicKey, Verified};

use crate::{
    limits,
    peer::Peer,
    record::{Header, RecordId},
    time::Millis,
};

pub(super) use self::waiting::Serving;
use self::{
    neighbours::Neighbours,
    wanted::{Asking, OwnStore, Stage, Waiter, Wanted},
};
use super::port::Ticket;

/// What the engine is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BodyStep {
    /// Look for the body in the own store, and say with `not_stored` when it is not there.
    LookUp { digest: Digest },
    /// Ask for the body, and say the ticket with `asked_as`.
    Ask { peer: Peer, digest: Digest },
    /// Give up a request of ours.
    Cancel { ticket: Ticket },
    /// Answer a waiting request from the store.
    Serve { peer: Peer, ticket: Ticket, digest: Digest },
    /// Answer a waiting request: not here.
    NotHeld { ticket: Ticket },
}

/// How a request of ours ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// With the body.
    Body,
    /// Without it, for whatever reason; another peer is next.
    Nothing,
    /// Not now: another peer is next, and when nobody has it this one is asked again.
    Busy,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    active: usize,
    missing: usize,
}

/// Every body that is wanted, and every request that waits for one.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    wanted: BTreeMap<Digest, Wanted>,
    authors: BTreeMap<PublicKey, Count>,
    active: usize,
    ended: u64,
    tickets: BTreeMap<Ticket, (Digest, Peer)>,
    due: BTreeSet<(Millis, Digest)>,
    /// Authors of bodies that nobody had, until somebody asks.
    unserved: BTreeSet<PublicKey>,
    neighbours: Neighbours,
    /// Those that wait until somebody has room, first come first, and how many ever did.
    in_line: BTreeMap<u64, (Digest, Millis)>,
    places: u64,
    /// Where a look through the line goes on, and whether something has changed for those that it has passed.
    look: Option<u64>,
    look_again: bool,
    /// Those of which something has come, and more is to come.
    under_way: BTreeSet<Digest>,
    /// The store is behind: what is asked for already may come, and nothing else is asked for.
    held_up: bool,
}

impl Bodies {
    /// Whether another body of this author may be asked for now.
    pub(super) fn may_want(&self, author: &PublicKey) -> bool {
        let count = self.authors.get(author).copied().unwrap_or_default();
        count.active < limits::UNRESOLVED_BODIES_PER_AUTHOR && !self.is_full()
    }

    /// Whether there is room for bodies of strangers, who leave half of it to those who are believed.
    pub(super) fn has_room_for_strangers(&self) -> bool {
        self.active < limits::UNRESOLVED_BODIES / 2
    }

    /// Whether many others of this author may be: to find them costs a look through what is missing.
    pub(super) fn may_want_many(&self, author: &PublicKey) -> bool {
        let count = self.authors.get(author).copied().unwrap_or_default();
        count.active <= limits::UNRESOLVED_BODIES_PER_AUTHOR / 2 && !self.is_full()
    }

    /// Whether no other body may be asked for now, whoever wrote it.
    pub(super) fn is_full(&self) -> bool {
        self.active >= limits::UNRESOLVED_BODIES
    }

    /// Whether so many bodies of this author are unresolved that its headers are not passed on.
    pub(super) fn is_overdrawn(&self, author: &PublicKey) -> bool {
        let count = self.authors.get(author).copied().unwrap_or_default();
        count.active + count.missing >= limits::UNRESOLVED_BODIES_PER_AUTHOR
    }

    /// How many bodies are wanted and not here.
    pub(super) fn unresolved(&self) -> usize {
        self.wanted.len()
    }

    /// How many of them somebody is being asked for.
    pub(super) fn active(&self) -> usize {
        self.active
    }

    /// How many bodies have ceased to be looked for since the start, one way or the other.
    pub(super) fn ended(&self) -> u64 {
        self.ended
    }

    /// The authors of bodies that nobody had since this was last asked.
    pub(super) fn take_unserved(&mut self) -> BTreeSet<PublicKey> {
        std::mem::take(&mut self.unserved)
    }

    /// Whether a body of this author is still to come.
    pub(super) fn wants_of(&self, author: &PublicKey) -> bool {
        self.authors.contains_key(author)
    }

    /// Whether it is wanted for nothing but what is TLP:GREEN.
    pub(super) fn is_green(&self, digest: &Digest) -> bool {
        self.wanted.get(digest).is_some_and(Wanted::is_green)
    }

    /// Whether it is wanted, and not being opened or stored.
    pub(super) fn seeks(&self, digest: &Digest) -> bool {
        self.wanted
            .get(digest)
            .is_some_and(|wanted| wanted.stage != Stage::Opening)
    }

    /// The records that are resolved with this body.
    pub(super) fn headers(&self, digest: &Digest) -> Vec<Verified<Header>> {
        self.wanted
            .get(digest)
            .map(|wanted| wanted.headers.clone())
            .unwrap_or_default()
    }

    /// Wants the body of a header that came by gossip, from `peer`. The caller has asked [`may_want`](Self::may_want).
    pub(super) fn want(&mut self, header: &Verified<Header>, peer: Peer, now: Millis) -> Vec<BodyStep> {
        let digest = header.body_digest;
        let fresh = self.insert(header, true, now);
        let direct = self.neighbours.is(&peer, &header.author);
        if let Some(wanted) = self.wanted.get_mut(&digest) {
            wanted.live = true;
            wanted.provider(peer);
            if fresh && direct {
                // The publisher pushes to its mesh peers: asking at once would bring every body twice.
                let transfer = u64::from(header.compressed_len) / limits::PUSH_BYTES_PER_MILLI;
                wanted.another = Some(Millis((now + limits::PUSH_WAIT).0 + transfer));
                self.reschedule(digest, now);
                return Vec::new();
            }
        }
        self.advance(digest, now)
    }

    /// Wants the body of a stored header, from these peers and, when told so, from anyone; from none of whom it is not known
    /// what they hold, because that may be its withdrawal.
    pub(super) fn look_for(
        &mut self,
        header: &Verified<Header>,
        peers: &[Peer],
        anyone: bool,
        now: Millis,
    ) -> Vec<BodyStep> {
        self.insert(header, anyone, now);
        if let Some(wanted) = self.wanted.get_mut(&header.body_digest) {
            peers.iter().for_each(|peer| wanted.provider(peer.clone()));
        }
        self.advance(header.body_digest, now)
    }

    /// The same for a record whose header this peer has just given: it has the body, or will have it soon.
    pub(super) fn follow(&mut self, header: &Verified<Header>, peer: &Peer, now: Millis) -> Vec<BodyStep> {
        self.insert(header, true, now);
        if let Some(wanted) = self.wanted.get_mut(&header.body_digest) {
            wanted.recent = true;
            wanted.provider(peer.clone());
        }
        self.advance(header.body_digest, now)
    }

    /// Notes a record under its digest, and begins a new round when nobody had it before. True when it is the first.
    fn insert(&mut self, header: &Verified<Header>, anyone: bool, now: Millis) -> bool {
        let digest = header.body_digest;
        if let Some(wanted) = self.wanted.get_mut(&digest) {
            let id = RecordId::of(header);
            let known = wanted.headers.iter().any(|held| RecordId::of(held) == id);
            if !known && wanted.headers.len() < limits::RECORDS_PER_BODY {
                wanted.headers.push(header.clone());
                if wanted.stage == Stage::Opening {
                    wanted.late.push(id);
                }
            }
            if matches!(wanted.stage, Stage::Missing(_)) {
                wanted.begin_round();
                wanted.providers.clear();
                wanted.anyone = anyone;
                self.stage(digest, Stage::Seeking);
            }
            return false;
        }
        let wanted = Wanted::new(header, anyone, now);
        self.wanted.insert(digest, wanted);
        self.stage(digest, Stage::Seeking);
        true
    }

    /// Another peer has told of a header with this body.
    pub(super) fn heard(&mut self, digest: Digest, peer: &Peer, now: Millis) -> Vec<BodyStep> {
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        wanted.provider(peer.clone());
        if matches!(wanted.stage, Stage::Missing(_)) {
            wanted.refused.remove(peer);
            wanted.own_store = OwnStore::ToAsk;
            self.stage(digest, Stage::Seeking);
        } else if wanted.another.is_some() {
            return Vec::new();
        }
        self.neighbours.note_change();
        self.advance(digest, now)
    }

    /// The own store does not have it: somebody else is asked.
    pub(super) fn not_stored(&mut self, digest: Digest, now: Millis) -> Vec<BodyStep> {
        let wanted = self.wanted.get_mut(&digest);
        if let Some(wanted) = wanted.filter(|wanted| wanted.own_store == OwnStore::Asked) {
            wanted.own_store = OwnStore::Empty;
        }
        self.advance(digest, now)
    }

    /// Names the request that an `Ask` step became.
    pub(super) fn asked_as(&mut self, digest: Digest, peer: Peer, ticket: Ticket, now: Millis) {
        let asking = self
            .wanted
            .get_mut(&digest)
            .and_then(|wanted| wanted.asking.get_mut(&peer));
        let Some(asking) = asking else { return };
        (asking.ticket, asking.progress) = (Some(ticket), now);
        self.tickets.insert(ticket, (digest, peer));
        self.reschedule(digest, now);
    }

    /// A request of ours ended.
    pub(super) fn answered(&mut self, ticket: Ticket, answer: Answer, now: Millis) -> Vec<BodyStep> {
        let Some((digest, peer)) = self.tickets.get(&ticket).cloned() else {
            return Vec::new();
        };
        let mut steps = self.stop(digest, std::slice::from_ref(&peer));
        steps.retain(|step| *step != BodyStep::Cancel { ticket });
        match answer {
            Answer::Body => steps.extend(self.arrived(digest, now)),
            Answer::Nothing | Answer::Busy => {
                if let Some(wanted) = self.wanted.get_mut(&digest) {
                    wanted.refused.insert(peer);
                    wanted.was_busy |= answer == Answer::Busy;
                }
                steps.extend(self.advance(digest, now));
            }
        }
        steps
    }

    /// The bytes are here and match the digest: nobody else is asked while they are opened and stored.
    pub(super) fn arrived(&mut self, digest: Digest, now: Millis) -> Vec<BodyStep> {
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        (wanted.another, wanted.own_store) = (None, OwnStore::Empty);
        wanted.late.clear();
        let others: Vec<Peer> = wanted.asking.keys().cloned().collect();
        self.stage(digest, Stage::Opening);
        let steps = self.stop(digest, &others);
        self.reschedule(digest, now);
        steps
    }

    /// A peer is there, and may be asked.
    pub(super) fn connected(&mut self, peer: &Peer, key: Option<PublicKey>) {
        self.neighbours.insert(peer, key);
    }

    /// Whether it is connected by right, and whether it may be asked for what is TLP:GREEN without having told of it: to ask is to
    /// tell.
    pub(super) fn stands(&mut self, peer: &Peer, by_right: bool, green: bool) {
        self.neighbours.stands(peer, by_right, green);
    }

    /// Everything that this peer held when it came was dealt with.
    pub(super) fn caught_up(&mut self, peer: &Peer) {
        self.neighbours.caught_up(peer);
    }

    /// How long this peer took for a small answer.
    pub(super) fn round_trip(&mut self, peer: &Peer, took: Millis) {
        self.neighbours.round_trip(peer, took);
    }

    /// A peer is gone: its requests are forgotten, and those to it go elsewhere.
    pub(super) fn disconnected(&mut self, peer: &Peer, now: Millis) -> Vec<BodyStep> {
        self.neighbours.remove(peer);
        let touched: Vec<Digest> = self
            .wanted
            .iter_mut()
            .filter_map(|(digest, wanted)| wanted.leave(peer, *digest))
            .collect();
        self.tickets.retain(|_, (_, whom)| whom != peer);
        for digest in &touched {
            self.note_under_way(digest);
        }
        touched
            .into_iter()
            .flat_map(|digest| self.advance(digest, now))
            .collect()
    }

    /// What is due: waiting requests that end, second peers to be asked, missing bodies to be forgotten, and whatever waited
    /// for room. After each step of the engine.
    pub(super) fn tick(&mut self, now: Millis) -> Vec<BodyStep> {
        let mut steps = Vec::new();
        while let Some((_, digest)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.pop_first();
            if let Some(wanted) = self.wanted.get_mut(&digest) {
                wanted.due = None;
                let ended;
                (ended, wanted.waiters) = std::mem::take(&mut wanted.waiters)
                    .into_iter()
                    .partition(|waiter| waiter.until <= now);
                steps.extend(self.turn_away(ended));
            }
            steps.extend(self.advance(digest, now));
        }
        steps.extend(self.serve_line(now));
        steps
    }

    /// Stops asking for bodies while the store is behind, and goes on when it has caught up.
    pub(super) fn hold_up(&mut self, held_up: bool, now: Millis) -> Vec<BodyStep> {
        if !std::mem::replace(&mut self.held_up, held_up) || held_up {
            return Vec::new();
        }
        let all: Vec<Digest> = self.wanted.keys().copied().collect();
        all.into_iter().flat_map(|digest| self.advance(digest, now)).collect()
    }

    pub(super) fn is_held_up(&self) -> bool {
        self.held_up
    }

    /// When `tick` has something to do.
    pub(super) fn next_wake(&self) -> Option<Millis> {
        let goes_on = self.look.filter(|_| !self.held_up).map(|_| Millis::default());
        self.due.first().map(|(at, _)| *at).into_iter().chain(goes_on).min()
    }
}
