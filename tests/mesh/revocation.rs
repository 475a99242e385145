//! A node whose key was stolen: its organisation's root says how far it was itself, and what lies behind that vanishes
//! everywhere, while what it wrote before stays.

use starfish_tests::nodes::{Node, Nodes, SOON, Signal, eventually, text};

fn name(of: &str) -> Vec<String> {
    vec![format!("{of}.example")]
}

/// Where a node's own log ends, as `starfish org revoke-node` reads it.
fn position(of: &Node) -> String {
    let status = of.status();
    let head = &status["heads"][0];
    let number = |field: &str| head[field].as_u64().unwrap_or_else(|| panic!("no {field} in {head}"));
    format!(
        "{},{},{},{}",
        text(head, "audience"),
        number("epoch"),
        number("seq"),
        text(head, "record")
    )
}

/// What the root of this node's organisation signs; the file.
fn revocation(of: &Node, arguments: &[&str]) -> String {
    let root = of.root_key();
    let signed = of.data().join("revoked.txt");
    let signed = signed.display().to_string();
    let key = text(&of.one(&["id"]), "node");
    let common = ["org", "revoke-node", "--node", &key, "--key", &root, "--out", &signed];
    of.said(&[&common, arguments].concat(), "").done("org revoke-node");
    signed
}

#[test]
fn what_a_revoked_node_wrote_before_stays_and_the_rest_vanishes() {
    let mut mesh = Nodes::start(3, &[(0, 1), (1, 2)]);
    mesh[0].publish("c2", &name("before"));
    mesh.all().for_each(|node| node.gets("before.example"));
    let good = position(&mesh[0]);
    mesh[0].publish("c2", &name("stolen"));
    mesh.all().for_each(|node| node.gets("stolen.example"));

    let file = revocation(&mesh[0], &["--reason", "compromised", "--last-good", &good]);
    mesh[1].said(&["org", "accept", &file], "").done("org accept");
    mesh.all().for_each(|node| node.loses("stolen.example"));
    mesh.all().for_each(|node| {
        assert!(
            !node.believed("before.example").is_empty(),
            "what was written before stays"
        )
    });
    // Nor does it weigh anything, though it lies in quarantine with the name of somebody who is trusted.
    let sure = mesh[1].one(&["explain", "stolen.example"]);
    assert_eq!((&sure["support"], &sure["score"]), (&0.into(), &0.into()), "{sure}");
    assert_eq!(sure["claims"][0]["reason"], "its node was revoked before", "{sure}");
    assert!(mesh[1].one(&["explain", "before.example"])["support"].as_u64() > Some(0));
    let refused = mesh[0].said(&["publish", "--topic", "c2", "-"], "after.example");
    assert_ne!(refused.code, Some(0), "a revoked node writes nothing: {refused:?}");

    // A late joiner fetches what is good, and nothing else is handed to it; a start brings nothing back.
    let late = mesh.add(2);
    mesh[late].gets("before.example");
    mesh[2].publish("c2", &name("theirs"));
    mesh[late].gets("theirs.example");
    assert!(mesh[late].believed("stolen.example").is_empty());
    mesh.node(1).stop(Signal::Terminate);
    mesh.node(1).start();
    mesh[1].gets("before.example");
    assert!(mesh[1].believed("stolen.example").is_empty());
    mesh.all().for_each(Node::reports_no_fork);
    mesh.node(1).stop(Signal::Terminate);
    mesh[1].said(&["store", "verify"], "").done("store verify");
}

#[test]
fn a_later_word_gives_back_what_the_one_signed_in_advance_took() {
    let mesh = Nodes::start(2, &[(0, 1)]);
    mesh[0].publish("c2", &name("before"));
    mesh[1].gets("before.example");
    let good = position(&mesh[0]);
    // The first says nothing of what was good.
    let file = revocation(&mesh[0], &["--reason", "compromised"]);
    mesh[1].said(&["org", "accept", &file], "").done("org accept");
    mesh.all().for_each(|node| node.loses("before.example"));
    std::fs::remove_file(&file).expect("the file is there");
    let file = revocation(&mesh[0], &["--reason", "compromised", "--last-good", &good]);
    mesh[1].said(&["org", "accept", &file], "").done("org accept");
    mesh[1].gets("before.example");
    eventually("the revoked node hears it too", SOON, || {
        !mesh[0].believed("before.example").is_empty()
    });
}
