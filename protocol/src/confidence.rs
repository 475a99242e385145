//! How sure this node is about an observable: what organisations claim, weighed by how they are trusted (design, trust 5).
//!
//! [`assess`] takes the latest [`Claim`] of each organisation, lets it fade with its age, and sends what is left through the
//! graph of trust: the claims for the observable in one flow, those against it in another. So everything behind one
//! introducer is one source, and an organisation that has many keys is one organisation. Belief, disbelief and uncertainty
//! follow from both; the score is belief alone, because what nobody knows must never block anything. What a score is enough
//! for is said by a [`Policy`].

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::Digest;

use crate::{
    limits,
    organisation::OrgId,
    time::Millis,
    trust::{
        flow::{Flow, Memo, Supply, flow},
        graph::Graph,
        independence::two_source,
        standing::Standing,
    },
};

mod fading;
mod latest;
mod policy;
#[cfg(test)]
mod tests;

pub use self::{
    fading::{Delta, Fading, Lasting, WHOLE},
    policy::{Change, Evidence, Missing, Place, Policy, Why},
};

/// What an organisation says of an observable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is what the record says.
    Report,
    /// It was seen: support of half the weight.
    Sighting,
    /// It is not what others say.
    FalsePositive,
}

/// One claim. What was withdrawn is no claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose.
    pub org: OrgId,
    /// Which of its logs says so: one organisation may have several nodes.
    pub log: Digest,
    /// When that log began, and the place in it: later places replace earlier ones.
    pub place: (Millis, u64),
    /// What it says.
    pub kind: Kind,
    /// How sure it is itself, in per cent.
    pub confidence: u8,
    /// When it says that it saw it. A time after `received_at` gains nothing.
    pub observed_at: Millis,
    /// When it came here.
    pub received_at: Millis,
    /// Where it has it from: claims of one origin are one source, whoever repeats them.
    pub derived_from: Option<Digest>,
}

/// The weights of the design, which are policy and not derived from anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// How much support makes belief one half: a third of one full source.
    pub ignorance: u32,
    /// How many times as much as support a dispute counts.
    pub dispute: u32,
    /// What a report weighs, per mille.
    pub report: u32,
    /// What a sighting weighs, per mille.
    pub sighting: u32,
    /// What a false-positive opinion weighs, per mille.
    pub false_positive: u32,
    /// How many times as long a dispute lasts.
    pub dispute_lasts: u64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            ignorance: 40,
            dispute: 2,
            report: 1_000,
            sighting: 500,
            false_positive: 1_000,
            dispute_lasts: 2,
        }
    }
}

impl Weights {
    /// What a kind of claim weighs, per mille.
    pub fn of(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Report => self.report,
            Kind::Sighting => self.sighting,
            Kind::FalsePositive => self.false_positive,
        }
    }
}

/// The trust that a question is judged by.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What counts for the question.
    pub graph: &'a Graph,
    /// Of that graph.
    pub standing: &'a Standing,
}

/// What a claim came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// The latest of its organisation.
    pub claim: Claim,
    /// How its organisation is trusted: `F`, 0 to 120.
    pub trust: u32,
    /// What its age has left of it, in parts per million.
    pub fresh: u32,
    /// What its kind weighs, per mille.
    pub weight: u32,
    /// What it supplies: all of these multiplied, rounded down.
    pub supply: u32,
    /// Another claim of the same side names the same origin.
    pub shared: bool,
}

/// The answer about one observable, with its reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assessment {
    /// One for each organisation, in order.
    pub claims: Vec<Weighed>,
    /// What supports it, with the ways that the support comes and what limits it.
    pub support: Flow,
    /// What speaks against it, before it is multiplied.
    pub dispute: Flow,
    /// Per mille.
    pub belief: u32,
    /// Per mille.
    pub disbelief: u32,
    /// Per mille: what is left.
    pub uncertainty: u32,
    /// Believed reporters remain whichever one organisation is gone.
    pub two_source: bool,
    /// The same of those who dispute it.
    pub two_source_dispute: bool,
    /// Some of the work was not done; support and dispute may be too small.
    pub truncated: bool,
    /// When age alone will next change what a claim supplies.
    pub changes_at: Option<Millis>,
}

impl Assessment {
    /// Belief: ignorance adds nothing to it.
    pub fn score(&self) -> u32 {
        self.belief
    }

    /// The organisations whose claims for the observable count.
    pub fn reporters(&self) -> BTreeSet<OrgId> {
        self.orgs(false)
    }

    /// Those whose claims against it count.
    pub fn disputers(&self) -> BTreeSet<OrgId> {
        self.orgs(true)
    }

    fn orgs(&self, against: bool) -> BTreeSet<OrgId> {
        let side = self.claims.iter().filter(|one| is_against(one) == against);
        side.filter(|one| one.supply > 0).map(|one| one.claim.org).collect()
    }
}

impl Weighed {
    fn supplies(&self) -> Supply {
        Supply {
            amount: self.supply,
            origin: self.claim.derived_from,
        }
    }
}

fn is_against(weighed: &Weighed) -> bool {
    weighed.claim.kind == Kind::FalsePositive
}

