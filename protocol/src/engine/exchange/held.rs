//! Bodies that are here already, behind a record of somebody else.
//!
//! Several organisations publish the same list, and each of them signs a record of its own over one body. Whoever holds it
//! needs not be sent it again: before the first request for a body goes out, this node's own store is asked.

use starfish_crypto::Digest;

use crate::{
    intake::OpenResponse,
    limits,
    peer::Peer,
    wire::{Request, Response},
};

use super::{
    super::{
        Engine, Reading,
        port::{Found, Output, Query, Ticket},
    },
    Ask, Asked,
};

impl Engine {
    /// Asks for a body: the store, and this peer when the store has none.
    pub(super) fn ask_for_body(&mut self, peer: Peer, digest: Digest) -> Ticket {
        if !self.bodies.is_first_request(&digest) {
            return self.ask(peer, Request::Body { digest }, Ask::Body(digest));
        }
        let ticket = self.expect(peer, Ask::Body(digest));
        // Whatever it is believed for: nobody else is told.
        self.read(Query::Body { digest, green: true }, Reading::Held(ticket));
        ticket
    }

    /// What the store has of a body that is about to be asked for.
    pub(in crate::engine) fn held(&mut self, ticket: Ticket, found: Found) {
        // It may have come meanwhile, or the peer may be gone.
        let Some(Asked {
            peer,
            ask: Ask::Body(digest),
            ..
        }) = self.asks.get(&ticket)
        else {
            return;
        };
        match found {
            Found::Body(Some(body)) => self.answered(ticket, Ok(OpenResponse::Plain(Response::Body(body)))),
            _ => self.out.push(Output::Ask {
                ticket,
                peer: peer.clone(),
                request: Request::Body { digest: *digest },
                deadline: limits::REQUEST_DEADLINE,
            }),
        }
    }
}
