//! The node's rules as one value that can be stepped: [`Engine::handle`] takes a time and an [`Input`] and returns
//! [`Output`]s in the order in which they are to be carried out.
//!
//! It keeps heads and a recent window in memory and asks the store for the rest. Nothing it says to others speaks of
//! what is not durable yet: a header moves the frontier, and a publication is told, only after `Input::Appended`.
//!
//! | part | what it decides |
//! |---|---|
//! | `port` | the door |
//! | `setup` | what it starts from |
//! | `logs` | where a header stands in its chain |
//! | `frontier` | what two nodes still have to tell each other |
//! | `bodies` | who is asked for which body, who waits for one |
//! | `arrivals` | headers, bodies, statements and proofs that come in, and what they may cost |
//! | `exchange` | requests asked and answered, and catching up |
//! | `peers` | who is connected, who should be, who may be told TLP:GREEN, and what their clocks say |
//! | `judging` | what follows when somebody is trusted otherwise than before |
//! | `publishing` | this node's own log |
//! | `commands` | what the operator wants |
//! | `consequences` | what follows when statements change who counts |
//! | `appending` | what becomes durable together |

mod appending;
mod arrivals;
mod bodies;
#[cfg(any(test, feature = "exercise"))]
mod bounds;
mod commands;
mod consequences;
mod exchange;
mod frontier;
mod judging;
mod logs;
mod peers;
pub mod port;
mod publishing;
mod setup;

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use starfish_crypto::{Digest, PublicKey, SecretKey, Verified};

use crate::{
    community::Community,
    limits,
    organisation::OrgId,
    peer::Peer,
    record::{Header, LogId, RecordId},
    statement::{Checker, Extent, Roster, Statement},
    time::{Millis, Time},
    trust::Trust,
    wire::{Head, Request},
};

use self::{
    appending::Appending,
    arrivals::{Charges, Strangers},
    bodies::Bodies,
    consequences::Consequences,
    exchange::{Ask, Asked, Filling, Lagging, Missing},
    frontier::Frontier,
    logs::Logs,
    peers::PeerState,
    port::{Event, Input, Output, Ticket},
    publishing::Own,
};
pub use self::{
    commands::{BLOCKED, PAIRED, PINS, ROOTS, SUBSCRIPTION},
    peers::HIGHEST_WALL,
    setup::{Setup, Subscription},
};

/// What a read was for.
#[derive(Debug)]
enum Reading {
    Inquiry(exchange::Inquiry),
    Contradiction(Box<Verified<Header>>),
    Target {
        command: Ticket,
        answer: commands::Answer,
    },
    Missing(exchange::Look),
    /// A body that is wanted.
    Held(Digest),
}

/// The rules of one node.
#[derive(Debug)]
pub struct Engine {
    now: Time,
    started: Option<Time>,
    key: SecretKey,
    org: OrgId,
    community: Community,
    identity: Vec<Statement>,
    endpoint: Option<Statement>,
    endpoint_seq: u64,
    subscription: Subscription,
    dial_others: bool,
    records: u64,
    trust: Trust,
    roster: Roster,
    consequences: Consequences,
    logs: Logs,
    frontier: Frontier,
    bodies: Bodies,
    own: Own,
    peers: BTreeMap<Peer, PeerState>,
    /// Nodes that may be told TLP:GREEN, as the shell was told.
    confided: BTreeSet<PublicKey>,
    /// Whether that may have changed.
    confide_soon: bool,
    /// Nodes that the operator refuses, as far as their keys were seen.
    refused: BTreeSet<PublicKey>,
    charges: Charges,
    strangers: Strangers,
    invitations: BTreeMap<[u8; 5], commands::Invitation>,
    asks: BTreeMap<Ticket, Asked>,
    reads: BTreeMap<Ticket, Reading>,
    /// How many of them are about disputed numbers.
    contradictions: usize,
    /// Bodies that are being opened.
    opening: BTreeMap<Ticket, (Option<Peer>, Digest, RecordId)>,
    /// Records whose bodies cannot be opened.
    spoiled: BTreeSet<RecordId>,
    appends: BTreeMap<Ticket, Appending>,
    appending: (usize, usize),
    /// How many steps have become durable since the start.
    durable: u64,
    step: Appending,
    out: Vec<Output>,
    tickets: Ticket,
    missing: Missing,
    /// Logs in which some peer was seen ahead of us.
    lagging: Lagging,
    /// Whose predecessors are asked for soon.
    early: BTreeMap<LogId, Filling>,
    next_sync: Millis,
    next_expiry: Millis,
    /// The highest time that was seen and agreed with everything else, and what of it is stored.
    highest_wall: Millis,
    stored_wall: Millis,
    dial_soon: bool,
    /// Authors that are connected, or dialled, for their bodies alone.
    visits: BTreeSet<PublicKey>,
    rng: ChaCha8Rng,
}

