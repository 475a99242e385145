//! Partition and heal: with the middle of a chain gone, both sides go on; when it returns, both have everything. A peer that is
//! blocked stays out.

use starfish_tests::nodes::{Nodes, Signal};

fn names(of: &str) -> Vec<String> {
    (0..50).map(|index| format!("{of}-{index}.example")).collect()
}

#[test]
fn both_sides_heal() {
    let mut mesh = Nodes::start(3, &[(0, 1), (1, 2)]);
    mesh[0].publish("c2", &names("together"));
    mesh[2].gets("together-49.example");
    for signal in [Signal::Terminate, Signal::Kill] {
        mesh.node(1).stop(signal);
        mesh[0].has_peers(0);
        mesh[2].has_peers(0);
        let (left, right) = (
            format!("left-{signal:?}").to_lowercase(),
            format!("right-{signal:?}").to_lowercase(),
        );
        mesh[0].publish("c2", &names(&left));
        mesh[2].publish("c2", &names(&right));
        mesh[0].withdraw(&format!("{left}-7.example"));
        mesh[0].publish("c2", &names(&format!("{left}-again")));
        assert!(mesh[2].believed(&format!("{left}-again-0.example")).is_empty());
        assert!(mesh[0].believed(&format!("{right}-0.example")).is_empty());

        mesh.node(1).start();
        for node in mesh.all() {
            node.gets(&format!("{left}-again-49.example"));
            node.gets(&format!("{right}-49.example"));
            node.loses(&format!("{left}-7.example"));
            node.reports_no_fork();
        }
    }
    let observables = mesh[0].status()["observables"].clone();
    mesh.all()
        .for_each(|node| assert_eq!(node.status()["observables"], observables));
}

#[test]
fn a_blocked_peer_stays_out() {
    let mut mesh = Nodes::start(3, &[(0, 1), (1, 2)]);
    let blocked = mesh[0].peer().to_owned();
    mesh[1].said(&["block", &blocked], "").done("block");
    mesh[1].has_peers(1);
    mesh[0].has_peers(0);
    mesh[0].publish("c2", &names("blocked"));
    mesh[1].publish("c2", &names("others"));
    mesh[2].gets("others-49.example");
    // Neither a restart of the one nor of the other lets it in again.
    for index in [0, 1] {
        mesh.node(index).stop(Signal::Terminate);
        mesh.node(index).start();
        mesh[2].has_peers(1);
        mesh[1].has_peers(1);
    }
    mesh[1].publish("c2", &names("later"));
    mesh[2].gets("later-49.example");
    assert_eq!(mesh[0].peers(), 0);
    assert!(mesh[0].believed("others-0.example").is_empty());
    assert!(mesh[2].believed("blocked-0.example").is_empty());
}
