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
    record::{LogId, RecordId},
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
#[derive(Debug)]
pub(super) struct Frontier {
    life: u64,
    change: u64,
    heads: BTreeMap<LogId, Entry>,
    /// The log that changed last at each change; earlier changes of the same log are gone.
    changes: BTreeMap<u64, LogId>,
    digest: Option<Digest>,
    /// Where the last exchange with each peer ended.
    cursors: BTreeMap<Peer, Cursor>,
    /// The order in which cursors are forgotten.
    order: VecDeque<Peer>,
}

impl Frontier {
    /// Nothing yet. `life` is drawn anew at each start.
    pub(super) fn new(life: u64) -> Self {
        Self {
            life,
            change: 0,
            heads: BTreeMap::new(),
            changes: BTreeMap::new(),
            digest: None,
            cursors: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// A log that may be handed on has this head now.
    pub(super) fn note(&mut self, log: LogId, seq: u64, id: RecordId) {
        let id = id.digest();
        let known = self.heads.get(&log).copied();
        if known.is_some_and(|entry| entry.seq > seq || (entry.seq, entry.id) == (seq, id)) {
            return;
        }
        self.change += 1;
        known.map(|entry| self.changes.remove(&entry.change));
        self.heads.insert(
            log,
            Entry {
                seq,
                id,
                change: self.change,
            },
        );
        self.changes.insert(self.change, log);
        self.digest = None;
    }

    /// How many logs may be handed on.
    pub(super) fn count(&self) -> usize {
        self.heads.len()
    }

    /// A log may not be handed on any more.
    pub(super) fn remove(&mut self, log: &LogId) {
        if let Some(entry) = self.heads.remove(log) {
            self.changes.remove(&entry.change);
            self.digest = None;
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

    /// Digest over every head.
    fn digest(&mut self) -> Digest {
        if let Some(digest) = self.digest {
            return digest;
        }
        let heads: Vec<Head> = self.heads.iter().map(|(log, entry)| entry.head(*log)).collect();
        let digest = Digest::of(domain::FRONTIER, &codec::encode(&heads));
        self.digest = Some(digest);
        digest
    }

    /// Drawn anew at each start: a cursor with another one is of an earlier life.
    pub(super) fn life(&self) -> u64 {
        self.life
    }

    /// The question to this peer.
    pub(super) fn query(&mut self, peer: &Peer, statements: Digest) -> Request {
        Request::Frontier {
            heads: self.digest(),
            statements,
            since: self.cursors.get(peer).copied(),
        }
    }

    /// The answer to a peer that sent these digests. `own` are heads of the asking node's own logs that are not in the
    /// frontier: it may always learn what others hold of what it wrote.
    pub(super) fn answer(
        &mut self,
        since: Option<Cursor>,
        heads: Digest,
        statements: Digest,
        mine: Digest,
        own: Vec<Head>,
    ) -> Response {
        if heads == self.digest() && statements == mine {
            return Response::Same {
                cursor: Cursor {
                    life: self.life,
                    change: self.change,
                },
            };
        }
        let after = since
            .filter(|cursor| cursor.life == self.life)
            .map(|cursor| cursor.change);
        let first = after.map_or(0, |change| change.saturating_add(1));
        let most = limits::FRONTIER_HEADS - limits::OWN_HEADS;
        let mut page = self
            .changes
            .range(first..)
            .filter_map(|(change, log)| self.heads.get(log).map(|entry| (*change, entry.head(*log))));
        let taken: Vec<(u64, Head)> = page.by_ref().take(most).collect();
        let more = page.next().is_some();
        let change = if more {
            taken.last().map_or(self.change, |(change, _)| *change)
        } else {
            self.change
        };
        let mut heads: Vec<Head> = taken.into_iter().map(|(_, head)| head).collect();
        if after.is_none() {
            heads.extend(own.into_iter().take(limits::OWN_HEADS));
        }
        Response::Heads {
            heads,
            cursor: Cursor {
                life: self.life,
                change,
            },
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