impl Engine {
    /// An engine that has seen nothing but the store, whose statements are checked again.
    pub fn new(setup: Setup, checker: &dyn Checker) -> Self {
        let rng = ChaCha8Rng::from_seed(setup.seed);
        let life = setup
            .seed
            .iter()
            .take(8)
            .fold(0, |life, byte| life << 8 | u64::from(*byte));
        let roster = Self::roster(&setup, checker);
        let author = setup.key.public();
        let logs = Logs::new(&setup.heads, roster.forks().chain(setup.frozen.iter().copied()));
        // Whoever was met may hold more than we do, even if the pairing went with an old store.
        let met = setup.stored_statements.iter().filter_map(Statement::founds);
        let named = setup.policy.listed.iter().chain(&setup.policy.paired).copied();
        let mut others = named.chain(setup.policy.roots.iter().map(|root| root.org)).chain(met);
        let alone = others.all(|org| org == setup.org);
        let published = logs.of(author).next().is_some();
        Self {
            now: Time::default(),
            started: None,
            own: Own::new(setup.safe_mode, published && !alone),
            key: setup.key,
            org: setup.org,
            community: setup.community,
            identity: setup.statements,
            endpoint: None,
            endpoint_seq: 0,
            subscription: setup.subscription,
            dial_others: setup.dial_others,
            records: setup.records,
            consequences: Consequences::new(setup.cuts, setup.recoveries, !setup.rights.is_empty()),
            trust: Trust::new(setup.org, setup.policy, setup.judged, setup.rights),
            roster,
            logs,
            frontier: Frontier::new(life),
            bodies: Bodies::default(),
            peers: BTreeMap::new(),
            confided: BTreeSet::new(),
            confide_soon: true,
            refused: BTreeSet::new(),
            charges: Charges::default(),
            strangers: Strangers::default(),
            invitations: BTreeMap::new(),
            asks: BTreeMap::new(),
            reads: BTreeMap::new(),
            contradictions: 0,
            opening: BTreeMap::new(),
            spoiled: BTreeSet::new(),
            appends: BTreeMap::new(),
            appending: (0, 0),
            durable: 0,
            step: Appending::default(),
            out: Vec::new(),
            tickets: 0,
            missing: Missing::default(),
            lagging: Lagging::default(),
            early: BTreeMap::new(),
            next_sync: Millis(0),
            next_expiry: Millis(0),
            highest_wall: setup.highest_wall,
            stored_wall: setup.highest_wall,
            dial_soon: true,
            visits: BTreeSet::new(),
            rng,
        }
    }

    fn roster(setup: &Setup, checker: &dyn Checker) -> Roster {
        let mut roster = Roster::new(setup.community);
        let policy = &setup.policy;
        let entered = policy.roots.iter().map(|root| &root.org);
        let pinned = policy.pins.iter().map(|(org, _)| org);
        for org in [setup.org]
            .iter()
            .chain(&policy.listed)
            .chain(&policy.paired)
            .chain(entered)
            .chain(pinned)
        {
            roster.pin(*org);
        }
        // Whoever was believed has the room that it had, until it is judged anew.
        let believed = setup.judged.iter().filter(|(_, acceptance)| !acceptance.is_nothing());
        believed.for_each(|(org, _)| roster.stands(*org, 1));
        let all = setup.statements.iter().chain(&setup.stored_statements);
        let checked = all.map(|statement| checker.check(statement.clone()));
        // What was admitted once and no longer is (no room after a change of bounds) is not missed.
        let _ = roster.admit_all(checked.flatten().collect());
        roster
    }

    /// One step. Outputs are to be carried out in order; an early or doubled `Woken` is harmless.
    pub fn handle(&mut self, now: Time, input: Input) -> Vec<Output> {
        self.now = Time {
            mono: now.mono.max(self.now.mono),
            wall: now.wall,
        };
        if self.started.is_none() {
            self.start();
        }
        match input {
            Input::Connected { peer, key, outbound } => self.connected(peer, key, outbound),
            Input::Disconnected(peer) => self.disconnected(&peer),
            Input::Gossip {
                peer,
                channel,
                message,
                opened,
            } => self.gossip(peer, channel, message, opened),
            Input::Asked { peer, ticket, request } => self.asked(peer, ticket, request),
            Input::GivenUp { peer, ticket } => self.given_up(&peer, ticket),
            Input::Answered { ticket, response } => self.answered(ticket, response),
            Input::Progress(ticket) => self.progress(ticket),
            Input::Pushing { peer, digest } => {
                let steps = self.bodies.pushing(&peer, digest, self.now.mono);
                self.carry_out(steps);
            }
            Input::Opened { ticket, body } => self.opened(ticket, body),
            Input::Appended(ticket) => self.appended(ticket),
            Input::Found { ticket, found } => self.found(ticket, found),
            Input::Command { ticket, command } => self.command(ticket, command),
            Input::Woken => {}
        }
        self.settle();
        std::mem::take(&mut self.out)
    }

