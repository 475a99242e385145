//! Bodies that are not what their headers or their senders say.

use super::*;

#[test]
fn a_false_scope_is_not_looked_for_again_and_nobody_is_blamed_for_passing_it_on() {
    let (mut world, listed, other) = stage(13);
    let sealed = names(1, 50);
    let header = listed.header(&sealed, |header| header.extensions.scope = None);
    gossip(&mut world, &other.peer(), &header, None);
    world.run(10);
    let (_, ticket, _) = world.nodes[0]
        .asked
        .iter()
        .find(|(_, _, request)| matches!(request, Request::Body { .. }))
        .cloned()
        .expect("it is pulled");
    world.respond(0, ticket, Response::Body(sealed.compressed.clone()));
    world.run(100);
    let record = RecordId::of(&header);
    assert!(world.nodes[0].store.records[&record].spoiled);
    assert!(world.nodes[0].events.contains(&Event::Spoiled(record)));
    world.nodes[0].asked.clear();
    world.run(200_000);
    world.start(0);
    world.connect(0, &listed);
    world.run(200_000);
    assert!(
        !world.nodes[0]
            .asked
            .iter()
            .any(|(_, _, request)| matches!(request, Request::Body { .. }))
    );
    assert_eq!(
        (strikes(&world, &other.peer()), strikes(&world, &listed.peer())),
        (0, 0)
    );
}

#[test]
fn wrong_bytes_are_the_sender_s_fault() {
    let (mut world, listed, other) = stage(14);
    let header = listed.header(&names(1, 50), |_| ());
    gossip(&mut world, &other.peer(), &header, None);
    world.run(10);
    let (peer, ticket, _) = world.nodes[0]
        .asked
        .iter()
        .find(|(_, _, request)| matches!(request, Request::Body { .. }))
        .cloned()
        .expect("it is pulled");
    assert_eq!(peer, other.peer());
    world.respond(0, ticket, Response::Body(b"something else".to_vec()));
    assert_eq!(strikes(&world, &other.peer()), 1);
    let (next, ..) = world.nodes[0].asked.last().cloned().expect("another peer is asked");
    assert_eq!(next, listed.peer());
}

#[test]
fn a_body_that_comes_twice_is_stored_once() {
    let (mut world, listed, other) = stage(15);
    let sealed = names(1, 50);
    let header = listed.header(&sealed, |_| ());
    gossip(&mut world, &other.peer(), &header, None);
    world.run(10);
    let (_, ticket, _) = world.nodes[0].asked.last().cloned().expect("it is pulled");
    world.respond(0, ticket, Response::Body(sealed.compressed.clone()));
    // It is being opened when its author's push ends.
    let push = codec::encode(&Request::Push {
        header: header.signed().clone(),
        body: sealed.compressed.clone(),
    });
    world.request(0, listed.peer(), None, &push);
    world.run(1_000);
    let stored = Event::BodyStored(RecordId::of(&header));
    let times = world.nodes[0].events.iter().filter(|event| **event == stored).count();
    assert_eq!(times, 1);
    assert!(world.nodes[0].store.records[&RecordId::of(&header)].body.is_some());
}
