//! The fuzz targets on stable Rust: each runs over its committed corpus in `tests/fuzz/corpus`, and over seeded mutations of it.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz NAME` goes on from the same corpus, led by coverage. After a change of the wire,
//! `cargo test -p starfish-tests --test fuzzing -- --ignored` writes the corpus anew from valid examples.

mod corpus;
mod examples;
mod mutation;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use starfish_tests::{
    shape::asked,
    targets::{TARGETS, Target},
};

/// Mutations of each corpus in the test command; the variable of this name raises it.
const MUTATIONS: usize = 2_000;

fn target(name: &str) -> Target {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no target {name}")).1
}

/// Runs one input, and shows it when the target does not survive.
fn run(name: &str, input: &[u8]) {
    let result = catch_unwind(AssertUnwindSafe(|| target(name)(input)));
    if let Err(panic) = result {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("{name} does not survive {} bytes: {hex}", input.len());
        resume_unwind(panic);
    }
}

/// The corpus of one target, then its mutations; the same ones in every run.
fn smoke(name: &str) {
    let seeds = corpus::read(name);
    assert!(!seeds.is_empty(), "{name} has no corpus");
    seeds.iter().for_each(|input| run(name, input));
    let mut mutator = mutation::Mutator::new(name);
    for _ in 0..asked("MUTATIONS", MUTATIONS) {
        run(name, &mutator.next(&seeds));
    }
}

/// One test a target, so that they run side by side and each has its name.
macro_rules! smoke_tests {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            smoke(stringify!($name));
        })*

        #[test]
        fn every_target_has_its_test_and_its_wrapper() {
            let tested = [$(stringify!($name)),*];
            let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, tested);
            assert_eq!(corpus::wrappers(), tested.map(|name| format!("{name}.rs")));
        }
    };
}

smoke_tests! {
    address body code engine frame gossip group header listing observable request response statement stored
}

#[test]
#[ignore = "writes tests/fuzz/corpus anew"]
fn writes_the_corpus() {
    for (name, _) in TARGETS {
        corpus::write(name, &examples::of(name));
    }
}

#[test]
fn the_corpus_stays_small() {
    let bytes: usize = TARGETS
        .iter()
        .flat_map(|(name, _)| corpus::read(name))
        .map(|input| input.len())
        .sum();
    assert!(
        bytes < 200_000,
        "{bytes} bytes: a corpus is for every clone, keep it small"
    );
}
