//! `watch`: the ledger's entries behind a serial, and each new one as it becomes durable.
//!
//! A line is a JSON document, [`Shown`], about one record: `serial`, `kind`, `at`, `record`, `holds`, `topic`,
//! `tlp`, `organisation`, `observables` (a count, as of the entry), `believed`, `cause` and `values`. Serials rise; what this node
//! never believed is left out. Values are read when the line is sent, which may be long after the entry was made: they are
//! what holds then, whatever the count says, so that nothing is handed out as usable that was withdrawn meanwhile:
//!
//! | `kind` | `values` | what a consumer does |
//! |---|---|---|
//! | `stored`, `released` | those of the record that may be used now | adds them, under the record |
//! | `withdrawn` | those that `cause` took back; without a `cause`, all that were taken back | takes them off the record; when there are none, all of the record's |
//! | `retracted` | those that were not withdrawn, while the body is here | takes all of the record's off |
//! | `expired`, `dropped` | none: the body is gone | takes all of the record's off |
//!
//! A value may be used while at least one record gives it. So a consumer keeps its values by record; every line that
//! takes something off names the record, and needs no values for that. Records that hold no indicators have no values: a
//! withdrawal is news by its `withdrawn` line. A line that cannot be read ends the stream with an error, because a line
//! without its values would look as if there were none.

use std::{io, sync::Arc};

use axum::{
    extract::{Query, State},
    response::Response,
};
use futures::stream;
use serde::Deserialize;
use starfish_protocol::{
    observable::Observable,
    record::{Body, Kind, RecordId, Tlp, Topic},
};
use tokio::sync::watch::Receiver;

use super::{
    super::{Node, Refused, usage},
    beside, flowing, line,
    search::tlp,
};
use crate::{
    daemon::{control::documents::Entry as Shown, moment::rfc3339},
    ledger::{
        Ledger,
        catalogue::{Entry, EntryKind, Standing},
    },
    store::{Store, StoreError},
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
            let (lines, last) = beside(move || page(&node.ledger, after, topic.as_ref())).await?;
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
fn page<S: Store>(ledger: &Ledger<S>, after: u64, topic: Option<&Topic>) -> Result<(String, u64), StoreError> {
    let entries = ledger.entries(after, PAGE)?;
    let last = entries.last().map_or(after, |entry| entry.serial);
    let wanted = entries
        .iter()
        .filter(|entry| is_shown(entry) && topic.is_none_or(|topic| entry.topic == *topic));
    let lines: Result<String, StoreError> = wanted
        .map(|entry| Ok(line(&shown(entry, mark(ledger, entry)?, values(ledger, entry)?))))
        .collect();
    Ok((lines?, last))
}

/// What is believed, and the end of belief; the rest is only for those who ask for the quarantine.
fn is_shown(entry: &Entry) -> bool {
    entry.believed || entry.kind == EntryKind::Retracted
}

/// Who may be told of it. Of what is not here any more that is nobody.
fn mark<S: Store>(ledger: &Ledger<S>, entry: &Entry) -> Result<Tlp, StoreError> {
    let card = ledger.card_of(&entry.record)?;
    Ok(card.map_or(Tlp::Red, |(_, card)| Tlp::from(card.tlp)))
}

fn shown(entry: &Entry, mark: Tlp, values: Vec<String>) -> Shown {
    Shown {
        serial: entry.serial,
        kind: entry.kind.name().to_owned(),
        at: rfc3339(entry.at),
        record: entry.record.to_string(),
        holds: holds(entry.body),
        topic: entry.topic.to_string(),
        tlp: tlp(mark),
        organisation: entry.org.map(|org| org.to_string()),
        observables: entry.observables,
        believed: entry.believed,
        cause: entry.cause.map(|cause| cause.to_string()),
        values,
    }
}

/// What a record holds, in a word.
pub(in super::super) fn holds(kind: Kind) -> String {
    match kind {
        Kind::INDICATORS => "indicators".to_owned(),
        Kind::WITHDRAWAL => "withdrawal".to_owned(),
        Kind::OPINION => "opinion".to_owned(),
        Kind(number) => number.to_string(),
    }
}

/// What a consumer is to add or to take off, as the table above says.
fn values<S: Store>(ledger: &Ledger<S>, entry: &Entry) -> Result<Vec<String>, StoreError> {
    if entry.body != Kind::INDICATORS {
        return Ok(Vec::new());
    }
    let standing = |standings: &[Standing]| -> Result<Vec<Observable>, StoreError> {
        let values = ledger.observables(&entry.record)?.into_iter();
        Ok(values
            .filter(|(_, standing)| standings.contains(standing))
            .map(|(value, _)| value)
            .collect())
    };
    let values = match entry.kind {
        EntryKind::Stored | EntryKind::Released => standing(&[Standing::Believed])?,
        EntryKind::Retracted => standing(&[Standing::Believed, Standing::Held])?,
        EntryKind::Withdrawn => taken_back(standing(&[Standing::Withdrawn])?, named(ledger, entry.cause)?),
        EntryKind::Expired | EntryKind::Dropped => Vec::new(),
    };
    Ok(values.iter().map(ToString::to_string).collect())
}

/// Of the record's withdrawn values, those that the cause names. Either may be gone: the record's after the grace period,
/// the cause's when that one ended, and a cause that names none means all.
fn taken_back(mut gone: Vec<Observable>, named: Vec<Observable>) -> Vec<Observable> {
    if gone.is_empty() {
        return named;
    }
    if !named.is_empty() {
        gone.retain(|value| named.binary_search(value).is_ok());
    }
    gone
}

fn named<S: Store>(ledger: &Ledger<S>, cause: Option<RecordId>) -> Result<Vec<Observable>, StoreError> {
    let body = cause.map(|cause| ledger.body_of(&cause)).transpose()?;
    Ok(match body.flatten() {
        Some(Body::Withdrawal(withdrawal)) => withdrawal.observables,
        _ => Vec::new(),
    })
}

#[cfg(test)]
mod tests;
