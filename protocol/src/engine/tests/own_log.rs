//! This node's own log: never a number twice, whatever was lost.

use crate::{
    codec,
    engine::port::{Command, Event, Outcome, Refusal},
    exercise::{
        Identity, World,
        identity::{BEGIN, addresses, names, topic},
    },
    limits,
    record::{Body, RecordId, Withdrawal, seal_body},
    time::Millis,
    wire::{Gossip, Request, Response},
};

fn refusal(world: &World, node: usize, ticket: u64) -> Option<Refusal> {
    match world.nodes[node].done.get(&ticket) {
        Some(Outcome::Refused(refusal)) => Some(refusal.clone()),
        _ => None,
    }
}

#[test]
fn an_old_store_opens_a_new_epoch_behind_the_tail_that_others_hold() {
    let mut world = World::new(1, 3);
    world.link(0, 1);
    world.link(1, 2);
    world.run(500);
    world.publish(0, vec![addresses(1, 1)]);
    world.run(1_000);
    let backup = world.nodes[0].store.clone();
    world.publish(0, vec![addresses(2, 1), addresses(3, 1)]);
    world.run(1_000);
    world.crash(0);
    world.nodes[0].store = backup;
    world.start(0);
    world.link(0, 1);
    // At once: it waits until a peer has shown what it holds.
    let ticket = world.publish(0, vec![addresses(4, 1)]);
    assert!(world.run_until(120_000, World::agrees));
    let record = world.published(0, ticket)[0];
    let opened = &world.nodes[2].store.records[&record].header;
    let tail = world.nodes[2]
        .store
        .records
        .values()
        .find(|stored| stored.header.seq == 2)
        .expect("the tail is held");
    assert_eq!((opened.seq, opened.prev), (0, RecordId::of(&tail.header).digest()));
    assert!(opened.epoch > tail.header.epoch);
    let adopted = |event: &Event| matches!(event, Event::EpochOpened { adopted: true, .. });
    assert!(world.nodes[0].events.iter().any(adopted));
    assert_eq!(world.nodes[0].store.shown().len(), 4);
    assert!(world.nodes.iter().all(|node| node.store.frozen.is_empty()));
    world.check_honest();
}

#[test]
fn a_restored_node_trusts_no_single_peer_to_know_everything() {
    let mut world = World::new(8, 3);
    world.link(0, 1);
    world.run(500);
    world.publish(0, vec![addresses(1, 1)]);
    world.run(1_000);
    let backup = world.nodes[0].store.clone();
    world.publish(0, vec![addresses(2, 1)]);
    world.run(1_000);
    world.crash(0);
    (world.nodes[0].store, world.nodes[0].safe_mode) = (backup, true);
    world.start(0);
    // The third node has never heard of any of it.
    world.link(0, 2);
    world.run(1_000);
    let ticket = world.publish(0, vec![addresses(3, 1)]);
    world.run(1_000);
    assert_eq!(world.published(0, ticket).len(), 1);
    world.link(0, 1);
    assert!(world.run_until(120_000, World::agrees));
    assert_eq!(world.nodes[2].store.shown().len(), 3);
    assert!(world.nodes.iter().all(|node| node.store.frozen.is_empty()));
    world.check_honest();
}

#[test]
fn without_a_peer_a_new_epoch_begins_after_a_short_wait() {
    let mut world = World::new(2, 2);
    world.link(0, 1);
    world.run(500);
    world.publish(0, vec![addresses(1, 1)]);
    world.run(1_000);
    world.start(0);
    let ticket = world.publish(0, vec![addresses(2, 1)]);
    let Some((record, _)) = world.nodes[0].store.records.first_key_value() else {
        panic!("one record")
    };
    let withdrawal = Command::Withdraw {
        record: *record,
        observables: Vec::new(),
        reason: "old".into(),
    };
    let withdrawn = world.command(0, withdrawal);
    world.run(limits::COMPARE_WAIT.0 - 100);
    assert!(!world.nodes[0].done.contains_key(&ticket) && !world.nodes[0].done.contains_key(&withdrawn));
    world.run(200);
    assert_eq!(world.published(0, ticket).len(), 1);
    assert_eq!(world.published(0, withdrawn).len(), 1);
    let epochs: Vec<_> = world.nodes[0]
        .store
        .heads()
        .iter()
        .map(|head| (head.log.epoch, head.seq))
        .collect();
    assert_eq!(epochs.len(), 2);
    assert_eq!(epochs[1].1, 1, "one new epoch for both");
}

#[test]
fn a_peer_that_holds_no_more_lets_the_log_go_on() {
    let mut world = World::new(3, 2);
    world.link(0, 1);
    world.run(500);
    world.publish(0, vec![addresses(1, 1)]);
    world.run(1_000);
    world.start(0);
    world.link(0, 1);
    let ticket = world.publish(0, vec![addresses(2, 1)]);
    world.run(1_000);
    let record = world.published(0, ticket)[0];
    assert_eq!(world.nodes[0].store.records[&record].header.seq, 1);
}

