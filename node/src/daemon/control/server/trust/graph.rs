//! The neighbourhood of this node in the web of trust, for a picture.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use starfish_protocol::{
    engine::port::Trusted,
    organisation::OrgId,
    statement::{Endorsement, Statement},
    time::Millis,
};

use super::{
    super::{Answer, Node, streams::beside},
    policy::{about, party, unread, who},
};
use crate::daemon::{
    control::documents::trust::{Edge, Graph, Vertex},
    moment,
};

/// How much of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Asked {
    limit: usize,
}

pub(in super::super) async fn graph(State(node): State<Arc<Node>>, Query(asked): Query<Asked>) -> Answer<Graph> {
    let trusted = who(&node).await?;
    let own = node.identity.org;
    let read = move || {
        let endorsements = latest(&node.ledger.load()?.statements);
        let chosen = chosen(own, &trusted, asked.limit);
        let verdicts: BTreeMap<OrgId, (bool, bool)> = trusted
            .organisations
            .iter()
            .map(|one| (one.org, (one.verdict.believe, one.verdict.connect)))
            .collect();
        let vertex = |org: &OrgId| {
            let (accept, connect) = verdicts.get(org).copied().unwrap_or((*org == own, *org == own));
            Vertex {
                party: party(&node, org),
                accept,
                connect,
            }
        };
        let among: BTreeSet<OrgId> = chosen.iter().copied().collect();
        let left_out = trusted
            .organisations
            .iter()
            .filter(|one| !among.contains(&one.org))
            .count();
        Ok(Graph {
            organisations: chosen.iter().map(vertex).collect(),
            endorsements: edges(own, &trusted, &endorsements, &among, moment::now()),
            left_out,
        })
    };
    Ok(Json(beside(read).await.map_err(unread)?))
}

/// This node's own organisation, then those for whom it has a root entry, then those who may do the most.
fn chosen(own: OrgId, trusted: &Trusted, limit: usize) -> Vec<OrgId> {
    let roots: BTreeSet<OrgId> = trusted.roots.iter().map(|(_, root)| root.org).collect();
    let mut others: Vec<(bool, bool, bool, OrgId)> = trusted
        .organisations
        .iter()
        .filter(|one| one.org != own)
        .map(|one| {
            (
                !roots.contains(&one.org),
                !one.verdict.believe,
                !one.verdict.connect,
                one.org,
            )
        })
        .collect();
    let unreached = roots
        .iter()
        .filter(|org| **org != own && !others.iter().any(|(.., other)| other == *org));
    let unreached: Vec<_> = unreached.map(|org| (false, true, true, *org)).collect();
    others.extend(unreached);
    others.sort();
    [own]
        .into_iter()
        .chain(others.into_iter().map(|(.., org)| org))
        .take(limit)
        .collect()
}

/// For each issuer, subject and scope the last endorsement, if it was not taken back.
fn latest(statements: &[Statement]) -> Vec<Endorsement> {
    let mut latest = BTreeMap::new();
    for said in statements
        .iter()
        .filter_map(|statement| Endorsement::read(statement).ok())
    {
        let place = (said.issuer, said.subject, said.scope.clone());
        if latest
            .get(&place)
            .is_none_or(|before: &Endorsement| before.seq <= said.seq)
        {
            latest.insert(place, said);
        }
    }
    latest.into_values().filter(|said| !said.withdraws()).collect()
}

