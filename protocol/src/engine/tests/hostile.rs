//! Peers that mean harm: each costs bounded memory, and none makes a node blame an honest one.

use starfish_crypto::Verified;

use crate::{
    codec,
    engine::port::{Acceptance, DisconnectReason, Event, Outcome},
    exercise::{
        Identity, World,
        identity::{BEGIN, addresses, community, names, topic},
    },
    limits,
    peer::Peer,
    record::{Header, RecordId, SealedBody},
    statement::CheckedStatement,
    time::Millis,
    wire::{Cursor, Gossip, Head, Hello, Request, Response},
};

const DAY: u64 = 86_400_000;

/// Node 0 stands alone; 7 is an organisation that it lists, 8 one that it does not. Both are connected to it.
fn stage(seed: u64) -> (World, Identity, Identity) {
    let mut world = World::new(seed, 1);
    let (listed, other) = (Identity::numbered(7), Identity::numbered(8));
    world.nodes[0].listed.push(listed.org);
    world.start(0);
    for who in [&listed, &other] {
        world.connect(0, who);
        tell(&mut world, who);
    }
    world.run(100);
    world.nodes[0].asked.clear();
    (world, listed, other)
}

fn tell(world: &mut World, who: &Identity) {
    let payload = codec::encode(&Gossip::Statements(who.statements.clone()));
    world.gossip(0, who.peer(), payload);
}

fn gossip(world: &mut World, from: &Peer, header: &Verified<Header>, body: Option<&SealedBody>) -> Acceptance {
    let body = body.map(|sealed| sealed.compressed.clone());
    let payload = codec::encode(&Gossip::Header {
        header: header.signed().clone(),
        body,
    });
    world.gossip(0, from.clone(), payload);
    *world.nodes[0].verdicts().last().expect("gossip is answered")
}

fn strikes(world: &World, peer: &Peer) -> u32 {
    world.nodes[0].strikes.get(peer).copied().unwrap_or_default()
}

#[test]
fn garbage_is_rejected_and_ends_the_connection() {
    let (mut world, listed, _) = stage(1);
    for number in 0..limits::STRIKES {
        world.gossip(0, listed.peer(), vec![0xff, number as u8]);
        assert_eq!(world.nodes[0].verdicts().last(), Some(&Acceptance::Reject));
        assert_eq!(strikes(&world, &listed.peer()), number + 1);
    }
    assert_eq!(world.nodes[0].disconnected, [listed.peer()]);
    assert!(matches!(DisconnectReason::Misbehaved, DisconnectReason::Misbehaved));
}

#[test]
fn a_broken_copy_that_comes_first_does_not_censor() {
    let (mut world, listed, other) = stage(2);
    let sealed = addresses(1, 3);
    let header = listed.header(&sealed, |_| ());
    let mut broken = sealed.clone();
    broken.compressed.reverse();
    assert_eq!(
        gossip(&mut world, &other.peer(), &header, Some(&broken)),
        Acceptance::Reject
    );
    assert_eq!(
        (strikes(&world, &other.peer()), strikes(&world, &listed.peer())),
        (1, 0)
    );
    assert_eq!(
        gossip(&mut world, &listed.peer(), &header, Some(&sealed)),
        Acceptance::Accept
    );
    world.run(100);
    assert_eq!(world.nodes[0].store.shown().len(), 3);
}

#[test]
fn what_is_unwanted_is_ignored_and_costs_nothing() {
    let (mut world, listed, _) = stage(3);
    let far = Millis(BEGIN.0 + 400 * DAY);
    let check = |world: &mut World, what: &str, change: &dyn Fn(&mut Header)| {
        let header = listed.header(&addresses(1, 3), change);
        assert_eq!(
            gossip(world, &listed.peer(), &header, None),
            Acceptance::Ignore,
            "{what}"
        );
        assert_eq!(strikes(world, &listed.peer()), 0, "{what}");
    };
    check(&mut world, "another community", &|header| {
        header.community = crate::community::Community::named("another");
    });
    check(&mut world, "from the future", &|header| {
        (header.created_at, header.expires_at) = (far, far)
    });
    check(&mut world, "an epoch in the future", &|header| header.epoch = far);
    check(&mut world, "an epoch at the end of time", &|header| {
        header.epoch = Millis(u64::MAX)
    });
    check(&mut world, "a life without end", &|header| {
        header.expires_at = Millis(u64::MAX)
    });
    check(&mut world, "an epoch that was not opened when it says", &|header| {
        header.epoch = Millis(5)
    });
    check(&mut world, "GREEN", &|header| header.tlp = crate::record::Tlp::Green);
    check(&mut world, "a sealed audience", &|header| {
        header.audience = crate::record::Audience::Sealed
    });
    check(&mut world, "an audience of a later version", &|header| {
        header.audience = crate::record::Audience::Other(9)
    });
    check(&mut world, "too far ahead", &|header| {
        (header.seq, header.prev) = (u64::MAX, header.body_digest)
    });
    world.run(200_000);
    assert!(world.nodes[0].store.records.is_empty());
}

