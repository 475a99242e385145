//! Names: each file begins with its `//!` head, is called by what it holds, and the top level holds only what the design allows.

use crate::source::{Source, root};

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] = [
    "mod", "util", "utils", "common", "helper", "helpers", "types", "manager",
];

/// The visible top level (architecture.md); `target` is cargo's and is ignored by git.
const VISIBLE: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE",
    "crypto",
    "protocol",
    "node",
    "examples",
    "simulations",
    "tests",
    "target",
];

/// Tool files.
const HIDDEN: [&str; 9] = [
    ".ci",
    ".rustfmt.toml",
    ".clippy.toml",
    ".deny.toml",
    ".config",
    ".cargo",
    ".github",
    ".gitignore",
    ".git",
];

pub(crate) fn head(source: &Source) -> Vec<String> {
    let first = source.text.lines().next().unwrap_or_default();
    let good = first.strip_prefix("//! ").is_some_and(|words| !words.trim().is_empty());
    if good {
        Vec::new()
    } else {
        vec![format!("{}:1: the first line is a `//!` head", source.path)]
    }
}

pub(crate) fn file_name(source: &Source) -> Vec<String> {
    let parts = source.path.trim_end_matches(".rs").split('/');
    let empty = parts.filter(|part| EMPTY_NAMES.contains(part));
    empty
        .map(|part| format!("{}: `{part}` says nothing", source.path))
        .collect()
}

pub(crate) fn top_level(names: &[String]) -> Vec<String> {
    let allowed = |name: &&String| VISIBLE.contains(&name.as_str()) || HIDDEN.contains(&name.as_str());
    names
        .iter()
        .filter(|name| !allowed(name))
        .map(|name| format!("{name}: not at the top level"))
        .collect()
}

pub(crate) fn top_level_names() -> Vec<String> {
    let entries = std::fs::read_dir(root()).expect("the root is readable");
    entries
        .map(|entry| {
            entry
                .expect("the root is readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

#[test]
fn finds_bad_names_and_heads() {
    let check = |path: &str, text: &str, complaints: usize| {
        let source = Source::new(path, text);
        let found = [head(&source), file_name(&source)].concat();
        assert_eq!(found.len(), complaints, "{found:?}");
    };
    check("node/src/peers.rs", "//! Peers.\nfn a() {}", 0);
    check("node/src/peers.rs", "fn a() {}", 1);
    check("node/src/peers.rs", "", 1);
    check("node/src/peers.rs", "//!\n//! Peers.", 1);
    check("node/src/peers.rs", "// Peers.", 1);
    check("node/src/peers/mod.rs", "//! Peers.", 1);
    check("node/src/utils.rs", "//! Peers.", 1);
    check("node/src/common/peers.rs", "//! Peers.", 1);
    let complaints = |names: &[&str]| top_level(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).len();
    assert_eq!(complaints(&["crypto", ".ci", "Cargo.lock"]), 0);
    assert_eq!(complaints(&["crypto", "docs", ".env", "notes.txt"]), 3);
}
