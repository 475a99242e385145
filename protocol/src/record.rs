//! A record: one entry of a log, a signed [`Header`] and a [`Body`] (design, protocol 2 and 3).
//!
//! | part | what it holds |
//! |---|---|
//! | `header` | the fixed prefix that every version can read, and its layout |
//! | `extensions` | what a header says beyond its prefix: scope, set, targets, derived_from |
//! | `origin` | the names of sources that several organisations repeat |
//! | `topic` | the lower-case path that bodies are pulled by |
//! | `body` | bundles of observables, and withdrawals |
//! | `opinion` | sightings and false positives |
//! | `sealing` | bodies compressed, opened, and compared with what their header promises |
//! | `groups` | a body checked 16 KiB at a time while it arrives |

mod body;
mod bytes;
mod extensions;
pub mod groups;
mod header;
mod opinion;
mod origin;
mod sealing;
mod topic;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use starfish_crypto::{
    Digest, PublicKey, Verified, domain,
    text::{NameError, read_name, write_name},
};

use crate::time::Millis;

pub use self::{
    body::{Body, BodyFault, Bundle, Withdrawal},
    extensions::{Extensions, Scope, SetPart, Unread},
    header::{Header, HeaderFault},
    opinion::{Opinion, View},
    origin::Origin,
    sealing::{SealedBody, check_digest, open_body, seal_body, seal_parts},
    topic::{Topic, TopicFault},
};

/// What a body holds. Unknown kinds are stored and relayed like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kind(pub u16);

impl Kind {
    /// A bundle of observables under one context.
    pub const INDICATORS: Self = Self(1);
    /// The end of an earlier record, or of some observables in it.
    pub const WITHDRAWAL: Self = Self(2);
    /// What somebody thinks of a record.
    pub const OPINION: Self = Self(3);
}

/// Who may see a record. Never mixed within a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum Audience {
    /// Everyone.
    Clear,
    /// Everyone in the community whom the node confides in.
    Green,
    /// Named organisations; everybody else sees sealed bytes.
    Sealed,
    /// An audience of a later version, by its code (3 and up). Not for this node, at no fault of anyone.
    Other(u8),
}

impl From<u8> for Audience {
    fn from(code: u8) -> Self {
        match code {
            0 => Self::Clear,
            1 => Self::Green,
            2 => Self::Sealed,
            code => Self::Other(code),
        }
    }
}

impl From<Audience> for u8 {
    fn from(audience: Audience) -> Self {
        match audience {
            Audience::Clear => 0,
            Audience::Green => 1,
            Audience::Sealed => 2,
            Audience::Other(code) => code,
        }
    }
}

/// The Traffic Light Protocol's mark (FIRST, TLP 2.0), from the widest to the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tlp {
    /// The world may know.
    Clear,
    /// The community may know.
    Green,
    /// The recipient's organisation and its clients.
    Amber,
    /// The recipient's organisation alone.
    AmberStrict,
    /// The named recipients alone.
    Red,
    /// A mark of a later version, by its code (5 and up).
    Other(u8),
}

impl From<u8> for Tlp {
    fn from(code: u8) -> Self {
        match code {
            0 => Self::Clear,
            1 => Self::Green,
            2 => Self::Amber,
            3 => Self::AmberStrict,
            4 => Self::Red,
            code => Self::Other(code),
        }
    }
}

impl From<Tlp> for u8 {
    fn from(tlp: Tlp) -> Self {
        match tlp {
            Tlp::Clear => 0,
            Tlp::Green => 1,
            Tlp::Amber => 2,
            Tlp::AmberStrict => 3,
            Tlp::Red => 4,
            Tlp::Other(code) => code,
        }
    }
}

/// Names a log: the gapless sequence of records of one node key for one audience since one opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogId {
    /// The node key.
    pub author: PublicKey,
    /// Who may see it.
    pub audience: Audience,
    /// When it was opened.
    pub epoch: Millis,
}

/// Names a record: the digest of its header's bytes as they were signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordId(Digest);

impl RecordId {
    const PREFIX: &'static str = "rec";

    /// The name of a verified header.
    pub fn of(header: &Verified<Header>) -> Self {
        Self(Digest::of(domain::RECORD, header.signed().bytes()))
    }

    /// Takes back what [`digest`](Self::digest) gave.
    pub fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest alone.
    pub fn digest(&self) -> Digest {
        self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&write_name(Self::PREFIX, self.0.as_bytes()))
    }
}

/// Short, for logs and test failures.
impl fmt::Debug for RecordId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{:?}", Self::PREFIX, self.0)
    }
}

impl FromStr for RecordId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        read_name(Self::PREFIX, text).map(|bytes| Self(Digest::from_bytes(bytes)))
    }
}

#[cfg(test)]
mod tests;
