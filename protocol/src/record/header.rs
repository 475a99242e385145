//! A header: who says it, when, to whom, and which body it stands for (design, protocol 2).
//!
//! The prefix has a fixed layout that every version keeps, so that author, audience and lengths can be read before anything
//! is trusted. All integers are big endian; times are milliseconds since 1970.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | magic, `STFH` |
//! | 4 | 2 | version, here 1 |
//! | 6 | 32 | community |
//! | 38 | 1 | algorithm of the author's key: 1, Ed25519 |
//! | 39 | 32 | the author's key |
//! | 71 | 1 | audience: 0 CLEAR, 1 GREEN, 2 sealed |
//! | 72 | 1 | TLP: 0 CLEAR, 1 GREEN, 2 AMBER, 3 AMBER+STRICT, 4 RED |
//! | 73 | 2 | kind |
//! | 75 | 8 | epoch: when the log was opened |
//! | 83 | 8 | seq: the place in the log |
//! | 91 | 32 | prev: the id of the record before; zero only at the start of a first epoch |
//! | 123 | 8 | created_at |
//! | 131 | 8 | expires_at, not before created_at |
//! | 139 | 32 | body digest: BLAKE3 of the compressed body |
//! | 171 | 4 | compressed length |
//! | 175 | 4 | raw length; both lengths are zero, or neither |
//! | 179 | 4 | item count |
//! | 183 | 1 | length of the topic |
//! | 184 | .. | topic |
//!
//! Extensions follow (their layout is in `extensions`). Nothing is ever encoded again to be verified or passed on: a header
//! of an unknown version, kind, audience or extension travels as the bytes that its author signed.

use starfish_crypto::{Digest, PublicKey, Signable, domain};
use thiserror::Error;

use crate::{community::Community, limits, time::Millis};

use super::{
    Audience, Extensions, Kind, LogId, Tlp, Topic,
    bytes::{Bytes, Short},
};

const MAGIC: [u8; 4] = *b"STFH";
const ED25519: u8 = 1;

/// A header whose fields fit together. Whether anyone signed it is said by `Verified<Header>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version of what follows the prefix.
    pub version: u16,
    /// The mesh that it belongs to.
    pub community: Community,
    /// The node key that signed it.
    pub author: PublicKey,
    /// Who may see it.
    pub audience: Audience,
    /// How far those may pass it on.
    pub tlp: Tlp,
    /// What the body holds.
    pub kind: Kind,
    /// When the log was opened.
    pub epoch: Millis,
    /// The place in the log.
    pub seq: u64,
    /// The id of the record before it.
    pub prev: Digest,
    /// When it was written.
    pub created_at: Millis,
    /// When it ends.
    pub expires_at: Millis,
    /// BLAKE3 of the compressed body.
    pub body_digest: Digest,
    /// Length of the compressed body in bytes.
    pub compressed_len: u32,
    /// Length of the body before compression in bytes.
    pub raw_len: u32,
    /// How many items the body holds.
    pub items: u32,
    /// By which nodes choose whose bodies they pull.
    pub topic: Topic,
    /// What was added later.
    pub extensions: Extensions,
}

/// Why bytes are no header. Each is provably the author's fault.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// More than `limits::HEADER_BYTES`.
    #[error("a header is at most 1 KiB long")]
    TooLong,
    /// It ends inside a field.
    #[error("the header ends too early")]
    Short,
    /// Something else than a header.
    #[error("this is no header")]
    Magic,
    /// A key of an unknown algorithm, which nothing can verify.
    #[error("the author's key is of an unknown algorithm")]
    Algorithm,
    /// Only the start of a log may have no predecessor.
    #[error("a header within a log names the one before it")]
    Prev,
    /// It ends before it begins.
    #[error("the record expires before it was created")]
    Expiry,
    /// A body longer than any may be.
    #[error("the body is longer than allowed")]
    BodyLength,
    /// One of the two lengths, or the item count, belongs to a body and the other to none.
    #[error("the lengths of the body contradict each other")]
    NoBody,
    /// More items than a body may hold.
    #[error("the body holds more items than allowed")]
    Items,
    /// The topic is no topic.
    #[error("the topic is no lower-case path")]
    Topic,
    /// More extensions than `limits::EXTENSIONS`.
    #[error("too many extensions")]
    TooManyExtensions,
    /// A tag that repeats or falls.
    #[error("extensions are in rising order of tags, none twice")]
    ExtensionOrder,
    /// A critical bit that is neither 0 nor 1, or on an extension that has none.
    #[error("an extension's critical bit is wrong")]
    CriticalBit,
    /// The scope is no rising list of TLDs, or too long.
    #[error("the scope is no rising list of TLDs")]
    Scope,
    /// The part is outside its set, or the set too large.
    #[error("the part is outside its set")]
    Set,
    /// No targets, too many, or one twice.
    #[error("the targets repeat, are too many, or are none")]
    Targets,
    /// The name of a source is 32 bytes long.
    #[error("the name of the source is no digest")]
    Origin,
    /// A withdrawal of nothing.
    #[error("a withdrawal names its target")]
    NoTarget,
    /// Bytes follow the last extension.
    #[error("bytes follow the end of the header")]
    Trailing,
}

