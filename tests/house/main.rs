//! The house rules of the design (style 23), as a test: lengths, heads, banned calls per layer, and who may depend on whom.
//! Each rule is a pure function from text to complaints, with rows that prove that it can fail; the last test of each kind
//! applies it to the tree. [`Source`] is one file as the rules see it: comments, strings and test items are masked.

mod banned;
mod layers;
mod lengths;
mod names;
mod simulator;
mod source;

use source::{Source, read_tree};

/// Fails with every complaint at once, so that one run is enough to mend them all.
fn expect_none(rule: &str, complaints: Vec<String>) {
    assert!(
        complaints.is_empty(),
        "{rule}: {} complaint(s)\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}

fn on_every_file(rule: &str, check: impl Fn(&Source) -> Vec<String>) {
    let sources = read_tree();
    assert!(sources.len() > 3, "the tree was not found: {} files", sources.len());
    expect_none(rule, sources.iter().flat_map(check).collect());
}

#[test]
fn every_file_begins_with_its_head() {
    on_every_file("head", names::head);
}

#[test]
fn files_and_functions_are_short() {
    on_every_file("length", lengths::complaints);
}

#[test]
fn layers_call_only_what_they_may() {
    on_every_file("banned", banned::complaints);
}

#[test]
fn names_say_what_things_are() {
    on_every_file("names", names::file_name);
    expect_none("top level", names::top_level(&names::top_level_names()));
}

#[test]
fn manifests_keep_bincode_behind_the_codec() {
    expect_none("bincode", layers::bincode_outside(&layers::manifests()));
}

#[test]
fn dependency_trees_obey_the_layers() {
    expect_none("layers", layers::complaints());
}

#[test]
fn the_simulator_runs_the_daemon_s_libp2p() {
    expect_none("simulator", simulator::complaints());
}
