//! What a study says: [`Scenario`], read from a TOML file and checked before anything runs.
//!
//! | part | what it does |
//! |---|---|
//! | `written` | the file, key by key |
//! | `reading` | the file, its `[ci]` variant and `--set`, put together; mistakes with their lines |
//! | `checking` | what the keys must mean together |
//! | `latency` | how far apart the regions are |
//! | `playing` | the study itself, in a world of real nodes |
//! | `placing` | who is where, and who dials whom |
//! | `vouching` | who vouches for whom |
//! | `workload` | what is published |
//! | `timeline` | everything that happens, and when |

pub mod checking;
pub mod latency;
pub mod placing;
pub mod playing;
pub mod reading;
pub mod timeline;
pub mod vouching;
pub mod workload;
pub mod written;

use std::{fmt, path::PathBuf};

use serde::Serialize;

use self::vouching::Vouches;
pub use self::{latency::Latency, written::Written};

/// A checked study: its file and what the file names.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name of the file, without its ending.
    pub name: String,
    /// Every key, after the `[ci]` variant and `--set` had their say.
    pub written: Written,
    /// How far apart the regions are.
    pub latency: Latency,
    /// Pairs of nodes of which the first dials the second, when a file says so.
    pub links: Option<Vec<(u32, u32)>>,
    /// Who vouches for whom, when a file says so.
    pub vouches: Option<Vouches>,
    /// Digest of the file as it was read and changed; the same text and changes give the same digest.
    pub digest: String,
}

/// One thing to mend in a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The file; none when the command line is wrong.
    pub file: Option<PathBuf>,
    /// Counted from 1; none when no line is to blame.
    pub line: Option<usize>,
    /// What is wrong, with the key.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(out, "{}:{line}: ", file.display())?,
            (Some(file), None) => write!(out, "{}: ", file.display())?,
            (None, _) => {}
        }
        write!(out, "{}\n    remedy: {}", self.problem, self.remedy)
    }
}
