//! Everything that trust is computed from: [`Grounds`], what the operator and the organisations have said, and from when to
//! when it holds.
//!
//! Whatever is told here is noted in [`Changes`] when it differs from what was there, so that who computes from it need not
//! begin anew. Nothing of it depends on the order in which things were told.

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::Digest;

use crate::{
    ordered::Ordered,
    organisation::OrgId,
    statement::{Endorsement, Freeze, Veto},
    time::Millis,
    trust::{Pin, Root},
};

pub(super) mod families;
mod moments;
pub(super) mod scopes;
mod telling;

use self::{
    families::Families,
    moments::{Moment, Moments},
    scopes::{ANYTHING, ScopeId, Scopes},
};

/// Two nodes of the graph, of which the first vouches for the second; none is this node's own policy.
pub(super) type Pair = (Option<OrgId>, OrgId);

/// Where something is said: by whom (none is a root entry), of whom, in which scope, and as the how manieth there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) issuer: Option<OrgId>,
    pub(super) subject: OrgId,
    pub(super) scope: ScopeId,
    pub(super) number: u32,
}

/// An endorsement or a root entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// 0 takes back what was said before.
    pub(super) amount: u8,
    pub(super) depth: u8,
    pub(super) may_veto: bool,
    pub(super) receive_green: bool,
    pub(super) period: Period,
}

/// A veto.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) withdrawn: bool,
    pub(super) period: Period,
}

/// From a time on, until before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) from: Millis,
    pub(super) until: Millis,
}

/// What is known of an organisation's manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Papers {
    pub(super) frozen: Option<Freeze>,
    pub(super) until: Millis,
}

/// Why nothing of an organisation counts. The first that applies is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Barred {
    /// The operator says so, of it or of one above it.
    PinnedBad,
    /// No manifest of it is here, and the operator has no entry for it.
    Unknown,
    /// Two manifests follow one, and nobody has settled which counts.
    Forked,
    /// Its last manifest says that no other follows.
    Retired,
    /// Its manifest is over, and no other came.
    Stale,
}

/// What is to be computed anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// Between these nodes something else may be said.
    pub(super) pairs: BTreeSet<Pair>,
    /// Somebody's veto against somebody may have begun or ended.
    pub(super) vetoes: BTreeSet<(OrgId, OrgId)>,
    /// Whether these may be vetoed may have changed, or who stands for them, or whether they are barred.
    pub(super) orgs: BTreeSet<OrgId>,
    /// Scopes that nobody used before.
    pub(super) begun: BTreeSet<ScopeId>,
    /// Scopes that nobody uses any more.
    pub(super) ended: BTreeSet<ScopeId>,
}

/// The grounds of trust.
#[derive(Clone, Debug)]
pub(super) struct Grounds {
    pub(super) own: OrgId,
    pub(super) now: Millis,
    pub(super) said: Ordered<(Place, Said)>,
    pub(super) vetoes: BTreeMap<OrgId, BTreeMap<(OrgId, ScopeId), Refusal>>,
    pub(super) scopes: Scopes,
    pub(super) families: Families,
    papers: Ordered<(OrgId, Papers)>,
    pins: BTreeMap<OrgId, Pin>,
    /// Pinned bad, with all below them.
    bad: BTreeSet<OrgId>,
    /// What is said between other nodes than those of the two organisations themselves.
    moved: BTreeSet<(Pair, Place)>,
    /// Of whom something is said, and by whom, root entries aside.
    vouched: BTreeSet<(OrgId, OrgId)>,
    moments: Moments,
    changes: Changes,
}

const FIRST: OrgId = OrgId::from_digest(Digest::ZERO);

impl Place {
    /// Before every other one.
    const FIRST: Self = Self {
        issuer: None,
        subject: FIRST,
        scope: ANYTHING,
        number: 0,
    };

    /// The two organisations, as far as there are two.
    pub(super) fn ends(&self) -> Pair {
        (self.issuer, self.subject)
    }
}

impl Period {
    pub(super) const ALWAYS: Self = Self {
        from: Millis(0),
        until: Millis(u64::MAX),
    };

    pub(super) fn holds(&self, now: Millis) -> bool {
        self.from <= now && now < self.until
    }

    fn ends(&self) -> [Millis; 2] {
        [self.from, self.until]
    }

