//! Who pays: never an organisation for what somebody else does with what it wrote.

use super::*;

/// Node 0 with everything that `listed` has written so far.
fn with_history(seed: u64, count: u32) -> (World, Identity, Identity, Vec<Verified<Header>>) {
    let (mut world, listed, other) = stage(seed);
    let bodies: Vec<SealedBody> = (0..count).map(|number| addresses(number, 1)).collect();
    let chain = listed.chain(&bodies);
    for (header, sealed) in chain.iter().zip(&bodies) {
        gossip(&mut world, &listed.peer(), header, Some(sealed));
    }
    world.run(1_000);
    (world, listed, other, chain)
}

fn next_of(listed: &Identity, chain: &[Verified<Header>], number: u32) -> (Verified<Header>, SealedBody) {
    let (last, sealed) = (chain.last().expect("a chain"), addresses(number, 1));
    let header = listed.header(&sealed, |header| {
        (header.seq, header.prev) = (last.seq + 1, RecordId::of(last).digest());
    });
    (header, sealed)
}

#[test]
fn old_headers_from_a_guest_cost_their_author_nothing() {
    let (mut world, listed, guest, chain) = with_history(21, 200);
    // A guest repeats what is behind the window and what never was, more often than the quota of their author allows.
    let far = listed.header(&addresses(900, 1), |header| {
        (header.seq, header.prev) = (u64::MAX, header.body_digest);
    });
    for number in 0..limits::HEADER_BURST as usize {
        gossip(&mut world, &guest.peer(), &chain[number % 100], None);
        world.nodes[0].forget_gossip();
        gossip(&mut world, &guest.peer(), &far, None);
        world.nodes[0].forget_gossip();
    }
    let (next, sealed) = next_of(&listed, &chain, 901);
    assert_eq!(
        gossip(&mut world, &listed.peer(), &next, Some(&sealed)),
        Acceptance::Accept
    );
    world.run(100);
    assert_eq!(world.nodes[0].store.records.len(), 201);
    assert_eq!(
        (strikes(&world, &guest.peer()), strikes(&world, &listed.peer())),
        (0, 0)
    );
}

#[test]
fn what_waits_already_costs_its_author_once() {
    let (mut world, listed, guest, chain) = with_history(22, 10);
    let early = listed.header(&addresses(900, 1), |header| {
        (header.seq, header.prev) = (20, header.body_digest);
    });
    assert_eq!(gossip(&mut world, &guest.peer(), &early, None), Acceptance::Accept);
    for _ in 0..limits::HEADER_BURST {
        world.nodes[0].forget_gossip();
        assert_eq!(gossip(&mut world, &guest.peer(), &early, None), Acceptance::Ignore);
    }
    let (next, sealed) = next_of(&listed, &chain, 901);
    assert_eq!(
        gossip(&mut world, &listed.peer(), &next, Some(&sealed)),
        Acceptance::Accept
    );
}

#[test]
fn a_certificate_that_has_ended_lets_nothing_new_in() {
    let (mut world, listed, _, chain) = with_history(23, 3);
    // Its key signs on, with a time at which it was allowed to.
    world.nodes[0].skew = 51 * DAY as i64;
    let (next, sealed) = next_of(&listed, &chain, 901);
    assert_eq!(
        gossip(&mut world, &listed.peer(), &next, Some(&sealed)),
        Acceptance::Ignore
    );
    world.run(1_000);
    assert_eq!(world.nodes[0].store.records.len(), 3);
}

#[test]
fn bodies_that_never_come_leave_the_quarantine_its_budget() {
    let (mut world, guest) = (World::new(24, 2), Identity::numbered(8));
    world.link(0, 1);
    world.connect(0, &guest);
    tell(&mut world, &guest);
    // Headers of almost its whole share, whose bodies it does not have.
    let sealed = names(1, 5_000);
    let mut last = None;
    for number in 0..20_u64 {
        let header = guest.header(&sealed, |header| {
            header.compressed_len = limits::BODY_BYTES as u32;
            header.body_digest = starfish_crypto::Digest::of("a", &number.to_be_bytes());
            (header.seq, header.prev) = last.map_or((0, header.prev), |prev| (number, prev));
        });
        last = Some(RecordId::of(&header).digest());
        gossip(&mut world, &guest.peer(), &header, None);
    }
    world.run(1_000);
    assert_eq!(world.nodes[0].store.records.len(), 20);
    // They are looked for again and again, for an hour.
    world.run(3_600_000);
    // Another guest still has its share.
    let another = Identity::numbered(9);
    world.connect(0, &another);
    tell(&mut world, &another);
    gossip(
        &mut world,
        &another.peer(),
        &another.header(&names(2, 5_000), |header| {
            header.compressed_len = limits::BODY_BYTES as u32;
        }),
        None,
    );
    world.run(1_000);
    assert_eq!(world.nodes[0].store.records.len(), 21);
}
