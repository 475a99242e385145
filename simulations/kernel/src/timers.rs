//! Who wants to be woken when: deadlines, ordered by time and then by when they were set.
//!
//! Only those of the next span of time are in order. Most of the others are cancelled before their span begins, and cost no
//! more than a place in a list.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    future::Future,
    pin::Pin,
    ptr,
    task::{Context, Poll, Waker},
    time::Duration,
};

use crate::{clock, nanos};

thread_local! {
    static TIMERS: RefCell<Timers> = RefCell::new(Timers::default());
}

/// The length of a span as a power of two of ns: 2^20 is a millisecond.
const SPAN: u32 = 20;

/// A deadline: the time, how many were set before it, and which slot of which generation.
type Deadline = Reverse<(u64, u64, u32, u32)>;

#[derive(Default)]
struct Timers {
    /// The deadlines up to the end of `span`, in order.
    near: BinaryHeap<Deadline>,
    span: u64,
    /// Those of later spans, as they were set.
    far: BTreeMap<u64, Vec<Deadline>>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    set: u64,
}

/// Who waits. The generation moves on when the timer rings or is cancelled, and its deadline means nothing.
#[derive(Default)]
struct Slot {
    generation: u32,
    waker: Option<Waker>,
}

impl Timers {
    fn set(&mut self, at: u64, waker: Waker) -> Armed {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).expect("memory ends before")
        });
        let slot = &mut self.slots[place as usize];
        let wakes = name_of(&waker);
        slot.waker = Some(waker);
        self.set += 1;
        let deadline = Reverse((at, self.set, place, slot.generation));
        let span = at >> SPAN;
        if span <= self.span {
            self.near.push(deadline);
        } else {
            self.far.entry(span).or_default().push(deadline);
        }
        Armed {
            at,
            place,
            generation: slot.generation,
            wakes,
        }
    }

    fn counts(slots: &[Slot], &Reverse((_, _, place, generation)): &Deadline) -> bool {
        slots[place as usize].generation == generation
    }

    /// The first deadline that counts.
    fn first(&mut self) -> Option<Deadline> {
        loop {
            while let Some(deadline) = self.near.peek() {
                if Self::counts(&self.slots, deadline) {
                    return Some(*deadline);
                }
                self.near.pop();
            }
            let (span, deadlines) = self.far.pop_first()?;
            self.span = span;
            let counting = deadlines
                .into_iter()
                .filter(|deadline| Self::counts(&self.slots, deadline));
            self.near.extend(counting);
        }
    }

    /// Frees the slot, unless it did ring. The waker is dropped by the caller, because that can run anything.
    fn end(&mut self, place: u32, generation: u32) -> Option<Waker> {
        let slot = self.slots.get_mut(place as usize)?;
        if slot.generation != generation {
            return None;
        }
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(place);
        slot.waker.take()
    }
}

#[derive(Debug)]
struct Armed {
    at: u64,
    place: u32,
    generation: u32,
    /// The name of the waker.
    wakes: (usize, usize),
}

/// Whom a waker wakes, for as long as somebody holds it.
fn name_of(waker: &Waker) -> (usize, usize) {
    (waker.data().addr(), ptr::from_ref(waker.vtable()).addr())
}

/// One deadline of a task. Nothing rings after it was dropped.
#[derive(Debug, Default)]
pub struct Timer(Option<Armed>);

impl Timer {
    /// Wakes this waker at this time, in ns, and forgets an earlier deadline.
    pub fn arm(&mut self, at: u64, waker: &Waker) {
        if let Some(armed) = &mut self.0
            && armed.at == at
        {
            // Most arm again as they did before, each time they are polled. What is to come has not rung, and holds its waker,
            // so that no other one has this name.
            if armed.wakes == name_of(waker) && clock::now().is_some_and(|now| now < at) {
                return;
            }
            let is_set = TIMERS.with_borrow_mut(|timers| {
                let slot = &mut timers.slots[armed.place as usize];
                let is_set = slot.generation == armed.generation;
                if let (true, Some(known)) = (is_set, &mut slot.waker) {
                    known.clone_from(waker);
                }
                is_set
            });
            if is_set {
                armed.wakes = name_of(waker);
                return;
            }
        }
        self.cancel();
        self.0 = Some(TIMERS.with_borrow_mut(|timers| timers.set(at, waker.clone())));
    }

    /// Forgets the deadline.
    pub fn cancel(&mut self) {
        if let Some(armed) = self.0.take() {
            // After the thread's own end there is nothing left to cancel.
            let ended = TIMERS.try_with(|timers| timers.borrow_mut().end(armed.place, armed.generation));
            drop(ended);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Ends at a time.
#[derive(Debug)]
pub struct Sleep {
    at: u64,
    timer: Timer,
}

/// Ends after this long.
///
/// # Panics
/// Outside a simulation, where nothing would ever wake it.
pub fn sleep(length: Duration) -> Sleep {
    let now = clock::now().expect("virtual time sleeps inside a simulation only");
    Sleep {
        at: now.saturating_add(nanos(length)),
        timer: Timer::default(),
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if clock::now().is_none_or(|now| now >= self.at) {
            self.timer.cancel();
            return Poll::Ready(());
        }
        let at = self.at;
        self.timer.arm(at, cx.waker());
        Poll::Pending
    }
}

/// Takes the next deadline that still counts, if it is not after `until`.
pub(crate) fn next(until: u64) -> Option<(u64, Option<Waker>)> {
    TIMERS.with_borrow_mut(|timers| {
        let Reverse((at, _, place, generation)) = timers.first()?;
        if at > until {
            return None;
        }
        timers.near.pop();
        Some((at, timers.end(place, generation)))
    })
}

pub(crate) fn clear() {
    // Dropped outside the borrow: a waker's end can be a task's end.
    let ended = TIMERS.take();
    drop(ended);
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn deadlines_ring_in_order_over_all_spans() {
        let mut timers = Timers::default();
        let mut state = 7_u64;
        let mut chance = || {
            state = state.wrapping_mul(0xD129_42E5_8CCB_5F67).wrapping_add(1);
            state >> 33
        };
        let mut expected = Vec::new();
        let mut now = 0;
        for round in 0..10_000 {
            // Now and then close by, even the same moment again; most of them some spans away.
            let length = if round % 8 == 0 {
                chance() % 3
            } else {
                chance() % (50 << SPAN)
            };
            let armed = timers.set(now + length, Waker::noop().clone());
            if round % 3 == 0 {
                timers.end(armed.place, armed.generation);
            } else {
                expected.push((armed.at, timers.set));
            }
            if round % 5 == 0 {
                expected.sort_unstable();
                let first = timers.first().map(|Reverse((at, set, ..))| (at, set));
                assert_eq!(first, expected.first().copied(), "{round}");
                if let Some(Reverse((at, _, place, generation))) = timers.first() {
                    timers.near.pop();
                    timers.end(place, generation);
                    expected.remove(0);
                    now = at;
                }
            }
        }
        assert!(now > 3 << SPAN, "some spans went by");
    }
}
