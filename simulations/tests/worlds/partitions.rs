//! The network breaks, openly or silently, and heals.

use std::time::Duration;

use starfish_sim::{network::Separation, world::World};

use crate::alone::alone;

const SECOND: Duration = Duration::from_secs(1);

/// Publishes on both sides of a partition and waits until everybody has everything again.
fn both_sides_converge(world: &mut World, separate: impl FnOnce(&mut World, &[Vec<usize>])) {
    let nodes = world.len();
    world.run_for(10 * SECOND);
    let before = world
        .publish(0, "malware", &["before.example"])
        .expect("it is certified")[0];
    assert!(world.wait_for(5 * SECOND, |world| world.holders(&before) == nodes));
    let half: Vec<usize> = (0..nodes / 2).collect();
    separate(world, &[half]);
    let here = world.publish(0, "malware", &["here.example"]).expect("it is certified")[0];
    let there = world
        .publish(nodes - 1, "malware", &["there.example"])
        .expect("it is certified")[0];
    world.run_for(60 * SECOND);
    for record in [here, there] {
        assert_eq!(world.holders(&record), nodes / 2, "each side has its own");
    }
    assert!(!world.holds(nodes - 1, &here) && !world.holds(0, &there));
    world.heal();
    let everybody = |world: &World| [here, there].iter().all(|record| world.holders(record) == nodes);
    assert!(
        world.wait_for(120 * SECOND, everybody),
        "{:?}",
        [here, there].map(|record| world.holders(&record))
    );
}

#[test]
fn a_cut_heals() {
    alone("partitions::a_cut_heals", || {
        World::new(5).nodes(20).converge_within(120 * SECOND).run(|world| {
            both_sides_converge(world, |world, groups| world.cut(groups));
        });
    });
}

#[test]
fn a_black_hole_heals() {
    alone("partitions::a_black_hole_heals", || {
        World::new(6).nodes(20).converge_within(120 * SECOND).run(|world| {
            both_sides_converge(world, |world, groups| world.black_hole(groups));
        });
    });
}

#[test]
fn a_short_black_hole_breaks_nothing() {
    alone("partitions::a_short_black_hole_breaks_nothing", || {
        World::new(7).nodes(6).run(|world| {
            world.run_for(10 * SECOND);
            let connected = world.network().connected();
            world.black_hole(&[vec![0, 1, 2]]);
            let record = world.publish(0, "malware", &["a.example"]).expect("it is certified")[0];
            world.run_for(5 * SECOND);
            assert_eq!(world.holders(&record), 3);
            world.heal();
            // What was held arrives after one latency, not after the next exchange.
            assert!(world.wait_for(2 * SECOND, |world| world.holders(&record) == 6));
            assert_eq!(world.network().connected(), connected, "nobody noticed");
        });
    });
}

#[test]
fn one_link_can_be_blocked() {
    alone("partitions::one_link_can_be_blocked", || {
        let plan = World::new(8).nodes(3).each(|number, node| {
            // A ring of three: what one link does not carry goes around.
            node.dials = Some(vec![(number + 1) % 3]);
        });
        plan.run(|world| {
            world.run_for(10 * SECOND);
            world.block(0, 1, Separation::Cut);
            let record = world.publish(0, "malware", &["a.example"]).expect("it is certified")[0];
            assert!(world.wait_for(5 * SECOND, |world| world.holders(&record) == 3));
            let connected = world.network().connected();
            assert!(
                !connected.contains(&(0, 1)) && !connected.contains(&(1, 0)),
                "{connected:?}"
            );
            world.heal();
            assert!(world.wait_for(60 * SECOND, |world| world.network().connected().contains(&(0, 1))));
        });
    });
}
