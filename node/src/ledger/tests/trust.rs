//! The quarantine: what is in it, what rises from it, and what it loses.

use std::collections::BTreeSet;

use starfish_protocol::{
    engine::port::Change, observable::Suffix, record::Topic, statement::Scope, time::Millis, trust::Acceptance,
};

use crate::ledger::{
    Options,
    catalogue::{EntryKind, State},
    search::Search,
};

use super::{
    Bench, DAY, NOW,
    author::{Author, Made},
};

fn shown(bench: &Bench) -> (usize, usize) {
    let all = |quarantine| bench.finds(&Search::all().at(NOW).in_quarantine(quarantine)).len();
    (all(false), all(true))
}

fn kinds(bench: &Bench, after: u64) -> Vec<EntryKind> {
    bench
        .ledger
        .entries(after, 1_000)
        .expect("memory")
        .into_iter()
        .map(|entry| entry.kind)
        .collect()
}

#[test]
fn bodies_in_quarantine_are_no_answer() {
    let bench = Bench::new();
    let mut author = Author::doubted(1);
    let record = author.publish_names(0, 3);
    bench.apply(&[record.whole()]);
    let answers = |bench: &Bench| bench.body(&record, true).is_some();
    for believed in [false, true, false] {
        bench.apply(&[author.judged(believed)]);
        bench.work();
        assert_eq!(answers(&bench), believed);
    }
}

#[test]
fn judgements_move_records_in_slices() {
    let mut bench = Bench::new();
    let (mut author, mut other) = (Author::doubted(1), Author::doubted(2));
    let mut records: Vec<Made> = (0..60).map(|number| author.publish_names(number, number + 2)).collect();
    records.push(author.publish_names(0, 400));
    records.push(other.publish_names(0, 10));
    bench.apply(&records.iter().map(Made::whole).collect::<Vec<_>>());
    assert_eq!(shown(&bench), (0, 530));
    bench.is_clean();
    let judge = |believed| author.judged(believed);
    assert!(bench.ledger.apply(&[judge(true)]).expect("memory").more);
    // A restart in the middle goes on where it stopped.
    bench.reopen();
    bench.work();
    assert_eq!(shown(&bench), (520, 10));
    assert_eq!(bench.ledger.counts().observables, 400);
    assert_eq!(kinds(&bench, 62), vec![EntryKind::Released; 61]);
    bench.is_clean();
    bench.apply(&[judge(false)]);
    // A new verdict before the old one is carried out everywhere.
    bench.apply(&[judge(true)]);
    bench.apply(&[judge(false)]);
    bench.work();
    assert_eq!(shown(&bench), (0, 530));
    let counts = bench.ledger.counts();
    assert_eq!(
        (
            counts.observables,
            counts.held_observables,
            counts.believed,
            counts.held_records
        ),
        (0, 400, 0, 62)
    );
    bench.is_clean();
}

#[test]
fn headers_without_bodies_follow_the_verdict() {
    let bench = Bench::new();
    let mut author = Author::doubted(1);
    let record = author.publish(&["a.example"]);
    bench.apply(&[record.bare()]);
    bench.apply(&[author.judged(true)]);
    bench.apply(&[record.content()]);
    assert_eq!(shown(&bench), (1, 0));
    bench.is_clean();
}

#[test]
fn a_slice_ends_when_enough_values_have_moved() {
    const VALUES: usize = 40;
    let bench = Bench::new();
    let mut author = Author::doubted(1);
    let records: Vec<Made> = (0..9)
        .map(|number| author.publish_names(number * VALUES, (number + 1) * VALUES))
        .collect();
    bench.apply(&records.iter().map(Made::whole).collect::<Vec<_>>());
    bench.work();
    let visible = |records: usize| assert_eq!(shown(&bench).0, records * VALUES);
    // What a change means for records that are here is not the change's own work: others would wait for it.
    assert!(bench.ledger.apply(&[author.judged(true)]).expect("memory").more);
    visible(0);
    let slice = |limit| bench.ledger.work(limit).expect("memory").more;
    assert!(slice(1));
    visible(1);
    assert!(slice(2 * VALUES));
    visible(3);
    assert!(slice(3 * VALUES));
    visible(6);
    assert!(!slice(usize::MAX));
    visible(9);
    // Records that leave, and the quarantine, count alike.
    bench.apply(&[author.judged(false), Change::Expire(Millis(NOW.0 + 60 * DAY))]);
    assert!(slice(9 * VALUES));
    assert_eq!(shown(&bench), (0, 9 * VALUES));
    assert!(slice(VALUES));
    assert_eq!(shown(&bench), (0, 8 * VALUES));
    bench.work();
    assert_eq!(shown(&bench), (0, 0));
    bench.is_clean();
}

#[test]
fn withdrawn_values_follow_the_verdict() {
    let bench = Bench::new();
    let mut author = Author::doubted(1);
    let record = author.publish(&["a.example", "b.example"]);
    let by = author.withdraw(&record, &["a.example"]);
    bench.apply(&[record.whole(), by.whole()]);
    assert_eq!(shown(&bench), (0, 2));
    bench.apply(&[author.judged(true)]);
    bench.work();
    assert_eq!(shown(&bench), (2, 0));
    assert_eq!(bench.ledger.counts().observables, 1);
    bench.is_clean();
}

