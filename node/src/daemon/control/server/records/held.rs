//! What the operator decides on a single record in quarantine, and sees of it before.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use starfish_protocol::{
    engine::port::{Command, Outcome},
    record::{Body, RecordId},
};

use super::super::{
    Answer, Node, Refused,
    node::unexpected,
    streams::{beside, holds},
    usage,
};
use crate::{
    daemon::{
        control::documents::{Decided, Decision, Held, HeldRecord},
        exit::{Exit, Failure},
        moment::rfc3339,
    },
    ledger::reading::quarantined::{self, Why},
};

/// Which record is to be shown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Asked {
    record: String,
    /// So many of its values; 0 means all.
    #[serde(default)]
    limit: usize,
}

pub(in super::super) async fn held(State(node): State<Arc<Node>>, Query(asked): Query<Asked>) -> Answer<HeldRecord> {
    let record = read(&asked.record)?;
    let read = move || {
        let Some(held) = node.ledger.held(&record)? else {
            return Ok(None);
        };
        let body = node.ledger.body_of(&record)?;
        Ok(Some(whole(shown(&node, &held), body, asked.limit)))
    };
    let found = beside(read).await.map_err(unread)?;
    found.map(Json).ok_or_else(|| not_held(&record))
}

pub(in super::super) async fn decide(State(node): State<Arc<Node>>, Json(asked): Json<Decision>) -> Answer<Decided> {
    let record = read(&asked.record)?;
    let reader = Arc::clone(&node);
    let held = beside(move || reader.ledger.held(&record)).await.map_err(unread)?;
    if held.is_none() {
        return Err(not_held(&record));
    }
    let (command, decided) = if asked.release {
        (Command::Release(record), "released")
    } else {
        (Command::Drop(record), "dropped")
    };
    match node.handle.command(command).await {
        Outcome::Done => Ok(Json(Decided {
            record: record.to_string(),
            decided: decided.to_owned(),
        })),
        other => Err(unexpected(other)),
    }
}

/// A held record as it is shown. Reads the store for its organisation's name.
pub(in super::super) fn shown(node: &Node, held: &quarantined::Held) -> Held {
    Held {
        record: held.record.to_string(),
        organisation: held.org.map(|org| org.to_string()),
        name: held.org.and_then(|org| node.name_of(&org)),
        author: held.author.to_string(),
        topic: held.topic.to_string(),
        holds: holds(held.kind),
        observables: held.items,
        bytes: held.bytes,
        since: rfc3339(held.since),
        until: rfc3339(held.until),
        why: match held.why {
            Why::Revoked => "revoked",
            Why::Uncertified => "uncertified",
            Why::NotTrusted => "not-trusted",
            Why::OutOfScope => "out-of-scope",
            Why::Rising => "rising",
        }
        .to_owned(),
    }
}

fn whole(held: Held, body: Option<Body>, limit: usize) -> HeldRecord {
    let most = if limit == 0 { usize::MAX } else { limit };
    let values = body
        .iter()
        .flat_map(Body::observables)
        .take(most)
        .map(ToString::to_string);
    let values = values.collect();
    let (context, confidence) = match body {
        Some(Body::Indicators(bundle)) => (bundle.context, Some(bundle.confidence)),
        Some(Body::Withdrawal(withdrawal)) => (withdrawal.reason, None),
        Some(Body::Opinion(opinion)) => (opinion.reason, Some(opinion.confidence)),
        _ => (String::new(), None),
    };
    HeldRecord {
        held,
        context,
        confidence,
        values,
    }
}

fn read(record: &str) -> Result<RecordId, Refused> {
    record.parse().map_err(|error| usage(format!("{record}: {error}")))
}

fn not_held(record: &RecordId) -> Refused {
    let message = format!("{record} is not in quarantine; `starfish quarantine list` shows what is");
    Failure::new(Exit::NothingFound, message).into()
}

fn unread(error: std::io::Error) -> Failure {
    Failure::machine("the quarantine was not read", error)
}
