//! Requests, both ways: what peers ask of this node, and what it asks of them.

mod catching_up;
mod filling;
mod held;
mod lagging;
mod missing;
mod serving;

use starfish_crypto::{Digest, PublicKey};

use crate::{
    intake::{Fault, OpenRequest, OpenResponse},
    limits,
    peer::Peer,
    record::RecordId,
    time::Millis,
    wire::{Cursor, Head, Request, Response},
};

pub(super) use self::{
    filling::Filling,
    lagging::Lagging,
    missing::{Look, Missing},
    serving::Inquiry,
};
use super::{
    Engine,
    bodies::{Answer, BodyStep},
    commands::Pairing,
    frontier::Gap,
    port::{AskError, Output, Ticket},
};

/// What a request of ours was for.
#[derive(Debug)]
pub(super) enum Ask {
    Hello,
    Frontier,
    Statements,
    About,
    Range(Gap),
    Body(Digest),
    Pair(Pairing),
}

/// A request of ours that is not answered yet.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) peer: Peer,
    pub(super) at: Millis,
    pub(super) ask: Ask,
}

impl Engine {
    pub(super) fn asked(&mut self, peer: Peer, ticket: Ticket, request: Result<OpenRequest, Fault>) {
        if !self.peers.contains_key(&peer) {
            return self.reply(ticket, Response::Refused);
        }
        match request {
            Err(fault) => {
                self.strike(&peer, fault);
                self.reply(ticket, Response::Refused);
            }
            Ok(OpenRequest::Push { header, body }) => {
                self.pushed(header, body, &peer);
                self.reply(ticket, Response::Taken);
            }
            Ok(OpenRequest::Hello(hello)) => {
                let same = self.introduce(&peer, hello);
                let response = if same {
                    Response::Hello(self.hello(self.confides_in(&peer)))
                } else {
                    Response::Refused
                };
                self.reply(ticket, response);
            }
            Ok(OpenRequest::Pair { secret, hello }) => self.paired_by(&peer, ticket, secret, hello),
            Ok(OpenRequest::Plain(request)) => self.asked_plainly(peer, ticket, request),
        }
    }

    fn asked_plainly(&mut self, peer: Peer, ticket: Ticket, request: Request) {
        match request {
            Request::Frontier {
                heads,
                statements,
                since,
            } => {
                let (mine, green) = (self.roster.digest(), self.confides_in(&peer));
                let own = self.heads_of(&peer);
                let response = self.frontier.answer(since, green, (heads, statements), mine, own);
                self.reply(ticket, response);
            }
            Request::Range { log, from, limit } => self.asked_range(peer, ticket, log, from, limit),
            Request::Statements { about, since } => {
                let response = self.statements_for(&about, since);
                self.reply(ticket, response);
            }
            Request::Body { digest } => self.asked_body(peer, ticket, digest),
            // What intake opens never comes as it was sent.
            Request::Hello(_) | Request::Pair { .. } | Request::Push { .. } => self.reply(ticket, Response::Refused),
        }
    }

    pub(super) fn reply(&mut self, ticket: Ticket, response: Response) {
        self.out.push(Output::Reply { ticket, response });
    }

    /// What this node holds of a peer's own logs, newest first: also from the quarantine, because a node that lost some
    /// of what it wrote must not write it again differently.
    fn heads_of(&self, peer: &Peer) -> Vec<Head> {
        let key = self.peers.get(peer).and_then(|state| state.key);
        let logs = key.into_iter().flat_map(|key| self.logs.of(key).rev());
        logs.map(|(log, seq, id)| Head {
            log,
            seq,
            id: id.digest(),
        })
        .take(limits::OWN_HEADS)
        .collect()
    }

