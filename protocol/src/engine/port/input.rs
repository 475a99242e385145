//! What happens to the engine: connections, messages, answers, and word from the store and the operator.

use starfish_crypto::{Digest, PublicKey};

use crate::{
    intake::{Fault, OpenGossip, OpenRequest, OpenResponse},
    peer::Peer,
    record::{Body, BodyFault},
    wire::Channel,
};

use super::{Command, Found, Ticket};

/// What happens to the engine.
#[derive(Debug)]
pub enum Input {
    /// A connection is up. `key` is the Ed25519 key that the transport authenticated, if it is one.
    Connected {
        /// Who.
        peer: Peer,
        /// The key behind the peer's name.
        key: Option<PublicKey>,
        /// True when this node dialled: it wants this peer, whoever that is.
        outbound: bool,
    },
    /// The last connection to this peer is gone.
    Disconnected(Peer),
    /// A gossip message; answered by `Output::Validate` in the same step.
    Gossip {
        /// Who sent it last.
        peer: Peer,
        /// Over which mesh.
        channel: Channel,
        /// The shell's name for the message.
        message: Vec<u8>,
        /// What it says, or whose fault it is.
        opened: Result<OpenGossip, Fault>,
    },
    /// Somebody asks; answered by `Output::Reply`, now or later.
    Asked {
        /// Who.
        peer: Peer,
        /// To be given back in the reply.
        ticket: Ticket,
        /// What.
        request: Result<OpenRequest, Fault>,
    },
    /// Whoever made this request has given it up, or has at least nothing more to say on it, before it was answered.
    GivenUp {
        /// Who.
        peer: Peer,
        /// The request.
        ticket: Ticket,
    },
    /// A request of ours ended. A body answer has already been checked against its digest.
    Answered {
        /// The request.
        ticket: Ticket,
        /// The answer, or why there is none.
        response: Result<OpenResponse, AskError>,
    },
    /// Part of a body arrived and was verified.
    Progress(Ticket),
    /// Part of a push arrived. Nothing of it is verified.
    Pushing {
        /// Who pushes.
        peer: Peer,
        /// What body, by its header.
        digest: Digest,
    },
    /// A body was opened off the event loop.
    Opened {
        /// The request that brought it.
        ticket: Ticket,
        /// Its compressed bytes and content.
        body: Result<(Vec<u8>, Body), BodyFault>,
    },
    /// The changes of one `Output::Append` are durable.
    Appended(Ticket),
    /// The answer to `Output::Read`.
    Found {
        /// The read.
        ticket: Ticket,
        /// What the store holds.
        found: Found,
    },
    /// The operator, or the daemon, wants something; answered by `Output::Done`.
    Command {
        /// To be given back.
        ticket: Ticket,
        /// What.
        command: Command,
    },
    /// The time asked for with `Output::Wake` has come; early or doubled ones are harmless.
    Woken,
}

/// Why a request of ours has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskError {
    /// The connection is gone or the stream broke.
    Lost,
    /// Nothing for longer than the deadline.
    Timeout,
    /// The answer broke the rules.
    Fault(Fault),
}
