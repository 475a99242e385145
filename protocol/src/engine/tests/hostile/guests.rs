//! Peers without a right to be connected, and the doors that they knock at.

use super::*;
use crate::engine::port::{Command, Input};

#[test]
fn codes_cannot_be_guessed_and_guests_are_bounded() {
    let (mut world, _, other) = stage(17);
    let until = Millis(world.wall(0).0 + 600_000);
    world.command(
        0,
        Command::Invite {
            secret: [7; 5],
            until,
            confirmed: true,
        },
    );
    let hello = |statements| Hello {
        community: community(),
        statements,
        topics: Vec::new(),
        tlds: Vec::new(),
        records: 0,
        wall: BEGIN,
    };
    let tries = limits::CODES_PER_MINUTE as u8 + 5;
    for number in 0..tries {
        let secret = if number + 1 == tries { [7; 5] } else { [number + 100; 5] };
        let request = Request::Pair {
            secret,
            hello: hello(other.statements.clone()),
        };
        world.request(0, other.peer(), None, &codec::encode(&request));
    }
    assert!(
        world.nodes[0]
            .answered
            .values()
            .all(|answer| matches!(answer, Response::Refused))
    );
    world.run(60_000);
    let request = Request::Pair {
        secret: [7; 5],
        hello: hello(other.statements.clone()),
    };
    let ticket = world.request(0, other.peer(), None, &codec::encode(&request));
    assert!(
        !world.nodes[0].answered.contains_key(&ticket),
        "told before it is durable"
    );
    world.run(100);
    assert!(matches!(world.nodes[0].answered.get(&ticket), Some(Response::Hello(_))));

    for number in 0..100 {
        world.connect(0, &Identity::numbered(3_000 + number));
    }
    let ticket = world.command(0, Command::Overview);
    let Some(Outcome::Overview(overview)) = world.nodes[0].done.get(&ticket) else {
        panic!("an overview")
    };
    assert_eq!(
        overview.peers.iter().filter(|view| !view.trusted).count(),
        limits::GUESTS
    );
}

/// Node 0 with every guest's place taken by somebody; none of them said who he is unless `certified`.
fn crowded(seed: u64, certified: bool) -> (World, Vec<Identity>) {
    let mut world = World::new(seed, 1);
    let crowd: Vec<Identity> = (0..limits::GUESTS as u64)
        .map(|number| Identity::numbered(3_000 + number))
        .collect();
    for guest in &crowd {
        if certified {
            tell(&mut world, guest);
        }
        world.connect(0, guest);
    }
    (world, crowd)
}

fn is_connected(world: &mut World, who: &Identity) -> bool {
    let ticket = world.command(0, Command::Overview);
    let Some(Outcome::Overview(overview)) = world.nodes[0].done.get(&ticket) else {
        panic!("an overview")
    };
    overview.peers.iter().any(|view| view.peer == who.peer())
}

#[test]
fn strangers_who_fill_every_place_keep_nobody_out_who_is_wanted() {
    let invite = |world: &mut World| {
        let until = Millis(world.wall(0).0 + 600_000);
        let (secret, confirmed) = ([7; 5], true);
        world.command(
            0,
            Command::Invite {
                secret,
                until,
                confirmed,
            },
        );
    };
    let check = |certified: bool, waits: bool, invited: bool, outbound: bool, expected: bool| {
        let (mut world, _) = crowded(41, certified);
        if waits {
            world.run(limits::SETTLING.0 + 1_000);
        }
        if invited {
            invite(&mut world);
        }
        let visitor = Identity::numbered(9);
        let (peer, key) = (visitor.peer(), Some(visitor.key.public()));
        world.feed(0, Input::Connected { peer, key, outbound });
        let row = format!("{certified} {waits} {invited} {outbound}");
        assert_eq!(is_connected(&mut world, &visitor), expected, "{row}");
        let most = limits::GUESTS + usize::from(outbound);
        let ticket = world.command(0, Command::Overview);
        let Some(Outcome::Overview(overview)) = world.nodes[0].done.get(&ticket) else {
            panic!("an overview")
        };
        assert!(overview.peers.len() <= most, "{row}");
    };
    check(true, true, false, false, false);
    check(false, false, false, false, false);
    // Whoever has not said who it is for a while makes room; for a visitor anybody does.
    check(false, true, false, false, true);
    check(false, false, true, false, true);
    check(true, true, true, false, true);
    // Whom this node dialled it wants.
    check(true, true, false, true, true);
}

#[test]
fn guests_stay_few_when_trust_ends() {
    let mut world = World::new(42, 1);
    let (mut crowd, root) = (
        (0..limits::GUESTS as u64).map(|number| Identity::numbered(3_000 + number)),
        7,
    );
    let root = Identity::numbered(root);
    world.nodes[0].listed.push(root.org);
    world.start(0);
    tell(&mut world, &root);
    world.connect(0, &root);
    crowd.by_ref().for_each(|guest| {
        world.connect(0, &guest);
    });
    world.command(0, Command::Distrust(root.org));
    let ticket = world.command(0, Command::Overview);
    let Some(Outcome::Overview(overview)) = world.nodes[0].done.get(&ticket) else {
        panic!("an overview")
    };
    assert_eq!(overview.peers.len(), limits::GUESTS);
}
