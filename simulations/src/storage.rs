//! What a simulated node keeps: [`Disk`], a store that can lose what it said it had, and [`Keeping`], the ledger over it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use starfish_node::{
    ledger::{Ledger, Options, journal::MemoryJournal},
    mesh::{KeepError, Keeper},
    store::{
        Batch, Each, Space, Store, StoreError,
        memory::{Before, Bytes, MemoryStore, Pool},
    },
};
use starfish_protocol::{
    engine::port::{Change, Found, Query},
    organisation::OrgId,
};
use starfish_sim_kernel::{Owner, sleep, spawn};

/// How many flushes a torn disk can lose at most. What they replaced is kept for that, at every node.
const TEARABLE: usize = 8;
/// Records of one slice of pending work, and how long it takes.
const SLICE: usize = 256;
const SLICE_TIME: Duration = Duration::from_millis(10);

/// What a crash does to what a node keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Damage {
    /// Nothing: what was acknowledged is there.
    #[default]
    None,
    /// The disk lied: so many of its last flushes never happened, at most 8. The journal is whole.
    TornTail(usize),
    /// The store is gone, the journal is whole.
    StoreLost,
    /// Store and journal are gone; the keys are not.
    AllLost,
}

/// A store in memory that remembers how to undo its last flushes. Clones share it, as a file would be shared.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    pool: Pool,
    rows: MemoryStore,
    undo: Mutex<Undo>,
}

#[derive(Debug, Default)]
struct Undo {
    flushed: VecDeque<Vec<Before>>,
    /// How many flushes happened and were not undone.
    flushes: u64,
    written: Vec<Before>,
}

impl Disk {
    /// An empty one, whose rows are held once for all disks of this pool.
    fn sharing(pool: &Pool) -> Self {
        Self(Arc::new(Inner {
            pool: pool.clone(),
            rows: MemoryStore::sharing(pool),
            undo: Mutex::default(),
        }))
    }

    fn undo(&self) -> MutexGuard<'_, Undo> {
        self.0.undo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loses what was not flushed, and so many flushes before that.
    fn tear(&self, flushes: usize) -> Result<(), StoreError> {
        let mut undo = self.undo();
        let mut lost = vec![std::mem::take(&mut undo.written)];
        for _ in 0..flushes {
            let torn = undo.flushed.pop_back();
            undo.flushes -= u64::from(torn.is_some());
            lost.extend(torn);
        }
        for Before { space, key, value } in lost.into_iter().flat_map(|rows| rows.into_iter().rev()) {
            let mut batch = Batch::default();
            match value {
                Some(value) => batch.put(space, key.to_vec(), value.to_vec()),
                None => batch.delete(space, key.to_vec()),
            }
            self.0.rows.write(&batch)?;
        }
        Ok(())
    }
}

impl Store for Disk {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.rows.get(space, key)
    }

    fn scan(&self, space: Space, from: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        self.0.rows.scan(space, from, each)
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let before = self.0.rows.replace(batch)?;
        self.undo().written.extend(before);
        Ok(())
    }

    fn add(&self, space: Space, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError> {
        let present = self.0.rows.add(space, rows)?;
        let mut undo = self.undo();
        for (place, (key, _)) in rows.iter().enumerate() {
            if !present.iter().any(|(known, _)| *known == place) {
                let (key, value) = (self.0.pool.hold(key), None);
                undo.written.push(Before { space, key, value });
            }
        }
        Ok(present)
    }

    fn flush(&self) -> Result<(), StoreError> {
        let mut undo = self.undo();
        let mut written = std::mem::take(&mut undo.written);
        written.shrink_to_fit();
        undo.flushed.push_back(written);
        undo.flushes += 1;
        if undo.flushed.len() > TEARABLE {
            undo.flushed.pop_front();
        }
        self.0.rows.flush()
    }
}

/// The disk and the journal of one node, which outlive it.
#[derive(Clone, Debug)]
pub(crate) struct Drawer {
    pool: Pool,
    disk: Disk,
    journal: MemoryJournal,
}

