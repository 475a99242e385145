//! Exact search among 10^6 observables in sled, in process: values that are there, and one in ten that is not.
//! `OBSERVABLES` and `SEARCHES` change the size.

use std::time::Instant;

use starfish_crypto::{Digest, Strict};
use starfish_node::{
    daemon::sled_store::SledStore,
    ledger::{Ledger, Options, journal::MemoryJournal, search::Search},
};
use starfish_protocol::{
    community::Community,
    engine::port::Change,
    observable::Observable,
    record::{Body, RecordId, seal_body},
    time::Millis,
    trust::Acceptance,
};
use starfish_tests::{
    cast::{Organisation, Position, bundle, now},
    shape::{Chance, asked, day, percentile},
};

const RECORD: usize = 5_000;
/// The target for the 99th percentile, in µs.
const TARGET: f64 = 1_000.0;

fn main() {
    let records = asked("OBSERVABLES", 1_000_000) / RECORD;
    let searches = asked("SEARCHES", 50_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = SledStore::open(folder.path(), 32 << 20).expect("the store opens");
    let ledger = Ledger::open(store, MemoryJournal::default(), Options::default()).expect("the ledger opens");
    fill(&ledger, records);

    let mut chance = Chance::new(7);
    let mut lists: Vec<Vec<String>> = Vec::new();
    (1..=records as u64)
        .step_by(1 + records / 20)
        .for_each(|record| lists.push(day(record, RECORD).into_iter().collect()));
    let absent: Vec<String> = day(1 << 40, 1_000)
        .iter()
        .map(|name| format!("absent-{name}"))
        .collect();
    let mut micros = Vec::with_capacity(searches);
    let mut found = 0;
    for number in 0..searches {
        let list = if number % 10 == 9 {
            &absent
        } else {
            &lists[chance.below(lists.len())]
        };
        let value: Observable = list[chance.below(list.len())].parse().expect("a name is an observable");
        let began = Instant::now();
        let page = ledger
            .search(&Search::value(&value).at(now()), None, 100)
            .expect("the index can be read");
        micros.push(began.elapsed().as_secs_f64() * 1e6);
        found += usize::from(!page.hits.is_empty());
    }
    assert_eq!(
        found,
        searches - searches / 10,
        "the searches found something else than was stored"
    );
    let p99 = percentile(&mut micros, 99);
    println!(
        "search: exact among {} observables: p50 {:.0} us, p99 {p99:.0} us, {:.3} of the {TARGET:.0} us allowed, {searches} searches",
        records * RECORD,
        percentile(&mut micros, 50),
        p99 / TARGET,
    );
}

/// Stores records as a node would after it has judged them.
fn fill(ledger: &Ledger<SledStore>, records: usize) {
    let community = Community::named("bench");
    let author = Organisation::new("Author", 2, community, now());
    let epoch = Millis(now().0 - 60_000);
    let mut prev = Digest::ZERO;
    let judge = Change::Judge {
        org: author.id,
        acceptance: Acceptance::everything(),
    };
    ledger.apply(&[judge]).expect("the store takes it");
    for seq in 0..records as u64 {
        let names = day(seq + 1, RECORD);
        let observables = names
            .iter()
            .map(|name| name.parse().expect("a name is an observable"))
            .collect();
        let sealed = seal_body(Body::Indicators(bundle(observables)));
        let position = Position {
            community,
            epoch,
            seq,
            prev,
            created_at: Millis(epoch.0 + seq),
        };
        let header = position.header(&author.node, &sealed, |_| {});
        let header = header.verify(&Strict).expect("a header made here verifies");
        prev = RecordId::of(&header).digest();
        let change = Change::Record {
            header,
            org: Some(author.id),
            body: Some((sealed.compressed, sealed.body)),
            received_at: now(),
            own: false,
        };
        ledger.apply(&[change]).expect("the store takes records");
    }
}
