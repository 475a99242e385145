//! What the node and its command line say to each other. The same documents are what `--json` prints, so their fields
//! are a promise to scripts: fields are added, never renamed.

mod review;
pub mod trust;

use serde::{Deserialize, Serialize};

pub use review::{Decided, Decision, Held, HeldRecord, Line, Opined, Opinion, Said};

/// Why the node did not do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// The exit code that the command ends with.
    pub exit: u8,
    /// What happened and what to do next.
    pub message: String,
}

/// Nothing more to say than that it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Always true.
    pub done: bool,
}

/// Who a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Id {
    /// `org:...`
    pub organisation: String,
    /// The organisation's name.
    pub name: String,
    /// The node's key, `key:...`
    pub node: String,
    /// Its libp2p name.
    pub peer: String,
    /// Where it listens, or will listen, as multiaddrs.
    pub addresses: Vec<String>,
    /// The beginning of the digest of the organisation and the node key, for reading aloud.
    pub fingerprint: String,
    /// Until when the newest certificate of the node key holds.
    pub certified_until: String,
    /// Whether the node key was revoked, as far as the running node knows.
    #[serde(default)]
    pub revoked: bool,
    /// Whether it runs now.
    pub running: bool,
}

/// Counts, sizes and heads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The newest entry of the ledger.
    pub serial: u64,
    /// Records held, withdrawals included.
    pub records: u64,
    /// Distinct values that are believed and not withdrawn.
    pub observables: u64,
    /// Distinct values in quarantine.
    pub quarantined: u64,
    /// Records whose body is wanted and not here yet.
    pub missing_bodies: u64,
    /// Changes that still move records, in slices: organisations judged anew, revocations, withdrawals and what expires.
    #[serde(default)]
    pub unsettled: u64,
    /// Connected peers.
    pub peers: u64,
    /// Bytes of the store and the journal on disk.
    pub store_bytes: u64,
    /// Resident memory; 0 where the platform does not tell.
    pub rss_bytes: u64,
    /// Seconds since the start.
    pub uptime: u64,
    /// Bytes of gossip, bodies and sync received since the start.
    pub received_bytes: u64,
    /// The same, sent.
    pub sent_bytes: u64,
    /// The heads of this node's own logs.
    pub heads: Vec<Head>,
    /// Authors that were proven to have written two histories.
    pub forks: u64,
    /// True while nothing of our own goes out, until a peer has shown what it holds of our log.
    pub comparing: bool,
    /// Why this node's organisation stands still, so that nothing it says counts anywhere; none when it does not.
    #[serde(default)]
    pub standstill: Option<String>,
    /// How many reads and writes of the store failed since the start.
    #[serde(default)]
    pub store_failures: u64,
    /// The first of them, with what to do.
    #[serde(default)]
    pub store_failure: Option<String>,
}

/// The last record of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Who may see the log.
    pub audience: String,
    /// When its epoch was opened, in ms since 1970.
    pub epoch: u64,
    /// The record's number.
    pub seq: u64,
    /// The record.
    pub record: String,
}

/// One connected peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// Its libp2p name.
    pub peer: String,
    /// Its organisation, when it proved one.
    pub organisation: Option<String>,
    /// The organisation's name, as it says.
    pub name: Option<String>,
    /// Connected by right; otherwise as a guest.
    pub trusted: bool,
    /// Its address, as this node sees it.
    pub address: Option<String>,
    /// `tcp` or `quic`.
    pub transport: Option<String>,
    /// Since when.
    pub since: String,
    /// Seconds since then.
    pub connected: u64,
    /// How many records it said it holds when it connected.
    pub records: u64,
    /// Topics it takes; empty means all.
    pub topics: Vec<String>,
    /// The last ping, there and back, in ms.
    pub round_trip_ms: Option<u64>,
    /// Its gossip score; below zero is bad.
    pub score: f64,
    /// Provable faults counted against it.
    pub strikes: u32,
}

/// What is pulled, and what peers offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topics {
    /// Topics whose bodies are pulled; empty means all.
    pub topics: Vec<String>,
    /// TLDs, likewise.
    pub tlds: Vec<String>,
    /// What connected peers take and so can hand on.
    pub offered: Vec<Offer>,
}

/// A topic here and at peers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The topic, or `*` for peers that take everything.
    pub topic: String,
    /// How many connected peers take it, by name or with everything.
    pub peers: u64,
    /// How many believed records of it are held here.
    pub records: u64,
}

