//! A BLAKE3 digest, the name of everything that is named by its content.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize};

/// 32 bytes of BLAKE3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Stands for "none", such as before the first header of a log. No content is known that has this digest.
    pub const ZERO: Self = Self([0; 32]);

    /// The digest of these bytes for this purpose (BLAKE3's key derivation mode, with the tag as its context).
    pub fn of(domain: &str, bytes: &[u8]) -> Self {
        Self(blake3::derive_key(domain, bytes))
    }

    /// A digest that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// Short, for logs and test failures.
impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// The text is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        if text.len() != 64 {
            return Err(NotADigest);
        }
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| NotADigest)?;
        bytes.try_into().map(Self).map_err(|_| NotADigest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain;

    #[test]
    fn the_domain_is_part_of_the_digest() {
        let digests: Vec<Digest> = domain::ALL.iter().map(|domain| Digest::of(domain, b"same")).collect();
        for (place, digest) in digests.iter().enumerate() {
            assert!(!digests[place + 1..].contains(digest));
        }
        assert_ne!(Digest::of("ab", b"c"), Digest::of("a", b"bc"));
    }

    #[test]
    fn the_hash_is_blake3_in_key_derivation_mode() {
        // From the test vectors of BLAKE3: no bytes, and one zero byte.
        let context = "BLAKE3 2019-12-27 16:29:52 test vectors context";
        let check = |bytes: &[u8], expected: &str| assert_eq!(Digest::of(context, bytes).to_string(), expected);
        check(b"", "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d");
        check(&[0], "b3e2e340a117a499c6cf2398a19ee0d29cca2bb7404c73063382693bf66cb06c");
    }

    #[test]
    fn digests_never_change() {
        let check = |domain: &str, expected: &str| {
            assert_eq!(Digest::of(domain, b"starfish").to_string(), expected, "{domain}");
        };
        check(
            domain::RECORD,
            "6802b381208edab3ac5ad94e2e367ada3258e8290c93005527d5ffd5162209d6",
        );
        check(
            domain::STATEMENT,
            "f3f845cd13b7ed4b99d753d94ef6fa5b9c5da5b7eb0c217fcc063f27eda136a7",
        );
        check(
            domain::MANIFEST,
            "1aee76aa5dffebbf76f684bcc0088bf7106745bdf7a662ee73edfe6cdb34eb32",
        );
        check(
            domain::COMMUNITY,
            "684fac544a6837f32b882797ef1e6ef3eec52e751b69aaa18312ff80d913e782",
        );
        check(
            domain::PAIRING,
            "a7fc289fe54ab270eb7db0baa860e45352634ee074881dd40f7a2e446b801acc",
        );
    }

    #[test]
    fn texts_that_are_no_digest_are_refused() {
        let whole = Digest::of(domain::RECORD, b"x").to_string();
        assert_eq!(whole.len(), 64);
        for text in [
            "",
            "00",
            &whole[1..],
            &format!("{whole}0"),
            &format!("g{}", &whole[1..]),
            &"é".repeat(32),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(NotADigest), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_survives(bytes: [u8; 32]) {
            let digest = Digest::from_bytes(bytes);
            prop_assert_eq!(digest.to_string().parse(), Ok(digest));
            prop_assert_eq!(digest.to_string().to_uppercase().parse(), Ok(digest));
        }
    }
}
