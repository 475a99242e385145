//! The vectors F1 to F11 and the laws of the design (trust 5.3).

mod policies;

use proptest::prelude::*;

use super::*;
use crate::trust::graph::{
    Edge,
    samples::{any_edges, org, said},
};

const DAY: u64 = 24 * 60 * 60 * 1_000;
const NOW: Millis = Millis(1_000 * DAY);
const SLOW: Fading = Fading {
    tau: Millis(120 * DAY),
    delta: Delta::Two,
};

fn claim(number: u32, kind: Kind, confidence: u8, days: u64) -> Claim {
    Claim {
        org: org(number),
        log: Digest::from_bytes([1; 32]),
        place: (Millis(0), 1),
        kind,
        confidence,
        observed_at: Millis(NOW.0 - days * DAY),
        received_at: Millis(NOW.0 - days * DAY),
        derived_from: None,
    }
}

fn report(number: u32) -> Claim {
    claim(number, Kind::Report, 100, 0)
}

fn dispute(number: u32) -> Claim {
    claim(number, Kind::FalsePositive, 100, 0)
}

fn sighting(number: u32) -> Claim {
    claim(number, Kind::Sighting, 100, 0)
}

fn judged(edges: &[Edge], claims: &[Claim], now: Millis) -> Assessment {
    let graph = Graph::new(edges.iter().copied());
    let standing = Standing::new(&graph);
    let view = View {
        graph: &graph,
        standing: &standing,
    };
    assess(view, &mut Memo::default(), claims, SLOW, &Weights::default(), now)
}

/// The graph of the vectors: two roots, two behind the second, one that the first vouches half for.
fn five() -> Vec<Edge> {
    vec![
        said(0, 1, 120, 2),
        said(0, 2, 120, 2),
        said(2, 3, 120, 0),
        said(2, 4, 120, 0),
        said(1, 5, 60, 0),
    ]
}

fn of_five(claims: &[Claim]) -> Assessment {
    judged(&five(), claims, NOW)
}

fn shares(assessment: &Assessment) -> (u32, u32, u32) {
    (assessment.belief, assessment.disbelief, assessment.uncertainty)
}

#[test]
fn the_vectors_hold() {
    let check = |name: &str, claims: &[Claim], flows: (u32, u32), expected: (u32, u32, u32)| {
        let found = of_five(claims);
        assert_eq!((found.support.value, found.dispute.value), flows, "{name}");
        assert_eq!(shares(&found), expected, "{name}");
    };
    let half = claim(1, Kind::Report, 50, 0);
    check("F1", &[report(1)], (120, 0), (750, 0, 250));
    check("F2", &[report(1), report(2)], (240, 0), (857, 0, 143));
    check("F3", &[report(3), report(4)], (120, 0), (750, 0, 250));
    check("F4", &[report(2), report(3), report(4)], (120, 0), (750, 0, 250));
    check("F5", &[half], (60, 0), (600, 0, 400));
    check("F6", &[claim(5, Kind::Report, 80, 0)], (48, 0), (545, 0, 455));
    check("F7", &[report(1), dispute(2)], (120, 120), (300, 600, 100));
    check(
        "F8",
        &[report(1), report(2), dispute(3), dispute(4)],
        (240, 120),
        (461, 461, 78),
    );
    check("F9", &[report(1), sighting(2)], (180, 0), (818, 0, 182));
    check("F10", &[], (0, 0), (0, 0, 1000));
    check("F11", &[claim(1, Kind::Report, 100, 30)], (60, 0), (600, 0, 400));
    check("a stranger", &[report(9)], (0, 0), (0, 0, 1000));
}

#[test]
fn each_claim_says_what_it_came_to() {
    let mut one = claim(5, Kind::Sighting, 80, 30);
    one.derived_from = Some(Digest::from_bytes([3; 32]));
    let mut two = report(1);
    two.derived_from = one.derived_from;
    let found = of_five(&[one, two, dispute(9)]);
    let row = |one: &Weighed| (one.trust, one.fresh, one.weight, one.supply, one.shared);
    let rows: Vec<_> = found.claims.iter().map(row).collect();
    let expected = [
        (120, WHOLE, 1_000, 120, true),
        (60, 500_000, 500, 12, true),
        (0, WHOLE, 1_000, 0, false),
    ];
    assert_eq!(rows, expected);
    assert_eq!(found.support.value, 120, "one origin is one source");
    assert_eq!(found.reporters(), BTreeSet::from([org(1), org(5)]));
    assert!(found.disputers().is_empty());
}

