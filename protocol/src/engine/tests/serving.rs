//! What peers ask for while it is on its way to the store.

use crate::{
    codec,
    engine::port::Input,
    exercise::{Identity, World, identity::names},
    record::{Header, RecordId},
    wire::{Gossip, Request, Response},
};

use starfish_crypto::Verified;

/// A node that lists the author 7 and is connected with it and with the guest 8.
fn stage() -> (World, Identity, Identity) {
    let mut world = World::new(1, 1);
    let (author, guest) = (Identity::numbered(7), Identity::numbered(8));
    world.nodes[0].listed.push(author.org);
    world.start(0);
    for who in [&author, &guest] {
        world.connect(0, who);
        let statements = codec::encode(&Gossip::Statements(who.statements.clone()));
        world.gossip(0, who.peer(), statements);
    }
    world.run(5_000);
    (world, author, guest)
}

#[test]
fn what_was_told_is_given_however_the_store_and_its_readers_race() {
    // Which request, how long a read takes, and how long after the record came it is asked for.
    let check = |request: &dyn Fn(&Verified<Header>) -> Request, reading: u64, later: u64| {
        let (mut world, author, guest) = stage();
        let sealed = names(1, 200);
        let header = author.header(&sealed, |_| ());
        world.nodes[0].reading = reading;
        let (pushed, body) = (header.signed().clone(), sealed.compressed.clone());
        let push = codec::encode(&Request::Push { header: pushed, body });
        world.request(0, author.peer(), None, &push);
        world.run(later);
        let asked = world.request(0, guest.peer(), None, &codec::encode(&request(&header)));
        world.run(1_000);
        assert!(world.nodes[0].store.records.contains_key(&RecordId::of(&header)));
        let answer = world.nodes[0].answered.get(&asked);
        let given = matches!(answer, Some(Response::Body(_) | Response::Headers(_)));
        assert!(given, "read in {reading} ms, asked after {later} ms: {answer:?}");
    };
    let body = |header: &Verified<Header>| {
        let digest = header.body_digest;
        Request::Body { digest }
    };
    let range = |header: &Verified<Header>| {
        let (log, from, limit) = (header.log(), 0, 10);
        Request::Range { log, from, limit }
    };
    for reading in [0, 2, 20] {
        for later in 0..10 {
            check(&body, reading, later);
            check(&range, reading, later);
        }
    }
}

#[test]
fn what_is_given_up_while_the_store_is_read_waits_for_no_body() {
    // Whether the second peer gives its request up, comes back with another connection, or goes on waiting; and whether it
    // may be asked for the body itself then, while the first one says nothing.
    type End = dyn Fn(&mut World, &Identity, u64);
    let check = |end: Option<&End>, expected: usize| {
        let (mut world, author, other) = stage();
        let teller = Identity::numbered(9);
        world.connect(0, &teller);
        world.nodes[0].reading = 100;
        let header = author.header(&names(1, 200), |_| ());
        let (digest, header) = (header.body_digest, header.signed().clone());
        world.gossip(0, teller.peer(), codec::encode(&Gossip::Header { header, body: None }));
        world.run(50);
        let request = codec::encode(&Request::Body { digest });
        let asked = world.request(0, other.peer(), None, &request);
        world.run(50);
        if let Some(end) = end {
            end(&mut world, &other, asked);
        }
        world.run(100);
        let answer = world.nodes[0].answered.get(&asked);
        assert_eq!(matches!(answer, Some(Response::NotHeld)), end.is_some(), "{answer:?}");
        world.run(5_000);
        let asked = world.nodes[0].asked.iter();
        let of_other =
            asked.filter(|(whom, _, request)| *whom == other.peer() && matches!(request, Request::Body { .. }));
        assert_eq!(of_other.count(), expected);
    };
    let gives_up = |world: &mut World, who: &Identity, ticket: u64| {
        world.feed(
            0,
            Input::GivenUp {
                peer: who.peer(),
                ticket,
            },
        );
    };
    let comes_back = |world: &mut World, who: &Identity, _: u64| {
        world.feed(0, Input::Disconnected(who.peer()));
        world.connect(0, who);
    };
    check(None, 0);
    check(Some(&gives_up), 1);
    check(Some(&comes_back), 1);
}

#[test]
fn a_gap_is_closed_hop_by_hop() {
    let mut world = World::new(2, 2);
    let author = Identity::numbered(7);
    let statements = codec::encode(&Gossip::Statements(author.statements.clone()));
    (0..2).for_each(|node| {
        world.nodes[node].listed.push(author.org);
        world.start(node);
    });
    world.link(0, 1);
    world.connect(0, &author);
    world.gossip(0, author.peer(), statements);
    world.run(100);
    world.nodes[0].asked.clear();
    // The first message is lost. Both nodes ask for it, the second one before the first one has it.
    let chain = author.chain(&[names(1, 200), names(2, 200)]);
    let (header, body) = (chain[1].signed().clone(), None);
    world.gossip(0, author.peer(), codec::encode(&Gossip::Header { header, body }));
    world.run(1_000);
    let asked = world.nodes[0].asked.iter();
    let mut ranges = asked.filter(|(_, _, request)| matches!(request, Request::Range { .. }));
    let (_, ticket, _) = ranges.next().expect("the first node asks the author").clone();
    let headers = chain.iter().map(|header| header.signed().clone()).collect();
    world.respond(0, ticket, Response::Headers(headers));
    // The nodes compare three seconds after they have met: that is later.
    assert!(world.run_until(1_500, |world| world.nodes[1].store.records.len() == 2));
}
