//! Stores of earlier versions open, and say the same as before.

use starfish_protocol::{record::View, trust::Acceptance};

use crate::{
    ledger::{
        FORMAT, Ledger,
        catalogue::Card,
        keys::{decoded, encoded, meta, numbered, pending},
        search::Search,
    },
    store::{Batch, Space, Store, conformance, faulty::FaultyStore, memory::MemoryStore},
};

use super::{Bench, NOW, author::Author, observable};

/// The first version stored opinions like any body that it could not read.
#[test]
fn opinions_that_the_first_version_did_not_read_are_found() {
    let mut bench = Bench::new();
    let (mut one, mut two) = (Author::new(1), Author::new(2));
    let report = one.publish(&["a.example"]);
    let opinions = [View::Sighting, View::FalsePositive].map(|view| two.opine(&report, &["a.example"], view));
    let gone = two.withdraw(&opinions[1], &[]);
    bench.apply(&[report.whole(), opinions[0].whole(), opinions[1].whole(), gone.whole()]);
    let claims = |bench: &Bench| bench.ledger.claims(&observable("a.example"), NOW).expect("memory");
    let expected = claims(&bench);
    assert_eq!(expected.claims.len(), 3);
    let mut batch = Batch::default();
    for number in [1u64, 2] {
        let key = number.to_be_bytes();
        let card = bench.disk.get(Space::Records, &key).expect("memory").expect("a card");
        let mut card: Card = decoded(&card).expect("a card");
        (card.confidence, card.withdrawn) = (0, 0);
        card.context.clear();
        batch.put(Space::Records, key, encoded(&card));
        for space in [Space::Opinions, Space::Withdrawn] {
            batch.delete(space, numbered(&observable("a.example").key(), number));
        }
    }
    bench.disk.write(&batch).expect("memory does not fail");
    assert_eq!(claims(&bench).claims.len(), 1);
    set_back(&bench.disk, &[]);
    bench.reopen();
    assert_eq!(claims(&bench), expected);
    bench.is_clean();
}

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

/// The second version said of an organisation in which scopes it is believed, and nothing else.
#[test]
fn what_the_second_version_believed_is_believed_still() {
    let mut bench = Bench::new();
    let mut author = Author::new(1);
    let made = author.publish(&["a.example"]);
    bench.apply(&[author.judged(true), made.whole()]);
    let rows: Vec<_> = conformance::rows(&bench.disk)
        .into_iter()
        .filter(|((space, _), _)| *space == Space::Acceptances)
        .collect();
    let mut batch = Batch::default();
    for ((space, key), value) in &rows {
        let acceptance: Acceptance = decoded(value).expect("an acceptance");
        batch.put(*space, key.clone(), encoded(&acceptance.scopes()));
    }
    batch.put(Space::Meta, meta::FORMAT, encoded(&2u32));
    bench.disk.write(&batch).expect("memory does not fail");
    bench.reopen();
    let after: Vec<_> = conformance::rows(&bench.disk)
        .into_iter()
        .filter(|((space, _), _)| *space == Space::Acceptances)
        .collect();
    assert!(!rows.is_empty() && after == rows);
    bench.is_clean();
}
