//! Made-up webs, written as text, that need no signatures.
//!
//! `R->1 120/2` is a root entry, `1->2 60/0` an endorsement, and `1-|2` a veto; behind them come `veto` (may veto), `green`,
//! `withdrawn`, `topic:malware`, `under:nl`, `from:5`, `until:9`. `good 1`, `bad 1` and `unpin 1` are pins, `below 1 2` makes 1 a
//! subsidiary of 2 and `alone 1` ends that, `forked 1`, `retired 1`, `unknown 1` and `known 1 until:9` are what is known of it,
//! and `now 7` is time. Our own organisation is `0`, as an issuer.

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::Digest;

use super::super::{Explanation, Question, Web, grounds::Papers};
use crate::{
    observable::Suffix,
    organisation::OrgId,
    record::Topic,
    statement::{Endorsement, Freeze, Scope, Veto},
    time::Millis,
    trust::{Acceptance, Pin, Root, graph::samples, web::Barred},
};

/// Later than everything else in a test.
pub(super) const FAR: Millis = Millis(1_000_000);

/// The organisation with this number; our own has the last one in order.
pub(super) fn org(number: u32) -> OrgId {
    samples::org(if number == 0 { 99 } else { number })
}

/// One thing that is told.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Roots(u32, Vec<Root>),
    Endorse(Endorsement),
    Veto(Veto),
    Pin(u32, Option<Pin>),
    Parent(u32, Option<u32>),
    Papers(u32, Option<Papers>),
    Now(Millis),
}

/// Everything that holds after some steps.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    roots: BTreeMap<u32, Vec<Root>>,
    endorsements: BTreeMap<(OrgId, OrgId, Scope), Endorsement>,
    vetoes: BTreeMap<(OrgId, OrgId, Scope), Veto>,
    pins: BTreeMap<u32, Option<Pin>>,
    parents: BTreeMap<u32, u32>,
    papers: BTreeMap<u32, Option<Papers>>,
    now: Millis,
}

/// A web of organisations 1 to 20, of which everything is known, and our own.
pub(super) fn empty() -> Web {
    let mut web = Web::new(org(0));
    for number in 0..=20 {
        web.grounds.set_papers(org(number), Some(good_papers()));
    }
    web.settle();
    web
}

pub(super) fn good_papers() -> Papers {
    Papers {
        frozen: None,
        until: FAR,
    }
}

impl World {
    /// Notes a step and tells it.
    pub(super) fn take(&mut self, web: &mut Web, step: &Step) {
        match step.clone() {
            Step::Roots(number, roots) => {
                self.roots.insert(number, roots.clone());
                web.set_roots(org(number), roots);
            }
            Step::Endorse(says) => {
                web.grounds.endorse(&says);
                let key = (says.issuer, says.subject, says.scope.clone());
                self.endorsements.insert(key, says);
            }
            Step::Veto(veto) => {
                web.grounds.veto(&veto);
                let key = (veto.issuer, veto.subject, veto.scope.clone());
                self.vetoes.insert(key, veto);
            }
            Step::Pin(number, pin) => {
                self.pins.insert(number, pin);
                web.pin(org(number), pin);
            }
            Step::Parent(child, parent) => {
                match parent {
                    Some(parent) => self.parents.insert(child, parent),
                    None => self.parents.remove(&child),
                };
                web.grounds.set_parents(self.links());
            }
            Step::Papers(number, papers) => {
                self.papers.insert(number, papers);
                web.grounds.set_papers(org(number), papers);
            }
            Step::Now(now) => {
                self.now = self.now.max(now);
                web.advance(now);
            }
        }
        web.settle();
    }

    fn links(&self) -> Vec<(OrgId, OrgId)> {
        let links = self.parents.iter();
        links.map(|(child, parent)| (org(*child), org(*parent))).collect()
    }

