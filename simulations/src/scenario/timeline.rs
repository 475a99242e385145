//! Everything that happens in a study, and when: [`timeline`], drawn from the seed before the first virtual second.

mod absences;
mod schemes;

use std::time::Duration;

use rand::seq::SliceRandom as _;

use super::{
    Scenario,
    placing::{Place, chance, of_role},
    vouching::is_web,
    written::{AdversaryKind, Partition, StoreFate},
};
use crate::network::Separation;

/// Something that happens to the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// A node publishes; the list is drawn when it does, since all lists of a long run would fill the memory.
    Publish {
        /// Who.
        node: u32,
        /// Which `[publish.NAME]` it belongs to; none for what a flooder makes.
        stream: Option<String>,
        /// Counts all publications of the run: the purpose of the chance that draws the list.
        number: u64,
    },
    /// A part of the network cannot reach the rest any more.
    Split {
        /// Which `[partition.NAME]`.
        name: String,
        /// How it shows.
        kind: Separation,
        /// The part.
        part: Vec<u32>,
    },
    /// It can again.
    Heal {
        /// Which `[partition.NAME]`.
        name: String,
    },
    /// A node's machine loses its power.
    Crash {
        /// Who.
        node: u32,
        /// What becomes of its store.
        store: StoreFate,
    },
    /// It is back.
    Restart {
        /// Who.
        node: u32,
    },
    /// An adversary publishes names that everybody needs.
    Poison {
        /// Who.
        node: u32,
    },
    /// An adversary says of what honest nodes have published that it is no threat.
    Vote {
        /// Who.
        node: u32,
    },
    /// The others do something about adversaries.
    Answer {
        /// Which `[adversary.NAME]`.
        name: String,
    },
    /// Every node is asked whom it trusts, and what it would block.
    Look,
}

/// A deed and its virtual time.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// When, from the start of the run.
    pub at: Duration,
    /// What.
    pub deed: Deed,
}

/// All moments of a run, in order.
pub fn timeline(scenario: &Scenario, places: &[Place], seed: u64) -> Vec<Moment> {
    let mut moments = publications(scenario, places, seed);
    moments.extend(schemes::schemes(scenario, places, seed, moments.len() as u64));
    if watches_trust(scenario) {
        moments.extend(schemes::looks(scenario));
    }
    moments.extend(absences::absences(scenario, places, seed));
    for (name, partition) in &scenario.written.partition {
        let part = part(
            scenario,
            places,
            partition,
            &mut chance(seed, &format!("partition {name}")),
        );
        let split = Deed::Split {
            name: name.clone(),
            kind: partition.kind,
            part,
        };
        moments.push(after(partition.at_seconds, split));
        moments.push(after(partition.until_seconds, Deed::Heal { name: name.clone() }));
    }
    // A stable sort: what is written at the same time stays in the order above.
    moments.sort_by_key(|moment| moment.at);
    moments
}

/// Whether there is anything to see of trust: endorsements, or adversaries who are after it.
pub fn watches_trust(scenario: &Scenario) -> bool {
    let adversaries = scenario.written.adversary.values();
    is_web(scenario.written.trust.kind)
        || adversaries
            .map(|adversary| adversary.kind)
            .any(AdversaryKind::is_after_trust)
}

fn after(seconds: u64, deed: Deed) -> Moment {
    Moment {
        at: Duration::from_secs(seconds),
        deed,
    }
}

fn publications(scenario: &Scenario, places: &[Place], seed: u64) -> Vec<Moment> {
    let mut moments = Vec::new();
    for (name, publish) in &scenario.written.publish {
        let mut who = of_role(places, &publish.role);
        who.shuffle(&mut chance(seed, &format!("publish {name}")));
        let until = publish.until_seconds.unwrap_or(scenario.written.seconds) as f64;
        let mut at = publish.at_seconds as f64;
        let (mut turn, reporters) = (who.iter().cycle(), who.len().min(publish.reporters as usize));
        while at < until && reporters > 0 {
            // One number, one list, whoever publishes it.
            let number = moments.len() as u64;
            for node in turn.by_ref().take(reporters) {
                let deed = Deed::Publish {
                    node: *node,
                    stream: Some(name.clone()),
                    number,
                };
                moments.push(Moment {
                    at: Duration::from_secs_f64(at),
                    deed,
                });
            }
            match publish.every_seconds {
                Some(every) => at += every,
                None => break,
            }
        }
    }
    moments
}

fn part(scenario: &Scenario, places: &[Place], partition: &Partition, chance: &mut impl rand::Rng) -> Vec<u32> {
    let mut nodes: Vec<u32> = (0..places.len() as u32).collect();
    if let Some(share) = partition.share {
        nodes.shuffle(chance);
        nodes.truncate((share * places.len() as f64).round() as usize);
        nodes.sort_unstable();
        return nodes;
    }
    let regions: Vec<Option<usize>> = partition
        .regions
        .iter()
        .map(|region| scenario.latency.region(region))
        .collect();
    nodes.retain(|node| {
        let place = &places[*node as usize];
        partition.roles.contains(&place.role) || regions.contains(&Some(place.region))
    });
    nodes
}
