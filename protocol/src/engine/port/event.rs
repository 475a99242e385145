//! What happened, for logs and figures.

use starfish_crypto::{Digest, PublicKey};

use crate::{intake::Fault, organisation::OrgId, peer::Peer, record::RecordId, statement::Freeze, time::Millis};

/// How far a recovery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryStage {
    /// It takes effect at this wall time if nobody calls it off.
    Due(Millis),
    /// A root called it off.
    CalledOff,
    /// The new roots count.
    InEffect,
}

/// What happened, for logs and figures. Never fed back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A record is durable here.
    Stored(RecordId),
    /// A body is durable here.
    BodyStored(RecordId),
    /// An author wrote two histories.
    ForkProven(PublicKey),
    /// Its organisation's roots have settled that: its records are taken again.
    Reopened(PublicKey),
    /// An organisation has revoked a node, or changed how much of its logs counts.
    Revoked {
        /// The node.
        node: PublicKey,
        /// Whose it was.
        org: OrgId,
        /// False when the revocation does not count any more.
        ended: bool,
    },
    /// An organisation stands still, or goes on.
    Standstill {
        /// Which.
        org: OrgId,
        /// Why it stands still, if it does.
        freeze: Option<Freeze>,
        /// The statement that proves it to everyone: both of two manifests.
        proof: Option<Digest>,
    },
    /// Another manifest of an organisation counts.
    Manifest {
        /// Which.
        org: OrgId,
        /// The number of the manifest.
        seq: u64,
    },
    /// Guardians give an organisation new roots.
    Recovery {
        /// The statement.
        id: Digest,
        /// Whose roots.
        org: OrgId,
        /// How far it has come.
        stage: RecoveryStage,
    },
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
