//! The body machine alone, and in worlds where nobody has what everybody wants.

mod again;
mod guests;
mod held;
mod missing;
mod room;
mod slow;

use std::collections::VecDeque;

use proptest::prelude::*;
use starfish_crypto::Digest;

use crate::{
    codec,
    engine::bodies::{Answer, Bodies, BodyStep, Serving},
    exercise::{Identity, World, identity::names},
    limits,
    peer::Peer,
    record::{Header, RecordId},
    time::Millis,
    wire::Gossip,
};

use starfish_crypto::Verified;

fn peer(number: u8) -> Peer {
    Peer::from_bytes(&[number])
}

fn header(author: u64, number: u32) -> Verified<Header> {
    Identity::numbered(author).header(&names(number, 40), |_| ())
}

/// A machine that knows these peers.
fn bodies(peers: &[u8]) -> Bodies {
    let mut bodies = Bodies::default();
    for number in peers {
        bodies.connected(&peer(*number), None);
        bodies.caught_up(&peer(*number));
    }
    bodies
}

/// The end of a step: what has become due, and what there is room for now.
fn settle(bodies: &mut Bodies, mut steps: Vec<BodyStep>, now: Millis) -> Vec<BodyStep> {
    steps.extend(bodies.tick(now));
    steps
}

/// Gives every request a ticket, its number, and says whom it goes to. The own store has nothing.
fn asks(bodies: &mut Bodies, steps: Vec<BodyStep>, next: &mut u64, now: Millis) -> Vec<(Peer, Digest, u64)> {
    let (mut steps, mut asked) = (VecDeque::from(steps), Vec::new());
    while let Some(step) = steps.pop_front() {
        match step {
            BodyStep::LookUp { digest } => steps.extend(bodies.not_stored(digest, now)),
            BodyStep::Ask { peer, digest } => {
                *next += 1;
                bodies.asked_as(digest, peer.clone(), *next, now);
                asked.push((peer, digest, *next));
            }
            _ => {}
        }
    }
    asked
}

#[test]
fn whoever_told_is_asked_first_then_others_then_nobody() {
    let (mut machine, mut next, now) = (bodies(&[1, 2, 3]), 0, Millis(1));
    let wanted = header(1, 1);
    let steps = machine.want(&wanted, peer(2), now);
    let first = asks(&mut machine, steps, &mut next, now);
    assert_eq!(
        first.iter().map(|(peer, ..)| peer.clone()).collect::<Vec<_>>(),
        [peer(2)]
    );
    assert_eq!(machine.asked(&peer(3), 900, wanted.body_digest, now).0, Serving::Wait);
    let mut order = vec![peer(2)];
    let mut ticket = first[0].2;
    loop {
        let steps = machine.answered(ticket, Answer::Nothing, now);
        let not_held = steps.contains(&BodyStep::NotHeld { ticket: 900 });
        let asked = asks(&mut machine, steps, &mut next, now);
        let Some((whom, _, number)) = asked.into_iter().next() else {
            assert!(not_held, "whoever waits is told when nothing is left");
            break;
        };
        order.push(whom);
        ticket = number;
    }
    // The third waits for us: it has nothing to give.
    assert_eq!(order, [peer(2), peer(1)]);
    assert_eq!((machine.unresolved(), machine.active()), (1, 0));
    // A new source brings it back.
    let steps = machine.heard(wanted.body_digest, &peer(3), now);
    assert_eq!(asks(&mut machine, steps, &mut next, now).len(), 1);
}

#[test]
fn two_peers_never_wait_for_each_other() {
    let (mut machine, mut next, now) = (bodies(&[1, 2]), 0, Millis(1));
    let wanted = header(1, 1);
    let steps = machine.want(&wanted, peer(1), now);
    asks(&mut machine, steps, &mut next, now);
    assert_eq!(
        machine.asked(&peer(1), 900, wanted.body_digest, now).0,
        Serving::NotHeld
    );
    assert_eq!(machine.asked(&peer(2), 901, wanted.body_digest, now).0, Serving::Wait);
    assert_eq!(
        machine.asked(&peer(2), 902, header(1, 2).body_digest, now).0,
        Serving::NotHeld
    );
}

