//! Withdrawals, in whichever order they and their targets come.

use starfish_protocol::{engine::port::Change, time::Millis};

use crate::ledger::{
    catalogue::{EntryKind, Standing, State},
    search::Search,
};

use super::{
    Bench, DAY, NOW,
    author::{Author, Made},
};

const VALUES: [&str; 3] = ["a.example", "b.example", "c.example"];

fn all(bench: &Bench) -> Vec<String> {
    bench.finds(&Search::all().at(NOW))
}

#[test]
fn a_part_or_the_whole_is_withdrawn_in_any_order() {
    let check = |values: &[&str], expected: &[&str]| {
        let mut author = Author::new(1);
        let target = author.publish(&VALUES);
        let by = author.colleague(2).withdraw(&target, values);
        let orders: [Vec<Change>; 7] = [
            vec![target.whole(), by.whole()],
            vec![by.whole(), target.whole()],
            vec![target.bare(), by.whole(), target.content()],
            vec![target.bare(), by.bare(), by.content(), target.content()],
            vec![target.bare(), by.bare(), target.content(), by.content()],
            vec![target.whole(), by.bare(), by.content()],
            vec![by.bare(), target.whole(), by.content()],
        ];
        for (order, changes) in orders.into_iter().enumerate() {
            let (together, apart) = (Bench::new(), Bench::new());
            changes.iter().for_each(|change| {
                apart.apply(std::slice::from_ref(change));
            });
            together.apply(&changes);
            for bench in [together, apart] {
                assert_eq!(all(&bench), expected, "order {order}");
                let shown = expected.iter().filter(|text| !text.ends_with('-')).count() as u64;
                assert_eq!(bench.ledger.counts().observables, shown, "order {order}");
                bench.is_clean();
            }
        }
    };
    check(&[], &["a.example -", "b.example -", "c.example -"]);
    check(&["b.example"], &["a.example", "b.example -", "c.example"]);
    check(
        &["a.example", "c.example", "other.example"],
        &["a.example -", "b.example", "c.example -"],
    );
    check(&["other.example"], &VALUES);
}

#[test]
fn a_late_joiner_never_shows_what_was_withdrawn() {
    let mut author = Author::new(1);
    let target = author.publish(&VALUES);
    let by = author.withdraw(&target, &["b.example"]);
    let bench = Bench::new();
    let live = |bench: &Bench| {
        all(bench)
            .into_iter()
            .filter(|text| !text.ends_with('-'))
            .collect::<Vec<_>>()
    };
    bench.apply(&[target.bare(), by.bare()]);
    bench.apply(&[target.content()]);
    // What exactly was withdrawn is not known yet.
    assert!(live(&bench).is_empty());
    bench.apply(&[by.content()]);
    assert_eq!(live(&bench), ["a.example", "c.example"]);
    let kinds: Vec<_> = bench
        .ledger
        .entries(0, 10)
        .expect("memory")
        .into_iter()
        .map(|entry| entry.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            EntryKind::Stored,
            EntryKind::Stored,
            EntryKind::Withdrawn,
            EntryKind::Released
        ]
    );
}

/// What somebody holds who follows the entries: what `stored` and `released` say came, less what `withdrawn` says went.
#[test]
fn whoever_follows_the_entries_hears_of_every_withdrawal() {
    use EntryKind::{Released, Retracted, Stored, Withdrawn};
    let mut author = Author::new(1);
    let target = author.publish(&VALUES);
    let part = author.colleague(2).withdraw(&target, &["b.example", "other.example"]);
    let more = author.colleague(3).withdraw(&target, &["c.example"]);
    let whole = author.colleague(4).withdraw(&target, &[]);
    let judge = |believed| author.judged(believed);
    let check = |changes: &[Change], expected: &[(EntryKind, u32, Option<&Made>)], usable: &[&str]| {
        let bench = Bench::new();
        for change in changes {
            bench.apply(std::slice::from_ref(change));
            bench.work();
        }
        let entries = bench.ledger.entries(0, 50).expect("memory");
        let about: Vec<_> = entries
            .iter()
            .filter(|entry| entry.record == target.id())
            .map(|entry| (entry.kind, entry.observables, entry.cause))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(kind, count, cause)| (*kind, *count, cause.map(Made::id)))
            .collect();
        assert_eq!(about, expected);
        let values = bench.ledger.observables(&target.id()).expect("memory");
        let believed: Vec<String> = values
            .iter()
            .filter(|(_, standing)| *standing == Standing::Believed)
            .map(|(value, _)| value.to_string())
            .collect();
        assert_eq!(believed, usable);
        bench.is_clean();
    };
    check(
        &[part.whole(), target.whole()],
        &[(Stored, 3, None), (Withdrawn, 1, Some(&part))],
        &["a.example", "c.example"],
    );
    check(
        &[part.whole(), more.whole(), target.whole()],
        // Two withdrawals, none of which says all of it.
        &[(Stored, 3, None), (Withdrawn, 2, None)],
        &["a.example"],
    );
    check(
        &[whole.whole(), target.whole()],
        &[(Stored, 3, None), (Withdrawn, 3, Some(&whole))],
        &[],
    );
    check(
        &[target.whole(), part.whole(), judge(false), judge(true)],
        &[
            (Stored, 3, None),
            (Withdrawn, 1, Some(&part)),
            (Retracted, 2, None),
            (Released, 2, None),
        ],
        &["a.example", "c.example"],
    );
    check(
        &[target.whole(), judge(false)],
        &[(Stored, 3, None), (Retracted, 3, None)],
        &[],
    );
}

