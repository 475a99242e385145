//! The store on disk: [`SledStore`], sled 0.34.7 with one tree a space.
//!
//! A batch over several trees is one transaction of sled's, so that it is recovered whole or not at all; sled's log is one
//! sequence for all trees, and recovery stops at its first tear, so that what is durable is a prefix. sled answers some
//! kinds of damage with a panic: every call is guarded, and a panic inside it is `StoreError::Corrupt`.
//!
//! sled does not survive a failed write: what waits for its log then may wait for ever, and so may dropping it. After the
//! first one nothing is written any more, every further attempt gets the same answer, and the database is left to the end
//! of the process, which what was acknowledged survives as it survives a `kill -9`.

mod guarding;

use std::{
    fs::File,
    mem,
    path::{Path, PathBuf},
    sync::{OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use sled::{
    CompareAndSwapError, IVec, Mode, Transactional, Tree,
    transaction::{ConflictableTransactionError, TransactionError, TransactionalTree},
};

use crate::store::{Batch, Each, Space, Store, StoreError, Write};

use self::guarding::{Fault, guarded};

/// The folder of the store in the data directory.
pub const FOLDER: &str = "store";

/// How many rows a scan takes from sled before it calls back.
const SCAN_ROWS: usize = 64;

/// From so many rows on, two threads add them.
const SHARED_ROWS: usize = 2_000;

/// How long a database that is still in use is waited for.
const LET_GO: Duration = Duration::from_secs(1);

/// How often sled writes its buffers out by itself, in ms. Durability comes from `flush`; this bounds what waits, and the
/// same thread gives space back that is no longer used, so it cannot be spared.
const FLUSH_EVERY: u64 = 1_000;

/// How long each attempt at a flush is waited for before the next begins beside it. In sled 0.34.7 a failed write does not
/// always wake who waits for it; a later flush finds the failure, and wakes the earlier one too. A slow disk answers all.
const PATIENCE: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(25),
    Duration::from_secs(90),
];

/// How long closing the database may take once everything in it is on the disk.
const CLOSING: Duration = Duration::from_secs(10);

/// One database with a tree for each space.
#[derive(Debug)]
pub struct SledStore {
    // Taken out only when the value is dropped, so that sled's own drop can be guarded, or left out.
    open: Option<Open>,
    log: PathBuf,
    /// Why nothing is written any more.
    failure: OnceLock<StoreError>,
}

#[derive(Debug)]
struct Open {
    database: sled::Db,
    trees: Vec<Tree>,
}

impl Open {
    fn new(folder: &Path, cache_bytes: u64) -> Result<Self, sled::Error> {
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(cache_bytes.max(1 << 20))
            .mode(Mode::HighThroughput)
            .flush_every_ms(Some(FLUSH_EVERY));
        let database = config.open()?;
        let trees = Space::ALL
            .iter()
            .map(|space| database.open_tree(space.name()))
            .collect::<Result<_, _>>()?;
        Ok(Self { database, trees })
    }
}

impl SledStore {
    /// Opens the database in a folder, or makes it. `cache_bytes` is a wish: sled takes more (design, protocol 7).
    ///
    /// # Errors
    /// The folder cannot be used, another process has it, or the database is damaged.
    pub fn open(folder: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let began = Instant::now();
        loop {
            match guarded(|| Open::new(folder, cache_bytes)).map_err(StoreError::from) {
                // A database that was dropped just now is let go by a thread of sled's, a little later.
                Err(StoreError::Io(said)) if said.contains("acquire lock") && began.elapsed() < LET_GO => {
                    thread::park_timeout(Duration::from_millis(5));
                }
                opened => {
                    return Ok(Self {
                        open: Some(opened?),
                        log: folder.join("db"),
                        failure: OnceLock::new(),
                    });
                }
            }
        }
    }

    /// The bytes that the store takes on disk.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.reading(|| self.opened().database.size_on_disk())
    }

    fn opened(&self) -> &Open {
        self.open.as_ref().expect("taken only when dropped")
    }

    fn tree(&self, space: Space) -> &Tree {
        &self.opened().trees[space as usize]
    }

    /// The next rows of a scan, and whether there may be more.
    fn rows(&self, space: Space, from: &[u8], after: bool, limit: usize) -> Result<Vec<(IVec, IVec)>, StoreError> {
        self.reading(|| {
            let tree = self.tree(space);
            let rows = if after {
                tree.range::<&[u8], _>((std::ops::Bound::Excluded(from), std::ops::Bound::Unbounded))
            } else {
                tree.range(from..)
            };
            rows.take(limit).collect()
        })
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        // What cannot be flushed here was never acknowledged.
        let is_sound = self.flush().is_ok();
        let Some(open) = self.open.take() else { return };
        if !is_sound {
            mem::forget(open);
            return;
        }
        let (said, closed) = mpsc::channel();
        let closing = thread::Builder::new().spawn(move || {
            let _ = guarded(|| {
                drop(open);
                Ok(())
            });
            // Nobody waits any more when it took too long.
            let _ = said.send(());
        });
        if closing.is_ok() {
            let _ = closed.recv_timeout(CLOSING);
        }
    }
}

