//! What a record says: a bundle of observables, or the withdrawal of an earlier record (design, protocol 3).
//!
//! The raw form of a body is its kind (two bytes, big endian) and one `codec` document, so that the bytes of one kind never
//! pass for another. [`Body::from_raw`] returns a finished value or the reason why there is none.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};
use thiserror::Error;

use crate::{
    codec, limits,
    observable::{Observable, Tld},
    time::Millis,
};

use super::{Kind, Opinion, RecordId, View, bytes::Bytes};

/// The content of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Observables under one context.
    Indicators(Bundle),
    /// The end of a record or of a part of it.
    Withdrawal(Withdrawal),
    /// What somebody thinks of a record.
    Opinion(Opinion),
    /// What this version cannot interpret: the raw bytes of an unknown kind, or nothing at all behind a header that
    /// [is not understood](super::Header::is_understood).
    Unknown(Vec<u8>),
}

/// Many observables that share one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// How sure the author is, 0 to 100.
    pub confidence: u8,
    /// What they have in common, in the author's words; at most `limits::CONTEXT_BYTES`, without control characters.
    pub context: String,
    /// Rising, none twice, at least one and at most `limits::BODY_ITEMS`.
    pub observables: Vec<Observable>,
}

/// The end of an earlier record of the same organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// The record.
    pub target: RecordId,
    /// What of it is withdrawn, rising and none twice; empty means all of it.
    pub observables: Vec<Observable>,
    /// Why; 1 to `limits::REASON_BYTES`, without control characters.
    pub reason: String,
}

/// Why a body is not what it should be. Everything but `Length` and `Digest` is provably the author's fault.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    /// Not as long as the header says.
    #[error("the compressed body is not as long as its header says")]
    Length,
    /// Not the bytes that the header names.
    #[error("the compressed body has another digest than its header says")]
    Digest,
    /// No zstd frame, or one that holds more than the header says.
    #[error("the body does not decompress to what its header says")]
    Compression,
    /// Shorter than the header says once it is decompressed.
    #[error("the body is not as long as its header says")]
    RawLength,
    /// The body's kind is not the header's.
    #[error("the body is of another kind than its header says")]
    Kind,
    /// The document does not decode.
    #[error("the body does not decode")]
    Malformed,
    /// The document decodes, but was written in another way than the one that everybody writes.
    #[error("the body is not in its one canonical form")]
    NotCanonical,
    /// More than 100 %.
    #[error("the confidence is over 100")]
    Confidence,
    /// Too long, or with control characters.
    #[error("the context is over 1,024 bytes or holds control characters")]
    Context,
    /// A bundle of nothing.
    #[error("the bundle is empty")]
    Empty,
    /// More than `limits::BODY_ITEMS`.
    #[error("the body holds more than 10,000 observables")]
    TooMany,
    /// Out of order, or one twice.
    #[error("the observables are not in rising order, or one is there twice")]
    Order,
    /// None, too long, or with control characters.
    #[error("the reason is missing, over 512 bytes, or holds control characters")]
    Reason,
    /// Another number of items than the header says.
    #[error("the body holds another number of items than its header says")]
    Items,
    /// Other TLDs than the header says.
    #[error("the body touches other TLDs than its header says")]
    Scope,
    /// Neither a sighting nor a false positive.
    #[error("the opinion is of no known kind")]
    View,
    /// Never seen, or seen last before it was seen first.
    #[error("the opinion counts nothing, or ends before it begins")]
    Seen,
    /// More than `limits::OPINION_ITEMS`.
    #[error("the opinion is on more than 100 observables")]
    TooManyOpinions,
    /// Another target than the header says.
    #[error("the body is about another record than its header says")]
    Target,
}

impl Bundle {
    /// Sorts the observables and drops repeats; refuses what cannot be published.
    pub fn new(confidence: u8, context: String, mut observables: Vec<Observable>) -> Result<Self, BodyFault> {
        observables.sort();
        observables.dedup();
        let bundle = Self {
            confidence,
            context,
            observables,
        };
        bundle.check().map(|()| bundle)
    }

    fn check(&self) -> Result<(), BodyFault> {
        let plain = self.context.len() <= limits::CONTEXT_BYTES && !self.context.contains(char::is_control);
        let rules = [
            (self.confidence <= limits::CONFIDENCE, BodyFault::Confidence),
            (plain, BodyFault::Context),
            (!self.observables.is_empty(), BodyFault::Empty),
            (self.observables.len() <= limits::BODY_ITEMS, BodyFault::TooMany),
            (are_rising(&self.observables), BodyFault::Order),
        ];
        first_broken(rules)
    }
}

impl Withdrawal {
    /// Sorts the observables and drops repeats; refuses what cannot be published. No observables means the whole record.
    pub fn new(target: RecordId, mut observables: Vec<Observable>, reason: String) -> Result<Self, BodyFault> {
        observables.sort();
        observables.dedup();
        let withdrawal = Self {
            target,
            observables,
            reason,
        };
        withdrawal.check().map(|()| withdrawal)
    }

