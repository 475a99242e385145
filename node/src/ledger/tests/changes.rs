//! Records and bodies that come in, what is found then, and what the engine is told.

use starfish_protocol::{
    engine::port::{Change, Found, Query, RecoverySeen},
    record::RecordId,
    time::Millis,
    wire::Head,
};

use crate::{
    ledger::{
        catalogue::{EntryKind, Standing, State},
        search::Search,
    },
    store::{Space, Store, StoreError},
};

use super::{Bench, DAY, NOW, author::Author, observable};

#[test]
fn a_record_is_found_by_value_domain_and_network() {
    let bench = Bench::new();
    let mut author = Author::new(1);
    let values = [
        "evil.example",
        "www.evil.example",
        "evil.test",
        "http://www.evil.example/a",
        "192.0.2.7",
        "x@evil.example",
    ];
    let record = author.publish(&values);
    assert_eq!(bench.apply(&[record.whole()]), 1);
    let check = |search: Search, expected: &[&str]| {
        let search = search.at(NOW);
        assert_eq!(bench.finds(&search), expected, "{search:?}");
    };
    check(Search::value(&observable("evil.example")), &["evil.example"]);
    check(Search::value(&observable("other.example")), &[]);
    let under = [
        "evil.example",
        "www.evil.example",
        "http://www.evil.example/a",
        "x@evil.example",
    ];
    check(Search::under("evil.example").expect("a domain"), &under);
    check(Search::under("example").expect("a domain"), &under);
    check(Search::under("test").expect("a domain"), &["evil.test"]);
    check(Search::under("vil.example").expect("a domain"), &[]);
    check(Search::within("192.0.2.0/24").expect("a network"), &["192.0.2.7"]);
    check(Search::within("192.0.2.7").expect("an address"), &["192.0.2.7"]);
    check(Search::within("192.0.3.0/24").expect("a network"), &[]);
    check(Search::all().in_quarantine(true), &[]);
    assert!(Search::within("evil.example").is_err());
    let counts = bench.ledger.counts();
    assert_eq!(
        (counts.records, counts.observables, counts.bodies, counts.serial),
        (1, 6, 1, 1)
    );
    bench.is_clean();
}

#[test]
fn a_hit_says_everything_about_its_record() {
    let bench = Bench::new();
    let mut author = Author::new(1);
    let record = author.publish(&["evil.example"]);
    bench.apply(&[record.whole()]);
    let page = bench
        .ledger
        .search(&Search::value(&observable("evil.example")).at(NOW), None, 10)
        .expect("a page");
    let [hit] = page.hits.as_slice() else {
        panic!("{page:?}")
    };
    assert_eq!(
        (hit.confidence, hit.context.as_str(), hit.topic.as_str()),
        (80, "seen in a trap", "malware")
    );
    assert_eq!(
        (hit.record, hit.organisation, hit.serial),
        (record.id(), Some(author.org), 1)
    );
    assert_eq!(
        (hit.author, hit.received_at, hit.expires_at),
        (record.header.author, NOW, record.header.expires_at)
    );
    assert!(!hit.withdrawn && !hit.forked && page.next.is_none());
    let (_, card) = bench.ledger.card_of(&record.id()).expect("memory").expect("a card");
    assert_eq!((card.serial, card.stored), (1, 1));
}

#[test]
fn what_expired_is_not_shown_before_it_is_purged() {
    let bench = Bench::new();
    let record = Author::new(1).publish(&["evil.example"]);
    bench.apply(&[record.whole()]);
    let check = |now: u64, shown: usize| {
        let search = Search::value(&observable("evil.example")).at(Millis(now));
        assert_eq!(bench.finds(&search).len(), shown, "at {now}");
    };
    check(record.header.expires_at.0 - 1, 1);
    check(record.header.expires_at.0, 0);
}

