//! What is written down of every decision that raises or lowers somebody: who, what, and why.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

pub use crate::trust::Who;
use crate::{limits, peer::Peer, time::Millis};

/// What was done. New ones go to the end: the log keeps their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Deed {
    /// The operator vouches for an organisation, or changed how.
    RootSet,
    /// The operator does so no longer.
    RootRemoved,
    /// An organisation vouches for another, or changed how.
    Endorsed,
    /// It does so no longer.
    EndorsementEnded,
    /// An organisation vetoes another.
    Vetoed,
    /// It does so no longer.
    VetoEnded,
    /// The operator pinned an organisation as good.
    PinnedGood,
    /// The operator pinned it as bad.
    PinnedBad,
    /// The operator's pin was taken off.
    Unpinned,
    /// More of an organisation's records are believed than before.
    Raised,
    /// Fewer are.
    Lowered,
    /// A node of an organisation was revoked, or its cut was changed.
    Revoked,
    /// An organisation or a node is frozen: it said two things at one place.
    Frozen,
    /// It is not any more.
    Reopened,
    /// An organisation began anew with its guardians.
    Recovered,
    /// A record was let out of the quarantine.
    Released,
    /// A record of the quarantine was thrown away.
    Dropped,
    /// An organisation may do more here than before: connect, be handed on, be told TLP:GREEN.
    RightGained,
    /// It may do less.
    RightLost,
    /// The recovery of an organisation was called off by its roots.
    RecoveryCalledOff,
    /// The operator refuses a peer.
    Blocked,
    /// The operator does so no longer.
    Unblocked,
    /// The guardians of an organisation give it new roots, soon.
    RecoveryBegun,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// When, by this node's wall clock.
    pub at: Millis,
    /// Who decided.
    pub who: Who,
    /// What was done.
    pub what: Deed,
    /// To whom: the text of an organisation, a node or a record; of a peer its bytes in hexadecimal.
    pub subject: String,
    /// Why, in words.
    pub why: String,
}

impl Audit {
    /// A line whose texts are no longer than `limits::AUDIT_TEXT_BYTES`: what others wrote may be in them.
    pub fn new(at: Millis, who: Who, what: Deed, subject: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            at,
            who,
            what,
            subject: bounded(subject.into()),
            why: bounded(why.into()),
        }
    }
}

impl Audit {
    /// The peer that the line is about.
    pub fn peer(&self) -> Option<Peer> {
        let of_peer = matches!(self.what, Deed::Blocked | Deed::Unblocked);
        let bytes = HEXLOWER.decode(self.subject.as_bytes()).ok().filter(|_| of_peer)?;
        Some(Peer::from_bytes(&bytes))
    }
}

/// The beginning of a text, without control characters.
fn bounded(text: String) -> String {
    let mut text: String = text.chars().filter(|sign| !sign.is_control()).collect();
    while text.len() > limits::AUDIT_TEXT_BYTES {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_an_end() {
        let check = |text: &str, kept: &str| {
            let audit = Audit::new(Millis(1), Who::Operator, Deed::Released, text, text);
            assert_eq!((audit.subject.as_str(), audit.why.as_str()), (kept, kept));
        };
        check("a plain reason", "a plain reason");
        check("one\u{1b}[31m\nline", "one[31mline");
        let long = "\u{e9}".repeat(limits::AUDIT_TEXT_BYTES);
        check(&long, &long[..limits::AUDIT_TEXT_BYTES]);
    }
}
