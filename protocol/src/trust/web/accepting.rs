//! What an organisation is believed for (design, trust 4.6, "accept into store"), found out by asking about every topic and
//! every suffix that anybody on the way to it has told apart, and about all the others.
//!
//! Each question is answered on the way alone (`accepting/way.rs`), which is as good as on the whole web. More general
//! questions come first: what is believed about any topic need not be asked about one of them, because more endorsements
//! never make less trust. Vetoes do, so where others count each question is asked, and what is not believed within something
//! that is becomes an exception.
//!
//! Anybody who is reached can name topics, and the work is bounded. So what those name who stand high comes first, and
//! nobody takes the place of somebody who stands higher.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Web,
    grounds::{
        Grounds,
        scopes::{ANYTHING, Question, ScopeId},
    },
};
use crate::{
    limits,
    observable::Suffix,
    organisation::OrgId,
    record::Topic,
    statement::Scope,
    trust::{Acceptance, independence::ENOUGH},
};

mod way;

use self::way::{Vetoing, Way, Weight};

impl Web {
    /// In which scopes `F` is enough to believe an organisation.
    pub fn acceptance(&self, org: &OrgId) -> Acceptance {
        self.accepted(org).0
    }

    /// The same, and how many endorsements and scopes were looked at to find it out.
    pub fn accepted(&self, org: &OrgId) -> (Acceptance, usize) {
        let grounds = &self.grounds;
        if *org == grounds.own {
            return (Acceptance::everything(), 0);
        }
        let top = grounds.families.top_of(org);
        if grounds.bar(org).is_some() || self.widest.stands(&top) == 0 {
            return (Acceptance::nothing(), 0);
        }
        let way = Way::to(grounds, &self.widest, &top);
        let vetoing = Vetoing::of(grounds, &self.confide.holders, &way.orgs);
        if vetoing.is_nobodys() && way.scopes().all(|scope| scope == ANYTHING) {
            // Every question has the same answer, and the whole web gives it.
            let acceptance = if self.widest.carries(&top, ENOUGH) {
                Acceptance::everything()
            } else {
                Acceptance::nothing()
            };
            return (acceptance, 2 * way.said.len());
        }
        let mut answers = Answers {
            scopes: way.scopes().chain(vetoing.deciding()).collect(),
            vetoes: vetoing.deciding().collect(),
            looked: 2 * way.said.len(),
            known: BTreeMap::new(),
            grounds,
            org,
            way: &way,
            vetoing: &vetoing,
        };
        let weights = way.weights(grounds, &self.widest, &vetoing);
        let field = Field::new(grounds, &weights, &vetoing.scopes);
        let acceptance = field.map_or_else(Acceptance::nothing, |field| field.acceptance(&mut answers));
        (acceptance, answers.looked)
    }
}

/// The answers to questions, each asked once for all that the same scopes cover.
struct Answers<'a> {
    grounds: &'a Grounds,
    org: &'a OrgId,
    way: &'a Way,
    vetoing: &'a Vetoing,
    /// Those that can make a difference.
    scopes: BTreeSet<ScopeId>,
    /// Those of them that can make one by a veto.
    vetoes: BTreeSet<ScopeId>,
    known: BTreeMap<BTreeSet<ScopeId>, bool>,
    looked: usize,
}

impl Answers<'_> {
    fn ask(&mut self, question: &Question) -> bool {
        // What is not asked about is not believed.
        if self.looked >= limits::ACCEPTANCE_LOOKED {
            return false;
        }
        self.looked += self.scopes.len();
        let class = self.within(&self.scopes, question);
        if let Some(known) = self.known.get(&class) {
            return *known;
        }
        self.looked += self.way.said.len() + self.vetoing.rights.len();
        let answer = self.way.carries(self.grounds, self.org, self.vetoing, &class, ENOUGH);
        self.known.insert(class, answer);
        answer
    }

    fn within(&self, scopes: &BTreeSet<ScopeId>, question: &Question) -> BTreeSet<ScopeId> {
        let covers = |id: &&ScopeId| {
            let scope = self.grounds.scopes.scope(**id);
            scope.is_some_and(|scope| question.is_within(scope))
        };
        scopes.iter().filter(covers).copied().collect()
    }

    /// What decides who is vetoed for a question.
    fn decided(&mut self, question: impl Fn() -> Question) -> BTreeSet<ScopeId> {
        self.looked += self.vetoes.len();
        if self.vetoes.is_empty() {
            return BTreeSet::new();
        }
        self.within(&self.vetoes, &question())
    }
}

/// The topics and suffixes that are told apart, with what they weigh; the first of both is any other.
struct Field {
    topics: Vec<(Option<Topic>, Weight)>,
    names: Vec<(Option<Suffix>, Weight)>,
}

/// A mark for each topic and each suffix.
type Marks = Vec<Vec<bool>>;

