//! `search`: hits in the order of the index, page by page.

use std::{collections::VecDeque, io, sync::Arc};

use axum::{
    extract::{Query, State},
    response::Response,
};
use futures::stream;
use serde::Deserialize;
use starfish_protocol::{observable::Observable, record::Tlp};

use super::{
    super::{Node, Refused, usage},
    beside, flowing, line,
};
use crate::{
    daemon::{
        control::documents::Hit as Shown,
        moment::{self, rfc3339},
    },
    ledger::search::{Cursor, Hit, Search},
};

/// Hits of one page.
const PAGE: usize = 500;

/// What is looked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Asked {
    value: Option<String>,
    under: Option<String>,
    within: Option<String>,
    /// In the quarantine too; without any of the three, everything there.
    #[serde(default)]
    quarantine: bool,
    /// 0 means all.
    #[serde(default)]
    limit: usize,
}

/// Where a reader stands.
struct Place {
    node: Arc<Node>,
    searches: VecDeque<(Search, bool)>,
    after: Option<Cursor>,
    left: usize,
}

pub(in super::super) async fn search(
    State(node): State<Arc<Node>>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let left = if asked.limit == 0 { usize::MAX } else { asked.limit };
    let place = Place {
        node,
        searches: searches(&asked)?,
        after: None,
        left,
    };
    Ok(flowing(stream::try_unfold(place, |place| async { place.next().await })))
}

/// Each with whether it goes through the quarantine.
fn searches(asked: &Asked) -> Result<VecDeque<(Search, bool)>, Refused> {
    let search = match (&asked.value, &asked.under, &asked.within) {
        (Some(value), None, None) => Search::value(&Observable::parse(value).map_err(usage)?),
        (None, Some(domain), None) => Search::under(domain).map_err(usage)?,
        (None, None, Some(network)) => Search::within(network).map_err(usage)?,
        (None, None, None) if asked.quarantine => Search::all(),
        _ => return Err(usage("say a value, a domain or a network, and one of them only")),
    };
    let search = search.at(moment::now());
    let named = asked.value.is_some() || asked.under.is_some() || asked.within.is_some();
    let places = [(named, false), (asked.quarantine, true)]
        .into_iter()
        .filter(|(wanted, _)| *wanted);
    Ok(places
        .map(|(_, quarantine)| (search.clone().in_quarantine(quarantine), quarantine))
        .collect())
}

impl Place {
    async fn next(mut self) -> io::Result<Option<(String, Self)>> {
        while self.left > 0
            && let Some((search, quarantined)) = self.searches.front().cloned()
        {
            let (node, after, limit) = (Arc::clone(&self.node), self.after.take(), self.left.min(PAGE));
            let read = move || {
                let page = node.ledger.search(&search, after.as_ref(), limit)?;
                let lines: String = page
                    .hits
                    .iter()
                    .map(|hit| line(&shown(&node, hit, quarantined)))
                    .collect();
                Ok((page.hits.len(), lines, page.next))
            };
            let (count, lines, next) = beside(read).await?;
            self.left -= count.min(self.left);
            self.after = next;
            if self.after.is_none() {
                self.searches.pop_front();
            }
            if count > 0 {
                return Ok(Some((lines, self)));
            }
        }
        Ok(None)
    }
}

fn shown(node: &Node, hit: &Hit, quarantined: bool) -> Shown {
    Shown {
        value: hit.value.to_string(),
        kind: hit.value.kind().to_owned(),
        topic: hit.topic.to_string(),
        tlp: tlp(hit.tlp),
        confidence: hit.confidence,
        context: hit.context.clone(),
        author: hit.author.to_string(),
        organisation: hit.organisation.map(|org| org.to_string()),
        name: hit.organisation.and_then(|org| node.name_of(&org)),
        record: hit.record.to_string(),
        serial: hit.serial,
        received_at: rfc3339(hit.received_at),
        expires_at: rfc3339(hit.expires_at),
        withdrawn: hit.withdrawn,
        forked: hit.forked,
        quarantined,
    }
}

/// The mark as it is written.
pub(super) fn tlp(tlp: Tlp) -> String {
    match tlp {
        Tlp::Clear => "clear".to_owned(),
        Tlp::Green => "green".to_owned(),
        Tlp::Amber => "amber".to_owned(),
        Tlp::AmberStrict => "amber+strict".to_owned(),
        Tlp::Red => "red".to_owned(),
        Tlp::Other(code) => format!("tlp-{code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: Option<&str>, under: Option<&str>, within: Option<&str>, quarantine: bool) -> Asked {
        let [value, under, within] = [value, under, within].map(|text| text.map(str::to_owned));
        Asked {
            value,
            under,
            within,
            quarantine,
            limit: 0,
        }
    }

    #[test]
    fn one_question_at_a_time() {
        let check = |asked: Asked, places: Option<&[bool]>| {
            let found = searches(&asked)
                .ok()
                .map(|found| found.iter().map(|(_, held)| *held).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), places, "{asked:?}");
        };
        check(asked(Some("evil[.]example"), None, None, false), Some(&[false]));
        check(asked(None, Some("nl"), None, true), Some(&[false, true]));
        check(asked(None, None, Some("192.0.2.0/24"), false), Some(&[false]));
        check(asked(None, None, None, true), Some(&[true]));
        check(asked(None, None, None, false), None);
        check(asked(Some("a.example"), Some("nl"), None, false), None);
        check(asked(Some("no observable"), None, None, false), None);
        check(asked(None, None, Some("nl"), false), None);
    }
}
