//! Whose records are believed and handed on, and what changes when that does.

use crate::{
    codec,
    engine::port::{Acceptance, Command, Event, Outcome, Query, Refusal},
    exercise::{
        Identity, World,
        identity::{addresses, names},
    },
    limits,
    record::RecordId,
    time::Millis,
    wire::{Cursor, Gossip, Head, Request, Response},
};

/// Nodes 0 - 1 - 2; node 1 does not list the organisation of node 0.
fn chain_with_a_doubter() -> World {
    let mut world = World::new(1, 3);
    let doubted = world.nodes[0].identity.org;
    world.nodes[1].listed.retain(|org| *org != doubted);
    world.start(1);
    world.link(0, 1);
    world.link(1, 2);
    world.run(1_000);
    world
}

#[test]
fn nodes_of_differing_policy_never_blame_each_other() {
    let mut world = chain_with_a_doubter();
    for number in 0..30 {
        world.publish(number as usize % 3, vec![addresses(number, 2), names(number, 60)]);
        world.run(200);
    }
    world.run(200_000);
    world.check_honest();
    // The doubter keeps the records where they are not shown, and hands nothing of them on.
    let org = world.nodes[0].identity.org;
    let of = |node: usize| {
        world.nodes[node]
            .store
            .records
            .values()
            .filter(|stored| stored.org == Some(org))
    };
    assert_eq!((of(1).count(), of(1).filter(|stored| stored.believed).count()), (20, 0));
    assert_eq!(of(2).count(), 0);
}

#[test]
fn what_rises_from_the_quarantine_is_shown_and_handed_on() {
    let mut world = chain_with_a_doubter();
    world.publish(0, vec![addresses(1, 2), names(1, 60)]);
    world.run(5_000);
    assert!(world.nodes[1].store.shown().is_empty() && world.nodes[2].store.records.is_empty());
    let org = world.nodes[0].identity.org;
    let ticket = world.command(1, Command::Trust(org));
    assert!(world.run_until(90_000, |world| world.nodes[2].store.shown().len() == 62));
    assert_eq!(world.nodes[1].done.get(&ticket), Some(&Outcome::Done));
    assert_eq!(world.nodes[1].store.shown().len(), 62);
    // The decision outlives the process, and can be taken back.
    world.start(1);
    world.link(0, 1);
    world.link(1, 2);
    world.publish(0, vec![addresses(2, 2)]);
    assert!(world.run_until(90_000, |world| world.nodes[2].store.shown().len() == 64));
    world.command(1, Command::Distrust(org));
    world.run(100);
    assert!(world.nodes[1].store.shown().is_empty());
    let again = world.command(1, Command::Distrust(org));
    world.run(100);
    assert_eq!(
        world.nodes[1].done.get(&again),
        Some(&Outcome::Refused(Refusal::NotTrusted))
    );
    world.publish(0, vec![addresses(3, 2)]);
    world.run(120_000);
    assert_eq!(world.nodes[2].store.shown().len(), 64);
    world.check_honest();
}

#[test]
fn a_listed_organisation_is_believed_wherever_its_records_come_from() {
    let mut world = World::new(2, 1);
    let (author, carrier) = (Identity::numbered(7), Identity::numbered(8));
    world.nodes[0].listed.push(author.org);
    world.start(0);
    world.connect(0, &carrier);
    let sealed = addresses(1, 2);
    let header = author.header(&sealed, |_| ());
    // Its header comes before anyone has said who it is, from a peer that is nobody here.
    let payload = Gossip::Header {
        header: header.signed().clone(),
        body: Some(sealed.compressed.clone()),
    };
    world.gossip(0, carrier.peer(), codec::encode(&payload));
    assert_eq!(world.nodes[0].verdicts(), [Acceptance::Ignore]);
    let asks_about = |(_, ticket, request): &(_, u64, Request)| match request {
        Request::Statements { about, .. } if *about == [author.key.public()] => Some(*ticket),
        _ => None,
    };
    let ticket = world.nodes[0]
        .asked
        .iter()
        .find_map(asks_about)
        .expect("it asks who that is");
    world.respond(
        0,
        ticket,
        Response::Statements {
            statements: author.statements.clone(),
            cursor: Cursor {
                life: 0,
                change: 0,
                green: 0,
            },
            more: false,
        },
    );
    world.run(100);
    assert_eq!(world.nodes[0].store.shown().len(), 2);
}

