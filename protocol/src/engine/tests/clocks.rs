//! A node whose clock may be wrong deletes nothing, and says so.

use crate::{
    engine::port::Event,
    exercise::{
        World,
        identity::{BEGIN, addresses},
    },
    limits,
    time::Millis,
};

const HOUR: i64 = 3_600_000;

fn said(world: &World, node: usize) -> Option<i64> {
    world.nodes[node].events.iter().rev().find_map(|event| match event {
        Event::ClockDisagrees(by) => Some(*by),
        _ => None,
    })
}

#[test]
fn expired_records_leave() {
    let mut world = World::new(1, 1);
    let ticket = world.publish(0, vec![addresses(1, 2)]);
    world.run(1_000);
    world.published(0, ticket);
    assert_eq!(world.nodes[0].store.shown().len(), 2);
    world.run(864_000_000 + limits::EXPIRE_EVERY.0);
    assert!(world.nodes[0].store.shown().is_empty());
    assert_eq!(said(&world, 0), None);
}

#[test]
fn a_clock_that_jumps_deletes_nothing() {
    let check = |skew: i64| {
        let mut world = World::new(2, 1);
        world.run(100_000);
        let before = world.nodes[0].store.expired;
        assert!(before > BEGIN);
        world.nodes[0].skew = skew;
        world.run(300_000);
        assert_eq!(world.nodes[0].store.expired, before);
        assert!(said(&world, 0).is_some_and(|by| by.abs_diff(skew) < 1_000));
        // The time that it was sure of is kept, and holds after a restart with a clock that is behind.
        let kept = world.nodes[0].store.highest_wall();
        assert!(kept > BEGIN && kept <= before);
        world.nodes[0].skew = skew.min(-skew);
        world.start(0);
        world.run(100_000);
        assert_eq!(world.nodes[0].store.expired, before);
        assert!(said(&world, 0).is_some_and(|by| by < 0));
    };
    check(100 * 24 * HOUR);
    check(-2 * HOUR);
}

#[test]
fn three_peers_that_agree_outweigh_one_clock() {
    let check = |peers: usize, skew: i64, stops: bool, says: bool| {
        let mut world = World::new(3, peers + 1);
        world.nodes[0].skew = skew;
        world.start(0);
        (1..=peers).for_each(|peer| world.link(0, peer));
        world.run(200_000);
        assert_eq!(
            world.nodes[0].store.expired == Millis(0),
            stops,
            "{peers} peers, {skew} ms"
        );
        assert_eq!(said(&world, 0).is_some(), says, "{peers} peers, {skew} ms");
        // Those who see one clock behind theirs are of the same mind about it.
        let others = world.nodes.iter().skip(1).all(|node| node.store.expired > BEGIN);
        assert!(others || skew < 0);
    };
    check(3, HOUR, true, true);
    check(4, -HOUR, true, true);
    check(3, 60_000, false, false);
    // Fewer are no majority: that this clock is ahead is believed of any of them, because what is deleted is gone.
    check(2, HOUR, true, true);
    check(1, HOUR, true, true);
    check(2, -HOUR, false, true);
}
