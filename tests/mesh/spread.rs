//! Records across hops: what is published, and what is withdrawn, reaches every node of a small mesh, those that were away and
//! those that come late included.

use std::time::Duration;

use starfish_tests::nodes::{Nodes, Signal, eventually, pause, text};

/// Three hops from 0 to 4.
const EDGES: [(usize, usize); 4] = [(0, 1), (1, 2), (1, 3), (3, 4)];

fn names(of: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{of}-{index}.example")).collect()
}

#[test]
fn a_publication_is_searchable_three_hops_away() {
    let mesh = Nodes::start(5, &EDGES);
    let input = [
        "# a comment",
        "hxxp://evil[.]example/path",
        "bad.example",
        "bad.example",
        "192.0.2.7",
        "not an observable at all",
        "d41d8cd98f00b204e9800998ecf8427e",
    ];
    let arguments = [
        "--json",
        "publish",
        "--topic",
        "phishing",
        "--confidence",
        "80",
        "--context",
        "seen in mail",
        "-",
    ];
    let answer = mesh[0].said(&arguments, &input.join("\n"));
    assert!(answer.output.contains("\"observables\":4"), "{answer:?}");
    let refused: serde_json::Value =
        serde_json::from_str(answer.output.lines().last().unwrap_or_default()).expect("JSON");
    assert_eq!(refused["refused"][0]["line"], 6, "{answer:?}");

    for node in mesh.all() {
        for value in [
            "http://evil.example/path",
            "hxxp://evil[.]example/path",
            "bad.example",
            "192.0.2.7",
        ] {
            node.gets(value);
        }
        assert_eq!(node.status()["observables"], 4);
        node.reports_no_fork();
    }
    let hit = &mesh[4].believed("bad.example")[0];
    assert_eq!(text(hit, "organisation"), mesh[0].organisation);
    assert_eq!(text(hit, "context"), "seen in mail");
    assert_eq!(
        (text(hit, "topic"), text(hit, "tlp"), &hit["confidence"]),
        ("phishing".into(), "clear".into(), &80.into())
    );
    assert_eq!(text(hit, "record"), text(&mesh[0].believed("bad.example")[0], "record"));
    assert!(!mesh[4].json(&["search", "--under", "example"]).is_empty());
    assert!(!mesh[4].json(&["search", "--within", "192.0.2.0/24"]).is_empty());
    let nothing = mesh[4].said(&["--json", "search", "good.example"], "");
    assert_eq!((nothing.code, nothing.output.as_str()), (Some(1), ""), "{nothing:?}");
}

#[test]
fn a_withdrawal_reaches_every_holder() {
    let mesh = Nodes::start(5, &EDGES);
    mesh[2].publish("c2", &names("whole", 3));
    mesh[2].publish("c2", &names("part", 3));
    for node in mesh.all() {
        node.gets("whole-0.example");
        node.gets("part-0.example");
    }
    mesh[2].withdraw("whole-1.example");
    let record = text(&mesh[2].believed("part-1.example")[0], "record");
    let one = ["withdraw", &record, "--value", "part-1.example", "--reason", "sinkhole"];
    mesh[2].said(&one, "").done("withdraw");
    assert_eq!(mesh[2].said(&one, "").code, Some(6), "once is enough");
    for node in mesh.all() {
        names("whole", 3).iter().for_each(|name| node.loses(name));
        node.loses("part-1.example");
        node.gets("part-0.example");
        node.gets("part-2.example");
        assert_eq!(node.status()["observables"], 2);
    }
    // Nobody withdraws what another organisation published.
    assert_ne!(mesh[0].said(&["withdraw", &record, "--reason", "no"], "").code, Some(0));
    mesh[4].gets("part-0.example");
}

#[test]
fn a_node_that_was_away_catches_up() {
    let mut mesh = Nodes::start(5, &EDGES);
    mesh[0].publish("malware", &names("before", 3));
    mesh[4].gets("before-2.example");
    for signal in [Signal::Terminate, Signal::Kill] {
        let round = format!("{signal:?}").to_lowercase();
        mesh[0].publish("malware", &names(&format!("gone-{round}"), 2));
        mesh[4].gets(&format!("gone-{round}-1.example"));
        mesh.node(4).stop(signal);
        mesh[0].withdraw(&format!("gone-{round}-1.example"));
        mesh[0].publish("malware", &names(&format!("after-{round}"), 3));
        mesh[3].gets(&format!("after-{round}-2.example"));
        mesh[3].loses(&format!("gone-{round}-1.example"));
        mesh.node(4).start();
        mesh[4].gets(&format!("after-{round}-2.example"));
        mesh[4].loses(&format!("gone-{round}-1.example"));
    }
    mesh[4].gets("before-0.example");
    mesh.all().for_each(|node| node.reports_no_fork());
}

#[test]
fn a_late_joiner_never_shows_what_was_withdrawn() {
    let mut mesh = Nodes::start(5, &EDGES);
    mesh[0].publish("c2", &names("withdrawn", 200));
    mesh[0].publish("c2", &names("kept", 1));
    mesh.all().for_each(|node| node.gets("withdrawn-199.example"));
    mesh[0].withdraw("withdrawn-0.example");
    mesh[0].publish("c2", &names("marker", 1));
    for node in mesh.all() {
        node.gets("marker-0.example");
        node.loses("withdrawn-0.example");
    }
    // The publisher is not there any more: what the joiner learns, it learns from others.
    mesh.node(0).stop(Signal::Terminate);
    let joiner = mesh.add(4);
    let shows_none = || {
        assert!(
            mesh[joiner].believed("withdrawn-0.example").is_empty(),
            "a late joiner shows what is withdrawn"
        )
    };
    eventually("the late joiner gets what stands", Duration::from_secs(60), || {
        shows_none();
        !mesh[joiner].believed("marker-0.example").is_empty()
    });
    mesh[joiner].gets("kept-0.example");
    for _ in 0..20 {
        shows_none();
        pause(Duration::from_millis(100));
    }
    assert_eq!(mesh[joiner].status()["observables"], 2);
}
