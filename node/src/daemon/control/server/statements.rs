//! Statements that an operator carried to the node by hand.

use std::sync::Arc;

use axum::{Json, extract::State};
use starfish_crypto::Strict;
use starfish_protocol::{
    engine::port::{Command, Outcome},
    statement::{Admitted, CheckedStatement, Statement},
};

use super::{Answer, Node, node::unexpected, usage};
use crate::daemon::{
    ceremony::documents::Accepted,
    exit::{Exit, Failure},
};

/// Checks every statement before the rules see one: an operator gets all of them in, or hears which one does not hold.
pub(super) async fn tell(State(node): State<Arc<Node>>, text: String) -> Answer<Accepted> {
    let statements = Statement::all_from_text(&text).map_err(usage)?;
    let kinds: Vec<u16> = statements.iter().map(|statement| statement.kind().0).collect();
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
            let message = format!(
                "statement {nth} (kind {kind}) was not taken: {why}; {} others are new and {} were known",
                accepted.told, accepted.known
            );
            Err(Failure::new(Exit::Refused, message).into())
        }
    }
}
