//! The store as it was at one moment, read in slices while it goes on changing. Whoever writes keeps, for the [`Snapshot`] that
//! is being read, what each row was that has not been read yet; so writers wait for one slice and not for all of them.
//!
//! Everything that the ledger writes goes through [`Watched`]; while nobody copies, that costs a look.

use std::{collections::BTreeMap, mem, ops::ControlFlow};

use parking_lot::{Mutex, MutexGuard};

use crate::store::{Batch, Each, Space, Store, StoreError};

/// A slice has about so many bytes of rows, or this many rows: some milliseconds of reading.
const SLICE_BYTES: usize = 1 << 20;
/// See [`SLICE_BYTES`].
const SLICE_ROWS: usize = 4_096;
/// With more bytes of earlier rows than this, changes wait until the reader has caught up: memory has an end.
const BEFORE_BYTES: usize = 64 << 20;
/// What a kept row takes beside its bytes.
const ROW_BYTES: usize = 96;

/// Rows of one space by key.
pub(super) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A store whose changes spare a snapshot.
pub(super) struct Watched<S> {
    pub(super) store: S,
    snapshot: Mutex<Option<Snapshot>>,
    /// One is read after the other.
    turn: Mutex<()>,
}

impl<S: Store> Watched<S> {
    pub(super) fn new(store: S) -> Self {
        Self {
            store,
            snapshot: Mutex::default(),
            turn: Mutex::default(),
        }
    }

    /// Waits until nobody else copies.
    pub(super) fn turn(&self) -> Turn<'_, S> {
        Turn {
            watched: self,
            _turn: self.turn.lock(),
        }
    }

    fn spare<'a>(&self, keys: impl Iterator<Item = (Space, &'a [u8])>) -> Result<(), StoreError> {
        let mut snapshot = self.snapshot.lock();
        let Some(snapshot) = snapshot.as_mut() else {
            return Ok(());
        };
        for (space, key) in keys {
            snapshot.spare(&self.store, space, key)?;
        }
        Ok(())
    }
}

/// The right to copy; what was kept for it goes with it.
pub(super) struct Turn<'a, S> {
    watched: &'a Watched<S>,
    _turn: MutexGuard<'a, ()>,
}

impl<S: Store> Turn<'_, S> {
    /// From here on the slices show the store as it is now. Nobody may be writing.
    pub(super) fn begin(&self) {
        *self.watched.snapshot.lock() = Some(Snapshot::new());
    }

    /// The next rows, in the order of spaces and keys; none at the end. Nobody may be writing.
    pub(super) fn slice(&self) -> Result<Option<(Space, Rows)>, StoreError> {
        let mut snapshot = self.watched.snapshot.lock();
        snapshot
            .as_mut()
            .map_or(Ok(None), |snapshot| snapshot.slice(&self.watched.store))
    }

    /// Whether nobody should write before more is read.
    pub(super) fn is_crowded(&self) -> bool {
        let snapshot = self.watched.snapshot.lock();
        snapshot.as_ref().is_some_and(Snapshot::is_crowded)
    }
}

impl<S> Drop for Turn<'_, S> {
    fn drop(&mut self) {
        *self.watched.snapshot.lock() = None;
    }
}

struct Snapshot {
    /// The first key that is not read; none when everything is.
    place: Option<(Space, Vec<u8>)>,
    /// What changed from there on, as it was: none where there was no row.
    before: BTreeMap<(Space, Vec<u8>), Option<Vec<u8>>>,
    bytes: usize,
}

impl Snapshot {
    fn new() -> Self {
        Self {
            place: Some((Space::ALL[0], Vec::new())),
            before: BTreeMap::new(),
            bytes: 0,
        }
    }

    fn is_crowded(&self) -> bool {
        self.bytes > BEFORE_BYTES
    }

    fn spare(&mut self, store: &impl Store, space: Space, key: &[u8]) -> Result<(), StoreError> {
        let row = (space, key.to_vec());
        let is_read = self.place.as_ref().is_none_or(|place| row < *place);
        if is_read || self.before.contains_key(&row) {
            return Ok(());
        }
        let value = store.get(space, key)?;
        self.bytes += size(key, &value);
        self.before.insert(row, value);
        Ok(())
    }

