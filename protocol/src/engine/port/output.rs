//! What the engine wants done.

use starfish_crypto::{Digest, PublicKey, Signed, Verified};

use crate::{
    peer::Peer,
    record::Header,
    time::Millis,
    wire::{Channel, Request, Response},
};

use super::{Change, Event, Outcome, Query, Ticket};

/// The three answers to gossip (gossipsub's own words).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// Forward.
    Accept,
    /// Do not forward; nobody's fault.
    Ignore,
    /// Do not forward; provably wrong.
    Reject,
}

/// What the engine wants done.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most of them are the large one, and each is moved a few times"
)]
pub enum Output {
    /// Answers a gossip message.
    Validate {
        /// Who sent it.
        peer: Peer,
        /// Over which mesh.
        channel: Channel,
        /// Which.
        message: Vec<u8>,
        /// The answer.
        acceptance: Acceptance,
    },
    /// Publishes to a gossip mesh.
    Gossip {
        /// Which mesh.
        channel: Channel,
        /// The message.
        payload: Vec<u8>,
    },
    /// Sends `Request::Push` to this node's own mesh peers of a channel, and expects no ticket back. On the GREEN one also
    /// to those who may be told and are not in that mesh: of two nodes only one may confide in the other.
    Push {
        /// Of which mesh.
        channel: Channel,
        /// The header.
        header: Signed,
        /// The digest of the body.
        digest: Digest,
        /// The compressed body.
        body: Vec<u8>,
        /// Peers that do not pull such bodies.
        spared: Vec<Peer>,
    },
    /// Asks a peer; ends with `Input::Answered`.
    Ask {
        /// Names the request.
        ticket: Ticket,
        /// Whom.
        peer: Peer,
        /// What.
        request: Request,
        /// In ms without progress.
        deadline: Millis,
    },
    /// Gives up a request; no answer follows.
    Cancel(Ticket),
    /// Answers `Input::Asked`.
    Reply {
        /// The request.
        ticket: Ticket,
        /// The answer.
        response: Response,
    },
    /// Opens a body off the event loop; ends with `Input::Opened`.
    Open {
        /// The request that brought it.
        ticket: Ticket,
        /// The header that names it.
        header: Verified<Header>,
        /// The bytes.
        compressed: Vec<u8>,
    },
    /// Makes changes durable, together and in order; ends with `Input::Appended`.
    Append {
        /// Names the step.
        ticket: Ticket,
        /// The changes.
        changes: Vec<Change>,
    },
    /// Reads from the store; ends with `Input::Found`.
    Read {
        /// Names the read.
        ticket: Ticket,
        /// What.
        query: Query,
    },
    /// Answers a command.
    Done {
        /// The command.
        ticket: Ticket,
        /// What came of it.
        outcome: Outcome,
    },
    /// Closes the connection to a peer and, when told so, refuses it from now on.
    Disconnect {
        /// Whom.
        peer: Peer,
        /// Why.
        reason: DisconnectReason,
    },
    /// Keeps a connection to another node, at these addresses. Repeated whenever they may have changed, and as long as
    /// the node is not connected; the newest addresses replace the earlier ones, and none mean that it is not kept any
    /// more. A peer that was disconnected as `Blocked` is not dialled whatever is said here.
    Dial {
        /// The node's key.
        key: PublicKey,
        /// Where it said that it can be reached.
        addresses: Vec<String>,
        /// For how long, and at what cost.
        wish: Wish,
    },
    /// A node may be told what is TLP:GREEN from now on, or may not any more; before the first of these it may not. Its
    /// connection is of the one kind or the other: one that was made under the other rule ends and is made anew. When the
    /// right is lost that is at once, and nothing GREEN goes out to it from here on.
    Confide {
        /// The node's key.
        key: PublicKey,
        /// Whether it may.
        may: bool,
    },
    /// The application's part of a peer's gossip score changed.
    Score {
        /// Whom.
        peer: Peer,
        /// Zero or less.
        strikes: u32,
    },
    /// `handle` with `Input::Woken` is wanted at this monotonic time.
    Wake(Millis),
    /// Something worth a log line or a figure.
    Event(Event),
}

/// How much a connection is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// For as long as this node runs: nodes of our own and of paired organisations.
    Always,
    /// Tried once, if there is room; at the next sync others are named in the place of those that did not answer.
    WhenRoom,
    /// Tried once, whether there is room or not: it has what nobody has who is connected. The connection is closed again
    /// with [`DisconnectReason::Visited`].
    Now,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The operator refuses the peer.
    Blocked,
    /// Another community.
    OtherCommunity,
    /// The guests' places are taken.
    GuestsFull,
    /// Too many provable faults.
    Misbehaved,
    /// Its organisation has no right to be here any more. It may come back as a guest.
    Distrusted,
    /// This node came for one thing, and has it or knows that it does not get it.
    Visited,
}
