//! Where each header stands in its log: next, known, ahead, or proof of a second history.
//!
//! `Logs` holds, for every log, its head, the ids of a recent window, and headers that came before their predecessors.
//! It decides nothing about trust; it only keeps the chains straight.

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::{PublicKey, Verified};

use crate::{
    limits,
    record::{Audience, Header, LogId, RecordId},
    time::Millis,
    wire::Head,
};

const DAY: u64 = 86_400_000;

/// Where a header stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The successor of the head, or the opening of a log.
    Next,
    /// Held already.
    Known,
    /// Behind the window: only the store can tell whether it is a repeat or a fork.
    Old,
    /// Its predecessors are missing here.
    Ahead,
    /// Further ahead than anyone should be.
    TooFar,
    /// It contradicts this held number of the same log.
    Contradicts(u64),
    /// Its author wrote two histories; nothing more is taken.
    Frozen,
    /// One opening too many in a day.
    TooManyEpochs,
}

#[derive(Debug)]
struct Log {
    seq: u64,
    id: RecordId,
    /// The ids of the last headers, by number.
    recent: BTreeMap<u64, RecordId>,
}

/// Every log that this node holds.
#[derive(Debug, Default)]
pub(super) struct Logs {
    logs: BTreeMap<LogId, Log>,
    /// Headers that came before their predecessors.
    early: BTreeMap<(LogId, u64), Verified<Header>>,
    frozen: BTreeSet<PublicKey>,
}

impl Logs {
    /// Starts from the heads in the store.
    pub(super) fn new(heads: &[Head], frozen: &[PublicKey]) -> Self {
        let mut logs = Self {
            frozen: frozen.iter().copied().collect(),
            ..Self::default()
        };
        for head in heads {
            logs.set(head.log, head.seq, RecordId::from_digest(head.id));
        }
        logs
    }

    fn set(&mut self, id: LogId, seq: u64, head: RecordId) {
        let log = self.logs.entry(id).or_insert_with(|| Log {
            seq,
            id: head,
            recent: BTreeMap::new(),
        });
        (log.seq, log.id) = (seq, head);
        log.recent.insert(seq, head);
        while log.recent.len() > limits::RECENT_PER_LOG {
            log.recent.pop_first();
        }
    }

    /// Finds the place of a header.
    pub(super) fn place(&self, header: &Verified<Header>) -> Place {
        if self.frozen.contains(&header.author) {
            return Place::Frozen;
        }
        let Some(log) = self.logs.get(&header.log()) else {
            return match header.seq {
                0 if !self.may_open(&header.log()) => Place::TooManyEpochs,
                0 => Place::Next,
                seq if seq <= limits::SEQ_AHEAD => Place::Ahead,
                _ => Place::TooFar,
            };
        };
        let ahead = header.seq.saturating_sub(log.seq);
        match ahead {
            1 if header.prev == log.id.digest() => Place::Next,
            1 => Place::Contradicts(log.seq),
            0 => match log.recent.get(&header.seq) {
                Some(id) if *id == RecordId::of(header) => Place::Known,
                Some(_) => Place::Contradicts(header.seq),
                None => Place::Old,
            },
            ahead if ahead <= limits::SEQ_AHEAD => Place::Ahead,
            _ => Place::TooFar,
        }
    }

    /// Whether its author may open this log. Openings are counted by the epochs' own times, so that every node counts
    /// alike and a late joiner is not held up.
    pub(super) fn may_open(&self, log: &LogId) -> bool {
        let day = log.epoch.0 / DAY * DAY;
        let first = LogId {
            epoch: Millis(day),
            ..*log
        };
        let last = LogId {
            epoch: Millis(day.saturating_add(DAY - 1)),
            ..*log
        };
        self.logs.range(first..=last).count() < limits::EPOCHS_PER_DAY
            && self.of(log.author).count() < limits::LOGS_PER_AUTHOR
    }

    /// Takes the next header of a log. The caller has found it to be `Place::Next`.
    pub(super) fn advance(&mut self, header: &Verified<Header>) {
        self.set(header.log(), header.seq, RecordId::of(header));
    }

    /// Keeps an early header until its predecessors are here. False when there is no room: a range request brings it
    /// again.
    pub(super) fn wait(&mut self, header: Verified<Header>) -> bool {
        let log = header.log();
        let waiting = self.early.range((log, 0)..=(log, u64::MAX)).count();
        if waiting >= limits::EARLY_PER_LOG || self.early.len() >= limits::EARLY {
            return false;
        }
        self.early.entry((log, header.seq)).or_insert(header);
        true
    }

    /// The last early header of this log that still waits.
    pub(super) fn last_early(&self, id: LogId) -> Option<u64> {
        self.early
            .range((id, 0)..=(id, u64::MAX))
            .next_back()
            .map(|((_, seq), _)| *seq)
    }

    /// The early header that follows the head now, if it is here. What the head has passed is forgotten.
    pub(super) fn successor(&mut self, id: LogId) -> Option<Verified<Header>> {
        let next = self.logs.get(&id)?.seq.checked_add(1)?;
        while let Some((place, _)) = self.early.range((id, 0)..(id, next)).next() {
            let place = *place;
            self.early.remove(&place);
        }
        self.early.remove(&(id, next))
    }

    /// Takes nothing more from this author. False when it was so already, or when too many are frozen.
    pub(super) fn freeze(&mut self, author: PublicKey) -> bool {
        if self.frozen.len() >= limits::FROZEN {
            return false;
        }
        self.early.retain(|(log, _), _| log.author != author);
        self.frozen.insert(author)
    }

    /// Whether a proof of two histories is held against this author.
    pub(super) fn is_frozen(&self, author: &PublicKey) -> bool {
        self.frozen.contains(author)
    }

    /// The head of a log.
    pub(super) fn head(&self, id: &LogId) -> Option<(u64, RecordId)> {
        self.logs.get(id).map(|log| (log.seq, log.id))
    }

    /// The heads of one author's logs, oldest epoch first within an audience.
    pub(super) fn of(&self, author: PublicKey) -> impl DoubleEndedIterator<Item = (LogId, u64, RecordId)> {
        let first = LogId {
            author,
            audience: Audience::Clear,
            epoch: Millis(0),
        };
        let last = LogId {
            author,
            audience: Audience::Other(u8::MAX),
            epoch: Millis(u64::MAX),
        };
        self.logs.range(first..=last).map(|(id, log)| (*id, log.seq, log.id))
    }

    /// The head of every log.
    pub(super) fn heads(&self) -> impl Iterator<Item = (LogId, u64, RecordId)> {
        self.logs.iter().map(|(id, log)| (*id, log.seq, log.id))
    }
}

/// Whether two verified headers prove that their author wrote two histories: two contents at one number, or a successor
/// that denies its predecessor.
pub(super) fn proves_fork(one: &Verified<Header>, two: &Verified<Header>) -> bool {
    let (first, second) = if one.seq <= two.seq { (one, two) } else { (two, one) };
    first.community == second.community
        && first.log() == second.log()
        && match second.seq - first.seq {
            0 => RecordId::of(first) != RecordId::of(second),
            1 => second.prev != RecordId::of(first).digest(),
            _ => false,
        }
}
