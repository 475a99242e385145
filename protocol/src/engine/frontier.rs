//! What two nodes still have to tell each other about logs.
//!
//! The [`Frontier`] is the last position of every log that this node may hand on, whether it believes them or holds their
//! bodies or not. Each change of it has a number, so that a peer that names the last one it has seen is told only what
//! changed since; the digest over all of it is computed again only after a change.

use std::collections::{BTreeMap, VecDeque};

use starfish_crypto::{Digest, domain};

use crate::{
    codec, limits,
    peer::Peer,
    record::{Audience, LogId, RecordId},
    wire::{Cursor, Head, Request, Response},
};

/// Headers that some peer has and this node has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// The log.
    pub(super) log: LogId,
    /// The first number to ask for.
    pub(super) from: u64,
    /// The last number that the peer has shown.
    pub(super) to: u64,
    /// True when another record is held here at that number: fetching the peer's makes the proof.
    pub(super) disputed: bool,
    /// How often it was asked for in vain since a header beyond it came.
    pub(super) tries: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    seq: u64,
    id: Digest,
    change: u64,
}

/// The heads that this node may hand on, and what it knows of its peers' frontiers.
///
/// What is TLP:GREEN has an order of its own, and nothing of it, not even a count or a digest, is in what is said to a peer
/// that may not be told it.
#[derive(Debug)]
pub(super) struct Frontier {
    life: u64,
    clear: Order,
    green: Order,
    /// Where the last exchange with each peer ended.
    cursors: BTreeMap<Peer, Cursor>,
    /// The order in which cursors are forgotten.
    order: VecDeque<Peer>,
}

/// The heads of one audience, in the order in which they changed.
#[derive(Debug, Default)]
struct Order {
    change: u64,
    heads: BTreeMap<LogId, Entry>,
    /// The log that changed last at each change; earlier changes of the same log are gone.
    changes: BTreeMap<u64, LogId>,
    digest: Option<Digest>,
}

impl Order {
    fn note(&mut self, log: LogId, seq: u64, id: Digest) {
        let known = self.heads.get(&log).copied();
        if known.is_some_and(|entry| entry.seq > seq || (entry.seq, entry.id) == (seq, id)) {
            return;
        }
        self.change += 1;
        known.map(|entry| self.changes.remove(&entry.change));
        let change = self.change;
        self.heads.insert(log, Entry { seq, id, change });
        self.changes.insert(change, log);
        self.digest = None;
    }

    fn remove(&mut self, log: &LogId) {
        if let Some(entry) = self.heads.remove(log) {
            self.changes.remove(&entry.change);
            self.digest = None;
        }
    }

    /// Digest over every head.
    fn digest(&mut self) -> Digest {
        let heads = &self.heads;
        *self.digest.get_or_insert_with(|| {
            let heads: Vec<Head> = heads.iter().map(|(log, entry)| entry.head(*log)).collect();
            Digest::of(domain::FRONTIER, &codec::encode(&heads))
        })
    }

    /// At most so many heads that changed after this change, the last change that they cover, and whether more follow.
    fn page(&self, after: u64, most: usize) -> (Vec<Head>, u64, bool) {
        let later = self.changes.range(after.saturating_add(1)..);
        let mut later = later.filter_map(|(change, log)| self.heads.get(log).map(|entry| (*change, entry.head(*log))));
        let taken: Vec<(u64, Head)> = later.by_ref().take(most).collect();
        let more = later.next().is_some();
        let covered = match taken.last() {
            _ if !more => self.change,
            Some((change, _)) => *change,
            None => after,
        };
        (taken.into_iter().map(|(_, head)| head).collect(), covered, more)
    }
}

