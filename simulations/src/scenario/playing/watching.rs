//! How far trust and poison have come: every honest node is asked whom it trusts and what it would block. The answers are those
//! of its own rules, over the claims in its own store.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use starfish_crypto::PublicKey;
use starfish_node::ledger::catalogue::State;
use starfish_protocol::{
    confidence::{Assessment, Evidence, Lasting, Place as Listing, Policy, Weights},
    engine::port::{Command, Outcome, Trusted},
    observable::{Observable, Suffix},
    organisation::OrgId,
    record::{RecordId, Topic},
    time::Millis,
    trust::web::Question,
};

use crate::{
    report::trust::{Look, TrustFigures, percent},
    scenario::{placing::Place, written::AdversaryKind},
    world::World,
};

/// How many lists of several honest reporters are followed, each by its first name.
const FOLLOWED: usize = 16;

/// Follows trust and poison.
#[derive(Debug, Default)]
pub(super) struct Watch {
    honest: BTreeSet<OrgId>,
    hostile: BTreeSet<OrgId>,
    /// Nodes that are honest to the end.
    watching: Vec<usize>,
    poison: Vec<RecordId>,
    /// The names that are followed, and whether they are poison.
    names: Vec<(Observable, Topic, bool)>,
    /// Records of honest authors, and who wants them.
    reports: Vec<(RecordId, Vec<u32>)>,
    answered: Option<Duration>,
    /// The keys of authors of two histories, and who has the proof.
    two_faced: Vec<PublicKey>,
    proven: BTreeSet<(usize, PublicKey)>,
    findings: Arc<Mutex<Findings>>,
}

/// What the nodes answered.
#[derive(Debug, Default)]
struct Findings {
    looks: Vec<Tally>,
    /// By node and name.
    listings: BTreeMap<(usize, usize), Listing>,
}

/// The answers of one look.
#[derive(Debug, Default)]
struct Tally {
    look: Look,
    /// Of every pair of a node and an organisation: how many are trusted, of how many.
    honest: (usize, usize),
    hostile: (usize, usize),
    /// Of every pair of a node and a name: how many are listed, of how many.
    poison: (usize, usize),
    reported: (usize, usize),
}

impl Watch {
    pub(super) fn new(world: &World, places: &[Place], poisoned: &[Observable], topic: &Topic) -> Self {
        let is_hostile = |node: &usize| places[*node].adversary.is_some();
        let (hostile, watching): (Vec<usize>, Vec<usize>) = (0..places.len()).partition(is_hostile);
        let orgs = |nodes: &[usize]| nodes.iter().map(|node| world.org(*node)).collect();
        let is_two_faced = |node: &&usize| places[**node].adversary == Some(AdversaryKind::Equivocator);
        Self {
            two_faced: hostile
                .iter()
                .filter(is_two_faced)
                .map(|node| world.author(*node))
                .collect(),
            honest: orgs(&watching),
            hostile: orgs(&hostile),
            watching,
            names: poisoned
                .iter()
                .map(|name| (name.clone(), topic.clone(), true))
                .collect(),
            ..Self::default()
        }
    }

    /// These are poison.
    pub(super) fn poisoned(&mut self, records: &[RecordId]) {
        self.poison.extend(records);
    }

    /// An honest node published this, and these want it.
    pub(super) fn reported(&mut self, record: RecordId, wanted: Vec<u32>) {
        self.reports.push((record, wanted));
    }

    /// The records of honest authors so far.
    pub(super) fn reports(&self) -> impl Iterator<Item = RecordId> {
        self.reports.iter().map(|(record, _)| *record)
    }

    /// Several honest nodes report a list that begins with this name.
    pub(super) fn follow(&mut self, name: &Observable, topic: &Topic) {
        let followed = self.names.iter().filter(|(_, _, is_poison)| !is_poison).count();
        let known = self.names.iter().any(|(known, ..)| known == name);
        if followed < FOLLOWED && !known {
            self.names.push((name.clone(), topic.clone(), false));
        }
    }

    /// Something is done about the adversaries.
    pub(super) fn answered(&mut self, at: Duration) {
        self.answered.get_or_insert(at);
    }

    /// A node has seen that an author wrote two histories.
    pub(super) fn proven(&mut self, node: usize, author: PublicKey) {
        if self.watching.contains(&node) && self.two_faced.contains(&author) {
            self.proven.insert((node, author));
        }
    }

    /// Asks everybody; the answers come within a moment.
    pub(super) fn look(&mut self, world: &World) {
        let place = {
            let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
            let mut tally = Tally::default();
            tally.look.seconds = world.now().as_secs_f64();
            let believed = self.pairs(world, |held| held == Held::Believed);
            tally.look.poison_believed_percent = (!self.poison.is_empty()).then_some(believed);
            findings.looks.push(tally);
            findings.looks.len() - 1
        };
        for node in self
            .watching
            .iter()
            .copied()
            .filter(|node| world.handle(*node).is_some())
        {
            let (findings, honest, hostile) = (Arc::clone(&self.findings), self.honest.clone(), self.hostile.clone());
            world.give(node, Command::Trusted, move |outcome| {
                if let Outcome::Trusted(trusted) = outcome {
                    let mut findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
                    findings.looks[place].trusted(&trusted, &honest, &hostile);
                }
            });
            for number in 0..self.names.len() {
                self.ask_about(world, node, place, number);
            }
        }
    }

