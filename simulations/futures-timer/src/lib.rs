//! The `futures-timer` crate's face over the simulator's clock: [`Delay`], the only timer that libp2p knows.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use starfish_sim_kernel::{Timer, nanos, now};

/// Ends after a length of virtual time.
#[derive(Debug)]
pub struct Delay {
    at: u64,
    timer: Timer,
}

impl Delay {
    /// Ends after this long.
    ///
    /// # Panics
    /// Outside a simulation: a program that got this crate by mistake shows it at once.
    pub fn new(length: Duration) -> Self {
        Self {
            at: after(length),
            timer: Timer::default(),
        }
    }

    /// Begins anew.
    ///
    /// # Panics
    /// Outside a simulation.
    pub fn reset(&mut self, length: Duration) {
        self.timer.cancel();
        self.at = after(length);
    }
}

fn after(length: Duration) -> u64 {
    let now =
        now().expect("this futures-timer works inside a simulation only; the daemon must be built with the real one");
    now.saturating_add(nanos(length))
}

impl Future for Delay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        if now().is_none_or(|now| now >= at) {
            self.timer.cancel();
            return Poll::Ready(());
        }
        self.timer.arm(at, cx.waker());
        Poll::Pending
    }
}
