//! `watch`: the ledger's entries behind a serial, and each new one as it becomes durable.

use std::{io, sync::Arc};

use axum::{
    extract::{Query, State},
    response::Response,
};
use futures::stream;
use serde::Deserialize;
use starfish_protocol::{
    engine::port::{Found, Query as Asked},
    observable::Observable,
    record::{Body, Kind, RecordId, Topic},
};
use tokio::sync::watch::Receiver;

use super::{
    super::{Node, Refused, usage},
    beside, flowing, line,
};
use crate::{
    daemon::{control::documents::Entry as Shown, moment::rfc3339},
    ledger::catalogue::{Entry, EntryKind},
    store::StoreError,
};

/// Entries of one page. A full body among them is about a megabyte of text.
const PAGE: usize = 32;

/// What is followed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Follow {
    /// Behind this serial; from now on when it is not said.
    from: Option<u64>,
    /// Only records of this topic.
    topic: Option<String>,
}

/// Where a reader stands.
struct Place {
    node: Arc<Node>,
    after: u64,
    topic: Option<Topic>,
    changes: Receiver<u64>,
}

pub(in super::super) async fn watch(
    State(node): State<Arc<Node>>,
    Query(asked): Query<Follow>,
) -> Result<Response, Refused> {
    let topic = asked.topic.as_deref().map(Topic::parse).transpose().map_err(usage)?;
    let last = node.ledger.counts().serial;
    let after = asked.from.unwrap_or(last);
    if after > last {
        let message =
            format!("serial {after} is not reached yet, the last one is {last}; after a rebuild start with --from 0");
        return Err(usage(message));
    }
    let changes = node.happenings.durable();
    let place = Place {
        node,
        after,
        topic,
        changes,
    };
    Ok(flowing(stream::try_unfold(place, |place| async { place.next().await })))
}

impl Place {
    /// The next lines; waits for some when there are none, and ends with the node.
    async fn next(mut self) -> io::Result<Option<(String, Self)>> {
        loop {
            // Marked before the look, so that what comes meanwhile is looked at again.
            self.changes.mark_unchanged();
            let (node, after, topic) = (Arc::clone(&self.node), self.after, self.topic.clone());
            let (lines, last) = beside(move || page(&node, after, topic.as_ref())).await?;
            let moved = last > self.after;
            self.after = last;
            if !lines.is_empty() {
                return Ok(Some((lines, self)));
            }
            if moved {
                continue;
            }
            tokio::select! {
                changed = self.changes.changed() => if changed.is_err() {
                    return Ok(None);
                },
                () = self.node.stopping() => return Ok(None),
            }
        }
    }
}

/// The lines of the next entries, and the serial of the last one looked at.
fn page(node: &Node, after: u64, topic: Option<&Topic>) -> Result<(String, u64), StoreError> {
    let entries = node.ledger.entries(after, PAGE)?;
    let last = entries.last().map_or(after, |entry| entry.serial);
    let wanted = entries
        .iter()
        .filter(|entry| is_shown(entry) && topic.is_none_or(|topic| entry.topic == *topic));
    let lines = wanted.map(|entry| line(&shown(entry, values(node, entry)))).collect();
    Ok((lines, last))
}

/// What is believed, and the end of belief; the rest is only for those who ask for the quarantine.
fn is_shown(entry: &Entry) -> bool {
    entry.believed || entry.kind == EntryKind::Retracted
}

fn shown(entry: &Entry, values: Vec<String>) -> Shown {
    Shown {
        serial: entry.serial,
        kind: entry.kind.name().to_owned(),
        at: rfc3339(entry.at),
        record: entry.record.to_string(),
        holds: holds(entry.body),
        topic: entry.topic.to_string(),
        organisation: entry.org.map(|org| org.to_string()),
        observables: entry.observables,
        believed: entry.believed,
        cause: entry.cause.map(|cause| cause.to_string()),
        values,
    }
}

fn holds(kind: Kind) -> String {
    match kind {
        Kind::INDICATORS => "indicators".to_owned(),
        Kind::WITHDRAWAL => "withdrawal".to_owned(),
        Kind(number) => number.to_string(),
    }
}

/// What the entry is about: the withdrawn part of a record, or all of it.
fn values(node: &Node, entry: &Entry) -> Vec<String> {
    if entry.body != Kind::INDICATORS {
        return Vec::new();
    }
    let named = entry
        .cause
        .map(|cause| observables(node, cause))
        .filter(|named| !named.is_empty());
    let all = || observables(node, entry.record);
    named.unwrap_or_else(all).iter().map(ToString::to_string).collect()
}

fn observables(node: &Node, record: RecordId) -> Vec<Observable> {
    match node.ledger.answer(&Asked::Record(record)) {
        Found::Record(Some((_, _, Some(body)))) => match body {
            Body::Indicators(bundle) => bundle.observables,
            Body::Withdrawal(withdrawal) => withdrawal.observables,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
