//! Undoes what people write so that nobody clicks on it: `hxxp[://]evil[.]example`, `evil(dot)example`, `"evil.example",`.

use std::borrow::Cow;

/// Quotes, brackets and punctuation that lists and mails put around a value.
const AROUND: [char; 16] = [
    '"', '\'', '`', ',', ';', '<', '>', '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}',
    '\u{2039}', '\u{203a}',
];

/// Bracketed signs and what they stand for. Words are matched in any case.
const MARKS: [(&str, &str); 17] = [
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[dot]", "."),
    ("(dot)", "."),
    ("{dot}", "."),
    (" dot ", "."),
    ("\\.", "."),
    ("[://]", "://"),
    ("[:]", ":"),
    ("(:)", ":"),
    ("[/]", "/"),
    ("[@]", "@"),
    ("(@)", "@"),
    ("[at]", "@"),
    ("(at)", "@"),
    ("{at}", "@"),
];

/// Schemes that are misspelt on purpose.
const SCHEMES: [(&str, &str); 3] = [("hxxp", "http"), ("hxxps", "https"), ("fxp", "ftp")];

/// Marks may be nested (`[[.]]`); more rounds than this are a joke at our expense.
const ROUNDS: usize = 4;

/// The value without its disguise; none if it is nested too deeply.
pub(super) fn refang(text: &str) -> Option<Cow<'_, str>> {
    let mut text = Cow::Borrowed(bare(text));
    for _ in 0..ROUNDS {
        match unmark(&text).or_else(|| unscheme(&text)) {
            Some(next) => text = Cow::Owned(bare(&next).to_owned()),
            None => return Some(text),
        }
    }
    None
}

fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || AROUND.contains(&c))
}

/// One pass over all marks; none if there is nothing to do.
fn unmark(text: &str) -> Option<String> {
    if !text
        .bytes()
        .any(|byte| matches!(byte, b'[' | b'(' | b'{' | b' ' | b'\\'))
    {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some(first) = rest.chars().next() {
        let mark = MARKS.iter().find(|(mark, _)| starts(rest, mark));
        match mark {
            Some((mark, sign)) => {
                plain.push_str(sign);
                rest = &rest[mark.len()..];
                changed = true;
            }
            None => {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    changed.then_some(plain)
}

fn starts(text: &str, mark: &str) -> bool {
    text.as_bytes()
        .get(..mark.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()))
}

fn unscheme(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (_, real) = SCHEMES.iter().find(|(fanged, _)| scheme.eq_ignore_ascii_case(fanged))?;
    Some(format!("{real}://{rest}"))
}
