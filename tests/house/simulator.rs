//! The simulator's workspace: it runs the same libp2p as the daemon, and its patch of the timers is in force there and nowhere else.

use std::{collections::BTreeMap, fs};

use crate::{layers::cargo_tree, source::root};

/// Crates whose behaviour a simulation is about, by the beginning of their names.
const SAME: [&str; 4] = ["libp2p", "multistream-select", "futures-bounded", "asynchronous-codec"];
/// The crate that is patched.
const TIMER: &str = "futures-timer";

/// The packages of a lock file: versions by name, each with whether it comes from a registry.
fn packages(lock: &str) -> BTreeMap<String, Vec<(String, bool)>> {
    let mut found: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let value = package
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name} = ")));
            value.map(|value| value.trim_matches('"').to_owned())
        };
        if let (Some(name), Some(version)) = (field("name"), field("version")) {
            found
                .entry(name)
                .or_default()
                .push((version, field("source").is_some()));
        }
    }
    found
}

/// What differs between the simulator's lock file and the daemon's.
fn differences(simulator: &str, daemon: &str) -> Vec<String> {
    let (ours, theirs) = (packages(simulator), packages(daemon));
    let mut found = Vec::new();
    for (name, versions) in &ours {
        let is_same = SAME.iter().any(|same| name.starts_with(same));
        if is_same && theirs.get(name) != Some(versions) {
            let expected = theirs.get(name);
            found.push(format!(
                "{name} is {versions:?} in the simulator, {expected:?} in the daemon"
            ));
        }
    }
    if !ours.contains_key("libp2p") {
        found.push("the simulator's lock file was not understood".to_owned());
    }
    let from_registry = |lock: &BTreeMap<String, Vec<(String, bool)>>| -> Vec<bool> {
        let timers = lock.get(TIMER).into_iter().flatten();
        timers.map(|(_, registry)| *registry).collect()
    };
    if from_registry(&ours) != [false] {
        found.push(format!("{TIMER}: the simulator has exactly one, its own"));
    }
    if from_registry(&theirs).contains(&false) {
        found.push(format!("{TIMER}: the daemon has the real one"));
    }
    if simulator.contains("[[patch.unused]]") {
        found.push("the simulator's patch is not used".to_owned());
    }
    found
}

pub(crate) fn complaints() -> Vec<String> {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("both lock files are committed");
    let mut found = differences(&read("simulations/Cargo.lock"), &read("Cargo.lock"));
    let tree = timers_in_the_simulator();
    let expected = format!(
        "{TIMER} v3.0.99 ({})",
        root().join("simulations/futures-timer").display()
    );
    let timers: Vec<&str> = tree.lines().filter(|line| line.starts_with(TIMER)).collect();
    if timers != [expected.as_str()] {
        found.push(format!(
            "libp2p's timers in the simulator are {timers:?}, not {expected}"
        ));
    }
    if !tree.contains("libp2p-swarm v") {
        found.push("libp2p's swarm has no timer in the simulator".to_owned());
    }
    found
}

/// Who depends on the timers, as cargo resolves it.
fn timers_in_the_simulator() -> String {
    cargo_tree(&root().join("simulations"), &["--invert", TIMER])
}

#[test]
fn finds_what_differs() {
    let package = |name: &str, version: &str, source: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}\n")
    };
    let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let daemon = package("libp2p", "0.57.1", registry) + &package(TIMER, "3.0.3", registry);
    let shim = package(TIMER, "3.0.99", "");
    let check = |simulator: String, complaints: usize| {
        let found = differences(&simulator, &daemon);
        assert_eq!(found.len(), complaints, "{found:?}");
    };
    let same = package("libp2p", "0.57.1", registry);
    check(format!("{same}{shim}"), 0);
    check(format!("{same}{shim}{}", package("csv", "1.0.0", registry)), 0);
    check(package("libp2p", "0.57.2", registry) + &shim, 1);
    check(format!("{same}{shim}{}", package("libp2p-core", "0.1.0", registry)), 1);
    check(same.clone(), 1);
    check(format!("{same}{}", package(TIMER, "3.0.3", registry)), 1);
    check(format!("{same}{shim}{}", package(TIMER, "3.0.3", registry)), 1);
    check(format!("{same}{shim}[[patch.unused]]\n"), 1);
    check(String::new(), 2);
    let patched = format!("{same}{shim}");
    assert_eq!(differences(&patched, &patched).len(), 1, "a daemon with the patch");
}
