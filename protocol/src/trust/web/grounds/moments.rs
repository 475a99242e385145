//! What time alone changes, and when: [`Moments`].

use std::collections::BTreeSet;

use super::{Place, ScopeId};
use crate::{
    ordered::{Ordered, Placed},
    organisation::OrgId,
    time::Millis,
};

/// What begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    Said(Place),
    Veto(OrgId, OrgId, ScopeId),
    Papers(OrgId),
}

/// What begins or ends when.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    others: BTreeSet<(Millis, Moment)>,
    /// Of manifests. Every organisation has one, and most of them nothing else; its name is a third of a moment.
    papers: Ordered<End>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    at: Millis,
    org: OrgId,
}

impl Placed for End {
    type Place = (Millis, OrgId);

    fn place(&self) -> (Millis, OrgId) {
        (self.at, self.org)
    }
}

impl Moments {
    pub(super) fn insert(&mut self, at: Millis, moment: Moment) {
        if let Moment::Papers(org) = moment {
            self.papers.insert(End { at, org });
        } else {
            self.others.insert((at, moment));
        }
    }

    pub(super) fn remove(&mut self, at: Millis, moment: Moment) {
        if let Moment::Papers(org) = moment {
            self.papers.remove(&(at, org));
        } else {
            self.others.remove(&(at, moment));
        }
    }

    /// When something begins or ends next.
    pub(super) fn next(&self) -> Option<Millis> {
        let other = self.others.first().map(|(at, _)| *at);
        other.into_iter().chain(self.papers.first().map(|end| end.at)).min()
    }

    /// Takes out something that has begun or ended by now.
    pub(super) fn take_past(&mut self, now: Millis) -> Option<Moment> {
        let end = self.papers.first().copied().filter(|end| end.at <= now);
        if let Some(End { at, org }) = end {
            self.papers.remove(&(at, org));
            return Some(Moment::Papers(org));
        }
        self.others.first().filter(|(at, _)| *at <= now)?;
        self.others.pop_first().map(|(_, moment)| moment)
    }
}
