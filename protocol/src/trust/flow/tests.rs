//! The vectors T2 to T6 and the laws of the design (trust 4.4 and 4.7).

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::trust::graph::Edge;

fn org(number: u16) -> OrgId {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    OrgId::from_digest(Digest::from_bytes(bytes))
}

type Said = (u16, u16, u8, u8);

/// Who vouches for whom, how much and how deep; 0 is the root.
fn graph(said: &[Said]) -> Graph {
    Graph::new(said.iter().map(|(from, to, amount, depth)| Edge {
        from: (*from > 0).then(|| org(*from)),
        to: org(*to),
        amount: *amount,
        depth: *depth,
    }))
}

fn supplies(graph: &Graph, orgs: impl IntoIterator<Item = u16>) -> BTreeMap<u32, Supply> {
    let nodes = orgs.into_iter().filter_map(|number| graph.index_of(&org(number)));
    nodes.map(|node| (node, Supply::from(120))).collect()
}

fn to_set(said: &[Said], orgs: impl IntoIterator<Item = u16>) -> Flow {
    let graph = graph(said);
    flow(&graph, &Standing::new(&graph), &supplies(&graph, orgs), u32::MAX)
}

fn to_one(said: &[Said], number: u16) -> Flow {
    let graph = graph(said);
    match graph.index_of(&org(number)) {
        Some(node) => full_flow(&graph, &Standing::new(&graph), node),
        None => Flow::default(),
    }
}

fn best(said: &[Said], number: u16) -> u8 {
    let graph = graph(said);
    let node = graph.index_of(&org(number));
    node.map_or(0, |node| Standing::new(&graph).of(node))
}

/// T5: a farm of ten that all vouch for each other, behind one arc of 50.
fn farm() -> Vec<Said> {
    let mut said = vec![(0, 1, 120, 3), (0, 2, 120, 3), (2, 3, 50, 7)];
    for one in 4..14 {
        said.push((3, one, 120, 7));
        said.extend((4..14).filter(|two| *two != one).map(|two| (one, two, 120, 7)));
    }
    said
}

const TWO_SPONSORS: [Said; 4] = [(0, 1, 120, 1), (0, 2, 120, 1), (1, 3, 60, 0), (2, 3, 60, 0)];

#[test]
fn the_vectors_hold() {
    let check = |said: &[Said], number: u16, widest: u8, full: u32, ways: &[(&[u16], u32)]| {
        assert_eq!(best(said, number), widest, "B({number})");
        let found = to_one(said, number);
        assert_eq!((found.value, found.truncated), (full, false), "F({number})");
        let expected: Vec<Path> = ways
            .iter()
            .map(|(orgs, amount)| Path {
                orgs: orgs.iter().copied().map(org).collect(),
                amount: *amount,
            })
            .collect();
        assert_eq!(found.paths, expected, "paths to {number}");
    };
    let chain = [(0, 1, 120, 2), (1, 2, 100, 1), (2, 3, 80, 1), (3, 4, 120, 1)];
    check(&chain, 1, 120, 120, &[(&[1], 120)]);
    check(&chain, 2, 100, 100, &[(&[1, 2], 100)]);
    check(&chain, 3, 80, 80, &[(&[1, 2, 3], 80)]);
    check(&chain, 4, 0, 0, &[]);
    check(&TWO_SPONSORS, 3, 60, 120, &[(&[1, 3], 60), (&[2, 3], 60)]);
    let twice = [
        (0, 1, 60, 2),
        (1, 2, 120, 1),
        (1, 3, 120, 1),
        (2, 4, 120, 0),
        (3, 4, 120, 0),
    ];
    check(&twice, 4, 60, 60, &[(&[1, 2, 4], 60)]);
    let width = [
        (0, 1, 120, 1),
        (0, 2, 40, 7),
        (1, 3, 120, 7),
        (2, 3, 40, 7),
        (3, 4, 120, 0),
    ];
    check(&width, 3, 120, 120, &[(&[1, 3], 120)]);
    assert_eq!(
        (best(&width, 4), to_one(&width, 4).value),
        (40, 40),
        "depth against width"
    );
    check(&[(0, 1, 120, 1), (1, 3, 60, 0)], 3, 60, 60, &[(&[1, 3], 60)]);
    for sybil in 4..14 {
        assert_eq!(to_one(&farm(), sybil).value, 50);
    }
}

