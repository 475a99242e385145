//! What a run leaves in its folder: [`Left`], a report or, when it ended in a breach, what is known of that ([`Breached`]).

use serde::{Deserialize, Serialize};

use super::{Head, Report};
use crate::world::Breach;

/// A run that ended in a breach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breached {
    /// What ran.
    pub head: Head,
    /// How it ended.
    pub breach: Breach,
}

/// What a run leaves.
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// It came to its end.
    Report(Box<Report>),
    /// It did not.
    Breach(Box<Breached>),
}

impl Left {
    /// What ran.
    pub fn head(&self) -> &Head {
        match self {
            Self::Report(report) => &report.head,
            Self::Breach(breached) => &breached.head,
        }
    }

    /// How many events there were, and their digest.
    pub fn events(&self) -> (u64, &str) {
        match self {
            Self::Report(report) => (report.outcome.events, &report.outcome.events_digest),
            Self::Breach(breached) => (breached.breach.events, &breached.breach.events_digest),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn breached() -> Breached {
        Breached {
            head: Head {
                scenario: "calm".to_owned(),
                file: "calm".to_owned(),
                seed: 7,
                ..Head::default()
            },
            breach: Breach {
                message: "node 1 believes something".to_owned(),
                at: 2_500_000_000,
                events: 12,
                events_digest: "digest".to_owned(),
            },
        }
    }
}
