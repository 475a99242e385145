//! The vectors of the design (trust 4.7 and 5.4) as documents, scopes and gates, and documents that are refused.

use serde_json::{Value, json};

use super::*;

const DAY: u64 = 24 * 60 * 60 * 1_000;

fn read(document: Value) -> Hypothesis {
    serde_json::from_value(document).expect("the test is written so")
}

fn answer(document: Value) -> Value {
    serde_json::to_value(evaluate(&read(document)).expect("the test is written so")).expect("the test is written so")
}

/// A document of edges such as `R->1 120/2`.
fn document(edges: &str) -> Value {
    let mut document = json!({"now": 1_000, "roots": [], "endorsements": []});
    for edge in edges.split(", ") {
        let (pair, said) = edge.split_once(' ').expect("the test is written so");
        let (from, to) = pair.split_once("->").expect("the test is written so");
        let (amount, depth) = said.split_once('/').expect("the test is written so");
        let (amount, depth): (u8, u8) = (
            amount.parse().expect("the test is written so"),
            depth.parse().expect("the test is written so"),
        );
        let (list, entry) = match from {
            "R" => ("roots", json!({"org": to, "amount": amount, "depth": depth})),
            _ => (
                "endorsements",
                json!({"from": from, "to": to, "amount": amount, "depth": depth}),
            ),
        };
        document[list]
            .as_array_mut()
            .expect("the test is written so")
            .push(entry);
    }
    document
}

/// The document with some fields more, or others.
fn with(mut document: Value, fields: Value) -> Value {
    let fields = fields.as_object().expect("the test is written so").clone();
    document.as_object_mut().expect("the test is written so").extend(fields);
    document
}

const CHAIN: &str = "R->1 120/2, 1->2 100/1, 2->3 80/1, 3->4 120/1";
const SPONSORS: &str = "R->1 120/1, R->2 120/1, 1->3 60/0, 2->3 60/0";
const TWICE: &str = "R->1 60/2, 1->2 120/1, 1->3 120/1, 2->4 120/0, 3->4 120/0";
const WIDTH: &str = "R->1 120/1, R->2 40/7, 1->3 120/7, 2->3 40/7, 3->4 120/0";
const FIVE: &str = "R->1 120/2, R->2 120/2, 2->3 120/0, 2->4 120/0, 1->5 60/0";

fn farm(sybils: u32) -> Value {
    let mut edges = "R->1 120/3, R->2 120/3, 2->3 50/7".to_owned();
    for one in 4..4 + sybils {
        edges.push_str(&format!(", 3->{one} 120/7"));
        for two in (4..4 + sybils).filter(|two| *two != one) {
            edges.push_str(&format!(", {one}->{two} 120/7"));
        }
    }
    document(&edges)
}

#[test]
fn the_graphs_of_the_design_hold() {
    let check = |edges: &str, org: &str, numbers: (u8, u8, u8), dominator: Option<&str>, independent: bool| {
        let answer = answer(document(edges));
        let found = &answer["orgs"][org];
        assert_eq!(
            (&found["B"], &found["F"], &found["max_remaining_depth"]),
            (&json!(numbers.0), &json!(numbers.1), &json!(numbers.2)),
            "{edges}: {org}"
        );
        assert_eq!(found["dominator"], json!(dominator), "{edges}: {org}");
        assert_eq!(found["independent"], json!(independent), "{edges}: {org}");
    };
    check(CHAIN, "1", (120, 120, 2), None, true);
    check(CHAIN, "2", (100, 100, 1), Some("1"), false);
    check(CHAIN, "3", (80, 80, 0), Some("2"), false);
    check(CHAIN, "4", (0, 0, 0), None, false);
    check(SPONSORS, "3", (60, 120, 0), None, true);
    check(TWICE, "4", (60, 60, 0), Some("1"), false);
    check(WIDTH, "3", (120, 120, 6), None, false);
    check(WIDTH, "4", (40, 40, 0), Some("3"), false);
}

