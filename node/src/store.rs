//! Ordered key-value spaces: all that the ledger asks of a disk.
//!
//! [`Store`] has synchronous methods over named [`Space`]s. The daemon keeps its spaces in sled, a test and the simulator
//! in [`memory::MemoryStore`]; one conformance suite holds for both. A [`Batch`] is applied whole or not at all, and what
//! is durable is always a prefix of what was written: a later batch never survives a crash that an earlier one did not.

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
pub(crate) mod faulty;
pub mod memory;

use std::{io, ops::ControlFlow, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most keys of one batch: sled took 7.5 GB of memory for one of 50,000 (design, protocol 7).
pub const BATCH_KEYS: usize = 1_000;

/// The named parts of a store. Each is ordered by key, bytewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Space {
    /// Format version, counters, the unfinished intent and other single values, by name.
    Meta,
    /// Signed headers, by record number.
    Headers,
    /// What a search shows of a record, by record number.
    Records,
    /// Record numbers, by record id.
    Ids,
    /// Record numbers, by log and sequence number.
    Logs,
    /// The last position of each log.
    Heads,
    /// Compressed bodies, by digest.
    Bodies,
    /// Which records name a body: digest and record number.
    Uses,
    /// Record numbers whose body is wanted and not here.
    Missing,
    /// Believed values: the observable key, with the number of one record that holds it; for each further record the key
    /// followed by the record's number.
    Seen,
    /// Values in quarantine, likewise.
    Held,
    /// Values that were withdrawn and are not purged yet: observable key and record number.
    Withdrawn,
    /// What is due at a time: the time and a record number.
    Expiry,
    /// Ledger entries, by serial.
    Serials,
    /// Withdrawals, by the record that they withdraw from, their organisation and their own record number.
    Withdrawals,
    /// Records of an organisation: organisation and record number.
    Organisations,
    /// Records in quarantine: organisation and record number.
    Quarantine,
    /// How many believed records a topic has.
    Topics,
    /// Statements of the roster.
    Statements,
    /// Proofs of two histories, by author.
    Forks,
    /// The node's own decisions, by name.
    Settings,
    /// Work that is still being carried out: changes of trust, withdrawals, expiry.
    Pending,
    /// Which records of an organisation are believed.
    Acceptances,
    /// How far the logs of a revoked node count, by its key and the organisation that revoked it.
    Cuts,
    /// What the operator decided on a single record, by its id.
    Decisions,
    /// Values that believed opinions are on: observable key and record number.
    Opinions,
    /// Values that opinions in quarantine are on, likewise.
    HeldOpinions,
    /// The audit log, by number.
    Audit,
}

impl Space {
    /// Every space, in a fixed order.
    pub const ALL: [Self; 28] = [
        Self::Meta,
        Self::Headers,
        Self::Records,
        Self::Ids,
        Self::Logs,
        Self::Heads,
        Self::Bodies,
        Self::Uses,
        Self::Missing,
        Self::Seen,
        Self::Held,
        Self::Withdrawn,
        Self::Expiry,
        Self::Serials,
        Self::Withdrawals,
        Self::Organisations,
        Self::Quarantine,
        Self::Topics,
        Self::Statements,
        Self::Forks,
        Self::Settings,
        Self::Pending,
        Self::Acceptances,
        Self::Cuts,
        Self::Decisions,
        Self::Opinions,
        Self::HeldOpinions,
        Self::Audit,
    ];

    /// Its name on disk and in backups. Never to be changed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Headers => "headers",
            Self::Records => "records",
            Self::Ids => "ids",
            Self::Logs => "logs",
            Self::Heads => "heads",
            Self::Bodies => "bodies",
            Self::Uses => "uses",
            Self::Missing => "missing",
            Self::Seen => "seen",
            Self::Held => "held",
            Self::Withdrawn => "withdrawn",
            Self::Expiry => "expiry",
            Self::Serials => "serials",
            Self::Withdrawals => "withdrawals",
            Self::Organisations => "organisations",
            Self::Quarantine => "quarantine",
            Self::Topics => "topics",
            Self::Statements => "statements",
            Self::Forks => "forks",
            Self::Settings => "settings",
            Self::Pending => "pending",
            Self::Acceptances => "acceptances",
            Self::Cuts => "cuts",
            Self::Decisions => "decisions",
            Self::Opinions => "opinions",
            Self::HeldOpinions => "held-opinions",
            Self::Audit => "audit",
        }
    }

    /// The space of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|space| space.name() == name)
    }
}

impl From<Space> for &'static str {
    fn from(space: Space) -> Self {
        space.name()
    }
}

impl TryFrom<String> for Space {
    type Error = UnknownSpace;

    fn try_from(name: String) -> Result<Self, UnknownSpace> {
        Self::named(&name).ok_or(UnknownSpace)
    }
}

