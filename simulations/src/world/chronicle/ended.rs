//! What is known of a world that ended before its time: [`Ended`], and [`Breach`] when something did not hold in it.

use std::{any::Any, io};

use serde::{Deserialize, Serialize};
use starfish_sim_kernel as kernel;

use super::Archive;

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

/// How a world ended in which an invariant broke, or something panicked. The same program, scenario and seed give the same one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breach {
    /// What the invariant says, or the panic.
    pub message: String,
    /// When, in ns since the world began.
    pub at: u64,
    /// How many things had happened by then, with the one that showed it.
    pub events: u64,
    /// The digest of these.
    pub events_digest: String,
}

/// Ends the world when an invariant does not hold; the rest says which, as in `assert!`.
macro_rules! invariant {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            $crate::world::chronicle::ended::broken(format!($($words)+));
        }
    };
}
pub(in crate::world) use invariant;

/// Ends a world in which an invariant broke. It is told with seed and command, not as a panic, which would be a mistake at the
/// place where it is looked at.
pub(in crate::world) fn broken(message: String) -> ! {
    std::panic::resume_unwind(Box::new(Broken(message)))
}

struct Broken(String);

/// Ends a world whose events cannot be written. It is no panic: nobody is at fault here.
pub(in crate::world) fn cut_short() -> ! {
    std::panic::resume_unwind(Box::new(CutShort))
}

struct CutShort;

impl Breach {
    /// While time is still that of the world. None when that was only cut short.
    pub(in crate::world) fn of(cause: &(dyn Any + Send), archive: &Archive) -> Option<Self> {
        if cause.is::<CutShort>() {
            return None;
        }
        Some(Self {
            message: message(cause),
            at: kernel::now().unwrap_or_default(),
            events: archive.count(),
            events_digest: archive.digest(),
        })
    }
}

/// The words of an invariant; of anything else, that somebody panicked.
fn message(cause: &(dyn Any + Send)) -> String {
    if let Some(Broken(message)) = cause.downcast_ref() {
        return message.clone();
    }
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
    format!("a node or the simulator panicked: {}", text.unwrap_or("without words"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invariant_is_told_apart_from_any_other_panic() {
        let check = |work: fn(), expected: Option<&str>| {
            let cause = std::panic::catch_unwind(work).expect_err("it ends the world");
            let breach = Breach::of(&*cause, &Archive::default());
            assert_eq!(breach.map(|breach| breach.message).as_deref(), expected);
        };
        let panicked = "a node or the simulator panicked: ";
        check(|| invariant!(1 > 2, "node {} is odd", 1), Some("node 1 is odd"));
        check(|| panic!("in {} words", 3), Some(&format!("{panicked}in 3 words")));
        check(|| panic!("plain"), Some(&format!("{panicked}plain")));
        check(|| std::panic::panic_any(1), Some(&format!("{panicked}without words")));
        check(|| cut_short(), None);
        invariant!(true, "nothing happens");
    }
}
