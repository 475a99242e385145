//! What operators say of each other and of each other's records: endorsements, sightings, disputes that are taken back, and
//! decisions on what is held.

use std::path::Path;

use serde_json::Value;
use starfish_tests::nodes::{Node, Nodes, SOON, Signal, eventually, text};

/// How many opinions a node has stored.
fn opinions(node: &Node) -> usize {
    let followed = node.follows(&["watch", "--from", "0"]);
    let serial = node.status()["serial"].as_u64().expect("a number");
    let lines = (0..serial).map(|_| followed.next_document());
    // What is not believed has no line, so that the last serial ends the stream.
    let mut found = 0;
    for line in lines {
        found += usize::from(line["holds"] == "opinion" && line["kind"] == "stored");
        if line["serial"].as_u64() == Some(serial) {
            break;
        }
    }
    found
}

#[test]
fn opinions_are_said_and_taken_back() {
    let mesh = Nodes::start(2, &[(0, 1)]);
    mesh[0].publish("c2", &["evil.example".to_owned(), "cdn.example".to_owned()]);
    mesh[1].gets("evil.example");
    let opined = mesh[1].one(&["sight", "evil[.]example", "--count", "3", "--first", "1d"]);
    assert_eq!(
        (text(&opined, "value"), text(&opined, "verdict")),
        ("evil.example".to_owned(), "sighting".to_owned())
    );
    let reason = ["dispute", "cdn.example", "--reason", "shared hosting"];
    let disputed = mesh[1].one(&reason);
    let opinion = &disputed["opinions"][0];
    assert_eq!(text(opinion, "organisation"), mesh[0].organisation);
    eventually("both opinions come to whom they concern", SOON, || {
        opinions(&mesh[0]) == 2
    });
    // A dispute alone takes nothing away, and can be taken back by whoever said it alone.
    assert!(!mesh[0].believed("cdn.example").is_empty());
    let dispute = text(opinion, "record");
    let withdrawal = ["withdraw", &dispute, "--reason", "looked again"];
    assert_eq!(mesh[0].said(&withdrawal, "").code, Some(6));
    mesh[1].said(&withdrawal, "").done("withdraw");

    let check = |index: usize, line: &[&str], code: i32, remedy: &str| {
        let answer = mesh[index].said(line, "");
        assert_eq!(answer.code, Some(code), "{line:?}: {answer:?}");
        assert!(answer.errors.contains(remedy), "{line:?}: {answer:?}");
    };
    check(1, &["sight", "unknown.example"], 1, "nobody published");
    check(
        0,
        &["dispute", "cdn.example", "--reason", "mine"],
        6,
        "starfish withdraw",
    );
    check(1, &["sight", "no observable"], 2, "no observable");
    check(1, &["sight", "evil.example", "--record", "rec:a"], 2, "rec:a");
    check(1, &["sight", "cdn.example", "--record", &dispute], 6, "does not hold");
    check(1, &["dispute", "evil.example", "--reason", ""], 6, "reason");
    check(
        1,
        &["sight", "evil.example", "--first", "1d", "--last", "2d"],
        2,
        "--first",
    );
}

#[test]
fn who_repeats_one_feed_is_one_source() {
    let mesh = Nodes::start(2, &[(0, 1)]);
    let publish = |node: &Node, source: &[&str], value: &str| {
        let line = [&["publish", "--topic", "c2", "--confidence", "100"], source, &["-"]].concat();
        node.said(&line, value).done("publish");
    };
    publish(
        &mesh[0],
        &["--derived-from", "https://feeds.example/c2"],
        "repeated.example",
    );
    publish(
        &mesh[1],
        &["--derived-from", " https://Feeds.example/c2/"],
        "repeated.example",
    );
    publish(
        &mesh[0],
        &["--derived-from", "https://feeds.example/c2"],
        "apart.example",
    );
    publish(&mesh[1], &["--derived-from", "another feed"], "apart.example");
    publish(&mesh[0], &[], "seen.example");
    publish(&mesh[1], &[], "seen.example");
    let sure = |value: &str| mesh[0].one(&["explain", value]);
    let said = |value: &str| sure(value)["claims"].as_array().map_or(0, Vec::len);
    eventually("all is known", SOON, || {
        ["repeated.example", "apart.example", "seen.example"]
            .iter()
            .all(|value| said(value) == 2)
    });
    let check = |value: &str, two_sources: bool| {
        let sure = sure(value);
        let support = sure["support"].as_u64().expect("a number");
        assert_eq!(support > 120, two_sources, "{sure}");
        let claims = sure["claims"].as_array().expect("claims");
        assert!(
            claims.iter().all(|claim| claim["shared_origin"] == !two_sources),
            "{sure}"
        );
        assert_eq!(claims[0]["derived_from"].is_string(), value != "seen.example", "{sure}");
    };
    check("repeated.example", false);
    check("apart.example", true);
    check("seen.example", true);
    let empty = mesh[0].said(&["publish", "--topic", "c2", "--derived-from", "", "-"], "x.example");
    assert_eq!(empty.code, Some(2));
}