    /// The same told at once, and the other way round.
    pub(super) fn again(&self) -> Web {
        let mut web = empty();
        for (number, pin) in self.pins.iter().rev() {
            web.grounds.pin(org(*number), *pin);
        }
        for says in self.endorsements.values().rev() {
            web.grounds.endorse(says);
        }
        for (number, papers) in self.papers.iter().rev() {
            web.grounds.set_papers(org(*number), *papers);
        }
        for (number, roots) in self.roots.iter().rev() {
            web.grounds.set_roots(org(*number), roots);
        }
        web.grounds.advance(self.now);
        web.grounds.set_parents(self.links());
        for veto in self.vetoes.values().rev() {
            web.grounds.veto(veto);
        }
        web.settle();
        web
    }
}

impl Web {
    /// `F` for one question, in the whole web.
    pub(super) fn full(&mut self, org: &OrgId, question: &Question) -> u32 {
        let layer = self.classes.ask(&self.grounds, question);
        if self.grounds.bar_of(org).is_some() || layer.vetoed.contains_key(org) {
            return 0;
        }
        layer.full(&self.grounds.families.top_of(org)).value
    }
}

/// All that a web says of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answers {
    pub(super) reach: u8,
    pub(super) confides: bool,
    pub(super) barred: Option<Barred>,
    pub(super) acceptance: Acceptance,
    /// What counts for some questions: who it counts as, and `F`.
    pub(super) full: Vec<(Option<OrgId>, u32)>,
}

pub(super) fn answers(web: &mut Web, number: u32) -> Answers {
    let one = org(number);
    let full = questions().into_iter().map(|question| {
        let counts = web.judged(&question).counts_as(&one);
        (counts, web.full(&one, &question))
    });
    let full = full.collect();
    Answers {
        full,
        reach: web.reach(&one),
        confides: web.confides(&one),
        barred: web.barred(&one),
        acceptance: web.acceptance(&one),
    }
}

pub(super) fn explained(web: &mut Web, number: u32, question: &Question) -> Explanation {
    web.explain(&org(number), question)
}

/// Questions of every kind that the scopes in these tests tell apart.
pub(super) fn questions() -> Vec<Question> {
    let texts = [
        "",
        "malware",
        "phishing",
        "ddos",
        "/a.nl",
        "/b.de",
        "malware/a.nl",
        "malware,phishing/a.b.nl",
    ];
    texts.iter().map(|text| question(text)).collect()
}

/// `topic,topic/name`.
pub(super) fn question(text: &str) -> Question {
    let (topics, name) = text.split_once('/').unwrap_or((text, ""));
    Question {
        topics: topics.split(',').filter(|text| !text.is_empty()).map(topic).collect(),
        name: (!name.is_empty()).then(|| suffix(name)),
    }
}

pub(super) fn topic(text: &str) -> Topic {
    Topic::parse(text).expect("the test is written so")
}

pub(super) fn suffix(text: &str) -> Suffix {
    Suffix::parse(text).expect("the test is written so")
}

/// The steps of a text.
pub(super) fn steps(text: &str) -> Vec<Step> {
    let mut roots: BTreeMap<u32, Vec<Root>> = BTreeMap::new();
    let clauses = text
        .split([',', '\n'])
        .map(str::trim)
        .filter(|clause| !clause.is_empty());
    clauses.map(|clause| step(clause, &mut roots)).collect()
}

/// A web to which these steps were told, and what holds then.
pub(super) fn told(text: &str) -> (Web, World) {
    let (mut web, mut world) = (empty(), World::default());
    steps(text).iter().for_each(|step| world.take(&mut web, step));
    (web, world)
}

