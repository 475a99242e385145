//! Two nodes without a network that have nothing to tell each other: [`compare`] fills them and counts what their regular
//! comparison costs. A fifth of the bodies is held by only one of them, because the other does not pull their topic.

use std::time::Instant;

use starfish_crypto::{Digest, Strict};
use starfish_node::{
    ledger::{Ledger, Options, journal::MemoryJournal},
    store::memory::MemoryStore,
};
use starfish_protocol::{
    codec,
    community::Community,
    engine::{
        Subscription,
        port::{Change, Input, Ticket},
    },
    peer::Peer,
    record::{Body, RecordId, seal_body},
    time::Millis,
    trust::Acceptance,
    wire::{Request, Response},
};

use crate::{
    cast::{Organisation, Position, bundle, now},
    shape::day,
    shell::Shell,
};

const RECORD: usize = 2_000;
/// Every so manieth record has the topic that only one node pulls.
const ONLY_ONE: u64 = 5;

type Side = Shell<MemoryStore>;

/// What a comparison cost.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Observables held by both sides.
    pub observables: usize,
    /// Bodies held by each side.
    pub bodies: [u64; 2],
    /// Requests with their answers.
    pub trips: usize,
    /// Bytes of the frames, both ways.
    pub bytes: usize,
    /// Requests for bodies.
    pub moved: usize,
    /// How long it took.
    pub seconds: f64,
}

/// Fills two nodes, lets them meet, and measures their comparison a minute later.
pub fn compare(observables: usize) -> Figures {
    let records = observables / RECORD;
    let community = Community::named("comparison");
    let author = Organisation::new("Author", 3, community, now());
    let sides = [
        Organisation::new("One", 1, community, now()),
        Organisation::new("Other", 2, community, now()),
    ];
    let changes = changes(&author, community, records as u64);
    let [mut one, mut other] = [0, 1].map(|side| {
        let ledger = Ledger::open(MemoryStore::default(), MemoryJournal::default(), Options::default());
        let ledger = ledger.expect("the ledger opens");
        for change in &changes {
            ledger
                .apply(&[copy(change, side == 0)])
                .expect("the store takes records");
        }
        let topics = if side == 0 {
            Vec::new()
        } else {
            vec!["kept".parse().expect("a topic")]
        };
        let subscription = Subscription {
            topics: topics.into_iter().collect(),
            ..Subscription::default()
        };
        Shell::pulling(
            &sides[side],
            community,
            vec![author.id, sides[1 - side].id],
            ledger,
            subscription,
        )
    });
    let bodies = [&one, &other].map(|side| side.ledger.counts().bodies);
    let [first, second] = [0, 1].map(|side| Peer::from_bytes(format!("side {side}").as_bytes()));
    one.take(Input::Connected {
        peer: second.clone(),
        key: Some(sides[1].node.public()),
        outbound: true,
    });
    other.take(Input::Connected {
        peer: first.clone(),
        key: Some(sides[0].node.public()),
        outbound: false,
    });
    for _ in 0..8 {
        talk(&mut one, &mut other, &first);
        talk(&mut other, &mut one, &second);
    }
    one.wait(Millis(61_000));
    let began = Instant::now();
    let said = talk(&mut one, &mut other, &first);
    Figures {
        observables: records * RECORD,
        bodies,
        seconds: began.elapsed().as_secs_f64(),
        ..said
    }
}

/// Carries what one side asks to the other, and the answers back, until nothing is asked any more.
fn talk(asking: &mut Side, answering: &mut Side, name: &Peer) -> Figures {
    let mut said = Figures::default();
    loop {
        asking.settle();
        let asks = asking.asks();
        if asks.is_empty() {
            return said;
        }
        for (ticket, _, request) in asks {
            let frame = codec::encode(&request);
            let asked = answering.asked(name, &frame);
            answering.settle();
            let answer = reply(answering, asked);
            let answer = codec::encode(&answer);
            said.trips += 1;
            said.bytes += frame.len() + answer.len();
            said.moved += usize::from(matches!(request, Request::Body { .. } | Request::Push { .. }));
            asking.answered(ticket, &answer);
        }
    }
}

/// The answer to one request; a body that would have to be waited for is not held.
fn reply(side: &mut Side, ticket: Ticket) -> Response {
    let replies = side.replies();
    let found = replies.into_iter().find(|(answered, _)| *answered == ticket);
    found.map_or(Response::NotHeld, |(_, response)| response)
}

/// The author's certificate and records.
fn changes(author: &Organisation, community: Community, records: u64) -> Vec<Change> {
    let mut changes: Vec<Change> = author.statements.iter().cloned().map(Change::Statement).collect();
    let epoch = Millis(now().0 - 60_000);
    let mut prev = Digest::ZERO;
    changes.push(Change::Judge {
        org: author.id,
        acceptance: Acceptance::everything(),
    });
    for seq in 0..records {
        let names = day(seq + 1, RECORD);
        let observables = names
            .iter()
            .map(|name| name.parse().expect("a name is an observable"))
            .collect();
        let sealed = seal_body(Body::Indicators(bundle(observables)));
        let topic = if seq % ONLY_ONE == 0 { "dropped" } else { "kept" };
        let position = Position {
            community,
            epoch,
            seq,
            prev,
            created_at: Millis(epoch.0 + seq),
        };
        let header = position.header(&author.node, &sealed, |header| {
            header.topic = topic.parse().expect("a topic")
        });
        let header = header.verify(&Strict).expect("a header made here verifies");
        prev = RecordId::of(&header).digest();
        let body = Some((sealed.compressed, sealed.body));
        changes.push(Change::Record {
            header,
            org: Some(author.id),
            body,
            received_at: now(),
            own: false,
        });
    }
    changes
}

/// The same change for a node that pulls everything, or only the topic that is kept.
fn copy(change: &Change, everything: bool) -> Change {
    match change {
        Change::Record {
            header,
            org,
            body,
            received_at,
            ..
        } => Change::Record {
            header: header.clone(),
            org: *org,
            body: body.clone().filter(|_| everything || header.topic.as_str() == "kept"),
            received_at: *received_at,
            own: false,
        },
        Change::Statement(statement) => Change::Statement(statement.clone()),
        Change::Judge { org, acceptance } => Change::Judge {
            org: *org,
            acceptance: acceptance.clone(),
        },
        other => panic!("not made here: {other:?}"),
    }
}
