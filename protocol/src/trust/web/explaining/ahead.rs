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

impl Web {
    /// The first moment at which what is said now makes another verdict.
    pub(super) fn changes_at(&self, org: &OrgId, question: &Question) -> Option<Millis> {
        let mut grounds = self.grounds.clone();
        let behind = grounds.behind(&grounds.families.top_of(org));
        let families = grounds.families.clone();
        grounds.keep(|place, said| said.may_veto || behind.contains_key(&families.top_of(&place.subject)));
        let moments = grounds.moments_ahead();
        let before = verdict(&grounds, org, question);
        let mut last = None;
        for at in moments.into_iter().take(limits::MOMENTS_AHEAD) {
            grounds.advance(at);
            if verdict(&grounds, org, question) != before {
                return Some(at);
            }
            last = Some(at);
        }
        last.filter(|_| !grounds.moments_ahead().is_empty())
    }
}

impl Grounds {
    /// When something that is kept, or somebody who says it or of whom it is said, begins or ends.
    fn moments_ahead(&self) -> BTreeSet<Millis> {
        let mut orgs: BTreeSet<OrgId> = BTreeSet::from([self.own]);
        let mut periods: Vec<Period> = Vec::new();
        for (place, said) in &self.said {
            orgs.extend(place.issuer.into_iter().chain([place.subject]));
            periods.extend(said.alive());
        }
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
