//! Nodes that are told the same in the end hold the same, whatever the network does in between.

use proptest::prelude::*;

use crate::{
    codec,
    engine::port::{Command, Outcome, Refusal},
    exercise::{
        Chaos, Identity, World,
        identity::{addresses, names, observables, topic},
    },
    observable::Tld,
    record::SealedBody,
    wire::{Gossip, Request},
};

/// A small body that rides along, or a larger one that is pulled.
fn body(number: u32) -> SealedBody {
    if number.is_multiple_of(2) {
        addresses(number, 3)
    } else {
        names(number, 400)
    }
}

#[test]
fn a_publication_travels_three_hops() {
    let mut world = World::new(1, 4);
    (0..3).for_each(|node| world.link(node, node + 1));
    world.run(500);
    let ticket = world.publish(0, vec![addresses(1, 3), names(2, 500)]);
    assert!(!world.nodes[0].done.contains_key(&ticket), "told before it is durable");
    assert!(world.run_until(3_000, |world| world.nodes[3].store.shown().len() == 503));
    assert_eq!(world.published(0, ticket).len(), 2);
    assert!(world.agrees());
    world.check_honest();
}

#[test]
fn a_long_publication_over_slow_lines_waits_for_no_sync() {
    for seed in 0..2 {
        let mut world = World::new(seed, 5);
        [(0, 1), (1, 2), (1, 3), (3, 4)]
            .into_iter()
            .for_each(|(one, two)| world.link(one, two));
        world.run(5_000);
        world.chaos.delay = 250;
        world.publish(0, (0..110).map(|number| names(number, 20)).collect());
        let all = |world: &World| world.nodes.iter().all(|node| node.store.shown().len() == 2_200);
        assert!(world.run_until(10_000, all), "seed {seed}");
        world.check_honest();
    }
}

#[test]
fn a_push_that_overtakes_its_message_does_not_keep_it_from_going_on() {
    let mut world = World::new(1, 3);
    world.link(0, 1);
    let author = Identity::numbered(9);
    let statements = codec::encode(&Gossip::Statements(author.statements.clone()));
    for node in 0..2 {
        world.nodes[node].listed.push(author.org);
        world.start(node);
    }
    world.link(0, 1);
    let peer = world.connect(0, &author);
    world.gossip(0, peer.clone(), statements);
    world.run(5_000);
    let bodies = [names(1, 200), names(2, 200)];
    let chain = author.chain(&bodies);
    let (last, body) = (chain[1].signed().clone(), bodies[1].compressed.clone());
    let push = codec::encode(&Request::Push { header: last, body });
    world.request(0, peer.clone(), None, &push);
    for header in chain.iter().rev() {
        let (header, body) = (header.signed().clone(), None);
        world.gossip(0, peer.clone(), codec::encode(&Gossip::Header { header, body }));
    }
    let all = |world: &World| world.nodes[1].store.records.len() == 2;
    assert!(world.run_until(1_000, all));
}

#[test]
fn what_was_not_appended_was_never_told() {
    let mut world = World::new(2, 2);
    world.link(0, 1);
    world.run(500);
    let ticket = world.publish(0, vec![names(1, 10)]);
    world.crash(0);
    world.run(1_000);
    assert!(!world.nodes[0].done.contains_key(&ticket));
    assert!(world.nodes[0].store.records.is_empty());
    assert!(world.nodes[1].store.records.is_empty());
}

#[test]
fn a_late_joiner_never_shows_what_was_withdrawn() {
    let mut world = World::new(3, 3);
    world.link(0, 1);
    world.run(500);
    let ticket = world.publish(0, vec![names(1, 20)]);
    world.run(1_000);
    let record = world.published(0, ticket)[0];
    let one = observables(&["name3-1.example"]);
    world.command(
        0,
        Command::Withdraw {
            record,
            observables: one.clone(),
            reason: "a mistake".into(),
        },
    );
    world.run(1_000);
    assert_eq!(world.nodes[1].store.shown().len(), 19);
    // The publisher is away; the third node hears of all this from the second alone.
    world.crash(0);
    world.link(1, 2);
    assert!(world.run_until(5_000, |world| world.nodes[2].store.shown().len() == 19));
    assert!(!world.nodes[2].store.shown().contains(&one[0]));

    world.start(0);
    world.link(0, 1);
    world.run(2_000);
    let whole = world.command(
        0,
        Command::Withdraw {
            record,
            observables: Vec::new(),
            reason: "all of it".into(),
        },
    );
    assert!(world.run_until(5_000, |world| {
        world.nodes.iter().all(|node| node.store.shown().is_empty())
    }));
    assert!(matches!(world.nodes[0].done.get(&whole), Some(Outcome::Published(_))));
    world.check_honest();
}

