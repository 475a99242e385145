//! Where each header stands in its log: next, known, ahead, or proof of a second history.
//!
//! `Logs` holds, for every log, its head, the ids of a recent window, and headers that came before their predecessors.
//! It decides nothing about trust; it only keeps the chains straight.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

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
    /// The same, and it waits for them already.
    Waiting,
    /// The same, and too many wait already.
    Crowded,
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
    /// The ids of the last headers, without a gap and the head's in the end, and since when they are here.
    recent: VecDeque<(RecordId, Millis)>,
}

impl Log {
    /// What is remembered of the header of this number.
    fn recent(&self, seq: u64) -> Option<&(RecordId, Millis)> {
        let back = usize::try_from(self.seq.checked_sub(seq)?).ok()?;
        self.recent.iter().rev().nth(back)
    }
}

/// Every log that this node holds.
#[derive(Debug, Default)]
pub(super) struct Logs {
    logs: BTreeMap<LogId, Log>,
    /// Headers that came before their predecessors.
    early: BTreeMap<(LogId, u64), Verified<Header>>,
    /// Logs whose predecessors were asked for in vain: their early headers leave when room is needed.
    stuck: BTreeSet<LogId>,
    /// Authors of two histories, and where the second one was seen.
    frozen: BTreeMap<PublicKey, (LogId, u64)>,
}

impl Logs {
    /// Starts from the heads and the proofs in the store.
    pub(super) fn new(heads: &[Head], frozen: impl Iterator<Item = (LogId, u64)>) -> Self {
        let mut logs = Self {
            frozen: frozen.map(|(log, seq)| (log.author, (log, seq))).collect(),
            ..Self::default()
        };
        for head in heads {
            logs.set(head.log, head.seq, RecordId::from_digest(head.id), Millis(0));
        }
        logs
    }

    fn set(&mut self, id: LogId, seq: u64, head: RecordId, since: Millis) {
        let log = self.logs.entry(id).or_insert_with(|| Log {
            seq,
            id: head,
            recent: VecDeque::new(),
        });
        if seq.checked_sub(1) != Some(log.seq) {
            log.recent.clear();
        }
        if log.recent.len() == limits::RECENT_PER_LOG {
            log.recent.pop_front();
        }
        (log.seq, log.id) = (seq, head);
        log.recent.push_back((head, since));
    }

    /// Finds the place of a header, whether its author is frozen or not.
    pub(super) fn place(&self, header: &Verified<Header>) -> Place {
        let Some(log) = self.logs.get(&header.log()) else {
            return match header.seq {
                0 if !self.may_open(&header.log()) => Place::TooManyEpochs,
                0 => Place::Next,
                seq => self.place_ahead(header, seq),
            };
        };
        let ahead = header.seq.saturating_sub(log.seq);
        match ahead {
            1 if header.prev == log.id.digest() => Place::Next,
            1 => Place::Contradicts(log.seq),
            0 => match log.recent(header.seq) {
                Some((id, _)) if *id == RecordId::of(header) => Place::Known,
                Some(_) => Place::Contradicts(header.seq),
                None => Place::Old,
            },
            ahead => self.place_ahead(header, ahead),
        }
    }

    fn place_ahead(&self, header: &Header, ahead: u64) -> Place {
        let log = header.log();
        if self.early.contains_key(&(log, header.seq)) {
            return Place::Waiting;
        }
        let waiting = self.early.range((log, 0)..=(log, u64::MAX)).count();
        let room = self.early.len() < limits::EARLY || !self.stuck.is_empty();
        match ahead {
            _ if ahead > limits::SEQ_AHEAD => Place::TooFar,
            _ if waiting < limits::EARLY_PER_LOG && room => Place::Ahead,
            _ => Place::Crowded,
        }
    }

    /// Whether its author may open this log. Openings are counted by the epochs' own times, so that a late joiner is not
    /// held up. Of an author that opens more than it may, each node keeps those that it saw first: such an author is
    /// hostile, and what it loses is its own.
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
    pub(super) fn advance(&mut self, header: &Verified<Header>, now: Millis) {
        self.set(header.log(), header.seq, RecordId::of(header), now);
    }

    /// Since when a recent header is here.
    pub(super) fn held_since(&self, header: &Header) -> Option<Millis> {
        let log = self.logs.get(&header.log())?;
        log.recent(header.seq).map(|(_, since)| *since)
    }

    /// Whether another record than this one is held at that number, as far as that is remembered.
    pub(super) fn disputes(&self, head: &Head) -> bool {
        let log = self.logs.get(&head.log);
        let held = log.and_then(|log| log.recent(head.seq));
        held.is_some_and(|(id, _)| id.digest() != head.id)
    }

    /// Keeps an early header, found to be `Place::Ahead`, until its predecessors are here.
    pub(super) fn wait(&mut self, header: Verified<Header>) {
        if self.early.len() >= limits::EARLY
            && let Some(stuck) = self.stuck.pop_first()
        {
            self.early.retain(|(log, _), _| *log != stuck);
        }
        self.early.insert((header.log(), header.seq), header);
    }

    /// The predecessors of this log's early headers were asked for in vain. They may still come by themselves.
    pub(super) fn stuck(&mut self, id: LogId) {
        if self.last_early(id).is_some() {
            self.stuck.insert(id);
        }
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
        self.stuck.remove(&id);
        self.early.remove(&(id, next))
    }

