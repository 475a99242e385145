//! What is going on with each connected peer: how many bodies are asked of it, which of its requests wait here, and how
//! quick it is.

use std::collections::BTreeMap;

use starfish_crypto::{Digest, PublicKey};

use super::super::port::Ticket;
use crate::{limits, peer::Peer, time::Millis};

#[derive(Debug, Default)]
struct Neighbour {
    key: Option<PublicKey>,
    /// It is connected by right, and no guest.
    by_right: bool,
    /// It may be told TLP:GREEN.
    green: bool,
    asks: usize,
    /// Of these, the ones that take their share of the line: something came lately, or may be about to.
    coming: usize,
    /// Its requests that wait here.
    waiting: BTreeMap<Ticket, Digest>,
    round_trip: Millis,
    /// How long a group of 16 KiB from it takes, if it has the line for itself; none before there were any.
    gap: Option<Millis>,
    caught_up: bool,
}

/// The connected peers.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    all: BTreeMap<Peer, Neighbour>,
    /// How many requests take their share of the line, over all peers.
    coming: usize,
    /// Something happened after which a peer may have room that had none.
    changed: bool,
}

impl Neighbours {
    pub(super) fn insert(&mut self, peer: &Peer, key: Option<PublicKey>) {
        self.all.entry(peer.clone()).or_default().key = key;
        self.changed = true;
    }

    pub(super) fn stands(&mut self, peer: &Peer, by_right: bool, green: bool) {
        self.change(peer, |neighbour| {
            (neighbour.by_right, neighbour.green) = (by_right, green)
        });
    }

    /// Whether the peer is connected by right.
    pub(super) fn is_by_right(&self, peer: &Peer) -> bool {
        self.all.get(peer).is_some_and(|neighbour| neighbour.by_right)
    }

    /// Whether the peer may be told of what is TLP:GREEN.
    pub(super) fn is_confided_in(&self, peer: &Peer) -> bool {
        self.all.get(peer).is_some_and(|neighbour| neighbour.green)
    }

    pub(super) fn remove(&mut self, peer: &Peer) {
        if let Some(gone) = self.all.remove(peer) {
            self.coming = self.coming.saturating_sub(gone.coming);
            self.changed = true;
        }
    }

    /// What this peer holds is known from now on.
    pub(super) fn caught_up(&mut self, peer: &Peer) {
        self.change(peer, |neighbour| neighbour.caught_up = true);
    }

    fn change(&mut self, peer: &Peer, change: impl FnOnce(&mut Neighbour)) {
        if let Some(neighbour) = self.all.get_mut(peer) {
            change(neighbour);
            self.changed = true;
        }
    }

    /// Somebody may be asked who might not before.
    pub(super) fn note_change(&mut self) {
        self.changed = true;
    }

    /// Whether a peer may have room, since this was last asked, that had none before.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Whether the peer is there and may be asked: for the body of an older record only when it is known what else it
    /// holds.
    pub(super) fn may_ask(&self, peer: &Peer, live: bool) -> bool {
        self.all.get(peer).is_some_and(|neighbour| live || neighbour.caught_up)
    }

    /// Whether this peer is the node with this key.
    pub(super) fn is(&self, peer: &Peer, key: &PublicKey) -> bool {
        self.all
            .get(peer)
            .is_some_and(|neighbour| neighbour.key.as_ref() == Some(key))
    }

