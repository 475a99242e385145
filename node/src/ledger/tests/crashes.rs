//! The power goes at any write: what was acknowledged is there afterwards, nothing is half there, and the same changes again
//! lead to the same ledger.

use std::sync::Arc;

use starfish_protocol::{
    engine::port::{Audit, Change, Deed, Who},
    record::View,
    time::Millis,
};

use crate::{
    ledger::{Ledger, Options, journal::MemoryJournal},
    store::{conformance, faulty::FaultyStore, memory::MemoryStore},
};

use super::{
    DAY, NOW,
    author::{Author, cut, uncut},
    is_clean,
};

/// Small and large records, both orders of withdrawal, a trust change, a full quarantine and expiry.
fn story() -> Vec<Vec<Change>> {
    let (mut author, mut doubted, mut own) = (Author::new(1), Author::doubted(2), Author::new(3));
    let mut colleague = author.colleague(4);
    own.own = true;
    author.expires_at = Millis(NOW.0 + DAY);
    let small = author.publish(&["a.example", "b.example", "name-000001.example"]);
    let large = author.publish_names(0, 250);
    let gone = author.publish_names(100, 300);
    let part = author.withdraw(&large, &["name-000007.example"]);
    let whole = colleague.withdraw(&gone, &[]);
    let held = doubted.publish_names(200, 420);
    let mine = own.publish_names(0, 130);
    let late = own.publish(&["mine.example"]);
    let thrown = doubted.publish_names(500, 640);
    let seen = own.opine(&small, &["a.example"], View::Sighting);
    let wrong = doubted.opine(&small, &["a.example", "b.example"], View::FalsePositive);
    let unseen = doubted.withdraw(&wrong, &["a.example"]);
    let (void, counts) = (cut(&whole, None), uncut(&whole));
    let audit = Audit::new(NOW, Who::Operator, Deed::Released, held.id().to_string(), "it is sound");
    let judge = |believed| doubted.judged(believed);
    vec![
        vec![author.judged(true)],
        vec![small.whole(), large.bare()],
        vec![whole.whole(), mine.whole()],
        vec![large.content(), gone.whole(), Change::Setting("paired", vec![0])],
        vec![part.bare(), late.bare(), held.whole()],
        vec![part.content(), late.content(), thrown.whole()],
        vec![seen.whole(), wrong.whole(), unseen.whole()],
        vec![judge(true)],
        vec![judge(false)],
        vec![Change::Release(held.id()), Change::Audit(audit)],
        vec![void],
        vec![counts, Change::Drop(thrown.id())],
        vec![Change::Expire(Millis(NOW.0 + DAY))],
    ]
}

struct Machine {
    disk: Arc<MemoryStore>,
    journal: MemoryJournal,
}

impl Machine {
    fn new() -> Self {
        Self {
            disk: Arc::new(MemoryStore::default()),
            journal: MemoryJournal::default(),
        }
    }

    fn start(&self, writes: usize) -> (FaultyStore, Option<Ledger<FaultyStore>>) {
        let store = FaultyStore::new(self.disk.clone(), writes);
        let ledger = Ledger::open(store.clone(), self.journal.clone(), Options::default()).ok();
        (store, ledger)
    }
}

/// Applies steps until one fails; how many were acknowledged.
fn run(ledger: &Ledger<FaultyStore>, store: &FaultyStore, steps: &[Vec<Change>]) -> usize {
    let applied = |step: &&Vec<Change>| {
        let done = ledger.apply(step).is_ok();
        assert!(!done || store.unflushed() == 0, "acknowledged before the flush");
        done
    };
    steps.iter().take_while(applied).count()
}

#[test]
fn nothing_acknowledged_is_lost_at_any_write() {
    let story = story();
    let whole = Machine::new();
    let (store, ledger) = whole.start(1_000_000);
    let ledger = ledger.expect("an empty store opens");
    assert_eq!(run(&ledger, &store, &story), story.len());
    is_clean(&ledger);
    let expected = conformance::rows(&*whole.disk);
    let writes = 1_000_000 - store.left();
    for power in 0..writes {
        let machine = Machine::new();
        let (store, ledger) = machine.start(power);
        let done = ledger.map_or(0, |ledger| run(&ledger, &store, &story));
        // Opening mends, and may lose power as well.
        machine.start(1);
        machine.start(2);
        let (store, ledger) = machine.start(1_000_000);
        let ledger = ledger.unwrap_or_else(|| panic!("power for {power} writes: it does not open again"));
        is_clean(&ledger);
        assert_eq!(
            run(&ledger, &store, &story[done..]),
            story.len() - done,
            "power for {power} writes"
        );
        is_clean(&ledger);
        let found = conformance::rows(&*machine.disk);
        let same = expected.keys().eq(found.keys());
        assert!(same, "power for {power} writes: {:?}", difference(&expected, &found));
    }
}

fn difference<K: Ord + Clone, V>(
    one: &std::collections::BTreeMap<K, V>,
    two: &std::collections::BTreeMap<K, V>,
) -> Vec<K> {
    let only = |one: &std::collections::BTreeMap<K, V>, two: &std::collections::BTreeMap<K, V>| {
        one.keys()
            .filter(|key| !two.contains_key(key))
            .cloned()
            .collect::<Vec<_>>()
    };
    [only(one, two), only(two, one)].concat()
}

#[test]
fn a_failed_write_is_mended_before_the_next() {
    let story = story();
    let machine = Machine::new();
    let (store, ledger) = machine.start(1_000_000);
    let ledger = ledger.expect("an empty store opens");
    for step in &story {
        // The disk fails in the middle of the step, works again, and the step is repeated.
        store.set_left(1);
        let failed = ledger.apply(step);
        store.set_left(1_000_000);
        assert!(failed.is_err() || store.unflushed() == 0);
        ledger.apply(step).expect("the disk works again");
        is_clean(&ledger);
    }
}

#[test]
fn a_header_of_ones_own_is_noted_with_the_body_that_follows() {
    let machine = Machine::new();
    let (_, ledger) = machine.start(1_000_000);
    let mut own = Author::new(3);
    own.own = true;
    let (one, two) = (own.publish(&["one.example"]), own.publish(&["two.example"]));
    let changes = [one.bare(), one.content(), two.bare()];
    ledger.expect("an empty store opens").apply(&changes).expect("memory");
    let machine = Machine {
        disk: Arc::new(MemoryStore::default()),
        ..machine
    };
    let (_, ledger) = machine.start(1_000_000);
    let counts = ledger.expect("an empty store opens").counts();
    assert_eq!((counts.records, counts.observables, counts.missing), (2, 1, 1));
}

#[test]
fn the_journal_brings_back_what_is_ones_own() {
    let story = story();
    let machine = Machine::new();
    let (store, ledger) = machine.start(1_000_000);
    run(&ledger.expect("an empty store opens"), &store, &story);
    // The disk is lost, the journal is not.
    let machine = Machine {
        disk: Arc::new(MemoryStore::default()),
        ..machine
    };
    let (_, ledger) = machine.start(1_000_000);
    let ledger = ledger.expect("an empty store opens");
    let counts = ledger.counts();
    assert_eq!((counts.records, counts.observables, counts.serial), (3, 131, 3));
    assert!(ledger.load().expect("memory").settings.contains_key("paired"));
    is_clean(&ledger);
}