#[test]
fn a_stranger_is_held_until_somebody_decides() {
    let mut mesh = Nodes::start_apart(2);
    let address = mesh[0].tcp_address();
    mesh.node(1).stop(Signal::Terminate);
    mesh[1].set("mesh", "dial", &format!("[{address:?}]"));
    mesh.node(1).start();
    mesh[1].has_peers(1);
    for value in ["first.example", "second.example"] {
        mesh[0].publish("c2", &[value.to_owned()]);
    }
    let held = |of: &[&str]| mesh[1].json(&[&["quarantine", "list"], of].concat());
    eventually("both records are held", SOON, || held(&[]).len() == 2);
    let of = &mesh[0].organisation;
    assert_eq!(
        (
            held(&["--org", of]).len(),
            held(&["--org", &mesh[1].organisation]).len()
        ),
        (2, 0)
    );
    for record in held(&[]) {
        assert_eq!(
            (text(&record, "why"), text(&record, "organisation")),
            ("not-trusted".to_owned(), of.clone())
        );
        let shown = mesh[1].one(&["quarantine", "show", &text(&record, "record")]);
        let value = shown["values"][0].as_str().expect("a value is text").to_owned();
        let decision = if value == "first.example" { "release" } else { "drop" };
        mesh[1]
            .said(&["quarantine", decision, &text(&record, "record")], "")
            .done(decision);
    }
    mesh[1].gets("first.example");
    assert!(held(&[]).is_empty() && mesh[1].believed("second.example").is_empty());
    let written = mesh[1].json(&["audit", "--since", "1h"]);
    let decided: Vec<&Value> = written.iter().filter(|line| line["who"] == "operator").collect();
    let mut deeds: Vec<String> = decided.iter().map(|line| text(line, "what")).collect();
    deeds.sort();
    assert_eq!(deeds, ["dropped", "released"]);
    let last = written.last().expect("two lines")["line"].as_u64().expect("a number");
    assert!(mesh[1].json(&["audit", "--since", &last.to_string()]).is_empty());
    assert_eq!(mesh[1].json(&["audit", "--since", &(last - 1).to_string()]).len(), 1);
    let gone = text(decided[0], "subject");
    assert_eq!(mesh[1].said(&["quarantine", "release", &gone], "").code, Some(1));
}

#[test]
fn an_endorsement_reaches_the_others() {
    let mesh = Nodes::start(2, &[(0, 1)]);
    let key = mesh[0].root_key();
    let says = |index: usize, line: &[&str]| mesh[index].said(&[&["--json", "trust"], line].concat(), "");
    // By name, and refused with the node's own key.
    let node_key = mesh[0].data().join("node.key");
    let node_key = node_key.to_str().expect("a temporary path is UTF-8");
    let refused = says(0, &["endorse", "CERT 1", "--key", node_key]);
    assert!(
        refused.code == Some(6) && refused.errors.contains("never may"),
        "{refused:?}"
    );
    let unknown = says(0, &["endorse", "CERT 2", "--key", &key]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    says(
        0,
        &["endorse", "CERT 1", "--amount", "60", "--depth", "1", "--key", &key],
    )
    .done("endorse");
    let veto = says(0, &["veto", "CERT 1", "--topics", "dga", "--key", &key]).done("veto");
    let told: Value = serde_json::from_str(&veto).expect("JSON");
    assert_eq!(told["told"], true, "{told}");
    says(0, &["withdraw", "CERT 1", "--key", &key]).done("withdraw");
    // The data directory has all of it, and a machine without the node goes on from there.
    let chain = mesh[0].data().join("organisation/chain.txt");
    let shown = mesh[1].one(&["org", "show", chain.to_str().expect("UTF-8")]);
    let kinds: Vec<String> = shown["statements"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|said| text(said, "kind"))
        .collect();
    let heads = kinds.iter().filter(|kind| *kind == "chain head").count();
    assert_eq!((kinds.len(), heads), (6, 3), "{shown}");
    let refresh = mesh[0].data().with_extension("refresh");
    offline(&mesh[0], &key, &chain, &refresh);
    mesh[0]
        .said(&["org", "accept", refresh.to_str().expect("UTF-8")], "")
        .done("accept");
}

/// A machine that has nothing but files.
fn offline(node: &Node, key: &str, chain: &Path, out: &Path) {
    let path = |path: &Path| path.to_str().expect("a temporary path is UTF-8").to_owned();
    let manifest = path(&node.data().join("organisation/manifest.txt"));
    let nowhere = path(&node.data().with_extension("nowhere"));
    let line = [
        "trust",
        "refresh",
        "--data",
        &nowhere,
        "--manifest",
        &manifest,
        "--key",
        key,
    ];
    let files = ["--chain", &path(chain), "--out", &path(out)];
    node.said(&[&line[..], &files[..]].concat(), "").done("refresh");
}
