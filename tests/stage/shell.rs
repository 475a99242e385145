//! A node without a network: [`Shell`] carries out what an engine wants with a ledger, in one thread, so that a benchmark can
//! measure the way from bytes to the index, or what two engines say to each other.

use std::{collections::VecDeque, mem};

use starfish_node::{ledger::Ledger, store::Store};
use starfish_protocol::{
    codec,
    community::Community,
    engine::{
        Engine, Setup, Subscription,
        port::{AskError, Change, Input, Output, Ticket},
    },
    intake::{open_request, open_response},
    organisation::OrgId,
    peer::Peer,
    record::open_body,
    time::{Millis, Time},
    trust::Policy,
    wire::{FRAME_BYTES, Request, Response},
};

use crate::cast::{Organisation, now};

/// Steps that go into one write, as in the mesh's writer.
const STEPS: usize = 64;

/// One engine, its ledger, and what waits between them.
#[derive(Debug)]
pub struct Shell<S> {
    engine: Engine,
    /// What it keeps.
    pub ledger: Ledger<S>,
    now: Time,
    tickets: Ticket,
    steps: Vec<Ticket>,
    changes: Vec<Change>,
    inputs: VecDeque<Input>,
    asks: VecDeque<(Ticket, Peer, Request)>,
    replies: Vec<(Ticket, Response)>,
}

impl<S: Store> Shell<S> {
    /// A node of this organisation that lists the others, over what the ledger holds.
    pub fn new(organisation: &Organisation, community: Community, listed: Vec<OrgId>, ledger: Ledger<S>) -> Self {
        Self::pulling(organisation, community, listed, ledger, Subscription::default())
    }

    /// The same, with a choice of what it pulls.
    pub fn pulling(
        organisation: &Organisation,
        community: Community,
        listed: Vec<OrgId>,
        ledger: Ledger<S>,
        subscription: Subscription,
    ) -> Self {
        let loaded = ledger.load().expect("the ledger can be read");
        let setup = Setup {
            key: organisation.node.clone(),
            org: organisation.id,
            community,
            statements: organisation.statements.clone(),
            stored_statements: loaded.statements,
            policy: Policy {
                listed,
                ..Policy::default()
            },
            subscription,
            heads: loaded.heads,
            frozen: loaded.frozen,
            cuts: loaded.cuts,
            recoveries: loaded.recoveries,
            judged: loaded.judged,
            rights: loaded.rights,
            safe_mode: false,
            dial_others: false,
            highest_wall: Millis(0),
            records: loaded.records,
            seed: *organisation.node.seed(),
        };
        Self {
            engine: Engine::new(setup, &starfish_crypto::Strict),
            ledger,
            now: Time {
                mono: Millis(1_000),
                wall: now(),
            },
            tickets: 1 << 40,
            steps: Vec::new(),
            changes: Vec::new(),
            inputs: VecDeque::new(),
            asks: VecDeque::new(),
            replies: Vec::new(),
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, length: Millis) {
        self.now.mono.0 += length.0;
        self.now.wall.0 += length.0;
        self.take(Input::Woken);
    }

    /// A request as it comes from a stream; the answers come out of [`Shell::replies`].
    pub fn asked(&mut self, peer: &Peer, frame: &[u8]) -> Ticket {
        self.tickets += 1;
        let request = open_request(frame, &starfish_crypto::Strict);
        self.take(Input::Asked {
            peer: peer.clone(),
            ticket: self.tickets,
            request,
        });
        self.tickets
    }

    /// One input and what follows from it; writes are gathered as the mesh's writer does.
    pub fn take(&mut self, input: Input) {
        self.inputs.push_back(input);
        while let Some(input) = self.inputs.pop_front() {
            for output in self.engine.handle(self.now, input) {
                self.carry_out(output);
            }
            if self.steps.len() >= STEPS {
                self.write();
            }
        }
    }

    /// Makes everything durable that waits for it, and what follows from that.
    pub fn settle(&mut self) {
        while !self.steps.is_empty() {
            self.write();
            self.take(Input::Woken);
        }
    }

    fn write(&mut self) {
        let changes = mem::take(&mut self.changes);
        self.ledger.apply(&changes).expect("the store takes changes");
        self.inputs
            .extend(mem::take(&mut self.steps).into_iter().map(Input::Appended));
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Append { ticket, changes } => {
                self.steps.push(ticket);
                self.changes.extend(changes);
            }
            Output::Read { ticket, query } => {
                // Reads see what the engine believes to be durable.
                let found = self.ledger.answer(&query);
                self.inputs.push_back(Input::Found { ticket, found });
            }
            Output::Open {
                ticket,
                header,
                compressed,
            } => {
                let body = open_body(&header, &compressed).map(|body| (compressed, body));
                self.inputs.push_back(Input::Opened { ticket, body });
            }
            Output::Ask {
                ticket, peer, request, ..
            } => self.asks.push_back((ticket, peer, request)),
            Output::Reply { ticket, response } => self.replies.push((ticket, response)),
            _ => {}
        }
    }

    /// Requests that it wants to send.
    pub fn asks(&mut self) -> VecDeque<(Ticket, Peer, Request)> {
        mem::take(&mut self.asks)
    }

    /// Answers that it has given.
    pub fn replies(&mut self) -> Vec<(Ticket, Response)> {
        mem::take(&mut self.replies)
    }

    /// The answer to a request of its own, as bytes from a stream.
    pub fn answered(&mut self, ticket: Ticket, frame: &[u8]) {
        let response = codec::decode(frame, FRAME_BYTES).expect("an engine's answer decodes");
        let response = open_response(response, &starfish_crypto::Strict).map_err(AskError::Fault);
        self.take(Input::Answered { ticket, response });
    }
}
