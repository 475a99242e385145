//! Holds Starfish's arithmetic of trust against that of OpenPGP, on random graphs: `B <= sequoia <= F` (design, trust 4.4).
//!
//! `graphs` draws them and knows the vectors of the design, `ours` and `sequoia` judge, and this file compares and counts.

mod graphs;
mod ours;
mod sequoia;

use std::process::ExitCode;

use graphs::{Endorsement, Sample};

/// Graphs in a run, unless asked otherwise.
const GRAPHS: u64 = 2_000;

/// What one organisation is worth to each of them.
#[derive(Debug)]
struct Verdict {
    best_path: u32,
    oracle: u32,
    flow: u32,
    flow_without_capacities: u32,
}

impl Verdict {
    fn holds(&self) -> bool {
        let bounded = |value: u32| self.best_path <= value && value <= self.flow_without_capacities;
        bounded(self.oracle) && bounded(self.flow) && (self.best_path > 0) == (self.flow_without_capacities > 0)
    }
}

/// What was compared.
#[derive(Debug, Default)]
struct Tally {
    graphs: u64,
    targets: u64,
    reached: u64,
    as_best_path: u64,
    as_flow: u64,
    between: u64,
    violations: u64,
}

impl Tally {
    fn compare(&mut self, name: &str, edges: &[Endorsement]) {
        let ours = ours::Judge::new(edges);
        let oracle = sequoia::Judge::new(edges);
        self.graphs += 1;
        for org in graphs::orgs(edges) {
            let verdict = Verdict {
                best_path: ours.best_path(org),
                oracle: oracle.amount(org),
                flow: ours.flow(org),
                flow_without_capacities: ours.flow_without_capacities(org),
            };
            self.count(&verdict);
            if !verdict.holds() {
                self.violations += 1;
                eprintln!("{name}: organisation {org}: {verdict:?} in {edges:?}");
            }
        }
    }

    fn count(&mut self, verdict: &Verdict) {
        self.targets += 1;
        if verdict.flow_without_capacities == 0 {
            return;
        }
        self.reached += 1;
        match verdict.oracle {
            all if all == verdict.flow_without_capacities => self.as_flow += 1,
            one if one == verdict.best_path => self.as_best_path += 1,
            _ => self.between += 1,
        }
    }

    /// What the design says of a vector.
    fn check(&mut self, sample: &Sample) {
        self.compare(sample.name, &sample.edges);
        let ours = ours::Judge::new(&sample.edges);
        for (org, best_path, flow) in &sample.known {
            let found = (ours.best_path(*org), ours.flow(*org));
            if found != (*best_path, *flow) {
                self.violations += 1;
                eprintln!(
                    "{}: organisation {org}: {found:?}, not {:?}",
                    sample.name,
                    (best_path, flow)
                );
            }
        }
    }
}

/// A number on the command line, or what is usual.
fn asked(place: usize, usual: u64) -> u64 {
    std::env::args().nth(place).map_or(usual, |text| {
        text.parse()
            .expect("graphs and seed are numbers: cargo run --release -- GRAPHS SEED")
    })
}

fn main() -> ExitCode {
    let (count, seed) = (asked(1, GRAPHS), asked(2, 1));
    let mut tally = Tally::default();
    graphs::vectors().iter().for_each(|sample| tally.check(sample));
    for graph in 0..count {
        tally.compare(&format!("graph {graph} of seed {seed}"), &graphs::random(seed, graph));
    }
    println!(
        "oracle: {} graphs, {} targets, {} of them reached: sequoia as the flow {}, as the best path {}, between {}; {} violations",
        tally.graphs, tally.targets, tally.reached, tally.as_flow, tally.as_best_path, tally.between, tally.violations
    );
    if tally.violations == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
