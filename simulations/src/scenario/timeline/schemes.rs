//! What adversaries do, what is done about them, and when somebody looks what came of it.

use std::{collections::BTreeSet, time::Duration};

use rand::RngExt as _;

use super::{Deed, Moment, after};
use crate::scenario::{
    Scenario,
    placing::{Place, chance, of_scheme},
    written::{Adversary, AdversaryKind},
};

/// The time between two poisonings or votes of one adversary, when nothing else is said.
const EVERY_SECONDS: f64 = 10.0;
/// How often at most it is looked what is trusted and what poison is believed.
const LOOKS: u64 = 60;
/// For so long after an answer it is looked every second.
const CLOSER_SECONDS: u64 = 60;

pub(super) fn schemes(scenario: &Scenario, places: &[Place], seed: u64, first: u64) -> Vec<Moment> {
    let mut moments = Vec::new();
    for (name, adversary) in &scenario.written.adversary {
        let nodes = of_scheme(places, name);
        if let (Some(_), Some(at)) = (adversary.answer, adversary.answered_seconds) {
            moments.push(after(at, Deed::Answer { name: name.clone() }));
        }
        for node in nodes {
            let number = first + moments.len() as u64;
            let mut chance = chance(seed, &format!("scheme {name} {node}"));
            match adversary.kind {
                AdversaryKind::Flooder => moments.extend(flood(scenario, adversary, node, number)),
                AdversaryKind::Sybil | AdversaryKind::Poisoner | AdversaryKind::Sleeper | AdversaryKind::Thief => {
                    moments.extend(repeated(scenario, adversary, &mut chance, || Deed::Poison { node }));
                }
                AdversaryKind::Colluder => {
                    moments.extend(repeated(scenario, adversary, &mut chance, || Deed::Vote { node }));
                }
                _ => {}
            }
        }
    }
    moments
}

fn flood(scenario: &Scenario, adversary: &Adversary, node: u32, first: u64) -> Vec<Moment> {
    let Some(rate) = adversary.per_second else {
        return Vec::new();
    };
    let length = scenario.written.seconds.saturating_sub(adversary.from_seconds);
    let message = |turn: u64| Moment {
        at: Duration::from_secs_f64(adversary.from_seconds as f64 + turn as f64 / rate),
        deed: Deed::Publish {
            node,
            stream: None,
            number: first + turn,
        },
    };
    (0..(length as f64 * rate) as u64).map(message).collect()
}

/// Again and again from a time on. Those of one section do not act in step.
fn repeated(
    scenario: &Scenario,
    adversary: &Adversary,
    chance: &mut impl rand::Rng,
    deed: impl Fn() -> Deed,
) -> Vec<Moment> {
    let every = adversary.every_seconds.unwrap_or(EVERY_SECONDS);
    let begin = adversary.from_seconds as f64 + every * chance.random_range(0.0..0.5);
    let turns = (0..).map(|turn| begin + every * f64::from(turn));
    let within = turns.take_while(|at| *at < scenario.written.seconds as f64);
    let moment = |at| Moment {
        at: Duration::from_secs_f64(at),
        deed: deed(),
    };
    within.map(moment).collect()
}

/// When it is looked how far trust and poison have come: now and then, and every second once something is done about it.
pub(super) fn looks(scenario: &Scenario) -> Vec<Moment> {
    let seconds = scenario.written.seconds;
    let every = seconds.div_ceil(LOOKS).max(1);
    let usual = (1..).map(|turn| turn * every).take_while(|at| *at < seconds);
    let answered = scenario
        .written
        .adversary
        .values()
        .filter_map(|adversary| adversary.answered_seconds);
    let closer = answered.flat_map(|at| at..(at + CLOSER_SECONDS).min(seconds));
    let times: BTreeSet<u64> = usual.chain(closer).collect();
    times.into_iter().map(|at| after(at, Deed::Look)).collect()
}
