//! Who says what about a value: every report of it and every opinion on it that is here, believed or not, for whoever weighs
//! them (design, trust 5.1).
//!
//! What is believed, what is withdrawn and what is in quarantine are in spaces of their own, and each has its own bound: a
//! flood from strangers displaces nobody who is believed.

use std::collections::BTreeSet;

use starfish_crypto::{Digest, PublicKey, domain};
use starfish_protocol::{
    codec, confidence,
    observable::Observable,
    organisation::OrgId,
    record::{Body, Header, Kind, LogId, RecordId, Topic, View},
    time::Millis,
};

use crate::store::{Space, Store, StoreError};

use super::super::{
    Ledger,
    catalogue::Card,
    keys::{Number, holder_of, number_of, numbered_end},
    writer::stored_rows,
};

/// So many rows of one value are read in each space: more organisations than there are CERTs say something of one name.
pub const CLAIMS: usize = 1_000;
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
    /// Its topic.
    pub topic: Topic,
    /// The log that it is in.
    pub log: LogId,
    /// Its place there.
    pub seq: u64,
}

impl Claim {
    /// What there is to weigh in it. What was withdrawn, and what is of nobody, is no claim. What is held counts for as much as its
    /// organisation is trusted.
    pub fn weighable(&self) -> Option<confidence::Claim> {
        let org = self.org.filter(|_| !self.withdrawn)?;
        Some(confidence::Claim {
            org,
            log: Digest::of(domain::RECORD, &codec::encode(&self.log)),
            place: (self.log.epoch, self.seq),
            kind: match self.claimed {
                Claimed::Report => confidence::Kind::Report,
                Claimed::Sighting => confidence::Kind::Sighting,
                Claimed::FalsePositive => confidence::Kind::FalsePositive,
            },
            confidence: self.confidence,
            observed_at: self.seen.1,
            received_at: self.received_at,
            derived_from: None,
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
        let key = value.key();
        let end = numbered_end(&key);
        for space in SPACES {
            let rows = stored_rows(&self.store, space, &key, &end, CLAIMS + 1)?;
            found.truncated |= rows.len() > CLAIMS;
            let mut numbers = BTreeSet::new();
            for (row, holder) in rows.iter().take(CLAIMS) {
                let number = if holder.is_empty() {
                    number_of(row)?
                } else {
                    holder_of(holder)?
                };
                numbers.insert(number);
            }
            for number in numbers {
                found.claims.extend(self.claim(number, space == Space::Withdrawn, now)?);
            }
        }
        // A value that moved between two reads is there twice; the first look was at what counts more.
        let mut seen = BTreeSet::new();
        found.claims.retain(|claim| seen.insert(claim.record));
        Ok(found)
    }

    fn claim(&self, number: Number, withdrawn: bool, now: Millis) -> Result<Option<Claim>, StoreError> {
        let durable = self.counts().serial;
        let shown = |card: &Card| card.is_present() && card.stored <= durable && card.expires_at > now;
        let (Some(card), Some(signed)) = (self.card(number)?.filter(shown), self.signed(number)?) else {
            return Ok(None);
        };
        let header = Header::decode(signed.bytes()).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
        let mut claim = report(&card, &header, withdrawn);
        if card.kind == Kind::OPINION {
            // It may have left between two reads.
            let Some(Body::Opinion(opinion)) = self.content(number, &card)? else {
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

fn report(card: &Card, header: &Header, withdrawn: bool) -> Claim {
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
        withdrawn,
        topic: card.topic.clone(),
        log: header.log(),
        seq: header.seq,
    }
}
