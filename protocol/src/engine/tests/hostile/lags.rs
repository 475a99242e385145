//! Peers that claim to be ahead, and authors that are.

use super::*;

/// Answers the open frontier request to this peer with such heads.
fn show(world: &mut World, peer: &Peer, heads: Vec<Head>, more: bool) -> bool {
    let open = |(whom, ticket, request): &(Peer, u64, Request)| {
        let asks = whom == peer && matches!(request, Request::Frontier { .. });
        (asks && world.awaits(0, *ticket)).then_some(*ticket)
    };
    let Some(ticket) = world.nodes[0].asked.iter().rev().find_map(open) else {
        return false;
    };
    let response = Response::Heads {
        heads,
        cursor: Cursor {
            life: 1,
            change: 1,
            green: 0,
        },
        more,
        statements: starfish_crypto::Digest::ZERO,
    };
    world.respond(0, ticket, response);
    true
}

fn show_when_asked(world: &mut World, peer: &Peer, heads: Vec<Head>) {
    let shown = (0..1_200).any(|_| {
        world.run(100);
        show(world, peer, heads.clone(), false)
    });
    assert!(shown, "everyone is asked every minute or two");
}

fn log(author: &Identity, epoch: u64) -> crate::record::LogId {
    crate::record::LogId {
        author: author.key.public(),
        audience: crate::record::Audience::Clear,
        epoch: Millis(epoch),
    }
}

fn head(log: crate::record::LogId, seq: u64) -> Head {
    let id = starfish_crypto::Digest::ZERO;
    Head { log, seq, id }
}

/// Lets time pass and every range be refused. Says how many were asked of this peer.
fn refuse(world: &mut World, millis: u64, of: &Peer) -> usize {
    let mut asked_of = 0;
    for _ in 0..millis / 100 {
        let asked = std::mem::take(&mut world.nodes[0].asked);
        for (peer, ticket, request) in asked {
            match request {
                Request::Range { .. } => {
                    asked_of += usize::from(peer == *of);
                    world.respond(0, ticket, Response::NotHeld);
                }
                _ => world.nodes[0].asked.push((peer, ticket, request)),
            }
        }
        world.run(100);
    }
    asked_of
}

#[test]
fn what_a_guest_makes_up_is_asked_of_nobody_else() {
    let (mut world, listed, guest) = stage(31);
    let made_up = (0..limits::FRONTIER_HEADS as u64).map(|epoch| head(log(&listed, epoch), 9));
    show_when_asked(&mut world, &guest.peer(), made_up.collect());
    refuse(&mut world, 60_000, &guest.peer());
    // A header far ahead of what is held here is no invention: its author signed it.
    let far = listed.header(&addresses(1, 1), |header| {
        (header.seq, header.prev) = (u64::MAX, header.body_digest);
    });
    gossip(&mut world, &guest.peer(), &far, None);
    let mut asked = 0;
    for _ in 0..120 {
        show(&mut world, &listed.peer(), Vec::new(), false);
        asked += refuse(&mut world, 1_000, &listed.peer());
    }
    assert!((1..10).contains(&asked), "only that one is asked for: {asked}");
}

#[test]
fn a_certificate_brings_back_what_was_of_no_use_before() {
    let mut world = World::new(35, 1);
    let (carrier, late) = (Identity::numbered(7), Identity::numbered(8));
    world.nodes[0].listed.extend([carrier.org, late.org]);
    world.start(0);
    tell(&mut world, &carrier);
    world.connect(0, &carrier);
    let head = head(log(&late, BEGIN.0), 0);
    show_when_asked(&mut world, &carrier.peer(), vec![head]);
    refuse(&mut world, 60_000, &carrier.peer());
    let since = |world: &mut World| {
        world.nodes[0].asked.clear();
        world.run(120_000);
        let query = |(_, _, request): &(Peer, u64, Request)| match request {
            Request::Frontier { since, .. } => Some(*since),
            _ => None,
        };
        world.nodes[0]
            .asked
            .iter()
            .rev()
            .find_map(query)
            .expect("it asks every minute")
    };
    assert!(since(&mut world).is_some(), "it is not told the same again");
    tell(&mut world, &late);
    assert_eq!(since(&mut world), None, "until that is of use");
}

#[test]
fn what_nobody_has_is_asked_for_ever_more_seldom_and_never_forgotten() {
    let (mut world, listed, _) = stage(34);
    show_when_asked(&mut world, &listed.peer(), vec![head(log(&listed, 5), 9)]);
    let asked: Vec<usize> = (0..6)
        .map(|_| {
            let half_an_hour = (0..900).map(|_| {
                show(&mut world, &listed.peer(), Vec::new(), false);
                refuse(&mut world, 2_000, &listed.peer())
            });
            half_an_hour.sum()
        })
        .collect();
    let (first, later) = asked.split_first().expect("six times half an hour");
    assert!(*first >= limits::LAGGING_TRIES as usize, "{asked:?}");
    let later: usize = later.iter().sum();
    assert!((1..20).contains(&later), "{asked:?}");
}

#[test]
fn a_page_without_heads_is_not_followed_by_another_at_once() {
    let (mut world, listed, _) = stage(32);
    world.run(70_000);
    let began = world.wall(0);
    let mut pages = 0;
    while world.wall(0).0 < began.0 + 600_000 {
        pages += usize::from(show(&mut world, &listed.peer(), Vec::new(), true));
        world.run(100);
    }
    assert!(pages < 40, "{pages} pages in ten minutes");
}

#[test]
fn a_header_from_the_future_is_taken_when_its_time_has_come() {
    let mut world = World::new(33, 2);
    // Three hours ahead; its only peer learns of that record only from the log.
    let hour = 3_600_000;
    world.nodes[0].skew = 3 * hour as i64;
    world.start(0);
    let ticket = world.publish(0, vec![addresses(1, 2)]);
    world.run(1_000);
    world.published(0, ticket);
    world.link(0, 1);
    world.run(hour);
    assert!(world.nodes[1].store.records.is_empty());
    let asked = world.exchanged.1;
    assert!(asked < 500, "an hour of waiting costs {asked} requests");
    world.run(2 * hour + 120_000);
    assert_eq!(world.nodes[1].store.shown().len(), 2);
    world.check_honest();
}
