//! Those who watch over a world fail when they should: the canary, the invariants, and the rule of one world a process.

use std::{
    future::poll_fn,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::AsyncWriteExt as _;
use libp2p::core::{
    Endpoint,
    muxing::StreamMuxerExt as _,
    transport::{DialOpts, ListenerId, PortUse, Transport as _},
};
use starfish_node::mesh::{KeepError, Keeper};
use starfish_protocol::engine::port::{Change, Command, Found, Query};
use starfish_sim::{
    Damage,
    network::Separation,
    world::{NodePlan, World, speaker::Speech},
};
use starfish_sim_kernel::{Owner, real_time, spawn};

use crate::{
    alone::{alone, child, said, told},
    keeping::{careless, idle},
    speaking::speaker,
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_hour_passes_at_once() {
    alone("watching::an_hour_passes_at_once", || {
        let began = real_time();
        let hour = 3_600 * SECOND;
        World::new(0).run(|world| {
            let start = Instant::now();
            let (told, heard) = std::sync::mpsc::channel();
            starfish_sim_kernel::spawn(starfish_sim_kernel::Owner::WORLD, async move {
                futures_timer::Delay::new(hour).await;
                told.send(Instant::now()).expect("the test listens");
            });
            world.run_for(hour - SECOND);
            assert!(heard.try_recv().is_err(), "not yet");
            world.run_for(2 * SECOND);
            assert_eq!(heard.try_recv().expect("now") - start, hour);
        });
        assert!(real_time() - began < SECOND, "virtual time costs no time");
    });
}

#[test]
fn maps_have_the_seeds_of_the_world() {
    alone("watching::maps_have_the_seeds_of_the_world", || {
        let hash = World::new(0).run(|_| RandomState::new().hash_one("starfish"));
        assert_eq!(
            hash, RECORDED,
            "the seed 0 gives these keys to the third map of its thread"
        );
    });
}

/// Another number means that the canary, the kernel's stream or the standard library's hash has changed.
const RECORDED: u64 = 16_529_397_162_242_844_051;

/// The process of this test must fail and say this.
pub(crate) fn fails(name: &str, words: &[&str], live: impl FnOnce()) {
    if told(name).is_some() {
        return live();
    }
    let output = child(name, "");
    let said = said(&output);
    assert!(!output.status.success(), "{said}");
    for word in words {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
}

#[test]
fn a_second_world_says_why_not() {
    fails(
        "watching::a_second_world_says_why_not",
        &["one world a process"],
        || {
            World::new(1).run(|_| ());
            World::new(1).run(|_| ());
        },
    );
}

#[test]
fn a_record_that_stays_away_is_noticed() {
    let words = ["has not reached node 1", "seed 77", "again with: cargo test far"];
    fails("watching::a_record_that_stays_away_is_noticed", &words, || {
        let lonely = |node: NodePlan| NodePlan {
            dials: Some(Vec::new()),
            ..node
        };
        // What an adversary keeps from itself excuses nobody else.
        let hostile = NodePlan {
            is_honest: false,
            ..NodePlan::new(2)
        };
        let plan = World::new(77)
            .node(lonely(NodePlan::new(0)))
            .node(lonely(NodePlan::new(1)))
            .node(lonely(hostile));
        plan.converge_within(5 * SECOND).command("cargo test far").run(|world| {
            world.block(2, 1, Separation::BlackHole);
            world.run_for(SECOND);
            world.publish(0, "malware", &["a.example"]).expect("it is certified");
            world.run_for(10 * SECOND);
        });
    });
}

#[test]
fn what_a_node_does_not_catch_up_with_is_noticed() {
    let words = ["has not reached node 1 by 42", "seed 85"];
    fails(
        "watching::what_a_node_does_not_catch_up_with_is_noticed",
        &words,
        || {
            let plan = careless(World::new(85).nodes(2));
            plan.converge_within(20 * SECOND).run(|world| {
                world.run_for(10 * SECOND);
                world.crash(1, Damage::None);
                world.publish(0, "malware", &["a.example"]).expect("it is certified");
                world.run_for(11 * SECOND);
                // The time of the record is over before that of the node.
                world.start(1);
                world.run_for(30 * SECOND);
            });
        },
    );
}

/// Gives another body than the one that it was asked for.
struct Forger(Arc<dyn Keeper>);

impl Keeper for Forger {
    fn apply(&self, changes: &[Change]) -> Result<(), KeepError> {
        self.0.apply(changes)
    }

    fn answer(&self, query: &Query) -> Found {
        match self.0.answer(query) {
            Found::Body(Some(_)) => Found::Body(Some(b"another".to_vec())),
            found => found,
        }
    }
}

#[test]
fn an_honest_node_that_is_blamed_is_noticed() {
    let words = ["node 2 holds honest node 1 to have misbehaved", "seed 80"];
    fails("watching::an_honest_node_that_is_blamed_is_noticed", &words, || {
        // Node 1 is pushed the body, and node 2 has to ask it.
        let plan = World::new(80).nodes(3).each(|number, node| {
            node.dials = Some(number.checked_sub(1).into_iter().collect());
            if number == 1 {
                node.keeper = Some(Arc::new(|keeper| Arc::new(Forger(keeper))));
            }
        });
        plan.run(|world| {
            world.run_for(10 * SECOND);
            world.publish(0, "malware", &["a.example"]).expect("it is certified");
            world.run_for(10 * SECOND);
        });
    });
}

#[test]
fn an_honest_node_with_a_bad_score_is_noticed() {
    let words = ["node 1 gives honest node 0 the score -", "seed 90"];
    fails("watching::an_honest_node_with_a_bad_score_is_noticed", &words, || {
        // Honest by its plan alone: gossipsub punishes whoever comes and goes like that, and the rules say nothing of it.
        let honest = NodePlan {
            is_honest: true,
            ..speaker(0, Speech::Graft)
        };
        World::new(90).node(honest).nodes(1).run(|world| {
            world.run_for(120 * SECOND);
        });
    });
}

#[test]
fn a_node_that_ends_by_itself_is_noticed() {
    let words = ["node 0 ended by itself", "nothing fits any more", "seed 81"];
    fails("watching::a_node_that_ends_by_itself_is_noticed", &words, || {
        let full = idle(|| Err(KeepError::Failed("nothing fits any more".to_owned())));
        World::new(81).node(full).nodes(1).run(|world| {
            world.begin(0, Command::Publish(world.draft("malware", &["a.example"])));
            world.run_for(10 * SECOND);
        });
    });
}

#[test]
fn a_node_with_too_many_tasks_is_noticed() {
    let words = ["has 5", " tasks", "seed 82"];
    fails("watching::a_node_with_too_many_tasks_is_noticed", &words, || {
        World::new(82).nodes(1).run(|world| {
            for _ in 0..5_000 {
                spawn(Owner::node(0), std::future::pending());
            }
            world.run_for(2 * SECOND);
        });
    });
}

#[test]
fn bytes_that_nobody_reads_are_noticed() {
    let words = ["bytes are on their way to node 1 or unread there", "seed 83"];
    fails("watching::bytes_that_nobody_reads_are_noticed", &words, || {
        let silent = |number: usize| NodePlan {
            starts: false,
            ..NodePlan::new(number)
        };
        World::new(83).node(silent(0)).node(silent(1)).run(|world| {
            let [mut here, mut there] = [0, 1].map(|node| world.network().transport(node, world.peer(node)));
            let address = world.network().address(1);
            there
                .listen_on(ListenerId::next(), address.clone())
                .expect("nobody listens there");
            let options = DialOpts {
                role: Endpoint::Dialer,
                port_use: PortUse::Reuse,
            };
            let dial = here.dial(address, options).expect("an address of this network");
            spawn(Owner::WORLD, async move {
                let (_, mut muxer) = dial.await.expect("there is a listener");
                // Each takes 256 KiB, and more than 32 MiB are too much.
                for _ in 0..130 {
                    let mut stream = poll_fn(|cx| muxer.poll_outbound_unpin(cx)).await.expect("a stream");
                    spawn(Owner::WORLD, async move {
                        let sent = stream.write_all(&[0; 1 << 20]).await;
                        panic!("somebody read it: {sent:?}");
                    });
                }
                std::future::pending().await
            });
            world.run_for(2 * SECOND);
            drop(there);
        });
    });
}

#[test]
fn a_scenario_that_fails_names_its_seed() {
    let words = ["seed 78", "the scenario's own words"];
    fails("watching::a_scenario_that_fails_names_its_seed", &words, || {
        World::new(78).nodes(3).run(|world| {
            world.run_for(SECOND);
            panic!("the scenario's own words");
        });
    });
}
