//! `kill -9` at any moment: a publisher and a receiver are killed in turn while records are published. Whatever was
//! acknowledged, and whatever a receiver has shown, is still there afterwards, and nobody sees a fork.

use std::{
    collections::BTreeSet,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use starfish_tests::nodes::{Nodes, Signal, eventually};

/// The publisher and the receiver.
const PUBLISHER: usize = 0;
const RECEIVER: usize = 1;

/// A start after a kill must answer within this time.
const RESTART: Duration = Duration::from_secs(15);

/// Rounds of one kill each.
fn rounds() -> usize {
    let asked = std::env::var("STARFISH_ROUNDS").ok();
    asked.map_or(10, |rounds| rounds.parse().expect("STARFISH_ROUNDS is a number"))
}

#[test]
fn nothing_acknowledged_is_lost() {
    let mut mesh = Nodes::start(2, &[(PUBLISHER, RECEIVER)]);
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds() {
        let killed = if round % 2 == 0 { PUBLISHER } else { RECEIVER };
        let shown = kill_while_publishing(&mut mesh, round, killed, &mut acknowledged);
        let began = Instant::now();
        mesh.node(killed).start();
        assert!(mesh[killed].status()["serial"].is_u64());
        assert!(
            began.elapsed() < RESTART,
            "round {round}: {:?} until status answers",
            began.elapsed()
        );

        let held: BTreeSet<String> = mesh[PUBLISHER].under("example").into_iter().collect();
        let lost: Vec<&String> = acknowledged.difference(&held).collect();
        assert!(lost.is_empty(), "round {round}: acknowledged but lost: {lost:?}");
        let held: BTreeSet<String> = mesh[RECEIVER].under("example").into_iter().collect();
        let lost: Vec<&String> = shown.difference(&held).collect();
        assert!(lost.is_empty(), "round {round}: shown but lost: {lost:?}");
    }
    eventually(
        "the receiver holds everything acknowledged",
        Duration::from_secs(120),
        || {
            let held: BTreeSet<String> = mesh[RECEIVER].under("example").into_iter().collect();
            acknowledged.is_subset(&held)
        },
    );
    for node in mesh.all() {
        node.reports_no_fork();
        let verified = node.status()["records"].clone();
        assert!(verified.is_u64(), "{verified}");
    }
    for index in [PUBLISHER, RECEIVER] {
        mesh.node(index).stop(Signal::Terminate);
        mesh[index].said(&["store", "verify"], "").done("store verify");
    }
}

/// Publishes small batches without a pause and kills one node at a moment that differs from round to round. Adds what was
/// acknowledged, and returns what the receiver had shown before the kill.
fn kill_while_publishing(
    mesh: &mut Nodes,
    round: usize,
    killed: usize,
    acknowledged: &mut BTreeSet<String>,
) -> BTreeSet<String> {
    // The moment: some whole publications, then a part of the next one, in steps of 3 ms over a range of 60 ms.
    let batches = 1 + round % 3;
    let phase = Duration::from_millis(3 * (round as u64 * 7 % 20));
    let (send, receive) = mpsc::channel();
    let shown = thread::scope(|scope| {
        let publisher = &mesh[PUBLISHER];
        let publishing = scope.spawn(move || {
            for batch in 0..batches + 3 {
                let names: Vec<String> = (0..20)
                    .map(|name| format!("r{round}-b{batch}-n{name}.example"))
                    .collect();
                let answer = publisher.said(&["--json", "publish", "--topic", "dga", "-"], &names.join("\n"));
                if answer.code != Some(0) || send.send(names).is_err() {
                    return;
                }
            }
        });
        for _ in 0..batches {
            match receive.recv_timeout(Duration::from_secs(30)) {
                Ok(names) => acknowledged.extend(names),
                Err(reason) => panic!("round {round}: publishing stopped too early ({reason})"),
            }
        }
        let shown: BTreeSet<String> = mesh[RECEIVER].under("example").into_iter().collect();
        match receive.recv_timeout(phase) {
            Ok(names) => acknowledged.extend(names),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        mesh[killed].kill();
        publishing.join().expect("the publishing thread does not panic");
        shown
    });
    acknowledged.extend(receive.try_iter().flatten());
    mesh.node(killed).forget();
    shown
}
