//! Whom a node wants to be connected to.

use crate::{
    codec,
    engine::port::{Command, DisconnectReason, Input, Ticket, Wish},
    exercise::{Identity, World, identity::names},
    limits,
    statement::Kind,
    wire::{Gossip, Request, Response},
};

/// A node that knows where these others are.
fn world_with(others: &[Identity], change: impl FnOnce(&mut World)) -> World {
    let mut world = World::new(1, 1);
    change(&mut world);
    world.start(0);
    for other in others {
        tell(&mut world, other);
    }
    world.run(70_000);
    world
}

/// Tells node 0 who this is, and where.
fn tell(world: &mut World, other: &Identity) {
    let endpoint = crate::statement::EndpointStatement {
        org: other.org,
        node_key: other.key.public(),
        community: crate::exercise::identity::community(),
        seq: 1,
        addresses: vec!["/dns4/node.example/tcp/4852".to_owned()],
        issued_at: crate::exercise::identity::BEGIN,
    };
    let mut statements = other.statements.clone();
    statements.push(endpoint.sign(&other.key).expect("a plain endpoint"));
    world.gossip(0, other.peer(), codec::encode(&Gossip::Statements(statements)));
}

#[test]
fn paired_ones_always_and_a_few_others_when_told_so() {
    let others: Vec<Identity> = (10..40).map(Identity::numbered).collect();
    let check = |dial_others: bool, listed: usize, expected: usize| {
        let world = world_with(&others, |world| {
            world.nodes[0].dial_others = dial_others;
            world.nodes[0]
                .listed
                .extend(others.iter().take(listed).map(|other| other.org));
        });
        let dialled = &world.nodes[0].dialled;
        assert!(dialled.len() >= expected, "{dial_others} {listed}: {}", dialled.len());
        assert!(expected > 0 || dialled.is_empty());
        assert!(
            dialled
                .values()
                .all(|(addresses, wish)| !addresses.is_empty() && *wish == Wish::WhenRoom)
        );
    };
    check(false, 30, 0);
    check(true, 0, 0);
    check(true, 5, 5);
    check(true, 30, limits::DIALLED);
}

#[test]
fn pairing_dials_and_unpairing_forgets() {
    let other = Identity::numbered(10);
    let mut world = world_with(std::slice::from_ref(&other), |_| ());
    assert!(world.nodes[0].dialled.is_empty());
    world.command(0, Command::Trust(other.org));
    let key = other.key.public();
    assert!(
        world.nodes[0]
            .dialled
            .get(&key)
            .is_some_and(|(addresses, wish)| *wish == Wish::Always && addresses.len() == 1)
    );
    world.command(0, Command::Distrust(other.org));
    assert!(
        world.nodes[0]
            .dialled
            .get(&key)
            .is_some_and(|(addresses, _)| addresses.is_empty())
    );
}

#[test]
fn nobody_who_is_connected_or_refused_is_dialled() {
    let other = Identity::numbered(10);
    let mut world = world_with(std::slice::from_ref(&other), |_| ());
    world.command(0, Command::Trust(other.org));
    let peer = world.connect(0, &other);
    world.nodes[0].dialled.clear();
    world.run(100_000);
    assert!(world.nodes[0].dialled.is_empty());
    world.command(0, Command::Block { peer, blocked: true });
    world.run(100_000);
    assert!(world.nodes[0].dialled.is_empty());
}

#[test]
fn the_author_is_visited_for_what_nobody_else_has() {
    let check = |dial_others: bool| {
        let (author, neighbour) = (Identity::numbered(10), Identity::numbered(11));
        let mut world = World::new(1, 1);
        world.nodes[0].dial_others = dial_others;
        world.nodes[0].listed.extend([author.org, neighbour.org]);
        world.start(0);
        world.connect(0, &neighbour);
        tell(&mut world, &author);
        tell(&mut world, &neighbour);
        world.run(10);
        world.nodes[0].dialled.clear();
        let sealed = names(1, 100);
        let header = author.header(&sealed, |_| ()).signed().clone();
        world.gossip(
            0,
            neighbour.peer(),
            codec::encode(&Gossip::Header { header, body: None }),
        );
        // Its own store is asked first.
        world.run(10);
        let answer = |world: &mut World, who: &Identity, response: &Response| {
            let asked = std::mem::take(&mut world.nodes[0].asked);
            let bodies = asked
                .into_iter()
                .filter(|(peer, _, request)| *peer == who.peer() && matches!(request, Request::Body { .. }));
            let tickets: Vec<Ticket> = bodies.map(|(_, ticket, _)| ticket).collect();
            tickets
                .iter()
                .for_each(|ticket| world.respond(0, *ticket, response.clone()));
            tickets.len()
        };
        assert_eq!(answer(&mut world, &neighbour, &Response::NotHeld), 1);
        let wish = world.nodes[0].dialled.get(&author.key.public()).map(|(_, wish)| *wish);
        assert_eq!(wish, dial_others.then_some(Wish::Now));
        if dial_others {
            let (peer, key) = (author.peer(), Some(author.key.public()));
            world.feed(
                0,
                Input::Connected {
                    peer,
                    key,
                    outbound: true,
                },
            );
            world.run(1_000);
            assert!(world.nodes[0].disconnected.is_empty(), "left with empty hands");
            let body = Response::Body(sealed.compressed.clone());
            assert_eq!(answer(&mut world, &author, &body), 1);
            world.run(100);
            assert_eq!(world.nodes[0].store.shown().len(), 100);
            let left = (author.peer(), DisconnectReason::Visited);
            assert_eq!(world.nodes[0].disconnected, [left]);
        }
    };
    check(true);
    check(false);
}

#[test]
fn a_node_that_is_back_where_it_was_says_nothing_new() {
    let mut world = World::new(8, 2);
    world.link(0, 1);
    let listens = |world: &mut World, number: u8| {
        world.command(0, Command::Listening(vec![format!("/ip4/192.0.2.{number}/tcp/1")]));
        world.run(1_000);
        let held = world.nodes[1].store.statements.iter();
        held.filter(|held| held.kind() == Kind::ENDPOINT)
            .cloned()
            .collect::<Vec<_>>()
    };
    let first = listens(&mut world, 1);
    assert_eq!(first.len(), 1);
    world.crash(0);
    world.start(0);
    world.link(0, 1);
    assert_eq!(listens(&mut world, 1), first);
    assert_ne!(listens(&mut world, 2), first);
    world.check_honest();
}
