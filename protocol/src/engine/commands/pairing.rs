//! How two operators meet: one opens a door for a code, the other comes through it, and both compare words.

use starfish_crypto::{Digest, PublicKey, domain};

use crate::{
    codec,
    intake::{OpenHello, OpenResponse},
    limits,
    organisation::OrgId,
    peer::Peer,
    time::Millis,
    wire::{Request, Response},
};

use super::super::{
    Engine,
    exchange::Ask,
    port::{AskError, Event, Outcome, Output, Refusal, Ticket},
};

/// A door that `invite` opened.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Invitation {
    until: Millis,
    confirmed: bool,
}

/// A visit to somebody else's door.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Pairing {
    pub(in crate::engine) command: Ticket,
    secret: [u8; 5],
}

impl Invitation {
    pub(super) fn new(until: Millis, confirmed: bool) -> Self {
        Self { until, confirmed }
    }
}

impl Engine {
    pub(super) fn invite(&mut self, ticket: Ticket, secret: [u8; 5], invitation: Invitation) {
        let now = self.now.wall;
        self.invitations.retain(|_, open| open.until > now);
        if self.invitations.len() >= limits::INVITATIONS {
            return self.done(ticket, Outcome::Refused(Refusal::Busy));
        }
        self.invitations.insert(secret, invitation);
        self.done(ticket, Outcome::Done);
    }

    /// Whether a door is open.
    pub(in crate::engine) fn is_expecting(&self) -> bool {
        self.invitations.values().any(|open| open.until > self.now.wall)
    }

    pub(super) fn visit(&mut self, command: Ticket, peer: Peer, secret: [u8; 5]) {
        let Some(state) = self.peers.get(&peer) else {
            return self.done(command, Outcome::Refused(Refusal::NotConnected));
        };
        if state.asks >= limits::ASKS_PER_PEER {
            return self.done(command, Outcome::Refused(Refusal::Busy));
        }
        let hello = self.hello(self.confides_in(&peer));
        self.ask(
            peer,
            Request::Pair { secret, hello },
            Ask::Pair(Pairing { command, secret }),
        );
    }

    /// Both sides derive the same digest, from what each of them proved and the secret of the code.
    fn pairing_digest(&self, other: OrgId, peer_key: Option<PublicKey>, secret: [u8; 5]) -> Digest {
        let mut sides = [(self.org, Some(self.key.public())), (other, peer_key)];
        sides.sort();
        Digest::of(domain::PAIRING, &codec::encode(&(sides, secret)))
    }

    /// Somebody knocks with a code of ours. A code opens the door once.
    pub(in crate::engine) fn paired_by(&mut self, peer: &Peer, ticket: Ticket, secret: [u8; 5], hello: OpenHello) {
        let source = self.source(peer);
        let free = self.charges.code(source, self.now.mono);
        let open = self
            .invitations
            .get(&secret)
            .is_some_and(|open| open.until > self.now.wall);
        if !free || !open {
            return self.reply(ticket, Response::Refused);
        }
        self.pin_visitor(&hello);
        if !self.introduce(peer, hello) {
            return self.reply(ticket, Response::Refused);
        }
        let Some(state) = self.peers.get(peer) else {
            return self.reply(ticket, Response::Refused);
        };
        let (key, Some(org)) = (state.key, state.org) else {
            return self.reply(ticket, Response::Refused);
        };
        let Some(invitation) = self.invitations.remove(&secret) else {
            return self.reply(ticket, Response::Refused);
        };
        let words = self.pairing_digest(org, key, secret);
        let name = self.roster.name_of(&org).unwrap_or_default().to_string();
        let confirmed = invitation.confirmed;
        if confirmed {
            self.trust_now(org, true);
        }
        self.out.push(Output::Event(Event::PairingAsked {
            secret,
            org,
            name,
            words,
            confirmed,
        }));
        let hello = self.hello(self.confides_in(peer));
        // Whoever was let in is told when that is durable.
        let response = Response::Hello(hello);
        self.step.told.push(Output::Reply { ticket, response });
    }

    /// Makes room for the organisation of somebody who holds a code, however many strangers the roster is full of.
    fn pin_visitor(&mut self, hello: &OpenHello) {
        if let Some(org) = hello.statements.iter().find_map(|shown| shown.statement().founds()) {
            self.roster.pin(org);
        }
    }

    /// The other side opened: its words are for the operator to compare before `Command::Trust`.
    pub(in crate::engine) fn met(&mut self, peer: &Peer, pairing: Pairing, response: Result<OpenResponse, AskError>) {
        let outcome = match response {
            Ok(OpenResponse::Hello(hello)) => {
                self.pin_visitor(&hello);
                self.introduce(peer, hello);
                self.met_whom(peer, pairing.secret)
            }
            Ok(_) => Outcome::Refused(Refusal::CodeRefused),
            Err(_) => Outcome::Refused(Refusal::NotConnected),
        };
        self.done(pairing.command, outcome);
    }

    fn met_whom(&self, peer: &Peer, secret: [u8; 5]) -> Outcome {
        let Some(state) = self.peers.get(peer) else {
            return Outcome::Refused(Refusal::NotConnected);
        };
        let Some(org) = state.org else {
            return Outcome::Refused(Refusal::Unproven);
        };
        let name = self.roster.name_of(&org).unwrap_or_default().to_string();
        Outcome::Met {
            org,
            name,
            words: self.pairing_digest(org, state.key, secret),
        }
    }
}