/// A change of what is pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscription {
    /// Topics to add, or to take away.
    pub topics: Vec<String>,
    /// TLDs, likewise.
    pub tlds: Vec<String>,
    /// Take them away.
    pub remove: bool,
    /// Take everything away.
    pub all: bool,
}

/// What came of a publication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The new records, in order.
    pub records: Vec<String>,
    /// Distinct observables in them.
    pub observables: u64,
    /// Lines that repeated one of them.
    pub repeated: u64,
    /// Lines that are no observable.
    pub refused: Vec<RefusedLine>,
    /// Compressed bytes of the records' bodies.
    pub body_bytes: u64,
    /// Records of this node that stand and say the same.
    #[serde(default)]
    pub earlier: Vec<String>,
}

/// A line that was not published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
    /// Its beginning.
    pub text: String,
}

/// Asks for a withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// The record.
    pub record: String,
    /// Only these values; empty means all of it.
    #[serde(default)]
    pub values: Vec<String>,
    /// Why.
    pub reason: String,
}

/// A withdrawal that is durable and on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// The withdrawal's own record.
    pub record: String,
    /// What it withdraws.
    pub target: String,
    /// How many values were named; 0 means all of the record.
    pub values: u64,
}

/// What is known about one value in one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The observable.
    pub value: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// The record's topic.
    pub topic: String,
    /// Who may see it.
    pub tlp: String,
    /// From 0 to 100.
    pub confidence: u8,
    /// What the list is, as its author says.
    pub context: String,
    /// The author's key.
    pub author: String,
    /// The author's organisation, when it is certified.
    pub organisation: Option<String>,
    /// The organisation's name, as it says.
    pub name: Option<String>,
    /// The record.
    pub record: String,
    /// The ledger entry under which it became known here.
    pub serial: u64,
    /// When it came.
    pub received_at: String,
    /// When it ends.
    pub expires_at: String,
    /// Whether its author took it back.
    pub withdrawn: bool,
    /// Whether its author was proven to have written two histories.
    #[serde(default)]
    pub forked: bool,
    /// Whether this node does not believe its author.
    pub quarantined: bool,
}

/// Something that happened to a record: what `watch` follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number. Serials have no gaps; what this node does not believe is left out of the stream.
    pub serial: u64,
    /// `stored`, `released`, `retracted`, `withdrawn`, `expired` or `dropped`.
    pub kind: String,
    /// When, by this node's clock.
    pub at: String,
    /// The record.
    pub record: String,
    /// What the record holds: `indicators`, `withdrawal`, or the number of a later kind.
    pub holds: String,
    /// The record's topic.
    pub topic: String,
    /// Who may see it.
    pub tlp: String,
    /// Whose it is.
    pub organisation: Option<String>,
    /// How many observables this is about.
    pub observables: u32,
    /// Whether the record is believed from here on.
    pub believed: bool,
    /// The withdrawal that caused it.
    pub cause: Option<String>,
    /// To be added after `stored` and `released`, which never name a value that is withdrawn; to be taken off after all
    /// others, and when there are none then, everything of this record is to be taken off. None for a withdrawal, whose
    /// effect is an entry of its own.
    pub values: Vec<String>,
}

/// Who an organisation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// `org:...`
    pub organisation: String,
    /// Its name, as it says.
    pub name: String,
}

/// What an organisation has said of itself and of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// `org:...`
    pub organisation: String,
    /// Its statements, as text.
    pub statements: String,
}

/// A code that was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// For the other operator.
    pub code: String,
    /// Until when it works.
    pub until: String,
    /// The address in it.
    pub address: String,
    /// Trusts whoever brings it.
    pub confirmed: bool,
}

/// The other side of a pairing, with the words to compare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    /// `org:...`
    pub organisation: String,
    /// Its name, as it says.
    pub name: String,
    /// Both sides see the same ones, or somebody is in between.
    pub words: Vec<String>,
    /// Whether the organisation is trusted already.
    pub confirmed: bool,
}

/// Goes through the door that a code opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The code.
    pub code: String,
}

/// Trusts an organisation, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// `org:...`
    pub organisation: String,
    /// The verdict.
    pub trusted: bool,
}

/// Refuses a peer, or takes it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its libp2p name.
    pub peer: String,
    /// True to refuse.
    pub blocked: bool,
}
