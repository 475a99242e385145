//! Lengths: a file has at most [`FILE`] lines that are not tests, a function at most [`FUNCTION`].

use crate::source::{Source, is_word, item_end};

/// Lines of a file without its test items.
const FILE: usize = 400;
/// Lines of a function, from its `fn` to its closing brace.
const FUNCTION: usize = 70;

pub(crate) fn complaints(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    if source.lines > FILE {
        let Source { path, lines, .. } = source;
        found.push(format!("{path}: {lines} lines without tests, at most {FILE}"));
    }
    for function in functions(&source.shipped) {
        if function.lines > FUNCTION {
            let Function { name, line, lines } = function;
            found.push(format!(
                "{}:{line}: `{name}` has {lines} lines, at most {FUNCTION}",
                source.path
            ));
        }
    }
    found
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// Every function of the code that has a body.
fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (place, _) in code.match_indices("fn ") {
        if code[..place].chars().next_back().is_some_and(is_word) {
            continue;
        }
        let item = &code[place..place + item_end(&code[place..])];
        let name: String = item[3..].trim_start().chars().take_while(|c| is_word(*c)).collect();
        // `fn (u8)` is a type; a declaration in a trait ends with a semicolon.
        if !name.is_empty() && item.ends_with('}') {
            found.push(Function {
                name,
                line: code[..place].lines().count().max(1),
                lines: item.lines().count(),
            });
        }
    }
    found
}

#[test]
fn finds_what_is_too_long() {
    let check = |path: &str, text: String, complaints: usize| {
        let found = self::complaints(&Source::new(path, &text));
        assert_eq!(found.len(), complaints, "{found:?}");
    };
    let function = |lines: usize| format!("//! x\nfn a() {{\n{}}}\n", "    b();\n".repeat(lines - 2));
    check("node/src/a.rs", function(70), 0);
    check("node/src/a.rs", function(71), 1);
    check(
        "node/src/a.rs",
        format!("{}\npub(crate) async {}", function(71), function(71)),
        2,
    );
    check("node/src/a.rs", function(401), 2);
    check("node/src/a.rs", "// a\n".repeat(401), 1);
    check("node/src/a.rs", "use a;\n".repeat(400), 0);
    check("node/src/a.rs", "use a;\n".repeat(401), 1);
    check(
        "node/src/a.rs",
        format!(
            "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
            "use a;\n".repeat(390),
            function(80)
        ),
        0,
    );
    check(
        "node/src/a.rs",
        format!("#[cfg(test)]\nmod tests;\n{}", "use a;\n".repeat(401)),
        1,
    );
    check("tests/mesh/a.rs", function(90), 0);
    check("tests/mesh/a.rs", function(401), 1);
    check(
        "node/src/a.rs",
        format!("trait A {{ fn a();\n{}}}", "fn b(x: fn(u8) -> [u8; 2]);\n".repeat(80)),
        0,
    );
}
