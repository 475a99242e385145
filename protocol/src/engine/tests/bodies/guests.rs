//! What guests, strangers and those who come and go cannot do to the bodies of everybody else.

use super::*;

const NOW: Millis = Millis(100_000);

/// What is asked in turn when nobody has it.
fn asked_in_turn(machine: &mut Bodies, wanted: &Verified<Header>, answer: Answer, now: Millis) -> Vec<Peer> {
    let (mut next, mut order) = (0, Vec::new());
    let steps = machine.look_for(wanted, &[], true, now);
    let mut asked = asks(machine, steps, &mut next, now);
    while let Some((whom, _, ticket)) = asked.pop() {
        order.push(whom);
        let steps = machine.answered(ticket, answer, now);
        asked.extend(asks(machine, steps, &mut next, now));
    }
    order
}

#[test]
fn those_who_are_here_by_right_are_asked_before_any_guest() {
    let numbers: Vec<u8> = (1..=24).collect();
    let mut machine = bodies(&numbers);
    let by_right = |number: u8| number > 20;
    for number in &numbers {
        machine.stands(&peer(*number), by_right(*number), false);
    }
    for number in 0..20 {
        let order = asked_in_turn(&mut machine, &header(1, number), Answer::Nothing, NOW);
        let first = &order[..4];
        let members: Vec<Peer> = (21..=24).map(peer).collect();
        assert!(members.iter().all(|member| first.contains(member)), "{first:?}");
        // Guests are asked then, some of them.
        assert_eq!(order.len(), 2 * limits::PROVIDERS_PER_BODY);
    }
}

#[test]
fn of_many_not_always_the_same_are_asked() {
    let numbers: Vec<u8> = (1..=20).collect();
    let mut machine = bodies(&numbers);
    for number in &numbers {
        machine.stands(&peer(*number), true, false);
    }
    let (mut all, mut now) = (std::collections::BTreeSet::new(), NOW);
    for _ in 0..20 {
        let order = asked_in_turn(&mut machine, &header(1, 1), Answer::Nothing, now);
        assert_eq!(order.len(), limits::PROVIDERS_PER_BODY);
        all.extend(order);
        now = now + limits::EXPIRE_EVERY;
    }
    assert_eq!(all.len(), numbers.len());
}

#[test]
fn one_that_is_busy_is_asked_again() {
    let check = |answer: Answer, again: usize| {
        let mut machine = bodies(&[1]);
        assert_eq!(asked_in_turn(&mut machine, &header(1, 1), answer, NOW), [peer(1)]);
        assert_eq!(machine.unresolved(), again);
        let (later, mut next) = (NOW + limits::BODY_AGAIN, 100);
        let steps = machine.tick(later);
        assert_eq!(asks(&mut machine, steps, &mut next, later).len(), again);
    };
    check(Answer::Busy, 1);
    check(Answer::Nothing, 0);
}

#[test]
fn the_way_counts_until_a_body_begins_to_come() {
    let (mut machine, mut next) = (bodies(&[1, 2]), 0);
    machine.round_trip(&peer(1), Millis(1_400));
    let steps = machine.want(&header(1, 1), peer(1), NOW);
    let ticket = asks(&mut machine, steps, &mut next, NOW)[0].2;
    assert!(machine.tick(NOW + limits::BODY_PATIENCE).is_empty(), "it is far");
    machine.progress(ticket, NOW + limits::BODY_PATIENCE);
    let later = NOW + limits::BODY_PATIENCE + limits::BODY_PATIENCE;
    let steps = machine.tick(later);
    let asked = asks(&mut machine, steps, &mut next, later);
    assert_eq!(
        asked.iter().map(|(whom, ..)| whom.clone()).collect::<Vec<_>>(),
        [peer(2)]
    );
}

#[test]
fn strangers_leave_half_of_the_room() {
    let (mut machine, mut next) = (bodies(&[1]), 0);
    let authors = limits::UNRESOLVED_BODIES / 2 / limits::UNRESOLVED_BODIES_PER_AUTHOR;
    let each = limits::UNRESOLVED_BODIES_PER_AUTHOR as u32;
    for author in 0..authors as u32 {
        for number in author * each..(author + 1) * each {
            assert!(machine.has_room_for_strangers());
            let steps = machine.want(&header(author.into(), number), peer(1), NOW);
            asks(&mut machine, steps, &mut next, NOW);
        }
    }
    assert!(!machine.has_room_for_strangers());
    assert!(machine.may_want(&header(900, 0).author), "others have theirs");
}
