//! T1 to T6 of the design (trust 4.7), a farm of sybils, and who counts at all.

use std::collections::BTreeMap;

use super::world::{answers, explained, org, question, told};
use crate::{
    statement::FULL,
    trust::{
        flow::{Supply, flow},
        web::{Barred, Question, Web},
    },
};

fn weight(web: &mut Web, set: &[u32]) -> u32 {
    let judged = web.judged(&Question::default());
    let nodes = set.iter().filter_map(|number| judged.node_of(&org(*number)));
    let supplies: BTreeMap<u32, Supply> = nodes.map(|node| (node, Supply::from(u32::from(FULL)))).collect();
    flow(judged.view.graph, judged.view.standing, &supplies, u32::MAX).value
}

const CHAIN: &str = "R->1 120/2, 1->2 100/1, 2->3 80/1, 3->4 120/1";
const SPONSORS: &str = "R->1 120/1, R->2 120/1, 1->3 60/0, 2->3 60/0";
const TWICE: &str = "R->1 60/2, 1->2 120/1, 1->3 120/1, 2->4 120/0, 3->4 120/0";
const WIDTH: &str = "R->1 120/1, R->2 40/7, 1->3 120/7, 2->3 40/7, 3->4 120/0";

#[test]
fn the_vectors_of_the_design() {
    let check = |text: &str, number: u32, numbers: (u8, u32, Option<u8>), dominator: Option<u32>, independent: bool| {
        let mut web = told(text).0;
        let found = explained(&mut web, number, &Question::default());
        let found_numbers = (found.best, found.flow.value, found.max_remaining_depth);
        assert_eq!(found_numbers, numbers, "{text}: {number}");
        assert_eq!(found.dominator(), dominator.map(org), "{text}: {number}");
        assert_eq!(found.marks.independent, independent, "{text}: {number}");
        assert_eq!(found.marks.full, found.flow.value);
        assert_eq!(web.reach(&org(number)), numbers.0, "nothing here has a scope");
        assert_eq!(web.acceptance(&org(number)).is_nothing(), numbers.1 < 60);
    };
    check(CHAIN, 1, (120, 120, Some(2)), None, true);
    check(CHAIN, 2, (100, 100, Some(1)), Some(1), false);
    check(CHAIN, 3, (80, 80, Some(0)), Some(2), false);
    check(CHAIN, 4, (0, 0, None), None, false);
    check(SPONSORS, 3, (60, 120, Some(0)), None, true);
    check(TWICE, 4, (60, 60, Some(0)), Some(1), false);
    check(WIDTH, 3, (120, 120, Some(6)), None, false);
    check(WIDTH, 4, (40, 40, Some(0)), Some(3), false);
}

#[test]
fn a_farm_of_any_size_weighs_the_same() {
    for sybils in [1, 10, 25] {
        let mut text = "R->1 120/3, R->2 120/3, 2->3 50/7".to_owned();
        for one in 4..4 + sybils {
            text.push_str(&format!(", known {one}, 3->{one} 120/7"));
            let others = (4..4 + sybils).filter(|two| *two != one);
            others.for_each(|two| text.push_str(&format!(", {one}->{two} 120/7")));
        }
        let mut web = told(&text).0;
        let farm: Vec<u32> = (3..4 + sybils).collect();
        let and_one: Vec<u32> = farm.iter().copied().chain([1]).collect();
        assert_eq!(weight(&mut web, &farm), 50);
        assert_eq!(weight(&mut web, &[1]), 120);
        assert_eq!(weight(&mut web, &and_one), 170);
        assert!(farm.iter().all(|number| web.acceptance(&org(*number)).is_nothing()));
    }
}

#[test]
fn two_hundred_sybils_behind_one_endorsement_are_one_source() {
    let mut text = "R->1 120/3, R->2 120/3, 2->100 60/7".to_owned();
    for sybil in 101..=300 {
        text.push_str(&format!(
            ", known {sybil}, 100->{sybil} 120/7, {sybil}->100 120/7, {sybil}->1 120/7"
        ));
    }
    text.push_str(", known 100");
    let mut web = told(&text).0;
    let farm: Vec<u32> = (100..=300).collect();
    assert_eq!(weight(&mut web, &farm), 60);
    let and_root: Vec<u32> = farm.iter().copied().chain([1]).collect();
    assert_eq!(weight(&mut web, &and_root), 180);
    for number in [100, 101, 300] {
        let gates = explained(&mut web, number, &Question::default()).gates;
        assert!(gates.accept && !gates.act);
    }
}

