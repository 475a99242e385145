//! Nodes that are away: by churn, or since they crashed.

use std::time::Duration;

use rand::RngExt as _;

use super::{Deed, Moment};
use crate::scenario::{
    Scenario,
    placing::{Place, chance, of_role, some_of},
    written::StoreFate,
};

/// One node is away, and this becomes of its store.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Absence {
    node: u32,
    from: Duration,
    to: Duration,
    store: StoreFate,
}

pub(super) fn absences(scenario: &Scenario, places: &[Place], seed: u64) -> Vec<Moment> {
    let mut absences = churn(scenario, places, seed);
    for (name, crash) in &scenario.written.crash {
        let mut chance = chance(seed, &format!("crash {name}"));
        let nodes = some_of(places, &crash.role, crash.count as usize, &mut chance);
        absences.extend(nodes.into_iter().map(|node| Absence {
            node,
            from: Duration::from_secs(crash.at_seconds),
            to: Duration::from_secs(crash.back_seconds),
            store: crash.store,
        }));
    }
    let moments = |absence: Absence| {
        let Absence { node, store, .. } = absence;
        [
            (absence.from, Deed::Crash { node, store }),
            (absence.to, Deed::Restart { node }),
        ]
    };
    let moments = whole(absences).into_iter().flat_map(moments);
    moments.map(|(at, deed)| Moment { at, deed }).collect()
}

/// Several sections may want a node down at the same time: it is away until the last of them lets it come back, and its store
/// takes the worst damage.
fn whole(mut absences: Vec<Absence>) -> Vec<Absence> {
    absences.sort_by_key(|absence| (absence.node, absence.from));
    let mut whole: Vec<Absence> = Vec::new();
    for absence in absences {
        match whole.last_mut() {
            Some(last) if last.node == absence.node && absence.from <= last.to => {
                (last.to, last.store) = (last.to.max(absence.to), last.store.max(absence.store));
            }
            _ => whole.push(absence),
        }
    }
    whole
}

/// Stays and absences between half and one and a half of their means.
fn churn(scenario: &Scenario, places: &[Place], seed: u64) -> Vec<Absence> {
    let mut absences = Vec::new();
    for (name, churn) in &scenario.written.churn {
        let mut chance = chance(seed, &format!("churn {name}"));
        let end = churn.until_seconds as f64;
        for node in of_role(places, &churn.role) {
            let mut at = churn.from_seconds as f64 + churn.stay_seconds as f64 * chance.random_range(0.0..1.5);
            while at < end {
                let back = (at + churn.away_seconds as f64 * chance.random_range(0.5..1.5)).min(end);
                absences.push(Absence {
                    node,
                    from: Duration::from_secs_f64(at),
                    to: Duration::from_secs_f64(back),
                    store: StoreFate::Kept,
                });
                at = back + churn.stay_seconds as f64 * chance.random_range(0.5..1.5);
            }
        }
    }
    absences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_away_as_long_as_anything_keeps_it() {
        use StoreFate::{Kept, Lost, TornTail};
        let away = |(node, from, to, store): (u32, u64, u64, StoreFate)| Absence {
            node,
            from: Duration::from_secs(from),
            to: Duration::from_secs(to),
            store,
        };
        let check = |given: &[(u32, u64, u64, StoreFate)], expected: &[(u32, u64, u64, StoreFate)]| {
            let expected: Vec<Absence> = expected.iter().copied().map(away).collect();
            assert_eq!(whole(given.iter().copied().map(away).collect()), expected);
        };
        check(&[(1, 5, 9, Lost), (0, 5, 9, Kept)], &[(0, 5, 9, Kept), (1, 5, 9, Lost)]);
        check(
            &[(0, 5, 9, Kept), (0, 10, 12, Lost)],
            &[(0, 5, 9, Kept), (0, 10, 12, Lost)],
        );
        // The earlier end ends both no more, and no damage is left out.
        check(&[(0, 5, 9, Kept), (0, 7, 20, Lost)], &[(0, 5, 20, Lost)]);
        check(&[(0, 7, 8, Lost), (0, 5, 9, TornTail)], &[(0, 5, 9, Lost)]);
        check(&[(0, 5, 9, Kept), (0, 9, 12, TornTail)], &[(0, 5, 12, TornTail)]);
    }
}
