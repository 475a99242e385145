//! Trust in a large graph of endorsements: `F` of one organisation, `W` of ten, and the confidence of one observable with 50
//! claims, all of new reporters (`cold`) and of known ones (`warm`). `ORGANISATIONS` changes the size; ten endorsements each.

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use starfish_crypto::{Digest, domain};
use starfish_protocol::{
    confidence::{Claim, Delta, Fading, Kind, View, Weights, assess},
    organisation::OrgId,
    time::Millis,
    trust::{
        flow::{Flow, Memo, Supply, flow, full_flow},
        graph::{Edge, Graph},
        standing::Standing,
    },
};
use starfish_tests::shape::asked;

const TARGET_MILLIS: f64 = 1.0;
const QUESTIONS: usize = 300;
const CLAIMS: usize = 50;
const ROOTS: usize = 20;

fn main() {
    let orgs: Vec<OrgId> = (0..asked("ORGANISATIONS", 100_000)).map(org).collect();
    let graph = Graph::new(edges(&orgs));
    let standing = Standing::new(&graph);
    let view = View {
        graph: &graph,
        standing: &standing,
    };
    let reached: Vec<u32> = (1..graph.nodes() as u32)
        .filter(|node| standing.of(*node) > 0)
        .collect();
    println!("flow: {} organisations, {} of them reached", orgs.len(), reached.len());
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
        self.visited = self.visited.max(flow.visited.len());
    }

    fn say(mut self, what: &str) {
        self.millis.sort_by(f64::total_cmp);
        let at = |part: usize| self.millis[(self.millis.len() - 1) * part / 100];
        println!(
            "flow: {what}: median {:.3} ms ({:.2} of {TARGET_MILLIS}), 99 % {:.3} ms, most {:.3} ms; {} of {} truncated, {} organisations visited at most",
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
