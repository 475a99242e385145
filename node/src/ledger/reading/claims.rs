//! Who says what about a value: the last report of it and the last opinion on it of everybody whose word is here, believed or
//! not, for whoever weighs them (design, trust 5.1).
//!
//! What is believed, what is withdrawn and what is in quarantine are in spaces of their own, and each has its own bound: a
//! flood from strangers displaces nobody who is believed. Of what one node says again and again only the last is read, so
//! that it hides nobody either.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use starfish_crypto::{Digest, PublicKey, domain};
use starfish_protocol::{
    codec, confidence,
    observable::Observable,
    organisation::OrgId,
    record::{Body, Header, Kind, LogId, Origin, RecordId, Topic, View},
    time::Millis,
};

use crate::store::{Space, Store, StoreError};

use super::super::{
    Ledger,
    catalogue::Card,
    keys::{Number, holder_of, number_of, numbered_end},
};

/// So many claims on one value are told in each space: more organisations than there are CERTs say something of one name.
pub const CLAIMS: usize = 1_000;
/// So many of one node, each about another topic.
const OF_ONE_NODE: usize = 16;
/// So many records of one value are looked at in each space, the newest first: a node that says the same again each minute
/// needs a week to fill them.
const LOOKED_AT: usize = 10_000;
/// So many rows of one value are passed in each space: only their numbers are kept.
const ROWS: usize = 1_000_000;
/// Where claims are, in the order of their weight.
const SPACES: [Space; 5] = [
    Space::Seen,
    Space::Opinions,
    Space::Withdrawn,
    Space::Held,
    Space::HeldOpinions,
];

/// What is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claimed {
    /// It is to be looked out for.
    Report,
    /// It was seen.
    Sighting,
    /// It is no threat.
    FalsePositive,
}

/// One record's word about a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose word; none without a certificate.
    pub org: Option<OrgId>,
    /// The node key that signed it.
    pub author: PublicKey,
    /// The record.
    pub record: RecordId,
    /// The record that an opinion is about.
    pub target: Option<RecordId>,
    /// What is claimed.
    pub claimed: Claimed,
    /// How sure the author is, 0 to 100.
    pub confidence: u8,
    /// When it was written, by the author's clock.
    pub created_at: Millis,
    /// When it was seen, by the author's clock: first and last for an opinion, when it was written for a report.
    pub seen: (Millis, Millis),
    /// How often it was seen.
    pub count: u32,
    /// When it came.
    pub received_at: Millis,
    /// When it ends.
    pub expires_at: Millis,
    /// Whether it counts here.
    pub believed: bool,
    /// Whether its organisation took it back.
    pub withdrawn: bool,
    /// Whether its author's node was revoked before it.
    pub void: bool,
    /// The source that it repeats.
    pub derived_from: Option<Origin>,
    /// Its topic.
    pub topic: Topic,
    /// The log that it is in.
    pub log: LogId,
    /// Its place there.
    pub seq: u64,
}

impl Claim {
    /// What there is to weigh in it. What was withdrawn, what a revoked node said and what is of nobody is no claim. What is
    /// held counts for as much as its organisation is trusted.
    pub fn weighable(&self) -> Option<confidence::Claim> {
        let org = self.org.filter(|_| !self.withdrawn && !self.void)?;
        Some(confidence::Claim {
            org,
            // Of a node's logs for one audience the one that was opened last goes on where the others ended.
            log: Digest::of(domain::RECORD, &codec::encode(&(self.author, self.log.audience))),
            place: (self.log.epoch, self.seq),
            kind: match self.claimed {
                Claimed::Report => confidence::Kind::Report,
                Claimed::Sighting => confidence::Kind::Sighting,
                Claimed::FalsePositive => confidence::Kind::FalsePositive,
            },
            confidence: self.confidence,
            observed_at: self.seen.1,
            received_at: self.received_at,
            derived_from: self.derived_from.map(|origin| origin.digest()),
        })
    }
}

/// What is said about a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The believed ones first, then what was withdrawn, then the quarantine's; each in the order in which they came.
    pub claims: Vec<Claim>,
    /// True when there is more than could be read.
    pub truncated: bool,
}

