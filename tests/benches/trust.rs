//! Trust in a large graph of endorsements: `B` of everybody, from scratch and after one endorsement was added, changed or expired;
//! the dominators; `F` of one organisation, `W` of ten, and the confidence of one observable with 50 claims, all of new
//! reporters (`cold`) and of known ones (`warm`). `ORGANISATIONS` changes the size; ten endorsements each.
//!
//! The measure of what looks at the whole graph is one plain walk over it in the same run.

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use starfish_crypto::{Digest, domain};
use starfish_protocol::{
    confidence::{Claim, Delta, Fading, Kind, View, Weights, assess},
    organisation::OrgId,
    time::Millis,
    trust::{
        dominators::Dominators,
        flow::{Flow, Memo, Supply, flow, full_flow},
        graph::{Edge, Graph, ROOT},
        standing::Standing,
    },
};
use starfish_tests::shape::{asked, percentile};

/// What a question may take, in ms.
const TARGET_MILLIS: f64 = 1.0;
/// What `B` of everybody may take, in ms, and what the dominators may.
const STANDING_MILLIS: f64 = 100.0;
const DOMINATORS_MILLIS: f64 = 1_000.0;
/// What one endorsement may take, of `B` from scratch.
const UPDATE_SHARE: f64 = 0.01;
/// Times that the whole graph is judged, and endorsements of each kind that come and go.
const ROUNDS: usize = 11;
const UPDATES: usize = 3_000;
const QUESTIONS: usize = 300;
const CLAIMS: usize = 50;
const ROOTS: usize = 20;

fn main() {
    let orgs: Vec<OrgId> = (0..asked("ORGANISATIONS", 100_000)).map(org).collect();
    let edges = edges(&orgs);
    let graph = Graph::new(edges.iter().copied());
    let standing = Standing::new(&graph);
    let full = everybody(&graph, &standing);
    one_endorsement(graph.clone(), standing.clone(), &orgs, &edges, full);
    let view = View {
        graph: &graph,
        standing: &standing,
    };
    let reached: Vec<u32> = (1..graph.nodes() as u32)
        .filter(|node| standing.of(*node) > 0)
        .collect();
    println!("trust: {} organisations, {} of them reached", orgs.len(), reached.len());
    let mut dice = Dice(7);
    let some = |dice: &mut Dice, count: usize| -> Vec<u32> {
        (0..count).map(|_| reached[dice.below(reached.len())]).collect()
    };

    let singles = some(&mut dice, QUESTIONS);
    let mut tally = Tally::default();
    for node in singles {
        tally.time(|| full_flow(&graph, &standing, node));
    }
    tally.say("F of one");

    let mut tally = Tally::default();
    for _ in 0..QUESTIONS {
        let supplies: BTreeMap<u32, Supply> = some(&mut dice, 10)
            .into_iter()
            .map(|node| (node, Supply::from(120)))
            .collect();
        tally.time(|| flow(&graph, &standing, &supplies, u32::MAX));
    }
    tally.say("W of ten");

    let (mut cold, mut warm) = (Tally::default(), Tally::default());
    for _ in 0..QUESTIONS {
        let nodes = some(&mut dice, CLAIMS);
        let claims: Vec<Claim> = nodes
            .iter()
            .filter_map(|node| graph.org(*node))
            .map(|org| claim(&mut dice, org))
            .collect();
        let mut memo = Memo::default();
        for tally in [&mut cold, &mut warm] {
            tally.time(|| confidence(view, &mut memo, &claims));
        }
    }
    cold.say("confidence of 50 claims, cold");
    warm.say("confidence of 50 claims, warm");
}

/// `B` of everybody and the dominators; answers how long the first takes, in ms.
fn everybody(graph: &Graph, standing: &Standing) -> f64 {
    let (mut walks, mut standings, mut dominators) = (Vec::new(), Vec::new(), Vec::new());
    // In turn, so that a machine that is busy for a while is busy for all of them.
    for _ in 0..ROUNDS {
        walks.push(millis(|| walk(graph)));
        standings.push(millis(|| Standing::new(graph)));
        dominators.push(millis(|| Dominators::new(graph, standing)));
    }
    let walk = percentile(&mut walks, 50);
    let say = |what: &str, measured: f64, target: f64| {
        println!(
            "trust: {what}: median {measured:.1} ms ({:.2} of {target}), {:.1} plain walks over the graph of {walk:.1} ms",
            measured / target,
            measured / walk,
        );
    };
    let full = percentile(&mut standings, 50);
    say("B of everybody", full, STANDING_MILLIS);
    say("dominators", percentile(&mut dominators, 50), DOMINATORS_MILLIS);
    full
}

