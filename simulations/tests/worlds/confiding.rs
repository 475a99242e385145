//! TLP:GREEN: at whom it arrives, and that it is noticed when it arrives at anybody else.

use std::time::Duration;

use starfish_protocol::{
    engine::port::{Command, Draft, Found, Outcome, Query},
    record::{RecordId, Tlp},
};
use starfish_sim::world::{NodePlan, Plan, Vouch, World, speaker::Speech};

use crate::{alone::alone, speaking::speaker, watching::fails};

const SECOND: Duration = Duration::from_secs(1);

/// Who is believed by this node, and who of them may be told.
fn knows(number: usize, told: &[usize], others: &[usize]) -> NodePlan {
    let entry = |organisation: &usize, receive_green: bool| Vouch {
        receive_green,
        ..Vouch::full(*organisation)
    };
    let told = told.iter().map(|other| entry(other, true));
    NodePlan {
        roots: Some(Vec::new()),
        entries: told.chain(others.iter().map(|other| entry(other, false))).collect(),
        dials: Some((0..number).collect()),
        ..NodePlan::new(number)
    }
}

/// Node 0 confides in 1 alone; whom 1 confides in besides is its own decision.
fn insider(seed: u64, is_honest: bool, told: &[usize], outsider: NodePlan) -> Plan {
    let others: &[usize] = if told.contains(&2) { &[] } else { &[2] };
    let insider = NodePlan {
        is_honest,
        ..knows(1, told, others)
    };
    World::new(seed)
        .node(knows(0, &[1], &[2]))
        .node(insider)
        .node(NodePlan {
            dials: Some(vec![0, 1]),
            ..outsider
        })
}

/// Publishes what only some may be told, and lets everybody know its name.
fn confide(world: &mut World, node: usize) -> RecordId {
    world.run_for(20 * SECOND);
    let draft = Draft {
        tlp: Tlp::Green,
        ..world.draft("malware", &["secret.example"])
    };
    let Outcome::Published(records) = world.order(node, Command::Publish(draft)) else {
        panic!("it is certified");
    };
    let found = world
        .ledger(node)
        .map(|ledger| ledger.answer(&Query::Record(records[0])));
    let Some(Found::Record(Some((header, ..)))) = found else {
        panic!("it was published just now");
    };
    world.name(&header);
    records[0]
}

#[test]
fn who_may_be_told_is_told_and_nobody_else() {
    alone("confiding::who_may_be_told_is_told_and_nobody_else", || {
        insider(51, true, &[0], knows(2, &[0, 1], &[])).run(|world| {
            let record = confide(world, 0);
            assert!(world.wait_for(5 * SECOND, |world| world.holds(1, &record)));
            // The other one asks what is new every half a minute.
            world.run_for(90 * SECOND);
            assert!(!world.holds(2, &record));
            assert!(world.may_confide(0, 1) && !world.may_confide(0, 2) && world.may_confide(2, 0));
        });
    });
}

#[test]
fn who_only_asks_is_told_nothing() {
    alone("confiding::who_only_asks_is_told_nothing", || {
        insider(52, true, &[0], speaker(2, Speech::Pry)).run(|world| {
            let record = confide(world, 0);
            world.run_for(60 * SECOND);
            assert!(world.holds(1, &record));
            let traffic = world.network().traffic();
            let asked = ["comparisons", "bodies"].map(|kind| traffic.sent(2)[kind]);
            // Three questions a second about logs to each of two, and two about bodies, for a minute.
            assert!(
                asked[0].bytes > 2 * 50 * 3 * 32 && asked[1].bytes > 2 * 50 * 2 * 32,
                "{asked:?}"
            );
        });
    });
}

#[test]
fn a_node_that_holds_what_nobody_may_tell_it_is_noticed() {
    let words = ["node 2 holds record", "which is TLP:GREEN", "seed 53"];
    fails(
        "confiding::a_node_that_holds_what_nobody_may_tell_it_is_noticed",
        &words,
        || {
            insider(53, false, &[0, 2], knows(2, &[0, 1], &[])).run(|world| {
                confide(world, 0);
                world.run_for(90 * SECOND);
            });
        },
    );
}

#[test]
fn an_insider_that_answers_who_asks_is_noticed() {
    let words = ["speaks as node 2 was told what is TLP:GREEN", "seed 54"];
    fails("confiding::an_insider_that_answers_who_asks_is_noticed", &words, || {
        insider(54, false, &[0, 2], speaker(2, Speech::Pry)).run(|world| {
            confide(world, 0);
            world.run_for(90 * SECOND);
        });
    });
}
