//! When time alone will change a verdict: what is to come is tried out, on as much of the web as matters to one organisation.

use std::collections::BTreeSet;

use super::Verdict;
use crate::{
    limits,
    organisation::OrgId,
    time::Millis,
    trust::web::{
        Question, Web,
        grounds::{Grounds, Period},
        layer::{Layer, Purpose},
    },
};

/// How many graphs each verdict takes.
const LAYERS: usize = 3;

impl Web {
    /// The first moment at which what is said now makes another verdict, or else the first that was not tried out.
    pub(super) fn changes_at(&self, org: &OrgId, question: &Question) -> Option<Millis> {
        let families = &self.grounds.families;
        let behind = self.grounds.behind(&families.top_of(org));
        let matters = |subject: &OrgId| behind.contains_key(&families.top_of(subject));
        let mut grounds = self
            .grounds
            .excerpt(|place, said| said.may_veto || matters(&place.subject));
        let moments = grounds.moments_ahead(org);
        let tried = tries(grounds.said.len());
        if tried > 0 {
            let before = verdict(&grounds, org, question);
            for at in moments.iter().take(tried) {
                grounds.advance(*at);
                if verdict(&grounds, org, question) != before {
                    return Some(*at);
                }
            }
        }
        moments.into_iter().nth(tried)
    }
}

/// How many moments are tried out where so much is said.
fn tries(said: usize) -> usize {
    let verdicts = limits::AHEAD_LOOKED / (LAYERS * said).max(1);
    // The first verdict is of now.
    verdicts.saturating_sub(1).min(limits::MOMENTS_AHEAD)
}

impl Grounds {
    /// When something that is kept begins or ends, or the organisation asked about, or somebody who says something or of whom
    /// it is said, or who is above one of them.
    fn moments_ahead(&self, asked: &OrgId) -> BTreeSet<Millis> {
        let mut orgs = BTreeSet::from([self.own, *asked]);
        let mut periods: Vec<Period> = Vec::new();
        for (place, said) in self.said.iter() {
            orgs.extend(place.issuer.into_iter().chain([place.subject]));
            periods.extend(said.alive());
        }
        let above = |org: &OrgId| self.families.above(org);
        let orgs: BTreeSet<OrgId> = orgs.iter().flat_map(above).collect();
        let heard = self.vetoes.iter().filter(|(issuer, _)| orgs.contains(*issuer));
        periods.extend(heard.flat_map(|(_, vetoes)| vetoes.values().filter_map(|veto| veto.alive())));
        let ends = orgs.iter().filter_map(|org| self.stale_at(org));
        periods.extend(ends.map(|until| Period {
            until,
            ..Period::ALWAYS
        }));
        periods.iter().flat_map(|period| period.after(self.now)).collect()
    }
}

fn verdict(grounds: &Grounds, org: &OrgId, question: &Question) -> Verdict {
    let layer = |purpose| Layer::new(grounds, purpose);
    let mut class = layer(Purpose::Scopes(grounds.scopes.within(question)));
    Verdict::of(
        grounds,
        &layer(Purpose::Reach),
        &layer(Purpose::Confide),
        &mut class,
        org,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_is_tried_out_where_more_is_said() {
        let check = |said: usize, expected: usize| assert_eq!(tries(said), expected, "{said}");
        check(0, limits::MOMENTS_AHEAD);
        check(1_000, limits::MOMENTS_AHEAD);
        check(8_000, 7);
        check(limits::STATEMENTS, 1);
        check(10 * limits::STATEMENTS, 0);
    }
}
