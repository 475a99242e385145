//! Why an organisation is judged as it is: [`Explanation`], what `trust explain` shows (design, trust 4.6).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Barred, Gates, Marks, Question, Web,
    grounds::{Grounds, Period, Place, Said},
    layer::{Layer, Mesh, vetoes},
};
use crate::{
    limits,
    organisation::OrgId,
    statement::{DEPTH, Scope},
    time::Millis,
    trust::{
        dominators::Dominators,
        flow::{Flow, full_flow},
        graph::ROOT,
        independence::{ENOUGH, keystone},
    },
};

mod ahead;

/// Why an organisation is judged as it is, for one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Which.
    pub org: OrgId,
    /// As whose word its own counts: itself, or the topmost one above it.
    pub counts_as: OrgId,
    /// The one above it, when both say so.
    pub parent: Option<OrgId>,
    /// Why nothing of it counts, if so.
    pub barred: Option<Barred>,
    /// Who vetoes it for this question, if so.
    pub vetoed_by: Option<OrgId>,
    /// The verdicts.
    pub gates: Gates,
    /// What they follow from.
    pub marks: Marks,
    /// `B` for the question.
    pub best: u8,
    /// How many introductions are left to it; none where nothing reaches it.
    pub max_remaining_depth: Option<u8>,
    /// The path that carries `best`, itself the last.
    pub witness: Vec<OrgId>,
    /// `F`, with its paths and what limits it.
    pub flow: Flow,
    /// All through whom every chain to it passes, from the root's side. The last is the single point of trust.
    pub dominators: Vec<OrgId>,
    /// An organisation without which it would not be believed, if there is one.
    pub keystone: Option<OrgId>,
    /// What is said of it, and of those from whom its trust may come, and does not count: what is closest comes first.
    pub ignored: Vec<Ignored>,
    /// How many more were left out.
    pub more_ignored: usize,
    /// The vetoes against it or one above it: those that count come first.
    pub objections: Vec<Objection>,
    /// How many more were left out.
    pub more_objections: usize,
    /// When time alone will next change the verdicts, `B` or `F`. Where more begins or ends before than can be tried out, the
    /// moment up to which none of them does.
    pub changes_at: Option<Millis>,
}

/// An endorsement or a root entry that does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ignored {
    /// Who vouches; none is this node's own root entry.
    pub issuer: Option<OrgId>,
    /// For whom.
    pub subject: OrgId,
    /// How much.
    pub amount: u8,
    /// How many further introductions.
    pub depth: u8,
    /// About what.
    pub scope: Scope,
    /// The first of the reasons that apply.
    pub why: Unheeded,
}

/// Why an endorsement does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unheeded {
    /// Its issuer took it back.
    Withdrawn,
    /// Nothing of its issuer counts.
    IssuerBarred(Barred),
    /// Nothing of its subject counts.
    SubjectBarred(Barred),
    /// It begins then.
    NotYet(Millis),
    /// It was over then.
    Expired(Millis),
    /// It is not about the question.
    OutOfScope,
    /// This organisation vetoes its issuer or its subject.
    VetoedBy(OrgId),
    /// Nobody who counts vouches for its issuer.
    Unreached,
    /// Its issuer may not introduce anybody so far away, or does not want to.
    TooDeep,
}

/// A veto against an organisation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Objection {
    /// Why it does not count; none when it does.
    pub why: Option<Overruled>,
    /// Who vetoes.
    pub issuer: OrgId,
    /// Whom: the organisation, or one above it.
    pub subject: OrgId,
    /// About what.
    pub scope: Scope,
}

/// Why a veto does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Overruled {
    /// Its issuer took it back.
    Withdrawn,
    /// Nothing of its issuer counts.
    IssuerBarred(Barred),
    /// It begins then.
    NotYet(Millis),
    /// It was over then.
    Expired(Millis),
    /// It is not about the question.
    OutOfScope,
    /// The operator has an entry for the organisation or pinned it good, or it is our own.
    Immune,
    /// This organisation, which stands higher, vetoes its issuer.
    IssuerVetoedBy(OrgId),
    /// Its issuer was given the right to veto with so much, which is not enough.
    NoRight(u8),
}

/// What time may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Verdict {
    marks: Marks,
    best: u8,
}

impl Explanation {
    /// The single point of trust: the last organisation through which every chain to this one passes.
    pub fn dominator(&self) -> Option<OrgId> {
        self.dominators.last().copied()
    }
}

