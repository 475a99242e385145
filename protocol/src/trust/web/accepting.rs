//! What an organisation is believed for (design, trust 4.6, "accept into store"), found out by asking about every topic and
//! every suffix that anybody on the way to it has told apart, and about all the others.
//!
//! More general questions come first: what is believed about any topic need not be asked about one of them, because more
//! endorsements never make less trust. Vetoes do, so where some count each question is asked, and what is not believed
//! within something that is becomes an exception.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Web,
    grounds::{
        Grounds,
        scopes::{ANYTHING, Question, ScopeId},
    },
    layer::{Mesh, vetoes},
};
use crate::{
    limits,
    observable::Suffix,
    organisation::OrgId,
    record::Topic,
    statement::{DEPTH, Scope},
    trust::{Acceptance, graph::ROOT, independence::ENOUGH},
};

impl Web {
    /// In which scopes `F` is enough to believe an organisation.
    pub fn acceptance(&mut self, org: &OrgId) -> Acceptance {
        let grounds = &self.grounds;
        if *org == grounds.own {
            return Acceptance::everything();
        }
        let top = grounds.families.top_of(org);
        if grounds.bar(org).is_some() || self.widest.stands(&top) == 0 {
            return Acceptance::nothing();
        }
        let way = Way::to(grounds, &self.widest, &top);
        let said: BTreeSet<ScopeId> = way.scopes.clone();
        let vetoes = vetoing(grounds, &self.confide.holders, &way.orgs);
        let Some(field) = Field::new(grounds, &said, &vetoes) else {
            return Acceptance::nothing();
        };
        let mut answers = Answers {
            web: self,
            org: *org,
            scopes: said.union(&vetoes).copied().collect(),
            known: BTreeMap::new(),
        };
        field.acceptance(&mut answers, !vetoes.is_empty())
    }

    /// Whether `F` is enough for one question.
    fn accepts(&mut self, org: &OrgId, question: &Question) -> bool {
        self.full(org, question) >= u32::from(ENOUGH)
    }

    /// `F` for one question.
    pub(super) fn full(&mut self, org: &OrgId, question: &Question) -> u32 {
        let layer = self.classes.ask(&self.grounds, question);
        if self.grounds.bar_of(org).is_some() || layer.vetoed.contains_key(org) {
            return 0;
        }
        layer.full(&self.grounds.families.top_of(org)).value
    }
}

/// What can carry trust to an organisation, in whatever scope.
pub(super) struct Way {
    /// Everybody on it.
    pub(super) orgs: BTreeSet<OrgId>,
    /// How many introductions each node is away, for those that are asked about others.
    pub(super) hops: BTreeMap<OrgId, u8>,
    scopes: BTreeSet<ScopeId>,
}

impl Way {
    /// Backwards from a node, as far as introductions can go.
    pub(super) fn to(grounds: &Grounds, widest: &Mesh, top: &OrgId) -> Self {
        let Mesh { graph, standing } = widest;
        let mut way = Self {
            orgs: BTreeSet::new(),
            hops: BTreeMap::from([(*top, 0)]),
            scopes: BTreeSet::new(),
        };
        let mut layer: Vec<OrgId> = vec![*top];
        for hops in 0..=DEPTH {
            let mut next = Vec::new();
            for org in std::mem::take(&mut layer) {
                way.orgs.extend(grounds.families.members_of(&org));
                let arcs = graph.index_of(&org).map_or(&[][..], |node| graph.into(node));
                for arc in arcs.iter().filter(|arc| arc.depth >= hops) {
                    let left = standing.max_remaining(arc.node).unwrap_or(0);
                    if arc.node != ROOT && left <= hops {
                        continue;
                    }
                    let from = graph.org(arc.node);
                    let said = grounds.between(&(from, org));
                    way.scopes.extend(said.map(|(place, _)| place.scope));
                    if let Some(from) = from
                        && !way.hops.contains_key(&from)
                    {
                        way.hops.insert(from, hops + 1);
                        next.push(from);
                    }
                }
            }
            layer = next;
        }
        way
    }
}