    fn statements_for(&self, about: &[PublicKey], since: Option<Cursor>) -> Response {
        let most = limits::STATEMENTS_PER_ANSWER;
        let life = self.frontier.life();
        let change = since.filter(|since| since.life == life).map_or(0, |since| since.change);
        if about.is_empty() {
            let mut later = self.roster.since(change);
            let page: Vec<_> = later.by_ref().take(most - limits::URGENT_PER_ANSWER).collect();
            // What cannot wait for its page comes with the first one, and with its page once more.
            let mut later = later.peekable();
            let more = later.peek().is_some();
            let last = page
                .last()
                .filter(|_| more)
                .map_or(self.roster.change(), |(change, _)| *change);
            let urgent = later
                .take(limits::URGENT_LOOKED_FOR)
                .filter(|(_, statement)| statement.kind().is_urgent() && statement.founds().is_none());
            let statements = urgent.take(limits::URGENT_PER_ANSWER).chain(page);
            return Response::Statements {
                statements: statements.map(|(_, statement)| statement.clone()).collect(),
                cursor: Cursor {
                    life,
                    change: last,
                    green: 0,
                },
                more,
            };
        }
        let keys = about.iter().take(limits::STATEMENT_KEYS);
        let statements = keys
            .flat_map(|key| self.roster.statements_about(key))
            .take(most)
            .collect();
        Response::Statements {
            statements,
            cursor: Cursor { life, change, green: 0 },
            more: false,
        }
    }

    pub(super) fn answered(&mut self, ticket: Ticket, response: Result<OpenResponse, AskError>) {
        let Some(Asked { peer, at, ask }) = self.asks.remove(&ticket) else {
            return;
        };
        if let Some(state) = self.peers.get_mut(&peer) {
            state.asks = state.asks.saturating_sub(1);
        }
        if let Err(AskError::Fault(fault)) = response {
            self.strike(&peer, fault);
        }
        if response.is_ok() && matches!(ask, Ask::Hello | Ask::Frontier) {
            self.bodies
                .round_trip(&peer, Millis(self.now.mono.0.saturating_sub(at.0)));
        }
        match ask {
            Ask::Hello => self.greeted(&peer, response),
            Ask::Frontier => self.compared(&peer, response),
            Ask::Statements => self.told(&peer, response),
            Ask::About => {
                if let Ok(OpenResponse::Statements(statements, ..)) = response {
                    self.learn_statements(&peer, &statements.checked);
                }
            }
            Ask::Range(gap) => self.ranged(&peer, gap, response),
            Ask::Body(digest) => self.body_answered(ticket, &peer, digest, response),
            Ask::Pair(pairing) => self.met(&peer, pairing, response),
        }
    }

    pub(super) fn progress(&mut self, ticket: Ticket) {
        let steps = self.bodies.progress(ticket, self.now.mono);
        self.carry_out(steps);
    }

    fn greeted(&mut self, peer: &Peer, response: Result<OpenResponse, AskError>) {
        if let Ok(OpenResponse::Hello(hello)) = response
            && self.introduce(peer, hello)
        {
            self.start_sync(peer);
        }
    }

    fn body_answered(&mut self, ticket: Ticket, peer: &Peer, digest: Digest, response: Result<OpenResponse, AskError>) {
        let answer = match response {
            Ok(OpenResponse::Plain(Response::Body(compressed))) => {
                self.open(Some(peer), digest, &compressed, None);
                Answer::Body
            }
            Ok(OpenResponse::Plain(Response::Busy)) => Answer::Busy,
            // Not held, too late, broken: another peer is next, whatever the reason.
            _ => Answer::Nothing,
        };
        let steps = self.bodies.answered(ticket, answer, self.now.mono);
        self.carry_out(steps);
    }

    /// Does what the body machine wants done.
    pub(super) fn carry_out(&mut self, steps: Vec<BodyStep>) {
        for step in steps {
            match step {
                BodyStep::LookUp { digest } => self.look_for_held(digest),
                BodyStep::Ask { peer, digest } => {
                    let ticket = self.ask(peer.clone(), Request::Body { digest }, Ask::Body(digest));
                    self.bodies.asked_as(digest, peer, ticket, self.now.mono);
                }
                BodyStep::Cancel { ticket } => {
                    let peer = self.asks.remove(&ticket).map(|asked| asked.peer);
                    if let Some(state) = peer.and_then(|peer| self.peers.get_mut(&peer)) {
                        state.asks = state.asks.saturating_sub(1);
                    }
                    self.out.push(Output::Cancel(ticket));
                }
                BodyStep::Serve { peer, ticket, digest } => self.serve_body(peer, ticket, digest),
                BodyStep::NotHeld { ticket } => self.reply(ticket, Response::NotHeld),
            }
        }
    }

    /// Whether a record's body is being looked for already.
    fn is_wanted(&self, digest: &Digest, record: RecordId) -> bool {
        self.bodies
            .headers(digest)
            .iter()
            .any(|header| RecordId::of(header) == record)
    }
}