#[test]
fn sixty_four_wait_and_each_for_ten_seconds() {
    let (mut machine, mut next, now) = (bodies(&[1, 2]), 0, Millis(1));
    let wanted = header(1, 1);
    let steps = machine.want(&wanted, peer(1), now);
    asks(&mut machine, steps, &mut next, now);
    let most = limits::WAITING_BODIES_PER_PEER as u64;
    for ticket in 0..most {
        assert_eq!(
            machine.asked(&peer(2), ticket, wanted.body_digest, now).0,
            Serving::Wait
        );
    }
    assert_eq!(machine.asked(&peer(2), most, wanted.body_digest, now).0, Serving::Busy);
    let early = machine.tick(Millis(limits::BODY_WAIT.0));
    assert!(!early.iter().any(|step| matches!(step, BodyStep::NotHeld { .. })));
    let late = machine.tick(now + limits::BODY_WAIT);
    let ended = late
        .iter()
        .filter(|step| matches!(step, BodyStep::NotHeld { .. }))
        .count();
    assert_eq!(ended as u64, most);
    // It waits no more, so it may have the body by now.
    let steps = machine.tick(now + limits::BODY_WAIT + limits::BODY_PATIENCE);
    assert_eq!(asks(&mut machine, steps, &mut next, now).len(), 1);
}

#[test]
fn a_silent_peer_gets_a_second_and_a_third_beside_it() {
    let (mut machine, mut next, start) = (bodies(&[1, 2, 3, 4]), 0, Millis(1));
    let wanted = header(1, 1);
    let steps = machine.want(&wanted, peer(1), start);
    let first = asks(&mut machine, steps, &mut next, start);
    let mut tickets = vec![first[0].2];
    for round in 1..4 {
        let now = start + Millis(300 * round);
        assert!(machine.tick(Millis(now.0 - 1)).is_empty(), "too early: {round}");
        let steps = machine.tick(now);
        assert!(
            !steps.iter().any(|step| matches!(step, BodyStep::Cancel { .. })),
            "the first goes on"
        );
        tickets.extend(
            asks(&mut machine, steps, &mut next, now)
                .iter()
                .map(|(.., ticket)| *ticket),
        );
    }
    assert_eq!(tickets.len(), limits::ASKS_PER_BODY);
    // The second begins to send: the others are left alone, and it is not disturbed while it goes on.
    let steps = machine.progress(tickets[1], Millis(2_000));
    let cancelled = steps
        .iter()
        .filter(|step| matches!(step, BodyStep::Cancel { .. }))
        .count();
    assert_eq!(cancelled, 2);
    assert!(machine.tick(Millis(2_299)).is_empty());
    assert!(
        machine.answered(tickets[0], Answer::Nothing, Millis(2_299)).is_empty(),
        "that request is over"
    );
    assert!(machine.answered(tickets[1], Answer::Body, Millis(2_299)).is_empty());
    let record = RecordId::of(&wanted);
    assert!(machine.done(wanted.body_digest, record, Millis(2_300)).is_empty());
    assert_eq!((machine.unresolved(), machine.next_wake()), (0, None));
}

#[test]
fn patience_grows_with_the_round_trip() {
    let (mut machine, mut next, now) = (bodies(&[1, 2]), 0, Millis(1));
    machine.round_trip(&peer(1), Millis(1_000));
    let steps = machine.want(&header(1, 1), peer(1), now);
    asks(&mut machine, steps, &mut next, now);
    assert_eq!(machine.next_wake(), Some(Millis(1_501)));
}

#[test]
fn patience_has_an_end_however_slow_a_peer_makes_itself() {
    let (mut machine, mut next, now) = (bodies(&[1, 2]), 0, Millis(1));
    machine.round_trip(&peer(1), Millis(u64::MAX));
    let steps = machine.want(&header(1, 1), peer(1), now);
    asks(&mut machine, steps, &mut next, now);
    assert_eq!(machine.next_wake(), Some(now + limits::BODY_PATIENCE_MOST));
}

