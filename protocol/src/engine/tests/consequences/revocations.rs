//! Nodes that their organisation revoked: what they wrote before stays, what lies behind is void.

use super::*;
use crate::{
    engine::port::{Event, Outcome},
    exercise::identity::position,
    limits,
    record::LogId,
    statement::{LogPosition, NodeCertificate, Revocation, RevocationReason},
    time::Millis,
    wire::{Hello, Request, Response},
};

/// Node 0 writes six records of one value each, one after the other, and nodes 0 to 2 hold them: 0 - 1 - 2. Nodes 3 and 4
/// are not connected.
fn written() -> World {
    let mut world = World::new(21, 5);
    world.link(0, 1);
    world.link(1, 2);
    for number in 1..=6 {
        world.publish(0, vec![addresses(number, 1)]);
        world.run(500);
    }
    assert!(world.run_until(90_000, |world| shown(world, 2) == 6));
    world
}

/// Where the record of this number of the first log of node 0 stands.
fn place(world: &World, seq: u64) -> LogPosition {
    let (log, _) = log_of(world);
    let id = world.nodes[0].store.logs[&(log, seq)];
    position(&world.nodes[0].store.records[&id].header)
}

/// The log of node 0, and how many records of it node 1 holds.
fn log_of(world: &World) -> (LogId, usize) {
    let (log, _) = *world.nodes[0].store.logs.keys().next().expect("it wrote");
    (log, world.nodes[1].store.logs.len())
}

fn held(world: &World, node: usize) -> usize {
    world.nodes[node].store.logs.len()
}

#[test]
fn what_was_written_before_stays_and_what_lies_behind_vanishes_everywhere() {
    let check = |change: &dyn Fn(&World, &mut Revocation), left: usize, fetched: usize| {
        let mut world = written();
        let author = world.nodes[0].identity.clone();
        let revocation = author.revocation(|revocation| change(&world, revocation));
        // One that holds everything hears of it, and the one behind it.
        tell(&mut world, 1, std::slice::from_ref(&revocation));
        world.run(2_000);
        for node in [1, 2] {
            assert_eq!((shown(&world, node), held(&world, node)), (left, 6), "node {node}");
            assert_eq!(told_of(&world, node, Deed::Revoked), 1);
        }
        assert_eq!(shown(&world, 0), left, "its own node hears of it too");
        // A late joiner, and one that hears the revocation first and then meets the thief alone.
        world.link(2, 3);
        let statements = [author.statements.clone(), vec![revocation]].concat();
        tell(&mut world, 4, &statements);
        world.link(0, 4);
        world.run(120_000);
        for node in [3, 4] {
            assert_eq!(
                (shown(&world, node), held(&world, node)),
                (left, fetched),
                "node {node}"
            );
        }
        // Nothing is left that anybody would ask for again and again.
        let before = world.exchanged;
        world.run(600_000);
        let (bytes, requests) = (world.exchanged.0 - before.0, world.exchanged.1 - before.1);
        assert!(bytes < requests * 400, "{bytes} bytes in {requests} requests");
        // A start changes nothing of it, and says nothing of it again.
        for node in 0..5 {
            let cuts = world.nodes[node].store.cuts.clone();
            let told = told_of(&world, node, Deed::Revoked);
            world.start(node);
            world.run(1_000);
            assert_eq!((&world.nodes[node].store.cuts, shown(&world, node)), (&cuts, left));
            assert_eq!(told_of(&world, node, Deed::Revoked), told);
        }
        world.check_honest();
    };
    let good =
        |seq: u64| move |world: &World, revocation: &mut Revocation| revocation.last_good = vec![place(world, seq)];
    check(&good(2), 3, 3);
    check(&good(0), 1, 1);
    check(&good(5), 6, 6);
    check(&|_, _| (), 0, 0);
    let retired = |_: &World, revocation: &mut Revocation| revocation.reason = RevocationReason::Retired;
    check(&retired, 6, 6);
    // What is good in another log leaves nothing of this one, whichever of them was opened first.
    let epoch = |later: bool| {
        move |world: &World, revocation: &mut Revocation| {
            let mut good = place(world, 2);
            good.epoch = if later {
                good.epoch + Millis(1)
            } else {
                Millis(good.epoch.0 - 1)
            };
            revocation.last_good = vec![good];
        }
    };
    check(&epoch(true), 0, 0);
    check(&epoch(false), 0, 0);
}

