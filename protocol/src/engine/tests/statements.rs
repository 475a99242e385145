//! What becomes of statements: which messages are passed on, how proofs reach everyone, and what a reading costs.

use starfish_crypto::{Signature, Verified};

use crate::{
    codec,
    engine::port::{Acceptance, Command},
    exercise::{
        Identity, World,
        identity::{addresses, community},
    },
    limits,
    record::{Header, RecordId},
    statement::{CheckedStatement, EndpointStatement, Statement},
    time::Millis,
    wire::{Cursor, Gossip, Hello, Request, Response},
};

fn endpoint(of: &Identity, seq: u64) -> Statement {
    let endpoint = EndpointStatement {
        org: of.org,
        node_key: of.key.public(),
        community: community(),
        seq,
        addresses: vec![format!("/ip4/192.0.2.{}/tcp/1", seq % 256)],
        issued_at: Millis(seq),
    };
    endpoint.sign(&of.key).expect("a plain endpoint")
}

/// Two histories of one node.
fn fork(of: &Identity) -> (Verified<Header>, Verified<Header>) {
    let header = |number| of.header(&addresses(number, 1), |_| ());
    (header(1), header(2))
}

fn tell(world: &mut World, node: usize, from: &Identity, statements: &[Statement]) -> Acceptance {
    let payload = codec::encode(&Gossip::Statements(statements.to_vec()));
    world.gossip(node, from.peer(), payload);
    *world.nodes[node].verdicts().last().expect("gossip is answered")
}

fn holds(world: &World, node: usize, statement: &Statement) -> bool {
    world.nodes[node].store.statements.contains(statement)
}

/// The same body and id, with one signature that does not hold.
fn defaced(statement: &Statement) -> Statement {
    let (kind, body) = (statement.kind(), statement.body());
    let mut signatures = statement.signatures().to_vec();
    signatures[0].1 = Signature::from_bytes([1; 64]);
    codec::decode(&codec::encode(&(kind, body, signatures)), limits::STATEMENT_BYTES).expect("it is well formed")
}

fn cursor(change: u64) -> Cursor {
    let (life, green) = (1, 0);
    Cursor { life, change, green }
}

#[test]
fn a_message_is_passed_on_when_all_of_it_holds_here() {
    let other = Identity::numbered(7);
    let [manifest, certificate] = &other.statements[..] else {
        panic!("two statements")
    };
    let stranger = Identity::numbered(8);
    let check = |statements: &[Statement], verdict: Acceptance, news: Option<&Statement>| {
        let mut world = World::new(1, 2);
        world.link(0, 1);
        world.run(5_000);
        world.connect(0, &other);
        tell(&mut world, 0, &other, &other.statements);
        tell(&mut world, 0, &other, &[endpoint(&other, 5)]);
        world.run(1_000);
        assert_eq!(tell(&mut world, 0, &other, statements), verdict, "{statements:?}");
        world.run(1_000);
        if let Some(news) = news {
            assert!(holds(&world, 0, news) && holds(&world, 1, news), "what is news goes on");
        }
        let victim = world.nodes[0].identity.peer();
        assert_eq!(
            world.nodes[1].strikes.get(&victim),
            None,
            "nobody blames who passed it on"
        );
    };
    let newer = || endpoint(&other, 6);
    check(&[newer()], Acceptance::Accept, Some(&newer()));
    check(&[manifest.clone(), newer()], Acceptance::Accept, Some(&newer()));
    // An older one; one that rests on nothing; one that makes no sense; nothing new.
    check(&[newer(), endpoint(&other, 4)], Acceptance::Ignore, Some(&newer()));
    check(
        &[newer(), stranger.statements[1].clone()],
        Acceptance::Ignore,
        Some(&newer()),
    );
    let nonsense = Statement::unsigned(manifest.kind(), b"nonsense".to_vec()).expect("it is short");
    check(&[newer(), nonsense], Acceptance::Ignore, Some(&newer()));
    check(&[certificate.clone(), manifest.clone()], Acceptance::Ignore, None);
    // What is known under its id may be forged all the same.
    check(&[newer(), defaced(manifest)], Acceptance::Reject, None);
    check(&[defaced(certificate)], Acceptance::Reject, None);
    check(&[newer(), defaced(&endpoint(&other, 4))], Acceptance::Reject, None);
}

#[test]
fn a_proof_reaches_those_who_were_away() {
    let mut world = World::new(2, 3);
    let author = Identity::numbered(7);
    (0..3).for_each(|node| {
        world.nodes[node].listed.push(author.org);
        world.start(node);
    });
    let (one, two) = fork(&author);
    world.connect(0, &author);
    tell(&mut world, 0, &author, &author.statements);
    for header in [&one, &two] {
        let (header, body) = (header.signed().clone(), None);
        world.gossip(0, author.peer(), codec::encode(&Gossip::Header { header, body }));
        world.run(100);
    }
    let frozen = |world: &World, node: usize| world.nodes[node].store.frozen.contains_key(&author.key.public());
    assert!(frozen(&world, 0));
    // Nobody was there to hear it. It comes with the next exchange, and goes on from there, also after a restart.
    world.start(0);
    world.link(0, 1);
    assert!(world.run_until(10_000, |world| frozen(world, 1)));
    world.unlink(0, 1);
    world.link(1, 2);
    assert!(world.run_until(10_000, |world| frozen(world, 2)));
    assert_eq!(
        tell(&mut world, 2, &author, &[endpoint(&author, 1)]),
        Acceptance::Accept
    );
    world.check_honest();
}

