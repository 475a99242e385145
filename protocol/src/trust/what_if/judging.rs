//! The answer to a document, by the code that judges the mesh.

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::Digest;

use super::{
    Answer, Fault, Hypothesis, Judged, Opinion, Shares,
    selection::{Purpose, edges, org},
};
use crate::{
    confidence::{Claim, Kind, View, Weights, assess},
    observable::Suffix,
    organisation::OrgId,
    statement::FULL,
    time::Millis,
    trust::{
        dominators::Dominators,
        flow::{Memo, Supply, flow},
        graph::Graph,
        independence::independent,
        standing::Standing,
        web::{Gates, Marks},
    },
};

/// Judges every organisation, set and claim of a document.
pub fn evaluate(document: &Hypothesis) -> Result<Answer, Fault> {
    let scene = Scene::new(document, document.host()?.as_ref());
    let mut memo = Memo::default();
    let orgs = document.names().into_iter().map(|name| {
        let judged = scene.judge(&mut memo, org(name));
        (name.to_owned(), judged)
    });
    let orgs = orgs.collect();
    let sets = document.sets.iter().map(|set| scene.weight(set)).collect();
    let now = Millis(document.now.max(oldest(document)));
    let claims = claims(document, now);
    let view = View {
        graph: &scene.question.graph,
        standing: &scene.question.standing,
    };
    let found = assess(view, &mut memo, &claims, document.fading(), &Weights::default(), now);
    Ok(Answer {
        orgs,
        sets,
        claims: Shares {
            r: found.support.value,
            s: found.dispute.value,
            b: found.belief,
            d: found.disbelief,
            u: found.uncertainty,
        },
    })
}

/// A graph and what is computed of all of it.
struct Layer {
    graph: Graph,
    standing: Standing,
}

impl Layer {
    fn new(document: &Hypothesis, host: Option<&Suffix>, purpose: Purpose) -> Self {
        let graph = Graph::new(edges(document, host, purpose));
        Self {
            standing: Standing::new(&graph),
            graph,
        }
    }

    fn best(&self, org: &OrgId) -> u8 {
        let node = self.graph.index_of(org);
        node.map_or(0, |node| self.standing.of(node))
    }
}

/// The three graphs that the gates ask.
struct Scene<'a> {
    names: BTreeMap<OrgId, &'a str>,
    anything: Layer,
    question: Layer,
    confiding: Layer,
    dominators: Dominators,
}

impl<'a> Scene<'a> {
    fn new(document: &'a Hypothesis, host: Option<&Suffix>) -> Self {
        let layer = |purpose: Purpose| Layer::new(document, host, purpose);
        let question = layer(Purpose::Question);
        Self {
            names: document.names().into_iter().map(|name| (org(name), name)).collect(),
            anything: layer(Purpose::Anything),
            confiding: layer(Purpose::Confiding),
            dominators: Dominators::new(&question.graph, &question.standing),
            question,
        }
    }

    /// The gates of the design (trust 4.6).
    fn judge(&self, memo: &mut Memo, org: OrgId) -> Judged {
        let mut marks = Marks {
            reach: self.anything.best(&org),
            confided: self.confiding.best(&org),
            ..Marks::default()
        };
        let mut judged = Judged::default();
        let Layer { graph, standing } = &self.question;
        if let Some(node) = graph.index_of(&org) {
            marks.full = memo.full(graph, standing, node).value;
            marks.independent = independent(graph, standing, node);
            judged.best = standing.of(node);
            judged.max_remaining_depth = standing.max_remaining(node).unwrap_or(0);
            judged.dominator = self.name(self.dominators.of(node));
        }
        let gates = Gates::from(marks);
        Judged {
            full: marks.full,
            independent: marks.independent,
            connect: gates.connect,
            accept: gates.accept,
            relay: gates.relay,
            confide: gates.confide,
            act: gates.act,
            ..judged
        }
    }

    fn name(&self, node: Option<u32>) -> Option<String> {
        let org = node.and_then(|node| self.question.graph.org(node))?;
        self.names.get(&org).map(|name| (*name).to_owned())
    }

    /// What a set weighs when each of it may supply one full source.
    fn weight(&self, set: &[String]) -> u32 {
        let Layer { graph, standing } = &self.question;
        let members: BTreeSet<OrgId> = set.iter().map(|name| org(name)).collect();
        let nodes = members.iter().filter_map(|org| graph.index_of(org));
        let supplies = nodes.map(|node| (node, Supply::from(u32::from(FULL)))).collect();
        flow(graph, standing, &supplies, u32::MAX).value
    }
}

/// The age of the oldest claim: the clock that ages are counted back from must not be less.
fn oldest(document: &Hypothesis) -> u64 {
    document.claims.iter().map(|said| said.age_ms).max().unwrap_or(0)
}

fn claims(document: &Hypothesis, now: Millis) -> Vec<Claim> {
    let said = (0..).zip(&document.claims);
    said.map(|(position, said)| {
        let at = Millis(now.0.saturating_sub(said.age_ms));
        Claim {
            org: org(&said.org),
            log: Digest::from_bytes([0; 32]),
            place: (Millis(0), position),
            kind: match said.kind {
                Opinion::Report => Kind::Report,
                Opinion::Sighting => Kind::Sighting,
                Opinion::FalsePositive => Kind::FalsePositive,
            },
            confidence: said.confidence,
            observed_at: at,
            received_at: at,
            derived_from: None,
        }
    })
    .collect()
}
