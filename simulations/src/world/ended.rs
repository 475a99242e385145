//! What is known of a world that ended before its time: [`Ended`], and [`Breach`] when something did not hold in it.

use std::{any::Any, io};

use serde::{Deserialize, Serialize};
use starfish_sim_kernel as kernel;

use super::chronicle::Archive;

/// Why a world ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// An invariant broke, or something panicked.
    #[error("{}", .breach.message)]
    Breach {
        /// What is known of that.
        breach: Breach,
        /// Why the last events before it could not be written, if so.
        unwritten: Option<io::Error>,
    },
    /// The stream of events could not be written.
    #[error("the stream of events cannot be written: {0}")]
    Stream(io::Error),
}

/// How a world ended in which an invariant broke. The same program, scenario and seed give the same one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breach {
    /// What the invariant says.
    pub message: String,
    /// When, in ns since the world began.
    pub at: u64,
    /// How many things had happened by then, with the one that showed it.
    pub events: u64,
    /// The digest of these.
    pub events_digest: String,
}

/// Ends a world whose events cannot be written. It is no panic: nobody is at fault here.
pub(super) fn cut_short() -> ! {
    std::panic::resume_unwind(Box::new(CutShort))
}

struct CutShort;

impl Breach {
    /// While time is still that of the world. None when that was only cut short.
    pub(super) fn of(cause: &(dyn Any + Send), archive: &Archive) -> Option<Self> {
        if cause.is::<CutShort>() {
            return None;
        }
        let text = cause.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
        Some(Self {
            message: text.unwrap_or("a panic without words").to_owned(),
            at: kernel::now().unwrap_or_default(),
            events: archive.count(),
            events_digest: archive.digest(),
        })
    }
}
