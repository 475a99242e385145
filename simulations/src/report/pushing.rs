//! Plain gossipsub beside the nodes: [`Push`], and its figures next to theirs.

use serde::{Deserialize, Serialize};

use super::{
    Outcome, Report,
    figures::{Figure, Percentiles, Unit},
};

/// What plain gossipsub did, which pushed the same whole bodies at the same time to the same neighbours over lines of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// Bodies that arrived of those that were wanted, in percent; 0 when nothing was wanted.
    pub delivered_percent: f64,
    /// From the push to arrival at one node, in ms.
    pub latency: Percentiles,
    /// From the push to arrival at the last node that wanted it, in ms, of bodies that arrived everywhere.
    pub everyone: Percentiles,
    /// Bytes that an honest node received, on average.
    pub received_each: f64,
}

impl Push {
    /// From all that was gathered about it.
    pub fn of(outcome: &Outcome) -> Self {
        Self {
            delivered_percent: outcome.delivered_percent().unwrap_or_default(),
            latency: outcome.latency,
            everyone: outcome.everyone,
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
    pub unit: Unit,
    /// Of the nodes, which pull bodies.
    pub pulled: Option<f64>,
    /// Of gossipsub.
    pub pushed: Option<f64>,
}

/// Names in the headline, and where only gossipsub's figures are shown.
const NAMES: [(&str, &str); 6] = [
    ("delivered", "delivered, pushed"),
    ("latency p50", "latency p50, pushed"),
    ("latency p99", "latency p99, pushed"),
    ("everyone p50", "everyone p50, pushed"),
    ("everyone max", "everyone max, pushed"),
    ("received each", "received each, pushed"),
];

impl Report {
    /// The headline and, where that was compared, what plain gossipsub came to.
    pub fn figures(&self) -> Vec<Figure> {
        let pushed = self.beside().into_iter();
        let pushed = pushed.map(|row| Figure::new(row.pushed_name, row.unit, row.pushed));
        self.headline().into_iter().chain(pushed).collect()
    }

    /// Figures of the nodes and of plain gossipsub, side by side; none when it was not compared.
    pub fn beside(&self) -> Vec<Beside> {
        let Some(push) = &self.outcome.push else {
            return Vec::new();
        };
        let headline = self.headline();
        let (latency, everyone) = (push.latency.known(), push.everyone.known());
        let pushed = [
            self.outcome.delivered_percent().map(|_| push.delivered_percent),
            latency.map(|times| times.p50),
            latency.map(|times| times.p99),
            everyone.map(|times| times.p50),
            everyone.map(|times| times.most),
            Some(push.received_each / 1e3),
        ];
        let row = |((name, pushed_name), pushed): ((&str, &'static str), Option<f64>)| {
            let pulled = headline.iter().find(|figure| figure.name == name)?;
            Some(Beside {
                name: pulled.name,
                pushed_name,
                unit: pulled.unit,
                pulled: pulled.value,
                pushed,
            })
        };
        NAMES.into_iter().zip(pushed).filter_map(row).collect()
    }
}
