//! What one operation does to the world.

use starfish_protocol::{
    engine::port::{Acceptance, AskError, Command, Draft, Found, Input},
    intake::{Fault, OpenGossip, OpenHello, OpenRequest, OpenResponse, OpenStatements},
    peer::Peer,
    record::{Header, Origin, Tlp, open_body},
    statement::CheckedStatement,
    time::Millis,
    wire::{Channel, Cursor, Hello, Request, Response},
};

use starfish_protocol::engine::port::Ticket;

use super::{Op, World};
use crate::{
    cast::sealed_names,
    targets::pool::{POOL, START},
};

impl World {
    pub(in crate::targets::engine) fn step(&mut self, op: Op) {
        match op.kind % 16 {
            0 => self.connect(op.who),
            1 => self.disconnect(&peer(op.who)),
            2 | 3 => self.gossip(op),
            4 | 5 => self.ask(op),
            6 | 7 => self.answer(op),
            8 => self.append(),
            9 => self.found(op),
            10 => self.opened(op),
            11 => self.command(op),
            12 => self.wait(u64::from(op.what) * 100),
            13 => self.wait(u64::from(op.what) * 60_000),
            14 => self.late(op),
            _ => self.wall(op),
        }
    }

    fn connect(&mut self, who: u8) {
        let peer = peer(who);
        if self.connected.insert(peer.clone()) {
            let key = POOL
                .cast
                .get(usize::from(who % PEERS))
                .map(|organisation| organisation.node.public());
            let outbound = false;
            self.handle(Input::Connected { peer, key, outbound });
        }
    }

    pub(super) fn disconnect(&mut self, peer: &Peer) {
        if self.connected.remove(peer) {
            self.leaving.remove(peer);
            let left = &mut self.left;
            self.unanswered.retain(|ticket, waiting| {
                let stays = waiting != peer;
                left.extend((!stays).then_some(*ticket));
                stays
            });
            self.handle(Input::Disconnected(peer.clone()));
        }
    }

    fn gossip(&mut self, op: Op) {
        let piece = POOL.piece(op.what);
        let opened = match op.how % 8 {
            0 => Err(Fault::Signature),
            1 => Ok(OpenGossip::Statements(told(POOL.statements(op.what)))),
            2 => {
                let proof = CheckedStatement::of_fork(&piece.header, &POOL.piece(op.how / 8).header);
                Ok(OpenGossip::Statements(told(proof.into_iter().collect())))
            }
            3..6 => Ok(OpenGossip::Header {
                header: piece.header.clone(),
                body: None,
            }),
            _ => Ok(OpenGossip::Header {
                header: piece.header.clone(),
                body: Some(piece.body()),
            }),
        };
        let message = self.ticket().to_be_bytes().to_vec();
        let provable = opened.is_err() || op.how % 8 == 1;
        let outputs = self.handle(Input::Gossip {
            peer: peer(op.who),
            channel: Channel::ALL[usize::from(op.what) % Channel::ALL.len()],
            message: message.clone(),
            opened,
        });
        let answers: Vec<Acceptance> = outputs
            .into_iter()
            .filter(|(name, _)| *name == message)
            .map(|(_, answer)| answer)
            .collect();
        assert_eq!(answers.len(), 1, "a message was answered {} times", answers.len());
        assert!(
            provable || answers[0] != Acceptance::Reject,
            "a message without a fault was rejected"
        );
    }

