//! `status`, `id` and figures for a monitoring system.

use std::sync::Arc;

use axum::{Json, extract::State, http::header, response::IntoResponse};
use prometheus_client::encoding::text::encode;
use starfish_protocol::{record::Audience, statement::Freeze};

use super::{Answer, Node, Refused};
use crate::daemon::{
    control::documents::{Head, Id, Status},
    exit::Failure,
    footprint,
};

/// The form of the figures, as Prometheus asks for it.
const FIGURES: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn status(State(node): State<Arc<Node>>) -> Answer<Status> {
    let overview = node.overview().await?;
    let peers = node.handle.connections().await.len() as u64;
    let reader = Arc::clone(&node);
    let counted = tokio::task::spawn_blocking(move || {
        let ledger = &reader.ledger;
        (ledger.counts(), ledger.unsettled(), footprint::disk(&reader.data))
    });
    let counted = counted.await;
    let (counts, unsettled, store_bytes) =
        counted.map_err(|error| Failure::machine("the store was not counted", error))?;
    let figures = node.figures();
    let head = |(log, seq, record): &(
        starfish_protocol::record::LogId,
        u64,
        starfish_protocol::record::RecordId,
    )| Head {
        audience: audience(log.audience),
        epoch: log.epoch.0,
        seq: *seq,
        record: record.to_string(),
    };
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        serial: counts.serial,
        records: counts.records,
        observables: counts.observables,
        quarantined: counts.held_observables,
        missing_bodies: overview.missing_bodies as u64,
        unsettled: unsettled.map_err(|error| Failure::machine("the store was not counted", error))? as u64,
        peers,
        store_bytes,
        rss_bytes: footprint::memory(),
        uptime: node.started.elapsed().as_secs(),
        received_bytes: transferred(&figures, "Inbound"),
        sent_bytes: transferred(&figures, "Outbound"),
        heads: overview.own_heads.iter().map(head).collect(),
        forks: node.forks(),
        comparing: overview.comparing,
        standstill: overview.standstill.map(standstill),
        store_failures: node.ledger.failures().count(),
        store_failure: node.ledger.failures().first().map(ToString::to_string),
    }))
}

fn standstill(freeze: Freeze) -> String {
    match freeze {
        Freeze::Forked { seq } => format!(
            "two manifests with the number {} are in the mesh; `starfish audit` shows them, and the roots choose one by \
            `starfish org settle --manifest-id`",
            seq + 1
        ),
        Freeze::Retired => "its last manifest says that no roots come after these".to_owned(),
    }
}

fn audience(audience: Audience) -> String {
    match audience {
        Audience::Clear => "clear".to_owned(),
        Audience::Green => "green".to_owned(),
        Audience::Sealed => "sealed".to_owned(),
        Audience::Other(code) => format!("audience-{code}"),
    }
}

/// Adds up what libp2p counted on all transports in one direction, in the text that a monitoring system reads.
fn transferred(figures: &str, direction: &str) -> u64 {
    let label = format!("direction=\"{direction}\"");
    let lines = figures
        .lines()
        .filter(|line| line.starts_with("libp2p_bandwidth_bytes") && line.contains(&label));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

pub(super) async fn id(State(node): State<Arc<Node>>) -> Answer<Id> {
    let mut addresses: Vec<String> = node.handle.listening().await.iter().map(ToString::to_string).collect();
    if node.settings.public_address.is_some() {
        addresses = node.settings.addresses();
    }
    let revoked = node.overview().await?.revoked;
    Ok(Json(Id {
        revoked,
        ..node.identity.document(&node.settings.name, addresses, true)
    }))
}

pub(super) async fn metrics(State(node): State<Arc<Node>>) -> Result<impl IntoResponse, Refused> {
    Ok(([(header::CONTENT_TYPE, FIGURES)], node.figures()))
}

impl Node {
    /// Every figure as text.
    fn figures(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transferred_bytes_are_added_up() {
        let figures = "# TYPE libp2p_bandwidth_bytes counter\n\
            libp2p_bandwidth_bytes_total{protocols=\"/ip4/tcp\",direction=\"Inbound\"} 10\n\
            libp2p_bandwidth_bytes_total{protocols=\"/ip4/tcp\",direction=\"Outbound\"} 7\n\
            libp2p_bandwidth_bytes_total{protocols=\"/ip4/udp/quic-v1\",direction=\"Inbound\"} 5\n\
            libp2p_other_total{direction=\"Inbound\"} 99\n# EOF\n";
        assert_eq!(
            (transferred(figures, "Inbound"), transferred(figures, "Outbound")),
            (15, 7)
        );
        assert_eq!(transferred("", "Inbound"), 0);
    }
}
