//! Every scenario that comes along, in its `[ci]` variant.

use std::{
    hash::{BuildHasher as _, RandomState},
    path::Path,
};

use crate::told;

/// A seed that nobody has chosen: the system seeds each of these.
fn fresh() -> u64 {
    RandomState::new().hash_one("seed") % 1_000_000_000
}

/// All that the scenario expects comes out, with three seeds that are always the same and two that never were before; and the
/// same again with the first.
fn holds(name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    holds_in(name, folder.path());
}

fn holds_in(name: &str, folder: &Path) {
    for seed in [1, 2, 3, fresh(), fresh()] {
        // Shown when the test fails, with whatever the program said of it.
        println!("again with: cargo run --release -- run {name} --ci --seed {seed}");
        told(&["run", name, "--ci", "--seed", &seed.to_string()], folder, 0);
        let name = name.trim_end_matches(".toml");
        let report = folder.join(format!("reports/{name}-{seed}/report.html"));
        assert!(report.exists(), "{}", report.display());
    }
    let replayed = told(&["replay", "1"], folder, 0);
    assert!(replayed.contains("the same"), "{replayed}");
}

#[test]
fn fresh_seeds_differ() {
    assert_ne!(fresh(), fresh());
}

#[test]
fn calm() {
    holds("calm");
}

#[test]
fn censor() {
    holds("censor");
}

#[test]
fn collusion() {
    holds("collusion");
}

#[test]
fn confided() {
    holds("confided");
}

#[test]
fn conficker_day() {
    holds("conficker-day");
}

#[test]
fn eclipse() {
    holds("eclipse");
}

#[test]
fn flood() {
    holds("flood");
}

#[test]
fn impostors() {
    holds("impostors");
}

#[test]
fn key_compromise() {
    holds("key-compromise");
}

#[test]
fn partition() {
    holds("partition");
}

#[test]
fn poor_region() {
    holds("poor-region");
}

#[test]
fn scale() {
    holds("scale");
}

#[test]
fn scale_10000() {
    holds("scale-10000");
}

#[test]
fn sleeper() {
    holds("sleeper");
}

#[test]
fn sybil_farm() {
    holds("sybil-farm");
}

#[test]
fn withholding() {
    holds("withholding");
}

/// Nodes that come and go, a partition, crashes, wrong clocks, withholders and a sleeper that is vetoed.
#[test]
fn the_example_of_the_readme() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, example) = include_str!("../../README.md")
        .split_once("```toml\n")
        .expect("README.md shows a scenario");
    let (example, _) = example.split_once("```").expect("it has an end");
    std::fs::write(folder.path().join("example.toml"), example).expect("a file");
    holds_in("example.toml", folder.path());
}
