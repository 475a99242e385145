//! Those who watch over a world fail when they should: the canary, the invariants, and the rule of one world a process.

use std::{
    future::poll_fn,
    hash::{BuildHasher, RandomState},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use futures::AsyncWriteExt as _;
use libp2p::core::{
    Endpoint,
    muxing::StreamMuxerExt as _,
    transport::{DialOpts, ListenerId, PortUse, Transport as _},
};
use starfish_crypto::{Digest, SecretKey, Signed, Strict};
use starfish_node::mesh::{KeepError, Keeper};
use starfish_protocol::{
    community::Community,
    engine::port::{Change, Command, Found, Query},
    limits,
    observable::Observable,
    record::{Audience, Body, Bundle, Extensions, Header, Kind, Tlp, Topic, seal_body},
    time::Millis,
};
use starfish_sim::{
    Damage,
    network::Separation,
    world::{NodePlan, World},
};
use starfish_sim_kernel::{Owner, real_time, spawn};

use crate::alone::{alone, child, said, told};

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

/// Writes nothing, and says this of it.
struct Idle(Arc<dyn Keeper>, fn() -> Result<(), KeepError>);

impl Keeper for Idle {
    fn apply(&self, _: &[Change]) -> Result<(), KeepError> {
        self.1()
    }

    fn answer(&self, query: &Query) -> Found {
        self.0.answer(query)
    }
}

/// A node that writes nothing.
fn idle(says: fn() -> Result<(), KeepError>) -> NodePlan {
    NodePlan {
        keeper: Some(Arc::new(move |keeper| Arc::new(Idle(keeper, says)))),
        ..NodePlan::new(0)
    }
}

#[test]
fn a_lost_record_is_noticed() {
    let words = ["node 0 acknowledged record", "has lost it", "seed 79"];
    fails("watching::a_lost_record_is_noticed", &words, || {
        World::new(79).node(idle(|| Ok(()))).nodes(1).run(|world| {
            world.run_for(SECOND);
            world.publish(0, "malware", &["a.example"]).expect("it is certified");
            world.restart(0, Damage::None);
        });
    });
}

/// Says of bodies that they are durable, and keeps headers only.
struct Careless(Arc<dyn Keeper>);

impl Keeper for Careless {
    fn apply(&self, changes: &[Change]) -> Result<(), KeepError> {
        let mut kept = changes.split(|change| matches!(change, Change::Body { .. }));
        kept.try_for_each(|kept| self.0.apply(kept))
    }

    fn answer(&self, query: &Query) -> Found {
        self.0.answer(query)
    }
}

#[test]
fn a_lost_body_is_noticed() {
    let words = ["node 1 acknowledged the body of record", "has lost it", "seed 84"];
    fails("watching::a_lost_body_is_noticed", &words, || {
        let careless = NodePlan {
            keeper: Some(Arc::new(|keeper| Arc::new(Careless(keeper)))),
            ..NodePlan::new(1)
        };
        World::new(84).nodes(1).node(careless).run(|world| {
            world.run_for(10 * SECOND);
            world.publish(0, "malware", &["a.example"]).expect("it is certified");
            world.run_for(10 * SECOND);
            world.restart(1, Damage::None);
        });
    });
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

/// A record of somebody of whom nobody has heard, with as large a body as it may have: so it says.
fn strange(number: u64) -> Change {
    let key = SecretKey::from_seed(*Digest::of("stranger", &number.to_be_bytes()).as_bytes());
    let name = Observable::parse("a.example").expect("a name");
    let bundle = Bundle::new(80, String::new(), vec![name]).expect("a bundle");
    let sealed = seal_body(Body::Indicators(bundle));
    let header = Header {
        version: Header::VERSION,
        community: Community::named("simulation"),
        author: key.public(),
        audience: Audience::Clear,
        tlp: Tlp::Clear,
        kind: Kind::INDICATORS,
        epoch: Millis(1),
        seq: 0,
        prev: Digest::ZERO,
        created_at: Millis(1),
        expires_at: Millis(1 << 42),
        body_digest: sealed.digest,
        compressed_len: limits::BODY_BYTES as u32,
        raw_len: sealed.raw_len,
        items: sealed.items,
        topic: Topic::parse("malware").expect("a topic"),
        extensions: Extensions {
            scope: sealed.scope,
            ..Extensions::default()
        },
    };
    let signed = Signed::sign::<Header>(header.encode(), &key);
    Change::Record {
        header: signed.verify::<Header>(&Strict).expect("what was just signed"),
        org: None,
        body: Some((sealed.compressed, sealed.body)),
        received_at: Millis(1),
        own: false,
    }
}

#[test]
fn a_quarantine_beyond_its_bound_is_noticed() {
    let words = ["node 0 holds", "bytes in quarantine", "seed 85"];
    fails("watching::a_quarantine_beyond_its_bound_is_noticed", &words, || {
        let store: Arc<OnceLock<Arc<dyn Keeper>>> = Arc::default();
        let shown = Arc::clone(&store);
        let open = NodePlan {
            keeper: Some(Arc::new(move |keeper| Arc::clone(shown.get_or_init(|| keeper)))),
            ..NodePlan::new(0)
        };
        World::new(85).node(open).nodes(1).run(|world| {
            // Right before a second is full: some ten milliseconds later enough of it is thrown out.
            world.run_for(SECOND - Duration::from_millis(1));
            let store = store.get().expect("the node has started");
            let records: Vec<Change> = (0..1_000).map(strange).collect();
            store.apply(&records).expect("memory does not fail");
            world.run_for(SECOND);
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