    /// Takes nothing more from this author. False when it was so already, or when too many are frozen: keys that matter
    /// to nobody may not use up the places of those that do.
    pub(super) fn freeze(&mut self, fork: (LogId, u64), relayed: bool) -> bool {
        let author = fork.0.author;
        let most = if relayed { limits::FROZEN } else { limits::FROZEN / 2 };
        if self.frozen.contains_key(&author) || self.frozen.len() >= most {
            return false;
        }
        self.early.retain(|(log, _), _| log.author != author);
        self.stuck.retain(|log| log.author != author);
        self.frozen.insert(author, fork);
        true
    }

    /// Takes this author's headers again.
    pub(super) fn reopen(&mut self, author: &PublicKey) {
        self.frozen.remove(author);
    }

    /// Where this author was seen to write a second history, if it was.
    pub(super) fn fork_of(&self, author: &PublicKey) -> Option<(LogId, u64)> {
        self.frozen.get(author).copied()
    }

    /// The authors of two histories.
    pub(super) fn frozen(&self) -> impl Iterator<Item = &PublicKey> {
        self.frozen.keys()
    }

    /// Whether a proof of two histories is held against this author.
    pub(super) fn is_frozen(&self, author: &PublicKey) -> bool {
        self.frozen.contains_key(author)
    }

    /// The head of a log.
    pub(super) fn head(&self, id: &LogId) -> Option<(u64, RecordId)> {
        self.logs.get(id).map(|log| (log.seq, log.id))
    }

    /// How many records the logs of an audience have.
    pub(super) fn records_of(&self, audience: Audience) -> u64 {
        let logs = self.logs.iter().filter(|(id, _)| id.audience == audience);
        logs.fold(0, |sum, (_, log)| sum.saturating_add(log.seq).saturating_add(1))
    }

    /// How many logs are held.
    pub(super) fn count(&self) -> usize {
        self.logs.len()
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

#[cfg(test)]
mod tests {
    use starfish_crypto::Digest;

    use super::*;
    use crate::exercise::{Identity, identity::addresses};

    fn early(author: u64, epoch: u64, seq: u64) -> Verified<Header> {
        Identity::numbered(author).header(&addresses(1, 1), |header| {
            (header.epoch, header.seq, header.prev) = (Millis(epoch), seq, header.body_digest);
        })
    }

    /// As many early headers as there is room for, in sixteen logs of one author.
    fn crowded() -> Logs {
        let mut logs = Logs::default();
        for number in 0..limits::EARLY as u64 {
            let (epoch, seq) = (
                number / limits::EARLY_PER_LOG as u64,
                number % limits::EARLY_PER_LOG as u64,
            );
            logs.wait(early(1, epoch, seq + 1));
        }
        logs
    }

    #[test]
    fn a_window_behind_the_head_is_remembered() {
        let mut logs = Logs::default();
        let last = 2 * limits::RECENT_PER_LOG as u64;
        let header = |seq: u64, count: u32| {
            Identity::numbered(1).header(&addresses(1, count), |header| {
                (header.epoch, header.seq) = (Millis(0), seq);
                header.prev = if seq == 0 { Digest::ZERO } else { header.body_digest };
            })
        };
        for seq in 0..=last {
            logs.advance(&header(seq, 1), Millis(seq));
        }
        let check = |seq: u64, place: Place, since: Option<u64>| {
            assert_eq!(logs.place(&header(seq, 1)), place, "{seq}");
            assert_eq!(logs.held_since(&header(seq, 1)), since.map(Millis), "{seq}");
        };
        let first = last + 1 - limits::RECENT_PER_LOG as u64;
        check(0, Place::Old, None);
        check(first - 1, Place::Old, None);
        check(first, Place::Known, Some(first));
        check(last, Place::Known, Some(last));
        assert_eq!(logs.place(&header(first, 2)), Place::Contradicts(first));
        assert_eq!(logs.place(&header(first - 1, 2)), Place::Old);
    }

    #[test]
    fn early_headers_that_wait_in_vain_make_room() {
        let mut logs = crowded();
        let other = early(2, 0, 5);
        assert_eq!(logs.place(&other), Place::Crowded);
        assert_eq!(logs.place(&early(1, 3, 7)), Place::Waiting);
        logs.stuck(early(1, 3, 7).log());
        assert_eq!(logs.place(&other), Place::Ahead);
        logs.wait(other.clone());
        assert_eq!(logs.last_early(other.log()), Some(5));
        assert_eq!(logs.last_early(early(1, 3, 7).log()), None);
        assert_eq!(
            logs.last_early(early(1, 4, 7).log()),
            Some(limits::EARLY_PER_LOG as u64)
        );
    }

    #[test]
    fn keys_that_matter_to_nobody_leave_room_for_those_that_do() {
        let mut logs = Logs::default();
        let fork = |number: u64| {
            let mut bytes = [0; 32];
            bytes
                .iter_mut()
                .zip(number.to_le_bytes())
                .for_each(|(byte, value)| *byte = value);
            let log = LogId {
                author: PublicKey::from_bytes(bytes),
                audience: Audience::Clear,
                epoch: Millis(0),
            };
            (log, 1)
        };
        assert!((0..limits::FROZEN as u64 / 2).all(|number| logs.freeze(fork(number), false)));
        assert!(!logs.freeze(fork(u64::MAX), false));
        assert!(logs.freeze(fork(u64::MAX), true));
    }
}
