//! The store in memory: [`MemoryStore`], for tests and simulated nodes. It passes the same suite as the one on disk.
//!
//! Nodes of one mesh hold almost the same: a thousand of them in one process share a [`Pool`], which holds each key and each
//! value once.

mod pool;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

pub use self::pool::Pool;
use super::{Batch, Each, Space, Store, StoreError};

/// How many rows a scan takes at a time, so that its callback runs without the lock.
const SCAN_ROWS: usize = 64;

/// Bytes that others may hold as well.
pub type Bytes = Arc<[u8]>;
type Rows = BTreeMap<Bytes, Bytes>;

/// One ordered map a space.
#[derive(Debug)]
pub struct MemoryStore {
    pool: Pool,
    spaces: RwLock<[Rows; Space::ALL.len()]>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::sharing(&Pool::default())
    }
}

impl MemoryStore {
    /// A store whose keys and values are held once for all stores of this pool.
    pub fn sharing(pool: &Pool) -> Self {
        Self {
            pool: pool.clone(),
            spaces: RwLock::new(std::array::from_fn(|_| Rows::new())),
        }
    }

    /// How many bytes its keys and values have, whoever else holds them.
    pub fn bytes(&self) -> usize {
        let rows = |rows: &Rows| rows.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        self.read().iter().map(rows).sum()
    }

    /// How many rows it has.
    pub fn count(&self) -> usize {
        self.read().iter().map(Rows::len).sum()
    }

    /// Writes a batch; what its rows were before, one after the other.
    ///
    /// # Errors
    /// The batch is too large.
    pub fn replace(&self, batch: &Batch) -> Result<Vec<Before>, StoreError> {
        batch.check()?;
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        let writes = batch.writes().iter().map(|write| {
            let (space, key) = (write.space, self.pool.hold(&write.key));
            let rows = &mut spaces[space as usize];
            let value = match &write.value {
                Some(value) => rows.insert(Arc::clone(&key), self.pool.hold(value)),
                None => rows.remove(&key),
            };
            Before { space, key, value }
        });
        Ok(writes.collect())
    }

    /// A panic of another thread cannot leave a map half changed.
    fn read(&self) -> RwLockReadGuard<'_, [Rows; Space::ALL.len()]> {
        self.spaces.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn rows(&self, space: Space, from: Bound<&[u8]>, limit: usize) -> Vec<(Bytes, Bytes)> {
        let spaces = self.read();
        let rows = spaces[space as usize].range::<[u8], _>((from, Bound::Unbounded));
        rows.take(limit)
            .map(|(key, value)| (Arc::clone(key), Arc::clone(value)))
            .collect()
    }
}

/// What a row was before it was written.
#[derive(Clone, Debug)]
pub struct Before {
    /// Where it is.
    pub space: Space,
    /// Its key.
    pub key: Bytes,
    /// Its value, if there was such a row.
    pub value: Option<Bytes>,
}

impl Store for MemoryStore {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read()[space as usize].get(key).map(|value| value.to_vec()))
    }

    fn scan(&self, space: Space, from: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        // Most scans look at one row: the first look is small.
        let mut rows = self.rows(space, Bound::Included(from), 1);
        while let Some((last, _)) = rows.last().cloned() {
            for (key, value) in &rows {
                if each(key, value).is_break() {
                    return Ok(());
                }
            }
            rows = self.rows(space, Bound::Excluded(&last), SCAN_ROWS);
        }
        Ok(())
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        self.replace(batch).map(drop)
    }

    fn add(&self, space: Space, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError> {
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        let mut present = Vec::new();
        for (place, (key, value)) in rows.iter().enumerate() {
            match spaces[space as usize].entry(self.pool.hold(key)) {
                Entry::Vacant(vacant) => {
                    vacant.insert(self.pool.hold(value));
                }
                Entry::Occupied(occupied) => present.push((place, occupied.get().to_vec())),
            }
        }
        Ok(present)
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance;

    #[test]
    fn conforms() {
        conformance::all(MemoryStore::default);
    }

    #[test]
    fn stores_of_one_pool_conform_and_share_nothing_but_memory() {
        let pool = Pool::default();
        conformance::all(|| MemoryStore::sharing(&pool));
        let [one, other] = [&pool, &pool].map(MemoryStore::sharing);
        let mut batch = Batch::default();
        batch.put(Space::Bodies, [7; 32], vec![8; 100_000]);
        one.write(&batch).expect("memory");
        let alone = pool.bytes();
        assert_eq!(other.get(Space::Bodies, &[7; 32]).expect("memory"), None);
        other.write(&batch).expect("memory");
        assert_eq!(pool.bytes(), alone, "held once");
        assert_eq!((one.bytes(), other.bytes()), (100_032, 100_032));
        assert_eq!((one.count(), other.count()), (1, 1));
        let mut gone = Batch::default();
        gone.delete(Space::Bodies, [7; 32]);
        one.write(&gone).expect("memory");
        assert_eq!(
            other.get(Space::Bodies, &[7; 32]).expect("memory"),
            Some(vec![8; 100_000])
        );
    }
}
