//! Two operators connect with one short code, and compare words by voice. Without that, and without a line in the
//! configuration, nobody is believed: a node without roots fails closed.

use serde_json::Value;
use starfish_tests::nodes::{Nodes, SOON, Signal, eventually, text};

fn words(met: &Value) -> Vec<String> {
    let words = met["words"].as_array().unwrap_or_else(|| panic!("no words in {met}"));
    words
        .iter()
        .map(|word| word.as_str().expect("a word is text").to_owned())
        .collect()
}

#[test]
fn one_code_and_the_same_words_pair_two_nodes() {
    let mesh = Nodes::start_apart(3);
    let inviting = mesh[0].follows(&["invite"]);
    let code = text(&inviting.next_document(), "code");
    assert!(code.len() < 60 && !code.contains(' '), "{code} is hard to read aloud");
    // One slip of the tongue is found before anything is dialled.
    let slip = format!(
        "{}{}",
        &code[..code.len() - 1],
        if code.ends_with('7') { '8' } else { '7' }
    );
    assert_ne!(mesh[1].said(&["pair", &slip, "--yes"], "").code, Some(0));

    // Without `--yes`, and without anybody to ask, nothing is trusted yet.
    let visiting = mesh[1].said(&["--json", "pair", &code], "");
    assert_ne!(visiting.code, Some(0), "{visiting:?}");
    let visited: Value = serde_json::from_str(visiting.output.lines().next().unwrap_or_default()).expect("JSON");
    let met = inviting.next_document();
    assert_eq!(words(&visited), words(&met), "{visited} {met}");
    assert_eq!(words(&met).len(), 5);
    assert_eq!(text(&met, "organisation"), mesh[1].organisation);
    assert_eq!(text(&visited, "organisation"), mesh[0].organisation);
    mesh[0].publish("c2", &["early.example".to_owned()]);

    // The code has done its work: it opens to nobody else, and tells the same node the same again.
    assert_ne!(
        mesh[2].said(&["pair", &code, "--yes"], "").code,
        Some(0),
        "a code works for two nodes"
    );
    let again = mesh[1].said(&["--json", "pair", &code], "");
    let again: Value = serde_json::from_str(again.output.lines().next().unwrap_or_default()).expect("JSON");
    assert_eq!(words(&again), words(&met), "{again} {met}");
    mesh[0]
        .said(&["pair", "--confirm", &mesh[1].organisation], "")
        .done("confirm");
    mesh[1]
        .said(&["pair", "--confirm", &mesh[0].organisation], "")
        .done("confirm");
    mesh[0].publish("c2", &["paired.example".to_owned()]);
    mesh[1].publish("c2", &["back.example".to_owned()]);
    mesh[1].gets("paired.example");
    mesh[1].gets("early.example");
    mesh[0].gets("back.example");

    // Undone at once, and what was believed is no longer.
    mesh[1].said(&["unpair", &mesh[0].organisation], "").done("unpair");
    mesh[1].loses("paired.example");
    mesh[0].gets("back.example");
}

#[test]
fn what_waits_for_others_ends_by_ctrl_c_with_a_code_of_the_table() {
    let mesh = Nodes::start_apart(1);
    mesh[0].publish("c2", &["first.example".to_owned()]);
    for command in [&["watch", "--from", "0"][..], &["invite"]] {
        let waiting = mesh[0].follows(command);
        waiting.next_document();
        assert_eq!(waiting.interrupted(), Some(8), "{command:?}");
    }
}

#[test]
fn a_pairing_outlives_a_restart() {
    let mut mesh = Nodes::start(2, &[(0, 1)]);
    for signal in [Signal::Terminate, Signal::Kill] {
        mesh.node(0).stop(signal);
        mesh.node(1).stop(signal);
        mesh.node(1).start();
        mesh.node(0).start();
        mesh[0].has_peers(1);
        mesh[1].has_peers(1);
    }
    mesh[0].publish("c2", &["still.example".to_owned()]);
    mesh[1].gets("still.example");
}

#[test]
fn nothing_is_believed_without_roots() {
    let mut mesh = Nodes::start_apart(2);
    mesh[0].publish("c2", &["before.example".to_owned()]);
    // Connected by the configuration alone: a guest, whose words are nobody's.
    let address = mesh[0].tcp_address();
    mesh.node(1).stop(Signal::Terminate);
    mesh[1].set("mesh", "dial", &format!("[{address:?}]"));
    mesh.node(1).start();
    mesh[1].has_peers(1);
    mesh[0].publish("c2", &["after.example".to_owned()]);
    mesh[1].publish("c2", &["own.example".to_owned()]);
    let shown = |value: &str| mesh[1].said(&["--json", "search", value, "--quarantine"], "").output;
    eventually("the stranger's record is in quarantine", SOON, || {
        !shown("after.example").is_empty()
    });
    assert!(mesh[1].believed("after.example").is_empty());
    assert!(mesh[1].believed("before.example").is_empty());
    assert_eq!(mesh[1].status()["observables"], 1);
    assert!(mesh[0].believed("own.example").is_empty());
    let peers = mesh[1].json(&["peers"]);
    assert_eq!(peers[0]["trusted"], false, "{peers:?}");
    // The operator's word releases what has been waiting.
    mesh[1]
        .said(&["pair", "--confirm", &mesh[0].organisation], "")
        .done("confirm");
    mesh[1].gets("after.example");
}