fn edges(own: OrgId, trusted: &Trusted, said: &[Endorsement], among: &BTreeSet<OrgId>, now: Millis) -> Vec<Edge> {
    let root = |(_, root): &(_, starfish_protocol::trust::Root)| Edge {
        from: own.to_string(),
        to: root.org.to_string(),
        amount: root.amount,
        depth: root.depth,
        about: about(&root.scope),
        root: true,
        counts: true,
    };
    let endorsement = |said: &Endorsement| Edge {
        from: said.issuer.to_string(),
        to: said.subject.to_string(),
        amount: said.amount,
        depth: said.depth,
        about: about(&said.scope),
        root: false,
        counts: said.not_before <= now && now < said.not_after,
    };
    let roots = trusted
        .roots
        .iter()
        .filter(|(_, root)| root.org != own && among.contains(&root.org));
    let said = said
        .iter()
        .filter(|said| among.contains(&said.issuer) && among.contains(&said.subject));
    roots.map(root).chain(said.map(endorsement)).collect()
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{Digest, domain};
    use starfish_protocol::{
        engine::port::TrustedOrganisation,
        statement::Scope,
        trust::{Acceptance, Origin, Reason, Root, Verdict},
    };

    use super::*;

    fn org(number: u8) -> OrgId {
        OrgId::from_digest(Digest::of(domain::MANIFEST, &[number]))
    }

    /// Organisations by number, with whether they are believed; and root entries.
    fn trusted(orgs: &[(u8, bool)], roots: &[u8]) -> Trusted {
        let one = |(number, believe): &(u8, bool)| TrustedOrganisation {
            org: org(*number),
            name: None,
            verdict: Verdict {
                connect: true,
                relay: true,
                believe: *believe,
                confide: false,
                reason: Reason::Vouched,
            },
            acceptance: Acceptance::nothing(),
        };
        Trusted {
            roots: roots
                .iter()
                .map(|number| (Origin::Entered, Root::paired(org(*number))))
                .collect(),
            pins: Vec::new(),
            organisations: orgs.iter().map(one).collect(),
        }
    }

    fn said(issuer: u8, subject: u8, seq: u64, amount: u8) -> Endorsement {
        Endorsement {
            issuer: org(issuer),
            subject: org(subject),
            community: None,
            seq,
            prev: if seq == 0 {
                Digest::ZERO
            } else {
                Digest::from_bytes([1; 32])
            },
            amount,
            depth: 0,
            scope: Scope::default(),
            not_before: Millis(10),
            not_after: Millis(20),
            may_veto: false,
            receive_green: false,
        }
    }

    #[test]
    fn those_who_stand_highest_are_drawn() {
        let check = |orgs: &[(u8, bool)], roots: &[u8], limit: usize, expected: &[u8]| {
            let chosen = chosen(org(0), &trusted(orgs, roots), limit);
            let expected: Vec<OrgId> = expected.iter().map(|number| org(*number)).collect();
            assert_eq!(chosen, expected, "{orgs:?} {roots:?}");
        };
        check(&[], &[], 5, &[0]);
        check(&[(0, true)], &[0], 5, &[0]);
        check(&[(1, false), (2, true)], &[], 5, &[0, 2, 1]);
        check(&[(1, false), (2, true)], &[1], 5, &[0, 1, 2]);
        check(&[(1, false), (2, true)], &[1], 2, &[0, 1]);
        // A root entry for somebody whom nobody knows is an entry all the same.
        check(&[], &[3], 5, &[0, 3]);
    }

    #[test]
    fn what_was_taken_back_is_not_drawn() {
        let check = |all: &[Endorsement], expected: &[u8]| {
            let statements: Vec<Statement> = all
                .iter()
                .map(|said| said.unsigned().expect("it can be said"))
                .collect();
            let amounts: Vec<u8> = latest(&statements).iter().map(|said| said.amount).collect();
            assert_eq!(amounts, expected);
        };
        check(&[], &[]);
        check(&[said(1, 2, 0, 60), said(1, 2, 1, 90)], &[90]);
        check(&[said(1, 2, 1, 90), said(1, 2, 0, 60)], &[90]);
        check(&[said(1, 2, 0, 60), said(1, 2, 1, 0)], &[]);
    }

    #[test]
    fn arrows_are_among_those_who_are_drawn() {
        let among: BTreeSet<OrgId> = [0, 1, 2].map(org).into();
        let check = |all: &[Endorsement], now: u64, expected: &[(u8, bool)]| {
            let drawn = edges(org(0), &trusted(&[], &[0, 1, 9]), all, &among, Millis(now));
            let (roots, others): (Vec<&Edge>, Vec<&Edge>) = drawn.iter().partition(|edge| edge.root);
            assert_eq!(
                roots.iter().map(|edge| edge.to.clone()).collect::<Vec<_>>(),
                [org(1).to_string()]
            );
            let others: Vec<(u8, bool)> = others.iter().map(|edge| (edge.amount, edge.counts)).collect();
            assert_eq!(others, expected, "at {now}");
        };
        check(&[], 15, &[]);
        check(
            &[said(1, 2, 0, 60), said(1, 3, 0, 60), said(3, 2, 0, 60)],
            15,
            &[(60, true)],
        );
        check(&[said(1, 2, 0, 60)], 9, &[(60, false)]);
        check(&[said(1, 2, 0, 60)], 20, &[(60, false)]);
    }
}
