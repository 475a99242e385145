//! Every door at which a hostile peer can ask for what is TLP:GREEN. The one here is a root of the node, believed and
//! connected by right: to be believed is not to be confided in.

use starfish_crypto::{Digest, Verified};

use crate::{
    codec,
    engine::port::{Acceptance, Command, Ticket},
    exercise::{
        Identity, World,
        identity::{addresses, names},
    },
    record::{Audience, Header, SealedBody, Tlp},
    wire::{Channel, Cursor, Gossip, Request, Response},
};

use super::root;

/// Node 0 has a GREEN record of its own with the first of these bodies. Connected to it are a friend, in whom it confides,
/// and a root in whom it does not.
struct Stage {
    world: World,
    friend: Identity,
    hostile: Identity,
}

fn stage(seed: u64) -> Stage {
    let mut world = World::new(seed, 1);
    let (friend, hostile) = (Identity::numbered(7), Identity::numbered(8));
    world.nodes[0].listed.extend([friend.org, hostile.org]);
    world.start(0);
    confide(&mut world, &friend, true);
    for who in [&friend, &hostile] {
        world.connect(0, who);
        let statements = codec::encode(&Gossip::Statements(who.statements.clone()));
        world.gossip(0, who.peer(), statements);
    }
    world.publish_for(0, Tlp::Green, vec![large(1)]);
    world.run(5_000);
    world.nodes[0].asked.clear();
    Stage { world, friend, hostile }
}

fn confide(world: &mut World, who: &Identity, may: bool) {
    world.command(0, Command::SetRoot(root(who.org, may)));
}

fn large(number: u32) -> SealedBody {
    names(number, 200)
}

fn own(world: &World) -> Verified<Header> {
    let mut records = world.nodes[0].store.records.values();
    records.next().expect("it was published").header.clone()
}

fn ask(world: &mut World, who: &Identity, request: &Request) -> Ticket {
    world.request(0, who.peer(), None, &codec::encode(request))
}

/// What a request is answered within a moment.
fn answer(world: &mut World, who: &Identity, request: &Request) -> Option<Response> {
    let ticket = ask(world, who, request);
    world.run(200);
    world.nodes[0].answered.remove(&ticket)
}

fn frontier(heads: Digest, since: Option<Cursor>) -> Request {
    Request::Frontier {
        heads,
        statements: Digest::ZERO,
        since,
    }
}

fn range(header: &Verified<Header>) -> Request {
    Request::Range {
        log: header.log(),
        from: 0,
        limit: 10,
    }
}

fn body(header: &Verified<Header>) -> Request {
    Request::Body {
        digest: header.body_digest,
    }
}

fn is_not_held(answer: &Option<Response>) -> bool {
    matches!(answer, Some(Response::NotHeld))
}

/// A header of somebody for the community.
fn green(who: &Identity, sealed: &SealedBody) -> Verified<Header> {
    who.header(sealed, |header| {
        (header.audience, header.tlp) = (Audience::Green, Tlp::Green)
    })
}

fn told(header: &Verified<Header>) -> Vec<u8> {
    codec::encode(&Gossip::Header {
        header: header.signed().clone(),
        body: None,
    })
}

#[test]
fn the_frontier_shows_nothing_of_it() {
    let Stage {
        mut world,
        friend,
        hostile,
    } = stage(1);
    let since = |green| {
        Some(Cursor {
            life: 0,
            change: 0,
            green,
        })
    };
    for cursor in [None, since(0), since(u64::MAX)] {
        let shown = |world: &mut World, who: &Identity| match answer(world, who, &frontier(Digest::ZERO, cursor)) {
            Some(Response::Heads { heads, cursor, .. }) => (heads.len(), cursor.green),
            other => panic!("{other:?}"),
        };
        assert_eq!(shown(&mut world, &friend), (1, 1));
        assert_eq!(shown(&mut world, &hostile), (0, 0));
    }
    // Not even a digest tells that there is anything: guessed right, it is as wrong as any.
    let asked = |world: &mut World, who: &Identity| {
        world.run(60_000);
        let mut asked = world.nodes[0].asked.iter().rev();
        let digest = asked.find_map(|(peer, _, request)| match request {
            Request::Frontier { heads, .. } if *peer == who.peer() => Some(*heads),
            _ => None,
        });
        digest.expect("each is asked within two minutes")
    };
    world.run(60_000);
    let (both, clear) = (asked(&mut world, &friend), asked(&mut world, &hostile));
    assert_ne!(both, clear);
}

#[test]
fn ranges_and_bodies_of_it_are_not_held_for_others() {
    let Stage {
        mut world,
        friend,
        hostile,
    } = stage(2);
    let header = own(&world);
    assert!(matches!(answer(&mut world, &friend, &range(&header)), Some(Response::Headers(found)) if found.len() == 1));
    assert!(matches!(
        answer(&mut world, &friend, &body(&header)),
        Some(Response::Body(_))
    ));
    assert!(is_not_held(&answer(&mut world, &hostile, &range(&header))));
    assert!(is_not_held(&answer(&mut world, &hostile, &body(&header))));
    // The same body published for everyone is everyone's.
    world.publish(0, vec![large(1)]);
    world.run(500);
    assert!(matches!(
        answer(&mut world, &hostile, &body(&header)),
        Some(Response::Body(_))
    ));
}

