//! The name of a CERT, registry or researcher in the mesh: the digest of its genesis manifest, which nobody else can have.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use starfish_crypto::{
    Digest,
    text::{NameError, read_name, write_name},
};

/// An organisation. Its text form is `org:` and 52 letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrgId(Digest);

impl OrgId {
    /// The organisation whose genesis manifest has this digest.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest of its genesis manifest.
    pub const fn digest(&self) -> Digest {
        self.0
    }
}

impl fmt::Display for OrgId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&write_name("org", self.0.as_bytes()))
    }
}

impl fmt::Debug for OrgId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "org:{:?}", self.0)
    }
}

impl FromStr for OrgId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        read_name("org", text).map(Digest::from_bytes).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use starfish_crypto::domain;

    use super::*;

    #[test]
    fn text_survives_and_other_names_are_refused() {
        let org = OrgId::from_digest(Digest::of(domain::MANIFEST, b"x"));
        assert_eq!(org.to_string().parse(), Ok(org));
        assert_eq!(org.to_string().to_uppercase().parse(), Ok(org));
        for text in [
            "",
            "org:",
            "org:abc",
            &org.to_string().replace("org", "key"),
            &org.to_string()[4..],
        ] {
            assert!(text.parse::<OrgId>().is_err(), "{text}");
        }
    }
}
