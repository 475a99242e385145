//! One node of a world: its engine while it runs, its store, and everything that it said.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use starfish_crypto::{Digest, PublicKey};

use crate::{
    engine::{
        Engine, Subscription,
        port::{Acceptance, Change, DisconnectReason, Event, Found, Outcome, Query, Ticket, Wish},
    },
    organisation::OrgId,
    peer::Peer,
    wire::{Request, Response},
};

use super::super::{Identity, Store};

/// One node: its engine while it runs, and its store, which outlives it.
#[derive(Debug)]
pub struct Node {
    /// Who it is.
    pub identity: Identity,
    /// What it holds.
    pub store: Store,
    /// Roots beside its own organisation.
    pub listed: Vec<OrgId>,
    /// What it pulls.
    pub subscription: Subscription,
    /// How far its wall clock is off.
    pub skew: i64,
    /// True while its store takes nothing.
    pub stalled: bool,
    /// How much later than it was read the engine hears what the store holds, in ms.
    pub reading: u64,
    /// After a restore.
    pub safe_mode: bool,
    /// To connect to listed roots.
    pub dial_others: bool,
    /// Commands that ended.
    pub done: BTreeMap<Ticket, Outcome>,
    /// Everything that it said.
    pub events: Vec<Event>,
    /// Strikes it counted, by peer.
    pub strikes: BTreeMap<Peer, u32>,
    /// Whom it wants to be connected to: addresses, and whether always.
    pub dialled: BTreeMap<PublicKey, (Vec<String>, Wish)>,
    /// What it asked of peers that are no nodes of this world.
    pub asked: Vec<(Peer, Ticket, Request)>,
    /// Answers that it gave to such peers, by the number of their question.
    pub answered: BTreeMap<Ticket, Response>,
    /// Peers that it disconnected, and why.
    pub disconnected: Vec<(Peer, DisconnectReason)>,
    /// Nodes that it may tell what is TLP:GREEN.
    pub confided: BTreeSet<PublicKey>,
    pub(super) engine: Option<Engine>,
    pub(super) life: u64,
    /// When this life began.
    pub(super) born: u64,
    /// Gossip seen, and what of it waits for a verdict.
    pub(super) seen: BTreeMap<Digest, Vec<u8>>,
    /// What became of gossip, by payload.
    pub(super) verdicts: Vec<Acceptance>,
    /// Requests of ours: whom, and which body.
    pub(super) asks: BTreeMap<Ticket, (Peer, Option<Digest>)>,
    /// Requests of others: who, and their ticket; none for a push.
    pub(super) requests: BTreeMap<Ticket, (Peer, Option<Ticket>)>,
    pub(super) next_request: Ticket,
    pub(super) bodies_asked: usize,
    /// How many pages of missing bodies it has read.
    pub looks: usize,
    /// Bytes of bodies that came, wanted or not.
    pub(super) body_bytes: u64,
    pub(super) waking: BTreeSet<u64>,
    /// What waits for the store, in order.
    pub(super) appends: VecDeque<(Ticket, Vec<Change>)>,
}

impl Node {
    pub(super) fn new(identity: Identity, listed: Vec<OrgId>) -> Self {
        Self {
            identity,
            store: Store::default(),
            listed,
            subscription: Subscription::default(),
            skew: 0,
            stalled: false,
            reading: 0,
            safe_mode: false,
            dial_others: false,
            done: BTreeMap::new(),
            events: Vec::new(),
            strikes: BTreeMap::new(),
            dialled: BTreeMap::new(),
            asked: Vec::new(),
            answered: BTreeMap::new(),
            disconnected: Vec::new(),
            confided: BTreeSet::new(),
            engine: None,
            life: 0,
            born: 0,
            seen: BTreeMap::new(),
            verdicts: Vec::new(),
            asks: BTreeMap::new(),
            requests: BTreeMap::new(),
            next_request: 0,
            bodies_asked: 0,
            looks: 0,
            body_bytes: 0,
            waking: BTreeSet::new(),
            appends: VecDeque::new(),
        }
    }

    /// What became of the gossip that this node was sent, in order.
    pub fn verdicts(&self) -> &[Acceptance] {
        &self.verdicts
    }

    /// Takes what was seen for new again, as it is after the time of a duplicate cache.
    pub fn forget_gossip(&mut self) {
        self.seen.clear();
    }

    pub(super) fn found(&self, query: &Query) -> Found {
        self.store.answer(query)
    }
}