#[test]
fn a_farm_weighs_no_more_than_what_was_said_of_it() {
    let check = |orgs: Vec<u16>, weight: u32| assert_eq!(to_set(&farm(), orgs.clone()).value, weight, "{orgs:?}");
    check((3..14).collect(), 50);
    check(vec![1], 120);
    check([1].into_iter().chain(4..14).collect(), 170);
    check(vec![], 0);
    check(vec![99], 0);
}

#[test]
fn the_cut_names_what_limits() {
    let check = |said: &[Said], orgs: &[u16], cut: &[Limit]| {
        assert_eq!(to_set(said, orgs.iter().copied()).cut, cut, "{orgs:?}");
    };
    let vouched = |from: u16, to: u16, amount: u32| Limit::Endorsement {
        from: (from > 0).then(|| org(from)),
        to: org(to),
        amount,
    };
    check(&TWO_SPONSORS, &[3], &[vouched(1, 3, 60), vouched(2, 3, 60)]);
    check(&[(0, 1, 120, 1), (1, 3, 60, 0)], &[3], &[vouched(1, 3, 60)]);
    check(&farm(), &[4, 5], &[vouched(2, 3, 50)]);
    check(
        &[(0, 1, 120, 1), (1, 2, 120, 0), (1, 3, 120, 0)],
        &[2, 3],
        &[vouched(0, 1, 120)],
    );
    let hub = [
        (0, 1, 120, 2),
        (0, 2, 120, 2),
        (1, 3, 120, 1),
        (2, 3, 120, 1),
        (3, 4, 120, 0),
        (3, 5, 120, 0),
    ];
    check(&hub, &[4, 5], &[Limit::Organisation(org(3))]);
    check(&[(0, 1, 120, 1)], &[7], &[]);
    let graph = graph(&[(0, 1, 120, 1)]);
    let some = BTreeMap::from([(1, Supply::from(30))]);
    let found = flow(&graph, &Standing::new(&graph), &some, u32::MAX);
    assert_eq!(
        found.cut,
        [Limit::Supply {
            org: org(1),
            amount: 30
        }]
    );
    let enough = flow(&graph, &Standing::new(&graph), &some, 20);
    assert_eq!((enough.value, enough.cut.len()), (20, 0));
}

#[test]
fn one_origin_is_one_source() {
    let graph = graph(&[(0, 1, 120, 0), (0, 2, 120, 0), (0, 3, 120, 0)]);
    let feed = Some(Digest::from_bytes([7; 32]));
    let check = |given: &[(u32, Option<Digest>)], value: u32| {
        let supplies = (1..)
            .zip(given.iter().map(|(amount, origin)| Supply {
                amount: *amount,
                origin: *origin,
            }))
            .collect();
        let found = flow(&graph, &Standing::new(&graph), &supplies, u32::MAX);
        assert_eq!(found.value, value, "{given:?}");
        let sum: u32 = found.paths.iter().map(|path| path.amount).sum();
        assert_eq!(sum, value);
    };
    check(&[(120, feed), (120, feed), (120, feed)], 120);
    check(&[(30, feed), (70, feed), (50, feed)], 70);
    check(&[(30, feed), (70, feed), (50, None)], 120);
    check(&[(30, feed)], 30);
}

#[test]
fn several_ways_to_say_it_do_not_add_up() {
    let said = [(0, 1, 100, 0), (0, 1, 40, 1), (1, 2, 120, 0)];
    assert_eq!(to_one(&said, 1).value, 100);
    assert_eq!(to_one(&said, 2).value, 40);
}