#[test]
fn the_order_in_which_it_is_heard_is_nobodys_business() {
    // A later revocation that names the last good record, the one that was signed in advance, the records, a restart.
    let permutations = |mut steps: Vec<usize>| {
        let mut all = Vec::new();
        // Heap's algorithm would be shorter to call and longer to read.
        fn go(chosen: &mut Vec<usize>, left: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
            if left.is_empty() {
                return all.push(chosen.clone());
            }
            for index in 0..left.len() {
                let step = left.remove(index);
                chosen.push(step);
                go(chosen, left, all);
                chosen.pop();
                left.insert(index, step);
            }
        }
        go(&mut Vec::new(), &mut steps, &mut all);
        all
    };
    for order in permutations(vec![0, 1, 2, 3]) {
        let mut world = World::new(22, 2);
        let author = world.nodes[0].identity.clone();
        for number in 1..=6 {
            world.publish(0, vec![addresses(number, 1)]);
            world.run(100);
        }
        let good = place(&world, 3);
        tell(&mut world, 1, &author.statements);
        world.run(100);
        for step in &order {
            match step {
                0 => tell(&mut world, 1, &[author.revocation(|_| ())]),
                1 => {
                    let later = author.revocation(|revocation| {
                        (revocation.seq, revocation.last_good) = (1, vec![good]);
                    });
                    tell(&mut world, 1, &[later]);
                }
                2 => world.link(0, 1),
                _ => world.start(1),
            }
            world.run(3_000);
        }
        world.link(0, 1);
        world.run(120_000);
        assert_eq!(shown(&world, 1), 4, "{order:?}");
        let cuts: Vec<_> = world.nodes[1].store.cuts.values().cloned().collect();
        assert_eq!(cuts, [vec![good]], "{order:?}");
    }
}

#[test]
fn a_revoked_node_is_nobody_any_more() {
    let mut world = written();
    let author = world.nodes[0].identity.clone();
    let views = |world: &mut World| {
        let ticket = world.command(1, Command::Overview);
        match world.nodes[1].done.remove(&ticket) {
            Some(Outcome::Overview(overview)) => overview.peers,
            other => panic!("{other:?}"),
        }
    };
    let is_trusted = |world: &mut World| {
        views(world)
            .iter()
            .any(|view| view.peer == author.peer() && view.trusted)
    };
    assert!(is_trusted(&mut world));
    tell(
        &mut world,
        1,
        &[author.revocation(|revocation| revocation.reason = RevocationReason::Retired)],
    );
    assert!(!is_trusted(&mut world));
    assert!(world.nodes[1].dialled[&author.key.public()].0.is_empty());
    let revoked = |event: &Event| matches!(event, Event::Revoked { ended: true, .. });
    assert!(world.nodes[1].events.iter().any(revoked));
    world.run(1_000);
    // It publishes no more, and nobody takes what it writes all the same.
    let ticket = world.publish(0, vec![addresses(7, 1)]);
    world.run(100);
    assert!(matches!(world.nodes[0].done.get(&ticket), Some(Outcome::Refused(_))));
    world.check_honest();
}

