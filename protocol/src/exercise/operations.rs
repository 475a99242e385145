//! Bytes as a sequence of events: what a fuzzer, or a test with random bytes, plays against a small mesh.
//!
//! Three honest nodes list each other and start connected in a row. Two hostile peers of node 0, one of an organisation
//! that it lists and one that nobody knows, sign whatever the bytes say. Whatever happens, no engine panics, everything
//! stays within its bounds, chains hold, honest nodes never blame each other, and none of them ever writes two histories.

use crate::{
    codec,
    engine::port::{AskError, Command, Found, Input, Ticket},
    intake::OpenResponse,
    record::{BodyFault, Header, Kind, RecordId, SealedBody},
    time::Millis,
    wire::{Cursor, Gossip, Head, Hello, Request, Response},
};

use super::{
    Chaos, Identity, World,
    identity::{BEGIN, addresses, community, names, topic},
};

/// How many events are played at most: a longer sequence only takes longer.
const EVENTS: usize = 400;
const HONEST: usize = 3;

/// The bytes that are left; zeros when there are none.
#[derive(Debug)]
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// Mostly small, sometimes anything.
    fn number(&mut self) -> u64 {
        match self.byte() {
            255 => u64::MAX,
            254 => (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte())),
            small => u64::from(small % 32),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let count = self.below(64);
        (0..count).map(|_| self.byte()).collect()
    }
}

/// Plays a sequence of events.
///
/// # Panics
/// When an invariant breaks.
pub fn run(bytes: &[u8]) {
    let mut stage = Stage::new(Script(bytes));
    for _ in 0..EVENTS {
        if stage.script.0.is_empty() {
            break;
        }
        stage.step();
        let world = &stage.world;
        assert!((0..HONEST).filter(|node| world.is_running(*node)).all(|node| world.engine(node).is_bounded()));
    }
    stage.world.run(30_000);
    stage.check();
}

struct Stage<'a> {
    script: Script<'a>,
    world: World,
    hostile: [Identity; 2],
    /// What the hostile peers have signed, to be built upon.
    signed: Vec<starfish_crypto::Verified<Header>>,
    backup: Option<super::Store>,
}

impl<'a> Stage<'a> {
    fn new(script: Script<'a>) -> Self {
        let mut world = World::new(u64::from(script.0.first().copied().unwrap_or_default()), HONEST);
        let hostile = [Identity::numbered(7), Identity::numbered(8)];
        world.nodes[0].listed.push(hostile[0].org);
        world.start(0);
        world.link(0, 1);
        world.link(1, 2);
        let mut stage = Self { script, world, hostile, signed: Vec::new(), backup: None };
        stage.meet();
        stage.world.run(200);
        stage
    }

    fn meet(&mut self) {
        for who in &self.hostile {
            self.world.connect(0, who);
            self.world.gossip(0, who.peer(), codec::encode(&Gossip::Statements(who.statements.clone())));
        }
    }

    fn step(&mut self) {
        let node = self.script.below(HONEST);
        match self.script.below(20) {
            0 | 1 => self.publish(node),
            2 => self.world.link(node, (node + 1) % HONEST),
            3 => self.world.unlink(node, (node + 1) % HONEST),
            4 => self.world.start(node),
            5 => self.world.crash(node),
            6 | 7 => {
                let millis = self.script.number().min(60_000) * 40;
                self.world.run(millis.min(60_000));
            }
            8..=10 => self.forge(),
            11 => self.replay(node),
            12 => self.answer(),
            13 => self.request(),
            14 => self.command(node),
            15 => {
                let payload = self.script.bytes();
                self.world.gossip(0, self.hostile[1].peer(), payload);
            }
            16 => self.spurious(node),
            17 => self.backup(node),
            18 => {
                let (delay, lost) = (1 + self.script.number().min(500), self.script.number().min(60));
                self.world.chaos = Chaos { delay, lost, repeated: lost };
            }
            _ => self.disturb(node),
        }
    }

    fn body(&mut self) -> SealedBody {
        let number = u32::from(self.script.byte() % 8);
        if number.is_multiple_of(2) { addresses(number, 2) } else { names(number, 60) }
    }

    fn publish(&mut self, node: usize) {
        let bodies = (0..self.script.below(4)).map(|_| self.body()).collect();
        self.world.publish(node, bodies);
    }

