//! Text forms of 32-byte names: a word that says what it is, a colon, and lower-case base32 without padding.
//!
//! Reading accepts capitals, because people type these; it refuses a wrong word, a wrong length, and letters whose
//! unused bits are set, so that each name has one canonical text.

use data_encoding::BASE32_NOPAD;

/// Why a text is not the name that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Another kind of name, or none.
    #[error("this should begin with `{0}:`")]
    Prefix(&'static str),
    /// Too short, too long, or with characters that no name has.
    #[error("after the colon a name has {LETTERS} letters and digits (a to z, 2 to 7)")]
    Letters,
}

/// The letters of 32 bytes.
const LETTERS: usize = 52;

/// `prefix:` and the bytes.
pub fn write_name(prefix: &str, bytes: &[u8; 32]) -> String {
    let letters = BASE32_NOPAD.encode(bytes).to_ascii_lowercase();
    format!("{prefix}:{letters}")
}

/// Reads what [`write_name`] wrote.
pub fn read_name(prefix: &'static str, text: &str) -> Result<[u8; 32], NameError> {
    let (word, letters) = text.trim().split_once(':').ok_or(NameError::Prefix(prefix))?;
    if !word.eq_ignore_ascii_case(prefix) {
        return Err(NameError::Prefix(prefix));
    }
    // The length is checked before anything is decoded.
    if letters.len() != LETTERS {
        return Err(NameError::Letters);
    }
    let bytes = BASE32_NOPAD
        .decode(letters.to_ascii_uppercase().as_bytes())
        .map_err(|_| NameError::Letters)?;
    bytes.try_into().map_err(|_| NameError::Letters)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn broken_names_are_refused() {
        let whole = write_name("key", &[0xa5; 32]);
        assert_eq!(read_name("key", &whole.to_uppercase()), Ok([0xa5; 32]));
        let check = |text: &str, error: NameError| assert_eq!(read_name("key", text), Err(error), "{text}");
        check("", NameError::Prefix("key"));
        check("key", NameError::Prefix("key"));
        check(&whole.replace("key", "org"), NameError::Prefix("key"));
        check("key:", NameError::Letters);
        check(&whole[..whole.len() - 1], NameError::Letters);
        check(&format!("{whole}a"), NameError::Letters);
        check(&format!("{}=", &whole[..whole.len() - 1]), NameError::Letters);
        check(&whole.replace('u', "1"), NameError::Letters);
        // 52 letters hold 260 bits: the last four must be zero.
        check(&format!("{}b", &whole[..whole.len() - 1]), NameError::Letters);
    }

    proptest! {
        #[test]
        fn names_survive(bytes: [u8; 32]) {
            prop_assert_eq!(read_name("org", &write_name("org", &bytes)), Ok(bytes));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            if let Ok(bytes) = read_name("key", &text) {
                prop_assert_eq!(write_name("key", &bytes), text.trim().to_ascii_lowercase());
            }
        }
    }
}