#[test]
fn a_farm_of_any_size_weighs_the_same() {
    for sybils in [1, 10, 25] {
        let members: Vec<String> = (3..4 + sybils).map(|number| number.to_string()).collect();
        let and_one: Vec<String> = ["1".to_owned()].into_iter().chain(members.clone()).collect();
        let sets = json!({"sets": [members, ["1"], and_one, ["unknown"], []]});
        let answer = answer(with(farm(sybils), sets));
        assert_eq!(answer["sets"], json!([50, 120, 170, 0, 0]), "{sybils}");
        assert_eq!(answer["orgs"]["4"]["F"], 50);
        assert_eq!(answer["orgs"]["unknown"]["F"], 0);
    }
}

#[test]
fn scope_time_and_revocation_count() {
    let check = |change: Value, more: Value, full: u8| {
        let mut document = document(SPONSORS);
        document["endorsements"][1]
            .as_object_mut()
            .expect("the test is written so")
            .extend(change.as_object().expect("the test is written so").clone());
        let answer = answer(with(document, more));
        assert_eq!(answer["orgs"]["3"]["F"], full, "{change}");
    };
    let about = |topic: &str| json!({"question": {"topics": [topic]}});
    let phishing = json!({"topics": ["phishing"]});
    check(phishing.clone(), about("phishing"), 120);
    check(phishing.clone(), about("ddos"), 60);
    check(
        phishing.clone(),
        json!({"question": {"topics": ["phishing", "ddos"]}}),
        60,
    );
    check(phishing, json!({}), 120);
    let dutch = json!({"suffixes": ["nl"]});
    check(
        dutch.clone(),
        json!({"question": {"topics": [], "name": "WWW.Example.NL."}}),
        120,
    );
    check(
        dutch.clone(),
        json!({"question": {"topics": [], "name": "example.de"}}),
        60,
    );
    check(dutch, about("phishing"), 60);
    check(json!({"until": 1_001}), json!({}), 120);
    check(json!({"until": 1_000}), json!({}), 60);
    check(json!({}), json!({"revoked": [{"from": "2", "to": "3"}]}), 60);
    check(json!({}), json!({"revoked": [{"from": "3", "to": "2"}]}), 120);
}

#[test]
fn the_highest_number_counts() {
    let again = |amount: u8, seq: Option<u64>| {
        let mut document = document(SPONSORS);
        let mut entry = json!({"from": "2", "to": "3", "amount": amount, "depth": 0});
        if let Some(seq) = seq {
            entry["seq"] = json!(seq);
        }
        document["endorsements"]
            .as_array_mut()
            .expect("the test is written so")
            .push(entry);
        document
    };
    let check = |amount: u8, seq: Option<u64>, full: u8| {
        assert_eq!(answer(again(amount, seq))["orgs"]["3"]["F"], full, "{amount} {seq:?}");
    };
    check(20, None, 80);
    check(0, None, 60);
    check(0, Some(0), 120);
    check(20, Some(1), 80);
    check(110, Some(1), 120);
    let mut scoped = again(0, Some(9));
    scoped["endorsements"][2]["topics"] = json!(["ddos"]);
    assert_eq!(
        answer(scoped)["orgs"]["3"]["F"],
        120,
        "another scope is another endorsement"
    );
}