#[test]
fn who_pulls_less_than_before_still_hears_of_withdrawals() {
    let check = |topics: &[&str], tlds: &[&str], away: bool| {
        let mut world = World::new(32, 2);
        world.link(0, 1);
        world.run(500);
        let ticket = world.publish(0, vec![names(1, 20)]);
        assert!(world.run_until(5_000, |world| world.nodes[1].store.shown().len() == 20));
        let record = world.published(0, ticket)[0];
        let subscribe = Command::Subscribe {
            topics: topics.iter().map(|text| topic(text)).collect(),
            tlds: tlds.iter().map(|text| Tld::parse(text).expect("a TLD")).collect(),
        };
        world.command(1, subscribe);
        world.run(500);
        if away {
            world.unlink(0, 1);
        }
        let withdrawal = Command::Withdraw {
            record,
            observables: Vec::new(),
            reason: "a mistake".into(),
        };
        world.command(0, withdrawal);
        world.run(500);
        if away {
            world.link(0, 1);
        }
        let gone = world.run_until(5_000, |world| world.nodes[1].store.shown().is_empty());
        assert!(gone, "{topics:?} {tlds:?} {away}");
        world.check_honest();
    };
    for away in [false, true] {
        check(&["phishing"], &[], away);
        check(&[], &["nl"], away);
        check(&["phishing"], &["nl"], away);
    }
}

/// Whether a node shows any of these at any moment of the next `millis`.
fn ever_shows(world: &mut World, node: usize, values: &[&str], millis: u64) -> bool {
    let values = observables(values);
    (0..millis).any(|_| {
        world.run(1);
        let shown = world.nodes[node].store.shown();
        values.iter().any(|value| shown.contains(value))
    })
}

#[test]
fn not_even_for_a_moment_however_long_the_log_between() {
    let mut world = World::new(30, 3);
    world.link(0, 1);
    world.run(500);
    let ticket = world.publish(0, vec![names(1, 20)]);
    world.run(500);
    let record = world.published(0, ticket)[0];
    // Several ranges, and the withdrawal at the very end of them.
    world.publish(0, (2..900).map(|number| addresses(number, 1)).collect());
    world.run(3_000);
    let withdrawal = Command::Withdraw {
        record,
        observables: Vec::new(),
        reason: "a mistake".into(),
    };
    world.command(0, withdrawal);
    assert!(world.run_until(60_000, |world| world.nodes[1].store.shown().len() == 898));
    world.chaos.delay = 50;
    world.link(1, 2);
    assert!(!ever_shows(&mut world, 2, &["name3-1.example"], 4_000));
    assert!(world.run_until(60_000, World::agrees));
    world.check_honest();
}

#[test]
fn a_node_that_was_away_without_a_body_does_not_show_it_when_it_comes_back() {
    let mut world = World::new(31, 3);
    world.link(0, 1);
    world.run(500);
    let ticket = world.publish(0, vec![names(1, 20)]);
    world.run(1_000);
    let record = world.published(0, ticket)[0];
    // The third node has the header alone, from somebody who has left.
    let told = codec::encode(&Gossip::Statements(world.nodes[0].identity.statements.clone()));
    let header = world.nodes[0].store.records[&record].header.signed().clone();
    let author = world.nodes[0].identity.peer();
    world.gossip(2, author.clone(), told);
    world.gossip(2, author, codec::encode(&Gossip::Header { header, body: None }));
    world.run(1_000);
    assert_eq!(world.nodes[2].store.records.len(), 1);
    let withdrawal = Command::Withdraw {
        record,
        observables: Vec::new(),
        reason: "a mistake".into(),
    };
    world.command(0, withdrawal);
    world.run(1_000);
    world.start(2);
    world.chaos.delay = 50;
    world.link(1, 2);
    assert!(!ever_shows(&mut world, 2, &["name3-1.example"], 4_000));
    assert_eq!(world.nodes[2].store.records.len(), 2);
    world.check_honest();
}

