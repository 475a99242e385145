//! Bodies leave: when they expire, some time after their withdrawal, or when the quarantine has no room or patience left.
//! The header stays: it is a place in its log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use starfish_protocol::time::Millis;

use crate::{
    ledger::{
        catalogue::{Card, EntryKind, State},
        keys::{Number, decoded, digest_key, due_key, encoded, number_of, numbered, numbered_end, pending, users_key},
    },
    store::{Space, StoreError},
};

use super::{
    ROWS, Writer,
    draft::stored_rows,
    placing::{Move, Select, home_of, indexed},
};

/// The quarantine is emptied a little below its budget, so that it is not looked through for every record that comes.
const SPARE: u64 = 16;

impl Writer<'_> {
    /// Notes that everything due by `time` is to leave.
    pub(super) fn expire(&mut self, time: Millis) -> Result<(), StoreError> {
        let noted: Option<Millis> = self
            .draft
            .get(Space::Pending, pending::EXPIRE)?
            .map(|value| decoded(&value))
            .transpose()?;
        let time = noted.map_or(time, |noted| noted.max(time));
        self.draft.put(Space::Pending, pending::EXPIRE, encoded(&time));
        Ok(())
    }

    /// Lets due records leave, until the slice is spent.
    pub(super) fn expire_some(&mut self, limit: usize) -> Result<(), StoreError> {
        while !self.is_spent(limit) {
            let Some(value) = self.draft.get(Space::Pending, pending::EXPIRE)? else {
                break;
            };
            let time: Millis = decoded(&value)?;
            // What ends at this very time has ended.
            let end = due_key(Millis(time.0.saturating_add(1)), 0);
            let due = self.draft.rows(Space::Expiry, &[], &end, ROWS)?;
            let leave =
                |writer: &mut Self, (row, _): &(Vec<u8>, Vec<u8>)| writer.leave_when_due(number_of(row)?, time, row);
            let (_, is_all) = self.work_through(&due, limit, leave)?;
            if is_all && due.len() < ROWS {
                self.draft.delete(Space::Pending, pending::EXPIRE);
            }
        }
        Ok(())
    }

    fn leave_when_due(&mut self, number: Number, time: Millis, row: &[u8]) -> Result<(), StoreError> {
        let card = self.draft.card(number)?;
        let past =
            |since: Option<Millis>, after: Millis| since.is_some_and(|since| since.0.saturating_add(after.0) <= time.0);
        let whole = card.withdrawn == card.items && !card.withheld;
        if card.expires_at <= time {
            self.remove(number, card, State::Expired, Some(EntryKind::Expired), Some(row))
        } else if card.is_present() && whole && past(card.withdrawn_at, self.options.grace) {
            self.remove(number, card, State::Purged, None, Some(row))
        } else if card.is_present() && past(card.held_since, self.options.held_for) {
            self.remove(number, card, State::Dropped, Some(EntryKind::Dropped), Some(row))
        } else {
            self.draft.begin_record(0)?;
            self.draft.delete(Space::Expiry, row);
            Ok(())
        }
    }

    /// Takes a record's body and values out; `row` is the one of the expiry index that asked for it.
    pub(super) fn remove(
        &mut self,
        number: Number,
        mut card: Card,
        state: State,
        kind: Option<EntryKind>,
        row: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let body = card.is_present().then(|| self.body(number, &card)).transpose()?;
        let values = body.as_ref().map_or([].as_slice(), indexed);
        let withdrawn = if card.withdrawn == 0 {
            Vec::new()
        } else {
            self.withdrawn_values(number, values)?
        };
        self.draft.begin_record(values.len())?;
        if let Some(row) = row {
            self.draft.delete(Space::Expiry, row);
        }
        self.draft.set_missing(number, false)?;
        if card.is_present() {
            self.release_body(number, &card, state == State::Dropped)?;
            self.count_out(number, &mut card)?;
        } else {
            self.draft
                .delete(Space::Uses, numbered(&users_key(&card.body, true), number));
        }
        let was_present = card.is_present();
        card.state = state;
        card.context.clear();
        if let Some(kind) = kind.filter(|_| was_present) {
            self.draft.enter(&mut card, kind, values.len(), None);
        }
        self.draft.put_card(number, &card);
        let shown = values.len() - withdrawn.len();
        let mut moves = Vec::new();
        if shown > 0 {
            moves.push(Move::new(Select::Except(withdrawn.clone()), Some(home_of(&card)), None));
        }
        if !withdrawn.is_empty() {
            moves.push(Move::new(Select::Only(withdrawn), Some(Space::Withdrawn), None));
        }
        let header = self.draft.header(number)?;
        self.draft.place(number, header.bytes(), values, moves)
    }

    /// The body goes with the last record that uses it. A dropped record may want it again.
    fn release_body(&mut self, number: Number, card: &Card, again: bool) -> Result<(), StoreError> {
        let key = users_key(&card.body, false);
        let mine = numbered(&key, number);
        let users = self.draft.rows(Space::Uses, &key, &numbered_end(&key), 2)?;
        if users.iter().all(|(user, _)| *user == mine) {
            self.draft.delete(Space::Bodies, digest_key(&card.body));
            self.draft.counts.bodies = self.draft.counts.bodies.saturating_sub(1);
        }
        self.draft.delete(Space::Uses, mine);
        if again {
            self.draft
                .put(Space::Uses, numbered(&users_key(&card.body, true), number), []);
        }
        Ok(())
    }

    /// Once the quarantine is over its budget, the organisation that fills the most of it loses its oldest record, again
    /// and again, until there is some room or the slice is spent.
    pub(super) fn evict_some(&mut self, limit: usize) -> Result<(), StoreError> {
        if self.is_spent(limit) || !self.draft.holds(Space::Pending, pending::EVICT)? {
            return Ok(());
        }
        let budget = self.options.held_bytes;
        self.draft.commit()?;
        let mut held: BTreeMap<Vec<u8>, VecDeque<(Number, u64)>> = BTreeMap::new();
        for (key, value) in stored_rows(self.draft.store, Space::Quarantine, &[], &[u8::MAX], usize::MAX)? {
            let length = value
                .try_into()
                .map_err(|_| StoreError::corrupt("a quarantine row without its length"))?;
            let whose = key[..key.len().saturating_sub(8)].to_vec();
            held.entry(whose)
                .or_default()
                .push_back((number_of(&key)?, u64::from(u32::from_be_bytes(length))));
        }
        let sum = |rows: &VecDeque<(Number, u64)>| rows.iter().map(|(_, length)| length).sum::<u64>();
        let mut largest: BTreeSet<(u64, Vec<u8>)> =
            held.iter().map(|(whose, rows)| (sum(rows), whose.clone())).collect();
        while self.draft.counts.held_bytes > budget - budget / SPARE {
            if self.is_spent(limit) {
                return Ok(());
            }
            let Some((total, whose)) = largest.pop_last() else {
                break;
            };
            let Some((number, length)) = held.get_mut(&whose).and_then(VecDeque::pop_front) else {
                continue;
            };
            largest.insert((total - length, whose));
            let card = self.draft.card(number)?;
            self.remove(number, card, State::Dropped, Some(EntryKind::Dropped), None)?;
            self.looked += 1;
        }
        self.draft.delete(Space::Pending, pending::EVICT);
        Ok(())
    }
}
