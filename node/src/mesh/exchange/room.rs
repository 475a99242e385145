//! How much this node's line carries at once: what is pushed quickly doubles it, and what is slow halves it.

use libp2p::PeerId;
use starfish_protocol::time::Millis;

/// What is sent at once before it is known how long that takes: the largest body to each peer of a mesh.
const FIRST: usize = 2 << 20;
/// The least of what is sent at once; one push always may go. A smaller one says nothing: it is quick on any line, and on a
/// slow one it waits for the others.
pub(super) const LEAST: usize = 16 << 10;
/// A push that takes longer halves the room. It is not waited for any more: it may be its peer that is slow.
pub(super) const SLOW: Millis = Millis(2_000);
/// One that takes less doubles it.
const QUICK: Millis = Millis(500);

/// How many bytes may be under way, over all peers, of what is not known to be slow.
pub(super) struct Room {
    pub(super) most: usize,
    limit: usize,
    pub(super) taken: usize,
    /// Who halved it last: one slow peer says nothing of the line by being slow again.
    slowed_by: Option<PeerId>,
}

impl Room {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            most: FIRST,
            limit,
            taken: 0,
            slowed_by: None,
        }
    }

    /// Takes so much of it, if it is there. Something always may go.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let fits = self.taken == 0 || self.taken + bytes <= self.most;
        self.taken += if fits { bytes } else { 0 };
        fits
    }

    pub(super) fn give_back(&mut self, bytes: usize) {
        self.taken -= bytes;
    }

    /// So many bytes arrived at a peer within this time.
    pub(super) fn arrived(&mut self, bytes: usize, took: Millis) {
        if bytes >= LEAST && took < QUICK {
            self.most = (self.most * 2).min(self.limit);
            self.slowed_by = None;
        }
    }

    /// So many bytes have been on their way to a peer for long.
    pub(super) fn slowed(&mut self, peer: PeerId, bytes: usize) {
        if bytes >= LEAST && self.slowed_by != Some(peer) {
            self.most = (self.most / 2).max(LEAST);
            self.slowed_by = Some(peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_slow_halves_it_and_what_is_quick_doubles_it() {
        let [one, other] = [PeerId::random(), PeerId::random()];
        let mut room = Room::new(4 << 20);
        let mut check = |change: &dyn Fn(&mut Room), expected: usize| {
            change(&mut room);
            assert_eq!(room.most, expected);
        };
        let slow = |peer: PeerId, bytes: usize| move |room: &mut Room| room.slowed(peer, bytes);
        let arrived = |bytes: usize, took: u64| move |room: &mut Room| room.arrived(bytes, Millis(took));
        check(&slow(one, LEAST), FIRST / 2);
        // One peer alone does not close the line, nor does what could not open it.
        check(&slow(one, LEAST), FIRST / 2);
        check(&slow(other, LEAST - 1), FIRST / 2);
        check(&slow(other, LEAST), FIRST / 4);
        check(&slow(one, LEAST), FIRST / 8);
        check(&arrived(LEAST - 1, 0), FIRST / 8);
        check(&arrived(LEAST, QUICK.0), FIRST / 8);
        check(&arrived(LEAST, QUICK.0 - 1), FIRST / 4);
        check(&slow(one, LEAST), FIRST / 8);
        for _ in 0..20 {
            room.slowed(one, LEAST);
            room.slowed(other, LEAST);
        }
        assert_eq!(room.most, LEAST);
        for _ in 0..20 {
            room.arrived(LEAST, Millis(0));
        }
        assert_eq!(room.most, 4 << 20);
    }

    #[test]
    fn something_always_may_go() {
        let mut room = Room::new(4 << 20);
        assert!(room.take(2 * FIRST));
        assert!(!room.take(1));
        room.give_back(2 * FIRST);
        assert!(room.take(FIRST / 2) && room.take(FIRST / 2) && !room.take(1));
        assert_eq!(room.taken, FIRST);
    }
}