#[test]
fn what_a_later_version_wrote_is_stored_and_relayed_unread() {
    let (mut world, listed, _) = stage(4);
    let sealed = addresses(1, 3);
    let kind = listed.header(&sealed, |header| header.kind = crate::record::Kind(999));
    assert_eq!(gossip(&mut world, &listed.peer(), &kind, None), Acceptance::Accept);
    let version = listed.header(&sealed, |header| {
        (header.version, header.seq, header.prev) = (9, 1, RecordId::of(&kind).digest());
        header.extensions = crate::record::Extensions::default();
    });
    assert_eq!(gossip(&mut world, &listed.peer(), &version, None), Acceptance::Accept);
    world.run(10);
    assert_eq!(world.nodes[0].store.records.len(), 2);
}

#[test]
fn headers_without_bodies_stop_being_forwarded() {
    let (mut world, listed, _) = stage(5);
    let bodies: Vec<SealedBody> = (0..600).map(|number| names(number, 20)).collect();
    let chain = listed.chain(&bodies);
    let mut forwarded = 0;
    for header in &chain {
        forwarded += usize::from(gossip(&mut world, &listed.peer(), header, None) == Acceptance::Accept);
    }
    assert_eq!(forwarded, limits::UNRESOLVED_BODIES_PER_AUTHOR);
    assert_eq!(strikes(&world, &listed.peer()), 0);
    assert!(world.body_requests(0) <= limits::BODY_REQUESTS_PER_PEER * 2);
    world.run(60_000);
    assert_eq!(world.nodes[0].store.records.len(), 600, "headers are kept all the same");
    // The author is itself again once it has been quiet for a while.
    world.run(limits::MISSING_COUNTS.0 * 2);
    let next = listed.header(&names(700, 20), |header| {
        (header.seq, header.prev) = (600, RecordId::of(&chain[599]).digest());
    });
    assert_eq!(gossip(&mut world, &listed.peer(), &next, None), Acceptance::Accept);
}

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
        assert!(node.store.frozen.contains(&key), "the proof reaches everyone");
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
    assert!(world.nodes[0].store.frozen.contains(&listed.key.public()));
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
fn ten_thousand_topics_and_a_flood_into_the_quarantine_are_bounded() {
    let (mut world, _, other) = stage(10);
    let sealed = names(1, 200);
    let mut prev = None;
    for number in 0..10_000_u64 {
        let header = other.header(&sealed, |header| {
            header.topic = topic(&format!("topic{number}"));
            if let Some(prev) = prev {
                (header.seq, header.prev) = (number, prev);
            }
        });
        prev = Some(RecordId::of(&header).digest());
        assert_eq!(
            gossip(&mut world, &other.peer(), &header, None),
            Acceptance::Ignore,
            "never forwarded"
        );
    }
    world.run(60_000);
    let store = &world.nodes[0].store;
    assert!(
        store.records.len() as u64 <= limits::HEADER_BURST,
        "{}",
        store.records.len()
    );
    assert!(store.records.values().all(|stored| !stored.believed));
    assert_eq!(world.engine(0).beyond_bounds(), None);
    assert_eq!(strikes(&world, &other.peer()), 0);

    let hello = Hello {
        community: community(),
        statements: Vec::new(),
        topics: (0..10_000).map(|number| format!("topic{number}")).collect(),
        tlds: Vec::new(),
        records: 1,
        wall: BEGIN,
    };
    world.request(0, other.peer(), None, &codec::encode(&Request::Hello(hello)));
    let ticket = world.command(0, crate::engine::port::Command::Overview);
    let Some(Outcome::Overview(overview)) = world.nodes[0].done.get(&ticket) else {
        panic!("an overview")
    };
    assert!(
        overview
            .peers
            .iter()
            .all(|view| view.topics.len() <= limits::SUBSCRIPTIONS)
    );
}