#[test]
fn one_peer_fills_only_its_share_of_the_quarantine() {
    let mut world = World::new(3, 1);
    let flooder = Identity::numbered(8);
    world.connect(0, &flooder);
    world.gossip(
        0,
        flooder.peer(),
        codec::encode(&Gossip::Statements(flooder.statements.clone())),
    );
    let sealed = names(1, 5_000);
    let mut last = None;
    for number in 0..1_000_u64 {
        let header = flooder.header(&sealed, |header| {
            header.compressed_len = limits::BODY_BYTES as u32;
            header.body_digest = starfish_crypto::Digest::of("a", &number.to_be_bytes());
            (header.seq, header.prev) = last.map_or((0, header.prev), |prev| (number, prev));
        });
        last = Some(RecordId::of(&header).digest());
        let payload = Gossip::Header {
            header: header.signed().clone(),
            body: None,
        };
        world.gossip(0, flooder.peer(), codec::encode(&payload));
    }
    world.run(1_000);
    let share = limits::QUARANTINE_BYTES / limits::QUARANTINE_SHARE;
    assert_eq!(
        world.nodes[0].store.records.len() as u64,
        share / (limits::BODY_BYTES as u64 + 512)
    );
    assert!(
        world.nodes[0]
            .events
            .iter()
            .any(|event| matches!(event, Event::Bounded(_)))
    );
}

