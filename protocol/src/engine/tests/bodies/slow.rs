//! Lines on which a group of a body takes longer than the usual patience, and pushes that take their time.

use super::*;

/// Wants a body of this number from the first peer, and gives the ticket of the request.
fn wanted_of_the_first(machine: &mut Bodies, number: u32, next: &mut u64, now: Millis) -> u64 {
    let steps = machine.want(&header(1, number), peer(1), now);
    asks(machine, steps, next, now)[0].2
}

/// Brings a body whole: a group, another one after this time, and the end of it, which is short.
fn bring(machine: &mut Bodies, ticket: u64, gap: u64, now: Millis) {
    machine.progress(ticket, now);
    machine.progress(ticket, now + Millis(gap));
    machine.answered(ticket, Answer::Body, now + Millis(gap));
}

/// A machine whose peers have each brought a body, group by group.
fn all_as_slow(peers: &[u8], gap: u64) -> (Bodies, u64, Millis) {
    let (mut machine, mut next, now) = (bodies(peers), 0, Millis(1));
    for number in peers {
        let steps = machine.look_for(&header(2, 1_000 + u32::from(*number)), &[peer(*number)], false, now);
        let ticket = asks(&mut machine, steps, &mut next, now)[0].2;
        bring(&mut machine, ticket, gap, now);
    }
    (machine, next, now)
}

#[test]
fn a_slow_line_is_not_taken_for_a_stuck_peer() {
    let check = |gap: u64, patience: u64| {
        let (mut machine, mut next, mut now) = (bodies(&[1, 2, 3]), 0, Millis(1));
        for number in 0..8 {
            let ticket = wanted_of_the_first(&mut machine, number, &mut next, now);
            bring(&mut machine, ticket, gap, now);
            now = now + Millis(gap);
        }
        wanted_of_the_first(&mut machine, 100, &mut next, now);
        assert!(
            machine.tick(Millis(now.0 + patience - 1)).is_empty(),
            "{gap} ms: too early"
        );
        let steps = machine.tick(now + Millis(patience));
        assert_eq!(asks(&mut machine, steps, &mut next, now).len(), 1, "{gap} ms: too late");
    };
    check(0, limits::BODY_PATIENCE.0);
    check(100, limits::BODY_PATIENCE.0);
    check(500, 1_000);
    check(1_500, 3_000);
    check(60_000, limits::BODY_PATIENCE_SLOW.0);
    check(u64::MAX / 64, limits::BODY_PATIENCE_SLOW.0);
}

#[test]
fn bodies_that_come_at_once_share_the_line() {
    let (mut machine, mut next, now) = (bodies(&[1, 2, 3]), 0, Millis(1));
    let ticket = wanted_of_the_first(&mut machine, 1, &mut next, now);
    bring(&mut machine, ticket, 500, now);
    let now = Millis(501);
    let first = wanted_of_the_first(&mut machine, 2, &mut next, now);
    machine.progress(first, now);
    wanted_of_the_first(&mut machine, 3, &mut next, now);
    assert!(
        machine.tick(Millis(now.0 + 1_999)).is_empty(),
        "two of them: twice as long"
    );
    assert!(!machine.tick(now + Millis(2_000)).is_empty());
}

#[test]
fn no_more_are_asked_for_at_once_than_the_line_carries() {
    let check = |gap: u64, expected: usize| {
        let (mut machine, mut next, mut now) = all_as_slow(&[1, 2, 3], gap);
        let mut asked = Vec::new();
        for number in 1..=30 {
            let steps = machine.want(&header(1, number), peer(1), now);
            asked.extend(asks(&mut machine, steps, &mut next, now));
        }
        assert_eq!(asked.len(), expected, "{gap} ms");
        // Each that ends makes room for another, until all have come, and one that may be stuck gets a second beside it.
        let mut ended = 0;
        while let Some((_, digest, ticket)) = asked.pop() {
            now = now + Millis(1);
            let mut steps = machine.answered(ticket, Answer::Body, now);
            let records: Vec<RecordId> = machine.headers(&digest).iter().map(RecordId::of).collect();
            records
                .into_iter()
                .for_each(|record| steps.extend(machine.done(digest, record, now)));
            let steps = settle(&mut machine, steps, now);
            asked.extend(asks(&mut machine, steps, &mut next, now));
            ended += 1;
        }
        assert_eq!(ended, 30, "{gap} ms");
    };
    check(0, 30);
    check(100, 30);
    check(500, 8);
    check(1_500, 3);
    check(60_000, 1);
}

#[test]
fn a_full_line_keeps_nobody_from_a_second_peer() {
    let (mut machine, mut next, now) = all_as_slow(&[1, 2], 60_000);
    wanted_of_the_first(&mut machine, 1, &mut next, now);
    let steps = machine.want(&header(1, 2), peer(1), now);
    assert!(
        asks(&mut machine, steps, &mut next, now).is_empty(),
        "it waits for the first"
    );
    let now = now + limits::BODY_PATIENCE_SLOW;
    let steps = machine.tick(now);
    let asked = asks(&mut machine, steps, &mut next, now);
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].0.clone(), asked[0].1), (peer(2), header(1, 1).body_digest));
}

