//! How results reach a person or a script: a [`Report`] prints a document as one line of JSON, or as its [`Plain`] lines.
//!
//! Standard output holds results and nothing else; colours go to terminals only (NO_COLOR is respected). What others
//! wrote is shown without the control characters with which it could paint over the screen.

mod plain;
pub mod table;
mod trust;

use std::io::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;
#[cfg(any(target_os = "linux", target_os = "android"))]
use {
    std::os::fd::{AsFd, BorrowedFd},
    tokio::{io::Interest, net::unix::pipe},
};

use super::exit::Failure;

/// Column heads and field names.
pub const HEAD: Style = Style::new().bold();
/// What went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What is to be looked at.
pub const WARN: Style = AnsiColor::Yellow.on_default();

/// A document that people can read.
pub trait Plain {
    /// Its lines, colours included.
    fn plain(&self) -> Vec<String>;
}

/// Where results go.
#[derive(Debug)]
pub struct Report {
    json: bool,
}

impl Report {
    /// As JSON, or for people.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether it prints JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Shows a document.
    ///
    /// # Errors
    /// When standard output takes no more; a closed pipe is no mistake.
    pub fn show<T: Serialize + Plain>(&self, document: &T) -> Result<(), Failure> {
        if self.json {
            self.document(document)
        } else {
            self.lines(&document.plain())
        }
    }

    /// Prints a document as one line of JSON.
    ///
    /// # Errors
    /// When standard output takes no more.
    pub fn document(&self, document: &impl Serialize) -> Result<(), Failure> {
        let text =
            serde_json::to_string(document).map_err(|error| Failure::machine("cannot write the result", error))?;
        self.lines(&[text])
    }

    /// Prints lines as they are, and hands them on at once.
    ///
    /// # Errors
    /// When standard output takes no more.
    pub fn lines(&self, lines: &[String]) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        for line in lines {
            writeln!(out, "{line}")?;
        }
        Ok(out.flush()?)
    }

    /// Ends when nobody reads standard output any more; never where that cannot be told, as with a file.
    pub async fn reader_left(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Ok(Some(pipe)) = pipe_behind(std::io::stdout().as_fd())
            && pipe.ready(Interest::ERROR).await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }

    /// Tells a person something that is no result.
    pub fn note(&self, text: &str) {
        // A person who closed standard error does not want to know.
        let _ = writeln!(anstream::stderr(), "{text}");
    }
}

/// The pipe that this is, if it is one; it stays as blocking as it was, since others may write to it too.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn pipe_behind(out: BorrowedFd<'_>) -> std::io::Result<Option<pipe::Sender>> {
    use std::os::unix::fs::FileTypeExt;
    let file = std::fs::File::from(out.try_clone_to_owned()?);
    if file.metadata()?.file_type().is_fifo() {
        pipe::Sender::from_file_unchecked(file).map(Some)
    } else {
        Ok(None)
    }
}

/// A text in a style.
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A text of others without what could paint over the screen or turn the line around.
pub fn clean(text: &str) -> String {
    let is_turning = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    let shown = |letter: char| {
        if letter.is_control() || is_turning(letter) {
            '\u{fffd}'
        } else {
            letter
        }
    };
    text.chars().map(shown).collect()
}

/// A number of things as people say it; the name takes an s for more.
pub fn counted(count: usize, name: &str) -> String {
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// A number of bytes as people say it.
pub fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    let fits = UNITS.into_iter().find(|(_, unit)| count >= *unit);
    fits.map_or_else(
        || format!("{count} B"),
        |(name, unit)| format!("{}.{} {name}", count / unit, count % unit * 10 / unit),
    )
}

/// A number of seconds as people say it.
pub fn seconds(count: u64) -> String {
    match count {
        0..60 => format!("{count} s"),
        60..3_600 => format!("{} min {} s", count / 60, count % 60),
        3_600..86_400 => format!("{} h {} min", count / 3_600, count % 3_600 / 60),
        _ => format!("{} d {} h", count / 86_400, count % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_paint() {
        let check = |text: &str, expected: &str| assert_eq!(clean(text), expected, "{text:?}");
        check("CERT Éxample", "CERT Éxample");
        check("a\u{1b}[2Jb", "a\u{fffd}[2Jb");
        check("a\nb\tc\r", "a\u{fffd}b\u{fffd}c\u{fffd}");
        check("a\u{202e}b\u{9b}c", "a\u{fffd}b\u{fffd}c");
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[tokio::test]
    async fn a_pipe_tells_when_its_reader_left() {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let pipe = pipe_behind(writer.as_fd())
            .expect("it can be watched")
            .expect("it is one");
        let left = pipe.ready(Interest::ERROR);
        tokio::pin!(left);
        let soon = std::time::Duration::from_millis(20);
        assert!(
            tokio::time::timeout(soon, &mut left).await.is_err(),
            "the reader is there"
        );
        drop(reader);
        left.await.expect("the reader left");
        let file = tempfile::tempfile().expect("a temporary file");
        assert!(pipe_behind(file.as_fd()).expect("it is readable").is_none());
    }

    #[test]
    fn sizes_and_times_are_short() {
        let check = |count: u64, size: &str, time: &str| {
            assert_eq!((bytes(count).as_str(), seconds(count).as_str()), (size, time))
        };
        check(0, "0 B", "0 s");
        check(999, "999 B", "16 min 39 s");
        check(1_000, "1.0 kB", "16 min 40 s");
        check(7_250, "7.2 kB", "2 h 0 min");
        check(90_061, "90.0 kB", "1 d 1 h");
        check(1_999_999_999, "1.9 GB", "23148 d 3 h");
    }
}
