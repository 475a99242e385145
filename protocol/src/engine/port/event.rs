//! What happened, for logs and figures.

use starfish_crypto::{Digest, PublicKey};

use crate::{intake::Fault, organisation::OrgId, peer::Peer, record::RecordId, time::Millis};

/// What happened, for logs and figures. Never fed back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A record is durable here.
    Stored(RecordId),
    /// A body is durable here.
    BodyStored(RecordId),
    /// An author wrote two histories.
    ForkProven(PublicKey),
    /// Others hold more of our own log than we do; a new epoch was opened.
    EpochOpened {
        /// The new epoch.
        epoch: Millis,
        /// Whether the tail that others held was adopted.
        adopted: bool,
    },
    /// A peer proved its organisation.
    Introduced {
        /// Who.
        peer: Peer,
        /// Which.
        org: OrgId,
    },
    /// Somebody used an invitation; these words are to be compared.
    PairingAsked {
        /// The secret of the code: it tells whose invitation this was, and opens nothing any more.
        secret: [u8; 5],
        /// The organisation.
        org: OrgId,
        /// Its name, as it says.
        name: String,
        /// For `starfish_crypto::words`.
        words: Digest,
        /// Whether it counts already.
        confirmed: bool,
    },
    /// A message was refused for a provable fault.
    Faulted {
        /// Who sent it.
        peer: Peer,
        /// What.
        fault: Fault,
    },
    /// A bound was reached and something was refused or dropped.
    Bounded(&'static str),
    /// This clock is ahead of what the peers, the time since the start or the highest time seen say, by so many ms;
    /// negative when it is behind.
    ClockDisagrees(i64),
    /// A body matches its digest and cannot be opened: its author's fault.
    Spoiled(RecordId),
}