    fn start(&mut self) {
        self.started = Some(self.now);
        self.next_sync = self.sync_time();
        self.next_expiry = self.now.mono + limits::EXPIRE_FIRST;
        self.own.compare_until(self.now.mono + limits::COMPARE_WAIT);
        self.trust.advance(self.now.wall);
        self.follow_what_is_stored();
        for (log, seq, id) in self.logs.heads() {
            if let Some((seq, id)) = self.handed_on(&log, (seq, id)) {
                self.frontier.note(log, seq, id);
            }
        }
        self.missing.look_through();
    }

    /// The end of every step: what is due by now, then one batch for the store, then the next wake-up.
    fn settle(&mut self) {
        let judges = self.judge_when_due();
        self.confide_when_due();
        self.sync_when_due();
        self.sync_when_settled();
        self.fill_early_when_due();
        self.expire_when_due();
        let busy = self.is_busy();
        let mut steps = self.bodies.hold_up(busy, self.now.mono);
        steps.extend(self.bodies.tick(self.now.mono));
        self.carry_out(steps);
        self.seek_when_due();
        self.publish_when_compared();
        self.dial_when_due();
        self.visit_authors();
        self.end_visits();
        self.append_step();
        let early = self.early.values().map(|filling| filling.at).min();
        let settles = self.peers.values().filter_map(|peer| peer.settles).min();
        let due = [
            Some(self.next_sync),
            Some(self.next_expiry),
            self.bodies.next_wake(),
            self.own.wake(),
            early,
            settles,
            judges,
        ];
        if let Some(at) = due.into_iter().flatten().min() {
            self.out.push(Output::Wake(at));
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.tickets
    }

    fn read(&mut self, query: port::Query, reading: Reading) {
        let ticket = self.ticket();
        self.reads.insert(ticket, reading);
        self.out.push(Output::Read { ticket, query });
    }

    fn ask(&mut self, peer: Peer, request: Request, ask: Ask) -> Ticket {
        let ticket = self.ticket();
        if let Some(state) = self.peers.get_mut(&peer) {
            state.asks += 1;
        }
        let (at, whom) = (self.now.mono, peer.clone());
        self.asks.insert(ticket, Asked { peer: whom, at, ask });
        self.out.push(Output::Ask {
            ticket,
            peer,
            request,
            deadline: limits::REQUEST_DEADLINE,
        });
        ticket
    }

    fn bounded(&mut self, what: &'static str) {
        self.out.push(Output::Event(Event::Bounded(what)));
    }

    /// The organisation that wrote a log: the one that its author spoke for when it opened it, or speaks for now. And how
    /// much of the log counts for it.
    fn extent(roster: &Roster, log: &LogId, wall: Millis) -> Option<(OrgId, Extent)> {
        roster.extent_of(log, log.epoch).or_else(|| roster.extent_of(log, wall))
    }

    fn organisation(roster: &Roster, log: &LogId, wall: Millis) -> Option<OrgId> {
        Self::extent(roster, log, wall).map(|(org, _)| org)
    }

    /// The last record that this node hands on of a log with this head: nothing that a revocation has made void.
    fn handed_on(&self, log: &LogId, (seq, id): (u64, RecordId)) -> Option<(u64, RecordId)> {
        let (org, extent) = Self::extent(&self.roster, log, self.now.wall)?;
        let may = self.trust.judge(Some(org)).relay;
        may.then_some(match extent {
            Extent::Until(last, good) if last <= seq => (last, good),
            _ => (seq, id),
        })
    }

    /// Whether this node hands a log on: headers of organisations in quarantine are nobody else's business.
    fn relays(roster: &Roster, trust: &Trust, log: &LogId, wall: Millis) -> bool {
        trust.judge(Self::organisation(roster, log, wall)).relay
    }

    fn head_of(header: &Verified<Header>) -> Head {
        Head {
            log: header.log(),
            seq: header.seq,
            id: RecordId::of(header).digest(),
        }
    }
}

#[cfg(test)]
mod tests;
