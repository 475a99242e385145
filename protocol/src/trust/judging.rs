//! Who is judged anew, and what came of it: a change may concern every organisation there is, so it is dealt with in slices.

use super::{Acceptance, Reason, Rights, Trust, Verdict, Who};
use crate::{limits, organisation::OrgId};

/// How an organisation is judged anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Which.
    pub org: OrgId,
    /// Who caused it.
    pub who: Who,
    /// What was believed of it, and what is now.
    pub believed: (Acceptance, Acceptance),
    /// Its rights as they were dealt with last, and as they are.
    pub rights: (Verdict, Verdict),
    /// As the store was told last, which may have been in an earlier life.
    pub told: Rights,
    /// `B` in any scope: how high it stands among those who want room.
    pub stands: u8,
}

/// How an organisation was dealt with last.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dealt {
    /// As the store was told.
    pub(super) believed: Acceptance,
    rights: Option<Verdict>,
    stood: u8,
}

impl Dealt {
    pub(super) fn told(believed: Acceptance) -> Self {
        Self {
            believed,
            ..Self::default()
        }
    }
}

impl Trust {
    /// Whether somebody is still to be judged anew.
    pub fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Judges at most `limit` organisations anew, and fewer where very much is said of them; what came of those that are
    /// judged differently now.
    pub fn judge_some(&mut self, limit: usize) -> Vec<Judgement> {
        let mut judged = Vec::new();
        let mut looked = 0;
        for _ in 0..limit {
            if looked >= limits::JUDGED_LOOKED_PER_STEP {
                break;
            }
            let Some((org, who)) = self.waiting.pop_first() else {
                break;
            };
            let (acceptance, more) = self.web.accepted(&org);
            looked += more;
            let before = self.dealt.insert((org, Dealt::told(acceptance.clone())));
            let before = before.map(|(_, before)| before).unwrap_or_default();
            let (now, stands) = (self.judge(Some(org)), self.web.reach(&org));
            let dealt = Dealt {
                believed: acceptance.clone(),
                rights: Some(now).filter(|now| now.connect || now.confide),
                stood: stands,
            };
            if dealt == Dealt::default() {
                self.dealt.remove(&org);
            } else {
                self.dealt.insert((org, dealt));
            }
            let had = before.rights.unwrap_or(Verdict::nothing(Reason::Unvouched));
            let told = self.earlier.remove(&org).unwrap_or(had.rights());
            let same = had.rights() == now.rights() && told == now.rights();
            if !same || before.believed != acceptance || before.stood != stands {
                judged.push(Judgement {
                    org,
                    who,
                    believed: (before.believed, acceptance),
                    rights: (had, now),
                    told,
                    stands,
                });
            }
        }
        judged
    }

    /// Whoever is touched is judged anew; the first cause is the one that is told, unless the operator is one. True when there
    /// is somebody.
    pub(super) fn note(&mut self, who: Who) -> bool {
        let touched = self.web.take_touched();
        for org in &touched {
            let cause = self.waiting.entry(*org).or_insert(who);
            if who == Who::Operator {
                *cause = who;
            }
        }
        !touched.is_empty()
    }
}
