//! What is judged: [`random`] graphs and the [`vectors`] of the design (trust 4.7). Organisations are numbers; 0 is the root.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One endorsement.
#[derive(Clone, Copy, Debug)]
pub struct Endorsement {
    /// Who vouches.
    pub from: u32,
    /// For whom.
    pub to: u32,
    /// How much, 1 to 120.
    pub amount: u8,
    /// How many further introductions, 0 to 7.
    pub depth: u8,
}

/// A graph of which the design says what is right.
pub struct Sample {
    /// What the design calls it.
    pub name: &'static str,
    /// The graph.
    pub edges: Vec<Endorsement>,
    /// Organisations with their `B` and `F`.
    pub known: Vec<(u32, u32, u32)>,
}

/// All organisations that the edges name.
pub fn orgs(edges: &[Endorsement]) -> BTreeSet<u32> {
    let ends = edges.iter().flat_map(|edge| [edge.from, edge.to]);
    ends.filter(|org| *org != 0).collect()
}

/// A graph of 2 to 30 organisations, from sparse to dense; every second one in round amounts, so that ties are common. Nobody
/// says two things of one organisation, because OpenPGP and we would add them up differently.
pub fn random(seed: u64, number: u64) -> Vec<Endorsement> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    chance.set_stream(number);
    let orgs = chance.random_range(2u32..=30);
    let each = chance.random_range(1u32..=6);
    let deepest = chance.random_range(0u8..=7);
    let round = chance.random_bool(0.5);
    let mut said = BTreeMap::new();
    let roots = chance.random_range(1..=4);
    for place in 0..roots + orgs * each {
        let from = if place < roots {
            0
        } else {
            chance.random_range(1..=orgs)
        };
        let to = chance.random_range(1..=orgs);
        let amount = if round {
            10 * chance.random_range(1u8..=12)
        } else {
            chance.random_range(1u8..=120)
        };
        if from != to {
            said.insert((from, to), (amount, chance.random_range(0..=deepest)));
        }
    }
    let edges = said.into_iter();
    edges
        .map(|((from, to), (amount, depth))| Endorsement {
            from,
            to,
            amount,
            depth,
        })
        .collect()
}

fn said(list: &[(u32, u32, u8, u8)]) -> Vec<Endorsement> {
    let list = list.iter();
    list.map(|(from, to, amount, depth)| Endorsement {
        from: *from,
        to: *to,
        amount: *amount,
        depth: *depth,
    })
    .collect()
}

/// T1 to T5.
pub fn vectors() -> Vec<Sample> {
    let mut farm = vec![(0, 1, 120, 3), (0, 2, 120, 3), (2, 3, 50, 7)];
    for one in 4..14 {
        farm.push((3, one, 120, 7));
        farm.extend((4..14).filter(|two| *two != one).map(|two| (one, two, 120, 7)));
    }
    vec![
        Sample {
            name: "T1 chain",
            edges: said(&[(0, 1, 120, 2), (1, 2, 100, 1), (2, 3, 80, 1), (3, 4, 120, 1)]),
            known: vec![(1, 120, 120), (2, 100, 100), (3, 80, 80), (4, 0, 0)],
        },
        Sample {
            name: "T2 two sponsors",
            edges: said(&[(0, 1, 120, 1), (0, 2, 120, 1), (1, 3, 60, 0), (2, 3, 60, 0)]),
            known: vec![(1, 120, 120), (2, 120, 120), (3, 60, 120)],
        },
        Sample {
            name: "T3 same entity twice",
            edges: said(&[
                (0, 1, 60, 2),
                (1, 2, 120, 1),
                (1, 3, 120, 1),
                (2, 4, 120, 0),
                (3, 4, 120, 0),
            ]),
            known: vec![(4, 60, 60)],
        },
        Sample {
            name: "T4 depth vs width",
            edges: said(&[
                (0, 1, 120, 1),
                (0, 2, 40, 7),
                (1, 3, 120, 7),
                (2, 3, 40, 7),
                (3, 4, 120, 0),
            ]),
            known: vec![(3, 120, 120), (4, 40, 40)],
        },
        Sample {
            name: "T5 sybil farm",
            edges: said(&farm),
            known: (4..14)
                .map(|sybil| (sybil, 50, 50))
                .chain([(1, 120, 120), (3, 50, 50)])
                .collect(),
        },
    ]
}
