//! What a header says beyond its prefix, in extensions that a later version may add to.
//!
//! After the prefix comes one byte, their count; then each extension, in rising order of tags:
//!
//! | bytes | field |
//! |---|---|
//! | 2 | tag |
//! | 1 | 1 when critical, else 0 |
//! | 2 | length of the value |
//! | .. | value |
//!
//! | tag | name | value, never critical |
//! |---|---|---|
//! | 1 | scope | 0, then each TLD as a length byte and its text, rising; or 1 alone: many. At most 400 bytes |
//! | 2 | set | 32 bytes of id, index and count as u32 |
//! | 3 | targets | record ids of 32 bytes, in the author's order, none twice |
//! | 4 | derived_from | 32 bytes that name the source which the record repeats |
//!
//! An unknown extension is kept as it came. When it is critical, the record is stored and relayed and its body is not
//! interpreted. Of a header of an unknown version everything behind the prefix is kept as it came.

use std::collections::BTreeSet;

use starfish_crypto::Digest;

use crate::{limits, observable::Tld};

use super::{
    Origin, RecordId,
    bytes::{Bytes, Short},
    header::HeaderFault,
};

const SCOPE: u16 = 1;
const SET: u16 = 2;
const TARGETS: u16 = 3;
const DERIVED_FROM: u16 = 4;
const SCOPE_TLDS: u8 = 0;
const SCOPE_MANY: u8 = 1;

/// The extensions of a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// The TLDs that the body touches; `None` when it touches none.
    pub scope: Option<Scope>,
    /// The place in a publication of several parts.
    pub set: Option<SetPart>,
    /// Records withdrawn or superseded.
    pub targets: Vec<RecordId>,
    /// The source that the record repeats, when it is no observation of the author's own.
    pub derived_from: Option<Origin>,
    /// What this version cannot read.
    pub unknown: Vec<Unread>,
}

/// The TLDs of a body's domains, URLs and addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// These. Never empty.
    Tlds(BTreeSet<Tld>),
    /// More than fit into `limits::SCOPE_BYTES`.
    Many,
}

/// One part of a publication that was split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetPart {
    /// Names the publication.
    pub id: Digest,
    /// The part's place, from 0.
    pub index: u32,
    /// How many parts there are; at most `limits::SET_PARTS`.
    pub count: u32,
}

/// Bytes of a header that this version cannot read and passes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// An extension with an unknown tag.
    Extension {
        /// Its tag.
        tag: u16,
        /// True when the body means something else to those who do not know the tag.
        critical: bool,
        /// Its value.
        bytes: Vec<u8>,
    },
    /// Everything behind the prefix of a header of an unknown version.
    Rest(Vec<u8>),
}

impl Scope {
    /// The scope of a body that touches these TLDs.
    pub fn of(tlds: impl IntoIterator<Item = Tld>) -> Option<Self> {
        let tlds: BTreeSet<Tld> = tlds.into_iter().collect();
        if tlds.is_empty() {
            return None;
        }
        let scope = Self::Tlds(tlds);
        Some(if scope.encode().len() <= limits::SCOPE_BYTES {
            scope
        } else {
            Self::Many
        })
    }

    fn encode(&self) -> Vec<u8> {
        let Self::Tlds(tlds) = self else {
            return vec![SCOPE_MANY];
        };
        let mut out = vec![SCOPE_TLDS];
        for tld in tlds {
            let text = tld.as_str().as_bytes();
            out.push(text.len() as u8);
            out.extend_from_slice(text);
        }
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        if bytes.len() > limits::SCOPE_BYTES {
            return Err(HeaderFault::Scope);
        }
        let mut bytes = Bytes::new(bytes);
        match bytes.u8() {
            Ok(SCOPE_MANY) if bytes.is_empty() => Ok(Self::Many),
            Ok(SCOPE_TLDS) if !bytes.is_empty() => tlds(bytes).map(Self::Tlds).ok_or(HeaderFault::Scope),
            _ => Err(HeaderFault::Scope),
        }
    }
}

/// TLDs in rising order, none twice, each in its one form.
fn tlds(mut bytes: Bytes<'_>) -> Option<BTreeSet<Tld>> {
    let mut tlds = BTreeSet::new();
    while !bytes.is_empty() {
        let len = usize::from(bytes.u8().ok()?);
        let text = std::str::from_utf8(bytes.take(len).ok()?).ok()?;
        let tld = Tld::parse(text).ok().filter(|tld| tld.as_str() == text)?;
        if tlds.last().is_some_and(|last| *last >= tld) {
            return None;
        }
        tlds.insert(tld);
    }
    Some(tlds)
}

