//! Plain gossipsub beside the nodes: what happens to a node happens to its twin.

use std::{
    collections::BTreeSet,
    sync::{Arc, mpsc},
    time::Duration,
};

use starfish_sim::{
    Damage,
    network::Traffic,
    world::{
        Plan, World,
        chronicle::{Happening, What},
    },
};

use crate::alone::alone;

const SECOND: Duration = Duration::from_secs(1);

/// A world of so many nodes with twins, and the nodes whose twins were pushed something.
fn compared(seed: u64, nodes: usize) -> (Plan, mpsc::Receiver<usize>) {
    let (told, heard) = mpsc::channel();
    let listener = move |happening: &Happening| {
        if let (What::Pushed(_), Some(node)) = (&happening.what, happening.node) {
            // The receiver lives as long as the world.
            let _ = told.send(node);
        }
    };
    let plan = World::new(seed).nodes(nodes).compare_with_pushing(true);
    (plan.listen(Box::new(listener)), heard)
}

fn reached(heard: &mpsc::Receiver<usize>) -> BTreeSet<usize> {
    heard.try_iter().collect()
}

#[test]
fn a_body_reaches_every_other_twin() {
    alone("pushing::a_body_reaches_every_other_twin", || {
        let (plan, heard) = compared(20, 12);
        plan.run(move |world| {
            world.run_for(10 * SECOND);
            let bytes = |traffic: Traffic| traffic.total().values().map(|count| count.bytes).sum::<u64>();
            let of_nodes = |world: &World| bytes(world.network().traffic());
            let of_twins = |world: &World| bytes(world.pushed().expect("nodes have twins"));
            let before = (of_nodes(world), of_twins(world));
            world.push(3, vec![7; 200_000]);
            world.run_for(2 * SECOND);
            let others = (0..12).filter(|node| *node != 3);
            assert_eq!(reached(&heard), others.collect());
            let (nodes, twins) = (of_nodes(world) - before.0, of_twins(world) - before.1);
            assert!(twins > 11 * 200_000, "{twins}");
            assert!(nodes < 200_000, "a network of their own: {nodes}");
        });
    });
}

#[test]
fn faults_are_the_twins_too() {
    alone("pushing::faults_are_the_twins_too", || {
        let (plan, heard) = compared(21, 8);
        plan.run(move |world| {
            world.run_for(10 * SECOND);
            world.cut(&[vec![0, 1]]);
            world.crash(7, Damage::None);
            world.push(0, vec![1; 1_000]);
            world.push(7, vec![2; 1_000]);
            world.run_for(10 * SECOND);
            assert!(
                reached(&heard).is_subset(&[1].into()),
                "nothing crosses the cut, and nobody pushes who is down"
            );
            world.heal();
            world.start(7);
            // A dial into the cut gives up after 20 seconds.
            world.run_for(60 * SECOND);
            world.push(0, vec![3; 1_000]);
            world.run_for(5 * SECOND);
            assert_eq!(reached(&heard), (1..8).collect());
        });
    });
}

#[test]
fn who_gives_nothing_away_passes_nothing_on() {
    alone("pushing::who_gives_nothing_away_passes_nothing_on", || {
        let (plan, heard) = compared(22, 3);
        let chain = plan.each(|number, node| {
            node.dials = Some(number.checked_sub(1).into_iter().collect());
            if number == 1 {
                node.keeper = Some(Arc::new(|keeper| keeper));
            }
        });
        chain.run(move |world| {
            world.run_for(10 * SECOND);
            world.push(0, vec![1; 1_000]);
            world.run_for(5 * SECOND);
            assert_eq!(reached(&heard), [1].into());
            world.push(1, vec![2; 1_000]);
            world.run_for(5 * SECOND);
            assert_eq!(reached(&heard), [0, 2].into());
        });
    });
}
