//! Who may be asked while others send, are silent, or are gone: nobody takes everybody else's room.

use super::*;

/// A machine whose peers have shown how long a group of theirs takes, in ms; none for those of which nothing is known.
fn measured(gaps: &[Option<u64>]) -> (Bodies, u64) {
    let peers: Vec<u8> = (1..).take(gaps.len()).collect();
    let (mut machine, mut next, now) = (bodies(&peers), 0, Millis(1));
    for (number, gap) in peers.into_iter().zip(gaps) {
        let Some(gap) = gap else { continue };
        let wanted = header(9, u32::from(number));
        let asked = wants_of(&mut machine, number, [&wanted], &mut next, now);
        let ticket = asked[0].2;
        machine.progress(ticket, now);
        machine.progress(ticket, now + Millis(*gap));
        machine.answered(ticket, Answer::Body, now + Millis(*gap));
        machine.done(wanted.body_digest, RecordId::of(&wanted), now + Millis(*gap));
    }
    (machine, next)
}

/// Wants these of one peer and nobody else, and gives what is asked at once.
fn wants_of<'a>(
    machine: &mut Bodies,
    of: u8,
    headers: impl IntoIterator<Item = &'a Verified<Header>>,
    next: &mut u64,
    now: Millis,
) -> Vec<(Peer, Digest, u64)> {
    let mut asked = Vec::new();
    for header in headers {
        let steps = machine.look_for(header, &[peer(of)], false, now);
        asked.extend(asks(machine, steps, next, now));
    }
    asked
}

const NOW: Millis = Millis(100_000);

#[test]
fn one_that_trickles_keeps_nobody_else_from_being_asked() {
    let (mut machine, mut next) = measured(&[Some(8_000), None]);
    let trickle = wants_of(&mut machine, 1, [&header(1, 0)], &mut next, NOW)[0].2;
    machine.progress(trickle, NOW);
    let headers: Vec<_> = (1..20).map(|number| header(1, number)).collect();
    let mut asked = wants_of(&mut machine, 2, &headers, &mut next, NOW);
    let mut ended = 0;
    while let Some((whom, _, ticket)) = asked.pop() {
        assert_eq!(whom, peer(2));
        let steps = machine.answered(ticket, Answer::Body, NOW);
        let steps = settle(&mut machine, steps, NOW);
        asked.extend(asks(&mut machine, steps, &mut next, NOW));
        ended += 1;
    }
    assert_eq!(ended, headers.len());
}

#[test]
fn silent_ones_fill_no_line() {
    let (mut machine, mut next) = measured(&[Some(90), Some(90), Some(400)]);
    let headers: Vec<_> = (0..40).map(|number| header(1, number)).collect();
    for (of, twenty) in (1..).zip(headers.chunks(20)) {
        assert_eq!(wants_of(&mut machine, of, twenty, &mut next, NOW).len(), 20);
    }
    let wanted = header(2, 100);
    assert!(
        wants_of(&mut machine, 3, [&wanted], &mut next, NOW).is_empty(),
        "they may be about to send"
    );
    let later = NOW + limits::BODY_PATIENCE;
    let steps = machine.tick(later);
    let asked = asks(&mut machine, steps, &mut next, later);
    assert!(asked.iter().any(|(_, digest, _)| *digest == wanted.body_digest));
}

#[test]
fn a_quick_neighbour_does_not_make_the_line_behind_it_look_quick() {
    let (mut machine, mut next) = measured(&[Some(1), Some(500), Some(500), Some(500), Some(500)]);
    let headers: Vec<_> = (0..50).map(|number| header(1, number)).collect();
    let mut asked = Vec::new();
    for (of, ten) in (1..).zip(headers.chunks(10)) {
        asked.push(wants_of(&mut machine, of, ten, &mut next, NOW).len());
    }
    // The quick one's ten count too, while they come: they are over in a moment.
    assert_eq!(asked, [10, 0, 0, 0, 0]);
    let (mut machine, mut next) = measured(&[Some(1), Some(500), Some(500), Some(500), Some(500)]);
    let mut asked = Vec::new();
    for (of, ten) in (1..).zip(headers.chunks(10)).skip(1) {
        asked.push(wants_of(&mut machine, of, ten, &mut next, NOW).len());
    }
    assert_eq!(asked, [3, 3, 2, 0], "three at a time of each, and eight in all");
    // Their groups take their time, and are about to come for as long.
    let (before, later) = (Millis(NOW.0 + 999), Millis(NOW.0 + 1_000));
    let steps = machine.tick(before);
    assert!(asks(&mut machine, steps, &mut next, before).is_empty());
    let steps = machine.tick(later);
    assert!(!asks(&mut machine, steps, &mut next, later).is_empty());
}

#[test]
fn whoever_waits_longest_is_served_first() {
    let (mut machine, mut next) = measured(&[Some(60_000), Some(60_000)]);
    let open = wants_of(&mut machine, 2, [&header(1, 0)], &mut next, NOW)[0].2;
    let (first, second) = (header(1, 1), header(1, 2));
    assert!(wants_of(&mut machine, 2, [&first], &mut next, NOW).is_empty());
    assert!(wants_of(&mut machine, 1, [&second], &mut next, NOW).is_empty());
    let steps = machine.answered(open, Answer::Body, NOW);
    let steps = settle(&mut machine, steps, NOW);
    let asked = asks(&mut machine, steps, &mut next, NOW);
    assert_eq!((asked.len(), asked[0].1), (1, first.body_digest));
}