impl SetPart {
    fn encode(&self) -> Vec<u8> {
        let mut out = self.id.as_bytes().to_vec();
        out.extend(self.index.to_be_bytes());
        out.extend(self.count.to_be_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let mut bytes = Bytes::new(bytes);
        let mut read = || Ok((bytes.array()?, bytes.u32()?, bytes.u32()?));
        let (id, index, count) = read().map_err(|Short| HeaderFault::Set)?;
        if !bytes.is_empty() || index >= count || count > limits::SET_PARTS {
            return Err(HeaderFault::Set);
        }
        Ok(Self {
            id: Digest::from_bytes(id),
            index,
            count,
        })
    }
}

fn decode_origin(bytes: &[u8]) -> Result<Origin, HeaderFault> {
    let bytes = bytes.try_into().map_err(|_| HeaderFault::Origin)?;
    Ok(Origin::from_digest(Digest::from_bytes(bytes)))
}

fn encode_targets(targets: &[RecordId]) -> Vec<u8> {
    targets.iter().flat_map(|target| *target.digest().as_bytes()).collect()
}

fn decode_targets(bytes: &[u8]) -> Result<Vec<RecordId>, HeaderFault> {
    let (whole, rest) = bytes.as_chunks::<32>();
    if whole.is_empty() || whole.len() > limits::TARGETS || !rest.is_empty() {
        return Err(HeaderFault::Targets);
    }
    let targets: Vec<RecordId> = whole
        .iter()
        .map(|bytes| RecordId::from_digest(Digest::from_bytes(*bytes)))
        .collect();
    let distinct: BTreeSet<&RecordId> = targets.iter().collect();
    if distinct.len() < targets.len() {
        return Err(HeaderFault::Targets);
    }
    Ok(targets)
}

impl Extensions {
    /// Whether a critical extension is among those that this version cannot read.
    pub(super) fn are_understood(&self) -> bool {
        self.unknown
            .iter()
            .all(|unread| matches!(unread, Unread::Extension { critical: false, .. }))
    }

    /// Appends everything that follows the prefix.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        if let [Unread::Rest(rest)] = self.unknown.as_slice() {
            return out.extend_from_slice(rest);
        }
        let scope = self.scope.as_ref().map(|scope| (SCOPE, false, scope.encode()));
        let set = self.set.map(|set| (SET, false, set.encode()));
        let targets = (!self.targets.is_empty()).then(|| (TARGETS, false, encode_targets(&self.targets)));
        let origin = self.derived_from.map(|origin| origin.digest().as_bytes().to_vec());
        let origin = origin.map(|origin| (DERIVED_FROM, false, origin));
        let unknown = self.unknown.iter().filter_map(|unread| match unread {
            Unread::Extension { tag, critical, bytes } => Some((*tag, *critical, bytes.clone())),
            Unread::Rest(_) => None,
        });
        let known = [scope, set, targets, origin].into_iter().flatten();
        let mut all: Vec<_> = known.chain(unknown).collect();
        all.sort_by_key(|(tag, ..)| *tag);
        out.push(all.len() as u8);
        for (tag, critical, bytes) in all {
            out.extend(tag.to_be_bytes());
            out.push(u8::from(critical));
            // A value that does not fit makes a header that `decode` refuses.
            out.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend(bytes);
        }
    }

    /// Reads everything that follows the prefix of a header of this version.
    pub(super) fn decode(mut bytes: Bytes<'_>) -> Result<Self, HeaderFault> {
        let count = usize::from(bytes.u8()?);
        if count > limits::EXTENSIONS {
            return Err(HeaderFault::TooManyExtensions);
        }
        let mut extensions = Self::default();
        let mut last = None;
        for _ in 0..count {
            let (tag, critical, len) = (bytes.u16()?, bytes.u8()?, bytes.u16()?);
            let value = bytes.take(usize::from(len))?;
            if last.is_some_and(|last| last >= tag) {
                return Err(HeaderFault::ExtensionOrder);
            }
            last = Some(tag);
            extensions.add(tag, critical, value)?;
        }
        if bytes.is_empty() {
            Ok(extensions)
        } else {
            Err(HeaderFault::Trailing)
        }
    }

    /// Of a header of an unknown version: nothing is read, everything is kept.
    pub(super) fn unread(rest: &[u8]) -> Self {
        Self {
            unknown: vec![Unread::Rest(rest.to_vec())],
            ..Self::default()
        }
    }

    fn add(&mut self, tag: u16, critical: u8, value: &[u8]) -> Result<(), HeaderFault> {
        match (tag, critical) {
            (SCOPE, 0) => self.scope = Some(Scope::decode(value)?),
            (SET, 0) => self.set = Some(SetPart::decode(value)?),
            (TARGETS, 0) => self.targets = decode_targets(value)?,
            (DERIVED_FROM, 0) => self.derived_from = Some(decode_origin(value)?),
            (SCOPE | SET | TARGETS | DERIVED_FROM, _) | (_, 2..) => return Err(HeaderFault::CriticalBit),
            (tag, critical) => {
                self.unknown.push(Unread::Extension {
                    tag,
                    critical: critical == 1,
                    bytes: value.to_vec(),
                });
            }
        }
        Ok(())
    }
}