#[test]
fn a_proof_in_the_roster_freezes_after_a_start() {
    let mut world = World::new(3, 1);
    let author = Identity::numbered(7);
    world.nodes[0].listed.push(author.org);
    let (one, two) = fork(&author);
    let proof = CheckedStatement::of_fork(&one, &two).expect("two histories");
    let store = &mut world.nodes[0].store;
    store.statements.extend(author.statements.iter().cloned());
    store.statements.push(proof.statement().clone());
    world.start(0);
    world.connect(0, &author);
    let (header, body) = (one.signed().clone(), None);
    world.gossip(0, author.peer(), codec::encode(&Gossip::Header { header, body }));
    world.run(1_000);
    assert!(world.nodes[0].store.records.is_empty());
}

#[test]
fn histories_of_different_length_are_compared() {
    let check = |long: usize, short: usize| {
        let mut world = World::new(4, 2);
        let author = Identity::numbered(7);
        (0..2).for_each(|node| {
            world.nodes[node].listed.push(author.org);
            world.start(node);
        });
        let chain = |from: u32, length: usize| {
            let bodies: Vec<_> = (0..length as u32).map(|number| addresses(from + number, 1)).collect();
            author.chain(&bodies)
        };
        for (node, chain) in [(0, chain(1, long)), (1, chain(100, short))] {
            world.connect(node, &author);
            tell(&mut world, node, &author, &author.statements);
            for header in chain {
                let header = header.signed().clone();
                world.gossip(
                    node,
                    author.peer(),
                    codec::encode(&Gossip::Header { header, body: None }),
                );
            }
            world.run(500);
        }
        world.link(0, 1);
        let frozen = |world: &World| world.nodes.iter().all(|node| node.store.frozen.len() == 1);
        assert!(world.run_until(20_000, frozen), "{long} {short}");
        world.check_honest();
    };
    check(3, 3);
    check(5, 2);
    check(2, 5);
}

#[test]
fn only_a_longer_history_shows_that_a_shorter_one_differs() {
    // The peer has nothing more to tell than its last number, which is behind ours and not ours.
    let mut world = World::new(5, 1);
    let author = Identity::numbered(7);
    world.nodes[0].listed.push(author.org);
    world.start(0);
    world.connect(0, &author);
    tell(&mut world, 0, &author, &author.statements);
    for header in author.chain(&(1..5).map(|number| addresses(number, 1)).collect::<Vec<_>>()) {
        let header = header.signed().clone();
        world.gossip(0, author.peer(), codec::encode(&Gossip::Header { header, body: None }));
    }
    world.run(500);
    let other = author.header(&addresses(100, 1), |_| ());
    let head = crate::wire::Head {
        log: other.log(),
        seq: 0,
        id: RecordId::of(&other).digest(),
    };
    let mut asked = false;
    for _ in 0..200 {
        world.run(500);
        let Some((_, ticket, request)) = world.nodes[0].asked.pop() else {
            continue;
        };
        let response = match request {
            Request::Hello(_) => Response::Hello(hello(Vec::new())),
            Request::Frontier { statements, .. } => Response::Heads {
                heads: vec![head],
                cursor: cursor(1),
                more: false,
                statements,
            },
            Request::Range { from: 0, .. } => {
                asked = true;
                Response::Headers(vec![other.signed().clone()])
            }
            _ => Response::NotHeld,
        };
        world.respond(0, ticket, response);
    }
    assert!(asked);
    assert!(world.nodes[0].store.frozen.contains_key(&author.key.public()));
}

fn hello(statements: Vec<Statement>) -> Hello {
    Hello {
        community: community(),
        statements,
        topics: Vec::new(),
        tlds: Vec::new(),
        records: 0,
        wall: crate::exercise::identity::BEGIN,
    }
}

#[test]
fn greetings_cost_their_sender() {
    let mut world = World::new(6, 1);
    let guest = Identity::numbered(7);
    world.connect(0, &guest);
    let greet = |world: &mut World, seq: u64| {
        let shown: Vec<Statement> = [guest.statements.clone(), vec![endpoint(&guest, seq)]].concat();
        let hello = Request::Hello(hello(shown));
        world.request(0, guest.peer(), None, &codec::encode(&hello));
        world.run(10);
        holds(world, 0, &endpoint(&guest, seq))
    };
    let most = limits::STATEMENTS_PER_PEER / 3;
    assert!((1..most / 2).all(|seq| greet(&mut world, seq)));
    assert!(!(most / 2..2 * most).all(|seq| greet(&mut world, seq)));
    world.run(limits::STATEMENT_REFILL.0);
    assert!(greet(&mut world, 3 * most));
}