#[test]
fn the_claims_of_the_design_hold() {
    let check = |name: &str, claims: Value, expected: [u32; 5]| {
        let document = with(
            document(FIVE),
            json!({"claims": claims, "tau_ms": 120 * DAY, "delta": 2}),
        );
        let [r, s, b, d, u] = expected;
        let expected = json!({"r": r, "s": s, "b": b, "d": d, "u": u});
        assert_eq!(answer(document)["claims"], expected, "{name}");
    };
    let claim = |org: &str, kind: &str, confidence: u8, days: u64| json!({"org": org, "kind": kind, "confidence": confidence, "age_ms": days * DAY});
    let report = |org: &str| claim(org, "report", 100, 0);
    let dispute = |org: &str| claim(org, "false-positive", 100, 0);
    check("F1", json!([report("1")]), [120, 0, 750, 0, 250]);
    check("F2", json!([report("1"), report("2")]), [240, 0, 857, 0, 143]);
    check("F3", json!([report("3"), report("4")]), [120, 0, 750, 0, 250]);
    check(
        "F4",
        json!([report("2"), report("3"), report("4")]),
        [120, 0, 750, 0, 250],
    );
    check("F5", json!([claim("1", "report", 50, 0)]), [60, 0, 600, 0, 400]);
    check("F6", json!([claim("5", "report", 80, 0)]), [48, 0, 545, 0, 455]);
    check("F7", json!([report("1"), dispute("2")]), [120, 120, 300, 600, 100]);
    check(
        "F8",
        json!([report("1"), report("2"), dispute("3"), dispute("4")]),
        [240, 120, 461, 461, 78],
    );
    check(
        "F9",
        json!([report("1"), claim("2", "sighting", 100, 0)]),
        [180, 0, 818, 0, 182],
    );
    check("F10", json!([]), [0, 0, 0, 0, 1000]);
    check("F11", json!([claim("1", "report", 100, 30)]), [60, 0, 600, 0, 400]);
    check(
        "the last one counts",
        json!([report("1"), claim("1", "report", 50, 0)]),
        [60, 0, 600, 0, 400],
    );
}

#[test]
fn fading_is_a_domains_unless_said() {
    let check = |more: Value, r: u32| {
        let claims = json!({"claims": [{"org": "1", "kind": "report", "confidence": 100, "age_ms": 15 * DAY / 2}]});
        assert_eq!(
            answer(with(with(document(FIVE), claims), more.clone()))["claims"]["r"],
            r,
            "{more}"
        );
    };
    check(json!({}), 60);
    check(json!({"delta": 1}), 90);
    check(json!({"delta": "1"}), 90);
    check(json!({"delta": "1/2"}), 112);
    check(json!({"delta": "1/3", "tau_ms": 15 * DAY}), 105);
    check(json!({"tau_ms": DAY}), 0);
}

#[test]
fn each_gate_asks_its_own_question() {
    let mut document = document(SPONSORS);
    document["roots"][0]["receive_tlp"] = json!("green");
    document["endorsements"][0]["receive_tlp"] = json!("GREEN");
    document["endorsements"][1]["topics"] = json!(["phishing"]);
    document["endorsements"]
        .as_array_mut()
        .expect("the test is written so")
        .push(json!({"from": "1", "to": "4", "amount": 10, "depth": 0, "topics": ["spam"]}));
    // As on a node, nobody is told TLP:GREEN who is only said to be good for something.
    let mut told = |list: &str, said: Value| {
        let said = with(said, json!({"topics": ["phishing"], "receive_tlp": "green"}));
        document[list]
            .as_array_mut()
            .expect("the test is written so")
            .push(said);
    };
    told(
        "endorsements",
        json!({"from": "1", "to": "5", "amount": 60, "depth": 0}),
    );
    told("roots", json!({"org": "6", "amount": 120, "depth": 0}));
    let gates = ["connect", "accept", "relay", "confide", "act"];
    let check = |topic: &str, org: &str, expected: [bool; 5]| {
        let answer = answer(with(document.clone(), json!({"question": {"topics": [topic]}})));
        let found = gates.map(|gate| answer["orgs"][org][gate].as_bool().expect("the test is written so"));
        assert_eq!(found, expected, "{topic} {org}");
    };
    check("phishing", "1", [true, true, true, true, true]);
    check("phishing", "2", [true, true, true, false, true]);
    check("phishing", "3", [true, true, true, true, true]);
    check("ddos", "3", [true, true, true, true, false]);
    check("ddos", "4", [true, false, true, false, false]);
    check("spam", "4", [true, false, true, false, false]);
    check("phishing", "5", [true, true, true, false, false]);
    check("phishing", "6", [true, true, true, false, true]);
}

#[test]
fn names_are_any_text_and_no_roots_believe_nothing() {
    let answer = answer(
        json!({"now": 0, "roots": [], "endorsements": [{"from": "CERT \u{1f419}", "to": "", "amount": 120, "depth": 7}], "sets": [["CERT \u{1f419}", ""]]}),
    );
    assert_eq!(answer["sets"], json!([0]));
    let nothing = json!({"B": 0, "F": 0, "max_remaining_depth": 0, "dominator": null, "independent": false, "connect": false, "accept": false, "relay": false, "confide": false, "act": false});
    assert_eq!(answer["orgs"], json!({"CERT \u{1f419}": nothing, "": nothing}));
}

