//! Keys, digests and signatures, each bound to a domain, so that what was signed for one purpose never passes for
//! another.
//!
//! The one door from received bytes to a believed value is [`Signed::verify`]; what comes out is a [`Verified`].
//! Nothing here knows what is signed, reads a clock or a file, or draws randomness: seeds and generators are arguments.

pub mod bytes;
mod digest;
pub mod domain;
pub mod key_file;
mod keys;
mod signed;
pub mod text;
mod verifier;
mod words;

pub use digest::Digest;
pub use keys::{PublicKey, SecretKey, Signature, WrongLength};
pub use signed::{Signable, Signed, Verified, VerifyError};
pub use verifier::{Claim, Strict, Verifier};
pub use words::words;