#[test]
fn a_header_waits_for_its_body() {
    let mut bench = Bench::new();
    let record = Author::new(1).publish(&["evil.example"]);
    assert_eq!(bench.apply(&[record.bare()]), 0);
    let missing = |bench: &Bench| match bench.ledger.answer(&Query::Missing { after: None, limit: 10 }) {
        Found::Missing(headers) => headers.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!((missing(&bench), bench.ledger.counts().missing), (1, 1));
    assert!(bench.finds_value("evil.example").is_empty());
    bench.reopen();
    assert_eq!(bench.apply(&[record.content()]), 1);
    assert_eq!((missing(&bench), bench.ledger.counts().missing), (0, 0));
    assert_eq!(bench.finds_value("evil.example"), ["evil.example"]);
    bench.is_clean();
}

#[test]
fn the_same_change_twice_is_harmless() {
    let bench = Bench::new();
    let mut author = Author::new(1);
    let (one, two) = (author.publish(&["evil.example"]), author.publish_names(0, 500));
    for _ in 0..2 {
        bench.apply(&[
            one.whole(),
            one.whole(),
            one.bare(),
            one.content(),
            two.bare(),
            two.content(),
            two.whole(),
        ]);
        let counts = bench.ledger.counts();
        assert_eq!(
            (counts.records, counts.observables, counts.serial, counts.bodies),
            (2, 501, 2, 2)
        );
    }
    bench.is_clean();
}

#[test]
fn two_records_with_one_body_share_it() {
    let bench = Bench::new();
    let (mut author, mut other) = (Author::new(1), Author::new(2));
    let records = [
        author.publish_names(0, 300),
        author.publish_names(0, 300),
        other.publish_names(0, 300),
    ];
    bench.apply(&[records[0].bare(), records[1].bare()]);
    // One body fills both headers, and a header that comes later as well.
    bench.apply(&[records[0].content()]);
    bench.apply(&[records[2].bare()]);
    let counts = bench.ledger.counts();
    assert_eq!(
        (counts.bodies, counts.believed, counts.observables, counts.serial),
        (1, 3, 300, 3)
    );
    assert_eq!(bench.finds_value("name-000007.example").len(), 3);
    bench.is_clean();
}

#[test]
fn spoiled_bodies_are_not_looked_for_again() {
    let bench = Bench::new();
    let record = Author::new(1).publish(&["evil.example"]);
    bench.apply(&[record.bare()]);
    bench.apply(&[Change::Spoiled(record.id())]);
    assert_eq!(bench.ledger.counts().missing, 0);
    let (_, card) = bench.ledger.card_of(&record.id()).expect("memory").expect("a card");
    assert_eq!(card.state, State::Spoiled);
    bench.is_clean();
}

#[test]
fn the_engine_finds_headers_bodies_and_records() {
    let bench = Bench::new();
    let mut author = Author::new(1);
    let records: Vec<_> = (0..5).map(|number| author.publish_names(number, number + 1)).collect();
    bench.apply(&records.iter().map(super::author::Made::whole).collect::<Vec<_>>());
    let log = records[0].header.log();
    let check = |from: u64, limit: usize, expected: usize| {
        let Found::Headers(headers) = bench.ledger.answer(&Query::Headers { log, from, limit }) else {
            panic!("headers")
        };
        assert_eq!(headers.len(), expected, "from {from}, at most {limit}");
        for (header, record) in headers.iter().zip(&records[from as usize..]) {
            assert_eq!(header, record.header.signed());
        }
    };
    check(0, 10, 5);
    check(2, 2, 2);
    check(4, 10, 1);
    check(5, 10, 0);
    let Some(body) = bench.body(&records[3], false) else {
        panic!("body")
    };
    assert_eq!(body, records[3].compressed);
    let Found::Record(Some((header, org, Some(body)))) = bench.ledger.answer(&Query::Record(records[2].id())) else {
        panic!("record")
    };
    assert_eq!(
        (RecordId::of(&header), org, body),
        (records[2].id(), Some(author.org), records[2].body.clone())
    );
    let loaded = bench.ledger.load().expect("memory");
    assert_eq!(
        loaded.heads,
        [Head {
            log,
            seq: 4,
            id: records[4].id().digest()
        }]
    );
    assert_eq!((loaded.records, loaded.safe_mode), (5, false));
}

#[test]
fn a_body_that_is_green_is_given_to_those_who_may_have_it() {
    let mut bench = Bench::new();
    let (mut green, mut clear) = (Author::green(1), Author::new(1));
    let (first, second) = (green.publish_names(0, 3), green.publish_names(3, 6));
    bench.apply(&[first.whole(), second.whole()]);
    let check = |bench: &Bench, may: bool, expected: [bool; 2]| {
        let given = [&first, &second].map(|record| bench.body(record, may).is_some());
        assert_eq!(given, expected, "may: {may}");
    };
    check(&bench, true, [true, true]);
    check(&bench, false, [false, false]);
    // The same body said to everyone is everyone's, also after a start.
    bench.apply(&[clear.publish_names(0, 3).whole()]);
    bench.reopen();
    check(&bench, true, [true, true]);
    check(&bench, false, [true, false]);
}

#[test]
fn entries_page_exactly_once() {
    let bench = Bench::new();
    let mut author = Author::new(1);
    let records: Vec<_> = (0..50).map(|number| author.publish_names(number, number + 1)).collect();
    bench.apply(&records.iter().map(super::author::Made::whole).collect::<Vec<_>>());
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let entries = bench.ledger.entries(after, 7).expect("memory");
        let Some(last) = entries.last() else { break };
        after = last.serial;
        seen.extend(entries);
    }
    assert!(seen.iter().map(|entry| entry.serial).eq(1..=50));
    assert!(
        seen.iter()
            .zip(&records)
            .all(|(entry, record)| entry.record == record.id())
    );
    assert!(
        seen.iter()
            .all(|entry| entry.kind == EntryKind::Stored && entry.observables == 1 && entry.believed)
    );
    let values = bench.ledger.observables(&records[3].id()).expect("memory");
    assert_eq!(values, [(observable("name-000003.example"), Standing::Believed)]);
}

