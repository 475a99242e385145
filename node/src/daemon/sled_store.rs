//! The store on disk: [`SledStore`], sled 0.34.7 with one tree a space.
//!
//! A batch over several trees is one transaction of sled's, so that it is recovered whole or not at all; sled's log is one
//! sequence for all trees, and recovery stops at its first tear, so that what is durable is a prefix. sled answers some
//! kinds of damage with a panic: every call is guarded, and a panic inside it is `StoreError::Corrupt`.

use std::{
    cell::Cell,
    fs::File,
    io,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::Once,
    thread,
    time::{Duration, Instant},
};

use sled::{
    CompareAndSwapError, IVec, Mode, Transactional, Tree,
    transaction::{ConflictableTransactionError, TransactionError, TransactionalTree},
};

use crate::store::{Batch, Each, Space, Store, StoreError, Write};

/// The folder of the store in the data directory.
pub const FOLDER: &str = "store";

/// How many rows a scan takes from sled before it calls back.
const SCAN_ROWS: usize = 64;

/// From so many rows on, two threads add them.
const SHARED_ROWS: usize = 2_000;

/// How long a database that is still in use is waited for.
const LET_GO: Duration = Duration::from_secs(1);

/// How often sled writes its buffers out by itself, in ms. Durability comes from `flush`; this bounds what waits.
const FLUSH_EVERY: u64 = 1_000;