    fn slice(&mut self, store: &impl Store) -> Result<Option<(Space, Rows)>, StoreError> {
        let Some((space, from)) = self.place.take() else {
            return Ok(None);
        };
        let (mut rows, mut bytes, mut next) = (Rows::new(), 0, None);
        let each = &mut |key: &[u8], value: &[u8]| {
            bytes += key.len() + value.len();
            rows.insert(key.to_vec(), value.to_vec());
            if rows.len() < SLICE_ROWS && bytes < SLICE_BYTES {
                return ControlFlow::Continue(());
            }
            next = Some((space, [key, &[0]].concat()));
            ControlFlow::Break(())
        };
        store.scan(space, &from, each)?;
        let after = Space::ALL.get(space as usize + 1).map(|space| (*space, Vec::new()));
        self.place = next.or(after);
        let ahead = self.place.as_ref().map(|place| self.before.split_off(place));
        for ((_, key), value) in mem::replace(&mut self.before, ahead.unwrap_or_default()) {
            self.bytes = self.bytes.saturating_sub(size(&key, &value));
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        Ok(Some((space, rows)))
    }
}

fn size(key: &[u8], value: &Option<Vec<u8>>) -> usize {
    key.len() + value.as_ref().map_or(0, Vec::len) + ROW_BYTES
}

impl<S: Store> Store for Watched<S> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(space, key)
    }

    fn scan(&self, space: Space, from: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        self.store.scan(space, from, each)
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        self.spare(batch.writes().iter().map(|write| (write.space, write.key.as_slice())))?;
        self.store.write(batch)
    }

    fn add(&self, space: Space, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError> {
        self.spare(rows.iter().map(|(key, _)| (space, key.as_slice())))?;
        self.store.add(space, rows)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.store.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{conformance::rows, memory::MemoryStore};

    fn batch(space: Space, rows: impl Iterator<Item = (u32, Option<u8>)>) -> Batch {
        let mut batch = Batch::default();
        for (key, value) in rows {
            match value {
                Some(value) => batch.put(space, key.to_be_bytes(), [value]),
                None => batch.delete(space, key.to_be_bytes()),
            }
        }
        batch
    }

    /// Everything that a snapshot shows, while `meanwhile` is done after every slice.
    fn copied(watched: &Watched<MemoryStore>, mut meanwhile: impl FnMut(u32)) -> BTreeMap<(Space, Vec<u8>), Vec<u8>> {
        let turn = watched.turn();
        turn.begin();
        let (mut copied, mut slices) = (BTreeMap::new(), 0);
        while let Some((space, rows)) = turn.slice().expect("memory") {
            for (key, value) in rows {
                let row = (space, key);
                assert!(
                    copied.last_key_value().is_none_or(|(last, _)| *last < row),
                    "out of order"
                );
                copied.insert(row, value);
            }
            meanwhile(slices);
            slices += 1;
        }
        copied
    }

    #[test]
    fn it_shows_the_moment_whatever_is_written_meanwhile() {
        let watched = Watched::new(MemoryStore::default());
        for thousand in 0..10u32 {
            let keys = (thousand * 1_000..).take(1_000).map(|key| (key * 2, Some(1)));
            watched.write(&batch(Space::Seen, keys)).expect("memory");
        }
        let expected = rows(&watched.store);
        // Behind and ahead of the reader: rows that change, rows that go, new rows, and all of that once more.
        let copy = copied(&watched, |slice| {
            for value in [Some(2), None, Some(3)] {
                let keys = (slice * 31..20_000).step_by(41).map(|key| (key, value)).take(900);
                watched.write(&batch(Space::Seen, keys)).expect("memory");
            }
            watched
                .write(&batch(Space::Audit, [(slice, Some(1))].into_iter()))
                .expect("memory");
            let new = (1..2_000)
                .step_by(2)
                .map(|key: u32| (key.to_be_bytes().to_vec(), vec![4]))
                .collect::<Vec<_>>();
            watched.add(Space::Held, &new).expect("memory");
        });
        assert_eq!(copy, expected);
        assert_ne!(rows(&watched.store), expected);
        // Afterwards nothing is kept any more.
        assert!(watched.snapshot.lock().is_none());
    }

    #[test]
    fn what_is_kept_has_an_end_and_shrinks_with_reading() {
        let watched = Watched::new(MemoryStore::default());
        let large = |value: u8| {
            let mut batch = Batch::default();
            (0..300u32).for_each(|key| batch.put(Space::Bodies, key.to_be_bytes(), vec![value; 256 << 10]));
            batch
        };
        watched.write(&large(1)).expect("memory");
        let turn = watched.turn();
        turn.begin();
        watched.write(&large(2)).expect("memory");
        watched.write(&large(3)).expect("memory");
        assert!(turn.is_crowded());
        while turn.is_crowded() {
            assert!(turn.slice().expect("memory").is_some());
        }
        while turn.slice().expect("memory").is_some() {}
        assert_eq!(watched.snapshot.lock().as_ref().map(|snapshot| snapshot.bytes), Some(0));
    }
}
