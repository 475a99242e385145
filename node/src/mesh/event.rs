//! What a mesh tells its environment: [`Event`], for log lines and figures, never fed back.

use libp2p::{Multiaddr, PeerId};
use starfish_protocol::engine::port;

/// Something worth a log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// From the rules.
    Engine(port::Event),
    /// A local address is listened on.
    Listening(Multiaddr),
    /// A local address is not listened on any more, because this node ends.
    ListenerClosed(String),
    /// A listener ended, or failed to take a connection.
    ListenerLost(String),
    /// A connection is up and is the one in use with this peer.
    Connected {
        /// Who.
        peer: PeerId,
        /// Where.
        address: Multiaddr,
        /// True when this node dialled.
        outbound: bool,
    },
    /// No connection to this peer is left.
    Disconnected {
        /// Who.
        peer: PeerId,
        /// Why, when the transport said.
        cause: Option<String>,
    },
    /// A connection was closed on purpose.
    Closed {
        /// Whose.
        peer: PeerId,
        /// Why.
        reason: CloseReason,
    },
    /// A dial did not succeed; the next one follows by itself when the target is a lasting one.
    DialFailed {
        /// Whom, when that was known.
        peer: Option<PeerId>,
        /// Why.
        reason: String,
    },
    /// A bound was reached and something was refused or dropped.
    Bounded(&'static str),
}

/// Why a connection was closed on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The rules said so.
    Engine(port::DisconnectReason),
    /// Two nodes dialled each other at once, and this one of the two connections goes.
    Doubled,
    /// The peer came back while its old connection had not ended yet: both go, and it dials again.
    Stale,
    /// Its gossip was silent while its ping was answered.
    Silent,
    /// Whether it may be told TLP:GREEN has changed, and its connection is of the other kind.
    Confided,
    /// It gossiped more than any honest peer does.
    Flooding,
}