/// Weighs the claims about one observable at a time.
pub fn assess(
    view: View<'_>,
    memo: &mut Memo,
    claims: &[Claim],
    fading: Fading,
    weights: &Weights,
    now: Millis,
) -> Assessment {
    let scale = Scale { fading, weights, now };
    let (latest, mut truncated) = latest::latest(view, claims);
    let (mut weighed, mut nodes) = (Vec::new(), Vec::new());
    for claim in latest {
        let node = view.graph.index_of(&claim.org);
        let strength = node.map_or_else(Default::default, |node| memo.full(view.graph, view.standing, node));
        truncated |= strength.truncated;
        weighed.push(scale.weigh(claim, strength.value));
        nodes.push(node);
    }
    mark_shared(&mut weighed);
    let side = |against: bool| -> BTreeMap<u32, Supply> {
        let all = weighed.iter().zip(&nodes);
        let own = all.filter(|(one, _)| is_against(one) == against && one.supply > 0);
        own.filter_map(|(one, node)| Some(((*node)?, one.supplies()))).collect()
    };
    let (supporting, disputing) = (side(false), side(true));
    let counts = |side: &BTreeMap<u32, Supply>| flow(view.graph, view.standing, side, u32::MAX);
    let is_two_source = |side: BTreeMap<u32, Supply>| two_source(view.graph, view.standing, side.into_keys());
    let (support, dispute) = (counts(&supporting), counts(&disputing));
    let mut answer = Assessment {
        two_source: is_two_source(supporting),
        two_source_dispute: is_two_source(disputing),
        truncated: truncated || support.truncated || dispute.truncated,
        changes_at: weighed.iter().fold(None, |soonest, one| scale.changes_at(one, soonest)),
        claims: weighed,
        support,
        dispute,
        ..Assessment::default()
    };
    answer.split(weights);
    answer
}

impl Assessment {
    /// Belief and disbelief, each rounded down, and what is left.
    fn split(&mut self, weights: &Weights) {
        let support = u64::from(self.support.value);
        let against = u64::from(self.dispute.value) * u64::from(weights.dispute);
        let all = support + against + u64::from(weights.ignorance);
        let share = |part: u64| (part * 1_000).checked_div(all).unwrap_or(0) as u32;
        self.belief = share(support);
        self.disbelief = share(against);
        self.uncertainty = 1_000 - self.belief - self.disbelief;
    }
}

/// By what claims are weighed.
struct Scale<'a> {
    fading: Fading,
    weights: &'a Weights,
    now: Millis,
}

impl Scale<'_> {
    fn weigh(&self, claim: Claim, trust: u32) -> Weighed {
        let weight = self.weights.of(claim.kind);
        let fresh = self.fresh(&claim, self.now);
        Weighed {
            supply: supply(trust, &claim, fresh, weight),
            claim,
            trust,
            fresh,
            weight,
            shared: false,
        }
    }

    fn fresh(&self, claim: &Claim, now: Millis) -> u32 {
        let since = claim.observed_at.min(claim.received_at);
        self.lasting(claim.kind).left(Millis(now.0.saturating_sub(since.0)))
    }

    fn lasting(&self, kind: Kind) -> Fading {
        let times = if kind == Kind::FalsePositive {
            self.weights.dispute_lasts
        } else {
            1
        };
        Fading {
            tau: Millis(self.fading.tau.0.saturating_mul(times)),
            ..self.fading
        }
    }

    /// The first moment at which the claim supplies less than now, unless something else changes before that.
    fn changes_at(&self, weighed: &Weighed, soonest: Option<Millis>) -> Option<Millis> {
        let claim = &weighed.claim;
        let at = |now: u64| supply(weighed.trust, claim, self.fresh(claim, Millis(now)), weighed.weight);
        let end = claim.observed_at.min(claim.received_at) + self.lasting(claim.kind).tau;
        let latest = soonest.map_or(end, |soonest| soonest.min(end));
        if latest <= self.now || at(latest.0) >= weighed.supply {
            return soonest;
        }
        let (mut same, mut less) = (self.now.0, latest.0);
        while less - same > 1 {
            let middle = same + (less - same) / 2;
            if at(middle) < weighed.supply {
                less = middle;
            } else {
                same = middle;
            }
        }
        Some(Millis(less))
    }
}

/// `q` of the design: trust times confidence, freshness and weight, rounded down.
fn supply(trust: u32, claim: &Claim, fresh: u32, weight: u32) -> u32 {
    let confidence = claim.confidence.min(limits::CONFIDENCE);
    let parts = u128::from(trust) * u128::from(confidence) * u128::from(fresh) * u128::from(weight);
    let whole = u128::from(limits::CONFIDENCE) * u128::from(WHOLE) * 1_000;
    u32::try_from(parts / whole).unwrap_or(u32::MAX)
}

fn mark_shared(weighed: &mut [Weighed]) {
    let mut seen: BTreeMap<(bool, Digest), u32> = BTreeMap::new();
    let key = |one: &Weighed| one.claim.derived_from.map(|origin| (is_against(one), origin));
    for key in weighed.iter().filter_map(key) {
        *seen.entry(key).or_default() += 1;
    }
    for one in weighed {
        one.shared = key(one).is_some_and(|key| seen.get(&key).is_some_and(|count| *count > 1));
    }
}
