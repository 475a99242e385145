//! What users of other systems suffered, as tests (design, lessons): the rows that are about publishing, holding and following.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use starfish_tests::{
    comparison::compare,
    nodes::{Nodes, SOON, Signal, eventually},
    shape::day,
};

/// MISP #3381, #6030: large events arrive cut short, and the job says "complete".
#[test]
fn a_large_publication_arrives_whole() {
    let mesh = Nodes::start(3, &[(0, 1), (1, 2)]);
    let names: Vec<String> = day(1, 30_000).into_iter().collect();
    let answer = mesh[0]
        .said(&["--json", "publish", "--topic", "dga", "-"], &names.join("\n"))
        .done("publish");
    assert!(answer.contains("\"observables\":30000"), "{answer}");
    for node in mesh.all() {
        eventually("the whole list is here", SOON, || {
            node.status()["observables"] == names.len()
        });
    }
    let shown: BTreeSet<String> = mesh[2].under("nl").into_iter().collect();
    let wanted: BTreeSet<String> = names.into_iter().filter(|name| name.ends_with(".nl")).collect();
    assert_eq!(shown, wanted);
}

/// MISP #4122, #8275: duplicates grow the store sixty-fold.
#[test]
fn repeats_are_counted_and_not_kept() {
    let mesh = Nodes::start(1, &[]);
    let repeats = "evil.example\n".repeat(100_000);
    let answer = mesh[0]
        .said(&["--json", "publish", "--topic", "c2", "-"], &repeats)
        .done("publish");
    assert!(
        answer.contains("\"observables\":1,") && answer.contains("\"repeated\":99999"),
        "{answer}"
    );
    // The same list once more is a record of its own, which may end later; that the first one stands is told.
    let published = |topic: &str| {
        let answer = mesh[0].said(&["--json", "publish", "--topic", topic, "-"], "evil.example");
        let answer: Value = serde_json::from_str(&answer.done("publish")).expect("JSON");
        (answer["records"].clone(), answer["earlier"].clone())
    };
    let first: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(first["earlier"], json!([]));
    let (_, earlier) = published("c2");
    assert_eq!(earlier, first["records"]);
    let (other, earlier) = published("phishing");
    assert_eq!(earlier, json!([]), "about something else");
    mesh[0]
        .said(
            &["withdraw", other[0].as_str().expect("an id"), "--reason", "wrong"],
            "",
        )
        .done("withdraw");
    assert_eq!(published("phishing").1, json!([]), "it was taken back");
    // The same value from many records: each record costs the same, the last one as little as the first.
    let grown = |rounds: usize| {
        let before = mesh[0].status()["store_bytes"].as_u64().expect("status says the size");
        (0..rounds).for_each(|_| mesh[0].publish("c2", &["evil.example".to_owned()]));
        mesh[0].status()["store_bytes"]
            .as_u64()
            .expect("status says the size")
            .saturating_sub(before)
    };
    let (first, second) = (grown(50), grown(50));
    assert!(
        second <= 2 * first.max(100_000),
        "{first} bytes for 50 repeats, then {second}"
    );
    assert_eq!(mesh[0].status()["observables"], 1);
}

/// OpenCTI connectors#1124: 127.0.0.1 leaks downstream.
#[test]
fn private_and_reserved_values_do_not_leave() {
    let mesh = Nodes::start(2, &[(0, 1)]);
    let input =
        "127.0.0.1\n10.1.2.3\n192.168.0.0/16\nfe80::1\nhttp://127.0.0.1/x\nprinter.local\nlocalhost\nevil.example\n";
    let answer = mesh[0]
        .said(&["--json", "publish", "--topic", "c2", "-"], input)
        .done("publish");
    assert!(answer.contains("\"observables\":1,"), "{answer}");
    let document: serde_json::Value = serde_json::from_str(answer.trim()).expect("JSON");
    let lines: Vec<u64> = document["refused"]
        .as_array()
        .expect("refused lines are a list")
        .iter()
        .filter_map(|refused| refused["line"].as_u64())
        .collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 6, 7], "{answer}");
    mesh[1].gets("evil.example");
    assert_eq!(mesh[1].status()["observables"], 1);
}

/// MISP #4814, #10439: a sync with nothing to do takes hours. (The benchmark of this name does the same with 10^6 observables.)
#[test]
fn a_comparison_without_news_costs_little() {
    let figures = compare(20_000);
    assert!(figures.bodies[0] > figures.bodies[1], "{figures:?}");
    assert_eq!((figures.trips, figures.moved), (1, 0), "{figures:?}");
    assert!(figures.bytes < 1_000, "{figures:?}");
}

/// n6, Warden, TAXII: polling only. oasis-tcs/cti-taxii2#50: objects with one receipt time are skipped or loop.
#[test]
fn a_stream_goes_on_where_it_was_left() {
    let mut mesh = Nodes::start(2, &[(0, 1)]);
    for number in 0..5 {
        mesh[0].publish("c2", &[format!("stream-{number}.example")]);
    }
    mesh[1].gets("stream-4.example");
    let entries = |from: &str, count: usize| {
        let following = mesh[1].follows(&["watch", "--from", from]);
        (0..count).map(|_| following.next_document()).collect::<Vec<_>>()
    };
    let all = entries("0", 5);
    let serials: Vec<u64> = all.iter().filter_map(|entry| entry["serial"].as_u64()).collect();
    assert!(serials.is_sorted_by(|one, next| one < next), "{all:?}");
    let values: BTreeSet<&str> = all.iter().filter_map(|entry| entry["values"][0].as_str()).collect();
    assert_eq!(values.len(), 5, "{all:?}");
    assert_eq!(entries(&serials[2].to_string(), 2), all[3..]);
    // Across a restart too, and live.
    mesh.node(1).stop(Signal::Kill);
    mesh.node(1).start();
    let following = mesh[1].follows(&["watch", "--from", &serials[4].to_string()]);
    mesh[0].withdraw("stream-0.example");
    mesh[0].publish("c2", &["stream-5.example".to_owned()]);
    let next = [following.next_document(), following.next_document()];
    assert!(
        next.iter()
            .all(|entry| entry["serial"].as_u64() > serials.last().copied()),
        "{next:?}"
    );
    assert!(
        next.iter().any(|entry| entry["kind"] == "withdrawn")
            || next.iter().any(|entry| entry["holds"] == "withdrawal")
    );
}