impl Web {
    /// Why an organisation is judged as it is.
    pub fn explain(&mut self, org: &OrgId, question: &Question) -> Explanation {
        let changes_at = self.changes_at(org, question);
        let class = self.classes.ask(&self.grounds, question);
        let Self {
            grounds,
            reach,
            confide,
            ..
        } = self;
        let verdict = Verdict::of(grounds, reach, confide, class, org);
        let top = grounds.families.top_of(org);
        let counts = grounds.counts_in(class, org);
        let Mesh { graph, standing } = &class.mesh;
        let node = graph.index_of(&top).filter(|_| counts);
        let dominators = node.map_or_else(Vec::new, |node| Dominators::new(graph, standing).chain(node));
        let (ignored, more_ignored) = ignored(grounds, class, &top);
        let (objections, more_objections) = objections(grounds, class, org);
        Explanation {
            org: *org,
            counts_as: top,
            parent: grounds.families.parent_of(org),
            barred: grounds.bar_of(org),
            vetoed_by: class.vetoed.get(org).copied(),
            gates: verdict.marks.into(),
            marks: verdict.marks,
            best: verdict.best,
            max_remaining_depth: node.and_then(|node| standing.max_remaining(node)),
            witness: node.map_or_else(Vec::new, |node| standing.witness(graph, node)),
            flow: node.map_or_else(Flow::default, |node| full_flow(graph, standing, node)),
            dominators: dominators.into_iter().filter_map(|node| graph.org(node)).collect(),
            keystone: node.and_then(|node| keystone(graph, standing, node)),
            ignored,
            more_ignored,
            objections,
            more_objections,
            changes_at,
        }
    }
}

impl Verdict {
    fn of(grounds: &Grounds, reach: &Layer, confide: &Layer, class: &mut Layer, org: &OrgId) -> Self {
        let top = grounds.families.top_of(org);
        let counts = grounds.counts_in(class, org);
        let best = grounds.stands(class, org);
        let full = if counts { class.full(&top).value } else { 0 };
        let Mesh { graph, standing } = &class.mesh;
        let node = graph.index_of(&top).filter(|_| best >= ENOUGH);
        Self {
            marks: Marks {
                reach: grounds.stands(reach, org),
                confided: grounds.stands(confide, org),
                full,
                independent: node.is_some_and(|node| keystone(graph, standing, node).is_none()),
            },
            best,
        }
    }
}

impl Grounds {
    /// Whether anything of an organisation counts in a layer.
    fn counts_in(&self, layer: &Layer, org: &OrgId) -> bool {
        !layer.vetoed.contains_key(org) && self.bar_of(org).is_none()
    }

    /// Everything that is said of a node by others.
    fn said_by_others(&self, top: &OrgId) -> impl Iterator<Item = (&Place, &Said)> {
        let members = self.families.members_of(top).into_iter();
        let said = members.flat_map(|org| self.said_about(&org));
        said.filter(|(place, _)| {
            let (from, to) = self.pair(place);
            from != Some(to)
        })
    }

    /// Everybody from whom trust in a node might come if all that was ever said counted, with the introductions between.
    fn behind(&self, top: &OrgId) -> BTreeMap<OrgId, u8> {
        let mut hops = BTreeMap::from([(*top, 0)]);
        let mut layer = vec![*top];
        for further in 1..=DEPTH {
            let said = layer.iter().flat_map(|org| self.said_by_others(org));
            let issuers: BTreeSet<OrgId> = said.filter_map(|(place, _)| self.pair(place).0).collect();
            layer = issuers.into_iter().filter(|org| !hops.contains_key(org)).collect();
            hops.extend(layer.iter().map(|org| (*org, further)));
        }
        hops
    }
}

/// What is said of a node and those behind it and does not count, and how much more there is of it.
fn ignored(grounds: &Grounds, class: &Layer, top: &OrgId) -> (Vec<Ignored>, usize) {
    if *top == grounds.own {
        return (Vec::new(), 0);
    }
    let mut found: Vec<(u8, Ignored)> = Vec::new();
    for (org, hops) in grounds.behind(top) {
        for (place, said) in grounds.said_by_others(&org) {
            let Some(why) = unheeded(grounds, class, (place, said), hops) else {
                continue;
            };
            let ignored = Ignored {
                issuer: place.issuer,
                subject: place.subject,
                amount: said.amount,
                depth: said.depth,
                scope: grounds.scopes.scope(place.scope).cloned().unwrap_or_default(),
                why,
            };
            found.push((hops, ignored));
        }
    }
    // Anybody can vouch for anybody: what nobody hears must not hide the rest.
    let unreached = |one: &Ignored| one.why == Unheeded::Unreached;
    found.sort_by_cached_key(|(hops, one)| (*hops, unreached(one), one.clone()));
    let more = found.len().saturating_sub(limits::IGNORED_SHOWN);
    found.truncate(limits::IGNORED_SHOWN);
    (found.into_iter().map(|(_, ignored)| ignored).collect(), more)
}

