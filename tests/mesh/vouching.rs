//! Trust that comes over somebody else: what a node makes of an endorsement, what it says of its reasons, and how it follows
//! when the endorsement is taken back.

mod chain;

use serde_json::Value;
use starfish_tests::nodes::{Node, Nodes, SOON, eventually, text};

/// Pairs two nodes, as two operators would.
pub(super) fn pair(mesh: &Nodes, inviter: usize, invited: usize) {
    let invitation = mesh[inviter].one(&["invite", "--yes"]);
    let code = text(&invitation, "code");
    mesh[invited].said(&["pair", &code, "--yes"], "").done("pair");
}

pub(super) fn says(node: &Node, line: &[&str]) {
    let key = ["--key", &node.root_key()];
    node.said(&[&["trust"], line, &key].concat(), "").done("trust");
}

fn organisations(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|one| one.as_str().expect("an id is text").to_owned())
        .collect()
}

/// 0 has a root entry for 1, and 1 endorses 2.
#[test]
fn an_endorsement_is_followed_and_explained() {
    let mesh = Nodes::start_apart(3);
    pair(&mesh, 0, 1);
    pair(&mesh, 1, 2);
    let [root, far] = [&mesh[1].organisation, &mesh[2].organisation];
    mesh[0]
        .said(&["trust", "root", "add", root, "--depth", "1"], "")
        .done("root add");
    mesh[2].publish("c2", &["evil.example".to_owned()]);
    mesh[1].gets("evil.example");
    says(&mesh[1], &["endorse", far, "--amount", "60", "--topics", "c2"]);
    mesh[0].gets("evil.example");

    let explained = mesh[0].one(&["trust", "explain", far, "--topic", "c2"]);
    assert_eq!(
        (&explained["accept"], &explained["act"]),
        (&Value::from(true), &Value::from(false))
    );
    assert_eq!(
        (&explained["best"], &explained["full"]),
        (&Value::from(60), &Value::from(60))
    );
    assert_eq!(organisations(&explained["witness"]), [root.clone(), far.clone()]);
    assert_eq!(organisations(&explained["dominators"]), std::slice::from_ref(root));
    let limit = &explained["limits"][0];
    assert_eq!((text(limit, "from"), text(limit, "to")), (root.clone(), far.clone()));
    // About anything else it is not trusted, and the reason is said.
    let other = mesh[0].one(&["trust", "explain", "CERT 2", "--topic", "dga"]);
    assert_eq!(other["accept"], false);
    assert_eq!(text(&other["ignored"][0], "why"), "it is not about this");
    let shown = mesh[0]
        .said(&["trust", "explain", "CERT 2", "--topic", "c2"], "")
        .done("explain");
    assert!(shown.contains("single point of trust: CERT 1"), "{shown}");

    let trusted = mesh[0].one(&["trust", "list"]);
    let reached = trusted["organisations"].as_array().expect("a list");
    assert!(reached.iter().any(|one| text(one, "organisation") == *far), "{trusted}");
    let known = mesh[0].one(&["trust", "show", far]);
    assert_eq!(text(&known["said_of_it"][0], "kind"), "endorsement", "{known}");
    let dot = mesh[0].said(&["trust", "graph", "--format", "dot"], "").done("graph");
    assert!(dot.contains(&format!("\"{root}\" -> \"{far}\"")), "{dot}");
    let svg = mesh[0].said(&["trust", "graph"], "").done("graph");
    assert!(svg.contains("<svg") && svg.contains("CERT 2"), "{svg}");

    let sure = mesh[0].one(&["explain", "evil.example"]);
    assert_eq!(
        (text(&sure["claims"][0], "organisation"), &sure["claims"][0]["trust"]),
        (far.clone(), &Value::from(60))
    );
    // 80 per cent of 60, a little less with every second.
    let support = sure["support"].as_u64().expect("a number");
    assert!((40..=48).contains(&support) && sure["two_source"] == false, "{sure}");
    assert_eq!(sure["policies"][0]["listed"], false, "{sure}");

    says(&mesh[1], &["withdraw", far]);
    mesh[0].loses("evil.example");
    let after = mesh[0].one(&["trust", "explain", far, "--topic", "c2"]);
    assert_eq!(
        (&after["accept"], &after["best"]),
        (&Value::from(false), &Value::from(0))
    );
    assert_eq!(text(&after["ignored"][0], "why"), "it was taken back");
}

#[test]
fn the_operator_has_the_last_word() {
    let mesh = Nodes::start(2, &[(0, 1)]);
    let other = &mesh[1].organisation;
    mesh[1].publish("c2", &["evil.example".to_owned()]);
    mesh[0].gets("evil.example");
    mesh[0].said(&["trust", "pin", other, "bad"], "").done("pin");
    mesh[0].loses("evil.example");
    let barred = mesh[0].one(&["trust", "explain", other]);
    assert!(text(&barred, "barred").contains("pinned"), "{barred}");
    mesh[0].said(&["trust", "pin", other, "none"], "").done("pin");
    mesh[0].gets("evil.example");
    eventually("the log has both decisions", SOON, || {
        let lines = mesh[0].json(&["audit"]);
        let deeds: Vec<String> = lines.iter().map(|line| text(line, "what")).collect();
        deeds.contains(&"pinned-bad".to_owned()) && deeds.contains(&"unpinned".to_owned())
    });
    let check = |line: &[&str], code: i32| {
        let answer = mesh[0].said(&[&["trust"], line].concat(), "");
        assert_eq!(answer.code, Some(code), "{line:?}: {answer:?}");
    };
    let own = &mesh[0].organisation;
    check(&["root", "add", own], 6);
    check(&["pin", own, "bad"], 6);
    check(&["root", "remove", other], 1);
    check(&["explain", "nobody"], 1);
    check(&["explain", other, "--name", "not a name"], 2);
    check(&["graph", "--out", "/"], 6);
}