#[test]
fn only_its_own_organisation_withdraws_a_record() {
    let mut world = World::new(4, 2);
    world.link(0, 1);
    world.run(500);
    let ticket = world.publish(0, vec![names(1, 20)]);
    world.run(1_000);
    let record = world.published(0, ticket)[0];
    let check = |world: &mut World, node: usize, values: &[&str], reason: &str, refusal: Refusal| {
        let observables = observables(values);
        let ticket = world.command(
            node,
            Command::Withdraw {
                record,
                observables,
                reason: reason.into(),
            },
        );
        world.run(100);
        assert_eq!(world.nodes[node].done.get(&ticket), Some(&Outcome::Refused(refusal)));
    };
    check(&mut world, 1, &[], "not mine", Refusal::NotOurs);
    check(&mut world, 0, &["other.example"], "not in it", Refusal::NotInRecord);
    check(&mut world, 0, &[], "", Refusal::Reason);
    check(&mut world, 0, &[], "\u{7}", Refusal::Reason);
    world.nodes[0].store.records.clear();
    check(&mut world, 0, &[], "gone", Refusal::UnknownRecord);
}

#[test]
fn a_partition_heals() {
    let mut world = World::new(5, 4);
    for (one, two) in [(0, 1), (2, 3), (1, 2)] {
        world.link(one, two);
    }
    world.run(500);
    world.unlink(1, 2);
    for number in 0..20 {
        world.publish(number as usize % 4, vec![body(number)]);
        world.run(50);
    }
    assert!(!world.agrees());
    world.run(5_000);
    world.link(1, 2);
    assert!(
        world.run_until(5_000, World::agrees),
        "no node waits for the next comparison"
    );
    assert_eq!(world.nodes[0].store.records.len(), 20);
    world.check_honest();
}

#[test]
fn a_node_that_was_away_catches_up_on_a_long_history() {
    let mut world = World::new(6, 3);
    world.link(0, 1);
    world.run(500);
    for part in 0..5 {
        world.publish(0, (0..200).map(|number| names(part * 200 + number, 2)).collect());
        world.run(3_000);
    }
    // Gossip alone brings more bodies than one author may have unresolved; the rest is looked for.
    assert!(world.run_until(120_000, |world| world.nodes[1].store.shown().len() == 2_000));
    world.crash(0);
    world.link(1, 2);
    assert!(world.run_until(60_000, |world| world.nodes[2].store.shown().len() == 2_000));
    world.check_honest();
}

proptest! {
    #![proptest_config(crate::exercise::cases(12))]

    /// From any two states, with loss, repeats, and any order of arrival.
    #[test]
    fn two_nodes_converge(
        seed in any::<u64>(),
        before in prop::collection::vec((0..2_usize, 1..4_usize), 0..6),
        during in prop::collection::vec((0..2_usize, 1..4_usize), 0..6),
        lost in 0..40_u64,
        repeated in 0..50_u64,
        delay in 1..400_u64,
    ) {
        let mut world = World::new(seed, 2);
        let mut number = 0;
        let mut publish = |world: &mut World, (node, count): (usize, usize)| {
            world.publish(node, (0..count).map(|_| { number += 1; body(number) }).collect());
            let pause = world.random(300);
            world.run(pause);
        };
        before.into_iter().for_each(|publication| publish(&mut world, publication));
        world.chaos = Chaos { delay, lost, repeated };
        world.link(0, 1);
        during.into_iter().for_each(|publication| publish(&mut world, publication));
        world.run(2_000);
        world.chaos.lost = 0;
        prop_assert!(world.run_until(400_000, World::agrees));
        world.check_honest();
    }

    /// The same with crashes in the middle of everything.
    #[test]
    fn nodes_that_crash_converge_and_never_fork(
        seed in any::<u64>(),
        steps in prop::collection::vec((0..3_usize, 0..4_u8, 0..400_u64), 1..20),
    ) {
        let mut world = World::new(seed, 3);
        let connect = |world: &mut World| [(0, 1), (1, 2)].into_iter().for_each(|(one, two)| world.link(one, two));
        connect(&mut world);
        for (number, (node, what, pause)) in steps.into_iter().enumerate() {
            match what {
                0 => world.start(node),
                1 => connect(&mut world),
                _ => { world.publish(node, vec![body(number as u32)]); }
            }
            world.run(pause);
        }
        connect(&mut world);
        prop_assert!(world.run_until(400_000, World::agrees));
        prop_assert!(world.nodes.iter().all(|node| node.store.frozen.is_empty()));
        world.check_honest();
    }
}
