//! The shell around the engine: it carries out every output, late and in the order that the operations choose.

mod operations;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use starfish_crypto::Verified;
use starfish_protocol::{
    engine::{
        Engine, Setup,
        port::{Acceptance, AskError, Change, Input, Outcome, Output, Query, Ticket},
    },
    organisation::OrgId,
    peer::Peer,
    record::{Header, LogId},
    time::{Millis, Time},
    trust::Policy,
    wire::{Channel, Request, Response},
};

use super::{Op, store::Store};
use crate::targets::pool::{self, OWN, POOL, START};

/// Requests of ours that are open at once; far more than the engine may ever have.
const OPEN_ASKS: usize = 2_048;

/// One engine and everything that is on its way to or from it.
pub(super) struct World {
    engine: Engine,
    now: Time,
    store: Store,
    tickets: Ticket,
    connected: BTreeSet<Peer>,
    leaving: BTreeSet<Peer>,
    asks: Vec<(Ticket, Request)>,
    reads: Vec<(Ticket, Query)>,
    appends: VecDeque<(Ticket, Vec<Change>)>,
    openings: Vec<(Ticket, Verified<Header>, Vec<u8>)>,
    /// Requests of others without an answer, and who waits for it.
    unanswered: BTreeMap<Ticket, Peer>,
    /// Requests of peers that left: an answer is of no use, and does no harm.
    left: BTreeSet<Ticket>,
    /// Commands without an outcome.
    wanted: BTreeSet<Ticket>,
    roots: BTreeSet<OrgId>,
    /// Positions of our own log that went to the store.
    written: BTreeSet<(LogId, u64)>,
}

impl World {
    pub(super) fn new() -> Self {
        let pool = &*POOL;
        let own = &pool.cast[OWN];
        let setup = Setup {
            policy: Policy {
                listed: vec![pool.cast[pool::LISTED].id],
                ..Policy::default()
            },
            dial_others: true,
            highest_wall: Millis(START),
            ..Setup::new(
                own.node.clone(),
                own.id,
                pool.community,
                own.statements.clone(),
                [7; 32],
            )
        };
        Self {
            engine: Engine::new(setup, &starfish_crypto::Strict),
            now: Time {
                mono: Millis(1_000_000),
                wall: Millis(START),
            },
            store: Store::default(),
            tickets: 1 << 40,
            connected: BTreeSet::new(),
            leaving: BTreeSet::new(),
            asks: Vec::new(),
            reads: Vec::new(),
            appends: VecDeque::new(),
            openings: Vec::new(),
            unanswered: BTreeMap::new(),
            left: BTreeSet::new(),
            wanted: BTreeSet::new(),
            roots: [own.id, pool.cast[pool::LISTED].id].into(),
            written: BTreeSet::new(),
        }
    }

    /// Everything comes to its end: what was promised must have been kept then.
    pub(super) fn end(&mut self) {
        for _ in 0..64 {
            self.append_all();
            while let Some((ticket, query)) = self.reads.pop() {
                let found = self.store.find(&query);
                self.handle(Input::Found { ticket, found });
            }
            while let Some((ticket, header, compressed)) = self.openings.pop() {
                self.open(ticket, &header, compressed);
            }
            for (ticket, _) in std::mem::take(&mut self.asks) {
                self.handle(Input::Answered {
                    ticket,
                    response: Err(AskError::Timeout),
                });
            }
            for peer in std::mem::take(&mut self.leaving) {
                self.disconnect(&peer);
            }
            self.wait(5_000);
        }
        assert!(
            self.unanswered.is_empty(),
            "{} requests were never answered",
            self.unanswered.len()
        );
        assert!(self.wanted.is_empty(), "{} commands have no outcome", self.wanted.len());
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.tickets
    }

    /// One input, and everything that comes of it; the answers to gossip are the caller's to judge.
    fn handle(&mut self, input: Input) -> Vec<(Vec<u8>, Acceptance)> {
        let mut answers = Vec::new();
        for output in self.engine.handle(self.now, input) {
            match output {
                Output::Validate {
                    message, acceptance, ..
                } => answers.push((message, acceptance)),
                output => self.carry_out(output),
            }
        }
        assert!(self.asks.len() < OPEN_ASKS, "requests pile up");
        answers
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Gossip {
                channel: Channel::Clear | Channel::Green,
                payload,
            } => self.store.expect_durable(&payload),
            Output::Ask { ticket, request, .. } => self.asks.push((ticket, request)),
            Output::Cancel(ticket) => self.asks.retain(|(open, _)| *open != ticket),
            Output::Reply { ticket, response } => {
                let first = self.unanswered.remove(&ticket).is_some() || self.left.remove(&ticket);
                assert!(first, "an answer to nothing, or a second one");
                if let Response::Headers(headers) = response {
                    headers.iter().for_each(|header| self.store.expect_held(header));
                }
            }
            Output::Open {
                ticket,
                header,
                compressed,
            } => self.openings.push((ticket, header, compressed)),
            Output::Append { ticket, changes } => {
                changes.iter().for_each(|change| self.judge(change));
                self.appends.push_back((ticket, changes));
            }
            Output::Read { ticket, query } => self.reads.push((ticket, query)),
            Output::Done { ticket, outcome } => {
                assert!(self.wanted.remove(&ticket), "an outcome of nothing, or a second one");
                if let Outcome::Published(records) = outcome {
                    records
                        .iter()
                        .for_each(|record| assert!(self.store.holds(record), "told before it was durable"));
                }
            }
            Output::Disconnect { peer, .. } => {
                self.leaving.insert(peer);
            }
            _ => {}
        }
    }

    fn judge(&mut self, change: &Change) {
        if let Change::Judge { org, acceptance } = change {
            assert!(
                self.roots.contains(org) || acceptance.is_nothing(),
                "believed without a root"
            );
        }
        if let Change::Record { header, own, .. } = change {
            assert_eq!(*own, header.author == POOL.cast[OWN].node.public());
            if *own {
                assert!(
                    self.written.insert((header.log(), header.seq)),
                    "number {} is written twice",
                    header.seq
                );
                // What others hold of our log may be longer than what they showed: nothing new is written behind it.
                let others = POOL.pieces.iter().filter(|piece| piece.header.log() == header.log());
                let known = others.clone().any(|piece| piece.header == *header);
                assert!(known || others.count() == 0, "a log that others hold is written on");
            }
        }
    }
}
