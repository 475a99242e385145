//! What the mesh cannot give back: this node's own records and decisions, written down before the store sees them.
//!
//! The ledger hands [`Note`]s to a [`Journal`], which makes them durable, and remembers in the store up to where it has
//! carried them out. At its opening it carries out the rest; after the loss of a store, all of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use starfish_crypto::Signed;
use starfish_protocol::{
    codec, engine::port::Audit, organisation::OrgId, record::RecordId, statement::Statement, time::Millis,
    trust::Acceptance,
};

use crate::store::{StoreError, memory::Pool};

/// One thing that this node said or decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// A record of its own.
    Record {
        /// The signed header.
        header: Signed,
        /// Its organisation.
        org: Option<OrgId>,
        /// The compressed body, when it was there.
        body: Option<Vec<u8>>,
        /// When it was written.
        received_at: Millis,
    },
    /// The body of a record of its own that had come without.
    Body {
        /// The record.
        record: RecordId,
        /// The compressed body.
        body: Vec<u8>,
        /// When it came.
        received_at: Millis,
    },
    /// A statement about its own organisation.
    Statement(Statement),
    /// A named value, such as who is paired.
    Setting(String, Vec<u8>),
    /// Whether all of an organisation is believed: how the first version wrote what is now `Accept`.
    Judge(OrgId, bool),
    /// Which records of an organisation are believed.
    Accept(OrgId, Acceptance),
    /// A record that the operator let out of the quarantine.
    Release(RecordId),
    /// A record that the operator threw away.
    Drop(RecordId),
    /// A line of the audit log.
    Audit(Audit),
}

/// Receives the notes of a journal with the position behind each.
pub type Reader<'a> = dyn FnMut(u64, Note) -> Result<(), StoreError> + 'a;

/// An append-only file, or what stands for it.
pub trait Journal: Send + 'static {
    /// Appends these notes, together. Returns the position behind them when they are durable.
    ///
    /// # Errors
    /// They may not survive a crash.
    fn append(&mut self, notes: &[Note]) -> Result<u64, StoreError>;

    /// Calls `each` with every note behind a position; all of them when this journal never had that position.
    ///
    /// # Errors
    /// The journal cannot be read, or `each` failed.
    fn replay(&mut self, from: u64, each: &mut Reader<'_>) -> Result<(), StoreError>;
}

/// A journal in memory, for tests and simulated nodes. Clones share it, as a file would be shared.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal {
    pool: Pool,
    /// Encoded, as in a file.
    notes: Arc<Mutex<Vec<Arc<[u8]>>>>,
}

impl MemoryJournal {
    /// A journal whose notes are held once for all journals and stores of this pool.
    pub fn sharing(pool: &Pool) -> Self {
        Self {
            pool: pool.clone(),
            notes: Arc::default(),
        }
    }

    /// How many bytes its notes have, whoever else holds them.
    pub fn bytes(&self) -> usize {
        self.notes().iter().map(|note| note.len()).sum()
    }

    /// How many notes it has.
    pub fn count(&self) -> usize {
        self.notes().len()
    }

    fn notes(&self) -> MutexGuard<'_, Vec<Arc<[u8]>>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, notes: &[Note]) -> Result<u64, StoreError> {
        let mut all = self.notes();
        all.extend(notes.iter().map(|note| self.pool.hold(&codec::encode(note))));
        Ok(all.len() as u64)
    }

    fn replay(&mut self, from: u64, each: &mut Reader<'_>) -> Result<(), StoreError> {
        let notes = self.notes().clone();
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let start = if from > notes.len() { 0 } else { from };
        notes.into_iter().enumerate().skip(start).try_for_each(|(place, note)| {
            let note = codec::decode(&note, note.len());
            each(
                place as u64 + 1,
                note.map_err(|_| StoreError::Corrupt("a note".to_owned()))?,
            )
        })
    }
}
