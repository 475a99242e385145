//! What of the store failed since the start: [`Failures`]. A read that fails must not look like a read that found nothing,
//! so the first one is logged and the operator's status shows it for as long as the node runs.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use crate::store::{Store, StoreError};

use super::Ledger;

/// How often the store failed, and how it began.
#[derive(Debug, Default)]
pub struct Failures {
    count: AtomicU64,
    first: OnceLock<StoreError>,
}

impl Failures {
    /// How many reads and writes failed.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The first failure: those after it are often only its consequences.
    pub fn first(&self) -> Option<&StoreError> {
        self.first.get()
    }

    fn note(&self, error: &StoreError) {
        self.count.fetch_add(1, Ordering::Relaxed);
        // A damaged page may be read a thousand times a second; one line says it.
        if self.first.set(error.clone()).is_ok() {
            tracing::error!(%error, "the store failed");
        }
    }
}

impl<S: Store> Ledger<S> {
    /// What of the store failed since it was opened.
    pub fn failures(&self) -> &Failures {
        &self.failures
    }

    /// Passes a result on, and keeps count when it is a failure.
    pub(super) fn noted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        result.inspect_err(|error| self.failures.note(error))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use starfish_protocol::engine::port::{Found, Query};

    use super::*;
    use crate::{
        ledger::{
            Options,
            journal::MemoryJournal,
            tests::{
                author::{Author, trusting},
                hits,
            },
        },
        store::{Batch, Space, memory::MemoryStore},
    };

    /// A record whose card no longer decodes.
    fn damaged() -> (Ledger<Arc<MemoryStore>>, Query) {
        let disk = Arc::new(MemoryStore::default());
        let ledger = Ledger::open(disk.clone(), MemoryJournal::default(), Options::default()).expect("an empty store");
        let made = Author::new(1).publish(&["a.example"]);
        ledger.apply(&trusting()).expect("memory does not fail");
        ledger.apply(&[made.whole()]).expect("memory does not fail");
        let mut batch = Batch::default();
        batch.put(Space::Records, 0u64.to_be_bytes(), [0xff; 3]);
        disk.write(&batch).expect("memory does not fail");
        (ledger, Query::Record(made.id()))
    }

    #[test]
    fn a_failed_read_is_counted_wherever_it_happens() {
        let check = |name: &str, read: &dyn Fn(&Ledger<Arc<MemoryStore>>, &Query) -> bool| {
            let (ledger, query) = damaged();
            assert_eq!((ledger.failures().count(), ledger.failures().first()), (0, None));
            assert!(read(&ledger, &query), "{name}: the damage was not noticed");
            assert!(read(&ledger, &query), "{name}: the damage was not noticed again");
            assert_eq!(ledger.failures().count(), 2, "{name}");
            assert!(
                matches!(ledger.failures().first(), Some(StoreError::Corrupt(_))),
                "{name}"
            );
        };
        check("answer", &|ledger, query| matches!(ledger.answer(query), Found::Failed));
        check("observables", &|ledger, query| match query {
            Query::Record(record) => ledger.observables(record).is_err(),
            _ => false,
        });
        check("search", &|ledger, _| {
            ledger.search(&crate::ledger::search::Search::all(), None, 10).is_err()
        });
    }

    #[test]
    fn a_sound_store_has_none() {
        let disk = MemoryStore::default();
        let ledger = Ledger::open(disk, MemoryJournal::default(), Options::default()).expect("an empty store");
        ledger.apply(&trusting()).expect("memory does not fail");
        ledger
            .apply(&[Author::new(1).publish(&["a.example"]).whole()])
            .expect("memory does not fail");
        assert_eq!(hits(&ledger, &crate::ledger::search::Search::all()).len(), 1);
        assert_eq!(ledger.failures().count(), 0);
    }
}
