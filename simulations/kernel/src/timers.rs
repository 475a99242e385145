//! Who wants to be woken when: a heap of deadlines, ordered by time and then by when they were set.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::BinaryHeap,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use crate::{clock, nanos};

thread_local! {
    static TIMERS: RefCell<Timers> = RefCell::new(Timers::default());
}

/// A deadline in the heap: the time, how many were set before it, and which slot of which generation.
type Deadline = Reverse<(u64, u64, u32, u32)>;

#[derive(Default)]
struct Timers {
    heap: BinaryHeap<Deadline>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    set: u64,
}

/// Who waits. The generation moves on when the timer rings or is cancelled, and its deadline in the heap means nothing.
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
        slot.waker = Some(waker);
        self.set += 1;
        self.heap.push(Reverse((at, self.set, place, slot.generation)));
        Armed {
            at,
            place,
            generation: slot.generation,
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
}

/// One deadline of a task. Nothing rings after it was dropped.
#[derive(Debug, Default)]
pub struct Timer(Option<Armed>);

impl Timer {
    /// Wakes this waker at this time, in ns, and forgets an earlier deadline.
    pub fn arm(&mut self, at: u64, waker: &Waker) {
        if let Some(armed) = &self.0
            && armed.at == at
            && TIMERS.with_borrow_mut(|timers| {
                let slot = &mut timers.slots[armed.place as usize];
                let is_set = slot.generation == armed.generation;
                if let (true, Some(known)) = (is_set, &mut slot.waker) {
                    known.clone_from(waker);
                }
                is_set
            })
        {
            return;
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

/// How many timers are set, over all owners.
pub fn pending() -> usize {
    TIMERS.with_borrow(|timers| timers.slots.len() - timers.free.len())
}

/// Takes the next deadline that still counts, if it is not after `until`.
pub(crate) fn next(until: u64) -> Option<(u64, Option<Waker>)> {
    TIMERS.with_borrow_mut(|timers| {
        loop {
            let &Reverse((at, _, place, generation)) = timers.heap.peek()?;
            if timers.slots[place as usize].generation != generation {
                timers.heap.pop();
                continue;
            }
            if at > until {
                return None;
            }
            timers.heap.pop();
            return Some((at, timers.end(place, generation)));
        }
    })
}

pub(crate) fn clear() {
    // Dropped outside the borrow: a waker's end can be a task's end.
    let ended = TIMERS.take();
    drop(ended);
}
