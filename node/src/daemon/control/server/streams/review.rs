//! What an operator looks through page by page: the quarantine and the audit log.

use std::{io, sync::Arc};

use axum::{
    extract::{Query, State},
    response::Response,
};
use futures::stream;
use libp2p::PeerId;
use serde::Deserialize;
use starfish_protocol::{
    engine::port::{Audit, Deed, Who},
    organisation::OrgId,
    time::Millis,
};

use super::{
    super::{Node, Refused, records::shown, usage},
    beside, flowing, line,
};
use crate::{
    daemon::{control::documents::Line, exit::Failure, moment::rfc3339},
    ledger::search::Cursor,
    store::StoreError,
};

/// Rows of one page.
const PAGE: usize = 500;

/// What of the quarantine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Held {
    organisation: Option<String>,
    /// 0 means all.
    #[serde(default)]
    limit: usize,
}

/// What of the audit log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Audited {
    /// After this line.
    #[serde(default)]
    line: u64,
    /// From this time on, in ms since 1970.
    #[serde(default)]
    since: u64,
    /// The newest so many; 0 means from `line` on.
    #[serde(default)]
    newest: u64,
    /// 0 means all.
    #[serde(default)]
    limit: usize,
}

pub(in super::super) async fn quarantine(
    State(node): State<Arc<Node>>,
    Query(asked): Query<Held>,
) -> Result<Response, Refused> {
    let read = |text: String| text.parse::<OrgId>().map_err(|error| usage(format!("{text}: {error}")));
    let of = asked.organisation.map(read).transpose()?;
    let page = move |after: Option<Cursor>, most: usize| {
        let page = node.ledger.quarantine(of, after.as_ref(), most)?;
        let lines = page.held.iter().map(|held| line(&shown(&node, held))).collect();
        Ok((lines, page.next))
    };
    Ok(paged(asked.limit, None, page))
}

pub(in super::super) async fn audit(
    State(node): State<Arc<Node>>,
    Query(asked): Query<Audited>,
) -> Result<Response, Refused> {
    let reader = Arc::clone(&node);
    let last = beside(move || reader.ledger.audited()).await;
    let last = last.map_err(|error| Failure::machine("the audit log was not read", error))?;
    let start = match asked.newest {
        0 => asked.line,
        newest => last.saturating_sub(newest),
    };
    let page = move |after: Option<u64>, most: usize| {
        let from = after.unwrap_or_default();
        let page = node.ledger.audit(from, most)?;
        let next = page.last().filter(|_| page.len() == most).map(|(number, _)| *number);
        let late = |(_, audit): &&(u64, Audit)| audit.at >= Millis(asked.since);
        let lines = page
            .iter()
            .filter(late)
            .map(|(number, audit)| line(&said(&node, *number, audit)));
        Ok((lines.collect(), next))
    };
    Ok(paged(asked.limit, Some(start), page))
}

/// A stream of pages, each read beside the event loop when the reader has taken the one before. A page gives its lines and
/// where the next one begins.
fn paged<C, R>(limit: usize, from: Option<C>, read: R) -> Response
where
    C: Send + 'static,
    R: Fn(Option<C>, usize) -> Result<(Vec<String>, Option<C>), StoreError> + Send + Sync + 'static,
{
    let left = if limit == 0 { usize::MAX } else { limit };
    let start = Some((from, left));
    let read = Arc::new(read);
    flowing(stream::try_unfold(start, move |mut place| {
        let read = Arc::clone(&read);
        async move {
            // A page of which nothing is shown is no chunk: an empty one would end the stream.
            while let Some((from, left)) = place.take().filter(|(_, left)| *left > 0) {
                let page = Arc::clone(&read);
                let (lines, next) = beside(move || page(from, PAGE)).await?;
                let shown = lines.len().min(left);
                place = next.map(|next| (Some(next), left - shown));
                if shown > 0 {
                    let text: String = lines.into_iter().take(left).collect();
                    return Ok(Some((text, place)));
                }
            }
            io::Result::Ok(None)
        }
    }))
}

fn said(node: &Node, number: u64, audit: &Audit) -> Line {
    let (who, name) = match audit.who {
        Who::Operator => ("operator".to_owned(), None),
        Who::Time => ("time".to_owned(), None),
        Who::Guardians => ("guardians".to_owned(), None),
        Who::Organisation(org) => (org.to_string(), node.name_of(&org)),
    };
    let subject = audit.subject.parse::<OrgId>().ok();
    let peer = audit.peer().and_then(|peer| PeerId::from_bytes(peer.as_bytes()).ok());
    Line {
        line: number,
        at: rfc3339(audit.at),
        who,
        name,
        what: deed(audit.what).to_owned(),
        subject: peer.map_or_else(|| audit.subject.clone(), |peer| peer.to_string()),
        subject_name: subject.and_then(|org| node.name_of(&org)),
        why: audit.why.clone(),
    }
}

fn deed(deed: Deed) -> &'static str {
    match deed {
        Deed::RootSet => "root-set",
        Deed::RootRemoved => "root-removed",
        Deed::Endorsed => "endorsed",
        Deed::EndorsementEnded => "endorsement-ended",
        Deed::Vetoed => "vetoed",
        Deed::VetoEnded => "veto-ended",
        Deed::PinnedGood => "pinned-good",
        Deed::PinnedBad => "pinned-bad",
        Deed::Unpinned => "unpinned",
        Deed::Raised => "raised",
        Deed::Lowered => "lowered",
        Deed::Revoked => "revoked",
        Deed::Frozen => "frozen",
        Deed::Reopened => "reopened",
        Deed::Recovered => "recovered",
        Deed::Released => "released",
        Deed::Dropped => "dropped",
        Deed::RightGained => "right-gained",
        Deed::RightLost => "right-lost",
        Deed::RecoveryBegun => "recovery-begun",
        Deed::RecoveryCalledOff => "recovery-called-off",
        Deed::Blocked => "blocked",
        Deed::Unblocked => "unblocked",
    }
}
