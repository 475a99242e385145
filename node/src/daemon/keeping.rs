//! The ledger behind the mesh: [`Keeping`] answers the mesh from it, and goes on with what a change leaves to be done.
//!
//! A change of trust or an expiry may concern a million records. It becomes durable at once as a small entry; the rows
//! follow in slices between other writes, so that nothing else waits for them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use starfish_protocol::engine::port::{Change, Found, Query};
use tokio::sync::Notify;

use super::{happenings::Happenings, sled_store::SledStore};
use crate::{
    ledger::Ledger,
    mesh::{KeepError, Keeper},
    store::Store,
};

/// Records that are looked at and values that are moved in one slice: some twenty milliseconds of work.
const SLICE: usize = 1_024;

/// A ledger that is kept up to date.
#[derive(Debug)]
pub struct Keeping<S = SledStore> {
    ledger: Arc<Ledger<S>>,
    happenings: Arc<Happenings>,
    pending: Arc<Notify>,
    /// The last serial that was told.
    told: AtomicU64,
}

impl<S: Store> Keeping<S> {
    /// Keeps this ledger, and begins with what an earlier life left to be done. Needs a tokio runtime.
    pub fn start(ledger: &Arc<Ledger<S>>, happenings: &Arc<Happenings>) -> Arc<Self> {
        let keeping = Arc::new(Self {
            ledger: Arc::clone(ledger),
            happenings: Arc::clone(happenings),
            pending: Arc::default(),
            told: AtomicU64::new(ledger.counts().serial),
        });
        keeping.pending.notify_one();
        let (pending, weak) = (Arc::clone(&keeping.pending), Arc::downgrade(&keeping));
        tokio::spawn(async move {
            loop {
                pending.notified().await;
                while let Some(keeping) = weak.upgrade() {
                    let worked = tokio::task::spawn_blocking(move || keeping.work()).await;
                    match worked {
                        Ok(true) => {}
                        Ok(false) => break,
                        // The runtime ends.
                        Err(_) => return,
                    }
                }
            }
        });
        keeping
    }

    /// Does a slice of what is pending; whether there is more to do now.
    fn work(&self) -> bool {
        match self.ledger.work(SLICE) {
            Ok(applied) => {
                self.tell(applied.serial);
                applied.more
            }
            Err(error) => {
                // The next change tries again; if it fails too, the node ends and says why.
                tracing::error!(%error, "pending work is put off");
                false
            }
        }
    }

    /// Whatever moved the serial is news for those who follow the entries, whether a record came or trust changed.
    fn tell(&self, serial: u64) {
        if self.told.fetch_max(serial, Ordering::Relaxed) < serial {
            self.happenings.changed();
        }
    }
}

impl<S: Store> Keeper for Keeping<S> {
    fn apply(&self, changes: &[Change]) -> Result<(), KeepError> {
        let applied = self.ledger.apply(changes)?;
        self.tell(applied.serial);
        if applied.more {
            self.pending.notify_one();
        }
        Ok(())
    }

    fn answer(&self, query: &Query) -> Found {
        self.ledger.answer(query)
    }
}

#[cfg(test)]
mod tests {
    use starfish_protocol::time::Millis;

    use super::*;
    use crate::{
        ledger::{
            Options,
            journal::MemoryJournal,
            tests::{
                DAY, NOW,
                author::{Author, trusting},
            },
        },
        store::{faulty::FaultyStore, memory::MemoryStore},
    };

    fn kept(writes: usize) -> (FaultyStore, Arc<Happenings>, Arc<Keeping<FaultyStore>>) {
        let store = FaultyStore::new(Arc::new(MemoryStore::default()), writes);
        let ledger = Ledger::open(store.clone(), MemoryJournal::default(), Options::default()).expect("an empty store");
        ledger.apply(&trusting()).expect("memory does not fail");
        let happenings = Arc::new(Happenings::default());
        let keeping = Keeping::start(&Arc::new(ledger), &happenings);
        (store, happenings, keeping)
    }

    #[tokio::test]
    async fn everything_that_moves_the_serial_wakes_who_follows() {
        let (_, happenings, keeping) = kept(usize::MAX);
        let mut author = Author::new(1);
        let (target, judged) = (author.publish(&["a.example"]), |believed| {
            Author::new(1).judged(believed)
        });
        let by = author.withdraw(&target, &["a.example"]);
        let changes = [
            ("stored", target.whole(), true),
            ("stored again", target.whole(), false),
            ("retracted", judged(false), true),
            ("released", judged(true), true),
            ("withdrawn", by.whole(), true),
            ("a setting", Change::Setting("paired", vec![0]), false),
            ("expired", Change::Expire(Millis(NOW.0 + 60 * DAY)), true),
        ];
        for (name, change, is_news) in changes {
            let mut durable = happenings.durable();
            durable.mark_unchanged();
            keeping.apply(&[change]).expect("memory does not fail");
            while keeping.work() {}
            if is_news {
                durable.changed().await.expect(name);
            } else {
                assert!(!durable.has_changed().expect("it is kept"), "{name}");
            }
        }
    }

    #[tokio::test]
    async fn work_that_failed_is_taken_up_with_the_next_change() {
        let (store, happenings, keeping) = kept(usize::MAX);
        let mut author = Author::new(1);
        let records: Vec<_> = (0..80)
            .map(|number| author.publish(&[&format!("{number}.example")]))
            .collect();
        let changes: Vec<_> = records.iter().map(|made| made.whole()).collect();
        keeping.apply(&changes).expect("memory does not fail");
        keeping.apply(&[author.judged(false)]).expect("memory does not fail");
        // The slice that was just notified meets a disk that fails.
        store.set_left(0);
        let deadline = std::time::Duration::from_secs(20);
        let failed = async {
            while keeping.ledger.failures().count() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(deadline, failed).await.expect("it was tried");
        store.set_left(usize::MAX);
        let mut durable = happenings.durable();
        keeping
            .apply(&[Change::Setting("paired", vec![1])])
            .expect("the disk works again");
        let done = async {
            while keeping.ledger.counts().believed > 0 {
                durable.changed().await.expect("it is kept");
            }
        };
        tokio::time::timeout(deadline, done).await.expect("the rest follows");
    }
}
