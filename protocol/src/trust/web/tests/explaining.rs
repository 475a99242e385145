//! What `trust explain` says.

use super::world::{explained, org, question, told};
use crate::{
    limits,
    time::Millis,
    trust::web::{Barred, Question, Unheeded},
};

const BASE: &str = "R->1 120/2, R->2 120/2, 1->3 60/0";

#[test]
fn each_ignored_edge_has_one_reason() {
    let check = |more: &str, asked: &str, why: Option<Unheeded>| {
        let mut web = told(&format!("{BASE}, {more}")).0;
        let found = explained(&mut web, 3, &question(asked));
        let about = found.ignored.iter().filter(|ignored| ignored.subject == org(3));
        let whys: Vec<Unheeded> = about.map(|ignored| ignored.why).collect();
        assert_eq!(whys, why.into_iter().collect::<Vec<_>>(), "{more} {asked}");
        assert_eq!(found.more_ignored, 0);
    };
    check("", "", None);
    check("2->3 60/0", "", None);
    check("2->3 0/0", "", Some(Unheeded::Withdrawn));
    check("2->3 0/0, bad 2", "", Some(Unheeded::Withdrawn));
    check("2->3 60/0, bad 2", "", Some(Unheeded::IssuerBarred(Barred::PinnedBad)));
    check("2->3 60/0 from:9", "", Some(Unheeded::NotYet(Millis(9))));
    check("2->3 60/0 until:9, now 9", "", Some(Unheeded::Expired(Millis(9))));
    check(
        "2->3 60/0 topic:ddos until:9, now 9",
        "",
        Some(Unheeded::Expired(Millis(9))),
    );
    check("2->3 60/0 topic:ddos", "malware", Some(Unheeded::OutOfScope));
    check("2->3 60/0 topic:ddos", "ddos", None);
    check("5->3 60/0", "", Some(Unheeded::Unreached));
    check(
        "5->3 60/0, unknown 5",
        "",
        Some(Unheeded::IssuerBarred(Barred::Unknown)),
    );
    check("2->5 60/0, 5->3 60/0", "", Some(Unheeded::TooDeep));
    check("2->5 60/1 until:9, 5->3 60/0, now 8", "", None);
    check("0-|2, 0->3 60/0", "", None);
    check("2->5 60/1, 5->3 60/0, 0-|5", "", Some(Unheeded::VetoedBy(org(0))));
}

#[test]
fn reasons_are_found_on_the_way_too() {
    let mut web = told("R->1 120/2, 1->2 120/2 until:5, 2->3 120/0, now 5").0;
    let found = explained(&mut web, 3, &Question::default());
    let said: Vec<_> = found
        .ignored
        .iter()
        .map(|one| (one.issuer, one.subject, one.why))
        .collect();
    let expected = [
        (Some(org(2)), org(3), Unheeded::Unreached),
        (Some(org(1)), org(2), Unheeded::Expired(Millis(5))),
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_flood_does_not_hide_the_reason() {
    let mut text = format!("{BASE}, 2->3 60/0 until:5, now 5");
    for stranger in 100..500 {
        text.push_str(&format!(", known {stranger}, {stranger}->3 120/7"));
    }
    let mut web = told(&text).0;
    let found = explained(&mut web, 3, &Question::default());
    assert_eq!(found.ignored.len(), limits::IGNORED_SHOWN);
    assert_eq!(found.more_ignored, 401 - limits::IGNORED_SHOWN);
    assert_eq!(found.ignored[0].why, Unheeded::Expired(Millis(5)));
}

#[test]
fn the_whole_answer_of_one() {
    let mut web = told(&format!("{BASE}, 1->4 100/1, 4->3 30/0, 2->3 40/0 until:9")).0;
    let found = explained(&mut web, 3, &Question::default());
    assert_eq!((found.best, found.flow.value, found.marks.full), (60, 120, 120));
    assert_eq!(found.witness, [org(1), org(3)]);
    assert_eq!(found.flow.paths.len(), 3);
    assert_eq!((found.dominator(), found.keystone), (None, Some(org(1))));
    assert!(found.gates.connect && found.gates.relay && found.gates.accept);
    assert!(!found.gates.confide && !found.gates.act);
    assert_eq!(found.changes_at, Some(Millis(9)));
    let mut web = told("R->1 120/2, 1->2 120/1, 2->3 120/0").0;
    let found = explained(&mut web, 3, &Question::default());
    assert_eq!(found.dominators, [org(1), org(2)]);
    assert_eq!((found.dominator(), found.keystone), (Some(org(2)), Some(org(1))));
    let stranger = explained(&mut web, 9, &Question::default());
    assert_eq!((stranger.best, stranger.witness, stranger.barred), (0, vec![], None));
}

#[test]
fn the_next_change_is_one_that_matters() {
    let check = |more: &str, at: Option<u64>| {
        let mut web = told(&format!("{BASE}, {more}")).0;
        let found = explained(&mut web, 3, &Question::default());
        assert_eq!(found.changes_at, at.map(Millis), "{more}");
    };
    // In the end everybody's manifest is over.
    let end = super::world::FAR.0;
    check("", Some(end));
    check("2->3 60/0 until:7", Some(7));
    check("2->3 60/0 from:7", Some(7));
    check("2->3 60/0 topic:malware until:7", Some(end));
    check("2->4 60/0 until:7", Some(end));
    check("known 1 until:7", Some(7));
    check("known 2 until:7", Some(end));
    check("2->3 60/0, known 2 until:7", Some(7));
    check("0-|3 from:7", Some(7));
    check("4-|3 from:7", Some(end));
    check("R->1 0/0, R->1 120/1 veto, 1-|3 from:7 until:9", Some(7));
}
