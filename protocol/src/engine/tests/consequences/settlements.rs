//! Nodes and organisations that said two things at one place, and what settles it.

use super::*;
use crate::{
    engine::port::Event,
    exercise::identity::BEGIN,
    statement::{CheckedStatement, Freeze, Manifest, Settles},
};

/// Nodes 0 and 1, connected, and an author whom both list.
fn stage() -> (World, Identity) {
    let mut world = World::new(31, 2);
    let author = Identity::numbered(7);
    (0..2).for_each(|node| {
        world.nodes[node].listed.push(author.org);
        world.start(node);
    });
    world.link(0, 1);
    world.run(5_000);
    world.connect(0, &author);
    tell(&mut world, 0, &author.statements);
    world.run(1_000);
    (world, author)
}

fn frozen(world: &World) -> usize {
    world.nodes.iter().filter(|node| !node.store.frozen.is_empty()).count()
}

/// Another record at the place of this one.
fn rival(author: &Identity, of: &Verified<Header>) -> Verified<Header> {
    author.header(&addresses(50, 1), |header| {
        (header.seq, header.prev) = (of.seq, of.prev)
    })
}

#[test]
fn roots_reopen_a_frozen_log() {
    let (mut world, author) = stage();
    let chain = chain(&author, 5);
    for (header, number) in chain.iter().take(3).zip(1..) {
        gossip(&mut world, 0, &author, header, number);
    }
    world.run(1_000);
    gossip(&mut world, 0, &author, &rival(&author, &chain[1]), 50);
    world.run(2_000);
    assert_eq!((frozen(&world), shown(&world, 1)), (2, 3));
    assert_eq!(
        (told_of(&world, 0, Deed::Frozen), told_of(&world, 1, Deed::Frozen)),
        (1, 1)
    );
    gossip(&mut world, 0, &author, &chain[3], 4);
    world.run(2_000);
    assert_eq!(shown(&world, 0), 3, "nothing is taken meanwhile");
    // A place before the fork settles nothing.
    tell(&mut world, 0, &[author.confirms(&chain[0])]);
    world.run(2_000);
    assert_eq!(frozen(&world), 2);
    tell(&mut world, 0, &[author.confirms(&chain[2])]);
    world.run(2_000);
    assert_eq!(frozen(&world), 0);
    assert_eq!(
        (told_of(&world, 0, Deed::Reopened), told_of(&world, 1, Deed::Reopened)),
        (1, 1)
    );
    world.start(1);
    world.link(0, 1);
    // Somebody tells again what was refused.
    world.nodes[0].forget_gossip();
    for (header, number) in chain.iter().skip(3).zip(4..) {
        gossip(&mut world, 0, &author, header, number);
    }
    assert!(world.run_until(90_000, |world| shown(world, 1) == 5 && shown(world, 0) == 5));
    assert_eq!(frozen(&world), 0);
    world.check_honest();
}

#[test]
fn a_fork_below_what_roots_confirmed_is_ignored() {
    let check = |confirmed: &dyn Fn(&Identity, &[Verified<Header>]) -> Statement, at: usize, ignored: bool| {
        let (mut world, author) = stage();
        let chain = chain(&author, 5);
        for (header, number) in chain.iter().zip(1..) {
            gossip(&mut world, 0, &author, header, number);
        }
        world.run(1_000);
        tell(&mut world, 0, &[confirmed(&author, &chain)]);
        world.run(1_000);
        let rival = rival(&author, &chain[at]);
        let proof = CheckedStatement::of_fork(&chain[at], &rival).expect("two histories");
        // Whether it is found here or proved by somebody else.
        gossip(&mut world, 0, &author, &rival, 50);
        tell(&mut world, 1, &[proof.statement().clone()]);
        world.run(2_000);
        assert_eq!(frozen(&world), if ignored { 0 } else { 2 }, "{at}");
        world.check_honest();
    };
    let resolution = |author: &Identity, chain: &[Verified<Header>]| author.confirms(&chain[3]);
    let revocation = |author: &Identity, chain: &[Verified<Header>]| {
        author.revocation(|revocation| revocation.last_good = vec![crate::exercise::identity::position(&chain[3])])
    };
    check(&resolution, 1, true);
    check(&resolution, 3, true);
    check(&resolution, 4, false);
    check(&revocation, 1, true);
    check(&revocation, 3, true);
}