#[test]
fn authors_without_a_certificate_are_neither_stored_nor_forwarded() {
    let (mut world, listed, _) = stage(11);
    let sealed = addresses(1, 1);
    for number in 0..2_000 {
        let header = Identity::numbered(2_000 + number).header(&sealed, |_| ());
        assert_eq!(
            gossip(&mut world, &listed.peer(), &header, Some(&sealed)),
            Acceptance::Ignore
        );
    }
    world.run(1_000);
    assert!(world.nodes[0].store.records.is_empty());
    assert_eq!(world.engine(0).beyond_bounds(), None);
    assert!(world.nodes[0].asked.len() <= limits::ASKS_PER_PEER);
    // One that turns out to be somebody is taken from the few that are held.
    let late = Identity::numbered(2_001);
    tell(&mut world, &late);
    world.run(100);
    assert_eq!(world.nodes[0].store.records.len(), 1);
}

#[test]
fn lies_about_heads_cost_a_few_requests() {
    let (mut world, listed, _) = stage(12);
    world.run(70_000);
    let frontier = |world: &World| {
        world.nodes[0].asked.iter().rev().find_map(|(peer, ticket, request)| {
            (*peer == listed.peer() && matches!(request, Request::Frontier { .. })).then_some(*ticket)
        })
    };
    let log = |epoch: u64| crate::record::LogId {
        author: listed.key.public(),
        audience: crate::record::Audience::Clear,
        epoch: Millis(epoch),
    };
    let heads = (0..limits::FRONTIER_HEADS as u64)
        .map(|epoch| Head {
            log: log(epoch),
            seq: u64::MAX,
            id: starfish_crypto::Digest::ZERO,
        })
        .collect();
    let ticket = frontier(&world).expect("it asks every minute");
    let (cursor, statements) = (
        Cursor {
            life: 1,
            change: u64::MAX,
        },
        starfish_crypto::Digest::ZERO,
    );
    world.respond(
        0,
        ticket,
        Response::Heads {
            heads,
            cursor,
            more: false,
            statements,
        },
    );
    world.run(3_600_000);
    assert_eq!(world.engine(0).beyond_bounds(), None);
    let asked = world.nodes[0]
        .asked
        .iter()
        .filter(|(_, _, request)| matches!(request, Request::Range { .. }))
        .count();
    assert!(asked < 10_000, "an hour of lies costs {asked} requests");
    assert_eq!(strikes(&world, &listed.peer()), 0);
}

#[test]
fn a_false_scope_is_not_looked_for_again_and_nobody_is_blamed_for_passing_it_on() {
    let (mut world, listed, other) = stage(13);
    let sealed = names(1, 50);
    let header = listed.header(&sealed, |header| header.extensions.scope = None);
    gossip(&mut world, &other.peer(), &header, None);
    world.run(10);
    let (_, ticket, _) = world.nodes[0]
        .asked
        .iter()
        .find(|(_, _, request)| matches!(request, Request::Body { .. }))
        .cloned()
        .expect("it is pulled");
    world.respond(0, ticket, Response::Body(sealed.compressed.clone()));
    world.run(100);
    let record = RecordId::of(&header);
    assert!(world.nodes[0].store.records[&record].spoiled);
    assert!(world.nodes[0].events.contains(&Event::Spoiled(record)));
    world.nodes[0].asked.clear();
    world.run(200_000);
    world.start(0);
    world.connect(0, &listed);
    world.run(200_000);
    assert!(
        !world.nodes[0]
            .asked
            .iter()
            .any(|(_, _, request)| matches!(request, Request::Body { .. }))
    );
    assert_eq!(
        (strikes(&world, &other.peer()), strikes(&world, &listed.peer())),
        (0, 0)
    );
}

