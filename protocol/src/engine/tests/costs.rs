//! What catching up costs when there is nothing to catch up on.

use std::collections::BTreeSet;

use crate::{
    engine::Subscription,
    exercise::{
        Identity, World,
        identity::{BEGIN, digests, names, topic},
    },
    record::{Audience, LogId, RecordId},
    time::Millis,
};

/// A world of two nodes that hold a thousand logs of a hundred records each.
fn large(listed_by_second: bool) -> World {
    let mut world = World::new(7, 3);
    let author = Identity::numbered(2);
    let id = RecordId::of(&author.header(&names(1, 1), |_| ()));
    for number in 0..2 {
        world.crash(number);
        let node = &mut world.nodes[number];
        node.store.statements.extend(author.statements.iter().cloned());
        node.listed
            .truncate(if number == 1 && !listed_by_second { 2 } else { 3 });
        for epoch in 0..1_000 {
            let log = LogId {
                author: author.key.public(),
                audience: Audience::Clear,
                epoch: Millis(BEGIN.0 + epoch),
            };
            node.store.logs.insert((log, 99), id);
        }
        world.start(number);
    }
    world
}

#[test]
fn an_exchange_without_news_costs_under_a_kilobyte_and_one_round_trip() {
    let check = |listed: bool| {
        let mut world = large(listed);
        world.link(0, 1);
        world.run(120_000);
        let (bytes, requests) = world.exchanged;
        world.run(600_000);
        let (bytes, requests) = (world.exchanged.0 - bytes, world.exchanged.1 - requests);
        assert!(
            (20..=40).contains(&requests),
            "each node asks once every 30 to 60 s: {requests}"
        );
        assert!(bytes / requests < 1_000, "{bytes} bytes in {requests} exchanges");
        world.check_strikes();
    };
    check(true);
    // Two nodes that do not hand on the same logs never have the same digest: then only what changed is told.
    check(false);
}

#[test]
fn bodies_that_are_not_pulled_cost_nothing() {
    let mut world = World::new(8, 2);
    world.crash(1);
    world.nodes[1].subscription = Subscription {
        topics: [topic("phishing")].into_iter().collect(),
        tlds: BTreeSet::new(),
    };
    world.start(1);
    world.link(0, 1);
    world.run(500);
    world.publish(0, (0..20).map(|number| names(number, 100)).collect());
    world.run(100_000);
    assert_eq!(world.nodes[1].store.records.len(), 20);
    // The publisher's push brings bodies along with headers, and small ones are in them; none is asked for or shown.
    assert_eq!(world.body_requests_sent(1), 0);
    world.publish(0, vec![names(99, 3)]);
    world.run(1_000);
    assert_eq!(world.nodes[1].store.records.len(), 21);
    assert!(world.nodes[1].store.shown().is_empty());
    let before = world.exchanged;
    world.run(300_000);
    let requests = world.exchanged.1 - before.1;
    assert!((world.exchanged.0 - before.0) / requests.max(1) < 1_000);
    world.check_honest();
}

/// Twenty nodes with eight neighbours each, as far apart as the countries of Europe.
#[test]
fn a_body_of_20_kb_comes_about_once_to_each_node() {
    let mut world = World::new(11, 20);
    for node in 0..20 {
        (1..=4).for_each(|step| world.link(node, (node + step * step) % 20));
    }
    world.chaos.delay = 65;
    world.run(5_000);
    let came = |world: &World| (0..20).map(|node| world.body_bytes(node)).sum::<u64>();
    let (before, mut sent) = (came(&world), 0);
    for number in 0..5 {
        let sealed = digests(number, 600);
        assert!((18_000..22_000).contains(&sealed.compressed.len()));
        sent += sealed.compressed.len() as u64;
        world.publish(number as usize, vec![sealed]);
        let everywhere = |world: &World| world.nodes.iter().all(|node| node.store.bodies.len() > number as usize);
        assert!(world.run_until(1_000, everywhere));
        world.run(2_000);
    }
    let copies = (came(&world) - before) * 100 / (sent * 19);
    assert!(copies <= 135, "each node was sent {copies} % of each body");
}
