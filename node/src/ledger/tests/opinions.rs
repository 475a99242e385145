//! Opinions are found with the value they are on, and nowhere else; and what is in quarantine can be looked at.

use starfish_protocol::{
    engine::port::Change,
    record::{RecordId, View},
    statement::Scope,
    time::Millis,
    trust::Acceptance,
};

use crate::ledger::{
    reading::{
        claims::{CLAIMS, Claim, Claimed},
        quarantined::{Held, Why},
    },
    search::Search,
};

use super::{
    Bench, DAY, NOW,
    author::{Author, Made, cut},
    observable,
};

fn claims(bench: &Bench, value: &str, now: Millis) -> Vec<Claim> {
    let found = bench.ledger.claims(&observable(value), now).expect("memory");
    assert!(!found.truncated);
    found.claims
}

/// Record, kind, believed, withdrawn.
fn brief(bench: &Bench, value: &str) -> Vec<(RecordId, Claimed, bool, bool)> {
    let all = claims(bench, value, NOW);
    all.into_iter()
        .map(|claim| (claim.record, claim.claimed, claim.believed, claim.withdrawn))
        .collect()
}

#[test]
fn a_value_has_its_reports_and_opinions() {
    let mut bench = Bench::new();
    let (mut one, mut two, mut doubted) = (Author::new(1), Author::new(2), Author::doubted(3));
    let report = one.publish(&["a.example", "b.example"]);
    let seen = two.opine(&report, &["a.example"], View::Sighting);
    let wrong = doubted.opine(&report, &["a.example", "b.example"], View::FalsePositive);
    bench.apply(&[seen.whole(), report.whole(), wrong.bare()]);
    bench.apply(&[wrong.content()]);
    let (believed, held) = (
        [
            (report.id(), Claimed::Report, true, false),
            (seen.id(), Claimed::Sighting, true, false),
        ],
        (wrong.id(), Claimed::FalsePositive, false, false),
    );
    assert_eq!(brief(&bench, "a.example"), [believed[0], believed[1], held]);
    assert_eq!(brief(&bench, "b.example"), [believed[0], held]);
    assert_eq!(brief(&bench, "c.example"), []);
    let [_, claim, _] = &claims(&bench, "a.example", NOW)[..] else {
        panic!("three claims")
    };
    assert_eq!(
        (claim.org, claim.author, claim.target, claim.confidence, claim.count),
        (Some(two.org), seen.header.author, Some(report.id()), 70, 2)
    );
    assert_eq!(
        (
            claim.created_at,
            claim.seen,
            claim.received_at,
            claim.topic.as_str(),
            claim.log,
            claim.seq
        ),
        (
            seen.header.created_at,
            (Millis(NOW.0 - 5_000), Millis(NOW.0 - 2_000)),
            NOW,
            "malware",
            seen.header.log(),
            0
        )
    );
    // A search does not find them, and they count for nothing else.
    assert_eq!(bench.finds(&Search::all().at(NOW)), ["a.example", "b.example"]);
    assert!(bench.finds(&Search::all().at(NOW).in_quarantine(true)).is_empty());
    let counts = bench.ledger.counts();
    assert_eq!((counts.observables, counts.held_observables), (2, 0));
    assert!(bench.ledger.observables(&seen.id()).expect("memory").is_empty());
    bench.is_clean();
    bench.reopen();
    bench.apply(&[doubted.judged(true)]);
    bench.work();
    let risen = (wrong.id(), Claimed::FalsePositive, true, false);
    assert_eq!(brief(&bench, "b.example"), [believed[0], risen]);
    bench.is_clean();
}

#[test]
fn opinions_are_withdrawn_and_end_like_records() {
    let mut bench = Bench::new();
    let (mut one, mut two) = (Author::new(1), Author::new(2));
    let report = one.publish(&["a.example", "b.example"]);
    two.expires_at = Millis(NOW.0 + 2 * DAY);
    let seen = two.opine(&report, &["a.example", "b.example"], View::Sighting);
    let (part, foreign) = (two.withdraw(&seen, &["a.example"]), one.withdraw(&seen, &[]));
    bench.apply(&[report.whole(), part.whole(), seen.whole(), foreign.whole()]);
    let of = |bench: &Bench, value: &str| {
        let found = brief(bench, value);
        found
            .into_iter()
            .find(|(record, ..)| *record == seen.id())
            .map(|found| found.3)
    };
    assert_eq!(
        (of(&bench, "a.example"), of(&bench, "b.example")),
        (Some(true), Some(false))
    );
    assert_eq!(bench.finds(&Search::all().at(NOW)), ["a.example", "b.example"]);
    bench.is_clean();
    let whole = two.withdraw(&seen, &[]);
    bench.apply(&[whole.whole()]);
    assert_eq!(of(&bench, "b.example"), Some(true));
    bench.is_clean();
    assert_eq!(
        claims(&bench, "a.example", Millis(NOW.0 + 2 * DAY)).len(),
        1,
        "what ended is left out"
    );
    bench.apply(&[Change::Expire(Millis(NOW.0 + 2 * DAY))]);
    bench.reopen();
    bench.work();
    assert_eq!(of(&bench, "a.example"), None);
    bench.is_clean();
}