    /// A hostile peer's header, with any field wrong that can be signed.
    fn forge(&mut self) {
        let who = self.script.below(2);
        let sealed = self.body();
        let last = self.signed.iter().rev().find(|header| header.author == self.hostile[who].key.public());
        let next = last.map(|last| (last.epoch, last.seq.saturating_add(1), RecordId::of(last).digest()));
        let script = &mut self.script;
        let header = self.hostile[who].header(&sealed, |header| {
            (header.epoch, header.seq, header.prev) = next.unwrap_or((header.epoch, 0, header.prev));
            match script.below(12) {
                0 => header.seq = header.seq.saturating_add(script.number()),
                1 => header.prev = sealed.digest,
                2 => (header.seq, header.epoch) = (0, Millis(BEGIN.0.saturating_add(script.number()))),
                3 => header.created_at = Millis(script.number()),
                4 => header.compressed_len = header.compressed_len.saturating_sub(1).max(1),
                5 => header.kind = Kind(script.byte().into()),
                6 => header.topic = topic(&format!("topic{}", script.byte())),
                7 => header.extensions.scope = None,
                8 => header.items = 0,
                _ => {}
            }
            if header.seq > 0 && header.prev == starfish_crypto::Digest::ZERO {
                header.prev = sealed.digest;
            }
            let withdraws = header.kind == Kind::WITHDRAWAL;
            header.extensions.targets.extend(withdraws.then(|| RecordId::from_digest(sealed.digest)));
            header.expires_at = Millis(header.created_at.0.saturating_add(script.number()));
            header.expires_at = header.expires_at.max(Millis(BEGIN.0 + 60_000)).max(header.created_at);
        });
        self.signed.push(header.clone());
        let body = (self.script.below(3) == 0).then_some(sealed.compressed);
        let from = self.hostile[self.script.below(2)].peer();
        let payload = Gossip::Header { header: header.signed().clone(), body };
        self.world.gossip(0, from, codec::encode(&payload));
    }

    /// Something signed before comes again, somewhere, alone, in a pair, or as a push.
    fn replay(&mut self, node: usize) {
        if self.signed.is_empty() {
            return;
        }
        let mut any = || self.signed[self.script.below(self.signed.len())].signed().clone();
        let (one, two) = (any(), any());
        let from = self.hostile[0].peer();
        match self.script.below(3) {
            0 => self.world.gossip(node, from, codec::encode(&Gossip::Header { header: one, body: None })),
            1 => self.world.gossip(node, from, codec::encode(&Gossip::Fork(Box::new((one, two))))),
            _ => {
                let body = self.body().compressed;
                self.world.request(0, from, None, &codec::encode(&Request::Push { header: one, body }));
            }
        }
    }

    /// A hostile peer answers a question.
    fn answer(&mut self) {
        let asked = self.world.nodes[0].asked.len();
        if asked == 0 {
            return;
        }
        let (_, ticket, request) = self.world.nodes[0].asked.remove(self.script.below(asked));
        let response = match (self.script.below(8), request) {
            (0, _) => Response::NotHeld,
            (1, _) => Response::Busy,
            (2, _) => Response::Gone { first: self.script.number() },
            (3, _) => Response::Body(self.script.bytes()),
            (_, Request::Hello(_) | Request::Pair { .. }) => Response::Hello(self.hello()),
            (_, Request::Frontier { .. }) => self.heads(),
            (_, Request::Range { .. }) => {
                let count = self.script.below(8);
                Response::Headers(self.signed.iter().rev().take(count).map(|header| header.signed().clone()).collect())
            }
            (_, Request::Statements { .. }) => {
                let more = self.script.below(2) == 0;
                Response::Statements { statements: self.hostile[0].statements.clone(), more }
            }
            (_, Request::Body { .. }) => Response::Body(self.body().compressed),
            (_, Request::Push { .. }) => Response::Taken,
        };
        self.world.respond(0, ticket, response);
    }

    fn heads(&mut self) -> Response {
        let head = |header: &starfish_crypto::Verified<Header>, seq: u64| Head {
            log: header.log(),
            seq: header.seq.saturating_add(seq),
            id: RecordId::of(header).digest(),
        };
        let ahead = self.script.number();
        let heads = self.signed.iter().map(|header| head(header, ahead)).collect();
        let cursor = Cursor { life: 1, change: self.script.number() };
        let statements = starfish_crypto::Digest::of("any", &[self.script.byte()]);
        Response::Heads { heads, cursor, more: self.script.below(4) == 0, statements }
    }

