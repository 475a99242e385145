//! What is no node and speaks in the place of one: what the nodes around it do.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use starfish_node::mesh::Event;
use starfish_protocol::engine::port::{self, Change};
use starfish_sim::{
    Damage,
    network::kinds::GOSSIP,
    world::{
        NodePlan, Plan, World,
        chronicle::What,
        speaker::{Speaker, Speech},
    },
};

use crate::{
    alone::alone,
    trusting::{Bent, believes, chain, published},
    watching::fails,
};

const SECOND: Duration = Duration::from_secs(1);
/// When speakers begin, in all of these worlds.
const FROM: Duration = Duration::from_secs(10);

/// Something that says this every second, from the tenth on.
pub(crate) fn speaker(number: usize, speech: Speech) -> NodePlan {
    NodePlan {
        is_honest: false,
        // The others are guests.
        is_certified: matches!(speech, Speech::Equivocate | Speech::Pry),
        dials: Some(Vec::new()),
        speaker: Some(Speaker {
            speech,
            from: FROM,
            every: SECOND,
        }),
        ..NodePlan::new(number)
    }
}

/// Eight nodes, whom number 8 dials.
fn eight(seed: u64, speech: Speech) -> Plan {
    World::new(seed).nodes(8).node(NodePlan {
        dials: Some((0..8).collect()),
        ..speaker(8, speech)
    })
}

/// Bytes of gossip that a node was sent.
fn told(world: &World, node: usize) -> u64 {
    let traffic = world.network().traffic();
    traffic.received(node).get(GOSSIP).map_or(0, |count| count.bytes)
}

/// The scores that the nodes before it give a node.
fn scores(world: &mut World, of: usize) -> Vec<f64> {
    let peer = world.peer(of);
    let views = (0..of).flat_map(|node| world.connections(node));
    views.filter(|view| view.peer == peer).map(|view| view.score).collect()
}

/// What an honest node says is everywhere soon.
fn news_arrive(world: &mut World, nodes: usize) {
    let record = world.publish(0, "malware", &["news.example"]).expect("it is certified")[0];
    assert!(world.wait_for(5 * SECOND, |world| world.holders(&record) == nodes));
}

#[test]
fn who_announces_what_nobody_wrote_is_soon_asked_no_more() {
    alone(
        "speaking::who_announces_what_nobody_wrote_is_soon_asked_no_more",
        || {
            eight(41, Speech::Announce).run(|world| {
                world.run_for(40 * SECOND);
                let early = told(world, 8);
                world.run_for(60 * SECOND);
                let late = told(world, 8) - early;
                // Each message id that is asked for is 34 bytes.
                assert!(early > 8 * 450 * 34 && late < early / 10, "{early} {late}");
                let scores = scores(world, 8);
                assert!(
                    scores.len() == 8 && scores.iter().all(|score| *score < -20.0),
                    "{scores:?}"
                );
                news_arrive(world, 8);
            });
        },
    );
}

#[test]
fn who_grafts_without_end_is_in_nobody_s_mesh() {
    alone("speaking::who_grafts_without_end_is_in_nobody_s_mesh", || {
        eight(42, Speech::Graft).run(|world| {
            world.run_for(40 * SECOND);
            let scores = scores(world, 8);
            // Below this nothing that it says is looked at, and it is told nothing.
            assert!(
                scores.len() == 8 && scores.iter().all(|score| *score < -80.0),
                "{scores:?}"
            );
            let before = told(world, 8);
            news_arrive(world, 8);
            assert_eq!(told(world, 8), before);
        });
    });
}