    /// When it begins and ends, as far as that is still to come.
    pub(super) fn after(&self, now: Millis) -> impl Iterator<Item = Millis> + use<> {
        let ends = self.ends().into_iter();
        ends.filter(move |at| *at > now && *at < Self::ALWAYS.until)
    }
}

impl Said {
    /// From when to when it may count; none when it takes back what was said before.
    pub(super) fn alive(&self) -> Option<Period> {
        (self.amount > 0).then_some(self.period)
    }
}

impl Refusal {
    /// From when to when it may count; none when it takes back what was said before.
    pub(super) fn alive(&self) -> Option<Period> {
        (!self.withdrawn).then_some(self.period)
    }

    pub(super) fn counts(&self, now: Millis) -> bool {
        !self.withdrawn && self.period.holds(now)
    }
}

impl Papers {
    fn period(&self) -> Period {
        Period {
            from: Period::ALWAYS.from,
            until: self.until,
        }
    }
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        let quiet = self.pairs.is_empty() && self.vetoes.is_empty() && self.orgs.is_empty();
        quiet && self.begun.is_empty() && self.ended.is_empty()
    }

    pub(super) fn extend(&mut self, more: &Self) {
        self.pairs.extend(&more.pairs);
        self.vetoes.extend(&more.vetoes);
        self.orgs.extend(&more.orgs);
    }
}

impl From<&Root> for Said {
    fn from(root: &Root) -> Self {
        Self {
            amount: root.amount,
            depth: root.depth,
            may_veto: root.may_veto,
            receive_green: root.receive_green,
            period: Period::ALWAYS,
        }
    }
}

impl From<&Endorsement> for Said {
    fn from(says: &Endorsement) -> Self {
        Self {
            amount: says.amount,
            depth: says.depth,
            may_veto: says.may_veto,
            receive_green: says.receive_green,
            period: Period {
                from: says.not_before,
                until: says.not_after,
            },
        }
    }
}

impl From<&Veto> for Refusal {
    fn from(veto: &Veto) -> Self {
        Self {
            withdrawn: veto.withdrawn,
            period: Period {
                from: veto.not_before,
                until: veto.not_after,
            },
        }
    }
}

impl Grounds {
    pub(super) fn new(own: OrgId) -> Self {
        Self {
            own,
            now: Millis(0),
            said: Ordered::default(),
            vetoes: BTreeMap::new(),
            scopes: Scopes::new(),
            families: Families::new(own),
            papers: Ordered::default(),
            pins: BTreeMap::new(),
            bad: BTreeSet::new(),
            moved: BTreeSet::new(),
            vouched: BTreeSet::new(),
            moments: Moments::default(),
            changes: Changes::default(),
        }
    }

    pub(super) fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    pub(super) fn is_pinned_good(&self, org: &OrgId) -> bool {
        self.pins.get(org) == Some(&Pin::Good)
    }

    /// When something begins or ends next.
    pub(super) fn next_change(&self) -> Option<Millis> {
        self.moments.next()
    }

    /// Whose manifests are known, and who has said anything.
    pub(super) fn heard_of(&self) -> BTreeSet<OrgId> {
        let issuers = self.said.iter().filter_map(|(place, _)| place.issuer);
        let known = self.papers.iter().map(|(org, _)| *org);
        known.chain(self.vetoes.keys().copied()).chain(issuers).collect()
    }

    /// Everything that one issuer says of others; none asks for the root entries.
    pub(super) fn said_by(&self, issuer: Option<OrgId>) -> impl Iterator<Item = (&Place, &Said)> {
        let first = Place { issuer, ..Place::FIRST };
        let all = self.said.from(&first).map(|(place, said)| (place, said));
        all.take_while(move |(place, _)| place.issuer == issuer)
    }

