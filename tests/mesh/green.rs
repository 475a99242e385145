//! TLP:GREEN between real processes: what a node says to those whom it confides in reaches them, also after they were away, and
//! leaves no trace at anybody else.

use std::{fs, path::Path};

use starfish_tests::nodes::{Node, Nodes, Signal, text};

fn publish(node: &Node, tlp: &str, value: &str) {
    let arguments = ["publish", "--topic", "c2", "--tlp", tlp, "-"];
    node.said(&arguments, value).done("publish");
}

/// Makes an organisation one that may be told.
fn confide(node: &Node, other: &Node) {
    let arguments = ["trust", "root", "add", &other.organisation, "--receive-tlp", "green"];
    node.said(&arguments, "").done("trust root add");
}

/// Whether any file of a folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry"));
    entries.into_iter().any(|entry| {
        let path = entry.path();
        match entry.file_type().expect("of some type") {
            kind if kind.is_dir() => holds(&path, bytes),
            kind if kind.is_file() => {
                let file = fs::read(&path).expect("a file");
                file.windows(bytes.len()).any(|window| window == bytes)
            }
            _ => false,
        }
    })
}

#[test]
fn it_reaches_whom_it_may_and_nobody_else() {
    let mut mesh = Nodes::start(3, &[(0, 1), (0, 2), (1, 2)]);
    confide(&mesh[0], &mesh[1]);
    confide(&mesh[1], &mesh[0]);
    publish(&mesh[0], "green", "green-one.example");
    mesh[1].gets("green-one.example");
    // What was said while it was away comes with the next comparison.
    mesh.node(1).stop(Signal::Terminate);
    publish(&mesh[0], "green", "green-two.example");
    mesh.node(1).start();
    mesh[1].gets("green-two.example");
    publish(&mesh[1], "green", "green-back.example");
    mesh[0].gets("green-back.example");
    assert_eq!(text(&mesh[0].believed("green-back.example")[0], "tlp"), "green");
    mesh[0].withdraw("green-one.example");
    mesh[1].loses("green-one.example");
    // The third node is told everything else, which came after all this.
    publish(&mesh[0], "clear", "clear-one.example");
    publish(&mesh[1], "clear", "clear-two.example");
    mesh[2].gets("clear-one.example");
    mesh[2].gets("clear-two.example");
    let greens = ["green-one.example", "green-two.example", "green-back.example"];
    for value in greens {
        assert_eq!(mesh[2].json(&["search", value]), [] as [serde_json::Value; 0]);
    }
    assert_eq!(mesh[2].status()["records"], 2);
    // Nor is anything of it in what the third node wrote down: no name, and no log for the community.
    mesh.node(2).stop(Signal::Terminate);
    for value in greens {
        let label = value.split('.').next().unwrap_or_default().as_bytes();
        assert!(!holds(mesh[2].data(), label), "{value} is in the store");
    }
    assert!(holds(mesh[0].data(), b"green-two"), "the search finds what is there");
    mesh[0].reports_no_fork();
}

#[test]
fn what_would_have_to_be_sealed_is_refused() {
    let mesh = Nodes::start(1, &[]);
    for tlp in ["amber", "amber+strict", "red"] {
        let arguments = ["publish", "--topic", "c2", "--tlp", tlp, "-"];
        let answer = mesh[0].said(&arguments, "some.example");
        assert_ne!(answer.code, Some(0));
        assert!(answer.errors.contains("only TLP:CLEAR and TLP:GREEN"), "{answer:?}");
    }
    assert_eq!(mesh[0].status()["records"], 0);
}
