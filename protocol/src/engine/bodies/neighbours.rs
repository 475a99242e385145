//! What is going on with each connected peer: how many bodies are asked of it, which wait for their turn, how many of its
//! requests wait here, and how quick it is.

use std::collections::{BTreeMap, VecDeque};

use starfish_crypto::{Digest, PublicKey};

use crate::{limits, peer::Peer, time::Millis};

#[derive(Debug, Default)]
struct Neighbour {
    key: Option<PublicKey>,
    /// It may be told TLP:GREEN.
    green: bool,
    asks: usize,
    queue: VecDeque<Digest>,
    waits: usize,
    round_trip: Millis,
    /// How long a group of 16 KiB from it takes, if it has the line for itself; none before there were any.
    gap: Option<Millis>,
    caught_up: bool,
}

/// The connected peers.
#[derive(Debug, Default)]
pub(super) struct Neighbours(BTreeMap<Peer, Neighbour>);

impl Neighbours {
    pub(super) fn insert(&mut self, peer: &Peer, key: Option<PublicKey>) {
        self.0.entry(peer.clone()).or_default().key = key;
    }

    pub(super) fn confided_in(&mut self, peer: &Peer, may: bool) {
        if let Some(neighbour) = self.0.get_mut(peer) {
            neighbour.green = may;
        }
    }

    /// Whether the peer may be told of what is TLP:GREEN.
    pub(super) fn is_confided_in(&self, peer: &Peer) -> bool {
        self.0.get(peer).is_some_and(|neighbour| neighbour.green)
    }

    pub(super) fn remove(&mut self, peer: &Peer) {
        self.0.remove(peer);
    }

    /// What this peer holds is known from now on.
    pub(super) fn caught_up(&mut self, peer: &Peer) {
        if let Some(neighbour) = self.0.get_mut(peer) {
            neighbour.caught_up = true;
        }
    }

    /// Whether the peer is there and may be asked: for the body of an older record only when it is known what else it
    /// holds.
    pub(super) fn may_ask(&self, peer: &Peer, live: bool) -> bool {
        self.0.get(peer).is_some_and(|neighbour| live || neighbour.caught_up)
    }

    /// Whether this peer is the node with this key.
    pub(super) fn is(&self, peer: &Peer, key: &PublicKey) -> bool {
        self.0
            .get(peer)
            .is_some_and(|neighbour| neighbour.key.as_ref() == Some(key))
    }

    /// Smooths the time of a round trip: an eighth of each new one.
    pub(super) fn round_trip(&mut self, peer: &Peer, took: Millis) {
        if let Some(neighbour) = self.0.get_mut(peer) {
            let old = neighbour.round_trip.0;
            neighbour.round_trip = Millis(if old == 0 {
                took.0
            } else {
                (old.saturating_mul(7).saturating_add(took.0)) / 8
            });
        }
    }

    /// Smooths the time that a group takes: a quarter of each new one.
    pub(super) fn group_took(&mut self, peer: &Peer, took: Millis) {
        if let Some(neighbour) = self.0.get_mut(peer) {
            let old = neighbour.gap.unwrap_or(took).0;
            neighbour.gap = Some(Millis(old.saturating_mul(3).saturating_add(took.0) / 4));
        }
    }

    /// What the line can carry is what the quickest peer got through it: a slow one cannot make it look slow.
    fn gap(&self) -> Millis {
        let gaps = self.0.values().filter_map(|neighbour| neighbour.gap);
        gaps.min().unwrap_or_default()
    }

    /// How long this peer may send nothing before another one is asked besides, while so many bodies come in.
    pub(super) fn patience(&self, peer: &Peer, under_way: usize) -> Millis {
        let round_trip = self.0.get(peer).map_or(0, |neighbour| neighbour.round_trip.0);
        let far = Millis(round_trip.saturating_add(round_trip / 2)).min(limits::BODY_PATIENCE_MOST);
        let turn = self.gap().0.saturating_mul(under_way as u64 + 1);
        let slow = Millis(turn.saturating_mul(2)).min(limits::BODY_PATIENCE_SLOW);
        far.max(slow).max(limits::BODY_PATIENCE)
    }

