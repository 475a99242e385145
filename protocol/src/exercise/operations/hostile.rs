//! What the hostile peers say: forged and repeated headers, answers to what was asked, questions.

use starfish_crypto::{Digest, Verified};

use crate::{
    codec,
    record::{Header, Kind, RecordId},
    statement::{self, Statement},
    time::Millis,
    wire::{Cursor, Gossip, Head, Hello, Request, Response},
};

use super::{
    super::identity::{BEGIN, community, topic},
    Stage,
};

impl Stage<'_> {
    /// A hostile peer's header, with any field wrong that can be signed.
    pub(super) fn forge(&mut self) {
        let who = self.script.below(2);
        let sealed = self.body();
        let last = self
            .signed
            .iter()
            .rev()
            .find(|header| header.author == self.hostile[who].key.public());
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
            if header.seq > 0 && header.prev == Digest::ZERO {
                header.prev = sealed.digest;
            }
            let withdraws = header.kind == Kind::WITHDRAWAL;
            header
                .extensions
                .targets
                .extend(withdraws.then(|| RecordId::from_digest(sealed.digest)));
            header.expires_at = Millis(header.created_at.0.saturating_add(script.number()));
            header.expires_at = header.expires_at.max(Millis(BEGIN.0 + 60_000)).max(header.created_at);
        });
        self.signed.push(header.clone());
        let body = (self.script.below(3) == 0).then_some(sealed.compressed);
        let from = self.hostile[self.script.below(2)].peer();
        let payload = Gossip::Header {
            header: header.signed().clone(),
            body,
        };
        self.world.gossip(0, from, codec::encode(&payload));
    }

    /// Something signed before comes again, somewhere, alone, in a pair, or as a push.
    pub(super) fn replay(&mut self, node: usize) {
        if self.signed.is_empty() {
            return;
        }
        let mut any = || self.signed[self.script.below(self.signed.len())].signed().clone();
        let (one, two) = (any(), any());
        let from = self.hostile[0].peer();
        match self.script.below(3) {
            0 => self.world.gossip(
                node,
                from,
                codec::encode(&Gossip::Header {
                    header: one,
                    body: None,
                }),
            ),
            1 => {
                let author = self.hostile[self.script.below(2)].key.public();
                let proof = [author.as_bytes().as_slice(), &codec::encode(&(&one, &two))].concat();
                let statement = Statement::unsigned(statement::Kind::PROOF, proof).expect("two headers fit");
                self.world
                    .gossip(node, from, codec::encode(&Gossip::Statements(vec![statement])));
            }
            _ => {
                let body = self.body().compressed;
                self.world
                    .request(0, from, None, &codec::encode(&Request::Push { header: one, body }));
            }
        }
    }

    /// A hostile peer answers a question.
    pub(super) fn answer(&mut self) {
        let asked = self.world.nodes[0].asked.len();
        if asked == 0 {
            return;
        }
        let (_, ticket, request) = self.world.nodes[0].asked.remove(self.script.below(asked));
        let response = match (self.script.below(8), request) {
            (0, _) => Response::NotHeld,
            (1, _) => Response::Busy,
            (2, _) => Response::Gone {
                first: self.script.number(),
            },
            (3, _) => Response::Body(self.script.bytes()),
            (_, Request::Hello(_) | Request::Pair { .. }) => Response::Hello(self.hello()),
            (_, Request::Frontier { .. }) => self.heads(),
            (_, Request::Range { .. }) => {
                let count = self.script.below(8);
                Response::Headers(
                    self.signed
                        .iter()
                        .rev()
                        .take(count)
                        .map(|header| header.signed().clone())
                        .collect(),
                )
            }
            (_, Request::Statements { .. }) => {
                let more = self.script.below(2) == 0;
                Response::Statements {
                    statements: self.hostile[0].statements.clone(),
                    cursor: Cursor {
                        life: self.script.number(),
                        change: self.script.number(),
                        green: self.script.number(),
                    },
                    more,
                }
            }
            (_, Request::Body { .. }) => Response::Body(self.body().compressed),
            (_, Request::Push { .. }) => Response::Taken,
        };
        self.world.respond(0, ticket, response);
    }

    fn heads(&mut self) -> Response {
        let head = |header: &Verified<Header>, seq: u64| Head {
            log: header.log(),
            seq: header.seq.saturating_add(seq),
            id: RecordId::of(header).digest(),
        };
        let ahead = self.script.number();
        let heads = self.signed.iter().map(|header| head(header, ahead)).collect();
        let cursor = Cursor {
            life: 1,
            change: self.script.number(),
            green: 0,
        };
        let statements = Digest::of("any", &[self.script.byte()]);
        Response::Heads {
            heads,
            cursor,
            more: self.script.below(4) == 0,
            statements,
        }
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
    pub(super) fn request(&mut self) {
        let from = self.hostile[self.script.below(2)].peer();
        let known = self.world.nodes[0].store.heads().into_iter().next();
        let request = match (self.script.below(6), known) {
            (0, Some(head)) => Request::Range {
                log: head.log,
                from: self.script.number(),
                limit: self.script.number() as u16,
            },
            (1, _) => Request::Frontier {
                heads: Digest::ZERO,
                statements: Digest::ZERO,
                since: Some(Cursor {
                    life: self.script.number(),
                    change: self.script.number(),
                    green: self.script.number(),
                }),
            },
            (2, _) => Request::Body {
                digest: self.body().digest,
            },
            (3, _) => Request::Statements {
                about: vec![self.hostile[0].key.public()],
                since: None,
            },
            (4, _) => Request::Pair {
                secret: [self.script.byte() % 2; 5],
                hello: self.hello(),
            },
            _ => Request::Hello(self.hello()),
        };
        self.world.request(0, from, None, &codec::encode(&request));
    }
}
