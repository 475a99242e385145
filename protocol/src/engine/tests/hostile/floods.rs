//! More of everything than there should be: all of it bounded, and charged to whoever brings it.

use super::*;

#[test]
fn ten_thousand_topics_and_a_flood_into_the_quarantine_are_bounded() {
    let (mut world, _, other) = stage(10);
    let sealed = names(1, 200);
    let mut prev = None;
    for number in 0..10_000_u64 {
        let header = other.header(&sealed, |header| {
            header.topic = topic(&format!("topic{number}"));
            if let Some(prev) = prev {
                (header.seq, header.prev) = (number, prev);
            }
        });
        prev = Some(RecordId::of(&header).digest());
        assert_eq!(
            gossip(&mut world, &other.peer(), &header, None),
            Acceptance::Ignore,
            "never forwarded"
        );
    }
    world.run(60_000);
    let store = &world.nodes[0].store;
    assert!(
        store.records.len() as u64 <= limits::HEADER_BURST,
        "{}",
        store.records.len()
    );
    assert!(store.records.values().all(|stored| !stored.believed));
    assert_eq!(world.engine(0).beyond_bounds(), None);
    assert_eq!(strikes(&world, &other.peer()), 0);

    let hello = Hello {
        community: community(),
        statements: Vec::new(),
        topics: (0..10_000).map(|number| format!("topic{number}")).collect(),
        tlds: Vec::new(),
        records: 1,
        wall: BEGIN,
    };
    world.request(0, other.peer(), None, &codec::encode(&Request::Hello(hello)));
    let ticket = world.command(0, crate::engine::port::Command::Overview);
    let Some(Outcome::Overview(overview)) = world.nodes[0].done.get(&ticket) else {
        panic!("an overview")
    };
    assert!(
        overview
            .peers
            .iter()
            .all(|view| view.topics.len() <= limits::SUBSCRIPTIONS)
    );
}

#[test]
fn authors_without_a_certificate_are_neither_stored_nor_forwarded() {
    let (mut world, listed, _) = stage(11);
    let sealed = addresses(1, 1);
    for number in 0..2_000 {
        let header = Identity::numbered(2_000 + number).header(&sealed, |_| ());
        assert_eq!(
            gossip(&mut world, &listed.peer(), &header, Some(&sealed)),
            Acceptance::Ignore
        );
    }
    world.run(1_000);
    assert!(world.nodes[0].store.records.is_empty());
    assert_eq!(world.engine(0).beyond_bounds(), None);
    assert!(world.nodes[0].asked.len() <= limits::ASKS_PER_PEER);
    // One that turns out to be somebody is taken from the few that are held.
    let late = Identity::numbered(2_001);
    tell(&mut world, &late);
    world.run(100);
    assert_eq!(world.nodes[0].store.records.len(), 1);
}

#[test]
fn lies_about_heads_cost_a_few_requests() {
    let (mut world, listed, _) = stage(12);
    world.run(70_000);
    let frontier = |world: &World| {
        world.nodes[0].asked.iter().rev().find_map(|(peer, ticket, request)| {
            (*peer == listed.peer() && matches!(request, Request::Frontier { .. })).then_some(*ticket)
        })
    };
    let log = |epoch: u64| crate::record::LogId {
        author: listed.key.public(),
        audience: crate::record::Audience::Clear,
        epoch: Millis(epoch),
    };
    let heads = (0..limits::FRONTIER_HEADS as u64)
        .map(|epoch| Head {
            log: log(epoch),
            seq: u64::MAX,
            id: starfish_crypto::Digest::ZERO,
        })
        .collect();
    let ticket = frontier(&world).expect("it asks every minute");
    let (cursor, statements) = (
        Cursor {
            life: 1,
            change: u64::MAX,
            green: u64::MAX,
        },
        starfish_crypto::Digest::ZERO,
    );
    world.respond(
        0,
        ticket,
        Response::Heads {
            heads,
            cursor,
            more: false,
            statements,
        },
    );
    world.run(3_600_000);
    assert_eq!(world.engine(0).beyond_bounds(), None);
    let asked = world.nodes[0]
        .asked
        .iter()
        .filter(|(_, _, request)| matches!(request, Request::Range { .. }))
        .count();
    assert!(asked < 10_000, "an hour of lies costs {asked} requests");
    assert_eq!(strikes(&world, &listed.peer()), 0);
}

#[test]
fn requests_beyond_the_bounds_are_busy() {
    let (mut world, listed, other) = stage(15);
    let header = listed.header(&names(1, 50), |_| ());
    gossip(&mut world, &listed.peer(), &header, None);
    let body = codec::encode(&Request::Body {
        digest: header.body_digest,
    });
    let tickets: Vec<_> = (0..1_000)
        .map(|_| world.request(0, other.peer(), None, &body))
        .collect();
    world.run(100);
    let answers = |world: &World, wanted: &Response| {
        let same = |answer: &&Response| std::mem::discriminant(*answer) == std::mem::discriminant(wanted);
        world.nodes[0].answered.values().filter(same).count()
    };
    assert_eq!(answers(&world, &Response::Busy), 1_000 - limits::READS_PER_PEER);
    world.run(30_000);
    assert_eq!(answers(&world, &Response::NotHeld), limits::READS_PER_PEER);
    assert!(
        tickets
            .iter()
            .all(|ticket| world.nodes[0].answered.contains_key(ticket)),
        "everyone is answered"
    );
}

#[test]
fn a_store_that_stands_still_stops_the_intake_and_not_the_node() {
    let (mut world, listed, _) = stage(16);
    world.nodes[0].stalled = true;
    let bodies: Vec<SealedBody> = (0..900).map(|number| addresses(number, 20)).collect();
    for header in listed.chain(&bodies) {
        gossip(&mut world, &listed.peer(), &header, None);
    }
    for number in 0..200 {
        world.publish(0, (0..100).map(|part| addresses(number * 100 + part, 5)).collect());
    }
    assert_eq!(world.engine(0).beyond_bounds(), None);
    let busy = |outcome: &Outcome| *outcome == Outcome::Refused(crate::engine::port::Refusal::Busy);
    assert!(world.nodes[0].done.values().any(busy));
    world.nodes[0].stalled = false;
    world.run(10_000);
    let ticket = world.publish(0, vec![addresses(1, 1)]);
    world.run(1_000);
    assert_eq!(world.published(0, ticket).len(), 1);
}