#[test]
fn scope_time_and_withdrawal_count() {
    let base = "R->1 120/1, R->2 120/1, 1->3 60/0";
    let check = |more: &str, asked: &str, full: u32| {
        let mut web = told(&format!("{base}, {more}")).0;
        assert_eq!(web.full(&org(3), &question(asked)), full, "{more} {asked}");
    };
    check("2->3 60/0", "", 120);
    check("2->3 60/0 topic:phishing", "phishing", 120);
    check("2->3 60/0 topic:phishing", "ddos", 60);
    check("2->3 60/0 topic:phishing", "phishing,ddos", 60);
    check("2->3 60/0 topic:phishing", "", 60);
    check("2->3 60/0 topic:phishing", "/a.nl", 60);
    check("2->3 60/0 under:nl", "/a.nl", 120);
    check("2->3 60/0 under:nl", "/nl", 120);
    check("2->3 60/0 under:nl", "/a.xnl", 60);
    check("2->3 60/0 under:nl", "malware", 60);
    check("2->3 60/0 under:nl topic:malware", "malware/a.nl", 120);
    check("2->3 60/0 until:9, now 8", "", 120);
    check("2->3 60/0 until:9, now 9", "", 60);
    check("2->3 60/0 from:9, now 8", "", 60);
    check("2->3 60/0 from:9, now 9", "", 120);
    check("2->3 60/0, 2->3 0/0", "", 60);
    check("2->3 60/0, 2->3 10/0", "", 70);
    check("2->3 60/0 topic:phishing, 2->3 0/0", "phishing", 120);
}

#[test]
fn what_stands_between_some_is_told() {
    let check = |text: &str, expected: &[(u8, bool)]| {
        let web = told(text).0;
        let among = [1, 2, 3].map(org).into();
        let vouching = web.vouching(&among);
        let found: Vec<(u8, bool)> = vouching.iter().map(|one| (one.amount, one.counts)).collect();
        assert_eq!(found, expected, "{text}");
    };
    check("R->1 120/2", &[]);
    check(
        "R->1 120/2, 1->2 60/0, 2->3 50/0, 3->4 40/0, 4->1 30/0",
        &[(60, true), (50, true)],
    );
    check("1->2 60/0, 1->2 20/0", &[(20, true)]);
    check("1->2 60/0, 1->2 0/0", &[]);
    check("1->2 60/0 until:9, now 9", &[(60, false)]);
    check("1->2 60/0, 2->3 50/0, bad 2", &[(60, false), (50, false)]);
    check("1->2 60/0, 2->3 50/0, forked 3", &[(60, true), (50, false)]);
}

#[test]
fn an_organisation_counts_or_is_barred() {
    let base = "R->1 120/2, 1->2 120/1, 2->3 120/0";
    let check = |more: &str, barred: Option<Barred>, reach: (u8, u8)| {
        let mut web = told(&format!("{base}, {more}")).0;
        assert_eq!(web.barred(&org(2)), barred, "{more}");
        assert_eq!((web.reach(&org(2)), web.reach(&org(3))), reach, "{more}");
        let answers = answers(&mut web, 2);
        assert_eq!(answers.acceptance.is_nothing(), reach.0 == 0, "{more}");
        assert_eq!(answers.full[0].0.is_none(), barred.is_some(), "{more}");
    };
    check("", None, (120, 120));
    check("bad 2", Some(Barred::PinnedBad), (0, 0));
    check("bad 2, unpin 2", None, (120, 120));
    check("bad 2, good 2", None, (120, 120));
    check("bad 2, unknown 2", Some(Barred::PinnedBad), (0, 0));
    check("unknown 2", Some(Barred::Unknown), (0, 0));
    check("unknown 2, known 2", None, (120, 120));
    check("forked 2", Some(Barred::Forked), (0, 0));
    check("retired 2", Some(Barred::Retired), (0, 0));
    check("known 2 until:5, now 4", None, (120, 120));
    check("known 2 until:5, now 5", Some(Barred::Stale), (0, 0));
    check("known 2 until:5, now 5, known 2 until:9", None, (120, 120));
    check("bad 1", None, (0, 0));
    check("bad 3", None, (120, 0));
    // The operator may vouch for whom nobody knows yet, but not for whom he pinned bad.
    check("unknown 2, R->2 60/0", None, (120, 120));
    check("R->2 60/0, bad 2", Some(Barred::PinnedBad), (0, 0));
    check("R->2 60/0, forked 2", Some(Barred::Forked), (0, 0));
}

