//! Watches a publication reach every node: a [`Watching`] becomes a [`Spread`].

use std::time::{Duration, Instant};

use super::{nodes::Nodes, screen::Screen};
use crate::daemon::exit::Failure;

/// How often each node is asked. An answer takes about a millisecond.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// A clock that runs since the publication began.
#[derive(Debug)]
pub(super) struct Watching {
    began: Instant,
}

/// Which node held how much in the end, and when it had everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread {
    /// Believed observables by node.
    pub(super) held: Vec<u64>,
    /// Milliseconds until the node held everything.
    pub(super) times: Vec<Option<u64>>,
}

/// Starts the clock.
pub(super) fn begin() -> Watching {
    Watching { began: Instant::now() }
}

impl Watching {
    /// Asks the nodes until all of them hold `expected` observables, or the time is over.
    pub(super) async fn watch(
        self,
        nodes: &Nodes,
        screen: &Screen,
        expected: u64,
        within: Duration,
    ) -> Result<Spread, Failure> {
        let mut spread = Spread::default();
        let mut ticks = tokio::time::interval(ASK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let bars = screen.bars(expected);
        loop {
            ticks.tick().await;
            let statuses = nodes.statuses().await?;
            let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            spread.note(statuses.iter().map(|status| status.observables), expected, now);
            bars.show(&spread);
            if spread.times.iter().all(Option::is_some) || self.began.elapsed() >= within {
                bars.finish();
                return Ok(spread);
            }
        }
    }
}

impl Spread {
    fn note(&mut self, held: impl Iterator<Item = u64>, expected: u64, now: u64) {
        self.held = held.collect();
        self.times.resize(self.held.len(), None);
        for (time, held) in self.times.iter_mut().zip(&self.held) {
            if *held >= expected {
                time.get_or_insert(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_full_moment_counts() {
        let mut spread = Spread::default();
        spread.note([10, 0].into_iter(), 10, 5);
        assert_eq!(spread.times, [Some(5), None]);
        spread.note([10, 9].into_iter(), 10, 20);
        spread.note([10, 10].into_iter(), 10, 30);
        assert_eq!((spread.times, spread.held), (vec![Some(5), Some(30)], vec![10, 10]));
    }
}
