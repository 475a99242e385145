//! What is on its way to a host: [`Downlink`], which carries one thing after the other, and [`Arrival`], which says when one
//! of them is there.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Never, unless the link is mended.
pub(super) const HELD: u64 = u64::MAX;

/// When something arrives. What has not reached the downlink may still have to wait there for something that is sent later
/// from nearer: until then this is the earliest time. Whoever looks at that time has the downlink serve first.
#[derive(Clone, Debug)]
pub(super) struct Arrival(Arc<AtomicU64>);

impl Arrival {
    pub(super) fn at(time: u64) -> Self {
        Self(Arc::new(AtomicU64::new(time)))
    }

    pub(super) fn held() -> Self {
        Self::at(HELD)
    }

    pub(super) fn time(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn is_held(&self) -> bool {
        self.time() == HELD
    }

    fn set(&self, time: u64) {
        self.0.store(time, Ordering::Relaxed);
    }
}

/// Something that was sent.
#[derive(Debug)]
struct Piece {
    from: usize,
    /// How long the downlink is busy with it.
    length: u64,
    arrival: Arrival,
}

/// The way into a host.
#[derive(Debug, Default)]
pub(super) struct Downlink {
    /// When it has carried all that has reached it.
    free: u64,
    /// What has not reached it: by when it does, and then by its number, so that what was sent first is carried first.
    coming: BTreeMap<(u64, u64), Piece>,
    /// What has reached it and is not carried yet, the next first.
    queue: VecDeque<((u64, u64), Piece)>,
    count: u64,
}

impl Downlink {
    /// Takes note of something from a host that reaches it at this time and keeps it busy for this long.
    pub(super) fn expect(&mut self, from: usize, reaches: u64, length: u64) -> Arrival {
        self.count += 1;
        let arrival = Arrival::at(reaches + length);
        let piece = Piece {
            from,
            length,
            arrival: arrival.clone(),
        };
        self.coming.insert((reaches, self.count), piece);
        arrival
    }

    /// Says of all that has reached it when it arrives. Whatever is sent from now on reaches it later than that.
    pub(super) fn serve(&mut self, now: u64) {
        while let Some(next) = self.coming.first_entry()
            && next.key().0 <= now
        {
            let (place, piece) = next.remove_entry();
            self.free = self.free.max(place.0) + piece.length;
            piece.arrival.set(self.free);
            self.queue.push_back((place, piece));
        }
        while self.queue.front().is_some_and(|(_, piece)| piece.arrival.time() <= now) {
            self.queue.pop_front();
        }
    }

    /// Takes off the line what is held now, by its sender and by when it reaches it, and lets what is behind it move up.
    pub(super) fn hold(&mut self, now: u64, is_held: impl Fn(usize, u64) -> bool) {
        self.serve(now);
        let begun = self
            .queue
            .front()
            .map(|(place, piece)| (*place, piece.arrival.time() - piece.length));
        self.coming.extend(self.queue.drain(..));
        self.coming.retain(|(reaches, _), piece| {
            let is_held = is_held(piece.from, *reaches);
            if is_held {
                piece.arrival.set(HELD);
            }
            !is_held
        });
        // What it was carrying is carried on, if it was not held.
        let begun = begun.filter(|(place, _)| self.coming.contains_key(place));
        self.free = begun.map_or(now, |(_, begun)| begun);
        self.serve(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_it_first_is_carried_first() {
        let mut downlink = Downlink::default();
        let far = downlink.expect(0, 400, 50);
        let near = downlink.expect(1, 10, 400);
        let later = downlink.expect(0, 400, 5);
        let times = |_: &Downlink| [&near, &far, &later].map(Arrival::time);
        assert_eq!(times(&downlink), [410, 450, 405], "at the earliest");
        downlink.serve(399);
        assert_eq!(times(&downlink), [410, 450, 405]);
        downlink.serve(405);
        assert_eq!(times(&downlink), [410, 460, 465], "one after the other");
        downlink.serve(1_000);
        let after = downlink.expect(0, 1_000, 1);
        assert_eq!((after.time(), times(&downlink)), (1_001, [410, 460, 465]));
    }

    #[test]
    fn what_is_held_makes_room() {
        let check = |held: usize, expected: [u64; 4]| {
            let mut downlink = Downlink::default();
            let pieces = [(0, 0, 100), (1, 10, 100), (0, 20, 100), (1, 150, 100)];
            let pieces = pieces.map(|(from, reaches, length)| downlink.expect(from, reaches, length));
            downlink.hold(120, |from, _| from == held);
            downlink.serve(1_000);
            assert_eq!(pieces.map(|arrival| arrival.time()), expected, "{held}");
        };
        check(2, [100, 200, 300, 400]);
        check(0, [100, 200, HELD, 300]);
        // What is next begins now, and not before.
        check(1, [100, HELD, 220, HELD]);
    }
}
