//! All that a node takes from the world around it: [`Env`]. The daemon gives it clocks, threads and randomness of the
//! machine; a simulator gives it its own, and the same node runs in virtual time.

use std::sync::Arc;

use futures::{channel::oneshot, future::BoxFuture};
use starfish_protocol::time::{Millis, Time};

use super::event::Event;

/// Time, chance, tasks and threads. One value serves one node.
pub trait Env: Send + Sync + 'static {
    /// Monotonic milliseconds since a moment of the environment's own.
    fn now(&self) -> Millis;
    /// Milliseconds since 1970, as the machine believes.
    fn wall(&self) -> Millis;
    /// Ends after this long.
    fn sleep(&self, length: Millis) -> BoxFuture<'static, ()>;
    /// Fills the bytes with randomness.
    fn random(&self, bytes: &mut [u8]);
    /// Runs a task beside the node. It ends by itself when the node is gone.
    fn spawn(&self, task: BoxFuture<'static, ()>);
    /// Runs work that would hold up the event loop, elsewhere. It may be dropped when the environment ends.
    fn offload(&self, cost: Cost, work: Box<dyn FnOnce() + Send>);
    /// Takes what is worth a log line. Must not block.
    fn emit(&self, event: Event);
}

/// What a piece of offloaded work is and how large; a pool orders by the first, a simulator charges for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Its kind.
    pub work: Work,
    /// How many bytes it goes through.
    pub bytes: usize,
}

/// Kinds of offloaded work. What gossip waits for comes first, because an unanswered message is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// Checks signatures of gossip.
    Gossip,
    /// Checks requests and answers.
    Exchange,
    /// Writes to the store.
    Store,
    /// Reads from the store.
    Read,
    /// Decompresses and checks a body.
    Body,
}

/// Both clocks at once.
pub(crate) fn time(env: &dyn Env) -> Time {
    Time {
        mono: env.now(),
        wall: env.wall(),
    }
}

/// A number below `bound`, or 0 when that is 0. The bias of the remainder does not matter for jitter.
pub(crate) fn jitter(env: &dyn Env, bound: u64) -> u64 {
    let mut bytes = [0; 8];
    env.random(&mut bytes);
    u64::from_le_bytes(bytes).checked_rem(bound).unwrap_or(0)
}

/// Offloads a computation and gives its value; none when the environment dropped it or it panicked.
pub(crate) fn compute<T: Send + 'static>(
    env: &Arc<dyn Env>,
    cost: Cost,
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Option<T>> + Send + 'static {
    let (done, result) = oneshot::channel();
    // The receiver may be gone by then: the node ended, and so did the interest.
    env.offload(cost, Box::new(move || drop(done.send(work()))));
    async move { result.await.ok() }
}

/// An environment for tests of single parts.
#[cfg(test)]
pub(crate) mod alarms {
    use super::*;

    /// An environment whose alarms ring at once, or never.
    pub(crate) struct Alarms {
        pub(crate) ring: bool,
    }

    impl Env for Alarms {
        fn now(&self) -> Millis {
            Millis(0)
        }

        fn wall(&self) -> Millis {
            Millis(0)
        }

        fn sleep(&self, _: Millis) -> BoxFuture<'static, ()> {
            if self.ring {
                Box::pin(async {})
            } else {
                Box::pin(futures::future::pending())
            }
        }

        fn random(&self, _: &mut [u8]) {}

        fn spawn(&self, _: BoxFuture<'static, ()>) {}

        fn offload(&self, _: Cost, work: Box<dyn FnOnce() + Send>) {
            work();
        }

        fn emit(&self, _: Event) {}
    }
}
