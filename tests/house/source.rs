//! One Rust file as the rules see it. [`Source::new`] masks what is not code (comments, strings, character literals) with
//! spaces and what is test code (items under `#[cfg(test)]`, whole test files) with empty lines, and keeps every line number.

use std::{fs, path::Path};

/// A file of the tree, its path relative to the root with forward slashes.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    /// As written.
    pub(crate) text: String,
    /// Without comments and literals; test items are still there.
    pub(crate) code: String,
    /// `code` without the items that only tests see; empty for a file that is all test.
    pub(crate) shipped: String,
    /// Lines without those items; all of a file that is all test.
    pub(crate) lines: usize,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = mask(text);
        let (shipped, tested) = if is_test_file(path) {
            (String::new(), 0)
        } else {
            without_test_items(&code)
        };
        let lines = text.lines().count().saturating_sub(tested);
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            shipped,
            lines,
        }
    }
}

/// Folders that are not the project's own text.
const SKIPPED: [&str; 5] = ["target", "node_modules", "corpus", ".git", ".github"];

/// Every Rust file below the root, in the order of paths.
pub(crate) fn read_tree() -> Vec<Source> {
    let mut sources = Vec::new();
    descend(root(), "", &mut sources);
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    sources
}

/// The workspace's root: the folder above this package.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is a folder of the workspace")
}

fn descend(folder: &Path, prefix: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder of the tree is readable") {
        let entry = entry.expect("a folder of the tree is readable");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                descend(&entry.path(), &format!("{path}/"), sources);
            }
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).expect("a Rust file is UTF-8");
            sources.push(Source::new(&path, &text));
        }
    }
}

/// Whether all of a file is test code, judged by its path.
fn is_test_file(path: &str) -> bool {
    path.split('/')
        .any(|part| matches!(part, "tests" | "benches" | "fuzz" | "tests.rs"))
}

/// Replaces comments and the inside of literals with spaces; line breaks stay.
fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none begins there.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    match (chars[at], next) {
        ('/', Some('/')) => find(chars, at, "\n"),
        ('/', Some('*')) => block_comment_end(chars, at),
        ('"', _) => string_end(chars, at),
        ('r', Some('"' | '#')) if !follows_word(chars, at) => raw_string_end(chars, at),
        ('\'', Some('\\')) => char_end(chars, at + 3),
        ('\'', _) if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

/// Whether the character before `at` belongs to a word; the `b` and `c` of `br""` and `cr""` do not count.
fn follows_word(chars: &[char], at: usize) -> bool {
    let before = |steps: usize| at.checked_sub(steps).map(|place| chars[place]);
    match before(1) {
        Some('b' | 'c') => before(2).is_some_and(is_word),
        Some(c) => is_word(c),
        None => false,
    }
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn find(chars: &[char], from: usize, what: &str) -> usize {
    let what: Vec<char> = what.chars().collect();
    (from..chars.len())
        .find(|place| chars[*place..].starts_with(&what))
        .unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut place) = (0usize, at);
    while place < chars.len() {
        match (chars[place], chars.get(place + 1)) {
            ('/', Some('*')) => (depth, place) = (depth + 1, place + 2),
            ('*', Some('/')) => (depth, place) = (depth - 1, place + 2),
            _ => place += 1,
        }
        if depth == 0 {
            return place;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], at: usize) -> usize {
    let mut place = at + 1;
    while place < chars.len() {
        match chars[place] {
            '\\' => place += 2,
            '"' => return place + 1,
            _ => place += 1,
        }
    }
    chars.len()
}

fn raw_string_end(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at; // a raw identifier such as r#type
    }
    let close = format!("\"{}", "#".repeat(hashes));
    (find(chars, at + hashes + 2, &close) + close.len()).min(chars.len())
}

/// The end of an escaped character literal such as '\n' or '\u{1f980}', searched from behind the escaped character.
fn char_end(chars: &[char], from: usize) -> usize {
    (find(chars, from.min(chars.len()), "'") + 1).min(chars.len())
}

/// Empties the lines of every item under `#[cfg(test)]` and counts them; `code` is masked already.
fn without_test_items(code: &str) -> (String, usize) {
    const MARK: &str = "#[cfg(test)]";
    let (mut rest, mut lines) = (code, 0);
    let mut out = String::with_capacity(code.len());
    while let Some(start) = rest.find(MARK) {
        let end = start + MARK.len() + item_end(&rest[start + MARK.len()..]);
        out.push_str(&rest[..start]);
        out.extend(rest[start..end].matches('\n'));
        lines += rest[start..end].lines().count();
        rest = &rest[end..];
    }
    out.push_str(rest);
    (out, lines)
}

/// The length of the item at the beginning of `code`: to its `;`, or to the brace that closes its first one and the `;` behind it.
pub(crate) fn item_end(code: &str) -> usize {
    let (mut braces, mut others) = (0i32, 0i32);
    for (place, c) in code.char_indices() {
        match c {
            '(' | '[' => others += 1,
            ')' | ']' => others -= 1,
            '{' => braces += 1,
            '}' => braces -= 1,
            _ => {}
        }
        if braces == 0 && others == 0 && matches!(c, '}' | ';') {
            let behind = &code[place + 1..];
            return if c == '}' && behind.starts_with(';') {
                place + 2
            } else {
                place + 1
            };
        }
    }
    code.len()
}

#[test]
fn masks_what_is_not_code() {
    let check = |text: &str, code: &str| {
        let masked = mask(text);
        assert_eq!(masked.split_whitespace().collect::<Vec<_>>().join(" "), code, "{text}");
        assert_eq!(masked.lines().count(), text.lines().count(), "{text}");
    };
    check("a // b\nc", "a c");
    check("a /* b /* c */ d */ e", "a e");
    check(r#"a("}{\" x", 'b', '\'', '{', '\u{7b}')"#, "a( , , , , )");
    check("f::<'a>(&'a str)", "f::<'a>(&'a str)");
    check("r#\"}\" { \"#; x", "; x");
    check("br\"\\\"; r#type", "b ; r#type");
    check("for x in y", "for x in y");
    check("a \"never closed", "a");
    check("a /* never closed", "a");
}

#[test]
fn takes_test_items_out() {
    let check = |text: &str, words: &str| {
        let source = Source::new("node/src/a.rs", text);
        assert_eq!(
            source.shipped.split_whitespace().collect::<Vec<_>>().join(" "),
            words,
            "{text}"
        );
        assert_eq!(
            source.shipped.matches('\n').count(),
            text.matches('\n').count(),
            "{text}"
        );
    };
    check("a\n#[cfg(test)]\nmod tests { fn x() { } }", "a");
    check("#[cfg(test)]\nmod tests;\nb", "b");
    check("#[cfg(test)]\nuse a::{b, c};\nd", "d");
    check("#[cfg(test)]\nfn x(a: [u8; 3]) { { } }\ne", "e");
    check("// #[cfg(test)]\nf", "f");
    assert_eq!(Source::new("tests/mesh/main.rs", "a").shipped, "");
    assert_eq!(Source::new("protocol/src/log/tests.rs", "a").shipped, "");
}
