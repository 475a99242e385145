//! Stores of earlier versions open, and say the same as before.

use starfish_protocol::trust::Acceptance;

use crate::{
    ledger::{
        FORMAT, Ledger,
        keys::{decoded, encoded, meta, pending},
        search::Search,
    },
    store::{Batch, Space, Store, conformance, faulty::FaultyStore, memory::MemoryStore},
};

use super::{Bench, NOW, author::Author};

/// Makes of a store what the first version would have made of the same changes.
fn set_back(disk: &MemoryStore, pending: &[(Vec<u8>, bool)]) {
    let mut batch = Batch::default();
    for ((space, key), _) in conformance::rows(disk) {
        if space == Space::Acceptances {
            batch.delete(space, key);
        }
    }
    for (key, verdict) in pending {
        batch.put(Space::Pending, key.as_slice(), encoded(&(*verdict, 0u64)));
    }
    batch.put(Space::Meta, meta::FORMAT, encoded(&1u32));
    disk.write(&batch).expect("memory does not fail");
}

#[test]
fn verdicts_of_the_first_version_are_kept() {
    let mut bench = Bench::new();
    let (mut one, mut two, mut three) = (Author::new(1), Author::new(2), Author::doubted(3));
    let records = [
        one.publish_names(0, 3),
        two.publish_names(10, 13),
        three.publish_names(20, 23),
    ];
    bench.apply(&records.iter().map(super::author::Made::whole).collect::<Vec<_>>());
    // The second organisation had just been distrusted, the third one trusted; neither was carried out.
    let pending = [
        (pending::judgement(two.org), false),
        (pending::judgement(three.org), true),
    ];
    set_back(&bench.disk, &pending);
    // The power goes in the middle, more than once.
    for writes in 0..3 {
        let half = FaultyStore::new(bench.disk.clone(), writes);
        assert!(Ledger::open(half, bench.journal.clone(), bench.options.clone()).is_err());
    }
    bench.reopen();
    bench.work();
    let found = bench.disk.get(Space::Meta, meta::FORMAT).expect("memory");
    assert_eq!(found.map(|value| decoded::<u32>(&value)), Some(Ok(FORMAT)));
    let mut judged = bench.ledger.load().expect("memory").judged;
    judged.sort_by_key(|(org, _)| *org != one.org);
    let everything = |org| (org, Acceptance::everything());
    assert_eq!(judged, [everything(one.org), everything(three.org)]);
    let shown = |quarantine| bench.finds(&Search::all().at(NOW).in_quarantine(quarantine)).len();
    assert_eq!((shown(false), shown(true)), (6, 3));
    bench.is_clean();
}