    fn ask_about(&self, world: &World, node: usize, place: usize, number: usize) {
        let (value, topic, is_poison) = &self.names[number];
        let (now, findings, is_poison) = (world.wall(), Arc::clone(&self.findings), *is_poison);
        let Some(ledger) = world.ledger(node) else { return };
        let claims = ledger.claims(value, now).expect("memory does not fail").claims;
        let claims: Vec<_> = claims.into_iter().filter(|claim| claim.topic == *topic).collect();
        let expires_at = claims.iter().map(|claim| claim.expires_at).max().unwrap_or_default();
        let command = Command::Assess {
            question: Question {
                topics: BTreeSet::from([topic.clone()]),
                name: value.host().and_then(|host| Suffix::parse(host).ok()),
            },
            claims: claims.iter().filter_map(|claim| claim.weighable()).collect(),
            fading: Lasting::default().of(value, topic),
            weights: Weights::default(),
        };
        world.give(node, command, move |outcome| {
            if let Outcome::Assessed(assessment) = outcome {
                let mut findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
                findings.assessed((place, node, number), is_poison, &assessment, (expires_at, now));
            }
        });
    }

    /// Of every pair of an honest node and a record of poison so far: how many are like this, in percent.
    fn pairs(&self, world: &World, wanted: impl Fn(Held) -> bool) -> f64 {
        let pairs = self
            .watching
            .iter()
            .flat_map(|node| self.poison.iter().map(|record| (*node, record)));
        let like = pairs.filter(|(node, record)| wanted(held(world, *node, record)));
        percent(like.count(), self.watching.len() * self.poison.len())
    }

    pub(super) fn finish(self, world: &World) -> TrustFigures {
        let wanted = self
            .reports
            .iter()
            .flat_map(|(record, wanted)| wanted.iter().map(move |node| (*node, record)));
        let (mut kept, mut all) = (0, 0);
        for (node, record) in wanted {
            all += 1;
            kept += usize::from(held(world, node as usize, record) == Held::Believed);
        }
        let pairs = self.watching.len() * self.two_faced.len();
        let mut figures = TrustFigures {
            poison_met_percent: self.pairs(world, |held| held != Held::Not),
            poison_believed_percent: self.pairs(world, |held| held == Held::Believed),
            kept_percent: if all == 0 { 100.0 } else { percent(kept, all) },
            frozen_percent: (pairs > 0).then(|| percent(self.proven.len(), pairs)),
            ..TrustFigures::default()
        };
        let findings = std::mem::take(&mut *self.findings.lock().unwrap_or_else(PoisonError::into_inner));
        let reported = findings.looks.last().map_or((0, 0), |last| last.reported);
        figures.true_listed_percent = (reported.1 > 0).then(|| percent(reported.0, reported.1));
        figures.looks = findings.looks.into_iter().map(Tally::finish).collect();
        let listed = figures.looks.iter().filter_map(|look| look.poison_listed_percent);
        figures.poison_listed_percent = listed.fold(0.0, f64::max);
        let scores = figures.looks.iter().filter_map(|look| look.poison_score);
        figures.poison_score = scores.max().unwrap_or_default();
        let clean = figures.clean_from().filter(|_| figures.poison_believed_percent == 0.0);
        let since = clean.zip(self.answered);
        figures.poison_gone_seconds = since.map(|(clean, answered)| (clean - answered.as_secs_f64()).max(0.0));
        figures
    }
}

/// What a node has of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Not,
    Unbelieved,
    Believed,
}

pub(super) fn held(world: &World, node: usize, record: &RecordId) -> Held {
    let card = world
        .ledger(node)
        .and_then(|ledger| ledger.card_of(record).expect("memory does not fail"));
    match card {
        Some((_, card)) if card.believed => Held::Believed,
        Some((_, card)) if matches!(card.state, State::Present | State::Bare) => Held::Unbelieved,
        _ => Held::Not,
    }
}

impl Findings {
    /// What the score of a name is enough for: the output's own rules say whether it is listed, stays, or falls. A run is too
    /// short for anything to fade, so the moment of listing is as good as now.
    fn assessed(
        &mut self,
        (look, node, name): (usize, usize, usize),
        is_poison: bool,
        assessment: &Assessment,
        (expires_at, now): (Millis, Millis),
    ) {
        let evidence = Evidence {
            fresh: assessment,
            held: assessment,
            expires_at,
            released: false,
        };
        let listing = self.listings.entry((node, name)).or_default();
        (*listing, _) = Policy::TwoSource.step(*listing, evidence, now);
        let is_listed = usize::from(*listing != Listing::Out);
        let tally = &mut self.looks[look];
        let of = if is_poison {
            &mut tally.poison
        } else {
            &mut tally.reported
        };
        (of.0, of.1) = (of.0 + is_listed, of.1 + 1);
        if is_poison {
            tally.look.poison_score = tally.look.poison_score.max(Some(assessment.score()));
        }
    }
}

impl Tally {
    fn trusted(&mut self, trusted: &Trusted, honest: &BTreeSet<OrgId>, hostile: &BTreeSet<OrgId>) {
        let believed = trusted.organisations.iter().filter(|one| one.verdict.believe);
        for one in believed {
            self.honest.0 += usize::from(honest.contains(&one.org));
            self.hostile.0 += usize::from(hostile.contains(&one.org));
        }
        self.honest.1 += honest.len();
        self.hostile.1 += hostile.len();
    }

    fn finish(self) -> Look {
        let listed = |(part, whole): (usize, usize)| (whole > 0).then(|| percent(part, whole));
        Look {
            honest_trusted_percent: percent(self.honest.0, self.honest.1),
            hostile_trusted_percent: percent(self.hostile.0, self.hostile.1),
            poison_listed_percent: listed(self.poison),
            true_listed_percent: listed(self.reported),
            ..self.look
        }
    }
}
