//! Changes that are being put together: [`Draft`], the store as it will be once they are written.
//!
//! Whatever belongs together goes into one batch with the counters. Only the index rows of a large body do not fit; they
//! are written by `placing`, under an intent.

use std::{collections::BTreeMap, mem, ops::ControlFlow};

use starfish_crypto::{Digest, Signed};
use starfish_protocol::record::RecordId;

use crate::{
    ledger::{
        catalogue::{Card, Counts, Entry, EntryKind},
        keys::{Number, decoded, encoded, meta, number_key, number_of},
    },
    store::{BATCH_KEYS, Batch, Space, Store, StoreError, Write},
};

/// A draft with more keys than this is written before the next record is taken up; one record adds some dozens.
const ROOM_KEYS: usize = BATCH_KEYS / 2;
/// Likewise for bytes: bodies are held in memory twice until they are written.
const ROOM_BYTES: usize = 4 << 20;

/// The rows of a part of a space.
pub(crate) type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// A store, and changes to it that are not written yet.
pub(crate) struct Draft<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) writes: BTreeMap<(Space, Vec<u8>), Option<Vec<u8>>>,
    bytes: usize,
    /// Values that got to another place in the index so far.
    pub(super) moved: usize,
    /// As they will be.
    pub(crate) counts: Counts,
    /// As they are in the store.
    written: Counts,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(store: &'a dyn Store, counts: Counts) -> Self {
        Self {
            store,
            writes: BTreeMap::new(),
            bytes: 0,
            moved: 0,
            counts,
            written: counts,
        }
    }

    pub(crate) fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.writes.is_empty()
            && let Some(value) = self.writes.get(&(space, key.to_vec()))
        {
            return Ok(value.clone());
        }
        self.store.get(space, key)
    }

    pub(crate) fn holds(&self, space: Space, key: &[u8]) -> Result<bool, StoreError> {
        Ok(self.get(space, key)?.is_some())
    }

    pub(crate) fn put(&mut self, space: Space, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        let value = value.into();
        self.bytes += value.len();
        self.writes.insert((space, key.into()), Some(value));
    }

    pub(crate) fn delete(&mut self, space: Space, key: impl Into<Vec<u8>>) {
        self.writes.insert((space, key.into()), None);
    }

    /// At most `limit` rows from a key on, up to `end` (exclusive).
    pub(crate) fn rows(&self, space: Space, from: &[u8], end: &[u8], limit: usize) -> Result<Rows, StoreError> {
        let changed: Vec<_> = self
            .writes
            .range((space, from.to_vec())..(space, end.to_vec()))
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect();
        let mut rows = stored_rows(self.store, space, from, end, limit + changed.len())?;
        if changed.is_empty() {
            return Ok(rows);
        }
        let mut merged: BTreeMap<_, _> = mem::take(&mut rows).into_iter().collect();
        for (key, value) in changed {
            match value {
                Some(value) => merged.insert(key, value),
                None => merged.remove(&key),
            };
        }
        Ok(merged.into_iter().take(limit).collect())
    }

    /// Whether a row from a key on has this value. Rows that are replaced count with both.
    pub(super) fn has_value(&self, space: Space, from: &[u8], value: &[u8]) -> Result<bool, StoreError> {
        let changed = self.writes.range((space, from.to_vec())..);
        let mut changed = changed.take_while(|((of, _), _)| *of == space);
        let mut found = changed.any(|(_, changed)| changed.as_deref() == Some(value));
        if !found {
            self.store.scan(space, from, &mut |_, stored| {
                found = stored == value;
                if found {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
        }
        Ok(found)
    }

    /// Makes room for one record's changes. A large one begins with nothing else unwritten.
    pub(super) fn begin(&mut self, large: bool) -> Result<(), StoreError> {
        if large || self.writes.len() > ROOM_KEYS || self.bytes > ROOM_BYTES {
            self.commit()
        } else {
            Ok(())
        }
    }

    /// Writes everything, with the counters, in one batch.
    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        if self.counts != self.written {
            let counts = encoded(&self.counts);
            self.put(Space::Meta, meta::COUNTS, counts);
        }
        let batch: Batch = self.take_writes().collect();
        if !batch.is_empty() {
            self.store.write(&batch)?;
        }
        self.written = self.counts;
        Ok(())
    }

    /// Writes everything but the counters, in one batch.
    pub(super) fn commit_rows(&mut self) -> Result<(), StoreError> {
        let batch: Batch = self.take_writes().collect();
        self.store.write(&batch)
    }

    /// The changes so far, in the order of their keys; none are left.
    pub(super) fn take_writes(&mut self) -> impl Iterator<Item = Write> + use<> {
        self.bytes = 0;
        let writes = mem::take(&mut self.writes);
        writes
            .into_iter()
            .map(|((space, key), value)| Write { space, key, value })
    }

    pub(crate) fn number(&self, record: &RecordId) -> Result<Option<Number>, StoreError> {
        self.get(Space::Ids, record.digest().as_bytes())?
            .map(|value| number_of(&value))
            .transpose()
    }

    pub(crate) fn card(&self, number: Number) -> Result<Card, StoreError> {
        let value = self.get(Space::Records, &number_key(number))?;
        decoded(&value.ok_or_else(|| StoreError::corrupt("a record without its card"))?)
    }

    pub(crate) fn put_card(&mut self, number: Number, card: &Card) {
        self.put(Space::Records, number_key(number), encoded(card));
    }

    pub(crate) fn header(&self, number: Number) -> Result<Signed, StoreError> {
        let value = self.get(Space::Headers, &number_key(number))?;
        decoded(&value.ok_or_else(|| StoreError::corrupt("a record without its header"))?)
    }

    pub(crate) fn compressed(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Space::Bodies, digest.as_bytes())
    }

    /// Writes the next line of the ledger about a record, and its serial onto the card.
    pub(crate) fn enter(&mut self, card: &mut Card, kind: EntryKind, observables: usize, cause: Option<RecordId>) {
        self.counts.serial += 1;
        card.serial = self.counts.serial;
        let entry = Entry {
            serial: self.counts.serial,
            kind,
            at: self.counts.latest,
            record: card.id,
            org: card.org,
            topic: card.topic.clone(),
            body: card.kind,
            believed: card.believed,
            observables: u32::try_from(observables).unwrap_or(u32::MAX),
            cause,
        };
        self.put(Space::Serials, entry.serial.to_be_bytes(), encoded(&entry));
    }

    /// Counts a believed record of a topic in or out.
    pub(crate) fn count_topic(&mut self, topic: &str, more: bool) -> Result<(), StoreError> {
        let held: u64 = self
            .get(Space::Topics, topic.as_bytes())?
            .map_or(Ok(0), |value| decoded(&value))?;
        match if more { held + 1 } else { held.saturating_sub(1) } {
            0 => self.delete(Space::Topics, topic),
            held => self.put(Space::Topics, topic, encoded(&held)),
        }
        Ok(())
    }

    /// A body that is wanted, or no longer.
    pub(crate) fn set_missing(&mut self, number: Number, missing: bool) -> Result<(), StoreError> {
        let key = number_key(number);
        if self.holds(Space::Missing, &key)? != missing {
            if missing {
                self.put(Space::Missing, key, []);
                self.counts.missing += 1;
            } else {
                self.delete(Space::Missing, key);
                self.counts.missing = self.counts.missing.saturating_sub(1);
            }
        }
        Ok(())
    }
}

/// At most `limit` rows of the store from a key on, up to `end` (exclusive).
pub(crate) fn stored_rows(
    store: &dyn Store,
    space: Space,
    from: &[u8],
    end: &[u8],
    limit: usize,
) -> Result<Rows, StoreError> {
    let mut rows = Rows::new();
    if limit == 0 {
        return Ok(rows);
    }
    let each = &mut |key: &[u8], value: &[u8]| {
        if key >= end {
            return ControlFlow::Break(());
        }
        rows.push((key.to_vec(), value.to_vec()));
        if rows.len() < limit {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    store.scan(space, from, each)?;
    Ok(rows)
}