#[test]
fn a_guest_neither_ends_the_comparison_nor_forces_an_epoch() {
    let mut world = World::new(4, 2);
    world.link(0, 1);
    world.run(500);
    let first = world.publish(0, vec![addresses(1, 1)]);
    world.run(1_000);
    let log = world.nodes[0].store.records[&world.published(0, first)[0]].header.log();
    world.start(0);
    let guest = Identity::numbered(8);
    world.connect(0, &guest);
    let ticket = world.publish(0, vec![addresses(2, 1)]);
    let (_, hello, _) = world.nodes[0].asked.last().cloned().expect("it introduces itself");
    let greeting = crate::wire::Hello {
        community: crate::exercise::identity::community(),
        statements: guest.statements.clone(),
        topics: Vec::new(),
        tlds: Vec::new(),
        records: 0,
        wall: world.wall(0),
    };
    world.respond(0, hello, Response::Hello(greeting));
    let (_, frontier, request) = world.nodes[0].asked.last().cloned().expect("it compares");
    assert!(matches!(request, Request::Frontier { .. }));
    let head = crate::wire::Head {
        log,
        seq: 99,
        id: starfish_crypto::Digest::ZERO,
    };
    let cursor = crate::wire::Cursor {
        life: 1,
        change: 1,
        green: 0,
    };
    let statements = starfish_crypto::Digest::ZERO;
    world.respond(
        0,
        frontier,
        Response::Heads {
            heads: vec![head],
            cursor,
            more: false,
            statements,
        },
    );
    world.run(1_000);
    assert!(!world.nodes[0].done.contains_key(&ticket), "a guest is no witness");
    world.link(0, 1);
    world.run(1_000);
    let record = world.published(0, ticket)[0];
    assert_eq!(world.nodes[0].store.records[&record].header.seq, 1, "nor is its claim");
}

#[test]
fn a_ninth_opening_in_a_day_is_refused_before_others_refuse_it() {
    let mut world = World::new(5, 2);
    for number in 0..limits::EPOCHS_PER_DAY as u32 {
        world.start(0);
        let ticket = world.publish(0, vec![addresses(number, 1)]);
        world.run(limits::COMPARE_WAIT.0 + 1_000);
        assert_eq!(world.published(0, ticket).len(), 1, "opening {number}");
    }
    world.start(0);
    let ticket = world.publish(0, vec![addresses(99, 1)]);
    world.run(limits::COMPARE_WAIT.0 + 1_000);
    assert_eq!(refusal(&world, 0, ticket), Some(Refusal::TooManyEpochs));
    // A peer that shows that nothing is missing makes it unnecessary.
    world.start(0);
    world.link(0, 1);
    let ticket = world.publish(0, vec![addresses(100, 1)]);
    assert!(world.run_until(60_000, World::agrees));
    assert_eq!(world.published(0, ticket).len(), 1);
    world.check_honest();
}

#[test]
fn a_stolen_key_freezes_its_log() {
    let mut world = World::new(6, 2);
    world.link(0, 1);
    world.run(500);
    let ticket = world.publish(0, vec![addresses(1, 1)]);
    world.run(1_000);
    let real = world.nodes[0].store.records[&world.published(0, ticket)[0]]
        .header
        .clone();
    let thief = world.nodes[0].identity.clone();
    let forged = thief.header(&addresses(2, 1), |header| {
        (header.epoch, header.created_at) = (real.epoch, real.created_at)
    });
    let payload = codec::encode(&Gossip::Header {
        header: forged.signed().clone(),
        body: None,
    });
    world.gossip(1, thief.peer(), payload);
    world.run(1_000);
    let ticket = world.publish(0, vec![addresses(3, 1)]);
    assert_eq!(refusal(&world, 0, ticket), Some(Refusal::Frozen));
}

#[test]
fn what_nobody_would_take_is_not_written() {
    let mut world = World::new(7, 1);
    let draft = |bodies, lasts: u64| crate::engine::port::Draft {
        tlp: crate::record::Tlp::Clear,
        topic: topic("malware"),
        expires_at: Millis(BEGIN.0.saturating_add(lasts)),
        bodies,
        set: None,
        derived_from: None,
    };
    let check = |world: &mut World, draft, expected: Refusal| {
        let ticket = world.command(0, Command::Publish(draft));
        world.run(100);
        assert_eq!(refusal(world, 0, ticket), Some(expected));
    };
    let day = 86_400_000;
    check(&mut world, draft(vec![addresses(1, 1)], 0), Refusal::Lifetime);
    check(&mut world, draft(vec![addresses(1, 1)], 401 * day), Refusal::Lifetime);
    check(&mut world, draft(vec![addresses(1, 1)], u64::MAX), Refusal::Lifetime);
    check(&mut world, draft(vec![addresses(1, 1); 5_000], day), Refusal::TooLarge);
    let mut large = names(1, 10);
    large.raw_len = u32::MAX;
    check(&mut world, draft(vec![large], day), Refusal::TooLarge);
    let mut empty = names(1, 10);
    empty.raw_len = 0;
    check(&mut world, draft(vec![empty], day), Refusal::Unfit);
    let target = RecordId::from_digest(starfish_crypto::Digest::ZERO);
    let withdrawal = Withdrawal::new(target, Vec::new(), "why".into()).expect("a plain withdrawal");
    check(
        &mut world,
        draft(vec![seal_body(Body::Withdrawal(withdrawal))], day),
        Refusal::Unfit,
    );
    let ticket = world.publish(0, vec![addresses(1, 1)]);
    world.run(100);
    world.published(0, ticket);
    world.nodes[0].skew = -3_600_000;
    check(&mut world, draft(vec![addresses(1, 1)], day), Refusal::ClockBehind);
}

