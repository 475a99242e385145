//! Nodes crash at any moment, and come back with what their disks kept.

use std::{sync::mpsc, time::Duration};

use starfish_node::mesh::Event;
use starfish_protocol::{engine::port::Command, record::RecordId};
use starfish_sim::{
    Damage,
    world::{
        World,
        chronicle::{Happening, What},
    },
};

use crate::alone::alone;

const SECOND: Duration = Duration::from_secs(1);

fn publish_some(world: &mut World, author: usize, count: usize) -> Vec<RecordId> {
    let name = |number: usize| format!("host{number}.from{author}.example");
    (0..count)
        .map(|number| {
            world
                .publish(author, "malware", &[name(number)])
                .expect("it is certified")[0]
        })
        .collect()
}

/// A node crashes with this damage, comes back, and has everything again; its own, and what it missed.
fn comes_back(name: &str, seed: u64, damage: Damage) {
    alone(name, || {
        World::new(seed).nodes(10).converge_within(180 * SECOND).run(|world| {
            world.run_for(10 * SECOND);
            let mut records = publish_some(world, 0, 5);
            records.extend(publish_some(world, 1, 5));
            assert!(world.wait_for(10 * SECOND, |world| {
                records.iter().all(|record| world.holders(record) == 10)
            }));
            world.crash(0, damage);
            records.extend(publish_some(world, 1, 5));
            world.run_for(30 * SECOND);
            world.start(0);
            let whole = |world: &World| records.iter().all(|record| world.holds(0, record));
            let missing = |world: &World| records.iter().filter(|record| !world.holds(0, record)).count();
            assert!(world.wait_for(180 * SECOND, whole), "{} are missing", missing(world));
            // It goes on with its log, and everybody takes it.
            world.run_for(60 * SECOND);
            let record = world
                .publish(0, "malware", &["after.example"])
                .expect("it is certified")[0];
            assert!(
                world.wait_for(60 * SECOND, |world| world.holders(&record) == 10),
                "{}",
                world.holders(&record)
            );
        });
    });
}

#[test]
fn without_damage() {
    comes_back("crashes::without_damage", 10, Damage::None);
}

#[test]
fn with_a_torn_tail() {
    comes_back("crashes::with_a_torn_tail", 11, Damage::TornTail(4));
}

#[test]
fn without_its_store() {
    comes_back("crashes::without_its_store", 12, Damage::StoreLost);
}

#[test]
fn without_anything_but_its_keys() {
    comes_back("crashes::without_anything_but_its_keys", 14, Damage::AllLost);
}

#[test]
fn at_any_moment_of_a_burst() {
    alone("crashes::at_any_moment_of_a_burst", || {
        World::new(13).nodes(6).converge_within(180 * SECOND).run(|world| {
            world.run_for(10 * SECOND);
            for round in 0..20_u64 {
                for number in 0..5 {
                    let draft = world.draft("malware", &[format!("host{number}.round{round}.example")]);
                    world.begin(0, Command::Publish(draft));
                }
                // The flush of a disk is 2 ms: some are durable, some are not.
                world.run_for(Duration::from_micros(700 * round));
                world.restart(0, Damage::None);
                world.run_for(2 * SECOND);
            }
            world.run_for(240 * SECOND);
        });
    });
}

/// Who of the others has a connection to the first node.
fn connected(world: &mut World) -> Vec<usize> {
    let (peer, others) = (world.peer(0), 1..world.len());
    let has_it = |node: &usize| world.connections(*node).iter().any(|view| view.peer == peer);
    others.filter(has_it).collect()
}

/// A world of four whose first node has crashed, and when others failed to dial since.
fn without_power(seed: u64, live: impl FnOnce(&mut World, &mpsc::Receiver<u64>) + Send) {
    let (told, failed) = mpsc::channel();
    let listener = move |happening: &Happening| {
        if let What::Mesh(Event::DialFailed { .. }) = happening.what {
            // The receiver lives as long as the world.
            let _ = told.send(happening.at);
        }
    };
    World::new(seed).nodes(4).listen(Box::new(listener)).run(move |world| {
        world.run_for(60 * SECOND);
        assert_eq!(connected(world), [1, 2, 3]);
        failed.try_iter().for_each(drop);
        world.crash(0, Damage::None);
        live(world, &failed);
    });
}

#[test]
fn nobody_is_told_of_a_power_cut() {
    alone("crashes::nobody_is_told_of_a_power_cut", || {
        without_power(15, |world, failed| {
            // Every 15 seconds they look whether it answers, and give it two times as many.
            world.run_for(29 * SECOND);
            assert_eq!(connected(world), [1, 2, 3]);
            world.run_for(17 * SECOND);
            assert!(connected(world).is_empty());
            let dialled = world.now();
            assert_eq!(failed.try_iter().count(), 0, "nobody refuses a dial");
            world.run_for(60 * SECOND);
            let first = failed.try_iter().next().expect("their patience has ended");
            assert!(Duration::from_nanos(first) > dialled, "{first}");
            world.start(0);
            world.run_for(60 * SECOND);
            assert_eq!(connected(world), [1, 2, 3]);
        });
    });
}

#[test]
fn who_is_back_soon_knows_nothing_of_old_connections() {
    alone("crashes::who_is_back_soon_knows_nothing_of_old_connections", || {
        without_power(16, |world, _| {
            world.run_for(2 * SECOND);
            assert_eq!(
                (connected(world), world.network().connected().len()),
                (vec![1, 2, 3], 3)
            );
            world.start(0);
            world.run_for(20 * SECOND);
            assert_eq!(connected(world), [1, 2, 3]);
            let lines = world.network().connected();
            assert_eq!(
                lines.iter().filter(|(one, other)| one * other == 0).count(),
                3,
                "{lines:?}"
            );
        });
    });
}