/// One endorsement comes, says something else, and expires, again and again at other places.
fn one_endorsement(mut graph: Graph, mut standing: Standing, orgs: &[OrgId], edges: &[Edge], full: f64) {
    let mut dice = Dice(11);
    let (mut added, mut changed, mut expired) = (Vec::new(), Vec::new(), Vec::new());
    let mut touched = 0;
    for _ in 0..UPDATES {
        let from = Some(orgs[dice.below(orgs.len())]);
        let to = orgs[dice.below(orgs.len())];
        let mut said = || (1 + dice.below(120) as u8, dice.below(6) as u8);
        let (first, next) = (said(), said());
        let old = edges[dice.below(edges.len())];
        let mut say = |from, to, said: &[(u8, u8)]| {
            millis(|| {
                if let Some(pair) = graph.replace(from, to, said) {
                    touched += standing.update(&graph, &[pair]).len();
                }
            })
        };
        added.push(say(from, to, &[first]));
        changed.push(say(from, to, &[next]));
        say(from, to, &[]);
        // One that everything else was built around, not only the newest.
        expired.push(say(old.from, old.to, &[]));
        say(old.from, old.to, &[(old.amount, old.depth)]);
    }
    assert_eq!(standing, Standing::new(&graph), "an update left something behind");
    for (what, measured) in [
        ("added", &mut added),
        ("changed", &mut changed),
        ("expired", &mut expired),
    ] {
        let median = percentile(measured, 50);
        println!(
            "trust: one endorsement {what}: median {:.4} ms, {:.5} of B of everybody (at most {UPDATE_SHARE}), 99 % {:.3} ms, most {:.3} ms",
            median,
            median / full,
            percentile(measured, 99),
            percentile(measured, 100),
        );
    }
    println!(
        "trust: {:.1} organisations stand differently after one change",
        touched as f64 / (5 * UPDATES) as f64
    );
}

/// Looks at every arc that the root reaches, once.
fn walk(graph: &Graph) -> usize {
    let mut met = vec![false; graph.nodes()];
    let mut open = vec![ROOT];
    let mut arcs = 0;
    while let Some(node) = open.pop() {
        for arc in graph.out(node) {
            arcs += 1;
            if !std::mem::replace(&mut met[arc.node as usize], true) {
                open.push(arc.node);
            }
        }
    }
    arcs
}

fn millis<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64() * 1e3
}

fn confidence(view: View<'_>, memo: &mut Memo, claims: &[Claim]) -> Flow {
    let fading = Fading {
        tau: Millis(1_000_000),
        delta: Delta::Two,
    };
    let found = assess(view, memo, claims, fading, &Weights::default(), Millis(1_000_000));
    Flow {
        truncated: found.truncated,
        ..found.support
    }
}

fn claim(dice: &mut Dice, org: OrgId) -> Claim {
    let kinds = [Kind::Report, Kind::Report, Kind::Sighting, Kind::FalsePositive];
    let at = Millis(dice.below(1_000_000) as u64);
    Claim {
        org,
        log: org.digest(),
        place: (Millis(0), 0),
        kind: kinds[dice.below(kinds.len())],
        confidence: dice.below(101) as u8,
        observed_at: at,
        received_at: at,
        derived_from: None,
    }
}

fn org(number: usize) -> OrgId {
    OrgId::from_digest(Digest::of(domain::MANIFEST, &number.to_be_bytes()))
}

/// A random graph: twenty roots, and ten endorsements for each organisation.
fn edges(orgs: &[OrgId]) -> Vec<Edge> {
    let mut dice = Dice(1);
    let mut edges: Vec<Edge> = (0..ROOTS)
        .map(|_| Edge {
            from: None,
            to: orgs[dice.below(orgs.len())],
            amount: 120,
            depth: 3 + dice.below(4) as u8,
        })
        .collect();
    for _ in 0..10 * orgs.len() {
        edges.push(Edge {
            from: Some(orgs[dice.below(orgs.len())]),
            to: orgs[dice.below(orgs.len())],
            amount: 1 + dice.below(120) as u8,
            depth: dice.below(6) as u8,
        });
    }
    edges
}

/// Chance with a seed, so that every run asks the same (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }
}

#[derive(Default)]
struct Tally {
    millis: Vec<f64>,
    truncated: usize,
    visited: usize,
}

impl Tally {
    fn time(&mut self, work: impl FnOnce() -> Flow) {
        let start = Instant::now();
        let flow = black_box(work());
        self.millis.push(start.elapsed().as_secs_f64() * 1e3);
        self.truncated += usize::from(flow.truncated);
        self.visited = self.visited.max(flow.visited);
    }

    fn say(mut self, what: &str) {
        self.millis.sort_by(f64::total_cmp);
        let at = |part: usize| self.millis[(self.millis.len() - 1) * part / 100];
        println!(
            "trust: {what}: median {:.3} ms ({:.2} of {TARGET_MILLIS}), 99 % {:.3} ms, most {:.3} ms; {} of {} truncated, {} organisations visited at most",
            at(50),
            at(50) / TARGET_MILLIS,
            at(99),
            at(100),
            self.truncated,
            self.millis.len(),
            self.visited,
        );
    }
}
