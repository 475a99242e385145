//! Whom a node wants to be connected to.

use crate::{
    codec,
    engine::port::Command,
    exercise::{Identity, World},
    limits,
    wire::Gossip,
};

/// A node that knows where these others are.
fn world_with(others: &[Identity], change: impl FnOnce(&mut World)) -> World {
    let mut world = World::new(1, 1);
    change(&mut world);
    world.start(0);
    for other in others {
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
    world.run(70_000);
    world
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
                .all(|(addresses, always)| !addresses.is_empty() && !always)
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
            .is_some_and(|(addresses, always)| *always && addresses.len() == 1)
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
