//! The ledger behind the mesh: [`Keeping`] answers the mesh from it, and goes on with what a change leaves to be done.
//!
//! A change of trust or an expiry may concern a million records. It becomes durable at once as a small entry; the rows
//! follow in slices between other writes, so that nothing else waits for them.

use std::sync::Arc;

use starfish_protocol::engine::port::{Change, Found, Query};
use tokio::sync::Notify;

use super::{happenings::Happenings, sled_store::SledStore};
use crate::{
    ledger::Ledger,
    mesh::{KeepError, Keeper},
    store::StoreError,
};

/// Records of one slice: some ten milliseconds of work.
const SLICE: usize = 256;

/// A ledger that is kept up to date.
#[derive(Debug)]
pub struct Keeping {
    ledger: Arc<Ledger<SledStore>>,
    pending: Arc<Notify>,
}

impl Keeping {
    /// Keeps this ledger, and begins with what an earlier life left to be done. Needs a tokio runtime.
    pub fn start(ledger: &Arc<Ledger<SledStore>>, happenings: &Arc<Happenings>) -> Arc<Self> {
        let pending = Arc::new(Notify::new());
        pending.notify_one();
        let keeping = Arc::new(Self { ledger: Arc::clone(ledger), pending: Arc::clone(&pending) });
        let (ledger, happenings) = (Arc::downgrade(ledger), Arc::clone(happenings));
        tokio::spawn(async move {
            loop {
                pending.notified().await;
                while let Some(ledger) = ledger.upgrade() {
                    let worked = tokio::task::spawn_blocking(move || ledger.work(SLICE)).await;
                    happenings.changed();
                    match worked {
                        Ok(Ok(applied)) if applied.more => {}
                        Ok(Ok(_)) => break,
                        Ok(Err(error)) => {
                            tracing::error!(%error, "pending work is put off to the next start");
                            return;
                        }
                        // The runtime ends.
                        Err(_) => return,
                    }
                }
            }
        });
        keeping
    }
}

impl Keeper for Keeping {
    fn apply(&self, changes: &[Change]) -> Result<(), KeepError> {
        let applied = self.ledger.apply(changes).map_err(|error: StoreError| KeepError(error.to_string()))?;
        if applied.more {
            self.pending.notify_one();
        }
        Ok(())
    }

    fn answer(&self, query: &Query) -> Found {
        self.ledger.answer(query)
    }
}