#[test]
fn the_largest_organisation_makes_room() {
    let (mut flood, mut quiet) = (Author::doubted(1), Author::doubted(2));
    let small = quiet.publish(&["quiet.example"]);
    let records: Vec<Made> = (0..30)
        .map(|number| flood.publish_names(number * 150, number * 150 + 150))
        .collect();
    let budget = 10 * records[0].compressed.len() as u64;
    let bench = Bench::with(Options {
        held_bytes: budget,
        ..Options::default()
    });
    bench.apply(&[small.whole()]);
    for record in &records {
        bench.apply(&[record.whole()]);
        bench.work();
        assert!(bench.ledger.counts().held_bytes <= budget);
    }
    let dropped = kinds(&bench, 0)
        .iter()
        .filter(|kind| **kind == EntryKind::Dropped)
        .count();
    assert!(dropped > 0 && dropped < records.len());
    // The oldest of the flood are gone, the newest and everybody else's are there.
    let state = |record: &Made| {
        bench
            .ledger
            .card_of(&record.id())
            .expect("memory")
            .expect("a card")
            .1
            .state
    };
    assert_eq!(
        (state(&records[0]), state(&records[29]), state(&small)),
        (State::Dropped, State::Present, State::Present)
    );
    bench.is_clean();
    // What was dropped is not looked for, until it is believed.
    assert_eq!(bench.ledger.counts().missing, 0);
    bench.apply(&[records[0].content()]);
    assert_eq!(state(&records[0]), State::Dropped);
    bench.apply(&[flood.judged(true)]);
    bench.work();
    assert_eq!(bench.ledger.counts().missing, dropped as u64);
    bench.apply(&[records[0].content()]);
    assert_eq!(state(&records[0]), State::Present);
    bench.is_clean();
}

#[test]
fn the_quarantine_has_little_patience() {
    let bench = Bench::new();
    let mut author = Author::doubted(1);
    author.expires_at = Millis(NOW.0 + 30 * DAY);
    let record = author.publish_names(0, 700);
    bench.apply(&[record.whole()]);
    bench.apply(&[Change::Expire(Millis(NOW.0 + 7 * DAY - 1))]);
    assert_eq!(shown(&bench), (0, 700));
    bench.apply(&[Change::Expire(Millis(NOW.0 + 7 * DAY))]);
    bench.work();
    assert_eq!((shown(&bench), kinds(&bench, 1)), ((0, 0), vec![EntryKind::Dropped]));
    bench.is_clean();
}

fn within(topics: &[&str], suffixes: &[&str]) -> Scope {
    let topics: BTreeSet<Topic> = topics.iter().map(|text| Topic::parse(text).expect("a topic")).collect();
    let suffixes: BTreeSet<Suffix> = suffixes
        .iter()
        .map(|text| Suffix::parse(text).expect("a suffix"))
        .collect();
    Scope {
        topics: (!topics.is_empty()).then_some(topics),
        suffixes: (!suffixes.is_empty()).then_some(suffixes),
    }
}

/// Records of one organisation are told apart by topic and host, when their bodies come and whenever the word changes.
#[test]
fn a_record_is_believed_when_all_of_it_is_covered() {
    let mut bench = Bench::new();
    let mut author = Author::doubted(1);
    let records = [
        author.publish(&["a.nl", "http://b.nl/x"]),
        author.publish(&["c.nl", "d.de"]),
        author.publish(&["e.nl", "192.0.2.1"]),
    ];
    author.topic = "phishing";
    let phishing = author.publish(&["f.nl", "192.0.2.2"]);
    let unread = author.publish(&["g.nl"]);
    let accept = |scopes: &[Scope]| Change::Judge {
        org: author.org,
        acceptance: Acceptance::new(scopes.iter().cloned()),
    };
    bench.apply(&[accept(&[within(&["malware"], &["nl"])])]);
    bench.apply(&records.iter().map(Made::whole).collect::<Vec<_>>());
    bench.apply(&[phishing.whole(), unread.bare()]);
    let check = |bench: &Bench, believed: &[&str]| {
        let mut expected = believed.to_vec();
        expected.sort_unstable();
        let mut found = bench.finds(&Search::all().at(NOW));
        found.sort();
        assert_eq!(found, expected);
        bench.is_clean();
    };
    check(&bench, &["a.nl", "http://b.nl/x"]);
    bench.apply(&[accept(&[within(&["malware"], &["nl", "de"])])]);
    bench.work();
    check(&bench, &["a.nl", "http://b.nl/x", "c.nl", "d.de"]);
    bench.apply(&[accept(&[within(&["phishing"], &[])])]);
    bench.reopen();
    bench.work();
    check(&bench, &["f.nl", "192.0.2.2"]);
    bench.apply(&[unread.content()]);
    check(&bench, &["f.nl", "192.0.2.2", "g.nl"]);
    let judged = bench.ledger.load().expect("memory").judged;
    let expected = Acceptance::new([within(&["phishing"], &[])]);
    assert!(judged.contains(&(author.org, expected)));
    bench.apply(&[author.judged(false)]);
    bench.work();
    check(&bench, &[]);
    let judged = bench.ledger.load().expect("memory").judged;
    assert!(judged.iter().all(|(org, _)| *org != author.org));
}

#[test]
fn what_is_ones_own_needs_nobodys_word() {
    let bench = Bench::new();
    let mut own = Author::doubted(3);
    own.own = true;
    let record = own.publish(&["own.example"]);
    bench.apply(&[record.whole(), own.judged(false)]);
    bench.work();
    assert_eq!(bench.finds_value("own.example"), ["own.example"]);
    bench.is_clean();
}
