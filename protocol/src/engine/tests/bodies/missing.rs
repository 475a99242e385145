//! Bodies that the store knows to be missing: nobody's keep those of others from being looked for.

use crate::{
    engine::port::{Change, Command},
    exercise::{identity::topic, world::Node},
    record::{SealedBody, Topic},
};

use super::*;

/// Node 0 pulls these topics from now on; all when there is none.
fn subscribe(world: &mut World, topics: Vec<Topic>) {
    let tlds = Vec::new();
    world.command(0, Command::Subscribe { topics, tlds });
}

/// How many of these have their bodies at the node.
fn held(node: &Node, records: &[RecordId]) -> usize {
    let has_body = |record: &&RecordId| {
        let stored = node.store.records.get(*record);
        stored.is_some_and(|stored| stored.body.is_some())
    };
    records.iter().filter(has_body).count()
}

/// Node 0 knows the headers of node 2 and of a stranger, and none of their bodies. Node 1, which is slow, and node 2 are its
/// neighbours; nobody has what the stranger wrote.
fn many_missing(listed: bool) -> (World, Vec<RecordId>) {
    let (mut world, author) = (World::new(31, 3), Identity::numbered(7));
    for number in 0..3 {
        world.crash(number);
        if listed {
            world.nodes[number].listed.push(author.org);
        }
        world.start(number);
    }
    subscribe(&mut world, vec![topic("c2")]);
    world.link(0, 1);
    world.link(0, 2);
    world.connect(0, &author);
    let told = codec::encode(&Gossip::Statements(author.statements.clone()));
    world.gossip(0, author.peer(), told);
    world.run(1_000);
    let bodies: Vec<SealedBody> = (0..600).map(|number| names(1_000 + number, 40)).collect();
    for header in author.chain(&bodies) {
        let header = header.signed().clone();
        world.gossip(0, author.peer(), codec::encode(&Gossip::Header { header, body: None }));
        world.run(1);
    }
    let ticket = world.publish(2, (0..40).map(|number| names(number, 40)).collect());
    world.run(5_000);
    let records = world.published(2, ticket);
    assert_eq!((held(&world.nodes[0], &records), records.len()), (0, 40));
    world.nodes[1].reading = 9_000;
    subscribe(&mut world, Vec::new());
    (world, records)
}

/// Node 0 has the bodies of all of these soon.
fn all_arrive(world: &mut World, records: &[RecordId]) {
    let all = |world: &World| held(&world.nodes[0], records) == records.len();
    let arrived = world.run_until(5_000, all);
    assert!(arrived, "{} are here", held(&world.nodes[0], records));
}

#[test]
fn bodies_of_one_author_that_nobody_has_keep_nobody_else_from_theirs() {
    let (mut world, records) = many_missing(true);
    all_arrive(&mut world, &records);
    // What nobody has is looked for and asked for once of each, not again whenever something of somebody else has ended.
    world.run(120_000);
    let (asked, looks) = (world.body_requests_sent(0), world.nodes[0].looks);
    assert!(looks <= 30, "{looks} pages");
    assert!(asked <= 2 * (600 + records.len()), "{asked} requests");
}

#[test]
fn bodies_of_strangers_are_looked_for_last() {
    let (mut world, records) = many_missing(false);
    while world.body_requests_sent(0) < records.len() {
        world.run(1);
    }
    assert_eq!(world.body_requests_sent(0), records.len(), "theirs come later");
    all_arrive(&mut world, &records);
    world.run(5_000);
    assert!(world.body_requests_sent(0) > 2 * records.len(), "then theirs are");
}

#[test]
fn bodies_that_never_end_keep_nobody_else_from_theirs_for_longer_than_a_sync() {
    let (mut world, records) = many_missing(true);
    all_arrive(&mut world, &records);
    // His neighbour takes long to say that it has nothing, so that those that are asked for stay so.
    subscribe(&mut world, vec![topic("c2")]);
    let ticket = world.publish(2, (0..40).map(|number| names(5_000 + number, 40)).collect());
    world.run(5_000);
    let later = world.published(2, ticket);
    assert_eq!(held(&world.nodes[0], &later), 0);
    subscribe(&mut world, Vec::new());
    let all = |world: &World| held(&world.nodes[0], &later) == later.len();
    assert!(
        world.run_until(65_000, all),
        "{} are here",
        held(&world.nodes[0], &later)
    );
}

#[test]
fn one_that_comes_and_goes_keeps_no_body_from_being_looked_for() {
    let (mut world, author) = (World::new(31, 2), Identity::numbered(7));
    for number in 0..2 {
        world.crash(number);
        world.nodes[number].listed.push(author.org);
        world.start(number);
    }
    world.link(0, 1);
    subscribe(&mut world, vec![topic("c2")]);
    world.connect(0, &author);
    let told = codec::encode(&Gossip::Statements(author.statements.clone()));
    world.gossip(0, author.peer(), told);
    let ticket = world.publish(1, (0..40).map(|number| names(number, 40)).collect());
    world.run(5_000);
    let records = world.published(1, ticket);
    assert_eq!((held(&world.nodes[0], &records), records.len()), (0, 40));
    for second in 0..20 {
        world.connect(0, &author);
        if second == 0 {
            subscribe(&mut world, Vec::new());
        }
        world.run(1_000);
    }
    assert_eq!(held(&world.nodes[0], &records), records.len());
}

#[test]
fn a_look_that_is_full_goes_on_when_half_of_it_has_ended() {
    // More than may be looked for at once, of many authors, none with more than one may have.
    let authors: Vec<Identity> = (10..29).map(Identity::numbered).collect();
    let each = limits::UNRESOLVED_BODIES_PER_AUTHOR;
    let all = authors.len() * each;
    assert!(all > limits::UNRESOLVED_BODIES + limits::RANGE_HEADERS);
    let mut world = World::new(32, 2);
    (0..2).for_each(|number| world.crash(number));
    for (author, number) in authors.iter().zip(0..) {
        let bodies: Vec<SealedBody> = (0..each as u32).map(|body| names(number * 1_000 + body, 1)).collect();
        let node = &mut world.nodes[0];
        node.listed.push(author.org);
        author
            .statements
            .iter()
            .for_each(|statement| node.store.apply(Change::Statement(statement.clone())));
        for header in author.chain(&bodies) {
            let (org, received_at) = (Some(author.org), header.created_at);
            node.store.apply(Change::Record {
                header,
                org,
                body: None,
                received_at,
                own: false,
            });
        }
    }
    // The only neighbour has nothing.
    (0..2).for_each(|number| world.start(number));
    let (topics, tlds) = (vec![topic("c2")], Vec::new());
    world.command(1, Command::Subscribe { topics, tlds });
    world.link(0, 1);
    let asked = |world: &World| world.body_requests_sent(0);
    assert!(
        world.run_until(60_000, |world| asked(world) == all),
        "{} of {all} are asked for",
        asked(&world)
    );
    let looks = world.nodes[0].looks;
    assert!(looks <= 30, "{looks} pages");
}
