//! Banned words per layer: what makes the pure crates impure or a node impossible to simulate, and what no shipped code may hold.

use crate::source::{Source, is_word};

/// Words that a part of the tree may not name, with the reason that the complaint shows.
struct Ban {
    /// Path prefixes that it covers; an empty prefix is the whole tree.
    within: &'static [&'static str],
    /// Path prefixes that it leaves out.
    except: &'static [&'static str],
    /// Tests too, not only shipped code.
    tests: bool,
    words: &'static [&'static str],
    reason: &'static str,
}

const BANS: [Ban; 5] = [
    Ban {
        within: &["protocol/src/", "crypto/src/"],
        except: &[],
        tests: false,
        words: &[
            "Instant::now",
            "SystemTime::now",
            "std::fs",
            "std::thread",
            "std::process",
            "std::env",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "UnixStream",
            "HashMap",
            "HashSet",
            "tokio",
            "libp2p",
            "sled",
            "futures",
            "rand::rng",
            "thread_rng",
            "OsRng",
            "async fn",
            "async move",
            "f32",
            "f64",
        ],
        reason: "the pure crates have no IO, clock, threads, ambient randomness, floats or unordered maps",
    },
    Ban {
        within: &[
            "node/src/mesh/",
            "node/src/mesh.rs",
            "node/src/ledger/",
            "node/src/ledger.rs",
            "node/src/store/",
            "node/src/store.rs",
        ],
        except: &[],
        tests: false,
        words: &[
            "tokio",
            "Instant::now",
            "SystemTime::now",
            "std::thread",
            "std::process",
            "std::env",
            "std::fs",
            "rand::rng",
            "thread_rng",
            "OsRng",
            "spawn_blocking",
            "sled",
            "axum",
        ],
        reason: "the mesh layer takes time, randomness, tasks and storage from outside, or it cannot be simulated",
    },
    Ban {
        within: &[""],
        except: &[],
        tests: false,
        words: &[".unwrap()", "todo!", "unimplemented!", "dbg!"],
        reason: "return an error, or `expect(\"why it holds\")` for a local invariant",
    },
    Ban {
        within: &[""],
        except: &[],
        tests: true,
        words: &["thread::sleep"],
        reason: "wait for an event, with a deadline",
    },
    Ban {
        within: &[""],
        except: &["protocol/src/codec.rs", "protocol/src/codec/"],
        tests: true,
        words: &["bincode"],
        reason: "bincode is unmaintained: only the codec module names it",
    },
];

pub(crate) fn complaints(source: &Source) -> Vec<String> {
    let covers = |prefixes: &[&str]| prefixes.iter().any(|prefix| source.path.starts_with(prefix));
    let bans = BANS.iter().filter(|ban| covers(ban.within) && !covers(ban.except));
    bans.flat_map(|ban| violations(source, ban)).collect()
}

fn violations(source: &Source, ban: &Ban) -> Vec<String> {
    let code = if ban.tests { &source.code } else { &source.shipped };
    let imports = imports(code);
    let lines = code.lines().enumerate().map(|(line, text)| (line, text.to_owned()));
    let mut found = Vec::new();
    for (line, text) in lines.chain(imports) {
        for word in ban.words.iter().filter(|word| names(&text, word)) {
            found.push(format!("{}:{}: `{word}`: {}", source.path, line + 1, ban.reason));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Whether the text holds the word, not as a part of a longer one.
fn names(text: &str, word: &str) -> bool {
    let starts_word = word.starts_with(is_word);
    let ends_word = word.ends_with(is_word);
    text.match_indices(word).any(|(place, _)| {
        let before = text[..place].chars().next_back().is_some_and(is_word);
        let after = text[place + word.len()..].chars().next().is_some_and(is_word);
        !(starts_word && before || ends_word && after)
    })
}

/// Every path that a `use` with braces brings in, written out, with the line (from 0) where its `use` begins: without this
/// `use std::{fs, io}` would hide `std::fs`.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    for (place, _) in code.match_indices("use ") {
        let begins = code[..place]
            .chars()
            .next_back()
            .is_none_or(|c| c.is_whitespace() || c == ')');
        let tree = code[place + 4..].split(';').next().unwrap_or_default();
        if begins && tree.contains('{') {
            let line = code[..place].matches('\n').count();
            let tree: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
            expand("", &tree, &mut |path| paths.push((line, path)));
        }
    }
    paths
}

/// Calls `each` with every full path of a use tree; `a::{b, c::{d, e}}` gives `a::b`, `a::c::d` and `a::c::e`.
fn expand(prefix: &str, tree: &str, each: &mut dyn FnMut(String)) {
    let mut depth = 0i32;
    for branch in tree.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    }) {
        match branch.split_once('{') {
            Some((head, inner)) => {
                let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
                expand(&format!("{prefix}{}", head.trim()), inner, each);
            }
            None => each(format!("{prefix}{}", branch.trim())),
        }
    }
}

