//! Bytes with a signature, and the one door from there to a value that may be believed.
//!
//! The signed bytes are the bytes as received; nothing is encoded again to be verified.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Serialize};

use crate::{PublicKey, SecretKey, Signature, Verifier};

/// What can be signed by one key: it says itself by which.
pub trait Signable: Sized {
    /// What the signature is for.
    const DOMAIN: &'static str;
    /// Why bytes are not one of these.
    type Error: fmt::Debug + fmt::Display;

    /// Reads the signed bytes. It refuses what is too long before it allocates.
    fn decode(bytes: &[u8]) -> Result<Self, Self::Error>;

    /// The key that must have signed.
    fn signer(&self) -> PublicKey;
}

/// Bytes that claim to be signed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Received")]
pub struct Signed {
    #[serde(with = "crate::bytes")]
    bytes: Vec<u8>,
    signature: Signature,
}

/// As it comes out of the decoder, before its length is checked.
#[derive(Deserialize)]
struct Received {
    #[serde(with = "crate::bytes")]
    bytes: Vec<u8>,
    signature: Signature,
}

/// More bytes than anything that is signed has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signed bytes are at most {}", Signed::LONGEST)]
pub struct TooLong;

impl TryFrom<Received> for Signed {
    type Error = TooLong;

    fn try_from(received: Received) -> Result<Self, TooLong> {
        let Received { bytes, signature } = received;
        if bytes.len() > Self::LONGEST {
            Err(TooLong)
        } else {
            Ok(Self { bytes, signature })
        }
    }
}

/// Why signed bytes are not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError<E> {
    /// The bytes are not what they should be.
    #[error("malformed: {0}")]
    Malformed(E),
    /// The key that they name did not sign them.
    #[error("the signature does not fit")]
    Signature,
}

impl Signed {
    /// The most signed bytes that are ever taken: headers have 1 KiB, the rest is room for later kinds.
    pub const LONGEST: usize = 4_096;

    /// Signs the encoding of a `T`.
    pub fn sign<T: Signable>(bytes: Vec<u8>, key: &SecretKey) -> Self {
        let signature = key.sign(T::DOMAIN, &bytes);
        Self { bytes, signature }
    }

    /// Puts received parts together; nothing is checked before [`Signed::verify`].
    pub fn from_parts(bytes: Vec<u8>, signature: Signature) -> Self {
        Self { bytes, signature }
    }

    /// Decodes and checks. This is the only way to a [`Verified`].
    pub fn verify<T: Signable>(self, verifier: &dyn Verifier) -> Result<Verified<T>, VerifyError<T::Error>> {
        let value = T::decode(&self.bytes).map_err(VerifyError::Malformed)?;
        if verifier.verify(T::DOMAIN, &self.bytes, &value.signer(), &self.signature) {
            Ok(Verified { value, signed: self })
        } else {
            Err(VerifyError::Signature)
        }
    }

    /// The signed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
}

/// A value whose signature was checked, with the bytes that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    value: T,
    signed: Signed,
}

impl<T> Verified<T> {
    /// The bytes and the signature, to be stored or passed on.
    pub fn signed(&self) -> &Signed {
        &self.signed
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Strict, domain};

    /// A key and a word.
    #[derive(Clone, Debug, PartialEq)]
    struct Note(PublicKey, String);

    /// The same bytes for another purpose.
    #[derive(Debug)]
    struct Order;

    #[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
    #[error("no note")]
    struct NoNote;

    impl Note {
        fn bytes(&self) -> Vec<u8> {
            [self.0.as_bytes(), self.1.as_bytes()].concat()
        }
    }

    impl Signable for Note {
        const DOMAIN: &'static str = domain::HEADER;
        type Error = NoNote;

        fn decode(bytes: &[u8]) -> Result<Self, NoNote> {
            let (key, word) = bytes.split_first_chunk::<32>().ok_or(NoNote)?;
            let word = str::from_utf8(word).map_err(|_| NoNote)?;
            Ok(Self(PublicKey::from_bytes(*key), word.to_owned()))
        }

        fn signer(&self) -> PublicKey {
            self.0
        }
    }

    impl Signable for Order {
        const DOMAIN: &'static str = domain::CERTIFICATE;
        type Error = NoNote;

        fn decode(_: &[u8]) -> Result<Self, NoNote> {
            Ok(Self)
        }

        fn signer(&self) -> PublicKey {
            key().public()
        }
    }

    fn key() -> SecretKey {
        SecretKey::from_seed([7; 32])
    }

    #[test]
    fn a_note_is_verified_with_its_bytes_as_they_came() {
        let note = Note(key().public(), "word".into());
        let signed = Signed::sign::<Note>(note.bytes(), &key());
        let verified = signed.clone().verify::<Note>(&Strict).expect("it was signed");
        assert_eq!((&*verified, verified.signed()), (&note, &signed));
        assert_eq!(verified.1, "word");
        assert_eq!(signed.bytes(), note.bytes());
    }

    #[test]
    fn broken_notes_are_refused() {
        let note = Note(key().public(), "word".into());
        let signed = Signed::sign::<Note>(note.bytes(), &key());
        let check = |signed: Signed, error: VerifyError<NoNote>| assert_eq!(signed.verify::<Note>(&Strict), Err(error));
        check(Signed::sign::<Note>(vec![1], &key()), VerifyError::Malformed(NoNote));
        check(
            Signed::sign::<Note>([note.bytes(), vec![0xff]].concat(), &key()),
            VerifyError::Malformed(NoNote),
        );
        check(
            Signed::sign::<Note>(note.bytes(), &SecretKey::from_seed([8; 32])),
            VerifyError::Signature,
        );
        check(Signed::sign::<Order>(note.bytes(), &key()), VerifyError::Signature);
        check(
            Signed::from_parts([note.bytes(), vec![b's']].concat(), *signed.signature()),
            VerifyError::Signature,
        );
        let replayed = signed.verify::<Order>(&Strict);
        assert_eq!(replayed.map(|_| ()), Err(VerifyError::Signature));
    }

    #[test]
    fn signed_bytes_are_bounded() {
        let received = |length: usize| Received {
            bytes: vec![0; length],
            signature: Signature::from_bytes([0; 64]),
        };
        assert!(Signed::try_from(received(Signed::LONGEST)).is_ok());
        assert_eq!(Signed::try_from(received(Signed::LONGEST + 1)), Err(TooLong));
    }
}
