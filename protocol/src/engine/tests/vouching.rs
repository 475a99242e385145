//! Whom organisations vouch for, and what a node makes of it: its records rise and fall with what is said.

use starfish_crypto::{Digest, Strict};

use crate::{
    engine::port::{Command, Deed, DisconnectReason, Input, Outcome, Refusal},
    exercise::{
        Identity, World,
        identity::{BEGIN, addresses},
    },
    statement::{Endorsement, Statement},
    time::Millis,
    trust::{Origin, Pin, Reason, Root, web::Question},
};

const DAY: u64 = 86_400_000;

/// Nodes 0 - 1 - 2 - 3 - 4 in a row. All but node 0 list everybody; node 0 has entered the organisation of node 1, with two
/// introductions. Each of them has written one value.
fn row() -> World {
    let mut world = World::new(31, 5);
    world.nodes[0].listed.clear();
    world.start(0);
    enter(&mut world, 1, 120, 2);
    for node in 1..5 {
        world.link(node - 1, node);
    }
    for node in 1..5 {
        world.publish(node, vec![addresses(node as u32, 1)]);
    }
    world.run(5_000);
    world
}

fn enter(world: &mut World, node: usize, amount: u8, depth: u8) {
    let root = Root {
        amount,
        depth,
        ..Root::paired(world.nodes[node].identity.org)
    };
    world.command(0, Command::SetRoot(root));
}

/// Node `from` vouches for node `to`.
fn vouched(world: &World, from: usize, to: usize, change: impl FnOnce(&mut Endorsement)) -> Statement {
    let subject = world.nodes[to].identity.org;
    world.nodes[from].identity.vouches_for(subject, change)
}

fn tell(world: &mut World, node: usize, statements: &[Statement]) {
    let checked = statements
        .iter()
        .map(|told| told.clone().check(&Strict).expect("it holds"));
    world.command(node, Command::Tell(checked.collect()));
}

/// Whose values node 0 shows.
fn believed(world: &World) -> Vec<usize> {
    let shown = world.nodes[0].store.shown();
    let wrote = |node: &usize| shown.contains(&addresses(*node as u32, 1).body.observables()[0]);
    (1..5).filter(wrote).collect()
}

#[test]
fn more_than_one_message_holds_is_told_in_several() {
    let mut world = World::new(32, 2);
    world.link(0, 1);
    world.run(1_000);
    let mut chain: Vec<Statement> = Vec::new();
    for number in 0..400 {
        let prev = chain.last().map_or(Digest::ZERO, Statement::id);
        let place = |says: &mut Endorsement| (says.seq, says.prev) = (number, prev);
        let subject = Identity::numbered(1_000 + number).org;
        chain.push(world.nodes[0].identity.vouches_for(subject, place));
    }
    assert!(crate::codec::encode(&chain).len() > crate::wire::GOSSIP_BYTES);
    tell(&mut world, 0, &chain);
    // Long before the next comparison.
    world.run(1_000);
    let held = &world.nodes[1].store.statements;
    assert_eq!(chain.iter().filter(|told| held.contains(told)).count(), 400);
}

#[test]
fn a_chain_is_believed_as_deep_as_it_was_entered() {
    let mut world = row();
    assert_eq!(believed(&world), [1]);
    let chain = [
        vouched(&world, 1, 2, |says| (says.amount, says.depth) = (100, 1)),
        vouched(&world, 2, 3, |says| (says.amount, says.depth) = (80, 1)),
        vouched(&world, 3, 4, |_| ()),
    ];
    tell(&mut world, 4, &chain);
    assert!(world.run_until(120_000, |world| believed(world) == [1, 2, 3]));
    world.run(120_000);
    assert_eq!(believed(&world), [1, 2, 3], "the fourth is one introduction too far");
    world.check_honest();
    // What a start reads is what was said.
    world.start(0);
    world.link(0, 1);
    world.run(2_000);
    assert_eq!(believed(&world), [1, 2, 3]);
    let org = world.nodes[3].identity.org;
    let asked = world.command(
        0,
        Command::Explain {
            org,
            question: Question::default(),
        },
    );
    world.run(10);
    let Some(Outcome::Explained(explained)) = world.nodes[0].done.get(&asked) else {
        panic!("it is explained")
    };
    assert_eq!((explained.best, explained.flow.value), (80, 80));
    let path: Vec<_> = (1..4).map(|node| world.nodes[node].identity.org).collect();
    assert_eq!(explained.witness, path);
}