#[test]
fn settings_and_proofs_survive() {
    let mut bench = Bench::new();
    let (one, two) = (
        Author::new(1).publish(&["a.example"]),
        Author::new(1).publish(&["b.example"]),
    );
    let fork = Change::Fork(Box::new((one.header.clone(), two.header.clone())));
    bench.apply(&[one.whole(), Change::Setting("paired", vec![0]), fork, two.whole()]);
    bench.reopen();
    let loaded = bench.ledger.load().expect("memory");
    assert_eq!(loaded.frozen, [(one.header.log(), 0)]);
    assert_eq!(loaded.settings.get("paired"), Some(&vec![0]));
    let policy = loaded.policy(Vec::new());
    assert!(policy.paired.is_empty() && policy.blocked.is_empty() && loaded.subscription().is_none());
    // The first content of a number stays, and is marked; the second is only in the proof.
    let page = bench.ledger.search(&Search::all().at(NOW), None, 10).expect("a page");
    assert!(matches!(page.hits.as_slice(), [hit] if hit.forked && hit.record == one.id()));
    bench.is_clean();
}

#[test]
fn settled_proofs_and_recoveries_come_and_go() {
    let mut bench = Bench::new();
    let (one, two) = (
        Author::new(1).publish(&["a.example"]),
        Author::new(1).publish(&["b.example"]),
    );
    let forked = |bench: &Bench| {
        let page = bench.ledger.search(&Search::all().at(NOW), None, 10).expect("a page");
        page.hits.iter().filter(|hit| hit.forked).count()
    };
    let fork = Change::Fork(Box::new((one.header.clone(), two.header.clone())));
    let id = starfish_crypto::Digest::of("test", b"a recovery");
    let seen = |in_effect| Change::Recovery {
        id,
        seen: Some(RecoverySeen { first: NOW, in_effect }),
    };
    bench.apply(&[one.whole(), fork, seen(false), seen(true)]);
    bench.reopen();
    let loaded = bench.ledger.load().expect("memory");
    assert_eq!(
        loaded.recoveries,
        [(
            id,
            RecoverySeen {
                first: NOW,
                in_effect: true
            }
        )]
    );
    assert!(loaded.settings.is_empty(), "the engine knows it under no name");
    assert_eq!((loaded.frozen.len(), forked(&bench)), (1, 1));
    bench.apply(&[
        Change::Reopened(one.header.author),
        Change::Recovery { id, seen: None },
        // What is not there goes without a word.
        Change::Reopened(one.header.author),
    ]);
    bench.reopen();
    let loaded = bench.ledger.load().expect("memory");
    assert!(loaded.recoveries.is_empty() && loaded.frozen.is_empty());
    assert_eq!(forked(&bench), 0);
    bench.is_clean();
}

#[test]
fn bodies_leave_when_they_expire_and_headers_stay() {
    let bench = Bench::new();
    let mut author = Author::new(1);
    let long = author.publish(&["both.example", "long.example"]);
    author.expires_at = Millis(NOW.0 + DAY);
    let short = author.publish(&["both.example", "short.example"]);
    let many = author.publish_names(0, 300);
    let never = author.publish(&["never.example"]);
    bench.apply(&[long.whole(), short.whole(), many.whole(), never.bare()]);
    assert_eq!(bench.ledger.counts().observables, 303);
    bench.apply(&[Change::Expire(Millis(NOW.0 + DAY - 1))]);
    assert_eq!(bench.ledger.counts().serial, 3);
    bench.apply(&[Change::Expire(Millis(NOW.0 + DAY))]);
    bench.work();
    let counts = bench.ledger.counts();
    assert_eq!(
        (counts.records, counts.observables, counts.bodies, counts.missing),
        (4, 2, 1, 0)
    );
    assert_eq!(bench.finds(&Search::all().at(NOW)), ["both.example", "long.example"]);
    let kinds: Vec<_> = bench
        .ledger
        .entries(3, 10)
        .expect("memory")
        .iter()
        .map(|entry| entry.kind)
        .collect();
    assert_eq!(kinds, [EntryKind::Expired, EntryKind::Expired]);
    assert_eq!(bench.body(&many, false), None);
    let log = long.header.log();
    let Found::Headers(headers) = bench.ledger.answer(&Query::Headers { log, from: 0, limit: 9 }) else {
        panic!("headers")
    };
    assert_eq!(headers.len(), 4);
    bench.is_clean();
    // What comes too late does not come back.
    bench.apply(&[short.whole(), short.content(), never.content()]);
    assert_eq!(bench.ledger.counts(), counts);
}

#[test]
fn a_later_format_is_refused() {
    let bench = Bench::new();
    let mut batch = crate::store::Batch::default();
    batch.put(Space::Meta, "format", [7]);
    bench.disk.write(&batch).expect("memory");
    let error = super::Ledger::open(bench.disk.clone(), bench.journal.clone(), bench.options.clone());
    assert_eq!(
        error.map(|_| ()),
        Err(StoreError::Newer {
            found: 7,
            known: crate::ledger::FORMAT
        })
    );
}
