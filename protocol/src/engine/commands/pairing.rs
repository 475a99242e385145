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
    /// Who came through it. The answer may have been lost, so the same node may come again.
    used_by: Option<PublicKey>,
}

/// A visit to somebody else's door.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Pairing {
    pub(in crate::engine) command: Ticket,
    secret: [u8; 5],
}

impl Invitation {
    pub(super) fn new(until: Millis, confirmed: bool) -> Self {
        Self {
            until,
            confirmed,
            used_by: None,
        }
    }

    /// Whether it lets this node in.
    fn opens_to(&self, node: Option<PublicKey>, now: Millis) -> bool {
        self.until > now && self.used_by.is_none_or(|used_by| node == Some(used_by))
    }
}

impl Engine {
    pub(super) fn invite(&mut self, ticket: Ticket, secret: [u8; 5], invitation: Invitation) {
        let now = self.now.wall;
        self.invitations.retain(|_, open| open.until > now);
        // A used one is kept for whoever used it, as long as there is room.
        let used = self.invitations.iter().find(|(_, open)| open.used_by.is_some());
        if let Some(used) = used
            .map(|(secret, _)| *secret)
            .filter(|_| self.invitations.len() >= limits::INVITATIONS)
        {
            self.invitations.remove(&used);
        }
        if self.invitations.len() >= limits::INVITATIONS {
            return self.done(ticket, Outcome::Refused(Refusal::Busy));
        }
        self.invitations.insert(secret, invitation);
        self.done(ticket, Outcome::Done);
    }

    /// Whether a door is open.
    pub(in crate::engine) fn is_expecting(&self) -> bool {
        let now = self.now.wall;
        self.invitations
            .values()
            .any(|open| open.until > now && open.used_by.is_none())
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

    /// Somebody knocks with a code of ours. A code opens the door to one node.
    pub(in crate::engine) fn paired_by(&mut self, peer: &Peer, ticket: Ticket, secret: [u8; 5], hello: OpenHello) {
        let source = self.source(peer);
        let free = self.charges.code(source, self.now.mono);
        let key = self.peers.get(peer).and_then(|state| state.key);
        let open = self.invitations.get(&secret);
        let open = open.is_some_and(|open| open.opens_to(key, self.now.wall));
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
        if key.is_some() {
            let used_by = key;
            self.invitations.insert(secret, Invitation { used_by, ..invitation });
        }
        // What the operator has decided since the first time stands.
        if invitation.used_by.is_none() {
            self.let_in(org, key, secret, invitation.confirmed);
        }
        let hello = self.hello(self.confides_in(peer));
        // Whoever was let in is told when that is durable, and told again when the answer was lost.
        let response = Response::Hello(hello);
        self.step.told.push(Output::Reply { ticket, response });
    }

    fn let_in(&mut self, org: OrgId, key: Option<PublicKey>, secret: [u8; 5], confirmed: bool) {
        let words = self.pairing_digest(org, key, secret);
        let name = self.roster.name_of(&org).unwrap_or_default().to_string();
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
            Err(AskError::Lost) => Outcome::Refused(Refusal::NotConnected),
            Err(_) => Outcome::Refused(Refusal::NotAnswered),
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