#[test]
fn what_is_said_no_more_lowers_and_says_why() {
    let mut world = row();
    let said = vouched(&world, 1, 2, |_| ());
    tell(&mut world, 1, std::slice::from_ref(&said));
    assert!(world.run_until(60_000, |world| believed(world) == [1, 2]));
    let taken_back = vouched(&world, 1, 2, |says| {
        (says.seq, says.prev, says.amount) = (1, said.id(), 0);
    });
    tell(&mut world, 1, &[taken_back]);
    assert!(world.run_until(60_000, |world| believed(world) == [1]));
    // What was taken back does not come again by being told again.
    tell(&mut world, 0, &[said]);
    world.run(5_000);
    assert_eq!(believed(&world), [1]);
    let subject = world.nodes[2].identity.org.to_string();
    let lines = world.nodes[0].store.audit.iter();
    let told: Vec<Deed> = lines
        .filter(|line| line.subject == subject)
        .map(|line| line.what)
        .collect();
    let expected = [
        Deed::Endorsed,
        Deed::Raised,
        Deed::RightGained,
        Deed::EndorsementEnded,
        Deed::Lowered,
        Deed::RightLost,
    ];
    assert_eq!(told, expected);
    let why = |what: Deed| {
        let line = world.nodes[0].store.audit.iter().find(|line| line.what == what);
        line.map(|line| line.why.clone()).expect("a line")
    };
    assert_eq!(why(Deed::Endorsed), "it vouches 120/0: anything");
    assert!(why(Deed::Raised).ends_with("reaches it: anything"));
    assert_eq!(why(Deed::RightLost), "may no longer connect, be handed on");
}

#[test]
fn what_is_over_ends_at_its_time_and_not_before() {
    let mut world = row();
    let until = Millis(world.wall(0).0 + 600_000);
    let said = vouched(&world, 1, 2, |says| says.not_after = until);
    tell(&mut world, 1, &[said]);
    assert!(world.run_until(60_000, |world| believed(world) == [1, 2]));
    let left = until.0 - world.wall(0).0;
    world.run(left - 1_000);
    assert_eq!(believed(&world), [1, 2]);
    world.run(2_000);
    assert_eq!(believed(&world), [1]);
}

#[test]
fn a_right_that_ended_while_a_node_was_off_is_told_at_its_start() {
    let mut world = row();
    let until = Millis(world.wall(0).0 + 600_000);
    let said = vouched(&world, 1, 2, |says| says.not_after = until);
    tell(&mut world, 1, &[said]);
    assert!(world.run_until(60_000, |world| believed(world) == [1, 2]));
    let orgs: Vec<String> = (0..3).map(|node| world.nodes[node].identity.org.to_string()).collect();
    let told = |world: &World, what: Deed| {
        let of = |org: &String| {
            let lines = world.nodes[0].store.audit.iter();
            lines.filter(|line| line.subject == *org && line.what == what).count()
        };
        orgs.iter().map(of).collect::<Vec<_>>()
    };
    // By the operator's entry, and by the endorsement.
    let gained = [0, 1, 1];
    assert_eq!(told(&world, Deed::RightGained), gained);
    // A start alone is no news of anybody.
    world.start(0);
    world.run(1_000);
    assert_eq!(told(&world, Deed::RightLost), [0, 0, 0]);
    world.crash(0);
    world.run(until.0 - world.wall(0).0 + 1_000);
    world.start(0);
    world.run(1_000);
    assert_eq!(told(&world, Deed::RightLost), [0, 0, 1]);
    // What was told once is not told again.
    world.start(0);
    world.run(1_000);
    assert_eq!(told(&world, Deed::RightLost), [0, 0, 1]);
    assert_eq!(told(&world, Deed::RightGained), gained);
}

#[test]
fn what_is_over_tells_no_more_however_many_are_to_be_judged() {
    let mut world = World::new(32, 1);
    let own = world.nodes[0].identity.clone();
    let mut others: Vec<Identity> = (100..150).map(Identity::numbered).collect();
    others.sort_by_key(|other| other.org);
    let until = Millis(world.wall(0).0 + 600_000);
    let mut statements = Vec::new();
    let mut prev = Digest::ZERO;
    for (other, seq) in others.iter().zip(0..) {
        // Only the last is told, and it is judged last.
        let told = seq == 49;
        let said = own.vouches_for(other.org, |says| {
            (says.seq, says.prev, says.not_after, says.receive_green) = (seq, prev, until, told);
        });
        prev = said.id();
        statements.extend(other.statements.iter().cloned().chain([said]));
    }
    for told in statements.chunks(50) {
        tell(&mut world, 0, told);
    }
    world.run(1_000);
    assert!(world.nodes[0].confided.iter().eq([&others[49].key.public()]));
    // One step at the moment at which it is over.
    world.nodes[0].skew = 600_000;
    world.feed(0, Input::Woken);
    assert!(world.nodes[0].confided.is_empty());
}

#[test]
fn a_right_that_is_lost_closes_the_connection() {
    let mut world = row();
    assert!(world.linked(0, 1));
    let org = world.nodes[1].identity.org;
    world.command(
        0,
        Command::Pin {
            org,
            pin: Some(Pin::Bad),
        },
    );
    assert!(!world.linked(0, 1));
    let peer = world.nodes[1].identity.peer();
    let left = (peer, DisconnectReason::Distrusted);
    assert!(world.nodes[0].disconnected.contains(&left));
    world.run(100);
    assert!(believed(&world).is_empty());
    // It is a guest from then on, and the decision outlives the process.
    world.start(0);
    world.link(0, 1);
    world.run(5_000);
    assert!(world.linked(0, 1));
    assert!(believed(&world).is_empty());
    world.command(0, Command::Pin { org, pin: None });
    assert!(world.run_until(60_000, |world| believed(world) == [1]));
}