#[test]
fn what_is_not_known_is_refused() {
    let refuses = |document: Value| serde_json::from_value::<Hypothesis>(document).is_err();
    for field in ["now", "roots", "endorsements"] {
        let mut document = document(CHAIN);
        document.as_object_mut().expect("the test is written so").remove(field);
        assert!(refuses(document), "{field}");
    }
    let claim = json!({"org": "1", "kind": "report", "confidence": 1, "age_ms": 1});
    let fields = [
        json!({"vetoes": []}),
        json!({"roots": [{"org": "1", "amount": 1, "depth": 1, "may_veto": true}]}),
        json!({"endorsements": [{"from": "1", "to": "2", "amount": 1, "depth": 1, "not_after": 1}]}),
        json!({"roots": [{"org": "1", "amount": 300, "depth": 1}]}),
        json!({"roots": [{"org": "1", "amount": 1, "depth": 1, "receive_tlp": "red"}]}),
        json!({"roots": [{"org": "1", "amount": 1, "depth": 1, "topics": ["Not A Topic"]}]}),
        json!({"revoked": [{"from": "1"}]}),
        json!({"question": {"name": "a.nl"}}),
        json!({"claims": [with(claim.clone(), json!({"kind": "rumour"}))]}),
        json!({"claims": [with(claim.clone(), json!({"age": 1}))]}),
    ];
    for more in fields {
        assert!(refuses(with(document(CHAIN), more.clone())), "{more}");
    }
    let fault = evaluate(&read(with(
        document(CHAIN),
        json!({"question": {"topics": [], "name": "a b"}}),
    )))
    .expect_err("the test is written so");
    assert_eq!(fault.to_string(), "question: `a b` is not a host name");
}

#[test]
fn a_wrong_number_is_named_with_its_line_and_the_right_ones() {
    let check = |field: &str, value: &str, parts: &[&str]| {
        let text = r#"{"now": 1, "roots": [], "tau_ms": null,
            "endorsements": [{"from": "1", "to": "2", "amount": 60, "until": null, "depth": 1}],
            "claims": [{"org": "1", "kind": "report", "confidence": 80, "age_ms": 5}],
            "delta": "1/2"}"#;
        serde_json::from_str::<Hypothesis>(text).expect("the test is written so");
        let at = text.find(&format!("{field:?}: ")).expect("the test is written so") + field.len() + 4;
        let end = at + text[at..].find([',', '}']).expect("the test is written so");
        let line = text[..at].matches('\n').count() + 1;
        let wrong = format!("{}{value}{}", &text[..at], &text[end..]);
        let fault = serde_json::from_str::<Hypothesis>(&wrong)
            .expect_err(&wrong)
            .to_string();
        let told = [value.trim_matches('"'), &format!("at line {line} ")];
        for part in parts.iter().chain(&told) {
            assert!(fault.contains(part), "{field} {value}: {fault}");
        }
        for word in ["u8", "u64", "enum"] {
            assert!(!fault.contains(word), "{field} {value}: {fault}");
        }
    };
    for value in ["500", "121", "-1", "60.5", "\"60\"", "null"] {
        check("amount", value, &["0 to 120", "60 lets records in"]);
    }
    check("depth", "8", &["0 to 7", "introductions"]);
    check("depth", "300", &["0 to 7"]);
    check("confidence", "101", &["0 to 100"]);
    check("confidence", "-20", &["0 to 100"]);
    check("now", "\"2026-01-01\"", &["milliseconds", "1970"]);
    check("until", "-1", &["milliseconds"]);
    check("tau_ms", "1.5", &["milliseconds"]);
    check("age_ms", "-5", &["milliseconds"]);
    for value in ["4", "300", "-1", "\"2/3\"", "0.25", "true"] {
        check("delta", value, &["1/3", "1/2"]);
    }
}
