//! What overrides the word about an organisation: cuts of revoked nodes, and the operator's decisions on single records.

use starfish_protocol::{
    engine::port::{Audit, Change, Deed, Who},
    organisation::OrgId,
    record::RecordId,
    time::Millis,
};

use crate::ledger::{
    catalogue::{EntryKind, State},
    search::Search,
};

use super::{
    Bench, DAY, NOW,
    author::{Author, Made, cut, uncut},
};

fn shown(bench: &Bench) -> Vec<String> {
    bench.finds(&Search::all().at(NOW))
}

fn last_kinds(bench: &Bench, after: u64) -> Vec<EntryKind> {
    let entries = bench.ledger.entries(after, 1_000).expect("memory does not fail");
    entries.into_iter().map(|entry| entry.kind).collect()
}

fn state(bench: &Bench, record: RecordId) -> State {
    bench.ledger.card_of(&record).expect("memory").expect("a card").1.state
}

#[test]
fn what_is_behind_a_cut_is_void_whatever_its_author_is_believed_for() {
    let mut bench = Bench::new();
    let mut author = Author::new(1);
    let mut colleague = author.colleague(2);
    let records: Vec<Made> = (0..60).map(|number| author.publish_names(number, number + 1)).collect();
    let others = colleague.publish(&["other.example"]);
    bench.apply(&records.iter().map(Made::whole).collect::<Vec<_>>());
    bench.apply(&[others.whole()]);
    let before = bench.ledger.counts().serial;
    assert!(bench.ledger.apply(&[cut(&records[9], Some(9))]).expect("memory").more);
    // A restart in the middle goes on where it stopped.
    bench.reopen();
    bench.work();
    assert_eq!(shown(&bench).len(), 11);
    assert_eq!(last_kinds(&bench, before), vec![EntryKind::Retracted; 50]);
    bench.is_clean();
    // Neither a new word about the organisation, nor the operator, nor a late record changes that.
    let late = author.publish(&["late.example"]);
    bench.apply(&[
        author.judged(false),
        author.judged(true),
        Change::Release(records[30].id()),
        late.whole(),
    ]);
    bench.work();
    assert_eq!(shown(&bench).len(), 11);
    let cuts = bench.ledger.load().expect("memory").cuts;
    let [(node, org, last_good)] = &cuts[..] else {
        panic!("one cut: {cuts:?}")
    };
    assert_eq!((*node, *org), (records[0].header.author, author.org));
    assert!(matches!(last_good[..], [good] if (good.seq, good.id) == (9, records[9].id())));
    bench.is_clean();
    bench.apply(&[cut(&records[0], None)]);
    bench.work();
    assert_eq!(shown(&bench), ["other.example"]);
    bench.apply(&[uncut(&records[0])]);
    bench.work();
    assert_eq!(shown(&bench).len(), 62);
    bench.is_clean();
}

/// A thief of a node's key must not take back what the organisation said.
#[test]
fn a_void_withdrawal_is_undone() {
    let mut bench = Bench::new();
    let mut author = Author::new(1);
    let mut thief = author.colleague(2);
    let (part, all) = (author.publish_names(0, 3), author.publish_names(100, 350));
    let by = [
        thief.withdraw(&part, &["name-000001.example"]),
        thief.withdraw(&all, &[]),
    ];
    let late = author.publish(&["late.example"]);
    let of_late = thief.withdraw(&late, &[]);
    bench.apply(&[part.whole(), all.whole(), by[0].whole(), by[1].whole(), of_late.bare()]);
    let usable = |bench: &Bench| shown(bench).iter().filter(|text| !text.ends_with('-')).count();
    assert_eq!(usable(&bench), 2);
    let before = bench.ledger.counts().serial;
    bench.apply(&[cut(&by[0], None)]);
    bench.work();
    assert_eq!((usable(&bench), bench.ledger.counts().observables), (253, 253));
    let released = last_kinds(&bench, before)
        .into_iter()
        .filter(|kind| *kind == EntryKind::Released);
    assert_eq!(released.count(), 2);
    bench.is_clean();
    // Nothing of what it names is held back or not looked for either.
    bench.apply(&[late.whole(), of_late.content()]);
    assert_eq!(usable(&bench), 254);
    bench.is_clean();
    bench.apply(&[uncut(&by[0])]);
    bench.work();
    assert_eq!(usable(&bench), 2);
    bench.is_clean();
    // What was purged meanwhile is looked for again.
    bench.apply(&[Change::Expire(Millis(NOW.0 + 8 * DAY))]);
    bench.work();
    assert_eq!(state(&bench, all.id()), State::Purged);
    bench.apply(&[cut(&by[0], None)]);
    bench.work();
    assert_eq!(
        (state(&bench, all.id()), bench.ledger.counts().missing),
        (State::Waiting, 2)
    );
    bench.is_clean();
    bench.apply(&[all.content()]);
    bench.reopen();
    assert_eq!(usable(&bench), 253);
    bench.is_clean();
}