#[test]
fn what_is_said_again_changes_nothing_and_is_not_passed_on() {
    alone(
        "speaking::what_is_said_again_changes_nothing_and_is_not_passed_on",
        || {
            let parrot = NodePlan {
                dials: Some((0..4).collect()),
                ..speaker(4, Speech::Repeat)
            };
            let plan = chain(43).node(parrot).each(|_, node| {
                // What was heard is forgotten sooner than it is said again.
                node.settings.gossip.duplicate_cache = 5_000;
            });
            plan.run(|world| {
                let record = published(world);
                world.withdraw(1, 2);
                world.run_for(10 * SECOND);
                assert!(!believes(world, 3, &record));
                let counts = |world: &World| -> Vec<(u64, u64)> {
                    let ledgers = (0..4).map(|node| world.ledger(node).expect("it runs").counts());
                    ledgers.map(|counts| (counts.records, counts.serial)).collect()
                };
                let (before, heard, sent) = (counts(world), gossiped(world, 0..4), gossiped(world, 4..5));
                world.run_for(120 * SECOND);
                let (heard, sent) = (gossiped(world, 0..4) - heard, gossiped(world, 4..5) - sent);
                assert_eq!(counts(world), before);
                assert!(!believes(world, 3, &record), "the endorsement of old was among it");
                assert!(sent > 100_000 && heard < sent / 10, "{sent} {heard}");
                let scores = scores(world, 4);
                assert!(
                    scores.len() == 4 && scores.iter().all(|score| *score >= 0.0),
                    "{scores:?}"
                );
            });
        },
    );
}

/// Bytes of gossip that these nodes sent.
fn gossiped(world: &World, nodes: std::ops::Range<usize>) -> u64 {
    let traffic = world.network().traffic();
    let of = |node| traffic.sent(node).get(GOSSIP).map_or(0, |count| count.bytes);
    nodes.map(of).sum()
}

#[test]
fn two_histories_freeze_their_author_and_nobody_else() {
    alone("speaking::two_histories_freeze_their_author_and_nobody_else", || {
        let proven: Arc<Mutex<BTreeSet<usize>>> = Arc::default();
        let heard = Arc::clone(&proven);
        let plan = eight(44, Speech::Equivocate).listen(Box::new(move |happening| {
            if let (Some(node), What::Mesh(Event::Engine(port::Event::ForkProven(_)))) =
                (happening.node, &happening.what)
            {
                heard.lock().unwrap_or_else(PoisonError::into_inner).insert(node);
            }
        }));
        plan.run(|world| {
            world.run_for(30 * SECOND);
            let proven = proven.lock().unwrap_or_else(PoisonError::into_inner).clone();
            assert_eq!(proven, (0..8).collect());
            let records = |world: &World| -> Vec<u64> {
                let ledgers = (0..8).map(|node| world.ledger(node).expect("it runs").counts());
                ledgers.map(|counts| counts.records).collect()
            };
            let held = records(world);
            // The first one was the same for all; the second one was not.
            assert!(held.iter().all(|records| (1..=3).contains(records)), "{held:?}");
            world.run_for(30 * SECOND);
            assert_eq!(records(world), held);
            news_arrive(world, 8);
        });
    });
}

#[test]
fn a_node_that_forgets_a_fork_is_noticed() {
    let words = ["node 0 has taken record", "its author wrote two histories", "seed 45"];
    fails("speaking::a_node_that_forgets_a_fork_is_noticed", &words, || {
        let without = |change: &Change| match change {
            Change::Fork(_) => true,
            Change::Statement(statement) => statement.accuses().is_some(),
            _ => false,
        };
        let forgetful = NodePlan {
            dials: Some(vec![1]),
            keeper: Some(Arc::new(move |inner| {
                let before = |_: &Change| None;
                Arc::new(Bent { inner, before, without })
            })),
            ..NodePlan::new(0)
        };
        let plan = World::new(45).node(forgetful).node(speaker(1, Speech::Equivocate));
        plan.run(|world| {
            // It hears one history, then the other, and then more of the first.
            for _ in 0..3 {
                world.run_for(20 * SECOND);
                world.restart(0, Damage::None);
            }
        });
    });
}

#[test]
fn an_honest_node_that_is_taken_for_two_faced_is_noticed() {
    let words = ["holds honest node 8 to have written two histories", "seed 46"];
    fails(
        "speaking::an_honest_node_that_is_taken_for_two_faced_is_noticed",
        &words,
        || {
            let plan = eight(46, Speech::Equivocate);
            plan.each(|_, node| node.is_honest = true).run(|world| {
                world.run_for(60 * SECOND);
            });
        },
    );
}
