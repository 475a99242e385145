//! What the operator decides about others by himself, and who is trusted after that.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use starfish_crypto::PublicKey;
use starfish_protocol::{
    engine::port::{self, Command, Outcome, TrustedOrganisation},
    observable::Suffix,
    organisation::OrgId,
    record::Topic,
    statement::{Endorsement, Kind, NodeCertificate, Scope, Statement, Subsidiary, Veto},
    trust::{self, Origin, Reason, web::Barred},
};

use super::super::{Answer, Node, Refused, node::unexpected, streams::beside, usage};
use crate::{
    daemon::{
        ceremony::{self, documents::Said},
        control::documents::{
            Done,
            trust::{About, Known, NewRoot, Party, Pin, Reached, Root, Terms, Trusted},
        },
        exit::Failure,
    },
    store::StoreError,
};

pub(in super::super) async fn root(State(node): State<Arc<Node>>, Json(asked): Json<NewRoot>) -> Answer<Done> {
    let org = organisation(&asked.organisation)?;
    let command = match asked.terms {
        Some(terms) => Command::SetRoot(trust::Root {
            org,
            amount: terms.amount,
            depth: terms.depth,
            scope: scope(&terms.about)?,
            may_veto: terms.may_veto,
            receive_green: terms.receive_tlp == "green",
        }),
        None => Command::RemoveRoot(org),
    };
    done(&node, command).await
}

pub(in super::super) async fn pin(State(node): State<Arc<Node>>, Json(asked): Json<Pin>) -> Answer<Done> {
    let org = organisation(&asked.party.organisation)?;
    let pin = match asked.pin.as_deref() {
        None => None,
        Some("good") => Some(trust::Pin::Good),
        Some("bad") => Some(trust::Pin::Bad),
        Some(other) => return Err(usage(format!("{other}: a pin is good or bad"))),
    };
    done(&node, Command::Pin { org, pin }).await
}

async fn done(node: &Node, command: Command) -> Answer<Done> {
    match node.handle.command(command).await {
        Outcome::Done => Ok(Json(Done { done: true })),
        other => Err(unexpected(other)),
    }
}

pub(in super::super) async fn trusted(State(node): State<Arc<Node>>) -> Answer<Trusted> {
    let trusted = who(&node).await?;
    let shown = move || {
        let root = |(origin, root): &(Origin, trust::Root)| Root {
            party: party(&node, &root.org),
            origin: origin_of(*origin).to_owned(),
            terms: Terms {
                amount: root.amount,
                depth: root.depth,
                about: about(&root.scope),
                may_veto: root.may_veto,
                receive_tlp: if root.receive_green { "green" } else { "clear" }.to_owned(),
            },
        };
        let pin = |(org, pin): &(OrgId, trust::Pin)| Pin {
            party: party(&node, org),
            pin: Some(if *pin == trust::Pin::Good { "good" } else { "bad" }.to_owned()),
        };
        Ok(Trusted {
            roots: trusted.roots.iter().map(root).collect(),
            pins: trusted.pins.iter().map(pin).collect(),
            organisations: trusted.organisations.iter().map(reached).collect(),
        })
    };
    Ok(Json(beside(shown).await.map_err(unread)?))
}

/// Asks the rules.
pub(super) async fn who(node: &Node) -> Result<port::Trusted, Refused> {
    match node.handle.command(Command::Trusted).await {
        Outcome::Trusted(trusted) => Ok(*trusted),
        other => Err(unexpected(other)),
    }
}

fn reached(one: &TrustedOrganisation) -> Reached {
    let verdict = one.verdict;
    let reason = match verdict.reason {
        Reason::Root(origin) => format!("a root of this node ({})", origin_of(origin)),
        Reason::Vouched => "somebody who is trusted here vouches for it".to_owned(),
        Reason::Barred(barred) => bar(barred).to_owned(),
        Reason::Unvouched => "nobody here vouches for it".to_owned(),
        Reason::Uncertified => "it proved nothing".to_owned(),
    };
    Reached {
        party: Party {
            organisation: one.org.to_string(),
            name: one.name.clone(),
        },
        connect: verdict.connect,
        relay: verdict.relay,
        accept: verdict.believe,
        confide: verdict.confide,
        believed: one.acceptance.scopes().iter().map(about).collect(),
        reason,
    }
}

/// Which organisation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Which {
    organisation: String,
}