impl Header {
    /// The version that this code writes and understands.
    pub const VERSION: u16 = 1;

    /// The bytes to be signed. Those of received headers are kept, never made again.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(limits::HEADER_BYTES);
        out.extend(MAGIC);
        out.extend(self.version.to_be_bytes());
        out.extend(self.community.digest().as_bytes());
        out.push(ED25519);
        out.extend(self.author.as_bytes());
        out.extend([u8::from(self.audience), u8::from(self.tlp)]);
        out.extend(self.kind.0.to_be_bytes());
        out.extend(self.epoch.0.to_be_bytes());
        out.extend(self.seq.to_be_bytes());
        out.extend(self.prev.as_bytes());
        out.extend(self.created_at.0.to_be_bytes());
        out.extend(self.expires_at.0.to_be_bytes());
        out.extend(self.body_digest.as_bytes());
        out.extend(self.compressed_len.to_be_bytes());
        out.extend(self.raw_len.to_be_bytes());
        out.extend(self.items.to_be_bytes());
        let topic = self.topic.as_str().as_bytes();
        out.push(topic.len() as u8);
        out.extend(topic);
        self.extensions.encode(&mut out);
        out
    }

    /// The log that it is an entry of.
    pub fn log(&self) -> LogId {
        LogId {
            author: self.author,
            audience: self.audience,
            epoch: self.epoch,
        }
    }

    /// Whether this version may interpret the body. If not, the record is stored and relayed all the same.
    pub fn is_understood(&self) -> bool {
        self.version == Self::VERSION && self.extensions.are_understood()
    }

    /// Reads a header; `Signed::verify` is the door that also checks who signed it.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        if bytes.len() > limits::HEADER_BYTES {
            return Err(HeaderFault::TooLong);
        }
        let header = Self::read(Bytes::new(bytes))?;
        header.fits_together()?;
        Ok(header)
    }

    /// Reads the fields in the order of the layout.
    fn read(mut bytes: Bytes<'_>) -> Result<Self, HeaderFault> {
        if bytes.array() != Ok(MAGIC) {
            return Err(HeaderFault::Magic);
        }
        let version = bytes.u16()?;
        Ok(Self {
            version,
            community: Community::from_digest(digest(&mut bytes)?),
            author: author(&mut bytes)?,
            audience: Audience::from(bytes.u8()?),
            tlp: Tlp::from(bytes.u8()?),
            kind: Kind(bytes.u16()?),
            epoch: Millis(bytes.u64()?),
            seq: bytes.u64()?,
            prev: digest(&mut bytes)?,
            created_at: Millis(bytes.u64()?),
            expires_at: Millis(bytes.u64()?),
            body_digest: digest(&mut bytes)?,
            compressed_len: bytes.u32()?,
            raw_len: bytes.u32()?,
            items: bytes.u32()?,
            topic: topic(&mut bytes)?,
            extensions: match version {
                Self::VERSION => Extensions::decode(bytes)?,
                _ => Extensions::unread(bytes.rest()),
            },
        })
    }

    /// The rules between fields.
    fn fits_together(&self) -> Result<(), HeaderFault> {
        let has_body = self.raw_len > 0;
        let withdraws = self.version == Self::VERSION && self.kind == Kind::WITHDRAWAL;
        let rules = [
            (self.seq == 0 || self.prev != Digest::ZERO, HeaderFault::Prev),
            (self.expires_at >= self.created_at, HeaderFault::Expiry),
            (
                self.compressed_len as usize <= limits::BODY_BYTES,
                HeaderFault::BodyLength,
            ),
            (self.raw_len as usize <= limits::RAW_BODY_BYTES, HeaderFault::BodyLength),
            (self.items as usize <= limits::BODY_ITEMS, HeaderFault::Items),
            (
                has_body == (self.compressed_len > 0) && (has_body || self.items == 0),
                HeaderFault::NoBody,
            ),
            (!withdraws || !self.extensions.targets.is_empty(), HeaderFault::NoTarget),
        ];
        rules
            .into_iter()
            .find(|(holds, _)| !holds)
            .map_or(Ok(()), |(_, fault)| Err(fault))
    }
}

fn digest(bytes: &mut Bytes<'_>) -> Result<Digest, Short> {
    bytes.array().map(Digest::from_bytes)
}

fn author(bytes: &mut Bytes<'_>) -> Result<PublicKey, HeaderFault> {
    match bytes.u8()? {
        ED25519 => Ok(PublicKey::from_bytes(bytes.array()?)),
        _ => Err(HeaderFault::Algorithm),
    }
}

fn topic(bytes: &mut Bytes<'_>) -> Result<Topic, HeaderFault> {
    let len = usize::from(bytes.u8()?);
    let text = std::str::from_utf8(bytes.take(len)?).map_err(|_| HeaderFault::Topic)?;
    Topic::parse(text).map_err(|_| HeaderFault::Topic)
}

impl From<Short> for HeaderFault {
    fn from(Short: Short) -> Self {
        Self::Short
    }
}

impl Signable for Header {
    const DOMAIN: &'static str = domain::HEADER;
    type Error = HeaderFault;

    fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        Self::decode(bytes)
    }

    fn signer(&self) -> PublicKey {
        self.author
    }
}