#[test]
fn the_operator_lets_single_records_out() {
    let mut bench = Bench::new();
    let mut author = Author::doubted(1);
    let records: Vec<Made> = (0..3).map(|number| author.publish_names(number, number + 1)).collect();
    bench.apply(&records.iter().map(Made::whole).collect::<Vec<_>>());
    bench.apply(&[Change::Release(records[1].id())]);
    assert_eq!(shown(&bench), ["name-000001.example"]);
    assert_eq!(last_kinds(&bench, 3), [EntryKind::Released]);
    bench.apply(&[author.judged(true), author.judged(false)]);
    bench.work();
    assert_eq!(shown(&bench), ["name-000001.example"]);
    bench.is_clean();
    // The decision outlives the store, and is there before the record comes again.
    bench.disk = Default::default();
    bench.reopen();
    bench.apply(&records.iter().map(Made::whole).collect::<Vec<_>>());
    assert_eq!(shown(&bench), ["name-000001.example"]);
    bench.is_clean();
}

#[test]
fn what_the_operator_threw_away_is_not_asked_for_again() {
    let mut bench = Bench::new();
    let mut author = Author::doubted(1);
    let records: Vec<Made> = (0..3).map(|number| author.publish_names(number, number + 1)).collect();
    bench.apply(&[records[0].whole(), records[1].bare(), records[2].whole()]);
    bench.apply(&[Change::Drop(records[0].id()), Change::Drop(records[1].id())]);
    let check = |bench: &Bench| {
        let states = [0, 1].map(|number: usize| state(bench, records[number].id()));
        assert_eq!((states, bench.ledger.counts().missing), ([State::Dropped; 2], 0));
        bench.is_clean();
    };
    check(&bench);
    assert_eq!(bench.ledger.counts().held_records, 1);
    bench.apply(&[records[0].content(), records[1].content(), author.judged(true)]);
    bench.work();
    check(&bench);
    assert_eq!(shown(&bench), ["name-000002.example"]);
    // What is believed by now stays.
    bench.apply(&[Change::Drop(records[2].id())]);
    assert_eq!(shown(&bench), ["name-000002.example"]);
    bench.disk = Default::default();
    bench.reopen();
    bench.apply(&records.iter().map(Made::whole).collect::<Vec<_>>());
    check(&bench);
    // The operator may think again.
    bench.apply(&[Change::Release(records[0].id())]);
    assert_eq!(bench.ledger.counts().missing, 1);
    bench.apply(&[records[0].content()]);
    assert!(shown(&bench).contains(&"name-000000.example".to_owned()));
    bench.is_clean();
}

#[test]
fn decisions_are_written_down_for_good() {
    let mut bench = Bench::new();
    let line = |number: u64| {
        Audit::new(
            Millis(NOW.0 + number),
            Who::Operator,
            Deed::Released,
            "rec:x",
            "it is sound",
        )
    };
    bench.apply(&(1..=3).map(|number| Change::Audit(line(number))).collect::<Vec<_>>());
    // The same again, after a failure, is not a second decision.
    bench.apply(&(2..=4).map(|number| Change::Audit(line(number))).collect::<Vec<_>>());
    let check = |bench: &Bench, since: u64, limit: usize, expected: std::ops::RangeInclusive<u64>| {
        let found = bench.ledger.audit(since, limit).expect("memory");
        assert_eq!(found, expected.map(|number| (number, line(number))).collect::<Vec<_>>());
    };
    check(&bench, 0, 10, 1..=4);
    check(&bench, 1, 2, 2..=3);
    assert_eq!(bench.ledger.audit(4, 10).expect("memory"), []);
    bench.disk = Default::default();
    bench.reopen();
    check(&bench, 0, 10, 1..=4);
    // And the journal gets it from the store.
    bench.journal = Default::default();
    bench.reopen();
    bench.ledger.complete_journal().expect("memory");
    bench.disk = Default::default();
    bench.reopen();
    check(&bench, 0, 10, 1..=4);
}

#[test]
fn a_cut_is_one_organisations_and_ends_at_one_record() {
    let check = |org: &dyn Fn(&Author) -> OrgId, at: (usize, u64), left: usize| {
        let mut bench = Bench::new();
        let mut author = Author::new(1);
        let records: Vec<Made> = (0..4).map(|number| author.publish_names(number, number + 1)).collect();
        bench.apply(&records.iter().map(Made::whole).collect::<Vec<_>>());
        let Change::Cut { node, last_good, .. } = cut(&records[at.0], Some(at.1)) else {
            panic!("a cut")
        };
        let org = org(&author);
        bench.apply(&[Change::Cut { node, org, last_good }]);
        bench.work();
        assert_eq!(shown(&bench).len(), left, "{at:?}");
        bench.reopen();
        assert_eq!(bench.ledger.load().expect("memory").cuts.len(), 1);
        bench.is_clean();
    };
    let own = |author: &Author| author.org;
    check(&own, (2, 2), 3);
    check(&own, (0, 0), 1);
    // Another record stands there, so what is here came from somebody else.
    check(&own, (3, 2), 2);
    check(&own, (3, 0), 0);
    check(&own, (3, 9), 4);
    // A thief's own organisation ends nothing but what was written for it.
    check(&|_| Author::new(2).org, (0, 0), 4);
}
