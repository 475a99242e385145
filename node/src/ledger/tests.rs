//! The ledger as a whole: what is shown after which changes, in any order, with repeats, and through crashes.

pub(crate) mod author;
mod changes;
mod copying;
mod crashes;
mod decisions;
mod formats;
mod many;
mod model;
mod opinions;
mod repeats;
mod trust;
mod withdrawals;

use std::sync::Arc;

use starfish_protocol::{
    engine::port::{Change, Found, Query},
    observable::Observable,
    time::Millis,
};

use crate::store::{Store, memory::MemoryStore};

use super::{
    Ledger, Options,
    journal::MemoryJournal,
    search::{Hit, Search},
};

/// A moment at which nothing of the tests has expired.
pub(crate) const NOW: Millis = Millis(1_800_000_000_000);
pub(crate) const DAY: u64 = 86_400_000;

/// A ledger over memory that can be opened again.
struct Bench {
    disk: Arc<MemoryStore>,
    journal: MemoryJournal,
    options: Options,
    ledger: Ledger<Arc<MemoryStore>>,
}

impl Bench {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let (disk, journal) = (Arc::new(MemoryStore::default()), MemoryJournal::default());
        let ledger = Ledger::open(disk.clone(), journal.clone(), options.clone()).expect("an empty store opens");
        ledger.apply(&author::trusting()).expect("memory does not fail");
        Self {
            disk,
            journal,
            options,
            ledger,
        }
    }

    /// The body of a record, for a peer that may be told TLP:GREEN or may not.
    fn body(&self, record: &author::Made, green: bool) -> Option<Vec<u8>> {
        let digest = record.header.body_digest;
        match self.ledger.answer(&Query::Body { digest, green }) {
            Found::Body(body) => body,
            other => panic!("{other:?}"),
        }
    }

    fn reopen(&mut self) {
        self.ledger =
            Ledger::open(self.disk.clone(), self.journal.clone(), self.options.clone()).expect("it opens again");
    }

    fn apply(&self, changes: &[Change]) -> u64 {
        self.ledger.apply(changes).expect("memory does not fail").serial
    }

    fn work(&self) {
        while self.ledger.work(3).expect("memory does not fail").more {}
    }

    /// The texts of what is found, with a mark behind what is withdrawn.
    fn finds(&self, search: &Search) -> Vec<String> {
        texts(&hits(&self.ledger, search))
    }

    fn finds_value(&self, value: &str) -> Vec<String> {
        self.finds(&Search::value(&observable(value)).at(NOW))
    }

    fn is_clean(&self) {
        is_clean(&self.ledger);
    }
}

pub(crate) fn is_clean<S: Store>(ledger: &Ledger<S>) {
    let report = ledger.verify(&mut |_| {}).expect("the store can be read");
    assert!(report.is_clean(), "{report:#?}");
}

/// Every hit, in pages of three.
pub(crate) fn hits<S: Store>(ledger: &Ledger<S>, search: &Search) -> Vec<Hit> {
    let (mut hits, mut after) = (Vec::new(), None);
    loop {
        let page = ledger.search(search, after.as_ref(), 3).expect("the store can be read");
        assert!(page.hits.len() <= 3);
        hits.extend(page.hits);
        match page.next {
            Some(next) => after = Some(next.to_string().parse().expect("a cursor's text is read again")),
            None => return hits,
        }
    }
}

pub(crate) fn texts(hits: &[Hit]) -> Vec<String> {
    hits.iter()
        .map(|hit| format!("{}{}", hit.value, if hit.withdrawn { " -" } else { "" }))
        .collect()
}

fn observable(text: &str) -> Observable {
    Observable::parse(text).expect("an observable")
}
