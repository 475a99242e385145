//! What is known of a world that ended before its time: [`Breach`].

use std::any::Any;

use serde::{Deserialize, Serialize};
use starfish_sim_kernel as kernel;

use super::chronicle::Archive;

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

impl Breach {
    /// While time is still that of the world.
    pub(super) fn of(cause: &(dyn Any + Send), archive: &Archive) -> Self {
        let text = cause.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
        Self {
            message: text.unwrap_or("a panic without words").to_owned(),
            at: kernel::now().unwrap_or_default(),
            events: archive.count(),
            events_digest: archive.digest(),
        }
    }
}
