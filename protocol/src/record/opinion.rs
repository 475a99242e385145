//! What an organisation says about somebody's record: that it saw the same, or that it is mistaken (design, protocol 3).

use crate::{limits, observable::Observable, time::Millis};

use super::{
    BodyFault, RecordId,
    body::{are_rising, first_broken},
};

/// Which way an opinion goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// The author saw the same.
    Sighting,
    /// The author found that it is no threat.
    FalsePositive,
}

impl View {
    /// As it travels.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Sighting => 0,
            Self::FalsePositive => 1,
        }
    }

    pub(super) fn of_code(code: u8) -> Result<Self, BodyFault> {
        match code {
            0 => Ok(Self::Sighting),
            1 => Ok(Self::FalsePositive),
            _ => Err(BodyFault::View),
        }
    }
}

/// An opinion on some observables of a record, whoever published that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The record.
    pub target: RecordId,
    /// About which of its observables: rising, none twice, at least one and at most `limits::OPINION_ITEMS`.
    pub observables: Vec<Observable>,
    /// Seen, or no threat.
    pub verdict: View,
    /// How often; at least once.
    pub count: u32,
    /// When first, by the author's clock.
    pub first_seen: Millis,
    /// When last; not before the first time.
    pub last_seen: Millis,
    /// How sure the author is, 0 to 100.
    pub confidence: u8,
    /// Why; at most `limits::REASON_BYTES`, without control characters. A false positive has one.
    pub reason: String,
}

impl Opinion {
    /// Sorts the observables and drops repeats; refuses what cannot be published.
    pub fn new(mut opinion: Self) -> Result<Self, BodyFault> {
        opinion.observables.sort();
        opinion.observables.dedup();
        opinion.check().map(|()| opinion)
    }

    pub(super) fn check(&self) -> Result<(), BodyFault> {
        let least = usize::from(self.verdict == View::FalsePositive);
        let told = (least..=limits::REASON_BYTES).contains(&self.reason.len());
        let rules = [
            (self.confidence <= limits::CONFIDENCE, BodyFault::Confidence),
            (told && !self.reason.contains(char::is_control), BodyFault::Reason),
            (!self.observables.is_empty(), BodyFault::Empty),
            (
                self.observables.len() <= limits::OPINION_ITEMS,
                BodyFault::TooManyOpinions,
            ),
            (are_rising(&self.observables), BodyFault::Order),
            (self.count > 0 && self.first_seen <= self.last_seen, BodyFault::Seen),
        ];
        first_broken(rules)
    }
}
