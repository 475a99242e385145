//! Peers that mean harm: each costs bounded memory, and none makes a node blame an honest one.

mod content;
mod floods;
mod guests;
mod histories;
mod lags;
mod quotas;

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
    assert_eq!(
        world.nodes[0].disconnected,
        [(listed.peer(), DisconnectReason::Misbehaved)]
    );
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