#[test]
fn good_records_of_a_frozen_author_reach_those_who_were_away() {
    let (mut world, author) = stage();
    let chain = chain(&author, 5);
    world.unlink(0, 1);
    for (header, number) in chain.iter().zip(1..) {
        gossip(&mut world, 0, &author, header, number);
    }
    world.run(1_000);
    gossip(&mut world, 0, &author, &rival(&author, &chain[4]), 50);
    world.run(1_000);
    assert_eq!((frozen(&world), shown(&world, 0)), (1, 5));
    // The root says how far it was itself: that far it is believed, also by those who heard of the fork first.
    let proof = CheckedStatement::of_fork(&chain[4], &rival(&author, &chain[4])).expect("two histories");
    tell(&mut world, 1, &[proof.statement().clone()]);
    let good = crate::exercise::identity::position(&chain[2]);
    tell(
        &mut world,
        1,
        &[author.revocation(|revocation| revocation.last_good = vec![good])],
    );
    world.link(0, 1);
    assert!(world.run_until(90_000, |world| shown(world, 1) == 3));
    world.run(60_000);
    assert_eq!((shown(&world, 0), shown(&world, 1)), (3, 3));
    world.check_honest();
}

/// Two second manifests of an organisation.
fn contradiction(of: &Identity) -> [Statement; 2] {
    let commitment = Manifest::commitment(&[of.roots[0].public()], 1);
    let ends = of.manifest.not_after;
    let next = of.manifest.successor(&[of.roots[1].public()], 1, commitment, ends);
    let other = Manifest {
        name: "Somebody else".to_owned(),
        ..next.clone()
    };
    [next, other].map(|manifest| manifest.sign(&[&of.roots[1]]).expect("a plain manifest"))
}

#[test]
fn an_organisation_that_contradicts_itself_stands_still() {
    let (mut world, author) = stage();
    let [one, two] = contradiction(&author);
    tell(&mut world, 0, std::slice::from_ref(&one));
    world.run(2_000);
    let renewed = |event: &Event| matches!(event, Event::Manifest { seq: 1, .. });
    assert!(world.nodes[1].events.iter().any(renewed));
    world.unlink(0, 1);
    tell(&mut world, 0, &[two]);
    world.run(100);
    let proven = |node: usize, world: &World| {
        world.nodes[node].events.iter().any(|event| {
            matches!(
                event,
                Event::Standstill {
                    freeze: Some(Freeze::Forked { seq: 0 }),
                    proof: Some(_),
                    ..
                }
            )
        })
    };
    assert!(proven(0, &world));
    // The proof is a statement that reaches those who know one of the two.
    world.link(0, 1);
    assert!(world.run_until(10_000, |world| proven(1, world)));
    assert_eq!(
        (told_of(&world, 0, Deed::Frozen), told_of(&world, 1, Deed::Frozen)),
        (1, 1)
    );
    // Headers of its nodes are verified and kept all the same.
    gossip(&mut world, 0, &author, &chain(&author, 1)[0], 1);
    world.run(1_000);
    assert_eq!(world.nodes[0].store.records.len(), 1);
    // Both its roots before and after settle it.
    let settled = author.resolution(Settles::Manifest { id: one.id() });
    let settled = settled.signed_by(&author.roots[1]).expect("few keys");
    tell(&mut world, 0, &[settled]);
    world.run(2_000);
    assert_eq!(
        (told_of(&world, 0, Deed::Reopened), told_of(&world, 1, Deed::Reopened)),
        (1, 1)
    );
    for node in 0..2 {
        let audit = world.nodes[node].store.audit.clone();
        world.start(node);
        world.run(100);
        assert_eq!(world.nodes[node].store.audit, audit, "a start says nothing again");
    }
    world.check_honest();
}

#[test]
fn the_operators_own_word_is_written_down() {
    let mut world = World::new(32, 1);
    let org = Identity::numbered(7).org;
    for (command, what) in [
        (Command::Trust(org), Deed::RootSet),
        (Command::Distrust(org), Deed::RootRemoved),
    ] {
        world.command(0, command);
        world.run(100);
        assert_eq!(told_of(&world, 0, what), 1);
        let audit = world.nodes[0].store.audit.iter();
        let line = audit.rev().find(|line| line.what == what).expect("a line");
        assert_eq!(
            (line.subject.as_str(), line.at > BEGIN),
            (org.to_string().as_str(), true)
        );
    }
    let peer = Identity::numbered(7).peer();
    for (blocked, what) in [(true, Deed::Blocked), (false, Deed::Unblocked)] {
        let peer = peer.clone();
        world.command(0, Command::Block { peer, blocked });
        world.run(100);
        let told = world.nodes[0].store.audit.iter().rfind(|line| line.what == what);
        assert_eq!(told.and_then(|line| line.peer()), Some(Identity::numbered(7).peer()));
    }
    // What changes nothing is no decision.
    world.command(0, Command::Distrust(org));
    world.run(100);
    assert_eq!(told_of(&world, 0, Deed::RootRemoved), 1);
}