#[test]
fn what_was_withdrawn_as_a_whole_is_not_looked_for() {
    let mut author = Author::new(1);
    let target = author.publish(&VALUES);
    let by = author.colleague(2).withdraw(&target, &[]);
    let check = |changes: &[Change]| {
        let bench = Bench::new();
        bench.apply(changes);
        assert_eq!(bench.ledger.counts().missing, 0);
        bench.is_clean();
    };
    check(&[target.bare(), by.whole()]);
    check(&[by.whole(), target.bare()]);
}

#[test]
fn only_the_same_organisation_withdraws() {
    let (mut author, mut other) = (Author::new(1), Author::new(2));
    let target = author.publish(&VALUES);
    let by = other.withdraw(&target, &[]);
    for changes in [[target.whole(), by.whole()], [by.whole(), target.whole()]] {
        let bench = Bench::new();
        bench.apply(&changes);
        assert_eq!(all(&bench), VALUES);
        bench.is_clean();
    }
    // Another node of the same organisation may.
    let by = author.colleague(3).withdraw(&target, &[]);
    let bench = Bench::new();
    bench.apply(&[target.whole(), by.whole()]);
    assert_eq!(all(&bench).len(), 3);
    assert_eq!(bench.ledger.counts().observables, 0);
}

#[test]
fn withdrawals_add_up_and_repeat_harmlessly() {
    let bench = Bench::new();
    let mut author = Author::new(1);
    let target = author.publish(&VALUES);
    let parts: Vec<Made> = [
        &["a.example"][..],
        &["a.example", "b.example"],
        &["b.example"],
        &[],
        &["c.example"],
    ]
    .iter()
    .map(|values| author.withdraw(&target, values))
    .collect();
    bench.apply(&[target.whole()]);
    for part in parts.iter().chain(&parts) {
        bench.apply(&[part.whole()]);
    }
    let withdrawn: Vec<u32> = bench
        .ledger
        .entries(0, 50)
        .expect("memory")
        .iter()
        .filter(|entry| entry.kind == EntryKind::Withdrawn)
        .map(|entry| entry.observables)
        .collect();
    assert_eq!(withdrawn, [1, 1, 1]);
    bench.is_clean();
}

#[test]
fn a_value_that_another_record_holds_stays_counted() {
    let bench = Bench::new();
    let (mut author, mut other) = (Author::new(1), Author::new(2));
    let (one, two) = (
        author.publish(&["a.example", "b.example"]),
        other.publish(&["a.example"]),
    );
    let by = author.withdraw(&one, &[]);
    bench.apply(&[one.whole(), two.whole()]);
    assert_eq!(bench.ledger.counts().observables, 2);
    bench.apply(&[by.whole()]);
    assert_eq!(bench.ledger.counts().observables, 1);
    assert_eq!(all(&bench).len(), 3);
    bench.is_clean();
}

#[test]
fn large_records_are_withdrawn_and_purged() {
    let bench = Bench::new();
    let mut author = Author::new(1);
    author.expires_at = Millis(NOW.0 + 30 * DAY);
    let target = author.publish_names(0, 1_200);
    let part = author.withdraw(&target, &["name-000001.example", "name-001199.example"]);
    let whole = author.withdraw(&target, &[]);
    bench.apply(&[target.whole()]);
    bench.apply(&[part.whole()]);
    assert_eq!(bench.ledger.counts().observables, 1_198);
    bench.is_clean();
    bench.apply(&[whole.whole()]);
    assert_eq!(bench.ledger.counts().observables, 0);
    assert_eq!(all(&bench).len(), 1_200);
    let serial = bench.ledger.counts().serial;
    bench.apply(&[Change::Expire(Millis(NOW.0 + 7 * DAY))]);
    bench.work();
    assert!(all(&bench).is_empty());
    let (_, card) = bench.ledger.card_of(&target.id()).expect("memory").expect("a card");
    assert_eq!((card.state, bench.ledger.counts().serial), (State::Purged, serial));
    bench.is_clean();
}
