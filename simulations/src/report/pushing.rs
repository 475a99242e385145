//! Plain gossipsub beside the nodes: [`Push`], and its figures next to theirs.

use serde::{Deserialize, Serialize};

use super::{Outcome, Report, figures::Percentiles};

/// What plain gossipsub did, which pushed the same whole bodies at the same time to the same neighbours over lines of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// Bodies that arrived of those that were wanted, in percent.
    pub delivered_percent: f64,
    /// From the push to arrival at one node, in ms.
    pub latency: Percentiles,
    /// From the push to arrival at the last node that wanted it, in ms, of bodies that arrived everywhere.
    pub everyone: Percentiles,
    /// Bytes that honest nodes received for each byte of body that arrived where it was wanted.
    pub copies: f64,
    /// Bytes that an honest node received, on average.
    pub received_each: f64,
}

impl Push {
    /// From all that was gathered about it.
    pub fn of(outcome: &Outcome) -> Self {
        Self {
            delivered_percent: outcome.delivered_percent(),
            latency: outcome.latency,
            everyone: outcome.everyone,
            copies: outcome.copies,
            received_each: outcome.received_each(),
        }
    }
}

/// One figure of the nodes, and what plain gossipsub came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beside {
    /// Its name.
    pub name: &'static str,
    /// Its name where only gossipsub's is shown.
    pub pushed_name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Of the nodes, which pull bodies.
    pub pulled: f64,
    /// Of gossipsub.
    pub pushed: f64,
}

impl Report {
    /// The same and, where that was compared, what plain gossipsub came to.
    pub fn figures(&self) -> Vec<(&'static str, &'static str, f64)> {
        let pushed = self
            .beside()
            .into_iter()
            .map(|row| (row.pushed_name, row.unit, row.pushed));
        self.headline().into_iter().chain(pushed).collect()
    }

    /// Figures of the nodes and of plain gossipsub, side by side; none when it was not compared.
    pub fn beside(&self) -> Vec<Beside> {
        let Some(push) = &self.outcome.push else {
            return Vec::new();
        };
        let outcome = &self.outcome;
        let row = |name, pushed_name, unit, pulled, pushed| Beside {
            name,
            pushed_name,
            unit,
            pulled,
            pushed,
        };
        let (delivered, received) = (outcome.delivered_percent(), outcome.received_each());
        let (latency, everyone) = (outcome.latency, outcome.everyone);
        vec![
            row("delivered", "delivered, pushed", "%", delivered, push.delivered_percent),
            row(
                "latency p50",
                "latency p50, pushed",
                "ms",
                latency.p50,
                push.latency.p50,
            ),
            row(
                "latency p99",
                "latency p99, pushed",
                "ms",
                latency.p99,
                push.latency.p99,
            ),
            row(
                "everyone p50",
                "everyone p50, pushed",
                "ms",
                everyone.p50,
                push.everyone.p50,
            ),
            row(
                "everyone max",
                "everyone max, pushed",
                "ms",
                everyone.most,
                push.everyone.most,
            ),
            row("copies", "copies, pushed", "", outcome.copies, push.copies),
            row(
                "received each",
                "received each, pushed",
                "kB",
                received / 1e3,
                push.received_each / 1e3,
            ),
        ]
    }
}
