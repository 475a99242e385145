//! What a polite speaker knows: [`Script`] holds its organisation, and the headers and bodies that it hands out when asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use starfish_crypto::{Digest, SecretKey, Signed};
use starfish_protocol::{
    community::Community,
    record::{Header, RecordId, SealedBody},
    statement::Statement,
    time::Millis,
    wire::{Cursor, Hello, Request, Response},
};
use starfish_tests::cast::{Organisation, Position, now};

use super::{
    speaker::{Answer, Manners},
    verified,
};

#[derive(Default)]
struct Held {
    headers: Vec<Signed>,
    bodies: BTreeMap<Digest, Vec<u8>>,
}

/// Cloned, it is the same script.
#[derive(Clone)]
pub(super) struct Script {
    community: Community,
    key: SecretKey,
    statements: Vec<Statement>,
    held: Arc<Mutex<Held>>,
}

impl Script {
    pub(super) fn new(organisation: &Organisation, community: Community) -> Self {
        let (key, statements) = (organisation.node.clone(), organisation.statements.clone());
        Self {
            community,
            key,
            statements,
            held: Arc::default(),
        }
    }

    /// The same organisation by a node key that it does not know.
    pub(super) fn with_key(&self, key: SecretKey) -> Self {
        Self { key, ..self.clone() }
    }

    /// Other statements than the organisation's own.
    pub(super) fn with_statements(&self, statements: Vec<Statement>) -> Self {
        Self {
            statements,
            ..self.clone()
        }
    }

    pub(super) fn key(&self) -> &SecretKey {
        &self.key
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn introduction(&self) -> Request {
        Request::Hello(self.hello())
    }

    fn hello(&self) -> Hello {
        Hello {
            community: self.community,
            statements: self.statements.clone(),
            topics: Vec::new(),
            tlds: Vec::new(),
            records: self.held().headers.len() as u64,
            wall: now(),
        }
    }

    /// Signs a header and remembers it, but not its body.
    pub(super) fn writes(&self, position: Position, sealed: &SealedBody, change: impl FnOnce(&mut Header)) -> Signed {
        let header = position.header(&self.key, sealed, change);
        self.held().headers.push(header.clone());
        header
    }

    /// The first place of a log that opens now.
    pub(super) fn opening(&self) -> Position {
        let at = now();
        Position {
            community: self.community,
            epoch: at,
            seq: 0,
            prev: Digest::ZERO,
            created_at: at,
        }
    }

    /// The place after a header.
    pub(super) fn behind(&self, header: &Signed) -> Position {
        let header = verified(header);
        Position {
            community: self.community,
            epoch: header.epoch,
            seq: header.seq + 1,
            prev: RecordId::of(&header).digest(),
            created_at: Millis(header.created_at.0 + 1),
        }
    }

    /// Hands out a body from now on.
    pub(super) fn holds(&self, sealed: &SealedBody) {
        self.held().bodies.insert(sealed.digest, sealed.compressed.clone());
    }

    /// Hands out a header from now on.
    pub(super) fn remembers(&self, header: &Signed) {
        self.held().headers.push(header.clone());
    }

    /// Answers as a good node would.
    pub(super) fn manners(&self) -> Manners {
        let script = self.clone();
        Arc::new(move |request| Answer::Response(script.answer(request)))
    }

    /// The same, but for what the test answers itself.
    pub(super) fn manners_but(&self, own: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> Manners {
        let script = self.clone();
        Arc::new(move |request| own(request).unwrap_or_else(|| Answer::Response(script.answer(request))))
    }

    pub(super) fn answer(&self, request: &Request) -> Response {
        match request {
            Request::Hello(_) => Response::Hello(self.hello()),
            Request::Frontier { .. } => Response::Same {
                cursor: Cursor {
                    life: 1,
                    change: 1,
                    green: 0,
                },
            },
            Request::Range { log, from, limit } => {
                let headers = self.held().headers.clone();
                let wanted = headers.into_iter().filter(|header| {
                    let header = verified(header);
                    header.log() == *log && header.seq >= *from
                });
                let found: Vec<Signed> = wanted.take(usize::from(*limit)).collect();
                if found.is_empty() {
                    Response::NotHeld
                } else {
                    Response::Headers(found)
                }
            }
            Request::Statements { .. } => Response::Statements {
                statements: self.statements.clone(),
                cursor: Cursor {
                    life: 1,
                    change: 1,
                    green: 0,
                },
                more: false,
            },
            Request::Body { digest } => match self.held().bodies.get(digest) {
                Some(body) => Response::Body(body.clone()),
                None => Response::NotHeld,
            },
            Request::Push { .. } => Response::Taken,
            Request::Pair { .. } => Response::Refused,
        }
    }
}