impl Drawer {
    /// An empty one; equal rows of all drawers of a pool are held once.
    pub(crate) fn new(pool: &Pool) -> Self {
        Self {
            pool: pool.clone(),
            disk: Disk::sharing(pool),
            journal: MemoryJournal::sharing(pool),
        }
    }

    /// How many bytes rows and journal have, whoever else holds them.
    pub(crate) fn bytes(&self) -> usize {
        self.disk.0.rows.bytes() + self.journal.bytes()
    }

    /// About how many bytes the lists of rows, of notes and of what to undo take, which no two nodes share.
    pub(crate) fn lists(&self) -> usize {
        // The nodes of a tree that is filled in order are a little more than half full.
        let rows = self.disk.0.rows.count() * size_of::<(Bytes, Bytes)>() * 5 / 3;
        let notes = self.journal.count() * size_of::<Bytes>();
        let undo = self.disk.undo();
        let before: usize = undo.flushed.iter().chain([&undo.written]).map(Vec::capacity).sum();
        rows + notes + before * size_of::<Before>()
    }

    /// How many flushes of its disk happened and were not undone.
    pub(crate) fn flushes(&self) -> u64 {
        self.disk.undo().flushes
    }

    pub(crate) fn damage(&mut self, damage: Damage) {
        match damage {
            Damage::None => self.disk.tear(0).expect("memory does not fail"),
            Damage::TornTail(flushes) => self.disk.tear(flushes).expect("memory does not fail"),
            Damage::StoreLost => self.disk = Disk::sharing(&self.pool),
            Damage::AllLost => *self = Self::new(&self.pool),
        }
    }

    pub(crate) fn open(&self, org: OrgId) -> Result<Ledger<Disk>, StoreError> {
        let options = Options {
            org: Some(org),
            ..Options::default()
        };
        Ledger::open(self.disk.clone(), self.journal.clone(), options)
    }
}

/// The ledger behind a simulated mesh. Pending work follows in slices, as the daemon does it.
#[derive(Debug)]
pub(crate) struct Keeping {
    ledger: Arc<Ledger<Disk>>,
    owner: Owner,
    is_working: Arc<AtomicBool>,
}

impl Keeping {
    pub(crate) fn new(ledger: Arc<Ledger<Disk>>, owner: Owner) -> Self {
        let keeping = Self {
            ledger,
            owner,
            is_working: Arc::default(),
        };
        keeping.work();
        keeping
    }

    fn work(&self) {
        if self.is_working.swap(true, Ordering::Relaxed) {
            return;
        }
        let (ledger, is_working) = (Arc::clone(&self.ledger), Arc::clone(&self.is_working));
        spawn(self.owner, async move {
            // A store that fails is noticed by the next change, which ends the node.
            while ledger.work(SLICE).is_ok_and(|applied| applied.more) {
                sleep(SLICE_TIME).await;
            }
            is_working.store(false, Ordering::Relaxed);
        });
    }
}

impl Keeper for Keeping {
    fn apply(&self, changes: &[Change]) -> Result<(), KeepError> {
        let applied = self.ledger.apply(changes)?;
        if applied.more {
            self.work();
        }
        Ok(())
    }

    fn answer(&self, query: &Query) -> Found {
        self.ledger.answer(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_disk_loses_its_last_flushes_and_nothing_before() {
        let check = |flushes: usize, left: &[(u8, u8)]| {
            let disk = Disk::default();
            for (key, value) in [(1, 1), (2, 1), (1, 2), (3, 1)] {
                let mut batch = Batch::default();
                batch.put(Space::Meta, vec![key], vec![value]);
                disk.write(&batch).expect("memory");
                if key != 3 {
                    disk.flush().expect("memory");
                }
            }
            disk.tear(flushes).expect("memory");
            let rows = (1..4).filter_map(|key| {
                let value = disk.get(Space::Meta, &[key]).expect("memory")?;
                Some((key, value[0]))
            });
            assert_eq!(rows.collect::<Vec<_>>(), left, "{flushes}");
        };
        check(0, &[(1, 2), (2, 1)]);
        check(1, &[(1, 1), (2, 1)]);
        check(2, &[(1, 1)]);
        check(3, &[]);
        check(100, &[]);
    }
}