    /// What one issuer, or the operator, says of an organisation.
    fn said_to<'a>(
        &'a self,
        issuer: Option<OrgId>,
        subject: OrgId,
    ) -> impl Iterator<Item = (&'a Place, &'a Said)> + use<'a> {
        let first = Place {
            issuer,
            subject,
            ..Place::FIRST
        };
        let all = self.said.from(&first).map(|(place, said)| (place, said));
        all.take_while(move |(place, _)| place.ends() == (issuer, subject))
    }

    /// What is said of an organisation, root entries first.
    pub(super) fn said_about<'a>(&'a self, org: &OrgId) -> impl Iterator<Item = (&'a Place, &'a Said)> + use<'a> {
        let org = *org;
        let issuers = self.vouched.range((org, FIRST)..);
        let issuers = issuers.take_while(move |(of, _)| *of == org);
        let issuers = issuers.map(|(_, issuer)| Some(*issuer));
        let all = std::iter::once(None).chain(issuers);
        all.flat_map(move |issuer| self.said_to(issuer, org))
    }

    /// What is said by or of an organisation.
    pub(super) fn said_of<'a>(&'a self, org: &OrgId) -> impl Iterator<Item = &'a Place> + use<'a> {
        let all = self.said_by(Some(*org)).chain(self.said_about(org));
        all.map(|(place, _)| place)
    }

    /// The nodes between which anything by or of an organisation is said.
    pub(super) fn pairs_of(&self, org: &OrgId) -> impl Iterator<Item = Pair> {
        self.said_of(org).map(|place| self.pair(place))
    }

    /// Every two nodes between which anything is said, some of them twice.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair> {
        let (own, mut last) = ((None, self.own), None);
        let here = self.said.iter().map(|(place, _)| place);
        let here = here.filter(|place| self.pair(place) == place.ends()).map(Place::ends);
        let moved = self.moved.iter().map(|(pair, _)| *pair);
        here.chain(moved)
            .filter(move |pair| last.replace(*pair) != Some(*pair))
            .chain([own])
    }

    /// What is said between two nodes.
    pub(super) fn between<'a>(&'a self, pair: &Pair) -> impl Iterator<Item = (&'a Place, &'a Said)> + use<'a> {
        let pair = *pair;
        let here = self.said_to(pair.0, pair.1);
        let here = here.filter(move |(place, _)| self.pair(place) == pair);
        let moved = self.moved.range((pair, Place::FIRST)..);
        let moved = moved.take_while(move |(between, _)| *between == pair);
        here.chain(moved.filter_map(|(_, place)| Some((place, &self.said.get(place)?.1))))
    }

    /// Whether something said counts at this time, if nobody vetoes it.
    pub(super) fn counts(&self, place: &Place, said: &Said) -> bool {
        let honest = |org: &OrgId| self.bar(org).is_none();
        let alive = said.amount > 0 && said.period.holds(self.now);
        alive && honest(&place.subject) && place.issuer.is_none_or(|issuer| honest(&issuer))
    }

    /// Why nothing of an organisation counts. Our own is heard like any other; that it stands highest is said elsewhere.
    pub(super) fn bar(&self, org: &OrgId) -> Option<Barred> {
        if self.bad.contains(org) {
            return Some(Barred::PinnedBad);
        }
        match self.papers.get(org) {
            None => (!self.is_root(org)).then_some(Barred::Unknown),
            Some((_, papers)) => match papers.frozen {
                Some(Freeze::Forked { .. }) => Some(Barred::Forked),
                Some(Freeze::Retired) => Some(Barred::Retired),
                None => (papers.until <= self.now).then_some(Barred::Stale),
            },
        }
    }

    /// When an organisation's manifest is over.
    pub(super) fn stale_at(&self, org: &OrgId) -> Option<Millis> {
        self.papers.get(org).map(|(_, papers)| papers.until)
    }

    /// The root entries of an organisation.
    pub(super) fn roots_of<'a>(&'a self, org: &OrgId) -> impl Iterator<Item = (&'a Place, &'a Said)> + use<'a> {
        self.said_to(None, *org)
    }

    fn is_root(&self, org: &OrgId) -> bool {
        *org == self.own || self.roots_of(org).next().is_some()
    }

    /// The nodes between which this is said.
    pub(super) fn pair(&self, place: &Place) -> Pair {
        self.pair_in(&self.families, place)
    }

    /// What our own organisation says comes from the root: in the middle it would be one source for all its friends.
    fn pair_in(&self, families: &Families, place: &Place) -> Pair {
        let issuer = place.issuer.filter(|issuer| *issuer != self.own);
        (
            issuer.map(|issuer| families.top_of(&issuer)),
            families.top_of(&place.subject),
        )
    }
}