#[test]
fn wrong_bytes_are_the_sender_s_fault() {
    let (mut world, listed, other) = stage(14);
    let header = listed.header(&names(1, 50), |_| ());
    gossip(&mut world, &other.peer(), &header, None);
    world.run(10);
    let (peer, ticket, _) = world.nodes[0]
        .asked
        .iter()
        .find(|(_, _, request)| matches!(request, Request::Body { .. }))
        .cloned()
        .expect("it is pulled");
    assert_eq!(peer, other.peer());
    world.respond(0, ticket, Response::Body(b"something else".to_vec()));
    assert_eq!(strikes(&world, &other.peer()), 1);
    let (next, ..) = world.nodes[0].asked.last().cloned().expect("another peer is asked");
    assert_eq!(next, listed.peer());
}

#[test]
fn requests_beyond_the_bounds_are_busy() {
    let (mut world, listed, other) = stage(15);
    let header = listed.header(&names(1, 50), |_| ());
    gossip(&mut world, &listed.peer(), &header, None);
    let body = codec::encode(&Request::Body {
        digest: header.body_digest,
    });
    let tickets: Vec<_> = (0..1_000)
        .map(|_| world.request(0, other.peer(), None, &body))
        .collect();
    world.run(100);
    let answers = |world: &World, wanted: &Response| {
        let same = |answer: &&Response| std::mem::discriminant(*answer) == std::mem::discriminant(wanted);
        world.nodes[0].answered.values().filter(same).count()
    };
    assert_eq!(answers(&world, &Response::Busy), 1_000 - limits::READS_PER_PEER);
    world.run(30_000);
    assert_eq!(answers(&world, &Response::NotHeld), limits::READS_PER_PEER);
    assert!(
        tickets
            .iter()
            .all(|ticket| world.nodes[0].answered.contains_key(ticket)),
        "everyone is answered"
    );
}

#[test]
fn a_store_that_stands_still_stops_the_intake_and_not_the_node() {
    let (mut world, listed, _) = stage(16);
    world.nodes[0].stalled = true;
    let bodies: Vec<SealedBody> = (0..900).map(|number| addresses(number, 20)).collect();
    for header in listed.chain(&bodies) {
        gossip(&mut world, &listed.peer(), &header, None);
    }
    for number in 0..200 {
        world.publish(0, (0..100).map(|part| addresses(number * 100 + part, 5)).collect());
    }
    assert_eq!(world.engine(0).beyond_bounds(), None);
    let busy = |outcome: &Outcome| *outcome == Outcome::Refused(crate::engine::port::Refusal::Busy);
    assert!(world.nodes[0].done.values().any(busy));
    world.nodes[0].stalled = false;
    world.run(10_000);
    let ticket = world.publish(0, vec![addresses(1, 1)]);
    world.run(1_000);
    assert_eq!(world.published(0, ticket).len(), 1);
}

#[test]
fn codes_cannot_be_guessed_and_guests_are_bounded() {
    let (mut world, _, other) = stage(17);
    let until = Millis(world.wall(0).0 + 600_000);
    world.command(
        0,
        crate::engine::port::Command::Invite {
            secret: [7; 5],
            until,
            confirmed: true,
        },
    );
    let hello = |statements| Hello {
        community: community(),
        statements,
        topics: Vec::new(),
        tlds: Vec::new(),
        records: 0,
        wall: BEGIN,
    };
    let tries = limits::CODES_PER_MINUTE as u8 + 5;
    for number in 0..tries {
        let secret = if number + 1 == tries { [7; 5] } else { [number + 100; 5] };
        let request = Request::Pair {
            secret,
            hello: hello(other.statements.clone()),
        };
        world.request(0, other.peer(), None, &codec::encode(&request));
    }
    assert!(
        world.nodes[0]
            .answered
            .values()
            .all(|answer| matches!(answer, Response::Refused))
    );
    world.run(60_000);
    let request = Request::Pair {
        secret: [7; 5],
        hello: hello(other.statements.clone()),
    };
    let ticket = world.request(0, other.peer(), None, &codec::encode(&request));
    assert!(
        !world.nodes[0].answered.contains_key(&ticket),
        "told before it is durable"
    );
    world.run(100);
    assert!(matches!(world.nodes[0].answered.get(&ticket), Some(Response::Hello(_))));

    for number in 0..100 {
        world.connect(0, &Identity::numbered(3_000 + number));
    }
    let ticket = world.command(0, crate::engine::port::Command::Overview);
    let Some(Outcome::Overview(overview)) = world.nodes[0].done.get(&ticket) else {
        panic!("an overview")
    };
    assert_eq!(
        overview.peers.iter().filter(|view| !view.trusted).count(),
        limits::GUESTS
    );
}