impl<S: Store> Ledger<S> {
    /// Everything that is said about a value and has not expired by now.
    ///
    /// # Errors
    /// The store failed.
    pub fn claims(&self, value: &Observable, now: Millis) -> Result<Claims, StoreError> {
        self.noted(self.claimed(value, now))
    }

    fn claimed(&self, value: &Observable, now: Millis) -> Result<Claims, StoreError> {
        let mut found = Claims::default();
        for space in SPACES {
            let mut claims = Vec::new();
            let mut told: BTreeMap<PublicKey, BTreeSet<(u8, Topic)>> = BTreeMap::new();
            let (numbers, more) = self.holders(space, value)?;
            found.truncated |= more || numbers.len() > LOOKED_AT;
            for number in numbers.into_iter().rev().take(LOOKED_AT) {
                let Some(card) = self.card(number)?.filter(|card| self.is_shown(card, now)) else {
                    continue;
                };
                if claims.len() == CLAIMS {
                    found.truncated = true;
                    break;
                }
                let of_node = told.entry(card.author).or_default();
                // A log is for one audience, which the mark of its records says.
                let is_last = of_node.insert((card.tlp, card.topic.clone()));
                found.truncated |= of_node.len() > OF_ONE_NODE;
                if is_last && of_node.len() <= OF_ONE_NODE {
                    claims.extend(self.claim(number, &card, space == Space::Withdrawn)?);
                }
            }
            found.claims.extend(claims.into_iter().rev());
        }
        // A value that moved between two reads is there twice; the first look was at what counts more.
        let mut seen = BTreeSet::new();
        found.claims.retain(|claim| seen.insert(claim.record));
        Ok(found)
    }

    /// The records that hold a value, in the order in which they came; true when there are more.
    fn holders(&self, space: Space, value: &Observable) -> Result<(BTreeSet<Number>, bool), StoreError> {
        let key = value.key();
        let end = numbered_end(&key);
        let (mut numbers, mut rows, mut broken) = (BTreeSet::new(), 0, Ok(()));
        let each = &mut |row: &[u8], holder: &[u8]| {
            if row >= end.as_slice() {
                return ControlFlow::Break(());
            }
            let number = if holder.is_empty() {
                number_of(row)
            } else {
                holder_of(holder)
            };
            rows += 1;
            broken = number.map(|number| {
                numbers.insert(number);
            });
            if broken.is_err() || rows > ROWS {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        self.store.scan(space, &key, each)?;
        broken?;
        Ok((numbers, rows > ROWS))
    }

    fn is_shown(&self, card: &Card, now: Millis) -> bool {
        card.is_present() && card.stored <= self.counts().serial && card.expires_at > now
    }

    /// None when the record left between two reads.
    fn claim(&self, number: Number, card: &Card, withdrawn: bool) -> Result<Option<Claim>, StoreError> {
        let Some(signed) = self.signed(number)? else {
            return Ok(None);
        };
        let header = Header::decode(signed.bytes()).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
        let mut claim = report(card, &header);
        claim.withdrawn = withdrawn;
        claim.void = self.is_cut_off(number, card)?;
        if card.kind == Kind::OPINION {
            let Some(Body::Opinion(opinion)) = self.content(number, card)? else {
                return Ok(None);
            };
            claim.claimed = match opinion.verdict {
                View::Sighting => Claimed::Sighting,
                View::FalsePositive => Claimed::FalsePositive,
            };
            claim.target = Some(opinion.target);
            claim.seen = (opinion.first_seen, opinion.last_seen);
            claim.count = opinion.count;
        }
        Ok(Some(claim))
    }
}

fn report(card: &Card, header: &Header) -> Claim {
    Claim {
        org: card.org,
        author: card.author,
        record: card.id,
        target: None,
        claimed: Claimed::Report,
        confidence: card.confidence,
        created_at: header.created_at,
        seen: (header.created_at, header.created_at),
        count: 1,
        received_at: card.received_at,
        expires_at: card.expires_at,
        believed: card.believed,
        withdrawn: false,
        void: false,
        derived_from: header.extensions.derived_from,
        topic: card.topic.clone(),
        log: header.log(),
        seq: header.seq,
    }
}
