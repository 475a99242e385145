//! What a node said is durable is there when it starts again, and at the end; what is lost is noticed.

use std::{sync::Arc, time::Duration};

use starfish_node::{
    mesh::{KeepError, Keeper},
    store::{Batch, Space, Store as _},
};
use starfish_protocol::{
    engine::port::{Change, Found, Query},
    record::RecordId,
    time::Millis,
};
use starfish_sim::{
    Damage,
    world::{NodePlan, Plan, World},
};

use crate::{trusting::bent, watching::fails};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than records made here live, in ms.
const LONG: u64 = 31 * 86_400_000;

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
pub(crate) fn idle(says: fn() -> Result<(), KeepError>) -> NodePlan {
    NodePlan {
        keeper: Some(Arc::new(move |keeper| Arc::new(Idle(keeper, says)))),
        ..NodePlan::new(0)
    }
}

#[test]
fn a_lost_record_is_noticed() {
    let words = ["node 0 acknowledged record", "has lost it", "seed 79"];
    fails("keeping::a_lost_record_is_noticed", &words, || {
        World::new(79).node(idle(|| Ok(()))).nodes(1).run(|world| {
            world.run_for(SECOND);
            world.publish(0, "malware", &["a.example"]).expect("it is certified");
            world.restart(0, Damage::None);
        });
    });
}

/// Node 1 says of bodies that they are durable, and keeps headers only.
pub(crate) fn careless(plan: Plan) -> Plan {
    bent(plan, 1, |_| None, |change| matches!(change, Change::Body { .. }))
}

/// Node 0 of this world publishes two records, of which node 1 says that it has the bodies; then this happens, and it is
/// noticed how a body was lost.
fn loses(name: &str, how: &str, plan: impl Fn() -> Plan, then: fn(&mut World, [RecordId; 2])) {
    let words = ["node 1 acknowledged the body of record", "has lost it", how];
    fails(name, &words, || {
        plan().run(|world| {
            world.run_for(10 * SECOND);
            let records = ["a.example", "b.example"].map(|value| {
                let published = world.publish(0, "malware", &[value]).expect("it is certified");
                world.run_for(5 * SECOND);
                published[0]
            });
            then(world, records);
        });
    });
}

#[test]
fn a_lost_body_is_noticed_at_the_next_start() {
    loses(
        "keeping::a_lost_body_is_noticed_at_the_next_start",
        "Waiting",
        || careless(World::new(84).nodes(2)),
        |world, _| {
            world.restart(1, Damage::None);
            unreachable!("the world has ended");
        },
    );
}

#[test]
fn a_lost_body_is_noticed_at_the_end() {
    loses(
        "keeping::a_lost_body_is_noticed_at_the_end",
        "Waiting",
        || careless(World::new(86).nodes(2)),
        |_, _| {},
    );
}

#[test]
fn a_body_that_cannot_be_read_is_noticed() {
    loses(
        "keeping::a_body_that_cannot_be_read_is_noticed",
        "Present",
        || World::new(87).nodes(2),
        |world, [record, _]| {
            assert!(world.holds(1, &record));
            let ledger = world.ledger(1).expect("it runs");
            let (_, card) = ledger.card_of(&record).expect("memory").expect("it is there");
            let mut batch = Batch::default();
            batch.delete(Space::Bodies, card.body.as_bytes().to_vec());
            ledger.store().write(&batch).expect("memory");
            assert!(!world.holds(1, &record));
        },
    );
}

#[test]
fn a_body_that_expires_before_its_time_is_noticed() {
    let early = |change: &Change| match change {
        Change::Record { received_at, .. } => Some(Change::Expire(Millis(received_at.0 + LONG))),
        _ => None,
    };
    loses(
        "keeping::a_body_that_expires_before_its_time_is_noticed",
        "Expired",
        || bent(World::new(88).nodes(2), 1, early, |_| false),
        |_, _| {},
    );
}

#[test]
fn a_body_that_is_thrown_away_is_noticed() {
    let throws = |change: &Change| match change {
        Change::Record { header, .. } => Some(Change::Drop(RecordId::of(header))),
        _ => None,
    };
    loses(
        "keeping::a_body_that_is_thrown_away_is_noticed",
        "Dropped",
        || bent(World::new(89).nodes(2), 1, throws, |_| false),
        |_, _| {},
    );
}