#[test]
fn an_organisation_is_heard_once() {
    let check = |claims: &[Claim], expected: &[Claim]| {
        let found = of_five(claims).claims.into_iter().map(|one| one.claim);
        assert_eq!(found.collect::<Vec<_>>(), expected);
    };
    let later = |claim: Claim, place: u64| Claim {
        place: (Millis(0), place),
        ..claim
    };
    let elsewhere = |claim: Claim, log: u8| Claim {
        log: Digest::from_bytes([log; 32]),
        ..claim
    };
    let restored = Claim {
        place: (Millis(5), 0),
        ..sighting(1)
    };
    let unsure = claim(1, Kind::Report, 40, 3);
    check(&[report(1), later(sighting(1), 2)], &[later(sighting(1), 2)]);
    check(&[later(dispute(1), 2), later(report(1), 3)], &[later(report(1), 3)]);
    check(&[later(report(1), 9), restored.clone()], &[restored]);
    check(&[report(1), elsewhere(dispute(1), 2)], &[elsewhere(dispute(1), 2)]);
    check(&[report(1), elsewhere(unsure.clone(), 2)], &[elsewhere(unsure, 2)]);
    check(&[report(2), report(1)], &[report(1), report(2)]);
}

#[test]
fn more_claims_than_are_weighed_are_said() {
    let crowd = limits::CLAIMS_WEIGHED as u32 + 5;
    let claims: Vec<Claim> = (10..10 + crowd).map(report).chain([report(1), dispute(2)]).collect();
    let found = of_five(&claims);
    assert!(found.truncated && found.claims.len() == limits::CLAIMS_WEIGHED + 1);
    assert_eq!(
        (found.support.value, found.dispute.value),
        (120, 120),
        "those who stand best stay"
    );
}

#[test]
fn the_next_change_is_known() {
    let claims = [claim(1, Kind::Report, 100, 3), claim(2, Kind::FalsePositive, 70, 11)];
    let now = of_five(&claims);
    let at = now.changes_at.expect("the test is written so");
    let supplies = |time: Millis| -> Vec<u32> {
        judged(&five(), &claims, time)
            .claims
            .iter()
            .map(|one| one.supply)
            .collect()
    };
    assert_eq!(supplies(Millis(at.0 - 1)), supplies(NOW));
    assert_ne!(supplies(at), supplies(NOW));
    assert_eq!(of_five(&[claim(1, Kind::Report, 100, 400)]).changes_at, None);
    assert_eq!(of_five(&[]).changes_at, None);
}

fn any_claims() -> impl Strategy<Value = Vec<Claim>> {
    let kind = prop::sample::select(vec![Kind::Report, Kind::Sighting, Kind::FalsePositive]);
    let any_one = (
        1u32..12,
        kind,
        0u8..=100,
        0u64..130,
        prop::option::weighted(0.2, 0u8..2),
    );
    prop::collection::vec(any_one, 0..12).prop_map(|claims| {
        let one = |(place, (number, kind, confidence, days, origin)): (u64, (u32, Kind, u8, u64, Option<u8>))| Claim {
            derived_from: origin.map(|origin| Digest::from_bytes([origin; 32])),
            place: (Millis(0), place),
            ..claim(number, kind, confidence, days)
        };
        (0..).zip(claims).map(one).collect()
    })
}

/// Seven organisations that may all introduce, so that no way between them is too long to count.
fn deep_edges() -> impl Strategy<Value = Vec<Edge>> {
    let near = |edge: &Edge| {
        [edge.from, Some(edge.to)]
            .into_iter()
            .flatten()
            .all(|who| who <= org(7))
    };
    any_edges().prop_map(move |edges| {
        edges
            .into_iter()
            .filter(near)
            .map(|edge| Edge { depth: 7, ..edge })
            .collect()
    })
}

