//! What an organisation may do here, and why: [`Verdict`].

use serde::{Deserialize, Serialize};

use super::web::Barred;

/// How an organisation became a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This node's own organisation.
    Own,
    /// Two operators compared words.
    Paired,
    /// The operator listed it in the configuration.
    Listed,
    /// The operator wrote a root entry for it.
    Entered,
}

/// What an organisation may do here, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Connected by right; otherwise as a guest.
    pub connect: bool,
    /// Its headers are forwarded.
    pub relay: bool,
    /// Some of its records are shown; the others are in quarantine.
    pub believe: bool,
    /// It may be told TLP:GREEN.
    pub confide: bool,
    /// The reason for all of them.
    pub reason: Reason,
}

/// What of a verdict is not about single records. The store keeps it, so that a node that was away can tell what it lost and
/// gained meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// Connected by right.
    pub connect: bool,
    /// Its headers are forwarded.
    pub relay: bool,
    /// It may be told TLP:GREEN.
    pub confide: bool,
}

/// Why a verdict is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A root of this node.
    Root(Origin),
    /// Somebody who is trusted here vouches for it.
    Vouched,
    /// Whatever vouches for it, nothing of it counts.
    Barred(Barred),
    /// It proved who it is, but nobody here vouches for it.
    Unvouched,
    /// It proved nothing.
    Uncertified,
}

impl Verdict {
    /// No right at all.
    pub(super) fn nothing(reason: Reason) -> Self {
        Self {
            connect: false,
            relay: false,
            believe: false,
            confide: false,
            reason,
        }
    }

    /// Those that the store keeps.
    pub fn rights(&self) -> Rights {
        Rights {
            connect: self.connect,
            relay: self.relay,
            confide: self.confide,
        }
    }
}
