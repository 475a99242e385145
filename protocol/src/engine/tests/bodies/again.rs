//! Bodies that nobody had, and questions that cross each other.

use super::*;

#[test]
fn what_nobody_had_is_asked_for_again_soon_and_ever_more_seldom() {
    let (mut machine, mut next, mut now) = (bodies(&[1]), 0, Millis(1));
    let wanted = header(1, 1);
    let steps = machine.want(&wanted, peer(1), now);
    let mut open = asks(&mut machine, steps, &mut next, now);
    let mut waits = Vec::new();
    while let Some((_, _, ticket)) = open.pop() {
        assert!(machine.answered(ticket, Answer::Nothing, now).is_empty());
        let wake = machine.next_wake().expect("it is looked for again, or forgotten");
        waits.push(wake.0 - now.0);
        now = wake;
        let steps = machine.tick(now);
        open = asks(&mut machine, steps, &mut next, now);
    }
    let last = waits.pop().expect("the wait until it is forgotten");
    assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000]);
    assert_eq!(last + waits.iter().sum::<u64>(), limits::MISSING_COUNTS.0);
    assert_eq!((machine.unresolved(), machine.next_wake()), (0, None));
}

#[test]
fn what_is_asked_for_again_finds_whoever_has_it_by_then() {
    let (mut machine, mut next, now) = (bodies(&[1, 2]), 0, Millis(1));
    let wanted = header(1, 1);
    let steps = machine.want(&wanted, peer(1), now);
    let first = asks(&mut machine, steps, &mut next, now);
    let steps = machine.answered(first[0].2, Answer::Nothing, now);
    let second = asks(&mut machine, steps, &mut next, now);
    machine.answered(second[0].2, Answer::Nothing, now);
    assert_eq!(
        machine.asked(&peer(2), 900, wanted.body_digest, now).0,
        Serving::NotHeld
    );
    let later = now + limits::BODY_AGAIN;
    let steps = machine.tick(later);
    assert_eq!(
        asks(&mut machine, steps, &mut next, later)[0].0,
        peer(1),
        "who told of it"
    );
    assert_eq!(machine.asked(&peer(2), 901, wanted.body_digest, later).0, Serving::Wait);
}

#[test]
fn questions_that_cross_turn_nobody_away() {
    let (mut machine, mut next, now) = (bodies(&[1, 2]), 0, Millis(1));
    let wanted = header(1, 1);
    let steps = machine.want(&wanted, peer(1), now);
    asks(&mut machine, steps, &mut next, now);
    // The first is slow. The second, asked besides, has nobody but us, and its own question is on its way.
    let later = now + limits::BODY_PATIENCE;
    let steps = machine.tick(later);
    let second = asks(&mut machine, steps, &mut next, later)[0].clone();
    assert_eq!(second.0, peer(2));
    let (serving, steps) = machine.asked(&peer(2), 900, wanted.body_digest, later);
    assert_eq!(
        (serving, steps),
        (Serving::Wait, vec![BodyStep::Cancel { ticket: second.2 }])
    );
    // The first is the only one left: what it asks of us is what we wait for.
    assert_eq!(
        machine.asked(&peer(1), 901, wanted.body_digest, later).0,
        Serving::NotHeld
    );
    let record = RecordId::of(&wanted);
    machine.answered(1, Answer::Body, later);
    let steps = machine.done(wanted.body_digest, record, later);
    let (peer, ticket, digest) = (peer(2), 900, wanted.body_digest);
    assert_eq!(steps, [BodyStep::Serve { peer, ticket, digest }]);
}

/// Two authors publish the same body.
fn same_body() -> (Verified<Header>, Verified<Header>) {
    let sealed = names(1, 40);
    let [one, other] = [1, 2].map(|author| Identity::numbered(author).header(&sealed, |_| ()));
    (one, other)
}

#[test]
fn a_record_that_comes_while_its_body_is_being_opened_gets_it_too() {
    let ((first, late), mut next, now) = (same_body(), 0, Millis(1));
    let digest = first.body_digest;
    // Whether the first one's body is good makes no difference to the other one.
    for good in [true, false] {
        let mut machine = bodies(&[1, 2]);
        let steps = machine.want(&first, peer(1), now);
        let asked = asks(&mut machine, steps, &mut next, now);
        machine.answered(asked[0].2, Answer::Body, now);
        assert_eq!(machine.want(&late, peer(2), now), [], "the bytes are here");
        let record = RecordId::of(&first);
        let steps = if good {
            machine.done(digest, record, now)
        } else {
            machine.spoiled(digest, record, now)
        };
        let again = asks(&mut machine, steps, &mut next, now);
        assert_eq!(again.len(), 1, "somebody is asked again");
        machine.answered(again[0].2, Answer::Body, now);
        machine.done(digest, RecordId::of(&late), now);
        assert_eq!(
            (machine.unresolved(), machine.active(), machine.next_wake()),
            (0, 0, None)
        );
    }
}

#[test]
fn records_that_are_opened_together_end_together() {
    let ((first, second), mut next, now) = (same_body(), 0, Millis(1));
    let mut machine = bodies(&[1, 2]);
    let steps = machine.want(&first, peer(1), now);
    let asked = asks(&mut machine, steps, &mut next, now);
    machine.want(&second, peer(2), now);
    machine.answered(asked[0].2, Answer::Body, now);
    assert_eq!(machine.done(first.body_digest, RecordId::of(&first), now), []);
    machine.done(second.body_digest, RecordId::of(&second), now);
    assert_eq!((machine.unresolved(), machine.active()), (0, 0));
}

#[test]
fn what_is_given_up_waits_no_more() {
    let (mut machine, mut next, now) = (bodies(&[1, 2]), 0, Millis(1));
    let wanted = header(1, 1);
    let steps = machine.want(&wanted, peer(1), now);
    asks(&mut machine, steps, &mut next, now);
    // None of those that are over is in the way of another one.
    for ticket in 900..1_000 {
        assert_eq!(
            machine.asked(&peer(2), ticket, wanted.body_digest, now).0,
            Serving::Wait
        );
        assert_eq!(machine.given_up(&peer(2), ticket, now), [BodyStep::NotHeld { ticket }]);
        assert_eq!(machine.given_up(&peer(2), ticket, now), []);
    }
    // It may have the body by now, and nothing is read for it.
    let later = now + limits::BODY_PATIENCE;
    let steps = machine.tick(later);
    assert_eq!(asks(&mut machine, steps, &mut next, later)[0].0, peer(2));
    machine.answered(1, Answer::Body, later);
    assert_eq!(machine.done(wanted.body_digest, RecordId::of(&wanted), later), []);
}
