//! What is TLP:GREEN reaches those who are confided in and nobody else, whatever they ask and whatever happens meanwhile.

mod doors;

use proptest::prelude::*;

use crate::{
    engine::port::{Command, Outcome, Refusal},
    exercise::{
        World,
        identity::{addresses, names},
    },
    organisation::OrgId,
    record::{Audience, RecordId, SealedBody, Tlp},
    trust::Root,
};

/// The operator of a node says whether another node's organisation may be told.
fn confide(world: &mut World, node: usize, other: usize, may: bool) {
    let org = world.nodes[other].identity.org;
    world.command(node, Command::SetRoot(root(org, may)));
}

/// Believed either way.
fn root(org: OrgId, may: bool) -> Root {
    Root {
        receive_green: may,
        ..Root::paired(org)
    }
}

fn each_other(world: &mut World, one: usize, two: usize) {
    confide(world, one, two, true);
    confide(world, two, one, true);
}

fn green(world: &World, node: usize) -> Vec<RecordId> {
    let records = world.nodes[node].store.records.iter();
    let green = records.filter(|(_, stored)| stored.header.audience == Audience::Green);
    green.map(|(id, _)| *id).collect()
}

/// How many of them are here with their bodies.
fn whole(world: &World, node: usize) -> usize {
    let records = world.nodes[node].store.records.values();
    let whole = records.filter(|stored| stored.header.audience == Audience::Green && stored.body.is_some());
    whole.count()
}

/// Three connected nodes.
fn triangle(seed: u64) -> World {
    let mut world = World::new(seed, 3);
    [(0, 1), (1, 2), (0, 2)]
        .into_iter()
        .for_each(|(one, two)| world.link(one, two));
    world.run(500);
    world
}

/// A small body that rides along, or a larger one that is pushed and pulled.
fn body(number: u32) -> SealedBody {
    if number.is_multiple_of(2) {
        addresses(number, 3)
    } else {
        names(number, 200)
    }
}

#[test]
fn it_goes_to_those_who_are_confided_in() {
    // Whether the first node is confided in as well: a right is one-way.
    for mutual in [true, false] {
        let mut world = triangle(1);
        confide(&mut world, 0, 1, true);
        confide(&mut world, 1, 0, mutual);
        world.run(1_000);
        let ticket = world.publish_for(0, Tlp::Green, vec![body(1), body(2)]);
        assert!(world.run_until(2_000, |world| whole(world, 1) == 2), "mutual: {mutual}");
        let record = world.published(0, ticket)[0];
        let withdrawal = Command::Withdraw {
            record,
            observables: Vec::new(),
            reason: "a mistake".to_owned(),
        };
        world.command(0, withdrawal);
        assert!(
            world.run_until(2_000, |world| green(world, 1).len() == 3),
            "what is said of it is GREEN too"
        );
        world.run(120_000);
        assert_eq!(green(&world, 2), []);
        assert!(
            world.nodes[2].store.records.is_empty(),
            "nothing shows through a CLEAR record"
        );
        world.check_honest();
    }
}

#[test]
fn who_was_away_catches_up_on_it() {
    let mut world = World::new(2, 3);
    each_other(&mut world, 0, 1);
    each_other(&mut world, 1, 2);
    world.publish_for(0, Tlp::Green, (0..30).map(body).collect());
    world.publish(0, vec![body(40)]);
    world.run(500);
    world.link(0, 1);
    assert!(world.run_until(20_000, |world| whole(world, 1) == 30));
    // The third node is confided in by the second, which hands on what it was told.
    world.link(1, 2);
    assert!(world.run_until(20_000, |world| whole(world, 2) == 30));
    assert!(world.agrees());
    world.check_honest();
}

