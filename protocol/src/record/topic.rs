//! A topic: the lower-case path, such as `malware` or `malware/botnet`, by which nodes choose whose bodies they pull.
//!
//! Names are joined by `/`; each begins with a letter or digit and goes on with letters, digits and hyphens.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits;

/// A checked topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topic(Box<str>);

/// Why a text is no topic.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum TopicFault {
    /// Nothing is there.
    #[error("a topic is not empty")]
    Empty,
    /// Longer than `limits::TOPIC_BYTES`.
    #[error("a topic is at most 48 bytes long")]
    TooLong,
    /// A name in the path is empty, or holds something else than a-z, 0-9 and hyphens behind its first letter.
    #[error("a topic is a path of lower-case names such as malware or malware/botnet")]
    Syntax,
}

impl Topic {
    /// Takes a text as it stands; nothing is folded or trimmed, so that one topic has one form.
    pub fn parse(text: &str) -> Result<Self, TopicFault> {
        if text.is_empty() {
            return Err(TopicFault::Empty);
        }
        if text.len() > limits::TOPIC_BYTES {
            return Err(TopicFault::TooLong);
        }
        if !text.split('/').all(is_name) {
            return Err(TopicFault::Syntax);
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.bytes().next().is_some_and(plain) && name.bytes().all(|byte| plain(byte) || byte == b'-')
}

impl fmt::Display for Topic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl FromStr for Topic {
    type Err = TopicFault;

    fn from_str(text: &str) -> Result<Self, TopicFault> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Topic {
    type Error = TopicFault;

    fn try_from(text: String) -> Result<Self, TopicFault> {
        Self::parse(&text)
    }
}

impl From<Topic> for String {
    fn from(topic: Topic) -> Self {
        topic.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_a_lower_case_path() {
        let check = |text: &str, expected: Result<(), TopicFault>| {
            assert_eq!(
                Topic::parse(text).map(|topic| assert_eq!(topic.to_string(), text)),
                expected,
                "{text}"
            );
        };
        check("malware", Ok(()));
        check("c2", Ok(()));
        check("3ve", Ok(()));
        check("malware/botnet/mirai-2", Ok(()));
        check(&"a".repeat(48), Ok(()));
        check("", Err(TopicFault::Empty));
        check(&"a".repeat(49), Err(TopicFault::TooLong));
        check(&"a/".repeat(10_000), Err(TopicFault::TooLong));
        check("Malware", Err(TopicFault::Syntax));
        check("malware/", Err(TopicFault::Syntax));
        check("/malware", Err(TopicFault::Syntax));
        check("malware//botnet", Err(TopicFault::Syntax));
        check("-malware", Err(TopicFault::Syntax));
        check("malware_botnet", Err(TopicFault::Syntax));
        check("malware botnet", Err(TopicFault::Syntax));
        check(" malware", Err(TopicFault::Syntax));
        check("maßware", Err(TopicFault::Syntax));
        check("malware\n", Err(TopicFault::Syntax));
        check("malware/..", Err(TopicFault::Syntax));
    }
}