proptest! {
    #[test]
    fn shares_are_a_whole_and_order_changes_nothing(edges in any_edges(), claims in any_claims()) {
        let found = judged(&edges, &claims, NOW);
        prop_assert_eq!(found.belief + found.disbelief + found.uncertainty, 1_000);
        let mut other = claims.clone();
        other.reverse();
        other.extend(claims.first().cloned());
        prop_assert_eq!(&found, &judged(&edges, &other, NOW));
    }

    #[test]
    fn time_alone_never_adds_support(edges in any_edges(), claims in any_claims(), days in 0u64..300) {
        let later = judged(&edges, &claims, Millis(NOW.0 + days * DAY));
        let now = judged(&edges, &claims, NOW);
        prop_assert!(later.support.value <= now.support.value && later.dispute.value <= now.dispute.value);
    }

    #[test]
    fn more_sources_raise_and_disputes_lower(edges in any_edges(), claims in any_claims()) {
        let before = judged(&edges, &claims, NOW);
        let with = |claim: Claim| judged(&edges, &claims.iter().cloned().chain([claim]).collect::<Vec<_>>(), NOW);
        // Twelve is vouched for by nobody unless this says so, and claims nothing yet.
        let trusted: Vec<Edge> = edges.iter().copied().chain([said(0, 12, 60, 0)]).collect();
        prop_assert_eq!(shares(&before), shares(&with(report(12))));
        let more = claims.iter().cloned().chain([report(12)]).collect::<Vec<_>>();
        let less = claims.iter().cloned().chain([dispute(12)]).collect::<Vec<_>>();
        prop_assert!(judged(&trusted, &more, NOW).belief >= before.belief);
        prop_assert!(judged(&trusted, &less, NOW).belief <= before.belief);
    }

    #[test]
    fn who_is_vouched_for_alike_weighs_alike(edges in any_edges(), claims in any_claims(), by in 0u32..12, amount in 1u8..=120, days in 0u64..130) {
        let twins = [said(by, 20, amount, 0), said(by, 21, amount, 0)];
        let edges: Vec<Edge> = edges.into_iter().chain(twins).collect();
        for kind in [Kind::Report, Kind::Sighting, Kind::FalsePositive] {
            let with = |number: u32| shares(&judged(&edges, &claims.iter().cloned().chain([claim(number, kind, 90, days)]).collect::<Vec<_>>(), NOW));
            prop_assert_eq!(with(20), with(21));
        }
    }

    #[test]
    fn confidence_raises_and_a_date_in_the_future_gains_nothing(edges in any_edges(), claims in any_claims(), which in any::<prop::sample::Index>()) {
        prop_assume!(!claims.is_empty());
        let place = which.index(claims.len());
        let mut surer = claims.clone();
        surer[place].confidence = 100;
        let (before, after) = (judged(&edges, &claims, NOW), judged(&edges, &surer, NOW));
        prop_assert!(after.support.value >= before.support.value && after.dispute.value >= before.dispute.value);
        let mut dated = claims.clone();
        dated[place].observed_at = Millis(u64::MAX);
        prop_assert_eq!(shares(&before), shares(&judged(&edges, &dated, NOW)));
    }

    #[test]
    fn more_keys_of_one_organisation_change_nothing(edges in any_edges(), number in 1u32..12, keys in 1u8..9) {
        let claims: Vec<Claim> = (0..keys).map(|key| Claim { log: Digest::from_bytes([key; 32]), ..report(number) }).collect();
        prop_assert_eq!(shares(&judged(&edges, &claims, NOW)), shares(&judged(&edges, &[report(number)], NOW)));
    }

    // Where depth is no obstacle: a farm next to somebody lets more of what was said of that somebody count for those further
    // on (see the head of `trust/flow/gathering.rs`), which is trust that was given, but not the farm's own.
    #[test]
    fn a_farm_moves_the_score_by_what_was_said_of_it(edges in deep_edges(), claims in any_claims(), amount in 1u8..=120, sybils in 1u32..20) {
        let mut with: Vec<Edge> = edges.clone();
        // One organisation of the mesh vouches for the first sybil, which vouches for all others, and all for each other.
        with.push(said(1, 20, amount, 7));
        with.extend((20..20 + sybils).flat_map(|one| (20..20 + sybils).map(move |two| said(one, two, 120, 7))).filter(|edge| edge.from != Some(edge.to)));
        let before = judged(&edges, &claims, NOW);
        let farm = |claim: fn(u32) -> Claim| claims.iter().cloned().chain((20..20 + sybils).map(claim)).collect::<Vec<_>>();
        let promoted = judged(&with, &farm(report), NOW);
        prop_assert!(promoted.support.value <= before.support.value + u32::from(amount));
        let alone = judged(&with, &(20..20 + sybils).map(report).collect::<Vec<_>>(), NOW);
        prop_assert!(alone.belief <= u32::from(amount) * 1_000 / (u32::from(amount) + 40));
        let suppressed = judged(&with, &farm(dispute), NOW);
        prop_assert!(suppressed.dispute.value <= before.dispute.value + u32::from(amount));
    }
}