impl Field {
    /// Those that vetoes name, and of the others the weightiest, as many as can be told apart. None when not even all can be
    /// that vetoes name: somebody would be believed in spite of one.
    fn new(grounds: &Grounds, weights: &BTreeMap<ScopeId, Weight>, vetoes: &BTreeSet<ScopeId>) -> Option<Self> {
        let mut topics: BTreeMap<Topic, Weight> = BTreeMap::new();
        let mut names: BTreeMap<Suffix, Weight> = BTreeMap::new();
        for scope in vetoes.iter().filter_map(|id| grounds.scopes.scope(*id)) {
            fill(&mut topics, scope.topics.iter().flatten(), Weight::MAX, usize::MAX);
            fill(&mut names, scope.suffixes.iter().flatten(), Weight::MAX, usize::MAX);
        }
        let (most_topics, most_names) = (limits::ACCEPTANCE_TOPICS, limits::ACCEPTANCE_SUFFIXES);
        if topics.len() > most_topics || names.len() > most_names {
            return None;
        }
        let weighed = weights.iter();
        let mut said: Vec<(Reverse<Weight>, &Scope)> = weighed
            .filter_map(|(id, weight)| Some((Reverse(*weight), grounds.scopes.scope(*id)?)))
            .collect();
        said.sort_unstable();
        for (Reverse(weight), scope) in said {
            fill(&mut topics, scope.topics.iter().flatten(), weight, most_topics);
            fill(&mut names, scope.suffixes.iter().flatten(), weight, most_names);
        }
        Some(Self {
            topics: others(topics),
            names: others(names),
        })
    }

    fn acceptance(&self, answers: &mut Answers<'_>) -> Acceptance {
        let believed = self.believed(answers);
        let mut excepted = self.marks();
        for (topic, row) in excepted.iter_mut().enumerate() {
            for (name, mark) in row.iter_mut().enumerate() {
                *mark = !believed[topic][name] && self.above(topic, name).any(|(topic, name)| believed[topic][name]);
            }
        }
        Acceptance::with_exceptions(self.scopes(&believed), self.scopes(&excepted))
    }

    /// Where the organisation is believed.
    fn believed(&self, answers: &mut Answers<'_>) -> Marks {
        let mut marks = self.marks();
        let mut places: Vec<(usize, usize)> = (0..self.topics.len())
            .flat_map(|topic| (0..self.names.len()).map(move |name| (topic, name)))
            .collect();
        answers.looked += places.len();
        let decided = places
            .iter()
            .map(|(topic, name)| answers.decided(|| self.question(*topic, *name)));
        let decided: Vec<BTreeSet<ScopeId>> = decided.collect();
        let decided = |(topic, name): (usize, usize)| &decided[topic * self.names.len() + name];
        let weight = |(topic, name): &(usize, usize)| self.topics[*topic].1.min(self.names[*name].1);
        let special = |(topic, name): &(usize, usize)| usize::from(*topic > 0) + self.wider(*name).count();
        places.sort_by_cached_key(|place| (Reverse(weight(place)), special(place), *place));
        for (topic, name) in places {
            // Where the same are vetoed, more is said in a part than in the whole.
            let tells = |above: (usize, usize)| marks[above.0][above.1] && decided(above) == decided((topic, name));
            let known = self.above(topic, name).any(tells);
            marks[topic][name] = known || answers.ask(&self.question(topic, name));
        }
        marks
    }

    /// Every place that is as general or more general.
    fn above(&self, topic: usize, name: usize) -> impl Iterator<Item = (usize, usize)> {
        let names = self.wider(name);
        names.flat_map(move |name| [(0, name), (topic, name)])
    }

    /// The names under which one is: any other, itself, and every suffix that it ends with.
    fn wider(&self, name: usize) -> impl Iterator<Item = usize> {
        let one = self.names[name].0.as_ref();
        let covers = move |wide: &Option<Suffix>| {
            let Some(wide) = wide else { return true };
            one.is_some_and(|one| wide.covers(one.as_str()))
        };
        (0..)
            .zip(&self.names)
            .filter(move |(_, (wide, _))| covers(wide))
            .map(|(place, _)| place)
    }

    fn question(&self, topic: usize, name: usize) -> Question {
        Question {
            topics: self.topics[topic].0.iter().cloned().collect(),
            name: self.names[name].0.clone(),
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
        for ((topic, _), row) in self.topics.iter().zip(marks).skip(1) {
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
        marked.filter_map(|name| self.names[name].0.clone()).collect()
    }
}

fn fill<'a, T: Ord + Clone + 'a>(
    kept: &mut BTreeMap<T, Weight>,
    more: impl Iterator<Item = &'a T>,
    weight: Weight,
    most: usize,
) {
    for one in more {
        if kept.len() >= most {
            break;
        }
        kept.entry(one.clone()).or_insert(weight);
    }
}

/// What is told apart, behind all the others, which are asked about first.
fn others<T>(kept: BTreeMap<T, Weight>) -> Vec<(Option<T>, Weight)> {
    let kept = kept.into_iter().map(|(one, weight)| (Some(one), weight));
    std::iter::once((None, Weight::MAX)).chain(kept).collect()
}