    fn ask(&mut self, op: Op) {
        let piece = POOL.piece(op.what);
        let log = piece.header.log();
        let (digest, header) = (piece.header.body_digest, piece.header.clone());
        let cursor = Cursor {
            life: u64::from(op.how),
            change: u64::from(op.what),
            green: u64::from(op.what),
        };
        let request = match op.how % 12 {
            0 => Err(Fault::Malformed),
            1 => Ok(OpenRequest::Hello(hello(op.what))),
            2 | 3 => Ok(OpenRequest::Plain(Request::Frontier {
                heads: digest,
                statements: digest,
                since: (op.how > 12).then_some(cursor),
            })),
            4 | 5 => Ok(OpenRequest::Plain(Request::Range {
                log,
                from: u64::from(op.who),
                limit: u16::from(op.how) * 257,
            })),
            6 => Ok(OpenRequest::Plain(Request::Statements {
                about: vec![log.author; usize::from(op.what)],
                since: Some(cursor),
            })),
            7 | 8 => Ok(OpenRequest::Plain(Request::Body { digest })),
            9 | 10 => Ok(OpenRequest::Push {
                header,
                body: op.how.is_multiple_of(2).then(|| piece.body()),
            }),
            _ => Ok(OpenRequest::Pair {
                secret: [op.what % 2; 5],
                hello: hello(op.what),
            }),
        };
        let peer = peer(op.who);
        if self.connected.contains(&peer) {
            let ticket = self.ticket();
            self.unanswered.insert(ticket, peer.clone());
            self.handle(Input::Asked { peer, ticket, request });
        }
    }

    fn answer(&mut self, op: Op) {
        if self.asks.is_empty() {
            return;
        }
        let (ticket, request) = self.asks.swap_remove(usize::from(op.who) % self.asks.len());
        let response = match op.how % 8 {
            0 => Err(AskError::Lost),
            1 => Err(AskError::Timeout),
            2 => Err(AskError::Fault(Fault::Body)),
            3 => Ok(OpenResponse::Plain(Response::Busy)),
            4 => Ok(OpenResponse::Plain(Response::NotHeld)),
            _ => Ok(self.reply(&request, op)),
        };
        self.handle(Input::Answered { ticket, response });
    }

    /// An answer of the right kind, honest as far as the pool goes.
    fn reply(&mut self, request: &Request, op: Op) -> OpenResponse {
        let cursor = Cursor {
            life: u64::from(op.who),
            change: u64::from(op.what),
            green: u64::from(op.how),
        };
        OpenResponse::Plain(match request {
            Request::Hello(_) | Request::Pair { .. } => return OpenResponse::Hello(hello(op.what)),
            Request::Frontier { .. } if op.how.is_multiple_of(2) => Response::Same { cursor },
            Request::Frontier { statements, .. } => {
                let heads = (0..=op.what % 8).map(|step| POOL.piece(op.what.wrapping_add(step)).head());
                Response::Heads {
                    heads: heads.collect(),
                    cursor,
                    more: op.how > 200,
                    statements: *statements,
                }
            }
            Request::Range { log, from, .. } => return OpenResponse::Headers(POOL.range(*log, *from, op.what)),
            Request::Statements { .. } => {
                return OpenResponse::Statements(told(POOL.statements(op.what)), cursor, op.how > 240);
            }
            Request::Body { digest } => match POOL.pieces.iter().find(|piece| piece.header.body_digest == *digest) {
                Some(piece) => Response::Body(piece.sealed.compressed.clone()),
                None => Response::NotHeld,
            },
            Request::Push { .. } => Response::Taken,
        })
    }

    pub(super) fn append(&mut self) {
        if let Some((ticket, changes)) = self.appends.pop_front() {
            changes.into_iter().for_each(|change| self.store.apply(change));
            self.handle(Input::Appended(ticket));
        }
    }

    pub(super) fn append_all(&mut self) {
        while !self.appends.is_empty() {
            self.append();
        }
    }

    fn found(&mut self, op: Op) {
        if self.reads.is_empty() {
            return;
        }
        let (ticket, query) = self.reads.swap_remove(usize::from(op.who) % self.reads.len());
        let found = if op.how == 0 {
            Found::Failed
        } else {
            self.store.find(&query)
        };
        self.handle(Input::Found { ticket, found });
    }

    fn opened(&mut self, op: Op) {
        if self.openings.is_empty() {
            return;
        }
        let (ticket, header, compressed) = self.openings.swap_remove(usize::from(op.who) % self.openings.len());
        self.open(ticket, &header, compressed);
    }