#[test]
fn what_others_would_take_for_forged_or_for_the_future_is_not_written() {
    let check = |skew: i64, linked: bool, expected: Option<Refusal>| {
        let mut world = World::new(11, 2);
        world.nodes[0].skew = skew;
        world.start(0);
        if linked {
            world.link(0, 1);
            world.run(500);
        }
        let ticket = world.publish(0, vec![addresses(1, 1)]);
        world.run(500);
        assert_eq!(refusal(&world, 0, ticket), expected, "{skew} {linked}");
        assert_eq!(world.nodes[0].store.records.is_empty(), expected.is_some());
    };
    let (day, minute) = (86_400_000, 60_000);
    check(51 * day, false, Some(Refusal::Uncertified));
    check(-41 * day, false, Some(Refusal::Uncertified));
    check(11 * minute, true, Some(Refusal::ClockAhead));
    check(9 * minute, true, None);
    check(-60 * minute, true, None);
    check(60 * minute, false, None);
}

#[test]
fn an_epoch_that_was_needed_is_not_forgotten_when_a_record_is_refused() {
    let mut world = World::new(12, 1);
    let ticket = world.publish(0, vec![addresses(1, 1)]);
    world.run(100);
    world.published(0, ticket);
    world.nodes[0].safe_mode = true;
    world.start(0);
    world.nodes[0].skew = 51 * 86_400_000;
    let refused = world.publish(0, vec![addresses(2, 1)]);
    world.run(limits::COMPARE_WAIT.0 + 100);
    assert_eq!(refusal(&world, 0, refused), Some(Refusal::Uncertified));
    world.nodes[0].skew = 0;
    let ticket = world.publish(0, vec![addresses(3, 1)]);
    world.run(1_000);
    let record = world.published(0, ticket)[0];
    assert_eq!(world.nodes[0].store.records[&record].header.seq, 0);
}

#[test]
fn whoever_was_met_may_hold_more_although_nobody_is_trusted_any_more() {
    let check = |met: bool, expected: u64| {
        let mut world = World::new(13, 2);
        for node in 0..2 {
            world.nodes[node].listed.clear();
            world.start(node);
        }
        if met {
            world.link(0, 1);
            world.run(500);
        }
        let ticket = world.publish(0, vec![addresses(1, 1)]);
        world.run(1_000);
        world.published(0, ticket);
        world.start(0);
        let ticket = world.publish(0, vec![addresses(2, 1)]);
        world.run(limits::COMPARE_WAIT.0 + 100);
        let record = world.published(0, ticket)[0];
        assert_eq!(world.nodes[0].store.records[&record].header.seq, expected);
    };
    // Alone from the beginning, the log goes on; otherwise a new epoch begins.
    check(false, 1);
    check(true, 0);
}

#[test]
fn one_peer_that_holds_no_more_is_not_all_of_them() {
    let mut world = World::new(14, 3);
    world.link(0, 1);
    world.run(500);
    world.publish(0, vec![addresses(1, 1)]);
    world.run(1_000);
    let backup = world.nodes[0].store.clone();
    world.publish(0, vec![addresses(2, 1)]);
    world.run(1_000);
    world.crash(0);
    world.nodes[0].store = backup;
    world.start(0);
    // The third node has never heard of any of it, and is quicker than the second.
    world.link(0, 2);
    world.chaos.delay = 400;
    world.link(0, 1);
    world.chaos.delay = 1;
    let ticket = world.publish(0, vec![addresses(3, 1)]);
    assert!(world.run_until(120_000, World::agrees));
    assert_eq!(world.published(0, ticket).len(), 1);
    assert!(world.nodes.iter().all(|node| node.store.frozen.is_empty()));
    world.check_honest();
}

#[test]
fn what_has_expired_is_not_withdrawn() {
    let mut world = World::new(15, 1);
    let ticket = world.publish(0, vec![addresses(1, 2)]);
    world.run(100);
    let record = world.published(0, ticket)[0];
    world.run(864_000_000);
    let ticket = world.command(
        0,
        Command::Withdraw {
            record,
            observables: Vec::new(),
            reason: "too late".into(),
        },
    );
    world.run(100);
    assert_eq!(refusal(&world, 0, ticket), Some(Refusal::Expired));
}
