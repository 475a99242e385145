//! What a score is enough for: one [`Policy`] for each output, as a state machine (design, trust 5.2a).
//!
//! To be listed takes more than to stay: age alone unlists nothing before it expires, so what is listed is judged with the
//! clock stopped at the moment of listing. It falls when claims are withdrawn, trust is lost or others dispute it. The
//! dispute of one organisation only asks the operator to look, or any believed organisation could unblock what it likes.

use std::collections::BTreeSet;

use super::Assessment;
use crate::{organisation::OrgId, time::Millis};

/// What `two-source` asks at the moment of listing, per mille. One full source reaches 750.
const SURE: u32 = 800;
/// Under this score, per mille, nothing stays listed.
const DOUBT: u32 = 500;

/// What one output asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The word of one of these.
    Named(BTreeSet<OrgId>),
    /// A score of 800 per mille and a set of reporters that survives the removal of any one organisation.
    #[default]
    TwoSource,
    /// This score, per mille.
    Score(u32),
}

/// Whether an observable is in an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// It is not.
    #[default]
    Out,
    /// It is.
    Listed {
        /// Since when.
        since: Millis,
        /// Somebody believed disputes it: the operator should look.
        review: bool,
    },
}

/// What is known of an observable.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// As of now.
    pub fresh: &'a Assessment,
    /// What is known now, with the clock of the moment of listing; the same as `fresh` for what is not listed.
    pub held: &'a Assessment,
    /// When the last record that names it expires.
    pub expires_at: Millis,
    /// The local analyst took it out.
    pub released: bool,
}

/// What is missing for a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A higher score.
    Score {
        /// What it has, per mille.
        has: u32,
        /// What it needs.
        needs: u32,
    },
    /// A second source that does not hang on the first.
    SecondSource,
    /// The word of one of these.
    Named(BTreeSet<OrgId>),
    /// Two independent sources dispute it.
    Disputed,
    /// The local analyst took it out.
    Released,
    /// It has expired.
    Expired,
}

/// Why something is listed no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its time is over.
    Expired,
    /// The local analyst took it out.
    Released,
    /// Two independent sources dispute it.
    Disputed,
    /// Withdrawal, lost trust or dispute left too little.
    Doubted,
}

/// What a step changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is listed now.
    Listed,
    /// It is not any more.
    Unlisted(Why),
    /// Somebody disputes it now.
    UnderReview,
    /// Nobody does any more.
    Undisputed,
}

impl Policy {
    /// What is missing for a listing at this time; nothing when it may be listed.
    pub fn missing(&self, evidence: Evidence<'_>, now: Millis) -> Vec<Missing> {
        let mut missing = self.wants(evidence.fresh);
        let objections = [
            (evidence.fresh.two_source_dispute, Missing::Disputed),
            (evidence.released, Missing::Released),
            (evidence.expires_at <= now, Missing::Expired),
        ];
        missing.extend(
            objections
                .into_iter()
                .filter(|(applies, _)| *applies)
                .map(|(_, what)| what),
        );
        missing
    }

    fn wants(&self, assessment: &Assessment) -> Vec<Missing> {
        let has = assessment.score();
        let score = |needs: u32| (has < needs).then_some(Missing::Score { has, needs });
        match self {
            Self::Named(orgs) if is_named(orgs, assessment) => Vec::new(),
            Self::Named(orgs) => vec![Missing::Named(orgs.clone())],
            Self::TwoSource => {
                let second = (!assessment.two_source).then_some(Missing::SecondSource);
                score(SURE).into_iter().chain(second).collect()
            }
            Self::Score(needs) => score(*needs).into_iter().collect(),
        }
    }

    /// Follows what is known at a time. Steps may be late or repeated.
    pub fn step(&self, place: Place, evidence: Evidence<'_>, now: Millis) -> (Place, Option<Change>) {
        let disputed = !evidence.fresh.disputers().is_empty();
        match place {
            Place::Out if self.missing(evidence, now).is_empty() => {
                let listed = Place::Listed {
                    since: now,
                    review: disputed,
                };
                (listed, Some(Change::Listed))
            }
            Place::Out => (Place::Out, None),
            Place::Listed { since, review } => match self.falls(evidence, now) {
                Some(why) => (Place::Out, Some(Change::Unlisted(why))),
                None => {
                    let change = match (review, disputed) {
                        (false, true) => Some(Change::UnderReview),
                        (true, false) => Some(Change::Undisputed),
                        _ => None,
                    };
                    let place = Place::Listed {
                        since,
                        review: disputed,
                    };
                    (place, change)
                }
            },
        }
    }

    /// Why what is listed does not stay, if it does not.
    fn falls(&self, evidence: Evidence<'_>, now: Millis) -> Option<Why> {
        if evidence.expires_at <= now {
            return Some(Why::Expired);
        }
        if evidence.released {
            return Some(Why::Released);
        }
        if evidence.fresh.two_source_dispute {
            return Some(Why::Disputed);
        }
        let doubted = match self {
            // The word of one who is named is enough whatever the score, so only the loss of that word counts.
            Self::Named(orgs) => !is_named(orgs, evidence.held),
            Self::TwoSource => evidence.held.score() < DOUBT,
            Self::Score(needs) => evidence.held.score() < DOUBT.min(*needs),
        };
        doubted.then_some(Why::Doubted)
    }
}

fn is_named(orgs: &BTreeSet<OrgId>, assessment: &Assessment) -> bool {
    !assessment.reporters().is_disjoint(orgs)
}
