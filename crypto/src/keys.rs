//! Ed25519 keys and signatures as values. A [`PublicKey`] is 32 bytes that somebody wrote; whether they are a good key
//! shows when a signature is verified, so that reading and storing them cannot fail.
//!
//! The signed message is the domain tag, a zero byte, and the bytes. Tags hold no zero byte, so no two pairs of tag and
//! bytes give the same message.

use std::{fmt, str::FromStr};

use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::text::{NameError, read_name, write_name};

/// The bytes that are signed for this purpose.
pub(crate) fn message(domain: &str, bytes: &[u8]) -> Vec<u8> {
    [domain.as_bytes(), &[0], bytes].concat()
}

/// Somebody's public key, unchecked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// A key as received.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&write_name("key", &self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("key:")?;
        self.0.iter().take(4).try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl FromStr for PublicKey {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        read_name("key", text).map(Self)
    }
}

/// A private key. It leaves this type only as a seed that is wiped after use, and is never printed.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key of this seed (RFC 8032, 5.1.5). The caller drew it from a good source.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// The seed, for key files and for the transport.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs these bytes for this purpose.
    pub fn sign(&self, domain: &str, bytes: &[u8]) -> Signature {
        Signature(self.0.sign(&message(domain, bytes)).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SecretKey(of {:?})", self.public())
    }
}

/// An Ed25519 signature, unchecked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "([u8; 32], [u8; 32])", into = "([u8; 32], [u8; 32])")]
pub struct Signature([u8; 64]);

impl Signature {
    /// A signature as received.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Signature(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(out, "{byte:02x}"))?;
        out.write_str(")")
    }
}

/// Bytes that cannot be a signature, because it has 64 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a signature has 64 bytes, not {0}")]
pub struct WrongLength(pub usize);

impl TryFrom<&[u8]> for Signature {
    type Error = WrongLength;

    fn try_from(bytes: &[u8]) -> Result<Self, WrongLength> {
        bytes.try_into().map(Self).map_err(|_| WrongLength(bytes.len()))
    }
}

// serde knows arrays of up to 32 bytes; two halves have the same layout as one array of 64.
impl From<([u8; 32], [u8; 32])> for Signature {
    fn from((r, s): ([u8; 32], [u8; 32])) -> Self {
        let mut bytes = [0; 64];
        let (first, second) = bytes.split_at_mut(32);
        first.copy_from_slice(&r);
        second.copy_from_slice(&s);
        Self(bytes)
    }
}

impl From<Signature> for ([u8; 32], [u8; 32]) {
    fn from(signature: Signature) -> Self {
        let (mut r, mut s) = ([0; 32], [0; 32]);
        let (first, second) = signature.0.split_at(32);
        r.copy_from_slice(first);
        s.copy_from_slice(second);
        (r, s)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let key = SecretKey::from_seed([0x5a; 32]);
        let printed = format!("{key:?}").to_lowercase();
        assert!(printed.starts_with("secretkey(of key:"), "{printed}");
        assert!(!printed.contains("5a5a") && !printed.contains("90, 90"), "{printed}");
    }

    #[test]
    fn messages_of_different_domains_differ() {
        assert_ne!(message("a", b"b"), message("ab", b""));
        assert_ne!(message("a", b"\0b"), message("a", b"b"));
    }

    proptest! {
        #[test]
        fn halves_and_text_survive(r: [u8; 32], s: [u8; 32]) {
            let signature = Signature::from((r, s));
            prop_assert_eq!(<([u8; 32], [u8; 32])>::from(signature), (r, s));
            prop_assert_eq!(Signature::try_from(&signature.as_bytes()[..]), Ok(signature));
            let key = PublicKey::from_bytes(r);
            prop_assert_eq!(key.to_string().parse(), Ok(key));
            let secret = SecretKey::from_seed(s);
            prop_assert_eq!(*secret.seed(), s);
        }
    }
}