#[test]
fn too_much_work_is_said_and_answered_safely() {
    // Everybody vouches for everybody: the worst that a flood of endorsements can be.
    let mut said: Vec<Said> = vec![(0, 1, 120, 7), (0, 2, 50, 7)];
    for one in 1..60 {
        said.extend((1..60).map(|two| (one, two, 1 + (one * 7 + two * 3) as u8 % 40, 7)));
    }
    let graph = graph(&said);
    let standing = Standing::new(&graph);
    let node = graph.index_of(&org(40)).expect("the test is written so");
    let asked = BTreeMap::from([(node, Supply::from(120))]);
    let whole = flow(&graph, &standing, &asked, 120);
    assert!(!whole.truncated && whole.value >= u32::from(standing.of(node)));
    for (gathered, searched) in [(0, 0), (10, 1000), (3000, 10), (100_000, 2_000), (100_000, 8_000)] {
        let cut_short = flow_within(&graph, &standing, &asked, 120, Work { gathered, searched });
        assert!(cut_short.truncated, "{gathered} {searched}");
        assert!(cut_short.value >= u32::from(standing.of(node)) && cut_short.value <= whole.value);
        assert!(cut_short.cut.is_empty() && cut_short.visited <= 61);
    }
}

fn any_graph(depths: std::ops::RangeInclusive<u8>) -> impl Strategy<Value = Vec<Said>> {
    prop::collection::vec((0u16..7, 1u16..7, 1u8..=120, depths), 0..24)
        .prop_map(|said| said.into_iter().filter(|(from, to, ..)| from != to).collect())
}

/// What the limits of a cut add up to.
fn width(cut: &[Limit]) -> u32 {
    let each = cut.iter().map(|limit| match limit {
        Limit::Endorsement { amount, .. } | Limit::Supply { amount, .. } | Limit::Origin { amount, .. } => *amount,
        Limit::Organisation(_) => 120,
    });
    each.sum()
}

/// What enters a group from outside it.
fn entering(said: &[Said], inside: impl Fn(u16) -> bool) -> u32 {
    let mut arcs: BTreeMap<(u16, u16), u32> = BTreeMap::new();
    for (from, to, amount, _) in said.iter().filter(|(from, to, ..)| !inside(*from) && inside(*to)) {
        let most = arcs.entry((*from, *to)).or_default();
        *most = (*most).max(u32::from(*amount));
    }
    arcs.values().sum()
}