/// One database with a tree for each space.
#[derive(Debug)]
pub struct SledStore {
    // Taken out only when the value is dropped, so that a panic in sled's own drop can be caught.
    open: Option<Open>,
    log: PathBuf,
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
            match guarded(|| Open::new(folder, cache_bytes)) {
                // A database that was dropped just now is let go by a thread of sled's, a little later.
                Err(StoreError::Io(said)) if said.contains("acquire lock") && began.elapsed() < LET_GO => {
                    thread::park_timeout(Duration::from_millis(5));
                }
                opened => {
                    return Ok(Self {
                        open: Some(opened?),
                        log: folder.join("db"),
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
        guarded(|| self.opened().database.size_on_disk())
    }

    fn opened(&self) -> &Open {
        self.open.as_ref().expect("taken only when dropped")
    }

    fn tree(&self, space: Space) -> &Tree {
        &self.opened().trees[space as usize]
    }

    /// The next rows of a scan, and whether there may be more.
    fn rows(&self, space: Space, from: &[u8], after: bool, limit: usize) -> Result<Vec<(IVec, IVec)>, StoreError> {
        guarded(|| {
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
        if let Some(open) = self.open.take() {
            // What cannot be flushed here was never acknowledged.
            let _ = guarded(move || {
                drop(open);
                Ok(())
            });
        }
    }
}

impl Store for SledStore {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        guarded(|| Ok(self.tree(space).get(key)?.map(|value| value.to_vec())))
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
            return guarded(|| self.tree(first.space).apply_batch(changes));
        }
        guarded(|| self.write_together(batch.writes()))
    }

    fn add(&self, space: Space, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError> {
        let tree = self.tree(space);
        if rows.len() < SHARED_ROWS {
            return add_rows(tree, 0, rows);
        }
        // sled takes inserts from several threads at once; sorted halves rarely meet in its pages.
        let (first, second) = rows.split_at(rows.len() / 2);
        let (one, two) = thread::scope(|scope| {
            let second = scope.spawn(|| add_rows(tree, first.len(), second));
            (
                add_rows(tree, 0, first),
                second.join().expect("a panic of sled's is caught inside"),
            )
        });
        let mut present = one?;
        present.extend(two?);
        Ok(present)
    }

    fn flush(&self) -> Result<(), StoreError> {
        guarded(|| self.opened().database.flush())?;
        // sled asks for the ranges that it wrote; only a sync of the file also keeps its new length through a power cut.
        File::open(&self.log)?.sync_data()?;
        Ok(())
    }
}

impl SledStore {
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
fn add_rows(tree: &Tree, place: usize, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError> {
    guarded(|| {
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
    })
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => held_or_failed(error),
            sled::Error::Corruption { .. } => Self::Corrupt("sled found a broken page".to_owned()),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

/// sled reports the lock of another process, and some damage, as plain IO errors.
fn held_or_failed(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreError::Corrupt(error.to_string()),
        _ => StoreError::from(error),
    }
}

thread_local! {
    /// True inside a guarded call: a panic there is an answer of sled's, not news for standard error.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Calls sled and turns its errors, and its panics over damaged files, into ours.
fn guarded<T>(call: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, StoreError> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |news| {
            if !GUARDED.get() {
                loud(news);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(outer);
    match result {
        Ok(result) => result.map_err(StoreError::from),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
            Err(StoreError::Corrupt(said.unwrap_or_else(|| "sled panicked".to_owned())))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        ops::{ControlFlow, Deref},
    };

    use super::*;
    use crate::store::conformance;

    const CACHE: u64 = 8 << 20;

    /// A store in a folder that goes away with it.
    struct Fresh(SledStore, #[allow(dead_code)] tempfile::TempDir);

    impl Deref for Fresh {
        type Target = SledStore;
        fn deref(&self) -> &SledStore {
            &self.0
        }
    }

    impl Store for Fresh {
        fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            self.0.get(space, key)
        }
        fn scan(&self, space: Space, from: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
            self.0.scan(space, from, each)
        }
        fn write(&self, batch: &Batch) -> Result<(), StoreError> {
            self.0.write(batch)
        }
        fn add(&self, space: Space, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError> {
            self.0.add(space, rows)
        }
        fn flush(&self) -> Result<(), StoreError> {
            self.0.flush()
        }
    }

    fn fresh() -> Fresh {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Fresh(SledStore::open(folder.path(), CACHE).expect("a new store"), folder)
    }

    fn filled(folder: &Path) -> usize {
        let store = SledStore::open(folder, CACHE).expect("a new store");
        for number in 0u32..20_000 {
            if number % 500 == 0 {
                let mut batch = Batch::default();
                (number..number + 500).for_each(|key| batch.put(Space::Seen, key.to_be_bytes(), vec![7; 40]));
                store.write(&batch).expect("a batch within the limit");
            }
        }
        store.flush().expect("the store can be flushed");
        conformance::rows(&store).len()
    }

    #[test]
    fn conforms() {
        conformance::all(fresh);
    }

    #[test]
    fn what_was_flushed_is_there_after_a_start() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rows = filled(folder.path());
        assert_eq!(rows, 20_000);
        let store = SledStore::open(folder.path(), CACHE).expect("the store opens again");
        assert_eq!(conformance::rows(&store).len(), rows);
    }

    #[test]
    fn a_second_opening_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let _first = SledStore::open(folder.path(), CACHE).expect("a new store");
        let second = SledStore::open(folder.path(), CACHE);
        assert!(matches!(second, Err(StoreError::Io(_))), "{second:?}");
    }

    /// Damage of any kind may lose or hide rows and may be an error, but never a panic or a false value.
    #[test]
    fn damage_is_an_error_and_no_panic() {
        let mut errors = 0;
        for round in 0u64..12 {
            let folder = tempfile::tempdir().expect("a temporary folder");
            filled(folder.path());
            let log = folder.path().join("db");
            let mut bytes = fs::read(&log).expect("sled's log");
            for flip in 0..64 {
                let place = (round * 7_919 + flip * 104_729 + 64) % bytes.len() as u64;
                bytes[place as usize] ^= 0xa5;
            }
            fs::write(&log, bytes).expect("the log can be replaced");
            let read = SledStore::open(folder.path(), CACHE).and_then(|store| {
                let each = &mut |key: &[u8], value: &[u8]| {
                    assert_eq!((key.len(), value), (4, [7; 40].as_slice()), "a false value");
                    ControlFlow::Continue(())
                };
                store.scan(Space::Seen, &[], each)
            });
            match read {
                Ok(()) => {}
                Err(StoreError::Corrupt(_)) => errors += 1,
                Err(other) => panic!("round {round}: {other}"),
            }
        }
        assert!(errors > 0, "the damage was never noticed");
    }
}
