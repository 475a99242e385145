//! Domain names: a [`Domain`] of at least two labels, and a [`Tld`], the single label that it ends with.
//!
//! Both hold lower-case A-labels without a trailing dot. Letters, digits, hyphens and underscores are accepted anywhere in
//! a label, because malicious names use what resolvers accept rather than what RFC 1123 allows; only the last label is
//! strict. Plain ASCII names are lowered and checked; everything else goes through UTS 46 (the `idna` crate).

use std::{borrow::Cow, fmt};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::NotObservable;

/// RFC 1035: 255 bytes on the wire, which is 253 in text.
pub(super) const NAME_BYTES: usize = 253;
/// RFC 1035.
const LABEL_BYTES: usize = 63;
/// UTS 46 may shrink a name (width and case mappings), but no sane name shrinks to a quarter. Bounds the work on hostile input.
const INPUT_BYTES: usize = 4 * NAME_BYTES;

/// What is wrong with a name.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum DomainFault {
    /// Two dots in a row, or one at the start.
    #[error("one of its labels is empty")]
    EmptyLabel,
    /// RFC 1035.
    #[error("one of its labels is longer than 63 bytes")]
    LongLabel,
    /// RFC 1035.
    #[error("it is longer than 253 bytes")]
    LongName,
    /// Anything but letters, digits, hyphens and underscores.
    #[error("it holds {0:?}")]
    Character(char),
    /// UTS 46 refuses it, or an `xn--` label decodes to nothing that it allows.
    #[error("it is not a valid internationalised name")]
    Idna,
    /// A number as the last label makes it a broken address (WHATWG URL, "ends in a number").
    #[error("it ends in a number")]
    Number,
    /// A last label with a hyphen at its end or an underscore.
    #[error("its last label cannot be a top-level domain")]
    Last,
    /// A name of one label.
    #[error("it has a single label")]
    SingleLabel,
}

/// A domain name of at least two labels, in lower-case A-labels.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Domain(Box<str>);

impl Domain {
    /// Reads a name in any case, in Unicode or A-labels, with or without a trailing dot.
    pub fn parse(text: &str) -> Result<Self, DomainFault> {
        let name = normal(text)?;
        if !name.contains('.') {
            return Err(DomainFault::SingleLabel);
        }
        Ok(Self(name.into()))
    }

    /// Takes a text that is already normal, and refuses any other.
    pub(super) fn from_normal(text: String) -> Option<Self> {
        let good = check(&text).is_ok()
            && text.contains('.')
            && !text.bytes().any(|byte| byte.is_ascii_uppercase())
            && (!has_a_label(&text) || normal(&text).is_ok_and(|name| name == text));
        good.then(|| Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last label.
    pub fn tld(&self) -> Tld {
        Tld(last_label(&self.0).into())
    }
}

impl Ord for Domain {
    /// By labels from the last to the first, so that a name stands right before the names under it.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.rsplit('.').cmp(other.0.rsplit('.'))
    }
}

impl PartialOrd for Domain {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A top-level domain in its lower-case A-label, such as `nl` or `xn--p1ai`. Whether it is delegated is not checked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Tld(Box<str>);

impl Tld {
    /// Reads one label in any case, in Unicode or as an A-label, with or without a dot before or after it.
    pub fn parse(text: &str) -> Result<Self, NotObservable> {
        let wrong = |_| NotObservable::Tld {
            text: super::quoted(text),
        };
        let label = normal(text.trim().trim_start_matches('.')).map_err(wrong)?;
        if label.contains('.') {
            return Err(NotObservable::Tld {
                text: super::quoted(text),
            });
        }
        Ok(Self(label.into()))
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn of_host(host: &str) -> Self {
        Self(last_label(host).into())
    }
}

impl fmt::Display for Tld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Tld {
    type Err = NotObservable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<Tld> for String {
    fn from(tld: Tld) -> Self {
        tld.0.into()
    }
}

impl TryFrom<String> for Tld {
    type Error = NotObservable;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
            .ok()
            .filter(|tld| *tld.0 == *text)
            .ok_or(NotObservable::Abnormal)
    }
}

/// The normal form of a name of one label or more.
pub(super) fn normal(text: &str) -> Result<String, DomainFault> {
    if text.len() > INPUT_BYTES {
        return Err(DomainFault::LongName);
    }
    let mut name = if text.is_ascii() && !has_a_label(text) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Uts46::new()
            .to_ascii(text.as_bytes(), AsciiDenyList::URL, Hyphens::Allow, DnsLength::Ignore)
            .map_err(|_| DomainFault::Idna)?
    };
    if name.ends_with('.') {
        name.to_mut().pop();
    }
    check(&name)?;
    Ok(name.into_owned())
}

/// Whether a label claims to be an A-label: it is then decoded and checked too.
fn has_a_label(text: &str) -> bool {
    text.split('.').any(|label| {
        label
            .as_bytes()
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"xn--"))
    })
}

fn last_label(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn check(name: &str) -> Result<(), DomainFault> {
    if name.len() > NAME_BYTES {
        return Err(DomainFault::LongName);
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err(DomainFault::EmptyLabel);
        }
        if label.len() > LABEL_BYTES {
            return Err(DomainFault::LongLabel);
        }
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some(other) = name.chars().find(|c| !allowed(*c)) {
        return Err(DomainFault::Character(other));
    }
    check_last(last_label(name))
}

fn check_last(label: &str) -> Result<(), DomainFault> {
    let hexadecimal = label.strip_prefix("0x").or(label.strip_prefix("0X"));
    if label.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        return Err(DomainFault::Number);
    }
    if label.contains('_') || label.starts_with('-') || label.ends_with('-') {
        return Err(DomainFault::Last);
    }
    Ok(())
}