/// The scopes that decide who is vetoed among these organisations; none when nobody's veto is about any of them.
fn vetoing(grounds: &Grounds, holders: &Mesh, orgs: &BTreeSet<OrgId>) -> BTreeSet<ScopeId> {
    let heard = |issuer: &OrgId| vetoes::rank(grounds, holders, issuer).is_some();
    let mut scopes = BTreeSet::new();
    let mut meant = false;
    for (issuer, vetoes) in &grounds.vetoes {
        if !heard(issuer) {
            continue;
        }
        for ((subject, scope), _) in vetoes.iter().filter(|(_, veto)| veto.counts(grounds.now)) {
            scopes.insert(*scope);
            meant = meant || grounds.families.below(subject).iter().any(|org| orgs.contains(org));
        }
    }
    if !meant {
        return BTreeSet::new();
    }
    for edge in holders.graph.edges() {
        let said = grounds.between(&(edge.from, edge.to));
        scopes.extend(said.filter(|(_, said)| said.may_veto).map(|(place, _)| place.scope));
    }
    scopes.insert(ANYTHING);
    scopes
}

/// The answers to questions, each asked once for all that the same scopes cover.
struct Answers<'a> {
    web: &'a mut Web,
    org: OrgId,
    /// Those that can make a difference.
    scopes: BTreeSet<ScopeId>,
    known: BTreeMap<BTreeSet<ScopeId>, bool>,
}

impl Answers<'_> {
    fn ask(&mut self, question: &Question) -> bool {
        let scopes = &self.web.grounds.scopes;
        let within = |id: &&ScopeId| scopes.scope(**id).is_some_and(|scope| question.is_within(scope));
        let class: BTreeSet<ScopeId> = self.scopes.iter().filter(within).copied().collect();
        if let Some(known) = self.known.get(&class) {
            return *known;
        }
        // Who is not asked about is not believed.
        if self.known.len() >= limits::ACCEPTANCE_QUESTIONS {
            return false;
        }
        let answer = self.web.accepts(&self.org, question);
        self.known.insert(class, answer);
        answer
    }
}

/// The topics and suffixes that are told apart; the first of both is any other.
struct Field {
    topics: Vec<Option<Topic>>,
    names: Vec<Option<Suffix>>,
}

/// A mark for each topic and each suffix.
type Marks = Vec<Vec<bool>>;

impl Field {
    /// Those of these scopes, as many as can be told apart. None when not even all can be that vetoes name: somebody would
    /// be believed in spite of one.
    fn new(grounds: &Grounds, said: &BTreeSet<ScopeId>, vetoes: &BTreeSet<ScopeId>) -> Option<Self> {
        let named = |ids: &BTreeSet<ScopeId>| {
            let scopes: Vec<&Scope> = ids.iter().filter_map(|id| grounds.scopes.scope(*id)).collect();
            let topics = scopes.iter().flat_map(|scope| scope.topics.iter().flatten().cloned());
            let names = scopes.iter().flat_map(|scope| scope.suffixes.iter().flatten().cloned());
            (topics.collect::<BTreeSet<Topic>>(), names.collect::<BTreeSet<Suffix>>())
        };
        let (mut topics, mut names) = named(vetoes);
        if topics.len() > limits::ACCEPTANCE_TOPICS || names.len() > limits::ACCEPTANCE_SUFFIXES {
            return None;
        }
        let (more_topics, more_names) = named(said);
        fill(&mut topics, more_topics, limits::ACCEPTANCE_TOPICS);
        fill(&mut names, more_names, limits::ACCEPTANCE_SUFFIXES);
        Some(Self {
            topics: std::iter::once(None).chain(topics.into_iter().map(Some)).collect(),
            names: std::iter::once(None).chain(names.into_iter().map(Some)).collect(),
        })
    }

