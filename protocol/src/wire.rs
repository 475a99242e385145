//! What nodes say to each other: gossip messages, requests and their answers.
//!
//! Everything here is bytes that a stranger may have made up. `intake` turns it into verified values; only those reach
//! the engine. Each message is one `codec` document in a length-prefixed frame of at most [`FRAME_BYTES`].

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, PublicKey, Signed, bytes};

use crate::{
    community::Community,
    record::{Audience, LogId},
    statement::Statement,
    time::Millis,
};

/// The stream protocol of requests. Its version is in its name (design, protocol 2).
pub const REQUEST_PROTOCOL: &str = "/starfish/request/1";
/// The longest frame on a stream, in bytes: a pushed body of 256 KiB with its header, or a page of headers of 1 MiB.
pub const FRAME_BYTES: usize = 1_310_720;
/// The longest gossip payload that is sent or accepted, in bytes (design, protocol 6: half of what is safe back to back).
pub const GOSSIP_BYTES: usize = 65_536;

/// Which mesh a gossip message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Headers of the CLEAR audience.
    Clear,
    /// Headers of the GREEN audience, on a mesh of its own between nodes that confide in each other.
    Green,
    /// Manifests, certificates, endpoints and proofs, which have priority.
    Statements,
}

impl Channel {
    /// Every channel, in a fixed order.
    pub const ALL: [Self; 3] = [Self::Clear, Self::Green, Self::Statements];
    /// The channels that everyone takes part in.
    pub const OPEN: [Self; 2] = [Self::Clear, Self::Statements];

    /// The channel of the headers of an audience; none of those that do not travel by gossip.
    pub fn of(audience: Audience) -> Option<Self> {
        match audience {
            Audience::Clear => Some(Self::Clear),
            Audience::Green => Some(Self::Green),
            Audience::Sealed | Audience::Other(_) => None,
        }
    }

    /// The gossipsub topic, `/starfish/<community in hex>/<channel>/1`.
    pub fn topic(self, community: &Community) -> String {
        let name = match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Statements => "statements",
        };
        format!("/starfish/{}/{name}/1", community.digest())
    }
}

/// One message of the gossip mesh.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Gossip {
    /// A header, with its compressed body when that is small and has no TLD scope.
    Header {
        /// The signed header bytes.
        header: Signed,
        /// The compressed body, at most `limits::INLINE_BODY_BYTES`.
        #[serde(with = "bytes::optional")]
        body: Option<Vec<u8>>,
    },
    /// Statements about organisations and their nodes.
    Statements(Vec<Statement>),
}

/// Who a node says it is, and what it wants. The statements prove the first, once they are checked; the second is only a
/// hint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello<S = Statement> {
    /// The mesh that this node belongs to.
    pub community: Community,
    /// Its organisation's manifest, its own certificate and its endpoint.
    pub statements: Vec<S>,
    /// The topics whose bodies it pulls; empty means every topic.
    pub topics: Vec<String>,
    /// The TLDs it is responsible for; empty means all.
    pub tlds: Vec<String>,
    /// How many records it holds.
    pub records: u64,
    /// What its clock says, so that a wrong one is noticed.
    pub wall: Millis,
}

/// A position in the answering node's own order of changes. Meaningless to anyone else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Drawn anew at each start, so that a cursor of an earlier life is recognised.
    pub life: u64,
    /// How many changes of the frontier, or of the roster, had happened.
    pub change: u64,
    /// How many changes of what is TLP:GREEN; zero to whoever may not be told that.
    pub green: u64,
}

/// The last position of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The log.
    pub log: LogId,
    /// The sequence number of its last header.
    pub seq: u64,
    /// The record id of its last header.
    pub id: Digest,
}

/// What one node asks another on a stream of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Introduces the asking node; answered with the other's `Hello`.
    Hello(Hello),
    /// "Do we hold the same logs?"
    Frontier {
        /// Digest over every head that the asking node would show the other: with TLP:GREEN, if it confides in it.
        heads: Digest,
        /// Digest over the ids of every statement held.
        statements: Digest,
        /// Where the last exchange with this peer ended.
        since: Option<Cursor>,
    },
    /// Headers of one log, in order.
    Range {
        /// The log.
        log: LogId,
        /// The first sequence number wanted.
        from: u64,
        /// At most so many.
        limit: u16,
    },
    /// Statements about these node keys, or, when empty, those that came since.
    Statements {
        /// Node keys of unknown authors; at most `limits::STATEMENT_KEYS`.
        about: Vec<PublicKey>,
        /// Where the last answer ended, when `about` is empty; everything, without one.
        since: Option<Cursor>,
    },
    /// The compressed body with this digest.
    Body {
        /// The digest that the header names.
        digest: Digest,
    },
    /// A body that was not asked for: the publisher's own, to its mesh peers.
    Push {
        /// The header that names it.
        header: Signed,
        /// The compressed body.
        #[serde(with = "bytes")]
        body: Vec<u8>,
    },
    /// "I was given your code": the first contact of two operators.
    Pair {
        /// The secret part of the code.
        secret: [u8; 5],
        /// Who is asking.
        hello: Hello,
    },
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Response {
    /// Who the answering node is.
    Hello(Hello),
    /// Nothing differs.
    Same {
        /// To be sent back next time.
        cursor: Cursor,
    },
    /// What changed since the cursor that was sent (everything, without one).
    Heads {
        /// At most `limits::FRONTIER_HEADS`.
        heads: Vec<Head>,
        /// To be sent back next time; when more remain, at once.
        cursor: Cursor,
        /// True when the page did not hold everything.
        more: bool,
        /// Digest over the answering node's statements.
        statements: Digest,
    },
    /// Consecutive headers from the number asked for.
    Headers(Vec<Signed>),
    /// Statements, and whether more follow.
    Statements {
        /// At most `limits::STATEMENTS_PER_ANSWER`.
        statements: Vec<Statement>,
        /// To be sent back next time; when more remain, at once.
        cursor: Cursor,
        /// True when the page did not hold everything.
        more: bool,
    },
    /// A whole compressed body. On the stream it travels group by group, each verified as it arrives.
    Body(#[serde(with = "bytes")] Vec<u8>),
    /// What was pushed is taken.
    Taken,
    /// Not here, at no fault of anyone.
    NotHeld,
    /// The range was pruned; the log goes on at this number.
    Gone {
        /// The first number still held.
        first: u64,
    },
    /// Too much at once; try again later.
    Busy,
    /// Not for you.
    Refused,
}

/// The start of a body's answer on the stream, before its groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BodyHead {
    /// Length of the compressed body in bytes.
    pub len: u64,
    /// The chaining value of each 16 KiB group; one group's is the digest's own.
    pub groups: Vec<[u8; 32]>,
}

/// How old an exchange may be before a peer is asked again, in ms; jitter is added by the engine.
pub const SYNC_EVERY: Millis = Millis(30_000);
