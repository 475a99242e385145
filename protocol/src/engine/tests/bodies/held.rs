//! Bodies that this node has already, behind a record of somebody else.

use crate::{engine::port::Input, record::SealedBody, wire::Request};

use super::*;

#[test]
fn a_body_that_is_here_behind_another_record_is_not_asked_for() {
    // Those at the ends publish; the one in the middle is nobody's neighbour who does.
    let mut world = World::new(3, 5);
    (0..4).for_each(|node| world.link(node, node + 1));
    world.run(2_000);
    let list = names(1, 9_000);
    let publish = |world: &mut World, author: usize| {
        let ticket = world.publish(author, vec![list.clone()]);
        world.run(10_000);
        let record = world.published(author, ticket)[0];
        let holds = |node: usize| world.nodes[node].store.records[&record].body.is_some();
        assert!((0..5).all(holds), "everyone has the body behind the record of {author}");
        (world.body_requests_sent(2), world.body_bytes(2))
    };
    let first = publish(&mut world, 0);
    assert!(first.0 > 0 && first.1 > 0, "it had to be asked for: {first:?}");
    let second = publish(&mut world, 4);
    assert_eq!(second, first, "nothing more was asked for, and nothing more came");
    world.check_honest();
}

#[test]
fn a_body_that_is_here_waits_for_nobodys_room() {
    // Node 0 alone, beside an author and a peer that answers nothing.
    let (mut world, author, other) = (World::new(5, 1), Identity::numbered(7), Identity::numbered(8));
    world.nodes[0].listed.extend([author.org, other.org]);
    world.start(0);
    let list = names(1_000, 40);
    for who in [&author, &other] {
        world.connect(0, who);
        world.gossip(
            0,
            who.peer(),
            codec::encode(&Gossip::Statements(who.statements.clone())),
        );
    }
    let first = author.chain(std::slice::from_ref(&list));
    let (header, body) = (first[0].signed().clone(), list.compressed.clone());
    let push = codec::encode(&Request::Push { header, body });
    world.request(0, author.peer(), None, &push);
    world.feed(0, Input::Disconnected(author.peer()));
    world.run(100);
    assert_eq!(world.nodes[0].store.shown().len(), 40);
    // The peer is asked for as many as may be asked of it, and then has the list under a record of its own.
    let mut bodies: Vec<SealedBody> = (0..60).map(|number| names(number, 40)).collect();
    bodies.push(list);
    let chain = other.chain(&bodies);
    for header in &chain {
        let header = header.signed().clone();
        world.gossip(0, author.peer(), codec::encode(&Gossip::Header { header, body: None }));
    }
    world.run(100);
    assert_eq!(world.body_requests(0), limits::BODY_REQUESTS_PER_PEER);
    let last = RecordId::of(chain.last().expect("the list is one of them"));
    assert!(world.nodes[0].store.records[&last].body.is_some(), "it is here");
}

#[test]
fn the_own_store_is_asked_first_in_each_round_and_nobody_else_meanwhile() {
    let (mut machine, mut next, mut now) = (bodies(&[1, 2]), 0, Millis(1));
    let wanted = header(1, 1);
    let digest = wanted.body_digest;
    let mut steps = machine.want(&wanted, peer(1), now);
    for _ in 0..=limits::BODY_ROUNDS {
        assert_eq!(steps, [BodyStep::LookUp { digest }]);
        assert_eq!(machine.heard(digest, &peer(2), now), [], "it is being looked for here");
        assert_eq!((machine.tick(now), machine.next_wake()), (vec![], None));
        steps = machine.not_stored(digest, now);
        assert_eq!(machine.not_stored(digest, now), [], "an answer that came twice");
        for _ in 0..2 {
            let asked = asks(&mut machine, std::mem::take(&mut steps), &mut next, now);
            assert_eq!(asked.len(), 1, "then one peer after the other");
            steps = machine.answered(asked[0].2, Answer::Nothing, now);
        }
        assert_eq!(steps, []);
        now = machine.next_wake().expect("another round, or the end");
        steps = machine.tick(now);
    }
    assert_eq!((steps, machine.unresolved()), (vec![], 0));
}

#[test]
fn what_is_found_here_or_pushed_meanwhile_is_asked_of_nobody() {
    for found_first in [true, false] {
        let (mut machine, now) = (bodies(&[1, 2]), Millis(1));
        let wanted = header(1, 1);
        let digest = wanted.body_digest;
        machine.want(&wanted, peer(1), now);
        assert_eq!(machine.arrived(digest, now), []);
        if !found_first {
            assert_eq!(machine.not_stored(digest, now), [], "it came from somebody else");
        }
        // The bytes of the own store may be damaged: then peers are asked, and the store is not, again.
        let steps = machine.mistaken(digest, None, now);
        assert_eq!(steps, [BodyStep::Ask { peer: peer(1), digest }]);
    }
}

#[test]
fn a_store_that_has_enough_to_read_for_peers_is_not_asked() {
    let check = |asking: usize, expected: usize| {
        let (mut world, author) = (World::new(6, 1), Identity::numbered(7));
        let many = limits::OWN_READS / limits::READS_PER_PEER;
        let peers: Vec<Identity> = (100..).take(many).map(Identity::numbered).collect();
        let orgs = peers.iter().map(|peer| peer.org);
        world.nodes[0].listed.extend(orgs.chain([author.org]));
        world.start(0);
        for who in peers.iter().chain([&author]) {
            world.connect(0, who);
            world.gossip(
                0,
                who.peer(),
                codec::encode(&Gossip::Statements(who.statements.clone())),
            );
        }
        world.run(100);
        world.nodes[0].reading = 60_000;
        let digest = Digest::from_bytes([1; 32]);
        let request = codec::encode(&Request::Body { digest });
        for _ in 0..asking {
            for who in &peers {
                world.request(0, who.peer(), None, &request);
            }
        }
        let header = author.header(&names(1, 40), |_| ()).signed().clone();
        world.gossip(
            0,
            peers[0].peer(),
            codec::encode(&Gossip::Header { header, body: None }),
        );
        assert_eq!(world.body_requests(0), expected, "{asking} of each");
    };
    check(limits::READS_PER_PEER - 1, 0);
    check(limits::READS_PER_PEER, 1);
}