#[test]
fn nothing_from_the_quarantine_is_offered_but_to_its_author() {
    let mut world = chain_with_a_doubter();
    let ticket = world.publish(0, vec![names(1, 60)]);
    world.run(2_000);
    let record = world.published(0, ticket)[0];
    let log = world.nodes[0].store.records[&record].header.log();
    assert!(world.nodes[1].store.records.contains_key(&record));
    let mut ask = |who: usize, request: Request| {
        let peer = world.nodes[who].identity.peer();
        world.unlink(who, 1);
        let puppet = world.nodes[who].identity.clone();
        world.connect(1, &puppet);
        let ticket = world.request(1, peer, None, &codec::encode(&request));
        world.run(100);
        world.nodes[1]
            .answered
            .remove(&ticket)
            .expect("every question is answered")
    };
    let zero = starfish_crypto::Digest::ZERO;
    let frontier = || Request::Frontier {
        heads: zero,
        statements: zero,
        since: None,
    };
    let range = || Request::Range { log, from: 0, limit: 9 };
    let heads = |response: Response| match response {
        Response::Heads { heads, .. } => heads
            .iter()
            .filter(|head| head.log == log)
            .copied()
            .collect::<Vec<Head>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(heads(ask(2, frontier())), []);
    assert!(matches!(ask(2, range()), Response::NotHeld));
    assert_eq!(heads(ask(0, frontier())).len(), 1);
    assert!(matches!(ask(0, range()), Response::Headers(headers) if headers.len() == 1));
}

#[test]
fn bodies_from_the_quarantine_are_given_to_nobody() {
    let mut world = chain_with_a_doubter();
    let sealed = names(1, 60);
    let digest = sealed.digest;
    world.publish(0, vec![sealed]);
    world.run(2_000);
    assert!(world.nodes[1].store.bodies.contains_key(&digest));
    let puppet = Identity::numbered(8);
    let ask = |world: &mut World, node: usize| {
        world.connect(node, &puppet);
        let ticket = world.request(node, puppet.peer(), None, &codec::encode(&Request::Body { digest }));
        world.run(100);
        world.nodes[node].answered.remove(&ticket)
    };
    assert!(matches!(ask(&mut world, 1), Some(Response::NotHeld)));
    assert!(matches!(ask(&mut world, 0), Some(Response::Body(_))));
}

#[test]
fn two_operators_meet() {
    let mut world = World::new(4, 2);
    for node in 0..2 {
        world.nodes[node].listed.clear();
        world.start(node);
    }
    world.link(0, 1);
    world.run(500);
    world.publish(0, vec![addresses(1, 2)]);
    world.publish(1, vec![addresses(2, 2)]);
    let until = Millis(world.wall(0).0 + 600_000);
    let secret = [1, 2, 3, 4, 5];
    world.command(
        0,
        Command::Invite {
            secret,
            until,
            confirmed: true,
        },
    );
    let peer = world.nodes[0].identity.peer();
    let ticket = world.command(
        1,
        Command::Pair {
            peer: peer.clone(),
            secret,
        },
    );
    world.run(500);
    let Some(Outcome::Met { org, words, .. }) = world.nodes[1].done.get(&ticket).cloned() else {
        panic!("they met")
    };
    assert_eq!(org, world.nodes[0].identity.org);
    let heard = |event: &Event| matches!(event, Event::PairingAsked { secret: used, words: heard, .. } if (*used, *heard) == (secret, words));
    assert!(world.nodes[0].events.iter().any(heard), "both compare the same words");
    world.command(1, Command::Trust(org));
    assert!(world.run_until(60_000, World::agrees));
    assert_eq!(world.nodes[0].store.shown().len(), 4);
    world.check_honest();
    assert!(
        matches!(world.nodes[0].store.answer(&Query::Missing { after: None, limit: 9 }), crate::engine::port::Found::Missing(missing) if missing.is_empty())
    );
}

#[test]
fn a_code_opens_the_door_to_one_node_and_trusts_once() {
    let mut world = World::new(4, 3);
    for node in 0..3 {
        world.nodes[node].listed.clear();
        world.start(node);
    }
    let until = Millis(world.wall(0).0 + 600_000);
    let secret = [1, 2, 3, 4, 5];
    let invite = Command::Invite {
        secret,
        until,
        confirmed: true,
    };
    world.command(0, invite);
    world.link(0, 1);
    world.link(0, 2);
    world.run(500);
    let peer = world.nodes[0].identity.peer();
    let knock = |world: &mut World, node: usize| {
        let ticket = world.command(
            node,
            Command::Pair {
                peer: peer.clone(),
                secret,
            },
        );
        world.run(500);
        world.nodes[node].done.get(&ticket).cloned().expect("an answer")
    };
    let first = knock(&mut world, 1);
    assert!(matches!(first, Outcome::Met { .. }), "{first:?}");
    assert_eq!(knock(&mut world, 2), Outcome::Refused(Refusal::CodeRefused));
    // Its answer may have been lost: the same node is told again.
    assert_eq!(knock(&mut world, 1), first);
    // But a code is no way back in.
    let org = world.nodes[1].identity.org;
    let trusted = |world: &World| world.nodes[0].store.policy(Vec::new()).paired.contains(&org);
    assert!(trusted(&world));
    world.command(0, Command::Distrust(org));
    world.link(0, 1);
    world.run(500);
    knock(&mut world, 1);
    assert!(!trusted(&world));
}

#[test]
fn a_blocked_peer_is_sent_away() {
    let mut world = World::new(5, 2);
    world.link(0, 1);
    let peer = world.nodes[1].identity.peer();
    world.command(
        0,
        Command::Block {
            peer: peer.clone(),
            blocked: true,
        },
    );
    assert!(!world.linked(0, 1));
    world.link(0, 1);
    assert!(!world.linked(0, 1));
    for expected in [Outcome::Done, Outcome::Refused(Refusal::NotBlocked)] {
        let peer = peer.clone();
        let ticket = world.command(0, Command::Block { peer, blocked: false });
        world.run(500);
        assert_eq!(world.nodes[0].done.get(&ticket), Some(&expected));
    }
    world.link(0, 1);
    assert!(world.linked(0, 1));
}