#[test]
fn only_news_are_read_again() {
    let mut world = World::new(7, 1);
    let guest = Identity::numbered(7);
    world.connect(0, &guest);
    let mut asked = Vec::new();
    let mut answer = |world: &mut World, millis: u64, more: bool| {
        let end = world.wall(0).0 + millis;
        while world.wall(0).0 < end {
            world.run(500);
            let Some((_, ticket, request)) = world.nodes[0].asked.pop() else {
                continue;
            };
            let cursor = cursor(7);
            let response = match request {
                Request::Hello(_) => Response::Hello(hello(Vec::new())),
                Request::Frontier { .. } => Response::Heads {
                    heads: Vec::new(),
                    cursor,
                    more: false,
                    // Something else at every look.
                    statements: starfish_crypto::Digest::of("any", &world.wall(0).0.to_be_bytes()),
                },
                Request::Statements { since, .. } => {
                    asked.push(since);
                    let statements = Vec::new();
                    Response::Statements {
                        statements,
                        cursor,
                        more,
                    }
                }
                _ => Response::NotHeld,
            };
            world.respond(0, ticket, response);
        }
        std::mem::take(&mut asked)
    };
    let first = answer(&mut world, 500_000, false);
    assert!(first.len() > 5, "{}", first.len());
    assert!(first[0].is_none() && first[1..].iter().all(|since| *since == Some(cursor(7))));
    let later = answer(&mut world, 400_000, false);
    assert_eq!(
        later.iter().filter(|since| since.is_none()).count(),
        1,
        "from the beginning again"
    );
    // A peer that always has more is left alone after a while.
    let endless = answer(&mut world, 600_000, true);
    assert!(
        endless.len() as u64 <= 2 * limits::STATEMENT_ANSWERS,
        "{}",
        endless.len()
    );
}

#[test]
fn statements_that_were_replaced_leave_the_store() {
    let mut world = World::new(8, 2);
    world.link(0, 1);
    for number in 0..3 {
        world.command(0, Command::Listening(vec![format!("/ip4/192.0.2.{number}/tcp/1")]));
        world.run(1_000);
    }
    let node = &world.nodes[0].identity.key.public();
    for store in world.nodes.iter().map(|node| &node.store) {
        let by_node = store.statements.iter().filter(|held| {
            let signers: Vec<_> = held.signatures().iter().map(|(key, _)| key).collect();
            signers == [node]
        });
        assert_eq!(by_node.count(), 1);
    }
    // A start makes nothing of it come back.
    world.start(0);
    world.check_honest();
}

#[test]
fn gossip_has_one_form_and_old_repeats_are_not_passed_on() {
    let mut world = World::new(9, 1);
    let author = Identity::numbered(7);
    world.nodes[0].listed.push(author.org);
    world.start(0);
    world.connect(0, &author);
    tell(&mut world, 0, &author, &author.statements);
    let headers = author.chain(&[addresses(1, 1), addresses(2, 1)]);
    let form = |number: usize, with_body: bool| {
        codec::encode(&Gossip::Header {
            header: headers[number].signed().clone(),
            body: with_body.then(|| addresses(1 + number as u32, 1).compressed),
        })
    };
    let say = |world: &mut World, payload: &[u8]| {
        world.gossip(0, author.peer(), payload.to_vec());
        *world.nodes[0].verdicts().last().expect("gossip is answered")
    };
    // The variant's number as three bytes where one would do: it decodes to the same.
    let (first, second) = (form(0, false), form(1, false));
    let longer = [&[251, first[0], 0], &first[1..]].concat();
    assert!(codec::decode::<Gossip>(&longer, longer.len()).is_ok());
    assert_eq!(say(&mut world, &longer), Acceptance::Reject);
    assert_eq!(say(&mut world, &first), Acceptance::Accept);
    assert_eq!(say(&mut world, &second), Acceptance::Accept);
    world.run(60_000);
    assert_eq!(say(&mut world, &form(0, true)), Acceptance::Accept);
    world.run(61_000);
    assert_eq!(say(&mut world, &form(1, true)), Acceptance::Ignore);
}

#[test]
fn news_are_told_once_they_are_durable() {
    let mut world = World::new(10, 2);
    world.link(0, 1);
    world.run(5_000);
    let other = Identity::numbered(7);
    world.connect(0, &other);
    world.nodes[0].stalled = true;
    // The last one is known by then, and in another form: the message stays here, its news go on.
    let told = [other.statements.clone(), vec![endpoint(&other, 6), endpoint(&other, 4)]].concat();
    assert_eq!(tell(&mut world, 0, &other, &told), Acceptance::Ignore);
    world.run(1_000);
    assert!(!holds(&world, 1, &endpoint(&other, 6)));
    world.nodes[0].stalled = false;
    world.run(1_000);
    assert!(holds(&world, 1, &endpoint(&other, 6)));
}
