//! Lists as people keep them, read into observables: [`read`] takes a file, [`bundles`] makes what is published of it.
//!
//! Understood line by line, so that files can be mixed and pasted together:
//!
//! | line | what is read |
//! |---|---|
//! | a value, defanged or not, `*.` before it, quotes and commas around it | the value |
//! | `# ..`, `; ..`, `! ..`, `// ..`, `[Adblock ..]`, blank; ` # ..` behind a value | a comment |
//! | `value 7` | the value; the count is dropped (ipsum) |
//! | `0.0.0.0 name name`, `127.0.0.1 name` | the names (hosts files) |
//! | several values with blanks or commas between them | each of them |
//! | a first line of column names with commas | from there on a table: columns of values are read (`table.rs`) |
//! | `\|\|host^$options`, `\|\|host/path$options` | the host or the URL (filter lists, `filter.rs`) |
//!
//! Nothing is dropped silently: what is not understood, and what must not leave the node (`reserved.rs`), is a [`Refused`]
//! with its line and reason. Repeats are counted. Everything is bounded, so that no input fills the memory.

use thiserror::Error;

use crate::observable::{NotObservable, Observable, visible};

mod bundles;
mod filter;
mod line;
mod reserved;
mod table;
#[cfg(test)]
mod tests;

pub use self::{
    bundles::bundles,
    filter::Unusable,
    reserved::{Reserved, reserved},
};

/// How many observables one list may hold, repeats included: forty days of Conficker. The rest is not read.
pub const OBSERVABLES: usize = 2_000_000;
/// How many lines are looked at, comments included.
pub const LINES: usize = 4_000_000;
/// The longest line in bytes: the longest URL, defanged, with room for a row of a table.
pub const LINE_BYTES: usize = 16_384;
/// How many refused lines are kept with their text; any further are only counted.
pub const REFUSED: usize = 100_000;
/// How much of a refused line is kept, in bytes.
pub const REFUSED_TEXT_BYTES: usize = 200;

/// How a list is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Takes private and reserved addresses and names too.
    pub forced: bool,
}

/// What a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Rising, none twice.
    pub observables: Vec<Observable>,
    /// How many values were there before, in this form or in another that means the same.
    pub repeated: usize,
    /// What was not taken, in the order of the lines.
    pub refused: Vec<Refused>,
    /// How many more there were beyond [`REFUSED`].
    pub refused_beyond: usize,
    /// Whether the list was longer than what is read of one; the last of `refused` then says so.
    pub cut: bool,
}

/// Something that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its line, from 1.
    pub line: usize,
    /// The value, or the whole line where no value was found; at most [`REFUSED_TEXT_BYTES`].
    pub text: String,
    /// Why.
    pub reason: Reason,
}

/// Why something was not taken, in a sentence for whoever keeps the list.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Reason {
    /// Of no kind, or a broken one.
    #[error(transparent)]
    NotObservable(#[from] NotObservable),
    /// It means something else in every network, or nothing at all outside of one.
    #[error("{0}; it is not published unless that is forced (--force)")]
    Reserved(Reserved),
    /// Not text.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// A file of another encoding.
    #[error("the file is UTF-16: save it as UTF-8")]
    Utf16,
    /// Longer than [`LINE_BYTES`].
    #[error("the line is longer than 16,384 bytes")]
    LongLine,
    /// A filter rule that allows, hides parts of a page, or matches a pattern.
    #[error("the filter rule {0}")]
    Filter(Unusable),
    /// A column whose name promises no observables.
    #[error("the column holds no observables as far as its name tells, so it is not read")]
    Column,
    /// A row that mixes values and other text, without a line of column names before it.
    #[error("a row without a line of column names before it must hold nothing but observables")]
    Row,
    /// A row with more fields than there are column names.
    #[error("the row has more fields than there are column names")]
    LongRow,
    /// The list goes on beyond [`OBSERVABLES`] or [`LINES`].
    #[error("the list is too long: the rest of it was not read (2,000,000 observables, 4,000,000 lines)")]
    TooLong,
}

impl Listing {
    /// How many lines or values were not taken.
    pub fn refused_count(&self) -> usize {
        self.refused.len() + self.refused_beyond
    }
}