#[test]
fn the_operator_sees_what_was_entered() {
    let mut world = row();
    let trusted = |world: &mut World| {
        let asked = world.command(0, Command::Trusted);
        world.run(10);
        match world.nodes[0].done.remove(&asked) {
            Some(Outcome::Trusted(trusted)) => *trusted,
            other => panic!("{other:?}"),
        }
    };
    let org = world.nodes[1].identity.org;
    let seen = trusted(&mut world);
    assert_eq!(seen.roots.len(), 1);
    assert_eq!((seen.roots[0].0, seen.roots[0].1.depth), (Origin::Entered, 2));
    let entered = seen.organisations.iter().find(|trusted| trusted.org == org);
    assert_eq!(
        entered.map(|trusted| trusted.verdict.reason),
        Some(Reason::Root(Origin::Entered))
    );
    let own = world.nodes[0].identity.org;
    let check = |world: &mut World, command: Command, expected: Outcome| {
        let ticket = world.command(0, command);
        world.run(100);
        assert_eq!(world.nodes[0].done.get(&ticket), Some(&expected));
    };
    let refused = |why: Refusal| Outcome::Refused(why);
    check(&mut world, Command::SetRoot(Root::paired(own)), refused(Refusal::Root));
    for (amount, depth) in [(0, 0), (121, 0), (60, 8)] {
        let root = Root {
            amount,
            depth,
            ..Root::paired(org)
        };
        check(&mut world, Command::SetRoot(root), refused(Refusal::Root));
    }
    let pin = Some(Pin::Bad);
    check(&mut world, Command::Pin { org: own, pin }, refused(Refusal::Root));
    check(&mut world, Command::RemoveRoot(own), refused(Refusal::NotTrusted));
    check(&mut world, Command::RemoveRoot(org), Outcome::Done);
    check(&mut world, Command::RemoveRoot(org), refused(Refusal::NotTrusted));
    world.run(100);
    assert!(believed(&world).is_empty());
    assert_eq!(trusted(&mut world).roots, []);
}

#[test]
fn everybody_is_judged_however_many_one_word_concerns() {
    let mut world = row();
    let hub = world.nodes[1].identity.clone();
    let others: Vec<Identity> = (100..300).map(Identity::numbered).collect();
    let mut prev = Digest::ZERO;
    let mut statements = Vec::new();
    for (other, seq) in others.iter().zip(0..) {
        let said = hub.vouches_for(other.org, |says| (says.seq, says.prev) = (seq, prev));
        prev = said.id();
        statements.extend([other.statements[0].clone(), said]);
    }
    for told in statements.chunks(50) {
        tell(&mut world, 0, told);
    }
    world.run(2_000);
    let raised = |world: &World| {
        let judged = world.nodes[0].store.judged();
        judged.iter().filter(|(_, acceptance)| !acceptance.is_nothing()).count()
    };
    assert_eq!(raised(&world), 202, "they, the hub, and this node's own");
    // Without the hub all of them fall.
    world.command(0, Command::RemoveRoot(hub.org));
    world.run(2_000);
    assert_eq!(raised(&world), 1);
    assert!(world.wall(0) < Millis(BEGIN.0 + DAY));
}

#[test]
fn a_place_is_kept_as_long_as_somebody_vouches_or_the_operator_names_it() {
    let mut world = row();
    let org = world.nodes[2].identity.org;
    let matters = |world: &World| world.engine(0).roster.matters(&org);
    assert!(!matters(&world));
    let said = vouched(&world, 1, 2, |says| says.amount = 1);
    tell(&mut world, 1, std::slice::from_ref(&said));
    assert!(world.run_until(60_000, matters));
    let taken_back = vouched(&world, 1, 2, |says| {
        (says.seq, says.prev, says.amount) = (1, said.id(), 0);
    });
    tell(&mut world, 1, &[taken_back]);
    assert!(world.run_until(60_000, |world| !matters(world)));
    let check = |world: &mut World, command: Command, expected: bool| {
        world.command(0, command);
        world.run(100);
        assert_eq!(matters(world), expected);
    };
    check(&mut world, Command::Trust(org), true);
    check(&mut world, Command::SetRoot(Root::paired(org)), true);
    check(&mut world, Command::Distrust(org), false);
    check(&mut world, Command::SetRoot(Root::paired(org)), true);
    check(&mut world, Command::RemoveRoot(org), false);
    let pin = |pin| Command::Pin { org, pin };
    check(&mut world, pin(Some(Pin::Bad)), true);
    check(&mut world, pin(None), false);
    let own = world.nodes[0].identity.org;
    world.command(0, Command::Distrust(own));
    assert!(world.engine(0).roster.matters(&own));
}
