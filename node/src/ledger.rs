//! What this node knows and has made durable: records, the index of their values, and the numbered entries that outputs follow.
//!
//! [`Ledger`] is written once over any [`Store`]. It has one writer and many readers: [`Ledger::apply`] returns when its
//! changes are durable, and no record is shown before it is. A change that is too large for one batch of the
//! store is written under an intent, which the next opening finishes (`writer/placing.rs`).
//!
//! | part | what it does |
//! |---|---|
//! | `catalogue` | what is kept of a record, the entries, the counters |
//! | `keys` | how that looks in the store |
//! | `writer` | how changes get there |
//! | `search` | values by name, domain or network |
//! | `reading` | what the engine and the outputs ask |
//! | `failures` | what of the store failed |
//! | `formats` | its version, and the way from an older one |
//! | `journal` | what the mesh cannot give back |
//! | `noting` | which changes that is |
//! | `verify` | reads everything and says what does not fit |
//! | `copying` | the whole of it, out and in |
//! | `snapshot` | the store as of one moment, while it goes on changing |

pub mod catalogue;
pub mod copying;
pub mod failures;
mod formats;
pub mod journal;
mod keys;
mod noting;
pub mod reading;
pub mod search;
mod snapshot;
#[cfg(test)]
pub(crate) mod tests;
pub mod verify;
mod writer;

use std::{
    fmt,
    sync::{PoisonError, RwLock},
};

use parking_lot::{Mutex, MutexGuard};
use starfish_protocol::{engine::port::Change, limits, organisation::OrgId, time::Millis};

use crate::store::{Space, Store, StoreError};

pub use self::formats::FORMAT;
use self::{
    catalogue::Counts,
    failures::Failures,
    formats::prepare,
    journal::Journal,
    keys::{decoded, meta},
    snapshot::Watched,
    writer::Writer,
};

/// What an operator, or a test, may want otherwise.
#[derive(Clone, Debug)]
pub struct Options {
    /// This node's organisation: its statements go to the journal.
    pub org: Option<OrgId>,
    /// How many compressed bytes of unbelieved bodies are kept.
    pub held_bytes: u64,
    /// How long they are kept.
    pub held_for: Millis,
    /// How long a record stays visible as withdrawn.
    pub grace: Millis,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            org: None,
            held_bytes: limits::QUARANTINE_BYTES,
            held_for: limits::QUARANTINE_AGE,
            // A week, in which every output has followed.
            grace: Millis(7 * 86_400_000),
        }
    }
}

/// What came of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The last serial, durable.
    pub serial: u64,
    /// True when pending work is left: [`Ledger::work`] goes on with it.
    pub more: bool,
}

/// Records, index and entries over a store.
pub struct Ledger<S> {
    store: Watched<S>,
    options: Options,
    writing: Mutex<Writing>,
    /// What readers may know of: everything that is flushed.
    shown: RwLock<Counts>,
    failures: Failures,
}

struct Writing {
    journal: Box<dyn Journal>,
    counts: Counts,
    /// A write failed or panicked half-way; what it left is finished before the next.
    broken: bool,
}

impl<S> fmt::Debug for Ledger<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Ledger")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

impl<S: Store> Ledger<S> {
    /// Opens what is in the store, finishes what was left unfinished, and carries out what only the journal knows.
    ///
    /// # Errors
    /// The store or the journal is damaged or fails, or the store is of a later version.
    pub fn open(store: S, journal: impl Journal, options: Options) -> Result<Self, StoreError> {
        prepare(&store)?;
        let counts = store
            .get(Space::Meta, meta::COUNTS)?
            .map_or(Ok(Counts::default()), |value| decoded(&value))?;
        let ledger = Self {
            store: Watched::new(store),
            options,
            writing: Mutex::new(Writing {
                journal: Box::new(journal),
                counts,
                broken: true,
            }),
            shown: RwLock::new(counts),
            failures: Failures::default(),
        };
        ledger.mend(&mut ledger.writing.lock())?;
        Ok(ledger)
    }

    /// Makes these changes durable, in order. Changes that are in the store already are passed over. What they mean for
    /// records that are here already is left to [`Ledger::work`].
    ///
    /// # Errors
    /// The store or the journal failed. Any part of the changes may have become durable.
    pub fn apply(&self, changes: &[Change]) -> Result<Applied, StoreError> {
        self.noted(self.write(changes))
    }

    fn write(&self, changes: &[Change]) -> Result<Applied, StoreError> {
        let mut writing = self.writing.lock();
        self.mend(&mut writing)?;
        let notes = self.notes(changes)?;
        let position = if notes.is_empty() {
            None
        } else {
            Some(writing.journal.append(&notes)?)
        };
        let mut writer = Writer::new(&self.store, &self.options, writing.counts);
        writing.broken = true;
        for change in changes {
            writer.take(change)?;
        }
        if let Some(position) = position {
            writer.draft.counts.journal = position;
        }
        let more = writer.has_more()?;
        let serial = self.finish(&mut writing.counts, writer)?;
        writing.broken = false;
        Ok(Applied { serial, more })
    }

    /// Goes on with pending work, such as a change of trust, until `limit` records were looked at and values moved.
    ///
    /// # Errors
    /// The store failed.
    pub fn work(&self, limit: usize) -> Result<Applied, StoreError> {
        self.noted(self.go_on(limit))
    }

    fn go_on(&self, limit: usize) -> Result<Applied, StoreError> {
        let mut writing = self.writing.lock();
        self.mend(&mut writing)?;
        let mut writer = Writer::new(&self.store, &self.options, writing.counts);
        writing.broken = true;
        writer.slice(limit)?;
        let more = writer.has_more()?;
        let serial = self.finish(&mut writing.counts, writer)?;
        writing.broken = false;
        // Whoever waits for the lock is next: without this, a change could wait until all pending work is done.
        MutexGuard::unlock_fair(writing);
        Ok(Applied { serial, more })
    }

    /// Whether nothing was ever written to this store.
    ///
    /// # Errors
    /// The store failed.
    pub fn is_new(store: &S) -> Result<bool, StoreError> {
        Ok(store.get(Space::Meta, meta::FORMAT)?.is_none())
    }

    /// The store below, for its size.
    pub fn store(&self) -> &S {
        &self.store.store
    }

    /// Finishes what a crash or a failed disk left: an intent, withdrawals, and what the journal alone knows.
    fn mend(&self, writing: &mut Writing) -> Result<(), StoreError> {
        if !writing.broken {
            return Ok(());
        }
        let counts = self
            .store
            .get(Space::Meta, meta::COUNTS)?
            .map_or(Ok(Counts::default()), |value| decoded(&value))?;
        let mut writer = Writer::new(&self.store, &self.options, counts);
        writer.is_replaying = true;
        writer.mend()?;
        let from = writer.draft.counts.journal;
        writing.journal.replay(from, &mut |position, note| {
            writer.take_note(note)?;
            writer.draft.counts.journal = position;
            Ok(())
        })?;
        self.finish(&mut writing.counts, writer)?;
        writing.broken = false;
        Ok(())
    }

    /// The end of every step: the last batch, the flush, and only then the readers.
    fn finish(&self, counts: &mut Counts, mut writer: Writer<'_>) -> Result<u64, StoreError> {
        writer.draft.commit()?;
        self.store.flush()?;
        *counts = writer.draft.counts;
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = *counts;
        Ok(counts.serial)
    }
}
