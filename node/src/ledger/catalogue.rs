//! What the ledger says of its records: a [`Card`] for each, an [`Entry`] for each thing that happened to one, and [`Counts`].

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, PublicKey, Verified};
use starfish_protocol::{
    organisation::OrgId,
    record::{Body, Header, Kind, RecordId, Topic, check_digest, open_body},
    time::Millis,
};

use crate::store::StoreError;

/// Where the body of a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Not here yet.
    Waiting,
    /// Here, and its values are in the index.
    Present,
    /// There is none: the header is all.
    Bare,
    /// It cannot be opened, whoever sends it.
    Spoiled,
    /// It left the quarantine for want of room or time.
    Dropped,
    /// Its time is over.
    Expired,
    /// It was withdrawn as a whole, and the grace period is over.
    Purged,
}

/// Where a value of a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It may be used.
    Believed,
    /// It is in quarantine.
    Held,
    /// Its organisation took it back.
    Withdrawn,
}

/// What the operator decided on a single record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// It is believed, whatever its organisation is believed for.
    Released,
    /// It is not kept, and not asked for.
    Dropped,
}

/// Everything that a search or a change needs to know of a record, in one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The record.
    pub id: RecordId,
    /// The node key that signed it.
    pub author: PublicKey,
    /// Whose node that was when the header came.
    pub org: Option<OrgId>,
    /// True for this node's own.
    pub own: bool,
    /// What its body holds.
    pub kind: Kind,
    /// Its topic.
    pub topic: Topic,
    /// Its TLP, by the protocol's code.
    pub tlp: u8,
    /// When it ends.
    pub expires_at: Millis,
    /// The digest of its body.
    pub body: Digest,
    /// Length of the compressed body in bytes.
    pub compressed_len: u32,
    /// How many items its body holds.
    pub items: u32,
    /// When the body came; before that, when the header did.
    pub received_at: Millis,
    /// Where the body is.
    pub state: State,
    /// Whether it is shown without asking. Before its body is here nothing of it is.
    pub believed: bool,
    /// The serial of the last entry about it; zero before the first.
    pub serial: u64,
    /// The serial under which its body came. Nobody is shown anything of it before that is durable.
    pub stored: u64,
    /// How sure the author is, 0 to 100.
    pub confidence: u8,
    /// What the observables have in common, in the author's words.
    pub context: String,
    /// How many of its observables are withdrawn.
    pub withdrawn: u32,
    /// True while a withdrawal of it is known whose content is not here: everything counts as withdrawn until it is.
    pub withheld: bool,
    /// When the last of its observables was withdrawn.
    pub withdrawn_at: Option<Millis>,
    /// When it came into quarantine.
    pub held_since: Option<Millis>,
}

impl Card {
    pub(crate) fn new(header: &Verified<Header>, org: Option<OrgId>, received_at: Millis) -> Self {
        Self {
            id: RecordId::of(header),
            author: header.author,
            org,
            own: false,
            kind: header.kind,
            topic: header.topic.clone(),
            tlp: header.tlp.into(),
            expires_at: header.expires_at,
            body: header.body_digest,
            compressed_len: header.compressed_len,
            items: header.items,
            received_at,
            state: if header.raw_len == 0 {
                State::Bare
            } else {
                State::Waiting
            },
            believed: false,
            serial: 0,
            stored: 0,
            confidence: 0,
            context: String::new(),
            withdrawn: 0,
            withheld: false,
            withdrawn_at: None,
            held_since: None,
        }
    }

    /// Whether its values are in the index.
    pub(crate) fn is_present(&self) -> bool {
        self.state == State::Present
    }
}

/// Reads a body of the store again, which was whole when it came. An earlier version kept bodies of kinds that it did not
/// know without reading them: one that does not hold by the rules of its kind is still such a body.
pub(crate) fn reopened(header: &Header, compressed: &[u8]) -> Result<Body, StoreError> {
    match open_body(header, compressed) {
        Ok(body) => Ok(body),
        Err(_) if header.kind > Kind::WITHDRAWAL && check_digest(header, compressed).is_ok() => {
            Ok(Body::Unknown(Vec::new()))
        }
        Err(fault) => Err(StoreError::Corrupt(fault.to_string())),
    }
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryKind {
    /// Its body came; `believed` says where to.
    Stored,
    /// It rose from quarantine, or a part that a withdrawal seemed to cover is shown after all.
    Released,
    /// It is no longer believed.
    Retracted,
    /// It, or a part of it, was withdrawn by its organisation.
    Withdrawn,
    /// Its time is over.
    Expired,
    /// It left the quarantine for want of room or time.
    Dropped,
}

impl EntryKind {
    /// As outputs name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Released => "released",
            Self::Retracted => "retracted",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Dropped => "dropped",
        }
    }
}

/// One line of the ledger. Serials have no gaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number.
    pub serial: u64,
    /// What happened.
    pub kind: EntryKind,
    /// When, by this node's wall clock.
    pub at: Millis,
    /// To which record.
    pub record: RecordId,
    /// Whose record that is.
    pub org: Option<OrgId>,
    /// Its topic.
    pub topic: Topic,
    /// What its body holds.
    pub body: Kind,
    /// Whether the record is believed from here on.
    pub believed: bool,
    /// How many observables this is about.
    pub observables: u32,
    /// The withdrawal that caused it.
    pub cause: Option<RecordId>,
}

/// Totals, kept up to date with every change and checked by `verify`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The last serial.
    pub serial: u64,
    /// Entries up to this serial belong to an earlier store; those after it have no gaps.
    pub first_serial: u64,
    /// Stored headers; also the next record's number.
    pub records: u64,
    /// Distinct values that are believed, neither withdrawn nor expired.
    pub observables: u64,
    /// Records with a body that are believed.
    pub believed: u64,
    /// Records with a body that are in quarantine.
    pub held_records: u64,
    /// Distinct values in quarantine.
    pub held_observables: u64,
    /// Compressed bytes in quarantine.
    pub held_bytes: u64,
    /// Bodies, each counted once however many records name it.
    pub bodies: u64,
    /// Headers whose body is wanted and not here.
    pub missing: u64,
    /// Up to here the journal's content is in the store.
    pub journal: u64,
    /// The latest time that any change named.
    pub latest: Millis,
}
