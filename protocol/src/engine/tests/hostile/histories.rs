//! Authors who write two histories, leave holes in one, or begin too many.

use super::*;

#[test]
fn gaps_are_asked_for_once_and_early_headers_are_bounded() {
    let (mut world, listed, _) = stage(6);
    let bodies: Vec<SealedBody> = (0..1_000).map(|number| addresses(number, 1)).collect();
    let chain = listed.chain(&bodies);
    for header in chain.iter().skip(1) {
        assert_eq!(gossip(&mut world, &listed.peer(), header, None), Acceptance::Accept);
    }
    world.run(1_000);
    let ranges = world.nodes[0]
        .asked
        .iter()
        .filter(|(_, _, request)| matches!(request, Request::Range { .. }));
    assert_eq!(ranges.count(), 1);
    assert!(
        world.nodes[0].store.records.is_empty(),
        "nothing is stored before its predecessor"
    );
    // With the first one everything that waited follows.
    gossip(&mut world, &listed.peer(), &chain[0], None);
    world.run(100);
    assert_eq!(world.nodes[0].store.records.len(), 1 + limits::EARLY_PER_LOG);
    world.nodes[0].store.check();
}

#[test]
fn endless_epochs_are_refused() {
    let (mut world, listed, _) = stage(7);
    let sealed = addresses(1, 1);
    let mut open = |day: u64, nth: u64| {
        let at = Millis(BEGIN.0 / DAY * DAY - day * DAY + nth);
        let header = listed.header(&sealed, |header| (header.epoch, header.created_at) = (at, at));
        gossip(&mut world, &listed.peer(), &header, None)
    };
    let opened = (0..20).filter(|nth| open(0, *nth) == Acceptance::Accept).count();
    assert_eq!(opened, limits::EPOCHS_PER_DAY);
    let before: usize = (1..30)
        .map(|day| (0..20).filter(|nth| open(day, *nth) == Acceptance::Accept).count())
        .sum();
    assert_eq!(before, 29 * limits::EPOCHS_PER_DAY);
    world.run(1_000);
    assert_eq!(world.nodes[0].store.records.len(), 30 * limits::EPOCHS_PER_DAY);
}

#[test]
fn two_histories_freeze_their_author() {
    let mut world = World::new(8, 3);
    let author = Identity::numbered(9);
    (0..3).for_each(|node| {
        world.nodes[node].listed.push(author.org);
        world.start(node);
    });
    world.link(0, 1);
    world.link(1, 2);
    world.run(500);
    let told = codec::encode(&Gossip::Statements(author.statements.clone()));
    world.gossip(0, author.peer(), told);
    world.run(500);
    let one = author.chain(&[addresses(1, 1), addresses(2, 1)]);
    let two = author.chain(&[addresses(1, 1), addresses(3, 1)]);
    for header in &one {
        world.gossip(
            0,
            author.peer(),
            codec::encode(&Gossip::Header {
                header: header.signed().clone(),
                body: None,
            }),
        );
    }
    world.run(500);
    assert_eq!(world.nodes[2].store.records.len(), 2);
    // The other history comes in at the other end.
    let payload = codec::encode(&Gossip::Header {
        header: two[1].signed().clone(),
        body: None,
    });
    world.gossip(2, author.peer(), payload);
    world.run(500);
    let key = author.key.public();
    for node in &world.nodes {
        assert!(node.store.frozen.contains_key(&key), "the proof reaches everyone");
        assert!(node.events.contains(&Event::ForkProven(key)));
        assert_eq!(node.store.records.len(), 2, "what was held stays");
    }
    let next = author.header(&addresses(4, 1), |header| {
        (header.seq, header.prev) = (2, RecordId::of(&one[1]).digest());
    });
    world.gossip(
        0,
        author.peer(),
        codec::encode(&Gossip::Header {
            header: next.signed().clone(),
            body: None,
        }),
    );
    world.run(500);
    assert!(world.nodes.iter().all(|node| node.store.records.len() == 2));
    // A restart does not forget it.
    world.start(1);
    world.gossip(
        1,
        author.peer(),
        codec::encode(&Gossip::Header {
            header: next.signed().clone(),
            body: None,
        }),
    );
    world.run(500);
    assert_eq!(world.nodes[1].store.records.len(), 2);
    world.check_strikes();
}

#[test]
fn a_successor_that_denies_its_predecessor_is_a_proof() {
    let (mut world, listed, _) = stage(9);
    let first = listed.header(&addresses(1, 1), |_| ());
    let second = listed.header(&addresses(2, 1), |header| {
        (header.seq, header.prev) = (1, header.body_digest)
    });
    gossip(&mut world, &listed.peer(), &first, None);
    world.run(100);
    gossip(&mut world, &listed.peer(), &second, None);
    world.run(100);
    assert!(world.nodes[0].store.frozen.contains_key(&listed.key.public()));
    // Proofs about keys that matter to nobody are not kept.
    let nobody = Identity::numbered(1_000);
    let (one, two) = (
        nobody.header(&addresses(1, 1), |_| ()),
        nobody.header(&addresses(2, 1), |_| ()),
    );
    let proof = CheckedStatement::of_fork(&one, &two).expect("two histories");
    let proof = Gossip::Statements(vec![proof.statement().clone()]);
    world.gossip(0, listed.peer(), codec::encode(&proof));
    assert_eq!(world.nodes[0].verdicts().last(), Some(&Acceptance::Ignore));
    world.run(100);
    assert_eq!(world.nodes[0].store.frozen.len(), 1);
}

#[test]
fn of_authors_that_are_not_handed_on_nothing_waits_and_there_is_an_end_to_their_logs() {
    let (mut world, _, other) = stage(51);
    let bodies: Vec<SealedBody> = (0..10).map(|number| addresses(number, 1)).collect();
    let chain = other.chain(&bodies);
    for header in chain.iter().skip(1) {
        gossip(&mut world, &other.peer(), header, None);
    }
    gossip(&mut world, &other.peer(), &chain[0], None);
    world.run(1_000);
    assert_eq!(world.nodes[0].store.records.len(), 1);
    // Whoever brought them is asked for what is between.
    let range =
        |(peer, _, request): &(Peer, u64, Request)| *peer == other.peer() && matches!(request, Request::Range { .. });
    assert!(world.nodes[0].asked.iter().any(range));
}

#[test]
fn logs_of_authors_that_are_not_handed_on_are_bounded_in_all() {
    let (mut world, listed, other) = stage(52);
    let crowd = Identity::numbered(9);
    world.crash(0);
    let id = RecordId::of(&crowd.header(&addresses(1, 1), |_| ()));
    for epoch in 0..limits::UNRELAYED_LOGS as u64 {
        let log = crate::record::LogId {
            author: crowd.key.public(),
            audience: crate::record::Audience::Clear,
            epoch: Millis(epoch),
        };
        world.nodes[0].store.logs.insert((log, 9), id);
    }
    world.start(0);
    for who in [&listed, &other] {
        world.connect(0, who);
        let header = who.header(&addresses(1, 1), |_| ());
        gossip(&mut world, &who.peer(), &header, None);
    }
    world.run(1_000);
    let authors: Vec<_> = world.nodes[0]
        .store
        .records
        .values()
        .map(|stored| stored.header.author)
        .collect();
    assert_eq!(authors, [listed.key.public()]);
}
