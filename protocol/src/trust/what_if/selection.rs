//! Which of the endorsements of a document count (design, trust 4.2): of one issuer, subject and scope the one with the
//! highest number, even when it says less; of those, what is not revoked or over, and covers the question.

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::{Digest, domain};

use super::{Hypothesis, Mark, Pair, Vouching, scope};
use crate::{observable::Suffix, organisation::OrgId, statement::Scope, trust::graph::Edge};

/// What the edges are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Anything: scopes do not matter.
    Anything,
    /// The question of the document.
    Question,
    /// Whom to tell TLP:GREEN: what is about anything and says so, whatever the question is.
    Confiding,
}

/// The organisation of a name. The same name is the same one in every document.
pub(super) fn org(name: &str) -> OrgId {
    OrgId::from_digest(Digest::of(domain::MANIFEST, name.as_bytes()))
}

/// The edges that count.
pub(super) fn edges(document: &Hypothesis, host: Option<&Suffix>, purpose: Purpose) -> Vec<Edge> {
    let counts = |scope: &Scope, mark: Mark| match purpose {
        Purpose::Anything => true,
        Purpose::Question => covers(document, host, scope),
        Purpose::Confiding => mark >= Mark::Green && *scope == Scope::default(),
    };
    let roots = document.roots.iter().filter(|root| root.amount > 0);
    let roots = roots.filter(|root| counts(&scope(&root.topics, &root.suffixes), root.receive_tlp));
    let mut edges: Vec<Edge> = roots
        .map(|root| Edge {
            from: None,
            to: org(&root.org),
            amount: root.amount,
            depth: root.depth,
        })
        .collect();
    for (scope, said) in newest(document) {
        if is_alive(document, said) && counts(&scope, said.receive_tlp) {
            edges.push(Edge {
                from: Some(org(&said.from)),
                to: org(&said.to),
                amount: said.amount,
                depth: said.depth,
            });
        }
    }
    edges
}

/// Of each issuer, subject and scope the newest, and of two with one number the one that says less.
fn newest(document: &Hypothesis) -> Vec<(Scope, &Vouching)> {
    let revoked: BTreeSet<&Pair> = document.revoked.iter().collect();
    let mut newest: BTreeMap<(Pair, Scope), (u64, &Vouching)> = BTreeMap::new();
    for (position, said) in (0..).zip(&document.endorsements) {
        let pair = Pair {
            from: said.from.clone(),
            to: said.to.clone(),
        };
        if revoked.contains(&pair) {
            continue;
        }
        let seq = said.seq.unwrap_or(position);
        let key = (pair, scope(&said.topics, &said.suffixes));
        let kept = newest.entry(key).or_insert((seq, said));
        let says = |said: &Vouching| {
            (
                said.amount,
                said.depth,
                said.until.unwrap_or(u64::MAX),
                said.receive_tlp,
            )
        };
        if seq > kept.0 || seq == kept.0 && says(said) < says(kept.1) {
            *kept = (seq, said);
        }
    }
    newest
        .into_iter()
        .map(|((_, scope), (_, said))| (scope, said))
        .collect()
}

fn is_alive(document: &Hypothesis, said: &Vouching) -> bool {
    said.amount > 0 && said.until.is_none_or(|until| document.now < until)
}

fn covers(document: &Hypothesis, host: Option<&Suffix>, scope: &Scope) -> bool {
    let question = document.question.as_ref();
    question.is_none_or(|question| scope.covers(&question.topics, host.map(Suffix::as_str)))
}