/// Why this does not count in a layer for somebody who is so many introductions away from its subject.
fn unheeded(grounds: &Grounds, class: &Layer, (place, said): (&Place, &Said), hops: u8) -> Option<Unheeded> {
    let issuer_barred = place.issuer.and_then(|issuer| grounds.bar(&issuer));
    let subject_barred = grounds.bar(&place.subject);
    let vetoed = |org: &OrgId| class.vetoed.get(org).copied();
    let vetoed_by = place
        .issuer
        .and_then(|issuer| vetoed(&issuer))
        .or(vetoed(&place.subject));
    if said.amount == 0 {
        Some(Unheeded::Withdrawn)
    } else if let Some(barred) = issuer_barred {
        Some(Unheeded::IssuerBarred(barred))
    } else if let Some(barred) = subject_barred {
        Some(Unheeded::SubjectBarred(barred))
    } else if let Some((early, at)) = outside(said.period, grounds.now) {
        Some(if early {
            Unheeded::NotYet(at)
        } else {
            Unheeded::Expired(at)
        })
    } else if !class.purpose.takes(place.scope, said) {
        Some(Unheeded::OutOfScope)
    } else if let Some(by) = vetoed_by {
        Some(Unheeded::VetoedBy(by))
    } else {
        out_of_reach(grounds, class, (place, said), hops)
    }
}

fn out_of_reach(grounds: &Grounds, class: &Layer, (place, said): (&Place, &Said), hops: u8) -> Option<Unheeded> {
    let Mesh { graph, standing } = &class.mesh;
    let node = grounds.pair(place).0.map_or(Some(ROOT), |from| graph.index_of(&from));
    match node.and_then(|node| standing.max_remaining(node)) {
        None => Some(Unheeded::Unreached),
        Some(left) => (said.depth < hops || left <= hops).then_some(Unheeded::TooDeep),
    }
}

/// Whether a period is still to begin, and when; or else when it was over.
fn outside(period: Period, now: Millis) -> Option<(bool, Millis)> {
    if now < period.from {
        Some((true, period.from))
    } else {
        (period.until <= now).then_some((false, period.until))
    }
}

/// The vetoes against an organisation and those above it, and how many more there are.
fn objections(grounds: &Grounds, class: &Layer, org: &OrgId) -> (Vec<Objection>, usize) {
    let above = grounds.families.above(org);
    let mut found = Vec::new();
    for (issuer, vetoes) in &grounds.vetoes {
        for ((subject, scope), veto) in vetoes.iter().filter(|((subject, _), _)| above.contains(subject)) {
            let why = if veto.withdrawn {
                Some(Overruled::Withdrawn)
            } else if let Some(barred) = grounds.bar(issuer) {
                Some(Overruled::IssuerBarred(barred))
            } else if let Some((early, at)) = outside(veto.period, grounds.now) {
                Some(if early {
                    Overruled::NotYet(at)
                } else {
                    Overruled::Expired(at)
                })
            } else if !class.purpose.heeds(*scope) {
                Some(Overruled::OutOfScope)
            } else {
                overruled(grounds, class, issuer, org)
            };
            let scope = grounds.scopes.scope(*scope).cloned().unwrap_or_default();
            found.push(Objection {
                issuer: *issuer,
                subject: *subject,
                scope,
                why,
            });
        }
    }
    // Anybody can veto without any right: such vetoes must not hide the others.
    found.sort_unstable();
    let more = found.len().saturating_sub(limits::IGNORED_SHOWN);
    found.truncate(limits::IGNORED_SHOWN);
    (found, more)
}

/// Why a veto that holds and is about the question does not count all the same.
fn overruled(grounds: &Grounds, class: &Layer, issuer: &OrgId, org: &OrgId) -> Option<Overruled> {
    if vetoes::is_immune(grounds, &class.purpose, org) {
        return Some(Overruled::Immune);
    }
    let rank = |org: &OrgId| vetoes::rank(grounds, &class.holders, org);
    let Some(own) = rank(issuer) else {
        let stands = class.holders.stands(&grounds.families.top_of(issuer));
        return Some(Overruled::NoRight(stands));
    };
    let by = class.vetoed.get(issuer)?;
    (rank(by) > Some(own)).then_some(Overruled::IssuerVetoedBy(*by))
}