    fn check(&self) -> Result<(), BodyFault> {
        let fits = (1..=limits::REASON_BYTES).contains(&self.reason.len());
        let rules = [
            (fits && !self.reason.contains(char::is_control), BodyFault::Reason),
            (self.observables.len() <= limits::BODY_ITEMS, BodyFault::TooMany),
            (are_rising(&self.observables), BodyFault::Order),
        ];
        first_broken(rules)
    }
}

pub(super) fn are_rising(observables: &[Observable]) -> bool {
    observables.is_sorted_by(|left, right| left < right)
}

pub(super) fn first_broken<const N: usize>(rules: [(bool, BodyFault); N]) -> Result<(), BodyFault> {
    rules
        .into_iter()
        .find(|(holds, _)| !holds)
        .map_or(Ok(()), |(_, fault)| Err(fault))
}

impl Body {
    /// Its observables; none in an unknown body.
    pub fn observables(&self) -> &[Observable] {
        match self {
            Self::Indicators(bundle) => &bundle.observables,
            Self::Withdrawal(withdrawal) => &withdrawal.observables,
            Self::Opinion(opinion) => &opinion.observables,
            Self::Unknown(_) => &[],
        }
    }

    /// The TLDs that it touches, with repeats.
    pub(super) fn tlds(&self) -> impl Iterator<Item = Tld> {
        self.observables().iter().filter_map(Observable::tld)
    }

    /// Its raw bytes.
    pub(super) fn to_raw(&self) -> Vec<u8> {
        let (kind, document) = match self {
            Self::Indicators(Bundle {
                confidence,
                context,
                observables,
            }) => (Kind::INDICATORS, codec::encode(&(confidence, context, observables))),
            Self::Withdrawal(Withdrawal {
                target,
                observables,
                reason,
            }) => (Kind::WITHDRAWAL, codec::encode(&(target, observables, reason))),
            Self::Opinion(opinion) => (Kind::OPINION, codec::encode(&written(opinion))),
            Self::Unknown(raw) => return raw.clone(),
        };
        [kind.0.to_be_bytes().as_slice(), &document].concat()
    }

    /// Reads raw bytes of this kind.
    pub(super) fn from_raw(kind: Kind, raw: &[u8]) -> Result<Self, BodyFault> {
        let mut bytes = Bytes::new(raw);
        if bytes.u16() != Ok(kind.0) {
            return Err(BodyFault::Kind);
        }
        let body = match kind {
            Kind::INDICATORS => {
                let (confidence, context, observables): (u8, String, Observables) = document(bytes)?;
                let bundle = Bundle {
                    confidence,
                    context,
                    observables: observables.0,
                };
                bundle.check()?;
                Self::Indicators(bundle)
            }
            Kind::WITHDRAWAL => {
                let (target, observables, reason): (RecordId, Observables, String) = document(bytes)?;
                let withdrawal = Withdrawal {
                    target,
                    observables: observables.0,
                    reason,
                };
                withdrawal.check()?;
                Self::Withdrawal(withdrawal)
            }
            Kind::OPINION => {
                let opinion = read(document(bytes)?)?;
                opinion.check()?;
                Self::Opinion(opinion)
            }
            _ => return Ok(Self::Unknown(raw.to_vec())),
        };
        // An integer can be written longer than needed; one content has one form, or its bytes could carry a hidden mark.
        if body.to_raw() == raw {
            Ok(body)
        } else {
            Err(BodyFault::NotCanonical)
        }
    }
}

/// An opinion in the order of its layout.
type Written<Values> = (RecordId, Values, u8, u32, Millis, Millis, u8, String);

fn written(opinion: &Opinion) -> Written<&[Observable]> {
    let Opinion { target, verdict, .. } = opinion;
    let (first, last) = (opinion.first_seen, opinion.last_seen);
    let (values, reason) = (opinion.observables.as_slice(), opinion.reason.clone());
    let code = verdict.code();
    (
        *target,
        values,
        code,
        opinion.count,
        first,
        last,
        opinion.confidence,
        reason,
    )
}

fn read(document: Written<Observables>) -> Result<Opinion, BodyFault> {
    let (target, observables, code, count, first_seen, last_seen, confidence, reason) = document;
    Ok(Opinion {
        target,
        observables: observables.0,
        verdict: View::of_code(code)?,
        count,
        first_seen,
        last_seen,
        confidence,
        reason,
    })
}

fn document<T: serde::de::DeserializeOwned>(bytes: Bytes<'_>) -> Result<T, BodyFault> {
    codec::decode(bytes.rest(), limits::RAW_BODY_BYTES).map_err(|_| BodyFault::Malformed)
}

/// A list of observables whose count is checked before anything is set aside for it.
struct Observables(Vec<Observable>);

impl<'de> Deserialize<'de> for Observables {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_seq(ObservablesVisitor).map(Self)
    }
}

struct ObservablesVisitor;

impl<'de> Visitor<'de> for ObservablesVisitor {
    type Value = Vec<Observable>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "at most {} observables", limits::BODY_ITEMS)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Observable>, A::Error> {
        let count = items.size_hint().unwrap_or_default();
        if count > limits::BODY_ITEMS {
            return Err(A::Error::invalid_length(count, &self));
        }
        let mut observables = Vec::with_capacity(count);
        while let Some(observable) = items.next_element()? {
            observables.push(observable);
        }
        Ok(observables)
    }
}