/// A name that is none of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("there is no such space")]
pub struct UnknownSpace;

/// Why the store could not do what it was asked, with what the operator can do about it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// What was read is not what was written.
    #[error("the store is damaged ({0}); stop the node and run `starfish store rebuild`")]
    Corrupt(String),
    /// The disk or its driver failed.
    #[error("the disk failed ({0}); check the file system that holds the data directory, then start again")]
    Io(String),
    /// No room.
    #[error("the disk that holds the data directory is full; make room, then start again")]
    Full,
    /// Written by a later version of this program.
    #[error("the store has format {found} and this program reads up to {known}; install the newer version")]
    Newer {
        /// The store's format.
        found: u32,
        /// The newest that this program reads.
        known: u32,
    },
    /// More keys than a batch may have; a mistake of the caller.
    #[error("a batch of {0} keys; at most {BATCH_KEYS}")]
    TooLarge(usize),
}

impl StoreError {
    /// A record of the store that does not decode, or points to nothing.
    pub(crate) fn corrupt(what: &str) -> Self {
        Self::Corrupt(what.to_owned())
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error.to_string()),
        }
    }
}

/// One write: the key of a space, and its new value, or `None` to remove it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// The space.
    pub space: Space,
    /// The key.
    pub key: Vec<u8>,
    /// The new value.
    pub value: Option<Vec<u8>>,
}

/// Writes that are applied together. Of two for the same key the later one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    writes: Vec<Write>,
}

impl Batch {
    /// Sets a value.
    pub fn put(&mut self, space: Space, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.writes.push(Write {
            space,
            key: key.into(),
            value: Some(value.into()),
        });
    }

    /// Removes a key; nothing happens if it is not there.
    pub fn delete(&mut self, space: Space, key: impl Into<Vec<u8>>) {
        self.writes.push(Write {
            space,
            key: key.into(),
            value: None,
        });
    }

    /// The writes, in order.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// How many writes.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The error for a batch with too many keys.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.len() > BATCH_KEYS {
            Err(StoreError::TooLarge(self.len()))
        } else {
            Ok(())
        }
    }
}

impl FromIterator<Write> for Batch {
    fn from_iter<I: IntoIterator<Item = Write>>(writes: I) -> Self {
        Self {
            writes: writes.into_iter().collect(),
        }
    }
}

/// Takes one key and value after the other until it breaks.
pub type Each<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Ordered key-value spaces, on disk or in memory. Many may read while one writes.
pub trait Store: Send + Sync + 'static {
    /// The value of a key.
    ///
    /// # Errors
    /// The store failed.
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Calls `each` with every key that is not less than `from`, in order, until it breaks.
    ///
    /// Nothing is locked meanwhile: what is written during the scan may be shown or not.
    ///
    /// # Errors
    /// The store failed.
    fn scan(&self, space: Space, from: &[u8], each: &mut Each<'_>) -> Result<(), StoreError>;

    /// Applies a batch of at most [`BATCH_KEYS`] writes, whole or not at all. It survives a crash only after `flush`, and
    /// then with everything that was written before it.
    ///
    /// # Errors
    /// The store failed, or the batch is too large; nothing of it is applied then, unless the disk itself failed.
    fn write(&self, batch: &Batch) -> Result<(), StoreError>;

    /// Sets each of these keys that is not there yet, in any order, and returns the place in `rows` and the present value
    /// of those that are. Faster than a batch for many keys, but a crash may keep any part of them.
    ///
    /// # Errors
    /// The store failed; any part of the rows may be set then.
    fn add(&self, space: Space, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError>;

    /// Returns when everything written so far is on the disk.
    ///
    /// # Errors
    /// The store failed.
    fn flush(&self) -> Result<(), StoreError>;
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(space, key)
    }

    fn scan(&self, space: Space, from: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        (**self).scan(space, from, each)
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        (**self).write(batch)
    }

    fn add(&self, space: Space, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError> {
        (**self).add(space, rows)
    }

    fn flush(&self) -> Result<(), StoreError> {
        (**self).flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_again() {
        for space in Space::ALL {
            assert_eq!(Space::named(space.name()), Some(space));
        }
        assert_eq!(Space::named("nothing"), None);
    }

    #[test]
    fn spaces_are_numbered_in_order() {
        for (index, space) in Space::ALL.into_iter().enumerate() {
            assert_eq!(space as usize, index);
        }
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let check = |kind: io::ErrorKind, full: bool| {
            let error = StoreError::from(io::Error::from(kind));
            assert_eq!(error == StoreError::Full, full, "{kind:?}");
        };
        check(io::ErrorKind::StorageFull, true);
        check(io::ErrorKind::QuotaExceeded, true);
        check(io::ErrorKind::PermissionDenied, false);
    }
}