/// Everything that is here from and about one organisation.
pub(in super::super) async fn known(State(node): State<Arc<Node>>, Query(which): Query<Which>) -> Answer<Known> {
    let org = organisation(&which.organisation)?;
    let reader = Arc::clone(&node);
    let read = move || from_and_about(&reader, org);
    let (says, others, party) = beside(read).await.map_err(unread)?;
    let of_it = says.len();
    let all = [says, others].concat();
    let standing = match node.handle.command(Command::Standing(all.clone())).await {
        Outcome::Standing(standing) => standing,
        other => return Err(unexpected(other)),
    };
    let said = |(statement, stands): (&Statement, Option<bool>)| Said {
        stands,
        ..ceremony::say(statement)
    };
    let mut says: Vec<Said> = all.iter().zip(standing).map(said).collect();
    let said_of_it = says.split_off(of_it);
    Ok(Json(Known {
        party,
        says,
        said_of_it,
    }))
}

/// What an organisation has signed, what others have signed about it, and who it is. Reads the store, so not for the event
/// loop.
fn from_and_about(node: &Node, org: OrgId) -> Result<(Vec<Statement>, Vec<Statement>, Party), StoreError> {
    let loaded = node.ledger.load()?;
    // What the data directory says of this node was not told to it by anybody, and so may not be in the store.
    let own = node.identity.statements.iter();
    let own = own.filter(|statement| !loaded.statements.contains(statement)).cloned();
    let own: Vec<Statement> = own.collect();
    // A node's addresses change with every start and say nothing of trust.
    let all = loaded
        .statements
        .into_iter()
        .chain(own)
        .filter(|statement| statement.kind() != Kind::ENDPOINT);
    let (says, mut others): (Vec<Statement>, Vec<_>) = all.partition(|statement| statement.issuer() == Some(org));
    let certificates = says
        .iter()
        .filter_map(|statement| NodeCertificate::read(statement).ok());
    let nodes: BTreeSet<PublicKey> = certificates.map(|certificate| certificate.node_key).collect();
    let accuses_it = |statement: &Statement| statement.accuses().is_some_and(|node| nodes.contains(&node));
    others.retain(|statement| subject(statement) == Some(org) || accuses_it(statement));
    Ok((says, others, party(node, &org)))
}

/// About whom an organisation says something.
fn subject(statement: &Statement) -> Option<OrgId> {
    match statement.kind() {
        Kind::ENDORSEMENT => Endorsement::read(statement).ok().map(|said| said.subject),
        Kind::VETO => Veto::read(statement).ok().map(|said| said.subject),
        Kind::SUBSIDIARY => Subsidiary::read(statement).ok().map(|said| said.subject),
        _ => None,
    }
}

pub(super) fn organisation(text: &str) -> Result<OrgId, Refused> {
    text.parse().map_err(|error| usage(format!("{text}: {error}")))
}

fn scope(about: &About) -> Result<Scope, Refused> {
    let topics = |texts: &Vec<String>| texts.iter().map(|text| Topic::parse(text)).collect::<Result<_, _>>();
    let suffixes = |texts: &Vec<String>| texts.iter().map(|text| Suffix::parse(text)).collect::<Result<_, _>>();
    Ok(Scope {
        topics: about.topics.as_ref().map(topics).transpose().map_err(usage)?,
        suffixes: about.suffixes.as_ref().map(suffixes).transpose().map_err(usage)?,
    })
}

/// A scope as it is shown.
pub(super) fn about(scope: &Scope) -> About {
    About {
        topics: scope
            .topics
            .as_ref()
            .map(|topics| topics.iter().map(ToString::to_string).collect()),
        suffixes: scope
            .suffixes
            .as_ref()
            .map(|all| all.iter().map(ToString::to_string).collect()),
    }
}

/// Reads the store, so not for the event loop.
pub(super) fn party(node: &Node, org: &OrgId) -> Party {
    Party {
        organisation: org.to_string(),
        name: node.name_of(org),
    }
}

/// Why nothing of an organisation counts, in words.
pub(super) fn bar(barred: Barred) -> &'static str {
    match barred {
        Barred::PinnedBad => "the operator pinned it, or one above it, as bad",
        Barred::Unknown => "no manifest of it is known here",
        Barred::Forked => "it has two manifests where there can be one, and nobody has settled which counts",
        Barred::Retired => "its last manifest says that no other follows",
        Barred::Stale => "its manifest is over, and no other came",
    }
}

fn origin_of(origin: Origin) -> &'static str {
    match origin {
        Origin::Own => "own",
        Origin::Paired => "paired",
        Origin::Listed => "listed",
        Origin::Entered => "entered",
    }
}

pub(super) fn unread(error: std::io::Error) -> Failure {
    Failure::machine("the statements were not read", error)
}