#[test]
fn older_bodies_are_asked_only_of_those_who_are_known() {
    let (mut machine, mut next, now) = (bodies(&[1]), 0, Millis(1));
    machine.connected(&peer(2), None);
    let of = |machine: &mut Bodies, number: u32, next: &mut u64| {
        let steps = machine.look_for(&header(1, number), &[peer(2)], true, now);
        asks(machine, steps, next, now)
            .into_iter()
            .map(|(peer, ..)| peer)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&mut machine, 1, &mut next), [peer(1)]);
    machine.caught_up(&peer(2));
    assert_eq!(of(&mut machine, 2, &mut next), [peer(2)]);
}

#[test]
fn nothing_is_asked_for_while_the_store_is_behind() {
    let (mut machine, mut next, now) = (bodies(&[1]), 0, Millis(1));
    machine.hold_up(true, now);
    for number in 0..3 {
        let steps = machine.want(&header(1, number), peer(1), now);
        assert!(asks(&mut machine, steps, &mut next, now).is_empty());
    }
    assert!(machine.tick(Millis(60_000)).is_empty());
    let steps = machine.hold_up(false, Millis(60_000));
    assert_eq!(asks(&mut machine, steps, &mut next, Millis(60_000)).len(), 3);
}

#[test]
fn so_many_are_asked_of_one_peer_and_the_rest_waits_its_turn() {
    let (mut machine, mut next, now) = (bodies(&[1]), 0, Millis(1));
    let mut asked = Vec::new();
    for number in 0..60 {
        let steps = machine.want(&header(1, number), peer(1), now);
        asked.extend(asks(&mut machine, steps, &mut next, now));
    }
    assert_eq!(asked.len(), limits::BODY_REQUESTS_PER_PEER);
    let steps = machine.answered(asked[0].2, Answer::Body, now);
    let steps = settle(&mut machine, steps, now);
    assert_eq!(asks(&mut machine, steps, &mut next, now).len(), 1);
    let steps = machine.disconnected(&peer(1), now);
    let steps = settle(&mut machine, steps, now);
    assert!(asks(&mut machine, steps, &mut next, now).is_empty());
    assert_eq!(machine.active(), 1, "only the one that is being opened");
}

#[test]
fn one_author_has_so_many_unresolved_and_is_itself_again_later() {
    let (mut machine, mut next, now) = (bodies(&[1]), 0, Millis(1));
    let author = Identity::numbered(1).key.public();
    for number in 0..limits::UNRESOLVED_BODIES_PER_AUTHOR as u32 {
        assert!(machine.may_want(&author) && !machine.is_overdrawn(&author));
        let steps = machine.want(&header(1, number), peer(1), now);
        let mut open = asks(&mut machine, steps, &mut next, now);
        while let Some((_, _, ticket)) = open.pop() {
            let steps = machine.answered(ticket, Answer::Nothing, now);
            open.extend(asks(&mut machine, steps, &mut next, now));
        }
    }
    assert!(
        machine.may_want(&author),
        "a missing body is not in the way of another one"
    );
    assert!(machine.is_overdrawn(&author));
    // The store knows of further ones.
    let most = machine.unresolved();
    for number in 1_000..1_010 {
        let steps = machine.want(&header(1, number), peer(1), now);
        let ticket = asks(&mut machine, steps, &mut next, now)[0].2;
        machine.answered(ticket, Answer::Nothing, now);
        assert_eq!(machine.unresolved(), most);
    }
    machine.tick(now + limits::MISSING_COUNTS);
    assert!(!machine.is_overdrawn(&author));
    assert_eq!((machine.unresolved(), machine.next_wake()), (0, None));
}

#[test]
fn a_push_is_waited_for() {
    let (mut machine, mut next, now) = (Bodies::default(), 0, Millis(1));
    let author = Identity::numbered(1);
    machine.connected(&peer(1), Some(author.key.public()));
    let wanted = header(1, 1);
    assert!(machine.want(&wanted, peer(1), now).is_empty());
    assert!(machine.tick(Millis(limits::PUSH_WAIT.0)).is_empty());
    let steps = machine.tick(now + limits::PUSH_WAIT + Millis(20));
    assert_eq!(asks(&mut machine, steps, &mut next, now).len(), 1, "it did not come");
}

