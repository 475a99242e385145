//! What the demo ends with: a [`Summary`].

use serde::Serialize;

use super::{
    nodes::{HOPS, NAMES, PUBLISHER, Poison},
    spread::Spread,
};
use crate::daemon::{
    control::documents::{Published, Status},
    report::{GOOD, Plain, WARN, counted, styled, table::Table},
};

/// Counts and times. The fields are a promise to scripts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Summary {
    /// How many nodes.
    pub(super) nodes: usize,
    /// Records that were published.
    pub(super) records: usize,
    /// Distinct values of the input that every node believes: the smallest count of all nodes.
    pub(super) observables: u64,
    /// Distinct values of the input.
    published: u64,
    /// Lines of the input that are no observable.
    refused: usize,
    /// Values that some node holds and does not believe: the largest count of all nodes.
    quarantined: u64,
    /// From the beginning of `publish` until the last node held everything, in ms; none if that did not happen.
    time_to_all_ms: Option<u64>,
    /// Bytes that a receiving node got on average, over the compressed bytes of the bodies.
    bytes_per_node_over_body: f64,
    /// What a stranger published.
    poison: Poison,
    /// Each node.
    each: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Node {
    node: usize,
    name: &'static str,
    hops: u32,
    observables: u64,
    time_ms: Option<u64>,
}

impl Summary {
    /// From what was published, how it spread, what each node had received before and after, and what became of the poison.
    pub(super) fn of(published: &Published, spread: &Spread, before: &[u64], after: &[Status], poison: Poison) -> Self {
        let each: Vec<Node> = (0..NAMES.len())
            .map(|node| Node {
                node,
                name: NAMES[node],
                hops: HOPS[node],
                observables: spread.held.get(node).copied().unwrap_or(0),
                time_ms: spread.times.get(node).copied().flatten(),
            })
            .collect();
        let times: Option<Vec<u64>> = each.iter().map(|node| node.time_ms).collect();
        Self {
            nodes: each.len(),
            records: published.records.len(),
            observables: each.iter().map(|node| node.observables).min().unwrap_or(0),
            published: published.observables,
            refused: published.refused.len(),
            quarantined: after.iter().map(|status| status.quarantined).max().unwrap_or(0),
            time_to_all_ms: times.and_then(|times| times.into_iter().max()),
            bytes_per_node_over_body: overhead(published.body_bytes, before, after),
            poison,
            each,
        }
    }

    /// Whether every node holds every observable, and nothing else.
    pub(super) fn is_complete(&self) -> bool {
        let exactly = self.each.iter().all(|node| node.observables == self.published);
        self.time_to_all_ms.is_some() && exactly && self.quarantined == self.poison.observables
    }
}

fn overhead(body_bytes: u64, before: &[u64], after: &[Status]) -> f64 {
    let received = before
        .iter()
        .zip(after)
        .map(|(before, after)| after.received_bytes.saturating_sub(*before));
    let received: u64 = received
        .enumerate()
        .filter(|(node, _)| *node != PUBLISHER)
        .map(|(_, bytes)| bytes)
        .sum();
    let receivers = after.len().saturating_sub(1).max(1);
    let ratio = received as f64 / receivers as f64 / body_bytes.max(1) as f64;
    (ratio * 1_000.0).round() / 1_000.0
}

impl Plain for Summary {
    fn plain(&self) -> Vec<String> {
        let mut table = Table::new(&["NODE", "NAME", "HOPS", "OBSERVABLES", "AFTER"]);
        for Node {
            node,
            name,
            hops,
            observables,
            time_ms,
        } in &self.each
        {
            let after = time_ms.map_or_else(|| "not yet".to_owned(), |time| format!("{time} ms"));
            table.row(vec![
                node.to_string(),
                (*name).to_owned(),
                hops.to_string(),
                observables.to_string(),
                after,
            ]);
        }
        let mut lines = table.lines();
        let Self {
            records,
            published,
            refused,
            quarantined,
            bytes_per_node_over_body,
            ..
        } = self;
        lines.push(String::new());
        lines.push(match self.time_to_all_ms {
            Some(time) => styled(
                GOOD,
                &format!(
                    "All {} nodes hold all {published} observables after {time} ms.",
                    self.nodes
                ),
            ),
            None => styled(WARN, &format!("Not every node holds all {published} observables.")),
        });
        lines.push(format!(
            "{}; {} refused; {} in quarantine; each node received \
             {bytes_per_node_over_body:.3} times the compressed bodies. Nodes dial nobody by themselves here, so that \
             the hops are those of the table.",
            counted(*records, "record"),
            counted(*refused, "line"),
            counted(usize::try_from(*quarantined).unwrap_or(usize::MAX), "value"),
        ));
        let Poison {
            publisher,
            observables,
            held_by,
            reason,
        } = &self.poison;
        lines.push(format!(
            "{publisher} published {observables} values too: {held_by} holds them in quarantine ({reason}), shows them to \
             nobody and passes none of them on."
        ));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(times: [Option<u64>; 5], held: [u64; 5]) -> Summary {
        let published = Published {
            records: vec!["rec:a".to_owned()],
            observables: 10,
            body_bytes: 1_000,
            ..Published::default()
        };
        let spread = Spread {
            held: held.to_vec(),
            times: times.to_vec(),
        };
        let after = |bytes: u64| Status {
            received_bytes: bytes,
            ..Status::default()
        };
        let after = [5_000, 1_100, 1_200, 1_300, 1_400].map(after);
        Summary::of(&published, &spread, &[0, 0, 0, 0, 0], &after, Poison::default())
    }

    #[test]
    fn only_a_whole_spread_is_complete() {
        let all = [Some(1), Some(20), Some(30), Some(31), Some(50)];
        let check = |times: [Option<u64>; 5], held: [u64; 5], complete: bool, time: Option<u64>| {
            let summary = summary(times, held);
            assert_eq!((summary.is_complete(), summary.time_to_all_ms), (complete, time));
            assert!((summary.bytes_per_node_over_body - 1.25).abs() < 0.001, "{summary:?}");
        };
        check(all, [10; 5], true, Some(50));
        check([all[0], all[1], None, all[3], all[4]], [10, 10, 9, 10, 10], false, None);
        check(all, [10, 10, 10, 10, 11], false, Some(50));
        check([None; 5], [0; 5], false, None);
    }

    #[test]
    fn scripts_find_their_fields() {
        let document = serde_json::to_value(summary([Some(1); 5], [10; 5])).expect("a document");
        for field in [
            "nodes",
            "records",
            "observables",
            "refused",
            "quarantined",
            "time_to_all_ms",
            "bytes_per_node_over_body",
        ] {
            assert!(document[field].is_number(), "{field}: {document}");
        }
    }
}
