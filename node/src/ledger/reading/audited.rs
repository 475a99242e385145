//! The audit log, for whoever asks who decided what, and why.

use starfish_protocol::engine::port::Audit;

use crate::store::{Space, Store, StoreError};

use super::{
    super::{
        Ledger,
        keys::{decoded, meta, number_key, number_of},
        writer::stored_rows,
    },
    END,
};

impl<S: Store> Ledger<S> {
    /// The number of the newest line; 0 where there is none.
    ///
    /// # Errors
    /// The store failed.
    pub fn audited(&self) -> Result<u64, StoreError> {
        let last = self.noted(self.store.get(Space::Meta, meta::AUDIT))?;
        last.map_or(Ok(0), |last| decoded(&last))
    }

    /// Lines of the audit log after a number, in order, each with its own number. They begin with 1 and have no gaps.
    ///
    /// # Errors
    /// The store failed.
    pub fn audit(&self, since: u64, limit: usize) -> Result<Vec<(u64, Audit)>, StoreError> {
        let from = number_key(since.saturating_add(1));
        let rows = self.noted(stored_rows(&self.store, Space::Audit, &from, END, limit))?;
        let line = |(key, line): &(Vec<u8>, Vec<u8>)| Ok((number_of(key)?, decoded(line)?));
        self.noted(rows.iter().map(line).collect())
    }
}
