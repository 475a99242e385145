//! The one encoding of bodies, messages and store values: bincode 2 with variable-length integers, little endian.
//!
//! bincode is unmaintained (RUSTSEC-2025-0141), so nothing outside this module names it and golden vectors below fix its
//! layout. [`decode`] takes its limit from the caller, refuses what is longer before it reads anything, and refuses bytes
//! that are left over.

use bincode::{
    config::{Configuration, Limit, standard},
    serde::{borrow_decode_from_slice, encode_into_std_write},
};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

/// No document is longer than this, whatever limit a caller names.
pub const DOCUMENT_BYTES: usize = 2 * 1_024 * 1_024;
/// Documents up to this length are decoded under the smaller of the two budgets.
const SHORT_BYTES: usize = 128 * 1_024;
/// bincode charges an integer its full width however short it was written, and refuses a length that its budget cannot
/// hold before it allocates. Sixteen times the document covers the widest integer.
const SHORT_BUDGET: usize = 16 * SHORT_BYTES;
const BUDGET: usize = 16 * DOCUMENT_BYTES;
/// Most documents are shorter, and are written without asking for more memory on the way.
const USUAL_LENGTH: usize = 512;

/// Why bytes are not a document.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum CodecError {
    /// Longer than the caller allows.
    #[error("the document is longer than allowed")]
    TooLong,
    /// It ends early, or holds a value that its type does not.
    #[error("the document does not decode")]
    Malformed,
    /// Bytes follow its end.
    #[error("bytes follow the end of the document")]
    Trailing,
}

/// Encodes a value.
///
/// # Panics
/// When the type's own serialisation fails, which no type of this project does.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_LENGTH);
    encode_into_std_write(value, &mut bytes, standard())
        .expect("sequences here know their length and no serialisation fails");
    bytes.shrink_to_fit();
    bytes
}

/// Decodes a value from all of `bytes`, which are at most `limit` long.
///
/// What a length inside claims is checked before memory is set aside for it, so that a claim of 2^60 costs nothing.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, CodecError> {
    if bytes.len() > limit.min(DOCUMENT_BYTES) {
        return Err(CodecError::TooLong);
    }
    let (value, read) = if bytes.len() <= SHORT_BYTES {
        decode_within(bytes, standard().with_limit::<SHORT_BUDGET>())?
    } else {
        decode_within(bytes, standard().with_limit::<BUDGET>())?
    };
    if read == bytes.len() {
        Ok(value)
    } else {
        Err(CodecError::Trailing)
    }
}

/// Decodes a value from the beginning of `bytes`, whatever follows: of a document, the rest of which is still on its way.
/// Short ones only.
pub fn decode_beginning<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let bytes = &bytes[..bytes.len().min(SHORT_BYTES)];
    decode_within(bytes, standard().with_limit::<SHORT_BUDGET>()).map(|(value, _)| value)
}

fn decode_within<T: DeserializeOwned, const N: usize>(
    bytes: &[u8],
    budget: Configuration<bincode::config::LittleEndian, bincode::config::Varint, Limit<N>>,
) -> Result<(T, usize), CodecError> {
    borrow_decode_from_slice(bytes, budget).map_err(|_| CodecError::Malformed)
}

#[cfg(test)]
mod tests;