    /// Counts a request of the peer that waits here, or its end. False when no more may wait.
    pub(super) fn waits(&mut self, peer: &Peer, begins: bool) -> bool {
        let Some(neighbour) = self.0.get_mut(peer) else {
            return false;
        };
        if begins && neighbour.waits >= limits::WAITING_BODIES_PER_PEER {
            return false;
        }
        neighbour.waits = if begins {
            neighbour.waits + 1
        } else {
            neighbour.waits.saturating_sub(1)
        };
        true
    }

    pub(super) fn has_place(&self, peer: &Peer) -> bool {
        self.0
            .get(peer)
            .is_some_and(|neighbour| neighbour.asks < limits::BODY_REQUESTS_PER_PEER)
    }

    /// Whether the peer may be asked for a body that nobody is asked for yet.
    pub(super) fn has_room(&self, peer: &Peer) -> bool {
        self.has_place(peer) && self.line_has_room()
    }

    /// Whether one more body would still get a group within the longest patience. Asked for all at once, the bodies of a night
    /// would wait for each other on a slow line, and each of them be asked for a second and a third time.
    fn line_has_room(&self) -> bool {
        let asks: u64 = self.0.values().map(|neighbour| neighbour.asks as u64).sum();
        asks == 0 || asks.saturating_mul(self.gap().0) < limits::BODY_PATIENCE_SLOW.0
    }

    /// Counts a request of ours to the peer.
    pub(super) fn begin(&mut self, peer: &Peer) {
        if let Some(neighbour) = self.0.get_mut(peer) {
            neighbour.asks += 1;
        }
    }

    /// Counts its end.
    pub(super) fn end(&mut self, peer: &Peer) {
        if let Some(neighbour) = self.0.get_mut(peer) {
            neighbour.asks = neighbour.asks.saturating_sub(1);
        }
    }

    pub(super) fn queue(&mut self, peer: &Peer, digest: Digest) {
        if let Some(neighbour) = self.0.get_mut(peer) {
            neighbour.queue.push_back(digest);
        }
    }

    pub(super) fn leave_queue(&mut self, peer: &Peer, digest: &Digest) {
        if let Some(neighbour) = self.0.get_mut(peer) {
            neighbour.queue.retain(|queued| queued != digest);
        }
    }

    /// The next body that waits for a place which is free now, if there is one.
    pub(super) fn next_queued(&mut self) -> Option<Digest> {
        if !self.line_has_room() {
            return None;
        }
        let mut peers = self.0.values_mut();
        let has_place = |neighbour: &&mut Neighbour| neighbour.asks < limits::BODY_REQUESTS_PER_PEER;
        let free = peers.find(|neighbour| !neighbour.queue.is_empty() && has_place(neighbour))?;
        free.queue.pop_front()
    }

    /// Of the peers that pass, the one with the least to do; the author of the body comes last, to spare it.
    pub(super) fn least_busy(
        &self,
        digest: &Digest,
        author: &PublicKey,
        passes: impl Fn(&Peer, bool) -> bool,
    ) -> Option<&Peer> {
        let rank = |(peer, neighbour): &(&Peer, &Neighbour)| {
            (
                neighbour.key.as_ref() == Some(author),
                neighbour.asks + neighbour.queue.len(),
                distance(peer, digest),
            )
        };
        let passing = |(peer, neighbour): &(&Peer, &Neighbour)| passes(peer, neighbour.key.as_ref() == Some(author));
        self.0.iter().filter(passing).min_by_key(rank).map(|(peer, _)| peer)
    }
}

/// Sends different bodies to different peers where they are equally busy.
fn distance(peer: &Peer, digest: &Digest) -> u8 {
    let tail = peer.as_bytes().iter().rev().take(8);
    tail.zip(digest.as_bytes())
        .fold(0, |sum: u8, (one, two)| sum.wrapping_mul(31).wrapping_add(one ^ two))
}