#[test]
fn one_body_resolves_every_record_that_names_it() {
    let (mut machine, mut next, now) = (bodies(&[1, 2]), 0, Millis(1));
    let (one, two) = (header(1, 1), header(2, 1));
    assert_eq!(one.body_digest, two.body_digest);
    let steps = machine.want(&one, peer(1), now);
    let asked = asks(&mut machine, steps, &mut next, now);
    assert!(machine.want(&two, peer(2), now).is_empty());
    assert_eq!(machine.asked(&peer(2), 900, one.body_digest, now).0, Serving::Wait);
    machine.answered(asked[0].2, Answer::Body, now);
    assert_eq!(machine.headers(&one.body_digest).len(), 2);
    // The first record's header lies about the body; the second one's does not.
    assert!(machine.spoiled(one.body_digest, RecordId::of(&one), now).is_empty());
    let steps = machine.done(two.body_digest, RecordId::of(&two), now);
    assert_eq!(
        steps,
        [BodyStep::Serve {
            peer: peer(2),
            ticket: 900,
            digest: one.body_digest
        }]
    );
    assert_eq!(machine.unresolved(), 0);
}

#[test]
fn a_circle_of_waiting_nodes_ends() {
    let mut world = World::new(1, 5);
    let author = Identity::numbered(4);
    world.crash(4);
    [(0, 1), (1, 2), (2, 0), (2, 3)]
        .into_iter()
        .for_each(|(one, two)| world.link(one, two));
    world.run(1_000);
    // The author's own header, whose body nobody has.
    let header = author.header(&names(1, 50), |_| ());
    let payload = codec::encode(&Gossip::Header {
        header: header.signed().clone(),
        body: None,
    });
    author.statements.iter().for_each(|statement| {
        let told = codec::encode(&Gossip::Statements(vec![statement.clone()]));
        (0..4).for_each(|node| world.gossip(node, author.peer(), told.clone()));
    });
    world.gossip(0, author.peer(), payload);
    world.run(1_000);
    assert!(world.nodes[3].store.records.contains_key(&RecordId::of(&header)));
    world.run(60_000);
    assert!((0..4).all(|node| world.body_requests(node) == 0), "every wait ends");
    world.check_honest();
}

proptest! {
    /// Whatever happens in whatever order: the machine stays within its bounds, and forgets what is over.
    #[test]
    fn any_order_of_events_is_harmless(steps in prop::collection::vec((0..10_u8, 0..4_u8, 0..12_u32, 0..500_u64), 0..200)) {
        let mut machine = bodies(&[0, 1, 2]);
        let (mut next, mut now, mut open) = (0, Millis(1), Vec::new());
        let headers: Vec<_> = (0..12).map(|number| header(u64::from(number % 2), number)).collect();
        for (what, who, which, pause) in steps {
            let (whom, header) = (peer(who), &headers[which as usize]);
            let digest = header.body_digest;
            let ticket = open.get(which as usize).map_or(0, |(_, _, ticket)| *ticket);
            let steps = match what {
                0 => machine.want(header, whom, now),
                1 => machine.look_for(header, &[whom], who % 2 == 0, now),
                2 => machine.heard(digest, &whom, now),
                3 => machine.answered(ticket, if who == 0 { Answer::Body } else { Answer::Nothing }, now),
                4 => machine.progress(ticket, now),
                5 => machine.done(digest, RecordId::of(header), now),
                6 => machine.asked(&whom, u64::from(which) + 1_000, digest, now).1,
                7 => machine.disconnected(&whom, now),
                8 => machine.given_up(&whom, u64::from(which) + 1_000, now),
                _ => { machine.connected(&whom, None); machine.mistaken(digest, Some(whom), now) }
            };
            open.extend(asks(&mut machine, steps, &mut next, now));
            now = now + Millis(pause);
            let steps = machine.tick(now);
            open.extend(asks(&mut machine, steps, &mut next, now));
            prop_assert!(machine.next_wake().is_none_or(|at| at > now));
            prop_assert!(machine.unresolved() <= 12 && machine.active() <= machine.unresolved());
        }
        // Every body ends being looked for once nobody is there any more and what is opening was stored.
        for number in 0..4 {
            machine.disconnected(&peer(number), now);
        }
        for header in &headers {
            machine.done(header.body_digest, RecordId::of(header), now);
        }
        prop_assert_eq!(machine.unresolved(), 0);
        prop_assert_eq!(machine.next_wake(), None);
        prop_assert_eq!(machine.active(), 0);
    }
}