    pub(super) fn open(&mut self, ticket: Ticket, header: &Header, compressed: Vec<u8>) {
        let body = open_body(header, &compressed).map(|body| (compressed, body));
        self.handle(Input::Opened { ticket, body });
    }

    fn command(&mut self, op: Op) {
        let piece = POOL.piece(op.what);
        let org = POOL.cast[usize::from(op.what) % POOL.cast.len()].id;
        let command = match op.how % 10 {
            0..3 => Command::Publish(Draft {
                topic: piece.header.topic.clone(),
                tlp: Tlp::from(op.who % 4),
                expires_at: Millis(self.now.wall.0 + 86_400_000),
                bodies: (0..=op.what % 3)
                    .map(|part| sealed_names(&format!("own-{}", op.what), usize::from(part) + 1))
                    .collect(),
                set: (!op.what.is_multiple_of(3)).then_some(piece.header.body_digest),
                derived_from: op
                    .who
                    .is_multiple_of(5)
                    .then(|| Origin::from_digest(piece.header.body_digest)),
            }),
            3 => Command::Withdraw {
                record: self.store.some_record(op.what),
                observables: Vec::new(),
                reason: "r".to_owned(),
            },
            4 => Command::Invite {
                secret: [op.what % 2; 5],
                until: Millis(START + 600_000),
                confirmed: op.how > 128,
            },
            5 => Command::Pair {
                peer: peer(op.who),
                secret: [op.what % 2; 5],
            },
            6 => {
                self.roots.insert(org);
                Command::Trust(org)
            }
            7 => Command::Block {
                peer: peer(op.who),
                blocked: op.what.is_multiple_of(2),
            },
            8 => Command::Subscribe {
                topics: vec![piece.header.topic.clone()],
                tlds: Vec::new(),
            },
            _ => Command::Overview,
        };
        // An invitation that needs no words makes whoever uses it a root.
        if matches!(command, Command::Invite { confirmed: true, .. }) {
            self.roots.extend(POOL.cast.iter().map(|organisation| organisation.id));
        }
        let ticket = self.ticket();
        self.wanted.insert(ticket);
        self.handle(Input::Command { ticket, command });
    }

    pub(super) fn wait(&mut self, length: u64) {
        self.now.mono.0 += length;
        self.now.wall.0 += length;
        self.handle(Input::Woken);
    }

    /// What comes twice, or for a request that was never made.
    fn late(&mut self, op: Op) {
        let ticket = u64::from(op.what);
        match op.how % 5 {
            0 => self.handle(Input::Appended(ticket | 1 << 50)),
            1 => self.handle(Input::Progress(ticket)),
            2 => self.handle(Input::Answered {
                ticket: ticket | 1 << 50,
                response: Err(AskError::Lost),
            }),
            3 => self.handle(Input::Found {
                ticket: ticket | 1 << 50,
                found: Found::Failed,
            }),
            _ => self.handle(Input::Disconnected(peer(op.who))),
        };
    }

    /// The wall clock jumps, by up to four days either way.
    fn wall(&mut self, op: Op) {
        let jump = u64::from(op.what) * 1_350_000;
        self.now.wall.0 = if op.how.is_multiple_of(2) {
            self.now.wall.0 + jump
        } else {
            self.now.wall.0.saturating_sub(jump)
        };
        self.handle(Input::Woken);
    }
}

/// How many peers there are: one for each of the cast, and two without a key that anyone knows.
const PEERS: u8 = 6;

fn peer(who: u8) -> Peer {
    Peer::from_bytes(&[b'p', who % PEERS])
}

fn told(checked: Vec<CheckedStatement>) -> OpenStatements {
    let told = checked.len();
    OpenStatements { checked, told }
}

fn hello(what: u8) -> OpenHello {
    Hello {
        community: POOL.community,
        statements: POOL.statements(what),
        topics: Vec::new(),
        tlds: Vec::new(),
        records: u64::from(what),
        wall: Millis(START + u64::from(what) * 60_000),
    }
}
