//! Who may depend on whom, read from `cargo tree` and from the manifests: the pure crates link no network, runtime or store,
//! and a node without its `daemon` feature links no socket, runtime, disk or web server.

use std::{fs, path::Path, process::Command};

use crate::source::root;

/// One dependency tree and the crates that it may not hold. A name ending in `*` covers a family.
struct Layer {
    package: &'static str,
    arguments: &'static [&'static str],
    forbidden: &'static [&'static str],
}

const LAYERS: [Layer; 4] = [
    Layer {
        package: "starfish-crypto",
        arguments: &[],
        forbidden: &[
            "starfish-protocol",
            "starfish-node",
            "libp2p*",
            "tokio*",
            "futures*",
            "sled",
            "bincode",
        ],
    },
    Layer {
        package: "starfish-protocol",
        arguments: &[],
        forbidden: &[
            "starfish-node",
            "libp2p*",
            "tokio*",
            "futures*",
            "async-*",
            "sled",
            "quinn*",
            "axum*",
        ],
    },
    Layer {
        package: "starfish-node",
        arguments: &["--no-default-features"],
        forbidden: &[
            "tokio",
            "sled",
            "axum*",
            "hyper*",
            "quinn*",
            "libp2p-tcp",
            "libp2p-quic",
            "libp2p-tls",
            "libp2p-dns",
            "rustls",
            "clap",
            "config",
        ],
    },
    Layer {
        package: "starfish-node",
        arguments: &[],
        forbidden: &[
            "openssl*",
            "native-tls",
            "boring*",
            "libp2p-noise",
            "libp2p-kad",
            "libp2p-mdns",
            "libp2p-upnp",
            "libp2p-rendezvous",
            "starfish-tests",
        ],
    },
];

pub(crate) fn complaints() -> Vec<String> {
    LAYERS
        .iter()
        .flat_map(|layer| forbidden_in(&tree(layer), layer))
        .collect()
}

/// The crates that the package links, one `name vVERSION` a line.
fn tree(layer: &Layer) -> String {
    let package = ["--edges", "normal", "--package", layer.package];
    cargo_tree(root(), &[&package, layer.arguments].concat())
}

/// What `cargo tree` says in this folder, a crate a line.
pub(crate) fn cargo_tree(folder: &Path, arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--prefix", "none"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("cargo can be started");
    assert!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn forbidden_in(tree: &str, layer: &Layer) -> Vec<String> {
    let mut linked: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    linked.sort_unstable();
    linked.dedup();
    if !linked.contains(&layer.package) {
        return vec![format!("{}: its tree was not understood", layer.package)];
    }
    let is_forbidden = |name: &&&str| layer.forbidden.iter().any(|pattern| matches(pattern, name));
    let found = linked.iter().filter(is_forbidden);
    found
        .map(|name| format!("{} {} links {name}", layer.package, layer.arguments.join(" ")))
        .collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(family) => name.starts_with(family),
        None => name == pattern,
    }
}

/// Every member's manifest: its path and text.
pub(crate) fn manifests() -> Vec<(String, String)> {
    let folders = ["", "crypto/", "protocol/", "node/", "examples/", "tests/"];
    let paths = folders.map(|folder| format!("{folder}Cargo.toml"));
    let texts = paths
        .into_iter()
        .filter_map(|path| Some((path.clone(), fs::read_to_string(root().join(path)).ok()?)));
    texts.collect()
}

/// The root's table and the crate of the codec may name bincode; nobody else has a use for it.
pub(crate) fn bincode_outside(manifests: &[(String, String)]) -> Vec<String> {
    let may = ["Cargo.toml", "protocol/Cargo.toml"];
    let outside = manifests
        .iter()
        .filter(|(path, text)| !may.contains(&path.as_str()) && text.contains("bincode"));
    outside
        .map(|(path, _)| format!("{path}: bincode belongs to protocol's codec"))
        .collect()
}

#[test]
fn finds_forbidden_crates() {
    let check = |text: &str, forbidden: &'static [&'static str], complaints: usize| {
        let layer = Layer {
            package: "starfish-protocol",
            arguments: &[],
            forbidden,
        };
        assert_eq!(forbidden_in(text, &layer).len(), complaints, "{text}");
    };
    let text =
        "starfish-protocol v0.1.0 (/x)\nserde v1.0.0\ntokio-util v0.7.0\nserde v1.0.0 (*)\nlibp2p-core v0.44.0\n";
    check(text, &["sled"], 0);
    check(text, &["tokio"], 0);
    check(text, &["tokio*"], 1);
    check(text, &["tokio*", "libp2p*", "serde"], 3);
    check("", &["sled"], 1);
    check("error: something else", &["sled"], 1);
}

#[test]
fn finds_bincode_in_manifests() {
    let check = |path: &str, text: &str, complaints: usize| {
        assert_eq!(
            bincode_outside(&[(path.to_owned(), text.to_owned())]).len(),
            complaints,
            "{path}"
        );
    };
    check("Cargo.toml", "bincode = \"=2.0.1\"", 0);
    check("protocol/Cargo.toml", "bincode.workspace = true", 0);
    check("node/Cargo.toml", "bincode.workspace = true", 1);
    check("tests/Cargo.toml", "serde_json.workspace = true", 0);
}