#[test]
fn our_own_organisation_is_the_root_and_a_full_source() {
    let text = "0->1 120/1, 1->2 120/0, 0->3 120/1, 3->2 120/0, 1->0 60/0";
    let mut web = told(text).0;
    assert_eq!(
        (web.reach(&org(0)), web.confides(&org(0)), web.barred(&org(0))),
        (120, true, None)
    );
    assert_eq!(weight(&mut web, &[1, 3]), 240, "our friends are two sources");
    assert_eq!(weight(&mut web, &[0, 1, 3]), 360, "and we are a third");
    assert!(explained(&mut web, 2, &Question::default()).marks.independent);
    assert!(web.reached().any(|reached| reached == org(0)));
    let mut web = told(&format!("{text}, bad 0")).0;
    assert_eq!(
        (web.reach(&org(0)), web.reach(&org(1))),
        (120, 120),
        "nobody pins himself bad"
    );
    // Whoever else has our keys may say what he likes: what a frozen organisation says does not count, its own or not.
    web = told(&format!("{text}, forked 0")).0;
    assert_eq!((web.reach(&org(0)), web.reach(&org(1))), (120, 0));
}

#[test]
fn green_is_told_only_along_those_who_may_be_told() {
    let check = |text: &str, confides: bool| {
        assert_eq!(told(text).0.confides(&org(3)), confides, "{text}");
    };
    check("R->3 120/0 green", true);
    check("R->3 60/0 green", true);
    check("R->3 59/0 green", false);
    check("R->3 120/0", false);
    check("R->3 120/0 green topic:malware", false);
    check("R->1 120/1 green, 1->3 120/0 green", true);
    check("R->1 120/1 green, 1->3 120/0", false);
    check("R->1 120/1, 1->3 120/0 green", false);
    check("R->1 120/1 green, 1->3 120/0 green, forked 3", false);
    check("R->1 120/1 green, 1->3 120/0 green until:5, now 5", false);
    // Two halves are no whole: no single chain carries enough.
    check(
        "R->1 120/1 green, R->2 120/1 green, 1->3 59/0 green, 2->3 59/0 green",
        false,
    );
    check("R->1 120/1 green veto, R->2 120/1 green, 2->3 120/0 green, 1-|3", false);
    check(
        "R->1 120/1 green veto, R->2 120/1 green, 2->3 120/0 green, 1-|3 topic:malware",
        false,
    );
    check("R->1 120/1 green, R->2 120/1 green, 2->3 120/0 green, 1-|3", true);
    check("R->1 120/1 green veto, R->3 120/0 green, 1-|3", true);
}

#[test]
fn a_family_is_one_node() {
    let base = "R->1 120/2, R->2 120/2, 1->3 60/1, 2->4 60/1, 3->5 60/0, 4->5 60/0";
    let mut web = told(base).0;
    assert_eq!(web.full(&org(5), &Question::default()), 120);
    let mut web = told(&format!("{base}, below 3 1, below 4 1")).0;
    assert_eq!(
        (web.reach(&org(3)), web.reach(&org(4))),
        (120, 120),
        "the subsidiaries stand as the whole"
    );
    assert_eq!(web.full(&org(5), &Question::default()), 60, "and are one source");
    assert_eq!(weight(&mut web, &[1, 3, 4]), 120);
    // Who is pinned bad takes those below it along, not the one above it.
    let web = told(&format!("{base}, below 3 1, bad 1")).0;
    assert_eq!((web.reach(&org(1)), web.reach(&org(3)), web.reach(&org(4))), (0, 0, 60));
    let web = told(&format!("{base}, below 3 1, bad 3")).0;
    assert_eq!((web.reach(&org(1)), web.reach(&org(3))), (120, 0));
    // A subsidiary of our own is not this node's policy.
    let web = told(&format!("{base}, below 3 0")).0;
    assert_eq!(web.reach(&org(3)), 60);
}