    fn hello(&mut self) -> Hello {
        Hello {
            community: community(),
            statements: self.hostile[self.script.below(2)].statements.clone(),
            topics: vec![String::from_utf8_lossy(&self.script.bytes()).into_owned()],
            tlds: Vec::new(),
            records: self.script.number(),
            wall: Millis(self.script.number()),
        }
    }

    /// A hostile peer asks.
    fn request(&mut self) {
        let from = self.hostile[self.script.below(2)].peer();
        let known = self.world.nodes[0].store.heads().into_iter().next();
        let request = match (self.script.below(6), known) {
            (0, Some(head)) => {
                Request::Range { log: head.log, from: self.script.number(), limit: self.script.number() as u16 }
            }
            (1, _) => Request::Frontier {
                heads: starfish_crypto::Digest::ZERO,
                statements: starfish_crypto::Digest::ZERO,
                since: Some(Cursor { life: self.script.number(), change: self.script.number() }),
            },
            (2, _) => Request::Body { digest: self.body().digest },
            (3, _) => Request::Statements {
                about: vec![self.hostile[0].key.public()],
                skip: self.script.number() as u32,
            },
            (4, _) => Request::Pair { secret: [self.script.byte() % 2; 5], hello: self.hello() },
            _ => Request::Hello(self.hello()),
        };
        self.world.request(0, from, None, &codec::encode(&request));
    }

    fn command(&mut self, node: usize) {
        let org = self.hostile[self.script.below(2)].org;
        let record = self.world.nodes[node].store.records.keys().next().copied();
        let command = match (self.script.below(6), record) {
            (0, Some(record)) => Command::Withdraw { record, observables: Vec::new(), reason: "why".to_owned() },
            (1, _) => Command::Trust(org),
            (2, _) => Command::Distrust(org),
            (3, _) => Command::Invite {
                secret: [self.script.byte() % 2; 5],
                until: Millis(BEGIN.0 + 60_000),
                confirmed: self.script.below(2) == 0,
            },
            (4, _) => {
                let topics = (0..self.script.below(3)).map(|number| topic(["malware", "phishing", "c2"][number]));
                Command::Subscribe { topics: topics.collect(), tlds: Vec::new() }
            }
            _ => Command::Listening(vec![format!("/ip4/192.0.2.{}/tcp/1", self.script.byte())]),
        };
        self.world.command(node, command);
    }

    /// What belongs to nothing: a shell that is confused must not harm.
    fn spurious(&mut self, node: usize) {
        let ticket: Ticket = self.script.number();
        let input = match self.script.below(6) {
            0 => Input::Progress(ticket),
            1 => Input::Opened { ticket: u64::MAX, body: Err(BodyFault::Digest) },
            2 => Input::Found { ticket: u64::MAX, found: Found::Failed },
            3 => Input::Answered { ticket: u64::MAX, response: Err(AskError::Lost) },
            4 => Input::Answered { ticket: u64::MAX, response: Ok(OpenResponse::Plain(Response::Taken)) },
            _ => Input::Woken,
        };
        self.world.feed(node, input);
    }

    /// A node's store is copied, or put back in the place of a later one.
    fn backup(&mut self, node: usize) {
        match self.backup.take() {
            None => self.backup = Some(self.world.nodes[0].store.clone()),
            Some(backup) if node > 0 => {
                self.world.crash(0);
                self.world.nodes[0].store = backup;
                self.world.nodes[0].safe_mode = true;
                self.world.start(0);
            }
            kept => self.backup = kept,
        }
        self.meet();
    }

    fn disturb(&mut self, node: usize) {
        let state = &mut self.world.nodes[node];
        match self.script.byte() % 4 {
            0 => state.stalled = !state.stalled,
            1 => state.skew = if state.skew == 0 { 3_600_000 } else { 0 },
            2 => state.skew = if state.skew == 0 { -3_600_000 } else { 0 },
            _ => self.meet(),
        }
    }

    fn check(&self) {
        let honest: Vec<_> = self.world.nodes.iter().map(|node| &node.identity).collect();
        for node in &self.world.nodes {
            node.store.check();
            for other in &honest {
                let strikes = node.strikes.get(&other.peer()).copied().unwrap_or_default();
                assert_eq!(strikes, 0, "an honest node was blamed");
                assert!(!node.store.frozen.contains(&other.key.public()), "an honest node wrote two histories");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn no_sequence_of_events_breaks_an_invariant(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            run(&bytes);
        }
    }

    #[test]
    fn the_empty_sequence_is_harmless() {
        run(&[]);
        run(&[255; 200]);
        run(&[0; 200]);
    }
}