fn step(clause: &str, roots: &mut BTreeMap<u32, Vec<Root>>) -> Step {
    let words: Vec<&str> = clause.split(' ').collect();
    let number = |at: usize| -> u32 { words[at].parse().expect("the test is written so") };
    let flags = Flags::read(&words[1..]);
    match words[0] {
        "good" => Step::Pin(number(1), Some(Pin::Good)),
        "bad" => Step::Pin(number(1), Some(Pin::Bad)),
        "unpin" => Step::Pin(number(1), None),
        "below" => Step::Parent(number(1), Some(number(2))),
        "alone" => Step::Parent(number(1), None),
        "now" => Step::Now(Millis(number(1).into())),
        "unknown" => Step::Papers(number(1), None),
        "known" | "forked" | "retired" => {
            let frozen = match words[0] {
                "forked" => Some(Freeze::Forked { seq: 0 }),
                "retired" => Some(Freeze::Retired),
                _ => None,
            };
            let until = flags.until;
            Step::Papers(number(1), Some(Papers { frozen, until }))
        }
        pair => said(pair, &words, &flags, roots),
    }
}

fn said(pair: &str, words: &[&str], flags: &Flags, roots: &mut BTreeMap<u32, Vec<Root>>) -> Step {
    let read = |text: &str| -> u32 { text.parse().expect("the test is written so") };
    if let Some((issuer, subject)) = pair.split_once("-|") {
        return Step::Veto(veto(read(issuer), read(subject), flags));
    }
    let (from, to) = pair.split_once("->").expect("the test is written so");
    let (amount, depth) = words[1].split_once('/').expect("the test is written so");
    let (amount, depth) = (read(amount) as u8, read(depth) as u8);
    if from == "R" {
        let root = Root {
            org: org(read(to)),
            amount,
            depth,
            scope: flags.scope(),
            may_veto: flags.has("veto"),
            receive_green: flags.has("green"),
        };
        let all = roots.entry(read(to)).or_default();
        all.push(root);
        // Without an amount all that was said before is gone.
        all.retain(|root| root.amount > 0 && amount > 0);
        return Step::Roots(read(to), all.clone());
    }
    Step::Endorse(endorsement((read(from), read(to)), (amount, depth), flags))
}

pub(super) fn endorsement((from, to): (u32, u32), (amount, depth): (u8, u8), flags: &Flags) -> Endorsement {
    Endorsement {
        issuer: org(from),
        subject: org(to),
        community: None,
        seq: 0,
        prev: Digest::ZERO,
        amount,
        depth,
        scope: flags.scope(),
        not_before: flags.from,
        not_after: flags.until,
        may_veto: flags.has("veto"),
        receive_green: flags.has("green"),
    }
}

pub(super) fn veto(issuer: u32, subject: u32, flags: &Flags) -> Veto {
    Veto {
        issuer: org(issuer),
        subject: org(subject),
        community: None,
        seq: 0,
        prev: Digest::ZERO,
        scope: flags.scope(),
        withdrawn: flags.has("withdrawn"),
        not_before: flags.from,
        not_after: flags.until,
    }
}

/// What stands behind a clause.
#[derive(Clone, Debug)]
pub(super) struct Flags {
    pub(super) words: BTreeSet<String>,
    pub(super) from: Millis,
    pub(super) until: Millis,
}

impl Flags {
    pub(super) fn read(words: &[&str]) -> Self {
        let time = |name: &str, usual: Millis| {
            let found = words.iter().find_map(|word| word.strip_prefix(name));
            found.map_or(usual, |text| Millis(text.parse().expect("the test is written so")))
        };
        Self {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            from: time("from:", Millis(0)),
            until: time("until:", FAR),
        }
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    fn scope(&self) -> Scope {
        let named =
            |name: &str| -> Vec<&str> { self.words.iter().filter_map(|word| word.strip_prefix(name)).collect() };
        let (topics, suffixes) = (named("topic:"), named("under:"));
        Scope {
            topics: (!topics.is_empty()).then(|| topics.into_iter().map(topic).collect()),
            suffixes: (!suffixes.is_empty()).then(|| suffixes.into_iter().map(suffix).collect()),
        }
    }
}
