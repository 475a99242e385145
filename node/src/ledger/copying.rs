//! The whole ledger, out and in: rows in the order of spaces and keys, as of one moment.

use std::ops::ControlFlow;

use parking_lot::MutexGuard;
use serde::de::DeserializeOwned;
use starfish_crypto::{Digest, Signed};
use starfish_protocol::{engine::port::Change, organisation::OrgId, statement::Statement, trust::Acceptance};

use crate::store::{BATCH_KEYS, Batch, Space, Store, StoreError};

use super::{
    FORMAT, Ledger,
    catalogue::{Card, Counts},
    keys::{cut_of, decoded, encoded, meta, number_key, number_of, organisation_of, recovery_of},
    writer::SAFE_MODE,
};

/// A batch of copied rows ends at so many bytes, because bodies are large.
const COPY_BYTES: usize = 4 << 20;

/// Receives one row after the other.
pub type Sink<'a> = dyn FnMut(Space, &[u8], &[u8]) -> Result<(), StoreError> + 'a;

impl<S: Store> Ledger<S> {
    /// Hands out every row as of this moment, in slices between which changes go on. They wait only while more of what was
    /// overwritten is kept for this than memory should hold.
    ///
    /// # Errors
    /// The store failed, or the sink did.
    pub fn export(&self, sink: &mut Sink<'_>) -> Result<(), StoreError> {
        let turn = self.store.turn();
        let mut writing = self.writing.lock();
        self.mend(&mut writing)?;
        turn.begin();
        while let Some((space, rows)) = turn.slice()? {
            let mut hand_out = || rows.iter().try_for_each(|(key, value)| sink(space, key, value));
            if turn.is_crowded() {
                hand_out()?;
            } else {
                MutexGuard::unlocked_fair(&mut writing, hand_out)?;
            }
        }
        Ok(())
    }
}

/// Fills an empty store with exported rows. The ledger that opens it is in safe mode.
pub struct Import<'a> {
    store: &'a dyn Store,
    batch: Batch,
    bytes: usize,
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Import")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl<'a> Import<'a> {
    /// Begins with an empty store.
    pub fn new(store: &'a dyn Store) -> Self {
        Self {
            store,
            batch: Batch::default(),
            bytes: 0,
        }
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// The store failed, or the rows are of a later version.
    pub fn take(&mut self, space: Space, key: Vec<u8>, value: Vec<u8>) -> Result<(), StoreError> {
        if space == Space::Meta && key == meta::FORMAT {
            let found: u32 = decoded(&value)?;
            if found > FORMAT {
                return Err(StoreError::Newer { found, known: FORMAT });
            }
        }
        self.bytes += key.len() + value.len();
        self.batch.put(space, key, value);
        if self.batch.len() >= BATCH_KEYS || self.bytes >= COPY_BYTES {
            self.write()
        } else {
            Ok(())
        }
    }

    /// Marks the store as restored and returns when it is durable.
    ///
    /// # Errors
    /// The store failed.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.batch.put(Space::Settings, SAFE_MODE, [1]);
        self.write()?;
        self.store.flush()
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        self.store.write(&std::mem::take(&mut self.batch))
    }
}

/// What a new store begins with in the place of a damaged one: its serials go on where the old ones ended.
///
/// # Errors
/// The store failed.
pub fn begin_after(store: &dyn Store, serial: u64) -> Result<(), StoreError> {
    let counts = Counts {
        serial,
        first_serial: serial,
        ..Counts::default()
    };
    let mut batch = Batch::default();
    batch.put(Space::Meta, meta::FORMAT, encoded(&FORMAT));
    batch.put(Space::Meta, meta::COUNTS, encoded(&counts));
    batch.put(Space::Settings, SAFE_MODE, [1]);
    store.write(&batch)?;
    store.flush()
}

/// The change that makes the next start a careful one.
pub fn safe_mode() -> Change {
    Change::Setting(SAFE_MODE, vec![1])
}

/// What can still be read of a store that may be damaged anywhere. Everything else is left out, without an error.
pub struct Salvage<'a> {
    store: &'a dyn Store,
    counts: Option<Counts>,
}

impl std::fmt::Debug for Salvage<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Salvage")
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl<'a> Salvage<'a> {
    /// Looks at a store.
    pub fn new(store: &'a dyn Store) -> Self {
        let mut salvage = Self { store, counts: None };
        salvage.counts = salvage.read(Space::Meta, meta::COUNTS);
        salvage
    }

    fn read<T: DeserializeOwned>(&self, space: Space, key: &[u8]) -> Option<T> {
        decoded(&self.store.get(space, key).ok()??).ok()
    }

    /// Values of a space up to its first damage.
    fn values<T: DeserializeOwned>(&self, space: Space) -> Vec<T> {
        let mut values = Vec::new();
        // What was read before the damage counts.
        let _ = self.store.scan(space, &[], &mut |_, value| {
            values.extend(decoded(value));
            ControlFlow::Continue(())
        });
        values
    }

    /// The last serial that was given away, as far as it is known.
    pub fn last_serial(&self) -> u64 {
        self.counts.map_or(0, |counts| counts.serial)
    }

    /// Record numbers are below this.
    pub fn records(&self) -> u64 {
        let counted = self.counts.map_or(0, |counts| counts.records);
        let mut seen = 0;
        let _ = self.store.scan(Space::Headers, &[], &mut |key, _| {
            seen = number_of(key).map_or(seen, |number| number + 1);
            ControlFlow::Continue(())
        });
        counted.max(seen)
    }

    /// The header and the card of a record.
    pub fn record(&self, number: u64) -> Option<(Signed, Card)> {
        let key = number_key(number);
        Some((self.read(Space::Headers, &key)?, self.read(Space::Records, &key)?))
    }

    /// A compressed body, unchecked.
    pub fn body(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.store.get(Space::Bodies, digest.as_bytes()).ok()?
    }

    /// Which records of whom were believed.
    pub fn judged(&self) -> Vec<(OrgId, Acceptance)> {
        let mut judged = Vec::new();
        let _ = self.store.scan(Space::Acceptances, &[], &mut |key, value| {
            judged.extend(organisation_of(key).ok().zip(decoded(value).ok()));
            ControlFlow::Continue(())
        });
        judged
    }

    /// How far the logs of revoked nodes counted.
    pub fn cuts(&self) -> Vec<Change> {
        let mut cuts = Vec::new();
        let _ = self.store.scan(Space::Cuts, &[], &mut |key, value| {
            cuts.extend(cut_of(key).ok().zip(decoded(value).ok()));
            ControlFlow::Continue(())
        });
        let change = |((node, org), places)| Change::Cut {
            node,
            org,
            last_good: Some(places),
        };
        cuts.into_iter().map(change).collect()
    }

    /// How far recoveries had come.
    pub fn recoveries(&self) -> Vec<Change> {
        let mut recoveries = Vec::new();
        let _ = self.store.scan(Space::Settings, &[], &mut |key, value| {
            let id = std::str::from_utf8(key).ok().and_then(recovery_of);
            recoveries.extend(id.zip(decoded(value).ok()));
            ControlFlow::Continue(())
        });
        let change = |(id, seen)| Change::Recovery { id, seen: Some(seen) };
        recoveries.into_iter().map(change).collect()
    }

    /// Statements.
    pub fn statements(&self) -> Vec<Statement> {
        self.values(Space::Statements)
    }

    /// Proofs of two histories.
    pub fn forks(&self) -> Vec<(Signed, Signed)> {
        self.values(Space::Forks)
    }
}
