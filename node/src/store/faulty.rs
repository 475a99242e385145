//! A store whose machine loses power: after a number of writes nothing more arrives, as if the process were gone.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{Batch, Each, Space, Store, StoreError, memory::MemoryStore};

/// Passes writes on until its time has come.
#[derive(Clone, Debug)]
pub(crate) struct FaultyStore {
    disk: Arc<MemoryStore>,
    left: Arc<AtomicUsize>,
    unflushed: Arc<AtomicUsize>,
}

impl FaultyStore {
    /// Fails after this many writes.
    pub(crate) fn new(disk: Arc<MemoryStore>, writes: usize) -> Self {
        Self {
            disk,
            left: Arc::new(AtomicUsize::new(writes)),
            unflushed: Arc::default(),
        }
    }

    /// How many writes are still allowed.
    pub(crate) fn left(&self) -> usize {
        self.left.load(Ordering::SeqCst)
    }

    /// The power comes back, or will go again, after this many writes.
    pub(crate) fn set_left(&self, writes: usize) {
        self.left.store(writes, Ordering::SeqCst);
    }

    /// Writes that a crash at this moment could undo.
    pub(crate) fn unflushed(&self) -> usize {
        self.unflushed.load(Ordering::SeqCst)
    }
}

impl Store for FaultyStore {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.disk.get(space, key)
    }

    fn scan(&self, space: Space, from: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        self.disk.scan(space, from, each)
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let gone = StoreError::Io("the power is gone".to_owned());
        self.left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .map_err(|_| gone)?;
        self.unflushed.fetch_add(1, Ordering::SeqCst);
        self.disk.write(batch)
    }

    /// When the power goes during this call, half of the rows are there.
    fn add(&self, space: Space, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError> {
        if self.left() == 0 {
            self.disk.add(space, &rows[..rows.len() / 2])?;
            return Err(StoreError::Io("the power is gone".to_owned()));
        }
        self.left.fetch_sub(1, Ordering::SeqCst);
        self.unflushed.fetch_add(1, Ordering::SeqCst);
        self.disk.add(space, rows)
    }

    fn flush(&self) -> Result<(), StoreError> {
        if self.left() == 0 {
            return Err(StoreError::Io("the power is gone".to_owned()));
        }
        self.unflushed.store(0, Ordering::SeqCst);
        Ok(())
    }
}