#[test]
fn a_body_of_it_that_is_on_its_way_is_waited_for_by_those_who_may() {
    let Stage {
        mut world,
        friend,
        hostile,
    } = stage(3);
    let (sealed, third) = (large(2), Identity::numbered(9));
    let header = green(&friend, &sealed);
    world.gossip_over(0, friend.peer(), Channel::Green, told(&header));
    world.run(600);
    let asked = world.nodes[0].asked.iter().rev();
    let asked: Vec<_> = asked
        .filter(|(_, _, request)| matches!(request, Request::Body { .. }))
        .cloned()
        .collect();
    assert!(
        asked.iter().all(|(peer, ..)| *peer == friend.peer()),
        "to ask is to tell: {asked:?}"
    );
    world.nodes[0].listed.push(third.org);
    assert!(is_not_held(&answer(&mut world, &hostile, &body(&header))));
    let (_, ticket, _) = asked.first().expect("the author is asked").clone();
    world.respond(0, ticket, Response::Body(sealed.compressed.clone()));
    world.run(200);
    assert!(is_not_held(&answer(&mut world, &hostile, &body(&header))));
    assert!(matches!(
        answer(&mut world, &friend, &body(&header)),
        Some(Response::Body(_))
    ));
}

#[test]
fn a_right_that_is_lost_while_something_is_under_way_is_lost() {
    // What is asked for, and whether that is read from the store or waits for its body to come.
    let check = |request: &dyn Fn(&Verified<Header>) -> Request, waits: bool| {
        let Stage {
            mut world,
            friend,
            hostile,
        } = stage(4);
        confide(&mut world, &hostile, true);
        let sealed = large(2);
        let header = if waits {
            let header = green(&friend, &sealed);
            world.gossip_over(0, friend.peer(), Channel::Green, told(&header));
            world.run(600);
            header
        } else {
            world.nodes[0].reading = 50;
            own(&world)
        };
        let ticket = ask(&mut world, &hostile, &request(&header));
        world.run(20);
        assert!(!world.nodes[0].answered.contains_key(&ticket));
        confide(&mut world, &hostile, false);
        if waits {
            let body = sealed.compressed.clone();
            let push = Request::Push {
                header: header.signed().clone(),
                body,
            };
            ask(&mut world, &friend, &push);
        }
        world.run(500);
        assert!(is_not_held(&world.nodes[0].answered.remove(&ticket)), "waits: {waits}");
        let again = answer(&mut world, &friend, &request(&header));
        assert!(
            matches!(again, Some(Response::Body(_) | Response::Headers(_))),
            "{again:?}"
        );
    };
    check(&range, false);
    check(&body, false);
    check(&body, true);
}

#[test]
fn what_comes_over_the_wrong_mesh_is_a_fault_and_goes_no_further() {
    let check = |audience: Audience, channel: Channel, expected: Acceptance, strikes: u32| {
        let Stage { mut world, hostile, .. } = stage(5);
        let tlp = if audience == Audience::Green {
            Tlp::Green
        } else {
            Tlp::Clear
        };
        let header = hostile.header(&addresses(1, 2), |header| {
            (header.audience, header.tlp) = (audience, tlp)
        });
        world.gossip_over(0, hostile.peer(), channel, told(&header));
        let counted = world.nodes[0].strikes.get(&hostile.peer()).copied().unwrap_or_default();
        let last = world.nodes[0].verdicts().last().copied();
        assert_eq!(
            (last, counted),
            (Some(expected), strikes),
            "{audience:?} over {channel:?}"
        );
    };
    check(Audience::Clear, Channel::Clear, Acceptance::Accept, 0);
    check(Audience::Green, Channel::Green, Acceptance::Accept, 0);
    check(Audience::Green, Channel::Clear, Acceptance::Reject, 1);
    check(Audience::Green, Channel::Statements, Acceptance::Reject, 1);
    check(Audience::Clear, Channel::Green, Acceptance::Reject, 1);
    check(Audience::Sealed, Channel::Clear, Acceptance::Ignore, 0);
    let Stage { mut world, hostile, .. } = stage(6);
    let statements = codec::encode(&Gossip::Statements(hostile.statements.clone()));
    world.gossip_over(0, hostile.peer(), Channel::Green, statements);
    assert_eq!(world.nodes[0].verdicts().last(), Some(&Acceptance::Reject));
}

#[test]
fn a_mark_that_is_not_its_audiences_is_not_for_this_node() {
    let Stage { mut world, hostile, .. } = stage(7);
    let marks = [
        (Audience::Clear, Tlp::Green),
        (Audience::Green, Tlp::Clear),
        (Audience::Green, Tlp::Amber),
    ];
    for (audience, tlp) in marks {
        let header = hostile.header(&addresses(1, 2), |header| {
            (header.audience, header.tlp) = (audience, tlp)
        });
        let channel = Channel::of(audience).expect("it has one");
        world.gossip_over(0, hostile.peer(), channel, told(&header));
        assert_eq!(
            world.nodes[0].verdicts().last(),
            Some(&Acceptance::Ignore),
            "{audience:?} {tlp:?}"
        );
    }
    assert_eq!(world.nodes[0].store.records.len(), 1);
}
