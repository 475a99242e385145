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
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.toml"));
    let text = std::fs::read_to_string(&file).expect("it comes along");
    for section in text
        .lines()
        .filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'))
    {
        let without = match section.split_once('.') {
            Some(("adversary", _)) => [format!("{section}.share=0.0"), String::new()],
            // Before anything is published.
            Some(("partition", _)) => [format!("{section}.at_seconds=1"), format!("{section}.until_seconds=2")],
            _ => continue,
        };
        let without: Vec<&str> = without
            .iter()
            .map(String::as_str)
            .filter(|set| !set.is_empty())
            .collect();
        misses(name, &without, "BROKEN");
    }
}

/// With these changes, something that is expected does not come out, and the run says so in this word.
fn misses(name: &str, set: &[&str], word: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let set = set.iter().flat_map(|&set| ["--set", set]);
    let run: Vec<&str> = ["run", name, "--ci"].into_iter().chain(set).collect();
    let told = told(&run, folder.path(), 1);
    assert!(told.contains(word), "{told}");
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
fn who_does_nothing_or_too_little_is_noticed() {
    // They are there, and begin when it is over.
    misses("collusion", &["adversary.group.from_seconds=99"], "BROKEN: felt");
    misses("confided", &["adversary.eavesdroppers.from_seconds=99"], "BROKEN: felt");
    misses("flood", &["adversary.noise.from_seconds=59"], "BROKEN: felt");
    misses("impostors", &["adversary.grafters.from_seconds=99"], "BROKEN: felt");
    misses("impostors", &["adversary.spammers.from_seconds=99"], "BROKEN: felt");
    // A flood that fits into the quota is none, and votes of those who are not believed are none.
    misses("flood", &["adversary.noise.per_second=0.2"], "BROKEN: turned_away");
    misses("collusion", &["adversary.group.amount=29"], "BROKEN: felt");
}

#[test]
fn a_group_that_others_vouch_for_in_full_sways_the_verdict() {
    misses(
        "collusion",
        &["adversary.group.amount=120"],
        "BROKEN: true_listed_percent",
    );
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