impl Frontier {
    /// Nothing yet. `life` is drawn anew at each start.
    pub(super) fn new(life: u64) -> Self {
        Self {
            life,
            clear: Order::default(),
            green: Order::default(),
            cursors: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// The order that a log belongs to; none of an audience that this node never hands on.
    fn order_of(&mut self, log: &LogId) -> Option<&mut Order> {
        match log.audience {
            Audience::Clear => Some(&mut self.clear),
            Audience::Green => Some(&mut self.green),
            Audience::Sealed | Audience::Other(_) => None,
        }
    }

    /// A log that may be handed on has this head now.
    pub(super) fn note(&mut self, log: LogId, seq: u64, id: RecordId) {
        if let Some(order) = self.order_of(&log) {
            order.note(log, seq, id.digest());
        }
    }

    /// How many logs may be handed on.
    pub(super) fn count(&self) -> usize {
        self.clear.heads.len() + self.green.heads.len()
    }

    /// A log may not be handed on any more.
    pub(super) fn remove(&mut self, log: &LogId) {
        if let Some(order) = self.order_of(log) {
            order.remove(log);
        }
    }

    /// Asks every peer for everything again: what was of no use before may be wanted now.
    pub(super) fn forget_cursors(&mut self) {
        self.cursors.clear();
        self.order.clear();
    }

    /// The same for one peer.
    pub(super) fn forget_cursor(&mut self, peer: &Peer) {
        if self.cursors.remove(peer).is_some() {
            self.order.retain(|known| known != peer);
        }
    }

    /// Digest over every head that this node may show a peer, which is told TLP:GREEN or not.
    fn digest(&mut self, green: bool) -> Digest {
        let clear = self.clear.digest();
        if !green {
            return clear;
        }
        let both = [clear, self.green.digest()];
        Digest::of(domain::FRONTIER, &codec::encode(&both))
    }

    /// Drawn anew at each start: a cursor with another one is of an earlier life.
    pub(super) fn life(&self) -> u64 {
        self.life
    }

    /// The question to this peer, to which this node shows what is TLP:GREEN, or does not.
    pub(super) fn query(&mut self, peer: &Peer, green: bool, statements: Digest) -> Request {
        Request::Frontier {
            heads: self.digest(green),
            statements,
            since: self.cursors.get(peer).copied(),
        }
    }

    /// The answer to a peer that sent these digests, and that is told TLP:GREEN or not. `own` are heads of the asking node's
    /// own logs that are not in the frontier: it may always learn what others hold of what it wrote.
    pub(super) fn answer(
        &mut self,
        since: Option<Cursor>,
        green: bool,
        (heads, statements): (Digest, Digest),
        mine: Digest,
        own: Vec<Head>,
    ) -> Response {
        let life = self.life;
        if heads == self.digest(green) && statements == mine {
            let cursor = Cursor {
                life,
                change: self.clear.change,
                green: if green { self.green.change } else { 0 },
            };
            return Response::Same { cursor };
        }
        let after = since.filter(|cursor| cursor.life == life);
        let most = limits::FRONTIER_HEADS - limits::OWN_HEADS;
        let (mut heads, change, mut more) = self.clear.page(after.map_or(0, |cursor| cursor.change), most);
        let mut cursor = Cursor { life, change, green: 0 };
        if green {
            let after = after.map_or(0, |cursor| cursor.green);
            let (some, change, others) = self.green.page(after, most - heads.len());
            heads.extend(some);
            (cursor.green, more) = (change, more || others);
        }
        if after.is_none() {
            heads.extend(own.into_iter().take(limits::OWN_HEADS));
        }
        Response::Heads {
            heads,
            cursor,
            more,
            statements: mine,
        }
    }

    /// Takes a peer's answer: its heads, and where to go on with it next time.
    pub(super) fn learn(&mut self, peer: &Peer, response: &Response) -> Vec<Head> {
        let (cursor, heads) = match response {
            Response::Same { cursor } => (*cursor, Vec::new()),
            Response::Heads { heads, cursor, .. } => (*cursor, heads.clone()),
            _ => return Vec::new(),
        };
        if self.cursors.insert(peer.clone(), cursor).is_none() {
            self.order.push_back(peer.clone());
            if self.order.len() > limits::CURSORS
                && let Some(oldest) = self.order.pop_front()
            {
                self.cursors.remove(&oldest);
            }
        }
        heads.into_iter().take(limits::FRONTIER_HEADS).collect()
    }
}

impl Entry {
    fn head(&self, log: LogId) -> Head {
        Head {
            log,
            seq: self.seq,
            id: self.id,
        }
    }
}
