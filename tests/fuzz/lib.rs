//! The fuzz targets of `starfish-tests`, by name, for cargo-fuzz: `cargo +nightly fuzz run --fuzz-dir tests/fuzz NAME`.
//! It is a workspace of its own, so that the instrumented build keeps its own target folder.

use starfish_tests::targets::TARGETS;

/// Runs one input of a target.
pub fn run(name: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = found.expect("each wrapper names a target; a test of the project holds that true");
    target(bytes);
}
