//! The time, whose turn it is, and that owner's random stream.
//!
//! The C library's clock is asked before `main`, in destructors of thread-locals and in the middle of anything else, so
//! what it reads lies in constant cells without destructors.

use std::cell::{Cell, RefCell};

/// 2026-01-01T00:00:00Z: the wall time at which each world begins.
pub const EPOCH_S: u64 = 1_767_225_600;

/// Outside a simulation.
const OFF: u64 = u64::MAX;
/// The step of splitmix64, by which each stream also keeps away from its neighbours'.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(OFF) };
    static CURRENT: Cell<Owner> = const { Cell::new(Owner::WORLD) };
    static STREAM: Cell<Stream> = const { Cell::new(Stream { state: 0, skew: 0 }) };
    static SEED: Cell<u64> = const { Cell::new(0) };
    /// The streams of those whose turn it is not.
    static WAITING: RefCell<Vec<Stream>> = const { RefCell::new(Vec::new()) };
}

/// For whom something runs: a node by its number, or the world itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner(u32);

impl Owner {
    /// The world: what belongs to no node.
    pub const WORLD: Self = Self(0);

    /// The node of this number, from zero.
    pub fn node(number: usize) -> Self {
        Self(u32::try_from(number).expect("a world has fewer nodes") + 1)
    }

    fn place(self) -> usize {
        self.0 as usize
    }
}

/// What an owner has of its own: where its randomness stands, and by how many ns its wall clock is wrong.
#[derive(Clone, Copy, Debug)]
struct Stream {
    state: u64,
    skew: i64,
}

impl Stream {
    fn new(owner: usize) -> Self {
        // Mixed, because states that are a few steps apart would give the same numbers a few steps later.
        let mut mixing = SEED.get() ^ mixed(owner as u64 ^ GOLDEN);
        mixing = mixed(mixing);
        Self { state: mixing, skew: 0 }
    }
}

fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Nanoseconds since the world began; none outside a simulation.
pub fn now() -> Option<u64> {
    let now = NOW.get();
    (now != OFF).then_some(now)
}

/// Whose turn it is.
pub fn current() -> Owner {
    CURRENT.get()
}

/// The next 64 random bits of whoever's turn it is.
pub fn chance() -> u64 {
    let mut stream = STREAM.get();
    stream.state = stream.state.wrapping_add(GOLDEN);
    STREAM.set(stream);
    mixed(stream.state)
}

/// By how many ns the wall clock of whoever's turn it is runs ahead.
pub fn skew() -> i64 {
    STREAM.get().skew
}

/// Sets by how many ns an owner's wall clock runs ahead; its monotonic clock is right in any case.
pub fn set_skew(owner: Owner, skew: i64) {
    inside(owner, || {
        let mut stream = STREAM.get();
        stream.skew = skew;
        STREAM.set(stream);
    });
}

/// Does something as this owner: with its clock and its randomness, and tasks that it spawns are the owner's.
pub fn inside<T>(owner: Owner, work: impl FnOnce() -> T) -> T {
    /// Switches back, also when `work` panics.
    struct Back(Owner);
    impl Drop for Back {
        fn drop(&mut self) {
            switch(self.0);
        }
    }
    let _back = Back(switch(owner));
    work()
}

fn switch(to: Owner) -> Owner {
    let from = CURRENT.get();
    if from != to {
        WAITING.with_borrow_mut(|waiting| {
            let most = from.place().max(to.place());
            while waiting.len() <= most {
                waiting.push(Stream::new(waiting.len()));
            }
            waiting[from.place()] = STREAM.get();
            STREAM.set(waiting[to.place()]);
        });
        CURRENT.set(to);
    }
    from
}

pub(crate) fn start(seed: u64) {
    NOW.set(0);
    SEED.set(seed);
    CURRENT.set(Owner::WORLD);
    STREAM.set(Stream::new(0));
    WAITING.take();
}

pub(crate) fn stop() {
    NOW.set(OFF);
    WAITING.take();
}

/// Time never goes back.
pub(crate) fn advance(to: u64) {
    NOW.set(to.max(NOW.get()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_has_its_own_stream_and_clock() {
        start(7);
        let (one, two) = (Owner::node(0), Owner::node(1));
        let draw = |owner| inside(owner, chance);
        let alone = [draw(one), draw(one)];
        set_skew(two, 5);
        assert_eq!((inside(one, skew), inside(two, skew)), (0, 5));
        start(7);
        let mixed = [draw(one), draw(two), draw(one)];
        assert_eq!(alone, [mixed[0], mixed[2]], "what one draws moves no other");
        assert_ne!(mixed[0], mixed[1]);
        start(8);
        assert_ne!(draw(one), alone[0], "another seed");
        stop();
    }
}
