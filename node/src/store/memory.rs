//! The store in memory: [`MemoryStore`], for tests and simulated nodes. It passes the same suite as the one on disk.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use super::{Batch, Each, Space, Store, StoreError};

/// How many rows a scan copies at a time, so that its callback runs without the lock.
const SCAN_ROWS: usize = 64;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// One ordered map a space.
#[derive(Debug)]
pub struct MemoryStore {
    spaces: RwLock<[Rows; Space::ALL.len()]>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self {
            spaces: RwLock::new(std::array::from_fn(|_| Rows::new())),
        }
    }
}

impl MemoryStore {
    /// A panic of another thread cannot leave a map half changed.
    fn read(&self) -> RwLockReadGuard<'_, [Rows; Space::ALL.len()]> {
        self.spaces.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn rows(&self, space: Space, from: Bound<&[u8]>, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let spaces = self.read();
        let rows = spaces[space as usize].range::<[u8], _>((from, Bound::Unbounded));
        rows.take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl Store for MemoryStore {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read()[space as usize].get(key).cloned())
    }

    fn scan(&self, space: Space, from: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        // Most scans look at one row: the first copy is small.
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
        batch.check()?;
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        for write in batch.writes() {
            let rows = &mut spaces[write.space as usize];
            match &write.value {
                Some(value) => rows.insert(write.key.clone(), value.clone()),
                None => rows.remove(&write.key),
            };
        }
        Ok(())
    }

    fn add(&self, space: Space, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError> {
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        let mut present = Vec::new();
        for (place, (key, value)) in rows.iter().enumerate() {
            match spaces[space as usize].entry(key.clone()) {
                Entry::Vacant(vacant) => {
                    vacant.insert(value.clone());
                }
                Entry::Occupied(occupied) => present.push((place, occupied.get().clone())),
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
}