#[test]
fn a_long_line_is_gone_through_in_parts() {
    let (mut machine, mut next) = measured(&[Some(60_000), Some(2_500)]);
    let full = wants_of(&mut machine, 1, [&header(1, 0)], &mut next, NOW);
    let open = wants_of(&mut machine, 2, [&header(1, 500)], &mut next, NOW);
    assert_eq!((full.len(), open.len()), (1, 1));
    let many: Vec<_> = (1..150).map(|number| header(1, number)).collect();
    assert!(wants_of(&mut machine, 1, &many, &mut next, NOW).is_empty());
    let last = header(1, 501);
    assert!(wants_of(&mut machine, 2, [&last], &mut next, NOW).is_empty());
    // Nothing of what stands before it can be asked for.
    machine.answered(open[0].2, Answer::Body, NOW);
    let asked: Vec<usize> = (0..4)
        .map(|_| {
            let steps = machine.tick(NOW);
            asks(&mut machine, steps, &mut next, NOW).len()
        })
        .collect();
    assert_eq!(asked, [0, 0, 1, 0]);
}

#[test]
fn one_slower_than_all_others_has_its_turn_in_the_end() {
    let (mut machine, mut next) = measured(&[Some(5_000), Some(400)]);
    let quick: Vec<_> = (0..2).map(|number| header(1, number)).collect();
    let open = wants_of(&mut machine, 2, &quick, &mut next, NOW);
    let waits = header(1, 2);
    assert!(wants_of(&mut machine, 1, [&waits], &mut next, NOW).is_empty());
    let asked_after = |machine: &mut Bodies, next: &mut u64, after: Millis, ended: u64| {
        let now = NOW + after;
        open.iter()
            .for_each(|(_, _, ticket)| drop(machine.progress(*ticket, now)));
        machine.answered(ended, Answer::Body, now);
        let steps = machine.tick(now);
        asks(machine, steps, next, now)
    };
    // The other goes on sending, and something of it ends now and then.
    let early = asked_after(&mut machine, &mut next, Millis(limits::BODY_WAIT.0 - 1), open[0].2);
    assert_eq!(early, []);
    let more = wants_of(&mut machine, 2, [&header(1, 3)], &mut next, NOW + limits::BODY_WAIT);
    assert_eq!(more.len(), 1);
    let late = asked_after(&mut machine, &mut next, limits::BODY_WAIT, more[0].2);
    assert_eq!((late.len(), late[0].1), (1, waits.body_digest));
}

#[test]
fn the_room_of_one_that_is_gone_is_handed_on() {
    let (mut machine, mut next) = measured(&[Some(60_000), Some(60_000)]);
    // One that the second has not.
    let steps = machine.want(&header(1, 0), peer(2), NOW);
    let ticket = asks(&mut machine, steps, &mut next, NOW)[0].2;
    let steps = machine.answered(ticket, Answer::Nothing, NOW);
    assert_eq!(asks(&mut machine, steps, &mut next, NOW)[0].0, peer(1));
    let waits = header(1, 1);
    assert!(wants_of(&mut machine, 2, [&waits], &mut next, NOW).is_empty());
    let steps = machine.disconnected(&peer(1), NOW);
    let steps = settle(&mut machine, steps, NOW);
    let asked = asks(&mut machine, steps, &mut next, NOW);
    assert_eq!((asked.len(), asked[0].1), (1, waits.body_digest));
}

#[test]
fn what_waits_for_those_who_are_gone_waits_no_more() {
    let (mut machine, mut next) = measured(&[Some(60_000), Some(60_000)]);
    wants_of(&mut machine, 1, [&header(1, 0)], &mut next, NOW);
    assert!(wants_of(&mut machine, 2, [&header(1, 1)], &mut next, NOW).is_empty());
    for number in [2, 1] {
        let steps = machine.disconnected(&peer(number), NOW);
        assert_eq!(settle(&mut machine, steps, NOW), []);
    }
    assert_eq!((machine.unresolved(), machine.next_wake()), (0, None));
}

#[test]
fn three_that_hold_a_body_back_keep_nobody_from_the_fourth() {
    let (mut machine, mut next) = (bodies(&[1, 2, 3, 4]), 0);
    let wanted = header(1, 1);
    let steps = machine.want(&wanted, peer(1), NOW);
    let mut asked = asks(&mut machine, steps, &mut next, NOW);
    let mut now = NOW;
    while asked.len() < limits::ASKS_PER_BODY {
        now = machine.next_wake().expect("a second and a third are asked");
        let steps = machine.tick(now);
        asked.extend(asks(&mut machine, steps, &mut next, now));
    }
    assert!(now < NOW + Millis(1_000));
    let until = NOW + limits::BODY_PATIENCE_SLOW;
    while machine.next_wake().is_some_and(|at| at < until) {
        now = machine.next_wake().expect("it has something to do");
        let steps = machine.tick(now);
        assert!(asks(&mut machine, steps, &mut next, now).is_empty(), "three are enough");
    }
    assert_eq!(machine.next_wake(), Some(until));
    let steps = machine.tick(until);
    assert_eq!(asks(&mut machine, steps, &mut next, until).len(), 1);
}
