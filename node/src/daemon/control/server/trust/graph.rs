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
    engine::port::{Command, Outcome, Trusted},
    organisation::OrgId,
    trust::web::Vouched,
};

use super::{
    super::{Answer, Node, node::unexpected, streams::beside},
    policy::{about, party, unread, who},
};
use crate::daemon::control::documents::trust::{Edge, Graph, Vertex};

/// How much of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Asked {
    limit: usize,
}

pub(in super::super) async fn graph(State(node): State<Arc<Node>>, Query(asked): Query<Asked>) -> Answer<Graph> {
    let trusted = who(&node).await?;
    let own = node.identity.org;
    let chosen = chosen(own, &trusted, asked.limit);
    let among: BTreeSet<OrgId> = chosen.iter().copied().collect();
    let vouching = match node.handle.command(Command::Vouching(among.clone())).await {
        Outcome::Vouching(vouching) => vouching,
        other => return Err(unexpected(other)),
    };
    let read = move || {
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
        let left_out = trusted
            .organisations
            .iter()
            .filter(|one| !among.contains(&one.org))
            .count();
        Ok(Graph {
            organisations: chosen.iter().map(vertex).collect(),
            endorsements: edges(own, &trusted, &vouching, &among),
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

fn edges(own: OrgId, trusted: &Trusted, said: &[Vouched], among: &BTreeSet<OrgId>) -> Vec<Edge> {
    let root = |(_, root): &(_, starfish_protocol::trust::Root)| Edge {
        from: own.to_string(),
        to: root.org.to_string(),
        amount: root.amount,
        depth: root.depth,
        about: about(&root.scope),
        root: true,
        counts: true,
    };
    let endorsement = |said: &Vouched| Edge {
        from: said.issuer.to_string(),
        to: said.subject.to_string(),
        amount: said.amount,
        depth: said.depth,
        about: about(&said.scope),
        root: false,
        counts: said.counts,
    };
    let roots = trusted
        .roots
        .iter()
        .filter(|(_, root)| root.org != own && among.contains(&root.org));
    roots.map(root).chain(said.iter().map(endorsement)).collect()
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
    fn root_entries_and_endorsements_are_arrows() {
        let among: BTreeSet<OrgId> = [0, 1, 2].map(org).into();
        let said = [true, false].map(|counts| Vouched {
            issuer: org(1),
            subject: org(2),
            amount: 60,
            depth: 0,
            scope: Scope::default(),
            counts,
        });
        let drawn = edges(org(0), &trusted(&[], &[0, 1, 9]), &said, &among);
        let told: Vec<(bool, String, bool)> = drawn
            .iter()
            .map(|edge| (edge.root, edge.to.clone(), edge.counts))
            .collect();
        let expected = [(true, 1, true), (false, 2, true), (false, 2, false)];
        assert_eq!(
            told,
            expected.map(|(root, to, counts)| (root, org(to).to_string(), counts))
        );
    }
}
