//! What an organisation is believed for.

use super::world::{org, suffix, told, topic};
use crate::{
    limits,
    observable::Observable,
    organisation::OrgId,
    record::{Body, Bundle},
    trust::{Acceptance, Policy, Trust, Who},
};

/// Whether a record of this topic about one name counts; without a name it is about an address.
pub(super) fn covers(acceptance: &Acceptance, about: &str, name: &str) -> bool {
    let value = if name.is_empty() { "192.0.2.1" } else { name };
    let value = Observable::parse(value).expect("the test is written so");
    let bundle = Bundle::new(80, String::new(), vec![value]).expect("the test is written so");
    acceptance.covers(&topic(about), &Body::Indicators(bundle))
}

#[test]
fn an_organisation_is_believed_for_what_it_is_endorsed_for() {
    let check = |text: &str, believed: &[(&str, &str)], not: &[(&str, &str)]| {
        let web = told(text).0;
        let acceptance = web.acceptance(&org(3));
        for (about, name) in believed {
            assert!(
                covers(&acceptance, about, name),
                "{text}: {about} {name}: {acceptance:?}"
            );
        }
        for (about, name) in not {
            assert!(
                !covers(&acceptance, about, name),
                "{text}: {about} {name}: {acceptance:?}"
            );
        }
    };
    check("R->3 120/0", &[("malware", ""), ("ddos", "a.nl")], &[]);
    check("R->3 59/0", &[], &[("malware", "")]);
    check("", &[], &[("malware", "")]);
    check(
        "R->3 120/0 topic:malware topic:phishing",
        &[("malware", ""), ("phishing", "a.nl")],
        &[("ddos", "a.nl"), ("malware/botnet", "")],
    );
    check(
        "R->3 120/0 under:nl under:de",
        &[("malware", "a.nl"), ("ddos", "b.de")],
        &[("malware", "a.fr"), ("malware", ""), ("malware", "a.xnl")],
    );
    check(
        "R->3 120/0 topic:malware under:nl",
        &[("malware", "a.nl")],
        &[("ddos", "a.nl"), ("malware", "a.de"), ("malware", "")],
    );
    // Two halves are enough together, where both apply.
    check(
        "R->1 120/1, 1->3 30/0 topic:malware, 0->3 30/0 under:nl",
        &[("malware", "a.nl")],
        &[("malware", "a.de"), ("ddos", "a.nl")],
    );
    check(
        "R->1 120/1, 1->3 30/0 under:example.nl, 0->3 30/0 under:nl",
        &[("malware", "a.example.nl"), ("ddos", "example.nl")],
        &[("malware", "a.nl"), ("malware", "xexample.nl")],
    );
    // What is scoped on the way limits what is behind it.
    check(
        "R->1 120/1 topic:malware, 1->3 120/0",
        &[("malware", "")],
        &[("ddos", "")],
    );
    check(
        "R->1 120/1 topic:malware, 1->3 120/0 topic:ddos",
        &[],
        &[("malware", ""), ("ddos", "")],
    );
    check("R->1 120/0 topic:malware, 1->3 120/0", &[], &[("malware", "")]);
}

#[test]
fn a_veto_takes_a_part_away() {
    let base = "R->1 120/2 veto, R->2 120/2, 2->3 120/0";
    let check = |more: &str, believed: &[(&str, &str)], not: &[(&str, &str)]| {
        let web = told(&format!("{base}, {more}")).0;
        let acceptance = web.acceptance(&org(3));
        for (about, name) in believed {
            assert!(
                covers(&acceptance, about, name),
                "{more}: {about} {name}: {acceptance:?}"
            );
        }
        for (about, name) in not {
            assert!(
                !covers(&acceptance, about, name),
                "{more}: {about} {name}: {acceptance:?}"
            );
        }
    };
    check("1-|3", &[], &[("malware", "")]);
    check(
        "1-|3 topic:phishing",
        &[("malware", ""), ("never-heard-of", "a.nl")],
        &[("phishing", ""), ("phishing", "a.nl")],
    );
    check(
        "1-|3 under:nl",
        &[("malware", ""), ("malware", "a.de")],
        &[("malware", "a.nl"), ("phishing", "a.b.nl")],
    );
    check(
        "1-|3 topic:phishing under:nl",
        &[("phishing", "a.de"), ("phishing", ""), ("malware", "a.nl")],
        &[("phishing", "a.nl")],
    );
    // A part of a part.
    check(
        "2->3 0/0, 2->3 120/0 under:nl, 1-|3 under:a.nl",
        &[("malware", "b.nl")],
        &[("malware", "a.nl"), ("malware", "b.a.nl"), ("malware", "a.de")],
    );
    // On the way.
    check(
        "2->4 120/1, 4->3 120/0, 2->3 0/0, 1-|4 topic:phishing",
        &[("malware", "")],
        &[("phishing", "")],
    );
    // The right alone has the scope.
    check(
        "1->5 120/0 veto topic:phishing, 5-|3",
        &[("malware", "")],
        &[("phishing", "")],
    );
    check("5-|3 topic:phishing", &[("phishing", "")], &[]);
}

#[test]
fn nobody_is_believed_in_spite_of_a_veto_that_is_not_told_apart() {
    let mut text = "R->1 120/2 veto, R->2 120/2, 2->3 120/0".to_owned();
    for number in 0..200 {
        text.push_str(&format!(", 1-|3 under:x{number}.nl"));
    }
    let web = told(&text).0;
    assert!(web.acceptance(&org(3)).is_nothing());
    assert_eq!(suffix("x1.nl").as_str(), "x1.nl");
}

