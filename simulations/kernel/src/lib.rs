//! Virtual time for one thread: a clock in nanoseconds, timers, tasks that belong to an owner, and seeded randomness.
//!
//! Everything happens on the thread that called [`enter`], one thing at a time: [`turn`] polls every task that can go on,
//! and when none can, moves the clock to the next timer. Timers of the same moment ring in the order in which they were
//! set and tasks run in the order in which they were woken, so that the same seed gives the same run.
//!
//! | part | what it does |
//! |---|---|
//! | `clock` | the time, whose turn it is, and the random stream of that owner |
//! | `timers` | who wants to be woken when |
//! | `tasks` | what runs, and for whom |
//! | `interposition` | the system calls for time and randomness of crates that ask the system, and the allocator's settings |

mod clock;
mod interposition;
mod tasks;
mod timers;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// A large world lives in small pieces, and waits for memory most of its time. This allocator lays them closer together than
/// the C library's. It asks for the time, which is the world's, and for no randomness: it changes nothing that happens.
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

pub use self::{
    clock::{EPOCH_S, Owner, chance, current, inside, now, set_skew, skew},
    interposition::{WallClock, answered, processor_time, real_time},
    tasks::{kill, most_tasks, spawn},
    timers::{Sleep, Timer, sleep},
};

/// libp2p numbers its connections and listeners over the whole process, so that a second run would differ from the first.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// Begins virtual time on this thread, at zero.
///
/// # Panics
/// When a simulation was begun in this process before.
pub fn enter(seed: u64) {
    assert!(
        !ENTERED.swap(true, Ordering::SeqCst),
        "one world a process: libp2p numbers connections over the whole process, so a second world would differ from the \
         same one run alone; run each in a process of its own (cargo nextest does)"
    );
    clock::start(seed);
}

/// Ends virtual time on this thread: tasks and timers are dropped, the clock is the system's again.
pub fn leave() {
    tasks::clear();
    timers::clear();
    clock::stop();
}

/// Runs what can go on at this moment; then, when there is a timer at `until` or earlier, moves on to it and rings it.
/// False when there was none: the clock then shows `until`.
pub fn turn(until: u64) -> bool {
    tasks::run_ready();
    match timers::next(until) {
        Some((at, waker)) => {
            clock::advance(at);
            if let Some(waker) = waker {
                waker.wake();
            }
            true
        }
        None => {
            clock::advance(until);
            false
        }
    }
}

/// A length of time in the clock's unit; 584 years at most.
pub fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}
