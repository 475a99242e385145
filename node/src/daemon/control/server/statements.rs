//! Statements that an operator carried to the node by hand, those that the operator's organisation made so far, and who
//! the others are.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use starfish_crypto::Strict;
use starfish_protocol::{
    engine::port::{Command, Outcome},
    organisation::OrgId,
    statement::{Admitted, CheckedStatement, Kind, RosterRefusal, Statement},
};

use super::{Answer, Node, node::unexpected, streams::beside, usage};
use crate::daemon::{
    ceremony::{documents::Accepted, say},
    control::documents::{Chain, Organisation},
    exit::{Exit, Failure},
};

/// Checks every statement before the rules see one: an operator gets all of them in, or hears which one does not hold.
pub(super) async fn tell(State(node): State<Arc<Node>>, text: String) -> Answer<Accepted> {
    let statements = Statement::all_from_text(&text).map_err(usage)?;
    let kinds: Vec<String> = statements.iter().map(|statement| say(statement).kind).collect();
    let check = |(nth, statement): (usize, Statement)| {
        let wrong = |error| {
            let message = format!("statement {} does not hold, so none was taken: {error}", nth + 1);
            Failure::new(Exit::Refused, message)
        };
        statement.check(&Strict).map_err(wrong)
    };
    let checked: Vec<CheckedStatement> = statements
        .into_iter()
        .enumerate()
        .map(check)
        .collect::<Result<_, _>>()?;
    let outcomes = match node.handle.command(Command::Tell(checked)).await {
        Outcome::Told(outcomes) => outcomes,
        other => return Err(unexpected(other)),
    };
    let count = |wanted: fn(&Admitted) -> bool| outcomes.iter().flatten().filter(|one| wanted(one)).count();
    let accepted = Accepted {
        kept: 0,
        told: count(|one| matches!(one, Admitted::New | Admitted::Newer)),
        known: count(|one| *one == Admitted::Known),
    };
    let mut answers = outcomes.iter().zip(&kinds).enumerate();
    let refused = answers.find_map(|(nth, (outcome, kind))| outcome.as_ref().err().map(|why| (nth + 1, kind, why)));
    match refused {
        None => Ok(Json(accepted)),
        Some((nth, kind, why)) => {
            let hint = match why {
                RosterRefusal::NotYet | RosterRefusal::Forged => {
                    " (`starfish org show FILE` says who has signed it, and `starfish org sign` adds a signature)"
                }
                _ => "",
            };
            let message = format!(
                "statement {nth}, a {kind}, was not taken: {why}{hint}; {} others are new and {} were known",
                accepted.told, accepted.known
            );
            Err(Failure::new(Exit::Refused, message).into())
        }
    }
}

/// Whom an operator means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Called {
    text: String,
}

/// Organisations that are called so, or whose id begins so.
pub(super) async fn organisations(
    State(node): State<Arc<Node>>,
    Query(Called { text }): Query<Called>,
) -> Answer<Vec<Organisation>> {
    let found = beside(move || node.organisations(&text)).await;
    let found = found.map_err(|error| Failure::machine("the statements were not read", error))?;
    let shown = |(org, name): (OrgId, String)| Organisation {
        organisation: org.to_string(),
        name,
    };
    Ok(Json(found.into_iter().map(shown).collect()))
}

/// Everything that this node's organisation has said of itself and of others.
pub(super) async fn chain(State(node): State<Arc<Node>>) -> Answer<Chain> {
    let own = node.identity.org;
    let reader = Arc::clone(&node);
    let read = beside(move || reader.ledger.load()).await;
    let loaded = read.map_err(|error| Failure::machine("the statements were not read", error))?;
    let wanted = |statement: &&Statement| {
        let kinds = [
            Kind::MANIFEST,
            Kind::ENDORSEMENT,
            Kind::VETO,
            Kind::SUBSIDIARY,
            Kind::CHAIN_HEAD,
        ];
        kinds.contains(&statement.kind()) && statement.issuer() == Some(own)
    };
    // What the data directory says of this node was not told to it by anybody, and so is not in the store.
    let all = node.identity.statements.iter().chain(&loaded.statements);
    let statements = all.filter(wanted).map(Statement::to_text);
    Ok(Json(Chain {
        organisation: own.to_string(),
        statements: statements.collect(),
    }))
}