#[test]
fn a_flood_displaces_nobody() {
    let bench = Bench::new();
    let (mut one, mut two, mut loud) = (Author::new(1), Author::new(2), Author::new(3));
    let flood = |author: &mut Author, count: usize| {
        let all: Vec<Made> = (0..count).map(|_| author.publish(&["a.example"])).collect();
        bench.apply(&all.iter().map(Made::whole).collect::<Vec<_>>());
        all.last().expect("there are some").id()
    };
    let (first, last) = (flood(&mut one, 1), flood(&mut loud, CLAIMS + 5));
    let wrong = two.opine(&one.publish(&["b.example"]), &["a.example"], View::FalsePositive);
    bench.apply(&[wrong.whole()]);
    let again = flood(&mut loud, 3);
    let told = |claim: Claim| claim.record;
    let found: Vec<RecordId> = claims(&bench, "a.example", NOW).into_iter().map(told).collect();
    assert!(last != again && found == [first, again, wrong.id()], "{found:?}");
    for number in 0..CLAIMS as u64 {
        flood(&mut Author::stranger(number), 1);
    }
    let all = bench.ledger.claims(&observable("a.example"), NOW).expect("memory");
    assert_eq!((all.truncated, all.claims.len()), (false, CLAIMS + 3));
    flood(&mut Author::doubted(50), 1);
    let all = bench.ledger.claims(&observable("a.example"), NOW).expect("memory");
    assert_eq!((all.truncated, all.claims.len()), (true, CLAIMS + 3));
}

#[test]
fn what_a_revoked_node_said_is_void() {
    let bench = Bench::new();
    let (mut thief, mut doubted) = (Author::new(1), Author::doubted(2));
    let records = [
        thief.publish(&["a.example"]),
        thief.publish(&["b.example"]),
        doubted.publish(&["b.example"]),
    ];
    bench.apply(&records.iter().map(Made::whole).collect::<Vec<_>>());
    let void = |value: &str| {
        claims(&bench, value, NOW)
            .into_iter()
            .map(|claim| claim.void)
            .collect::<Vec<_>>()
    };
    assert_eq!((void("a.example"), void("b.example")), (vec![false], vec![false; 2]));
    bench.apply(&[cut(&records[0], Some(0))]);
    bench.work();
    assert_eq!((void("a.example"), void("b.example")), (vec![false], vec![true, false]));
}

#[test]
fn the_quarantine_is_listed_with_its_reasons() {
    let bench = Bench::new();
    let (mut stranger, mut partly, mut thief) = (Author::doubted(1), Author::doubted(2), Author::new(3));
    let records = [
        stranger.publish(&["a.example"]),
        stranger.publish(&["b.example"]),
        partly.publish(&["c.example"]),
        thief.publish(&["d.example"]),
    ];
    let dga = Scope {
        topics: Some(["dga".parse().expect("a topic")].into()),
        suffixes: None,
    };
    bench.apply(&[
        Change::Judge {
            org: partly.org,
            acceptance: Acceptance::new([dga]),
        },
        cut(&records[3], None),
    ]);
    bench.apply(&records.iter().map(Made::whole).collect::<Vec<_>>());
    let all = |of| {
        let (mut held, mut after) = (Vec::<Held>::new(), None);
        loop {
            let page = bench.ledger.quarantine(of, after.as_ref(), 1).expect("memory");
            held.extend(page.held);
            match page.next {
                Some(next) => after = Some(next),
                None => return held,
            }
        }
    };
    let check = |record: &Made, why: Why| {
        let held = bench.ledger.held(&record.id()).expect("memory").expect("in quarantine");
        assert_eq!((held.why, held.org, held.items), (why, Some(record.org), 1));
        assert_eq!((held.since, held.until), (NOW, Millis(NOW.0 + 7 * DAY)));
        assert!(all(None).contains(&held));
    };
    check(&records[0], Why::NotTrusted);
    check(&records[1], Why::NotTrusted);
    check(&records[2], Why::OutOfScope);
    check(&records[3], Why::Revoked);
    assert_eq!(
        (
            all(None).len(),
            all(Some(stranger.org)).len(),
            all(Some(Author::new(8).org)).len()
        ),
        (4, 2, 0)
    );
    bench.apply(&[Change::Release(records[0].id()), Change::Drop(records[1].id())]);
    assert_eq!((all(None).len(), bench.ledger.held(&records[0].id())), (2, Ok(None)));
}
