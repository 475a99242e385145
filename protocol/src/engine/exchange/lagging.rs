//! Logs in which some peer was seen ahead of us and which nobody could give so far: asked of the next peers in turn, and
//! ever more seldom when it is in vain, but never forgotten while their authors matter.

use std::collections::BTreeMap;

use starfish_crypto::PublicKey;

use crate::{limits, record::LogId, time::Millis};

use super::super::{frontier::Gap, logs::Logs};

/// How far ahead, and how often it was asked for since.
#[derive(Debug, Clone, Copy)]
struct Lag {
    to: u64,
    tries: u32,
    /// What comes next bears a time that our clock takes for the future until then.
    early: Millis,
}

/// The logs that lag, and where the next look at them begins.
#[derive(Debug, Default)]
pub(in crate::engine) struct Lagging {
    logs: BTreeMap<LogId, Lag>,
    after: Option<LogId>,
    overflowed: bool,
}

impl Lagging {
    /// How many there are.
    #[cfg(any(test, feature = "exercise"))]
    pub(in crate::engine) fn len(&self) -> usize {
        self.logs.len()
    }

    /// Remembers that somebody has more of this log. When there is no room, the one that was asked for most often goes.
    pub(super) fn insert(&mut self, log: LogId, to: u64) {
        if self.logs.len() >= limits::LAGGING && !self.logs.contains_key(&log) {
            self.overflowed = true;
            let most = self.logs.iter().max_by_key(|(_, lag)| lag.tries);
            let Some(most) = most.filter(|(_, lag)| lag.tries > 0).map(|(log, _)| *log) else {
                return;
            };
            self.logs.remove(&most);
        }
        let fresh = Lag {
            to,
            tries: 0,
            early: Millis(0),
        };
        let lag = self.logs.entry(log).or_insert(fresh);
        if to > lag.to {
            *lag = fresh;
        }
    }

    /// It is of no use to ask before this time of the wall clock.
    pub(super) fn wait_until(&mut self, log: &LogId, wall: Millis) {
        if let Some(lag) = self.logs.get_mut(log) {
            (lag.early, lag.tries) = (wall, 0);
        }
    }

    /// Nothing more is expected of this author.
    pub(in crate::engine) fn forget(&mut self, author: &PublicKey) {
        self.logs.retain(|log, _| log.author != *author);
    }

    /// Whether some found no room since the last time: then peers have to name them again.
    pub(super) fn has_overflowed(&mut self) -> bool {
        std::mem::take(&mut self.overflowed)
    }

    /// Those whose turn it is, going round: the first tries at every look, later ones at one in many. What has come by now,
    /// or does not matter any more, is forgotten; what this peer may not be asked for waits for another one.
    pub(super) fn due(
        &mut self,
        logs: &Logs,
        wall: Millis,
        matters: impl Fn(&LogId) -> bool,
        may_ask: impl Fn(&LogId) -> bool,
    ) -> Vec<Gap> {
        self.logs
            .retain(|log, lag| matters(log) && logs.head(log).is_none_or(|(seq, _)| seq < lag.to));
        let after = self.after.take();
        let is_later = |log: &LogId| after.is_none_or(|after| *log > after);
        let (first, second): (Vec<LogId>, Vec<LogId>) = self.logs.keys().copied().partition(is_later);
        let mut due = Vec::new();
        for log in first.into_iter().chain(second) {
            if due.len() >= limits::LAGGING_PER_SYNC {
                break;
            }
            self.after = Some(log);
            let Some(lag) = self.logs.get_mut(&log).filter(|lag| lag.early <= wall && may_ask(&log)) else {
                continue;
            };
            lag.tries = lag.tries.saturating_add(1);
            if lag.tries <= limits::LAGGING_TRIES || lag.tries.is_multiple_of(limits::LAGGING_SELDOM) {
                due.push(Gap {
                    log,
                    from: 0,
                    to: lag.to,
                    disputed: false,
                    tries: 0,
                });
            }
        }
        due
    }
}