#[test]
fn writes_imports_out() {
    let check = |text: &str, paths: &[&str]| {
        let found: Vec<String> = imports(text).into_iter().map(|(_, path)| path).collect();
        assert_eq!(found, paths, "{text}");
    };
    check("use std::{fs, io};", &["std::fs", "std::io"]);
    check(
        "pub(crate) use a::{b, c::{d, e as f}};",
        &["a::b", "a::c::d", "a::c::e as f"],
    );
    check("use {\n    std::thread,\n    b,\n};", &["std::thread", "b", ""]);
    check("use std::fs;", &[]);
    check("reuse {};", &[]);
}

#[test]
fn finds_what_is_banned() {
    let check = |path: &str, text: &str, complaints: usize| {
        let found = self::complaints(&Source::new(path, text));
        assert_eq!(found.len(), complaints, "{path}: {text}: {found:?}");
    };
    for word in BANS[0].words {
        check("protocol/src/log.rs", &format!("use {word};"), 1);
        check("crypto/src/log.rs", &format!("fn x() {{\n    {word}();\n}}"), 1);
    }
    for word in BANS[1].words {
        check("node/src/mesh/loop.rs", &format!("a({word})"), 1);
        check("node/src/ledger/search.rs", &format!("a({word})"), 1);
        check("node/src/store.rs", &format!("a({word})"), 1);
        check("node/src/daemon/run.rs", &format!("a({word})"), 0);
    }
    for word in BANS[2].words {
        check(
            "node/src/daemon/run.rs",
            &format!("a{word};")
                .replace("at", "t")
                .replace("au", "u")
                .replace("ad", "d"),
            1,
        );
        check("tests/mesh/a.rs", &format!("x {word}"), 0);
    }
    check(
        "protocol/src/a.rs",
        "use std::{collections::{BTreeMap, HashMap}, fs};",
        2,
    );
    check("protocol/src/a.rs", "use std::net::{IpAddr, Ipv4Addr};", 0);
    check("protocol/src/a.rs", "use std::net::{IpAddr, TcpStream};", 1);
    check("protocol/src/a.rs", "// HashMap\n\"Instant::now\"; MyHashMap", 0);
    check("protocol/src/a.rs", "#[cfg(test)]\nmod tests { use std::fs; }", 0);
    check("protocol/src/a.rs", "x.unwrap_or(1); x.unwrap_or_default()", 0);
    check("node/src/daemon/a.rs", "std::thread::sleep(x)", 1);
    check("tests/mesh/a.rs", "use std::thread::{self, sleep};", 1);
    check("tests/mesh/a.rs", "bincode::encode()", 1);
    check("protocol/src/codec.rs", "bincode::encode()", 0);
    check("protocol/src/codec/vectors.rs", "bincode::encode()", 0);
    check("protocol/src/codecs.rs", "bincode::encode()", 1);
}
