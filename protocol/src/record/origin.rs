//! The name of a source that a record repeats (design, trust 5): whoever names the same one is, together, one source.

use std::fmt;

use starfish_crypto::{Digest, domain, text::write_name};

use super::RecordId;

/// Names a source. Nobody but those who repeat it needs to know what is behind the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Digest);

impl Origin {
    const PREFIX: &'static str = "src";

    /// The name of a feed or a report by its address or title, or of a record by its id.
    ///
    /// Letter case, spaces around it and a slash at its end make no difference: two who repeat one feed rarely write its
    /// address alike, and to take two sources for one is the safe mistake.
    pub fn named(text: &str) -> Self {
        let text = text.trim().trim_end_matches('/').to_lowercase();
        match text.parse::<RecordId>() {
            Ok(record) => Self(record.digest()),
            Err(_) => Self(Digest::of(domain::ORIGIN, text.as_bytes())),
        }
    }

    /// Takes back what [`digest`](Self::digest) gave.
    pub fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest alone.
    pub fn digest(&self) -> Digest {
        self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&write_name(Self::PREFIX, self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_has_one_name() {
        let feed = Origin::named("https://feeds.example/urls");
        for same in [
            " https://Feeds.example/urls/ ",
            "HTTPS://FEEDS.EXAMPLE/URLS",
            "https://feeds.example/urls//",
        ] {
            assert_eq!(Origin::named(same), feed, "{same}");
        }
        for other in ["https://feeds.example/url", "feeds.example/urls", ""] {
            assert_ne!(Origin::named(other), feed, "{other}");
        }
        assert!(feed.to_string().starts_with("src:"));
        let record = RecordId::from_digest(Digest::from_bytes([9; 32]));
        assert_eq!(Origin::named(&record.to_string()).digest(), record.digest());
    }
}