/// How much is read and kept of one list.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    observables: usize,
    lines: usize,
    refused: usize,
}

const BOUNDS: Bounds = Bounds {
    observables: OBSERVABLES,
    lines: LINES,
    refused: REFUSED,
};

/// Reads a list. Never fails: what cannot be read is told in the answer.
pub fn read(list: impl AsRef<[u8]>, options: Options) -> Listing {
    read_within(list.as_ref(), options, BOUNDS)
}

fn read_within(list: &[u8], options: Options, bounds: Bounds) -> Listing {
    let mut reader = Reader::new(options, bounds);
    if list.starts_with(&[0xff, 0xfe]) || list.starts_with(&[0xfe, 0xff]) {
        reader.number = 1;
        reader.refuse("", Reason::Utf16);
        return reader.finish();
    }
    let list = list.strip_prefix(b"\xef\xbb\xbf").unwrap_or(list);
    for line in list.split(|byte| *byte == b'\n') {
        reader.number += 1;
        if reader.is_full() {
            reader.cut();
            break;
        }
        if line.len() > LINE_BYTES {
            reader.refuse(&String::from_utf8_lossy(&line[..REFUSED_TEXT_BYTES]), Reason::LongLine);
            continue;
        }
        match std::str::from_utf8(line) {
            Ok(text) => reader.line(text),
            Err(_) => reader.refuse(&String::from_utf8_lossy(line), Reason::NotUtf8),
        }
    }
    reader.finish()
}

/// What is known while a list is read.
#[derive(Debug)]
struct Reader {
    options: Options,
    bounds: Bounds,
    /// The current line, from 1.
    number: usize,
    /// Whether a line that is no comment has been seen.
    begun: bool,
    /// The columns, once a line of column names has been seen.
    table: Option<table::Table>,
    found: Vec<Observable>,
    listing: Listing,
}

impl Reader {
    fn new(options: Options, bounds: Bounds) -> Self {
        Self {
            options,
            bounds,
            number: 0,
            begun: false,
            table: None,
            found: Vec::new(),
            listing: Listing::default(),
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.bounds.observables || self.number > self.bounds.lines
    }

    /// Takes one value, or says why not.
    fn value(&mut self, text: &str) {
        match Observable::parse(wanted(text)) {
            Ok(observable) => self.take(observable, text),
            Err(error) => self.refuse(text, error.into()),
        }
    }

    fn take(&mut self, observable: Observable, text: &str) {
        match reserved(&observable).filter(|_| !self.options.forced) {
            Some(why) => self.refuse(text, Reason::Reserved(why)),
            None => self.found.push(observable),
        }
    }

    fn refuse(&mut self, text: &str, reason: Reason) {
        if self.listing.refused.len() < self.bounds.refused {
            self.listing.refused.push(Refused {
                line: self.number,
                text: shortened(text),
                reason,
            });
        } else {
            self.listing.refused_beyond += 1;
        }
    }

    fn cut(&mut self) {
        self.listing.cut = true;
        // This one must be seen, so it takes a place even when all are taken.
        if self.listing.refused.len() >= self.bounds.refused {
            self.listing.refused.pop();
            self.listing.refused_beyond += 1;
        }
        self.refuse("", Reason::TooLong);
    }

    fn finish(self) -> Listing {
        let (mut observables, mut listing) = (self.found, self.listing);
        let all = observables.len();
        observables.sort_by_cached_key(Observable::key);
        observables.dedup();
        listing.repeated = all - observables.len();
        listing.observables = observables;
        listing
    }
}

/// A wildcard means everything under a name, which is what blocking the name does.
fn wanted(text: &str) -> &str {
    text.strip_prefix("*.")
        .or_else(|| text.strip_prefix('.'))
        .unwrap_or(text)
}

/// The beginning of a text in at most [`REFUSED_TEXT_BYTES`], without what could play tricks on a terminal.
fn shortened(text: &str) -> String {
    let mut shown = String::new();
    for c in visible(text.trim()) {
        if shown.len() + c.len_utf8() > REFUSED_TEXT_BYTES {
            break;
        }
        shown.push(c);
    }
    shown
}