#[test]
fn who_is_gone_says_nothing_of_the_line() {
    let (mut machine, mut next, now) = (bodies(&[1, 2, 3]), 0, Millis(1));
    let slow = machine.want(&header(1, 1), peer(2), now);
    let slow = asks(&mut machine, slow, &mut next, now)[0].2;
    bring(&mut machine, slow, 500, now);
    let quick = wanted_of_the_first(&mut machine, 2, &mut next, now);
    bring(&mut machine, quick, 0, now);
    let half_way = wanted_of_the_first(&mut machine, 3, &mut next, now);
    machine.progress(half_way, now);
    machine.disconnected(&peer(1), now);
    machine.done(header(1, 3).body_digest, RecordId::of(&header(1, 3)), now);
    let now = Millis(60_000);
    let steps = machine.want(&header(1, 4), peer(2), now);
    asks(&mut machine, steps, &mut next, now);
    assert!(
        machine.tick(Millis(now.0 + 999)).is_empty(),
        "it was quick, and is gone"
    );
    assert!(
        !machine.tick(now + Millis(1_000)).is_empty(),
        "what it was sending is gone too"
    );
}

#[test]
fn a_slow_peer_does_not_make_the_line_look_slow() {
    let (mut machine, mut next, mut now) = (bodies(&[1, 2, 3]), 0, Millis(1));
    let quick = machine.want(&header(1, 1), peer(2), now);
    let quick = asks(&mut machine, quick, &mut next, now)[0].2;
    bring(&mut machine, quick, 10, now);
    for number in 2..8 {
        let ticket = wanted_of_the_first(&mut machine, number, &mut next, now);
        bring(&mut machine, ticket, 1_900, now);
        now = now + Millis(1_900);
    }
    wanted_of_the_first(&mut machine, 100, &mut next, now);
    assert!(!machine.tick(now + limits::BODY_PATIENCE).is_empty());
}

/// A machine whose first peer is the author of bodies numbered 1.
fn beside_the_author() -> Bodies {
    let mut machine = bodies(&[1, 2, 3]);
    machine.connected(&peer(1), Some(Identity::numbered(1).key.public()));
    machine.caught_up(&peer(1));
    machine
}

#[test]
fn nobody_is_asked_while_a_push_goes_on() {
    let (mut machine, mut next, wanted) = (beside_the_author(), 0, header(1, 1));
    assert!(machine.want(&wanted, peer(1), Millis(1)).is_empty());
    for piece in 1..4 {
        let now = Millis(1 + 290 * piece);
        assert!(machine.tick(now).is_empty(), "piece {piece}");
        assert!(machine.pushing(&peer(1), wanted.body_digest, now).is_empty());
    }
    // It stopped: others are asked, after four times as long as its pieces took, and not the author, over whose line it may
    // still come. More pieces than it has are no reason to wait on.
    let now = Millis(1 + 290 * 3 + 4 * 290);
    assert!(
        machine
            .pushing(&peer(1), wanted.body_digest, Millis(now.0 - 1))
            .is_empty()
    );
    assert!(machine.tick(Millis(now.0 - 1)).is_empty());
    let steps = machine.tick(now);
    let asked = asks(&mut machine, steps, &mut next, now);
    assert_ne!(asked[0].0, peer(1));
    assert!(
        machine
            .arrived(wanted.body_digest, now)
            .contains(&BodyStep::Cancel { ticket: asked[0].2 }),
        "it came after all"
    );
}

#[test]
fn a_push_that_begins_late_ends_the_questions_of_the_impatient() {
    let (mut machine, mut next, wanted) = (beside_the_author(), 0, header(1, 1));
    machine.want(&wanted, peer(1), Millis(1));
    let now = Millis(1_000);
    let steps = machine.tick(now);
    let asked = asks(&mut machine, steps, &mut next, now);
    let cancelled = |ticket: u64| vec![BodyStep::Cancel { ticket }];
    assert_eq!(
        machine.pushing(&peer(1), wanted.body_digest, now),
        cancelled(asked[0].2)
    );
    // One that sends already is left to it.
    let now = now + limits::BODY_PATIENCE;
    let steps = machine.tick(now);
    let asked = asks(&mut machine, steps, &mut next, now);
    machine.progress(asked[0].2, now);
    assert!(machine.pushing(&peer(1), wanted.body_digest, now).is_empty());
}

#[test]
fn only_the_author_pushes() {
    let (mut machine, mut next, wanted) = (beside_the_author(), 0, header(1, 1));
    machine.want(&wanted, peer(1), Millis(1));
    let now = Millis(100);
    machine.pushing(&peer(2), wanted.body_digest, now);
    machine.pushing(&peer(1), header(1, 2).body_digest, now);
    let due = machine.next_wake().expect("somebody is asked some time");
    assert!(due < now + limits::PUSH_WAIT, "nothing was put off");
    // Nor does a push keep anybody from looking for what nobody has.
    let mut open = machine.tick(due);
    while let Some((_, _, ticket)) = asks(&mut machine, open, &mut next, due).pop() {
        open = machine.answered(ticket, Answer::Nothing, due);
    }
    let again = machine.next_wake();
    machine.pushing(&peer(1), wanted.body_digest, due);
    assert_eq!(machine.next_wake(), again);
}

#[test]
fn a_push_is_waited_for_also_while_the_store_is_behind() {
    let (mut machine, mut next, wanted) = (beside_the_author(), 0, header(1, 1));
    machine.hold_up(true, Millis(1));
    assert!(machine.want(&wanted, peer(1), Millis(1)).is_empty());
    let steps = machine.hold_up(false, Millis(2));
    assert!(asks(&mut machine, steps, &mut next, Millis(2)).is_empty(), "it comes");
    let due = machine.next_wake().expect("the end of the wait");
    assert!(due >= Millis(1) + limits::PUSH_WAIT);
    let steps = machine.tick(due);
    assert_eq!(asks(&mut machine, steps, &mut next, due).len(), 1);
}