    /// Smooths the time of a round trip: an eighth of each new one.
    pub(super) fn round_trip(&mut self, peer: &Peer, took: Millis) {
        if let Some(neighbour) = self.all.get_mut(peer) {
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
        self.change(peer, |neighbour| {
            let old = neighbour.gap.unwrap_or(took).0;
            neighbour.gap = Some(Millis(old.saturating_mul(3).saturating_add(took.0) / 4));
        });
    }

    /// What the line can carry is what the quickest peer got through it: a slow one cannot make it look slow.
    fn gap(&self) -> Millis {
        let gaps = self.all.values().filter_map(|neighbour| neighbour.gap);
        gaps.min().unwrap_or_default()
    }

    /// How long this peer may send nothing before another one is asked besides, while so many bodies come in. How far it is
    /// counts until it has begun: what follows comes without being asked for.
    pub(super) fn patience(&self, peer: &Peer, has_begun: bool, under_way: usize) -> Millis {
        let turns = Self::turns(self.gap(), under_way);
        if has_begun { turns } else { turns.max(self.way(peer)) }
    }

    /// How long it may send nothing before its share of the line is left to others: what its own groups take, however quick a
    /// neighbour in the next room is.
    pub(super) fn share_lasts(&self, peer: &Peer, under_way: usize) -> Millis {
        let own = self.all.get(peer).and_then(|neighbour| neighbour.gap);
        Self::turns(own.unwrap_or_else(|| self.gap()), under_way).max(self.way(peer))
    }

    /// There and back, and half of that again.
    fn way(&self, peer: &Peer) -> Millis {
        let round_trip = self.all.get(peer).map_or(0, |neighbour| neighbour.round_trip.0);
        Millis(round_trip.saturating_add(round_trip / 2)).min(limits::BODY_PATIENCE_MOST)
    }

    /// The turns of two groups on a line that so many share.
    fn turns(gap: Millis, under_way: usize) -> Millis {
        let turn = gap.0.saturating_mul(under_way as u64 + 1);
        let slow = Millis(turn.saturating_mul(2)).min(limits::BODY_PATIENCE_SLOW);
        slow.max(limits::BODY_PATIENCE)
    }

    /// Lets a request of the peer wait here. False when no more may.
    pub(super) fn waits(&mut self, peer: &Peer, ticket: Ticket, digest: Digest) -> bool {
        let neighbour = self.all.get_mut(peer);
        let room = neighbour.filter(|neighbour| neighbour.waiting.len() < limits::WAITING_BODIES_PER_PEER);
        room.map(|neighbour| neighbour.waiting.insert(ticket, digest)).is_some()
    }

    /// A request of the peer waits no more; says for which body it did.
    pub(super) fn waits_no_more(&mut self, peer: &Peer, ticket: Ticket) -> Option<Digest> {
        self.all.get_mut(peer)?.waiting.remove(&ticket)
    }

    pub(super) fn has_place(&self, peer: &Peer) -> bool {
        self.all
            .get(peer)
            .is_some_and(|neighbour| neighbour.asks < limits::BODY_REQUESTS_PER_PEER)
    }

    /// Whether the peer may be asked for a body that nobody is asked for yet.
    pub(super) fn has_room(&self, peer: &Peer) -> bool {
        let neighbour = self.all.get(peer);
        neighbour.is_some_and(|neighbour| self.room(neighbour, self.gap()))
    }

    /// Whether the peer is asked for nothing.
    pub(super) fn is_idle(&self, peer: &Peer) -> bool {
        self.all.get(peer).is_some_and(|neighbour| neighbour.asks == 0)
    }

    /// Whether none of those who are there has room.
    pub(super) fn are_full(&self) -> bool {
        let line = self.gap();
        !self.all.is_empty() && !self.all.values().any(|neighbour| self.room(neighbour, line))
    }

    /// Whether one more body would still get a group within the longest patience. Asked for all at once, the bodies of a night
    /// would wait for each other on a slow line, and each of them be asked for a second and a third time.
    ///
    /// A peer is measured by its own groups, and what others send counts only while something comes: to keep everybody else
    /// from being asked, a peer has to fill the line in truth. One of which nothing is known, or that is quick, may always be
    /// asked for one body.
    fn room(&self, neighbour: &Neighbour, line: Millis) -> bool {
        let gap = neighbour.gap.unwrap_or(line).0;
        let in_turn = gap.saturating_mul(limits::UPLOADS_PER_PEER as u64);
        // More than it sends at a time would wait for its turn there.
        let most = if in_turn > limits::BODY_PATIENCE.0 {
            limits::UPLOADS_PER_PEER
        } else {
            limits::BODY_REQUESTS_PER_PEER
        };
        let quick = neighbour.gap.is_none_or(|gap| gap <= limits::BODY_PATIENCE);
        let others = self.coming.saturating_sub(neighbour.coming);
        let fits = gap.saturating_mul((neighbour.asks + others) as u64) < limits::BODY_PATIENCE_SLOW.0;
        neighbour.asks < most && (fits || (quick && neighbour.asks == 0))
    }

    /// Counts a request of ours to the peer.
    pub(super) fn begin(&mut self, peer: &Peer) {
        if let Some(neighbour) = self.all.get_mut(peer) {
            neighbour.asks += 1;
        }
        self.comes(peer, true);
    }

    /// Counts its end; of one that had been quiet, too.
    pub(super) fn end(&mut self, peer: &Peer, was_coming: bool) {
        if was_coming {
            self.comes(peer, false);
        }
        self.change(peer, |neighbour| neighbour.asks = neighbour.asks.saturating_sub(1));
    }

    /// A request of ours takes its share of the line, or does so no more: nothing comes.
    pub(super) fn comes(&mut self, peer: &Peer, comes: bool) {
        if let Some(neighbour) = self.all.get_mut(peer) {
            let counted = |count: usize| if comes { count + 1 } else { count.saturating_sub(1) };
            (neighbour.coming, self.coming) = (counted(neighbour.coming), counted(self.coming));
            self.changed |= !comes;
        }
    }

    /// Of the peers that pass, the one with the least to do: guests after those who are here by right, whom they could keep from
    /// being asked; the author of the body last, to spare it. Others come first every minute, because not all of them may be
    /// asked.
    pub(super) fn least_busy(
        &self,
        digest: &Digest,
        author: &PublicKey,
        passes: impl Fn(&Peer, bool) -> bool,
        now: Millis,
    ) -> Option<&Peer> {
        let minute = now.0 / limits::EXPIRE_EVERY.0;
        let rank = |(peer, neighbour): &(&Peer, &Neighbour)| {
            let is_author = neighbour.key.as_ref() == Some(author);
            let turn = turn(peer, digest, minute);
            (is_author, !neighbour.by_right, neighbour.asks, turn)
        };
        let passing = |(peer, neighbour): &(&Peer, &Neighbour)| passes(peer, neighbour.key.as_ref() == Some(author));
        self.all.iter().filter(passing).min_by_key(rank).map(|(peer, _)| peer)
    }
}

/// Sends different bodies to different peers where they are equally busy, and the same one to others in another minute.
fn turn(peer: &Peer, digest: &Digest, minute: u64) -> u64 {
    let tail = peer.as_bytes().iter().rev().take(8);
    tail.zip(digest.as_bytes()).fold(minute, |sum, (one, two)| {
        // The odd number next to 2^64 divided by the golden ratio: each bit of what is multiplied reaches the upper half.
        (sum ^ u64::from(one ^ two))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(32)
    })
}