#[test]
fn a_right_that_is_gained_brings_what_was_missed_and_one_that_is_lost_nothing_more() {
    let mut world = triangle(3);
    world.publish_for(0, Tlp::Green, vec![body(1)]);
    world.run(60_000);
    assert_eq!(green(&world, 1), []);
    each_other(&mut world, 0, 1);
    assert!(world.run_until(70_000, |world| whole(world, 1) == 1));
    confide(&mut world, 0, 1, false);
    assert!(!world.linked(0, 1), "the connection ends at once");
    world.publish_for(0, Tlp::Green, vec![body(2), body(3)]);
    world.run(120_000);
    assert!(world.linked(0, 1));
    assert_eq!((green(&world, 1).len(), green(&world, 2).len()), (1, 0));
    world.check_honest();
}

#[test]
fn what_would_have_to_be_sealed_is_refused() {
    let mut world = World::new(4, 1);
    for tlp in [Tlp::Amber, Tlp::AmberStrict, Tlp::Red, Tlp::Other(9)] {
        let ticket = world.publish_for(0, tlp, vec![body(1)]);
        world.run(100);
        let refused = Some(&Outcome::Refused(Refusal::Tlp));
        assert_eq!(world.nodes[0].done.get(&ticket), refused, "{tlp:?}");
    }
    assert!(world.nodes[0].store.records.is_empty());
}

#[test]
fn a_restored_node_opens_a_new_epoch_of_each_log() {
    let mut world = triangle(5);
    each_other(&mut world, 0, 1);
    world.publish_for(0, Tlp::Green, vec![body(1)]);
    world.publish(0, vec![body(2)]);
    world.run(2_000);
    let backup = world.nodes[0].store.clone();
    world.publish_for(0, Tlp::Green, vec![body(3)]);
    world.publish(0, vec![body(4)]);
    assert!(world.run_until(2_000, |world| whole(world, 1) == 2));
    world.crash(0);
    world.nodes[0].store = backup;
    world.nodes[0].safe_mode = true;
    world.start(0);
    world.link(0, 1);
    world.link(0, 2);
    // Its own records come back to it from whoever holds them, also to one that is not confided in.
    confide(&mut world, 1, 0, false);
    world.publish_for(0, Tlp::Green, vec![body(5)]);
    world.publish(0, vec![body(6)]);
    assert!(world.run_until(120_000, |world| whole(world, 1) == 3));
    assert!(world.run_until(120_000, |world| green(world, 0).len() == 3));
    assert_eq!(green(&world, 2), []);
    assert!(world.nodes.iter().all(|node| node.store.frozen.is_empty()));
    world.check_honest();
}

proptest! {
    #![proptest_config(crate::exercise::cases(10))]

    /// Three nodes confide in each other now and then; in the fourth one nobody ever does, and it is connected to all.
    #[test]
    fn it_never_reaches_whoever_has_no_right(
        seed in any::<u64>(),
        steps in prop::collection::vec((0..3_usize, 1..4_usize, 0..7_u8, 0..500_u64), 1..24),
    ) {
        let mut world = World::new(seed, 4);
        let connect = |world: &mut World| (0..4).for_each(|one| (0..one).for_each(|two| world.link(one, two)));
        connect(&mut world);
        for (number, (node, further, what, pause)) in steps.into_iter().enumerate() {
            let other = (node + further) % 4;
            let sealed = vec![body(number as u32)];
            match what {
                0 => { world.publish(node, sealed); }
                1 | 2 => { world.publish_for(node, Tlp::Green, sealed); }
                3 if other < 3 => confide(&mut world, node, other, true),
                4 => confide(&mut world, node, other, false),
                5 => world.unlink(node, other),
                6 => world.start(node),
                _ => connect(&mut world),
            }
            world.run(pause);
            prop_assert_eq!(green(&world, 3), []);
        }
        [(0, 1), (1, 2), (0, 2)].into_iter().for_each(|(one, two)| each_other(&mut world, one, two));
        connect(&mut world);
        let agree = |world: &World| {
            let first = green(world, 0);
            (1..3).all(|node| green(world, node) == first) && (0..3).all(|node| whole(world, node) == first.len())
        };
        prop_assert!(world.run_until(400_000, agree));
        prop_assert_eq!(green(&world, 3), []);
        world.check_honest();
    }
}
