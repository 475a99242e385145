//! A domain suffix: one label or more, such as `nl` or `gov.nl`, and everything under it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{NotObservable, domain::normal, quoted};

/// A name and everything under it, in lower-case A-labels. Unlike a regular expression, two of them are easily compared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Suffix(Box<str>);

impl Suffix {
    /// Reads a name of one label or more in any case, in Unicode or A-labels, with or without a dot before or after it.
    pub fn parse(text: &str) -> Result<Self, NotObservable> {
        let name = normal(text.trim().trim_start_matches('.')).map_err(|why| NotObservable::Domain {
            text: quoted(text),
            why,
        })?;
        Ok(Self(name.into()))
    }

    /// Whether this host name is the suffix or ends with it behind a dot: `nl` covers `a.nl`, not `a.xnl`.
    pub fn covers(&self, host: &str) -> bool {
        host.strip_suffix(&*self.0)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Suffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Suffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Suffix {
    type Err = NotObservable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<Suffix> for String {
    fn from(suffix: Suffix) -> Self {
        suffix.0.into()
    }
}

impl TryFrom<String> for Suffix {
    type Error = NotObservable;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
            .ok()
            .filter(|suffix| *suffix.0 == *text)
            .ok_or(NotObservable::Abnormal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_ends_at_a_label() {
        let check = |suffix: &str, host: &str, covers: bool| {
            let suffix = Suffix::parse(suffix).expect("a suffix");
            assert_eq!(suffix.covers(host), covers, "{suffix} {host}");
        };
        check("nl", "a.nl", true);
        check(".NL.", "nl", true);
        check("gov.nl", "www.gov.nl", true);
        check("nl", "a.xnl", false);
        check("gov.nl", "xgov.nl", false);
        check("gov.nl", "nl", false);
    }

    #[test]
    fn only_normal_text_is_decoded() {
        assert!(Suffix::try_from("nl".to_owned()).is_ok());
        for text in ["NL", ".nl", "nl.", "", "a..nl", "*.nl"] {
            assert!(Suffix::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