#[test]
fn many_scopes_end_in_believing_less() {
    let mut text = "R->1 120/1, 1->3 120/0 topic:a".to_owned();
    for number in 0..300 {
        text.push_str(&format!(", R->2 120/1, 2->3 30/0 topic:b{number} under:x{number}.nl"));
    }
    let web = told(&text).0;
    let acceptance = web.acceptance(&org(3));
    assert!(covers(&acceptance, "a", "") && !covers(&acceptance, "b1", ""));
}

#[test]
fn a_step_looks_at_no_more_than_it_may() {
    // One who is reached names other topics for each of many, and those vouch for each other.
    let mut text = "R->1 120/3".to_owned();
    for number in 100..140 {
        text.push_str(&format!(", known {number}"));
        for topic in 0..20 {
            text.push_str(&format!(", 1->{number} 120/1 topic:a{number}-{topic}"));
        }
        for other in number + 1..(number + 6).min(140) {
            text.push_str(&format!(", {number}->{other} 120/1"));
        }
    }
    let mut trust = Trust::new(org(0), Policy::default(), Vec::new(), Vec::new());
    trust.web = told(&text).0;
    trust.note(Who::Time);
    let mut steps = 0;
    while trust.is_behind() {
        let before: Vec<OrgId> = trust.waiting.keys().copied().collect();
        trust.judge_some(limits::JUDGED_PER_STEP);
        let judged = before.iter().filter(|org| !trust.waiting.contains_key(*org));
        let looked: Vec<usize> = judged.map(|org| trust.web.accepted(org).1).collect();
        let (last, others) = looked.split_last().expect("somebody is judged in every step");
        assert!(
            others.iter().sum::<usize>() < limits::JUDGED_LOOKED_PER_STEP,
            "{looked:?}"
        );
        assert!(*last < limits::ACCEPTANCE_LOOKED + limits::STATEMENTS, "{looked:?}");
        steps += 1;
    }
    assert!(steps > 100 / limits::JUDGED_PER_STEP, "{steps}");
}

#[test]
fn whoever_stands_lower_takes_no_place_away() {
    // 3 is believed about phishing and under nl, and 2 names topics that come first in the alphabet.
    let check = |base: &str, flood: &dyn Fn(u32) -> String, believed: &[(&str, &str)]| {
        let mut text = base.to_owned();
        for number in 0..200 {
            text.push_str(&format!(", {}", flood(number)));
        }
        let web = told(&text).0;
        let acceptance = web.acceptance(&org(3));
        for (about, name) in believed {
            assert!(covers(&acceptance, about, name), "{base}: {}: {about} {name}", flood(0));
        }
        assert!(!covers(&acceptance, "a0", "x0.aa") && !covers(&acceptance, "ddos", ""));
    };
    let base = "R->1 120/2, 1->3 120/0 topic:phishing, 1->3 120/0 under:nl";
    let believed = [("phishing", ""), ("phishing", "x.de"), ("spam", "x.nl")];
    // One word of 1 from anybody who is reached.
    let topics = |number: u32| format!("2->3 1/0 topic:a{number}");
    check(&format!("{base}, R->2 120/1"), &topics, &believed);
    let names = |number: u32| format!("2->3 1/0 under:x{number}.aa");
    check(&format!("{base}, R->2 120/1"), &names, &believed);
    let both = |number: u32| format!("2->3 120/0 topic:a{number} under:x{number}.aa");
    check(&format!("{base}, R->2 1/1"), &both, &believed);
    // Many who are reached by one word of 1.
    let farm = |number: u32| {
        let sybil = 4 + number % 17;
        format!("2->{sybil} 120/2, {sybil}->3 120/0 topic:a{number}")
    };
    check(&format!("{base}, R->2 1/7"), &farm, &believed);
    // One who is trusted as much, but about something else; behind it as well.
    let elsewhere = |number: u32| format!("2->3 120/0 topic:a{number}");
    check(&format!("{base}, R->2 120/1 topic:foo"), &elsewhere, &believed);
    let behind = |number: u32| format!("2->4 120/1, 4->3 120/0 topic:a{number}");
    check(&format!("{base}, R->2 120/2 topic:foo"), &behind, &believed);
    // Where the scope stands further up, and the flood too.
    let further = |number: u32| format!("2->1 120/1 topic:a{number}");
    let base = "R->2 1/2, R->1 120/1 topic:phishing, 1->3 120/0";
    check(base, &further, &believed[..2]);
    // Where two scopes are needed together.
    let base = "R->2 1/2, R->1 120/1 topic:phishing, 1->3 120/0 under:nl";
    check(base, &both, &[("phishing", "x.nl")]);
}

#[test]
fn a_veto_about_something_leaves_the_rest_whoever_names_it() {
    // 4 has the right to veto from nobody.
    let mut text = "R->1 120/2 veto, R->2 1/1, 1->3 120/0, 1-|3 topic:spam".to_owned();
    for number in 0..80 {
        text.push_str(&format!(
            ", 2->3 120/0 topic:a{number} topic:phishing under:x{number}.nl"
        ));
        text.push_str(&format!(", 4->5 120/0 veto topic:c{number}"));
    }
    let web = told(&text).0;
    let acceptance = web.acceptance(&org(3));
    for number in 0..80 {
        let name = format!("x{number}.nl");
        assert!(covers(&acceptance, "phishing", &name), "{name}");
        assert!(covers(&acceptance, &format!("a{number}"), &name), "{name}");
        assert!(!covers(&acceptance, "spam", &name), "{name}");
    }
}