impl Store for SledStore {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.reading(|| Ok(self.tree(space).get(key)?.map(|value| value.to_vec())))
    }

    fn scan(&self, space: Space, from: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        // Most scans look at one row: the first take is small.
        let mut rows = self.rows(space, from, false, 1)?;
        while let Some((last, _)) = rows.last().cloned() {
            for (key, value) in &rows {
                if each(key, value).is_break() {
                    return Ok(());
                }
            }
            rows = self.rows(space, &last, true, SCAN_ROWS)?;
        }
        Ok(())
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        batch.check()?;
        let Some(first) = batch.writes().first() else {
            return Ok(());
        };
        if batch.writes().iter().all(|write| write.space == first.space) {
            let mut changes = sled::Batch::default();
            batch.writes().iter().for_each(|write| match &write.value {
                Some(value) => changes.insert(write.key.as_slice(), value.as_slice()),
                None => changes.remove(write.key.as_slice()),
            });
            return self.writing(|| self.tree(first.space).apply_batch(changes));
        }
        self.writing(|| self.write_together(batch.writes()))
    }

    fn add(&self, space: Space, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError> {
        let tree = self.tree(space);
        if rows.len() < SHARED_ROWS {
            return self.writing(|| add_rows(tree, 0, rows));
        }
        // sled takes inserts from several threads at once; sorted halves rarely meet in its pages.
        let (first, second) = rows.split_at(rows.len() / 2);
        let (one, two) = thread::scope(|scope| {
            let second = scope.spawn(|| self.writing(|| add_rows(tree, first.len(), second)));
            (
                self.writing(|| add_rows(tree, 0, first)),
                second.join().expect("a panic of sled's is caught inside"),
            )
        });
        let mut present = one?;
        present.extend(two?);
        Ok(present)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.may_write()?;
        self.flush_in_time().map_err(|error| self.failed(error))?;
        // sled asks for the ranges that it wrote; only a sync of the file also keeps its new length through a power cut.
        let synced = File::open(&self.log).and_then(|log| log.sync_data());
        synced.map_err(|error| self.failed(error.into()))
    }
}

impl SledStore {
    /// A read. After a panic in it sled may be in any state: what can still be read is read, and nothing is written.
    fn reading<T>(&self, call: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, StoreError> {
        guarded(call).map_err(|fault| match fault {
            Fault::Panic(_) => self.failed(fault.into()),
            Fault::Error(_) => fault.into(),
        })
    }

    /// A write, if none has failed yet.
    fn writing<T>(&self, call: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, StoreError> {
        self.may_write()?;
        guarded(call).map_err(|fault| self.failed(fault.into()))
    }

    fn may_write(&self) -> Result<(), StoreError> {
        self.failure.get().map_or(Ok(()), |failure| Err(failure.clone()))
    }

    /// The first failure is what every later attempt gets to hear, because the later ones are its consequences.
    fn failed(&self, error: StoreError) -> StoreError {
        self.failure.get_or_init(|| error.clone());
        error
    }

    /// Flushes on threads of its own, because a flush that is not woken must not take its caller along.
    fn flush_in_time(&self) -> Result<(), StoreError> {
        let (said, flushes) = mpsc::channel();
        for patience in PATIENCE {
            let (database, said) = (self.opened().database.clone(), said.clone());
            let flush = move || {
                let flushed = guarded(|| database.flush());
                drop(database);
                // Another attempt was faster when nobody waits.
                let _ = said.send(flushed);
            };
            thread::Builder::new().spawn(flush)?;
            if let Ok(flushed) = flushes.recv_timeout(patience) {
                return Ok(flushed.map(|_| ())?);
            }
        }
        let waited: Duration = PATIENCE.iter().sum();
        Err(StoreError::Io(format!("it did not write for {waited:?}")))
    }

    fn write_together(&self, writes: &[Write]) -> Result<(), sled::Error> {
        let mut spaces: Vec<Space> = writes.iter().map(|write| write.space).collect();
        spaces.sort_unstable();
        spaces.dedup();
        let trees: Vec<&Tree> = spaces.iter().map(|space| self.tree(*space)).collect();
        let changes = |trees: &Vec<TransactionalTree>| {
            for write in writes {
                let index = spaces
                    .binary_search(&write.space)
                    .expect("every space of the batch is listed");
                let mut change = sled::Batch::default();
                match &write.value {
                    Some(value) => change.insert(write.key.as_slice(), value.as_slice()),
                    None => change.remove(write.key.as_slice()),
                }
                // `insert` of the transaction would read the old value first.
                trees[index].apply_batch(&change)?;
            }
            Ok::<(), ConflictableTransactionError<()>>(())
        };
        match trees.as_slice().transaction(changes) {
            Ok(()) => Ok(()),
            Err(TransactionError::Storage(error)) => Err(error),
            Err(TransactionError::Abort(())) => Err(sled::Error::ReportableBug("nothing here aborts".to_owned())),
        }
    }
}

/// Adds rows one by one; `place` is that of the first.
fn add_rows(tree: &Tree, place: usize, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, sled::Error> {
    let mut present = Vec::new();
    for (place, (key, value)) in (place..).zip(rows) {
        let swapped = tree.compare_and_swap(key, None::<&[u8]>, Some(value.as_slice()))?;
        if let Err(CompareAndSwapError {
            current: Some(current), ..
        }) = swapped
        {
            present.push((place, current.to_vec()));
        }
    }
    Ok(present)
}

#[cfg(test)]
mod tests;