proptest! {
    #[test]
    fn order_and_repetition_change_nothing(said in any_graph(0..=7), seed in any::<prop::sample::Index>()) {
        let mut other = said.clone();
        other.reverse();
        if !said.is_empty() {
            other.rotate_left(seed.index(said.len()));
            other.push(said[seed.index(said.len())]);
        }
        prop_assert_eq!(to_set(&said, 1..7), to_set(&other, 1..7));
        // The same statements one by one: nodes then have other numbers.
        let whole = graph(&said);
        let mut grown = Graph::default();
        for edge in whole.edges().iter().rev() {
            let same: Vec<(u8, u8)> = whole.edges().iter()
                .filter(|other| (other.from, other.to) == (edge.from, edge.to))
                .map(|other| (other.amount, other.depth)).collect();
            grown.replace(edge.from, edge.to, &same);
        }
        for number in 1..7 {
            let found = |graph: &Graph| graph.index_of(&org(number)).map(|node| full_flow(graph, &Standing::new(graph), node));
            prop_assert_eq!(found(&whole), found(&grown));
        }
    }

    #[test]
    fn more_endorsements_never_lower_anything(said in any_graph(0..=7), more in any_graph(0..=7)) {
        let all: Vec<Said> = said.iter().chain(&more).copied().collect();
        for number in 1..7 {
            prop_assert!(to_one(&said, number).value <= to_one(&all, number).value);
        }
        prop_assert!(to_set(&said, 1..7).value <= to_set(&all, 1..7).value);
        let raised: Vec<Said> = said.iter().map(|(from, to, amount, depth)| (*from, *to, (amount + 9).min(120), (depth + 1).min(7))).collect();
        prop_assert!(to_set(&said, 1..5).value <= to_set(&raised, 1..5).value);
    }

    #[test]
    fn a_flow_is_at_least_one_path_and_at_most_every_cut(said in any_graph(0..=7), group in 0u16..128) {
        for number in 1..7 {
            let found = to_one(&said, number);
            let widest = u32::from(best(&said, number));
            prop_assert!(widest <= found.value && found.value <= 120);
            prop_assert_eq!(widest > 0, found.value > 0);
            prop_assert_eq!(found.paths.iter().map(|path| path.amount).sum::<u32>(), found.value);
            prop_assert_eq!(width(&found.cut), found.value, "{:?}", found.cut);
            let inside = |who: u16| who == number || who > 0 && group & 1 << who > 0;
            prop_assert!(found.value <= entering(&said, inside));
        }
    }

    #[test]
    fn paths_exist_and_never_pass_through_a_last_introduction(said in any_graph(0..=7)) {
        let arcs: BTreeSet<(u16, u16)> = said.iter().map(|(from, to, ..)| (*from, *to)).collect();
        let introduces: BTreeSet<u16> = said.iter().filter(|(.., depth)| *depth > 0).map(|(_, to, ..)| *to).collect();
        let number = |who: &OrgId| (1..7).find(|number| org(*number) == *who).expect("the test is written so");
        for path in to_set(&said, 1..7).paths {
            let way: Vec<u16> = [0].into_iter().chain(path.orgs.iter().map(number)).collect();
            prop_assert!(way.windows(2).all(|step| arcs.contains(&(step[0], step[1]))));
            prop_assert!(way[1..way.len() - 1].iter().all(|who| introduces.contains(who)));
        }
    }

    #[test]
    fn sybils_weigh_what_was_said_of_them(said in any_graph(0..=7), attacks in prop::collection::vec((0u16..7, 7u16..12, 1u8..=120, 0u8..=7), 0..4)) {
        let mut all: Vec<Said> = said.iter().chain(&attacks).copied().collect();
        all.extend((7..12).flat_map(|one| (7..12).map(move |two| (one, two, 120, 7))));
        let outside = entering(&all, |who| who >= 7);
        for sybil in 7..12 {
            prop_assert!(to_one(&all, sybil).value <= outside);
        }
        let confused: BTreeSet<u16> = attacks.iter().map(|(from, ..)| *from).collect();
        let farm = to_set(&all, 7..12).value;
        prop_assert!(farm <= outside);
        if !confused.contains(&0) {
            prop_assert!(farm <= 120 * confused.len() as u32);
        }
        prop_assert!(to_set(&all, 1..12).value <= to_set(&all, 1..7).value + outside);
    }

    // Where depth is no obstacle: a longer way on is relaxed to the nearest of the set, see the head of `gathering`.
    #[test]
    fn a_set_weighs_at_most_what_its_parts_do(said in any_graph(7..=7), one in 0u16..128, two in 0u16..128) {
        let members = |set: u16| (1u16..7).filter(move |who| set & 1 << who > 0);
        let (first, second) = (to_set(&said, members(one)).value, to_set(&said, members(two)).value);
        let both = to_set(&said, members(one | two)).value;
        prop_assert!(first.max(second) <= both && both <= first + second);
    }

    #[test]
    fn a_set_only_grows(said in any_graph(0..=7), one in 0u16..128, two in 0u16..128) {
        let members = |set: u16| (1u16..7).filter(move |who| set & 1 << who > 0);
        prop_assert!(to_set(&said, members(one)).value <= to_set(&said, members(one | two)).value);
    }
}
