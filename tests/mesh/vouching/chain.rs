//! Seven organisations in a row, each vouching for the next: the first believes as far as it honours introductions, and not
//! one further.

use serde_json::Value;
use starfish_tests::nodes::{Nodes, SOON, eventually};

use super::{pair, says};

/// 0 - 1 - 2 - 3 - 4 - 5 - 6. Node 0 has entered node 1 in full with two introductions; each endorses the next with a little
/// less, and with all the introductions that there are. Nodes 1 to 6 believe each other by their own endorsements.
#[test]
fn the_far_end_is_believed_as_deep_as_was_entered() {
    let mesh = Nodes::start_apart(7);
    for node in 1..7 {
        pair(&mesh, node - 1, node);
    }
    let amounts = ["", "110", "100", "90", "80", "70"];
    for node in 1..6 {
        let next = mesh[node + 1].organisation.clone();
        says(
            &mesh[node],
            &["endorse", &next, "--amount", amounts[node], "--depth", "7"],
        );
    }
    mesh[0]
        .said(&["trust", "root", "add", &mesh[1].organisation, "--depth", "2"], "")
        .done("root add");
    for node in 1..7 {
        mesh[node].publish("c2", &[format!("of-{node}.example")]);
    }
    for node in 1..4 {
        mesh[0].gets(&format!("of-{node}.example"));
    }
    let explained = |node: usize| mesh[0].one(&["trust", "explain", &mesh[node].organisation, "--topic", "c2"]);
    let number = |value: u64| Value::from(value);
    for (node, best, left) in [
        (1, 120, Some(2)),
        (2, 110, Some(1)),
        (3, 100, Some(0)),
        (4, 0, None),
        (6, 0, None),
    ] {
        eventually("the endorsements are here", SOON, || {
            explained(node)["best"] == number(best)
        });
        let why = explained(node);
        assert_eq!(
            (&why["full"], &why["accept"]),
            (&number(best), &Value::from(best > 0)),
            "{node}: {why}"
        );
        assert_eq!(
            why["max_remaining_depth"],
            left.map_or(Value::Null, number),
            "{node}: {why}"
        );
    }
    // Whoever is in between believes what is behind it, and the first holds it and never does.
    mesh[3].gets("of-6.example");
    eventually("what lies too far away is held", SOON, || {
        let held = mesh[0].json(&["quarantine", "list"]);
        let holds = |node: usize| {
            held.iter()
                .any(|one| one["organisation"] == mesh[node].organisation.as_str())
        };
        (4..7).all(holds)
    });
    for node in 4..7 {
        assert!(mesh[0].believed(&format!("of-{node}.example")).is_empty(), "{node}");
    }
    let far = explained(4);
    let ignored = far["ignored"].as_array().expect("a list");
    assert!(
        ignored
            .iter()
            .any(|edge| edge["why"].as_str().is_some_and(|why| why.contains("introductions"))),
        "{far}"
    );
}
