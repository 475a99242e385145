//! What an organisation is believed for.

use super::world::{org, suffix, told, topic};
use crate::{
    observable::Observable,
    record::{Body, Bundle},
    trust::Acceptance,
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
        let mut web = told(text).0;
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
        let mut web = told(&format!("{base}, {more}")).0;
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
    let mut web = told(&text).0;
    assert!(web.acceptance(&org(3)).is_nothing());
    assert_eq!(suffix("x1.nl").as_str(), "x1.nl");
}

#[test]
fn many_scopes_end_in_believing_less() {
    let mut text = "R->1 120/1, 1->3 120/0 topic:a".to_owned();
    for number in 0..300 {
        text.push_str(&format!(", R->2 120/1, 2->3 30/0 topic:b{number} under:x{number}.nl"));
    }
    let mut web = told(&text).0;
    let acceptance = web.acceptance(&org(3));
    assert!(covers(&acceptance, "a", "") && !covers(&acceptance, "b1", ""));
}