    fn acceptance(&self, answers: &mut Answers<'_>, vetoes: bool) -> Acceptance {
        let believed = self.believed(answers, vetoes);
        let mut excepted = self.marks();
        for (topic, row) in excepted.iter_mut().enumerate() {
            for (name, mark) in row.iter_mut().enumerate() {
                *mark = self.is_within(&believed, topic, name) && !believed[topic][name];
            }
        }
        Acceptance::with_exceptions(self.scopes(&believed), self.scopes(&excepted))
    }

    /// Where the organisation is believed.
    fn believed(&self, answers: &mut Answers<'_>, vetoes: bool) -> Marks {
        let mut marks = self.marks();
        let mut places: Vec<(usize, usize)> = (0..self.topics.len())
            .flat_map(|topic| (0..self.names.len()).map(move |name| (topic, name)))
            .collect();
        let special = |(topic, name): &(usize, usize)| usize::from(*topic > 0) + self.wider(*name).count();
        places.sort_by_cached_key(|place| (special(place), *place));
        for (topic, name) in places {
            let known = !vetoes && self.is_within(&marks, topic, name);
            marks[topic][name] = known || answers.ask(&self.question(topic, name));
        }
        marks
    }

    /// Whether something as general or more general is marked.
    fn is_within(&self, marks: &Marks, topic: usize, name: usize) -> bool {
        let mut names = self.wider(name);
        names.any(|name| marks[0][name] || marks[topic][name])
    }

    /// The names under which one is: any other, itself, and every suffix that it ends with.
    fn wider(&self, name: usize) -> impl Iterator<Item = usize> {
        let one = self.names[name].as_ref();
        let covers = move |wide: &Option<Suffix>| {
            let Some(wide) = wide else { return true };
            one.is_some_and(|one| wide.covers(one.as_str()))
        };
        (0..)
            .zip(&self.names)
            .filter(move |(_, wide)| covers(wide))
            .map(|(place, _)| place)
    }

    fn question(&self, topic: usize, name: usize) -> Question {
        Question {
            topics: self.topics[topic].iter().cloned().collect(),
            name: self.names[name].clone(),
        }
    }

    fn marks(&self) -> Marks {
        vec![vec![false; self.names.len()]; self.topics.len()]
    }

    /// What is marked, as scopes: nothing that a wider one says already, and topics that have the same suffixes in one.
    fn scopes(&self, marks: &Marks) -> Vec<Scope> {
        let Some(others) = marks.first().filter(|others| !others[0]) else {
            return vec![Scope::default()];
        };
        let nowhere = vec![false; self.names.len()];
        let of_any = self.suffixes(others, &nowhere);
        let mut rows: BTreeMap<Option<BTreeSet<Suffix>>, BTreeSet<Topic>> = BTreeMap::new();
        for (topic, row) in self.topics.iter().zip(marks).skip(1) {
            let suffixes = (!row[0]).then(|| self.suffixes(row, others));
            if suffixes.as_ref().is_none_or(|suffixes| !suffixes.is_empty()) {
                rows.entry(suffixes).or_default().extend(topic.clone());
            }
        }
        let rows = rows.into_iter().map(|(suffixes, topics)| Scope {
            topics: Some(topics),
            suffixes,
        });
        let any = (!of_any.is_empty()).then_some(Scope {
            topics: None,
            suffixes: Some(of_any),
        });
        any.into_iter().chain(rows).collect()
    }

    /// What is marked in one row and not in another, without what is under others of them.
    fn suffixes(&self, row: &[bool], others: &[bool]) -> BTreeSet<Suffix> {
        let said = |name: usize| {
            let mut wider = self.wider(name);
            wider.any(|wide| others[wide] || wide != name && row[wide])
        };
        let marked = (1..self.names.len()).filter(|name| row[*name] && !said(*name));
        marked.filter_map(|name| self.names[name].clone()).collect()
    }
}

fn fill<T: Ord>(kept: &mut BTreeSet<T>, more: BTreeSet<T>, most: usize) {
    for one in more {
        if kept.len() >= most {
            break;
        }
        kept.insert(one);
    }
}