#[test]
fn a_range_ends_with_the_last_good_record() {
    let mut world = written();
    let author = world.nodes[0].identity.clone();
    let good = place(&world, 2);
    tell(
        &mut world,
        1,
        &[author.revocation(|revocation| revocation.last_good = vec![good])],
    );
    world.run(1_000);
    let puppet = Identity::numbered(9);
    world.connect(1, &puppet);
    let (log, _) = log_of(&world);
    let mut ask = |from: u64| {
        let request = Request::Range { log, from, limit: 100 };
        let ticket = world.request(1, puppet.peer(), None, &codec::encode(&request));
        world.run(100);
        match world.nodes[1].answered.remove(&ticket) {
            Some(Response::Headers(headers)) => headers.len(),
            Some(Response::NotHeld) => 0,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!([0, 1, 2, 3, 5].map(&mut ask), [3, 2, 1, 0, 0]);
}

#[test]
fn an_organisation_ends_only_what_was_written_for_it() {
    // Whoever stole the key has it certified by an organisation of their own, and revokes it there.
    let mut world = written();
    let author = world.nodes[0].identity.clone();
    let thief = Identity::numbered(9);
    let (from, to) = (Millis(world.wall(1).0 - 1_000), Millis(world.wall(1).0 + 1_000_000));
    let node = author.key.public();
    let certificate = NodeCertificate::new(thief.org, crate::exercise::identity::community(), node, from, to);
    let certificate = certificate.sign(&[&thief.roots[0]], &author.key).expect("both sign");
    let revocation = Revocation::in_advance(thief.org, 0, node);
    let revocation = revocation.sign(&[&thief.roots[0]]).expect("a plain one");
    tell(&mut world, 1, &[thief.statements[0].clone(), certificate, revocation]);
    world.run(2_000);
    assert_eq!((shown(&world, 1), shown(&world, 2)), (6, 6));
    assert_eq!(told_of(&world, 1, Deed::Revoked), 0, "strangers fill no audit log");
    // The other way round nothing is left, whoever certifies the key besides.
    tell(&mut world, 1, &[author.revocation(|_| ())]);
    world.run(2_000);
    assert_eq!((shown(&world, 1), shown(&world, 2)), (0, 0));
    world.check_honest();
}

#[test]
fn thousands_of_revocations_are_bounded() {
    let mut world = World::new(23, 1);
    let (listed, stranger) = (world.nodes[0].identity.clone(), Identity::numbered(9));
    tell(&mut world, 0, &stranger.statements);
    for of in [&listed, &stranger] {
        let revocations = (0..1_000_u64).map(|number| {
            let node = Identity::numbered(100 + number % 500).key.public();
            of.revocation(|revocation| (revocation.node_key, revocation.seq) = (node, number / 500))
        });
        tell(&mut world, 0, &revocations.collect::<Vec<_>>());
        world.run(5_000);
    }
    let store = &world.nodes[0].store;
    assert!(store.statements.len() <= 2 * limits::REVOCATIONS_PER_ORGANISATION + 8);
    assert!(store.cuts.is_empty(), "no node of these was ever certified");
    assert_eq!(told_of(&world, 0, Deed::Revoked), 0);
}

#[test]
fn what_takes_rights_away_is_not_held_up_by_a_quota() {
    let mut world = World::new(24, 3);
    let (victim, busy) = (Identity::numbered(7), Identity::numbered(8));
    world.link(0, 1);
    world.link(1, 2);
    world.run(5_000);
    // An organisation that nobody vouches for, known all the same.
    tell(&mut world, 0, &victim.statements);
    world.run(2_000);
    world.connect(0, &busy);
    let say = |world: &mut World, statements: &[Statement]| {
        let payload = codec::encode(&Gossip::Statements(statements.to_vec()));
        world.gossip(0, busy.peer(), payload);
    };
    let hello = |statements: Vec<Statement>| Hello {
        community: crate::exercise::identity::community(),
        statements,
        topics: Vec::new(),
        tlds: Vec::new(),
        records: 0,
        wall: crate::exercise::identity::BEGIN,
    };
    for number in 0..limits::STATEMENTS_PER_PEER {
        let stranger = Identity::numbered(1_000 + number);
        let request = Request::Hello(hello(stranger.statements));
        world.request(0, busy.peer(), None, &codec::encode(&request));
    }
    world.run(1_000);
    let holds = |world: &World, statement: &Statement| {
        world
            .nodes
            .iter()
            .filter(|node| node.store.statements.contains(statement))
            .count()
    };
    let other = Identity::numbered(5_000);
    say(&mut world, &other.statements);
    say(&mut world, &[other.revocation(|_| ())]);
    world.run(2_000);
    assert_eq!(
        holds(&world, &other.revocation(|_| ())),
        0,
        "nobody knows whose that is"
    );
    let said = |seq: u64| victim.revocation(|revocation| revocation.seq = seq);
    say(&mut world, &[said(1)]);
    world.run(2_000);
    assert_eq!(holds(&world, &said(1)), 3, "it reaches everyone at once");
    // There is an end to that, too.
    for seq in 2..100 {
        say(&mut world, &[said(seq)]);
    }
    world.run(2_000);
    let last = (1..100)
        .rfind(|seq| holds(&world, &said(*seq)) == 3)
        .expect("one stays");
    // The peer has earned a few more of its own meanwhile.
    let most = limits::URGENT_PER_ORGANISATION;
    assert!((most..2 * most).contains(&last), "{last}");
    world.check_honest();
}

#[test]
fn what_takes_rights_away_comes_first_in_an_answer() {
    let mut world = World::new(26, 1);
    let victim = world.nodes[0].identity.clone();
    let strangers = (100..260).flat_map(|number| Identity::numbered(number).statements);
    tell(&mut world, 0, &strangers.collect::<Vec<_>>());
    let revocation = victim.revocation(|_| ());
    tell(&mut world, 0, std::slice::from_ref(&revocation));
    world.run(1_000);
    let puppet = Identity::numbered(9);
    world.connect(0, &puppet);
    let (mut since, mut pages) = (None, Vec::new());
    loop {
        let about = Vec::new();
        let request = Request::Statements { about, since };
        let ticket = world.request(0, puppet.peer(), None, &codec::encode(&request));
        match world.nodes[0].answered.remove(&ticket) {
            Some(Response::Statements {
                statements,
                cursor,
                more,
            }) => {
                assert!(statements.len() <= limits::STATEMENTS_PER_ANSWER);
                pages.push(statements);
                since = Some(cursor);
                if !more {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pages[0][0], revocation, "it is the last that came");
    let held: std::collections::BTreeSet<_> = world.nodes[0].store.statements.iter().collect();
    let told: std::collections::BTreeSet<_> = pages.iter().flatten().collect();
    assert!(pages.len() > 1 && held.is_subset(&told), "and nothing is left out");
}
