//! One body that is wanted: for which records, who may have it, who is asked, who waits for it here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use starfish_crypto::{Digest, PublicKey, Verified};

use crate::{
    limits,
    peer::Peer,
    record::{Audience, Header, RecordId},
    time::Millis,
};

use super::super::port::Ticket;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Seeking,
    Opening,
    Missing(Millis),
}

/// Whether this node's own store was asked, in this round: nobody else is before that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnStore {
    ToAsk,
    Asked,
    Empty,
}

/// One request of ours.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) ticket: Option<Ticket>,
    pub(super) progress: Millis,
    pub(super) started: bool,
    /// It takes its share of the line: something came lately, or may be about to.
    pub(super) comes: bool,
}

impl Asking {
    pub(super) fn new(now: Millis) -> Self {
        Self {
            ticket: None,
            progress: now,
            started: false,
            comes: true,
        }
    }
}

/// What came of a push.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pushed {
    pub(super) pieces: usize,
    pub(super) last: Millis,
}

/// A request of somebody else.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) peer: Peer,
    pub(super) ticket: Ticket,
    pub(super) until: Millis,
}

#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) author: PublicKey,
    /// Every record that is resolved with this body.
    pub(super) headers: Vec<Verified<Header>>,
    /// Of these, the ones that came while it was being opened for the others.
    pub(super) late: Vec<RecordId>,
    /// Came by gossip: a body that is never found counts against its author.
    pub(super) live: bool,
    /// Of a record that was learned just now: whoever gave its header will have it soon.
    pub(super) recent: bool,
    /// Those who have told us of it, first come first.
    pub(super) providers: VecDeque<Peer>,
    /// Those who had nothing, in this round.
    pub(super) refused: BTreeSet<Peer>,
    /// One of these had no time, and may well have it.
    pub(super) was_busy: bool,
    /// False: only the providers are asked.
    pub(super) anyone: bool,
    pub(super) asking: BTreeMap<Peer, Asking>,
    pub(super) own_store: OwnStore,
    /// Its place among the bodies that wait until somebody has room.
    pub(super) place: Option<u64>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) stage: Stage,
    /// What the author has pushed of it.
    pub(super) pushed: Pushed,
    /// When nobody had it for the first time.
    pub(super) missed: Option<Millis>,
    /// How often nobody had it.
    pub(super) rounds: u32,
    /// When everyone is asked again.
    pub(super) again: Option<Millis>,
    /// When another peer is asked although the earlier ones go on.
    pub(super) another: Option<Millis>,
    /// Its entry in `Bodies::due`.
    pub(super) due: Option<Millis>,
}

impl Wanted {
    /// Nobody has been asked for it yet.
    pub(super) fn new(header: &Verified<Header>, anyone: bool, now: Millis) -> Self {
        Self {
            author: header.author,
            headers: vec![header.clone()],
            late: Vec::new(),
            live: false,
            recent: false,
            providers: VecDeque::new(),
            refused: BTreeSet::new(),
            was_busy: false,
            anyone,
            asking: BTreeMap::new(),
            own_store: OwnStore::ToAsk,
            place: None,
            waiters: Vec::new(),
            stage: Stage::Missing(now),
            pushed: Pushed::default(),
            missed: None,
            rounds: 0,
            again: None,
            another: None,
            due: None,
        }
    }

    /// Whether it is wanted for nothing but what is TLP:GREEN: to ask for it is to tell of it.
    pub(super) fn is_green(&self) -> bool {
        self.headers.iter().all(|header| header.audience == Audience::Green)
    }

    /// Remembers who may have the body; first come, first asked.
    pub(super) fn provider(&mut self, peer: Peer) {
        if self.providers.len() < limits::PROVIDERS_PER_BODY && !self.providers.contains(&peer) {
            self.providers.push_back(peer);
        }
    }

    /// Whether the peer may have it: one that waits for us has not, nor one that said so.
    pub(super) fn may_ask(&self, peer: &Peer) -> bool {
        !self.refused.contains(peer)
            && !self.asking.contains_key(peer)
            && !self.waiters.iter().any(|waiter| waiter.peer == *peer)
    }

    /// Whether nobody but this peer is asked, or it is sending already: then it cannot wait for us.
    pub(super) fn rests_on(&self, peer: &Peer) -> bool {
        self.asking
            .get(peer)
            .is_some_and(|asking| asking.started || self.asking.len() == 1)
    }

    /// Another round, in which everyone may be asked.
    pub(super) fn begin_round(&mut self) {
        self.refused.clear();
        self.was_busy = false;
        self.own_store = OwnStore::ToAsk;
    }

    /// Until when each peer that is asked may be about to send something: one that shows nothing for longer than any line takes
    /// to bring a group keeps nobody else from being asked. It may wait for its own source still, and is left to that.
    pub(super) fn answers_due(&self, now: Millis) -> impl Iterator<Item = Millis> {
        let due = self
            .asking
            .values()
            .map(|asking| asking.progress + limits::BODY_PATIENCE_SLOW);
        due.filter(move |at| *at > now)
    }

    /// A peer is gone. The digest comes back when it was to bring this body.
    pub(super) fn leave(&mut self, peer: &Peer, digest: Digest) -> Option<Digest> {
        self.providers.retain(|provider| provider != peer);
        self.refused.remove(peer);
        self.waiters.retain(|waiter| waiter.peer != *peer);
        let asked = self.asking.remove(peer).is_some();
        if self.asking.is_empty() {
            self.another = self.another.filter(|_| !asked);
        }
        asked.then_some(digest)
    }
}
