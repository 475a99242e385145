//! The machine as a mesh sees it: [`Machine`] gives a node the system's clocks and randomness, tokio's tasks and timers,
//! and threads of its own for work that would hold up the event loop.
//!
//! Two lanes keep the disk from holding up signatures: as many threads as cores for what computes, gossip first, and two
//! for the store, of which one is always free for reads because only one write runs at a time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use futures::future::BoxFuture;
use starfish_protocol::time::Millis;
use tokio::runtime::Handle;

use crate::mesh::{Cost, Env, Event, Work};

/// Threads of the store's lane.
const STORE_THREADS: usize = 2;

/// Takes events; called from the node's task, so it must not block.
pub type Listener = Box<dyn Fn(Event) + Send + Sync>;

/// The environment of a node that runs for real.
pub struct Machine {
    started: Instant,
    runtime: Handle,
    listener: Listener,
    computing: Lane,
    storing: Lane,
}

impl Machine {
    /// An environment on the current tokio runtime.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(listener: Listener) -> std::io::Result<Arc<Self>> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Arc::new(Self {
            started: Instant::now(),
            runtime: Handle::current(),
            listener,
            computing: Lane::new("starfish-check", cores)?,
            storing: Lane::new("starfish-store", STORE_THREADS)?,
        }))
    }
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Machine")
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

impl Env for Machine {
    fn now(&self) -> Millis {
        Millis(millis(self.started.elapsed()))
    }

    fn wall(&self) -> Millis {
        // A clock before 1970 is wrong; the rules notice that it disagrees with the peers.
        Millis(
            SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, millis),
        )
    }

    fn sleep(&self, length: Millis) -> BoxFuture<'static, ()> {
        let _inside = self.runtime.enter();
        Box::pin(tokio::time::sleep(Duration::from_millis(length.0)))
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("a system without randomness cannot run a node");
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.runtime.spawn(task);
    }

    fn offload(&self, cost: Cost, work: Box<dyn FnOnce() + Send>) {
        let lane = match cost.work {
            Work::Store | Work::Read => &self.storing,
            Work::Gossip | Work::Exchange | Work::Body => &self.computing,
        };
        lane.add(cost.work, work);
    }

    fn emit(&self, event: Event) {
        (self.listener)(event);
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

type Job = Box<dyn FnOnce() + Send>;

/// Threads that take the most urgent work first, and of equal work the oldest.
struct Lane(Arc<Queue>);

#[derive(Default)]
struct Queue {
    jobs: Mutex<Jobs>,
    added: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: BTreeMap<(Work, u64), Job>,
    count: u64,
    ended: bool,
}

impl Lane {
    fn new(name: &str, threads: usize) -> std::io::Result<Self> {
        let lane = Self(Arc::default());
        for _ in 0..threads {
            let queue = Arc::clone(&lane.0);
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || queue.work())?;
        }
        Ok(lane)
    }

    /// The queue needs no bound of its own: the mesh bounds what it has under way of each kind.
    fn add(&self, work: Work, job: Job) {
        let mut jobs = self.0.lock();
        jobs.count += 1;
        let place = (work, jobs.count);
        jobs.waiting.insert(place, job);
        drop(jobs);
        self.0.added.notify_one();
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.added.notify_all();
    }
}

impl Queue {
    /// Nothing that runs under the lock can panic, so a poisoned one holds good values.
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // A job that panics is lost, not the thread; who waits for its result is told that there is none.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
        }
    }

    fn next(&self) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            if let Some((_, job)) = jobs.waiting.pop_first() {
                return Some(job);
            }
            if jobs.ended {
                return None;
            }
            jobs = self.added.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn urgent_work_comes_first_and_a_panic_is_survived() {
        let lane = Lane::new("test", 1).expect("a thread");
        let (go, gate) = mpsc::channel::<()>();
        let (done, order) = mpsc::channel();
        lane.add(
            Work::Gossip,
            Box::new(move || gate.recv().expect("the test lets it go")),
        );
        let add = |work: Work, name: &'static str| {
            let done = done.clone();
            lane.add(work, Box::new(move || done.send(name).expect("the test listens")));
        };
        add(Work::Body, "body");
        lane.add(Work::Body, Box::new(|| panic!("a job may panic")));
        add(Work::Body, "second body");
        add(Work::Exchange, "request");
        add(Work::Gossip, "gossip");
        go.send(()).expect("the first job waits");
        let got: Vec<_> = (0..4)
            .map(|_| order.recv_timeout(Duration::from_secs(20)).expect("a job"))
            .collect();
        assert_eq!(got, ["gossip", "request", "body", "second body"]);
    }

    #[tokio::test]
    async fn time_and_chance_are_the_machine_s() {
        let machine = Machine::new(Box::new(|_| {})).expect("threads");
        let before = machine.now();
        machine.sleep(Millis(5)).await;
        assert!(machine.now().0 >= before.0 + 5);
        assert!(machine.wall().0 > 1_700_000_000_000);
        let mut chance = [[0; 16]; 2];
        chance.iter_mut().for_each(|bytes| machine.random(bytes));
        assert_ne!(chance[0], chance[1]);
    }
}
