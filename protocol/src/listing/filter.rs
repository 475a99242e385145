//! Rules of filter lists (Adblock Plus and uBlock Origin), as far as they name a host or a URL.
//!
//! `||host^` blocks a host and what is under it, `||host/path` a URL of any scheme; options after `$` say where a browser
//! applies the rule and do not matter here, except `badfilter`, which takes a rule back.

use thiserror::Error;

/// Why a rule names nothing to publish.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Unusable {
    /// `@@..`, `$badfilter`.
    #[error("allows instead of blocks")]
    Allows,
    /// `..##..`.
    #[error("hides a part of a page")]
    Hides,
    /// A wildcard or separator inside.
    #[error("matches a pattern, not one host or URL")]
    Pattern,
}

/// Options that filter lists use; anything else after a `$` is a part of a URL.
const OPTIONS: [&str; 27] = [
    "1p",
    "3p",
    "all",
    "badfilter",
    "css",
    "denyallow",
    "doc",
    "document",
    "domain",
    "first-party",
    "font",
    "frame",
    "from",
    "image",
    "important",
    "inline-script",
    "match-case",
    "media",
    "network",
    "object",
    "other",
    "ping",
    "popup",
    "script",
    "subdocument",
    "third-party",
    "xhr",
];

/// The host or URL of a rule; none where the line is no filter rule.
pub(super) fn read(text: &str) -> Option<Result<&str, Unusable>> {
    if text.starts_with("@@") {
        return Some(Err(Unusable::Allows));
    }
    if ["##", "#@#", "#?#", "#$#"].iter().any(|sign| text.contains(sign)) && !text.contains("://") {
        return Some(Err(Unusable::Hides));
    }
    let rule = text.strip_prefix("||").or_else(|| text.strip_prefix('|'))?;
    let (rule, options) = split_options(rule);
    if options.split(',').any(|option| option == "badfilter") {
        return Some(Err(Unusable::Allows));
    }
    let value = rule.trim_end_matches(['^', '|', '*']);
    // Only the wildcard of whole labels means the same as the name behind it.
    let inner = value.strip_prefix("*.").unwrap_or(value);
    Some(if inner.contains(['*', '^', '|']) {
        Err(Unusable::Pattern)
    } else {
        Ok(inner)
    })
}

fn split_options(rule: &str) -> (&str, &str) {
    match rule.rsplit_once('$') {
        Some((before, options)) if options.split(',').all(is_option) => (before, options),
        _ => (rule, ""),
    }
}

fn is_option(text: &str) -> bool {
    let name = text.split('=').next().unwrap_or_default();
    OPTIONS.contains(&name.trim_start_matches('~'))
}
