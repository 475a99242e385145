//! Who is connected, and what is pulled.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Json,
    extract::{Query, State},
};
use libp2p::PeerId;
use serde::Deserialize;
use starfish_protocol::{
    engine::{
        Subscription,
        port::{Command, Outcome, PeerView},
    },
    observable::Tld,
    record::Topic,
};

use super::{Answer, Node, node::unexpected, usage};
use crate::{
    daemon::{
        control::documents::{self, Offer, Peer, Topics},
        exit::Failure,
        moment::{self, rfc3339},
        run,
    },
    ledger::reading::TopicCount,
    mesh::ConnectionView,
};

/// How much of a list is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// 0 means all.
    #[serde(default)]
    limit: usize,
}

impl Page {
    fn rows(&self) -> usize {
        if self.limit == 0 { usize::MAX } else { self.limit }
    }
}

/// Those connected by right come first.
pub(super) async fn peers(State(node): State<Arc<Node>>, Query(page): Query<Page>) -> Answer<Vec<Peer>> {
    let connections = node.handle.connections().await;
    let mut views: BTreeMap<Vec<u8>, PeerView> = node
        .overview()
        .await?
        .peers
        .into_iter()
        .map(|view| (view.peer.as_bytes().to_vec(), view))
        .collect();
    let peers = connections.into_iter().map(|connection| {
        let view = views.remove(&connection.peer.to_bytes());
        peer(connection, view)
    });
    let mut peers: Vec<Peer> = peers.collect();
    peers.sort_by_key(|peer| !peer.trusted);
    peers.truncate(page.rows());
    Ok(Json(peers))
}

/// The transport's part and the rules' part; the second comes a moment later.
fn peer(connection: ConnectionView, view: Option<PeerView>) -> Peer {
    let now = moment::now().0;
    let view = view.as_ref();
    Peer {
        peer: connection.peer.to_string(),
        organisation: view.and_then(|view| view.org).map(|org| org.to_string()),
        name: view.and_then(|view| view.name.clone()),
        trusted: view.is_some_and(|view| view.trusted),
        address: Some(connection.address.to_string()),
        transport: Some(connection.transport.to_owned()),
        since: rfc3339(connection.since),
        connected: now.saturating_sub(connection.since.0) / 1_000,
        records: view.map_or(0, |view| view.records),
        topics: view.map(|view| view.topics.clone()).unwrap_or_default(),
        round_trip_ms: connection.round_trip.map(|time| time.0),
        score: connection.score,
        strikes: view.map_or(0, |view| view.strikes),
    }
}

pub(super) async fn topics(State(node): State<Arc<Node>>, Query(page): Query<Page>) -> Answer<Topics> {
    let Json(mut topics) = answer(&node).await?;
    topics.offered.truncate(page.rows());
    Ok(Json(topics))
}

pub(super) async fn subscribe(
    State(node): State<Arc<Node>>,
    Json(asked): Json<documents::Subscription>,
) -> Answer<Topics> {
    let read_topic = |text: &String| Topic::parse(text).map_err(|error| usage(format!("{text}: {error}")));
    let read_tld = |text: &String| Tld::parse(text).map_err(|error| usage(format!("{text}: {error}")));
    let topics = asked
        .topics
        .iter()
        .map(read_topic)
        .collect::<Result<BTreeSet<_>, _>>()?;
    let tlds = asked.tlds.iter().map(read_tld).collect::<Result<BTreeSet<_>, _>>()?;
    // Two changes at once would each start from the same old state.
    let _turn = node.turn().await?;
    let now = node.subscription();
    let next = if asked.all {
        Subscription::default()
    } else if asked.remove {
        let less = without(&now, &Subscription { topics, tlds });
        less.map_err(|missing| {
            usage(format!(
                "this node does not pull {missing} by name; `starfish topics` shows what it pulls"
            ))
        })?
    } else {
        Subscription {
            topics: &now.topics | &topics,
            tlds: &now.tlds | &tlds,
        }
    };
    let Subscription { topics, tlds } = next.clone();
    let command = Command::Subscribe {
        topics: topics.into_iter().collect(),
        tlds: tlds.into_iter().collect(),
    };
    match node.handle.command(command).await {
        Outcome::Done => node.subscribed(next),
        other => return Err(unexpected(other)),
    }
    answer(&node).await
}

/// Everything but these; the name of one that is not there.
fn without(now: &Subscription, these: &Subscription) -> Result<Subscription, String> {
    if let Some(topic) = these.topics.difference(&now.topics).next() {
        return Err(topic.to_string());
    }
    if let Some(tld) = these.tlds.difference(&now.tlds).next() {
        return Err(tld.to_string());
    }
    Ok(Subscription {
        topics: &now.topics - &these.topics,
        tlds: &now.tlds - &these.tlds,
    })
}

/// What a peer takes that names no topic.
const EVERYTHING: &str = "*";

fn shown(subscription: &Subscription, peers: &[PeerView], held: &[TopicCount]) -> Topics {
    let mut offered: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for view in peers {
        let everything = view.topics.is_empty().then(|| EVERYTHING.to_owned());
        for topic in view.topics.iter().cloned().chain(everything) {
            offered.entry(topic).or_default().0 += 1;
        }
    }
    for TopicCount { topic, records } in held {
        offered.entry(topic.clone()).or_default().1 = *records;
    }
    let all = offered.get(EVERYTHING).map_or(0, |(peers, _)| *peers);
    for (_, (peers, _)) in offered.iter_mut().filter(|(topic, _)| *topic != EVERYTHING) {
        *peers += all;
    }
    let offer = |(topic, (peers, records))| Offer { topic, peers, records };
    Topics {
        topics: subscription.topics.iter().map(ToString::to_string).collect(),
        tlds: subscription.tlds.iter().map(ToString::to_string).collect(),
        offered: offered.into_iter().map(offer).collect(),
    }
}

async fn answer(node: &Arc<Node>) -> Answer<Topics> {
    let peers = node.overview().await?.peers;
    let reader = Arc::clone(node);
    let held = tokio::task::spawn_blocking(move || reader.ledger.topics()).await;
    let held = held.map_err(|error| Failure::machine("the topics were not read", error))?;
    let held = held.map_err(|error| run::store_failure(&error))?;
    Ok(Json(shown(&node.subscription(), &peers, &held)))
}

/// Whether this peer is connected by right.
pub(super) fn is_trusted(peers: &[PeerView], peer: &PeerId) -> bool {
    let bytes = peer.to_bytes();
    peers.iter().any(|view| view.trusted && view.peer.as_bytes() == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(topics: &[&str], tlds: &[&str]) -> Subscription {
        Subscription {
            topics: topics.iter().map(|text| Topic::parse(text).expect("a topic")).collect(),
            tlds: tlds.iter().map(|text| Tld::parse(text).expect("a TLD")).collect(),
        }
    }

    #[test]
    fn only_what_is_there_is_taken_away() {
        let now = subscription(&["c2", "dga"], &["nl"]);
        let check = |topics: &[&str], tlds: &[&str], expected: Result<Subscription, &str>| {
            assert_eq!(
                without(&now, &subscription(topics, tlds)),
                expected.map_err(str::to_owned)
            );
        };
        check(&[], &[], Ok(now.clone()));
        check(&["c2"], &[], Ok(subscription(&["dga"], &["nl"])));
        check(&["c2", "dga"], &["nl"], Ok(Subscription::default()));
        check(&["malware"], &[], Err("malware"));
        check(&[], &["de"], Err("de"));
    }
}
