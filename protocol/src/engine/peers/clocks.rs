//! Time that can be wrong: a node whose clock jumps, or disagrees with its peers, deletes nothing and says so.
//!
//! Three witnesses speak: the time that passed since the start, the highest time that an earlier life was sure of, and the
//! clocks of the peers that are connected by right (guests could be many and lie). Of `limits::CLOCKS` or more peers the
//! median counts. Of fewer any counts that says that this clock is ahead: what is deleted too early does not come back,
//! and what is deleted too late only when a neighbour with a broken clock has left does no harm.

use crate::{codec, limits, time::Millis};

use super::super::{
    Engine,
    port::{Change, Event, Output},
};

/// The setting that holds the highest wall time this node was sure of, as `Millis`.
pub const HIGHEST_WALL: &str = "highest_wall";

const TOLERANCE: i64 = limits::CLOCK_TOLERANCE.0 as i64;

impl Engine {
    /// Removes what expired, and lets what was put off begin, unless the clock may be wrong.
    pub(in crate::engine) fn expire_when_due(&mut self) {
        if self.now.mono < self.next_expiry {
            return;
        }
        self.next_expiry = self.now.mono + limits::EXPIRE_EVERY;
        if !self.clock_holds() {
            return;
        }
        let wall = self.now.wall;
        self.highest_wall = self.highest_wall.max(wall);
        if wall >= self.stored_wall + limits::HIGHEST_WALL_STEP {
            self.stored_wall = wall;
            self.step
                .changes
                .push(Change::Setting(HIGHEST_WALL, codec::encode(&wall)));
        }
        self.step.changes.push(Change::Expire(wall));
        self.recover();
    }

    fn clock_holds(&mut self) -> bool {
        let wall = self.now.wall;
        let passed = |since: crate::time::Time| since.wall + Millis(self.now.mono.0.saturating_sub(since.mono.0));
        let expected = self.started.map_or(wall, passed);
        let (by_peers, counts) = self.difference_from_peers();
        let mut holds = true;
        let mut worst = 0;
        let witnesses = [
            (Some(difference(wall, expected)), true),
            (Some(difference(wall, self.highest_wall).min(0)), true),
            (by_peers, counts),
        ];
        for (found, counts) in witnesses {
            let Some(found) = found.filter(|found| found.unsigned_abs() > limits::CLOCK_TOLERANCE.0) else {
                continue;
            };
            holds &= !counts;
            worst = if found.unsigned_abs() > i64::unsigned_abs(worst) {
                found
            } else {
                worst
            };
        }
        if worst != 0 {
            self.out.push(Output::Event(Event::ClockDisagrees(worst)));
        }
        holds
    }

    /// How far this clock is ahead of the peers', if they are there, and whether that is reason enough to delete nothing.
    fn difference_from_peers(&self) -> (Option<i64>, bool) {
        let differences = self.differences(None);
        let median = differences.get(differences.len() / 2).copied();
        if differences.len() >= limits::CLOCKS {
            return (median, true);
        }
        let ahead = differences.last().copied().filter(|most| *most > TOLERANCE);
        (ahead.or(median), ahead.is_some())
    }

    /// Whether most of the peers whose clocks were told lately would take our time for the future.
    pub(in crate::engine) fn is_ahead_of_peers(&self) -> bool {
        let differences = self.differences(Some(limits::CLOCK_FRESH));
        let median = differences.get(differences.len().saturating_sub(1) / 2);
        median.is_some_and(|ahead| *ahead > TOLERANCE)
    }

    /// How far this clock is ahead of those of the peers whose organisations are believed, rising: to be let in is not to be asked.
    fn differences(&self, within: Option<Millis>) -> Vec<i64> {
        let trusted = self.peers.values().filter(|state| self.trust.judge(state.org).believe);
        let mut differences: Vec<i64> = trusted
            .filter_map(|state| state.clock)
            .filter_map(|clock| {
                let since = Millis(self.now.mono.0.saturating_sub(clock.mono.0));
                let theirs = clock.wall + since;
                let fresh = within.is_none_or(|within| since <= within);
                fresh.then(|| difference(self.now.wall, theirs))
            })
            .collect();
        differences.sort_unstable();
        differences
    }
}

/// How far `one` is after `other`, in ms.
fn difference(one: Millis, other: Millis) -> i64 {
    let apart = i64::try_from(one.0.abs_diff(other.0)).unwrap_or(i64::MAX);
    if one >= other { apart } else { -apart }
}
