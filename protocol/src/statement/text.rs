//! Statements as text, because operators carry them by hand between a root that is offline and a node: base64 between
//! two lines that say what it is. What stands around the blocks is ignored, so that files can have comments.

use data_encoding::BASE64;

use super::Statement;
use crate::{codec, limits};

const BEGIN: &str = "-----BEGIN STARFISH STATEMENT-----";
const END: &str = "-----END STARFISH STATEMENT-----";
const WIDTH: usize = 64;

/// Why a text holds no statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// No block begins.
    #[error("there is no statement in this text; one begins with `{BEGIN}`")]
    Missing,
    /// More than one block, or more than anyone carries.
    #[error("there are more statements in this text than expected")]
    TooMany,
    /// A block does not end.
    #[error("the text ends within a statement; copy all of it, to `{END}`")]
    Cut,
    /// A block is damaged.
    #[error("a statement in this text is damaged; copy it again")]
    Damaged,
}

impl Statement {
    /// One block, with a line break at its end.
    pub fn to_text(&self) -> String {
        let letters = BASE64.encode(&codec::encode(self));
        let mut text = format!("{BEGIN}\n");
        for (place, letter) in letters.chars().enumerate() {
            if place > 0 && place % WIDTH == 0 {
                text.push('\n');
            }
            text.push(letter);
        }
        text.push_str(&format!("\n{END}\n"));
        text
    }

    /// The one statement in this text. Nothing about it is checked but its form.
    pub fn from_text(text: &str) -> Result<Self, TextError> {
        let mut statements = Self::all_from_text(text)?;
        let statement = statements.pop().ok_or(TextError::Missing)?;
        if statements.is_empty() {
            Ok(statement)
        } else {
            Err(TextError::TooMany)
        }
    }

    /// Every statement in this text, in order; at least one.
    pub fn all_from_text(text: &str) -> Result<Vec<Self>, TextError> {
        let mut statements = Vec::new();
        let mut rest = text;
        while let Some((_, block)) = rest.split_once(BEGIN) {
            let (letters, after) = block.split_once(END).ok_or(TextError::Cut)?;
            if statements.len() >= limits::STATEMENTS_PER_ANSWER {
                return Err(TextError::TooMany);
            }
            statements.push(read_block(letters)?);
            rest = after;
        }
        if statements.is_empty() {
            Err(TextError::Missing)
        } else {
            Ok(statements)
        }
    }
}

fn read_block(letters: &str) -> Result<Statement, TextError> {
    // Base64 has four letters for three bytes; line breaks and stray spaces are far fewer than the letters.
    if letters.len() > 2 * limits::STATEMENT_BYTES {
        return Err(TextError::Damaged);
    }
    let letters: String = letters.split_whitespace().collect();
    let bytes = BASE64.decode(letters.as_bytes()).map_err(|_| TextError::Damaged)?;
    codec::decode(&bytes, limits::STATEMENT_BYTES).map_err(|_| TextError::Damaged)
}
