//! The shell around every engine of a small mesh: connections, gossip, requests, stores and time.
//!
//! Everything that travels is encoded, counted, and goes through `intake` on the other side. One seed decides every
//! delay, loss and repeat.

mod node;
mod shell;

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng as _;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng as _};

use crate::{
    engine::{
        Engine, Setup,
        port::{Command, Draft, Found, Input, Outcome, Query, Ticket},
    },
    organisation::OrgId,
    peer::Peer,
    record::{Header, RecordId, SealedBody, Tlp},
    time::{Millis, Time},
    wire::Channel,
};

pub use self::node::Node;
use super::{
    Identity,
    identity::{BEGIN, topic},
};

/// How often a condition is looked at while time passes, in ms.
const CHECK_EVERY: u64 = 50;

/// How bad the network is.
#[derive(Debug, Clone, Copy)]
pub struct Chaos {
    /// The longest delay in ms; the shortest is 1.
    pub delay: u64,
    /// How many messages of a hundred are lost.
    pub lost: u64,
    /// How many gossip messages of a hundred come twice.
    pub repeated: u64,
}

impl Chaos {
    /// A good network.
    pub const NONE: Self = Self {
        delay: 5,
        lost: 0,
        repeated: 0,
    };
}

/// A body that is being opened: its bytes and the header that names it.
type Opening = (Box<starfish_crypto::Verified<Header>>, Vec<u8>);

/// What happens to a node later.
#[derive(Debug)]
enum Delivery {
    Gossip {
        from: Peer,
        channel: Channel,
        payload: Vec<u8>,
    },
    /// A connection that was closed to be made anew.
    Link(usize),
    Request {
        from: Peer,
        asked: Option<Ticket>,
        frame: Vec<u8>,
    },
    Response {
        from: Peer,
        ticket: Ticket,
        frame: Vec<u8>,
    },
    /// Somebody does not want the answer any more.
    Withdrawn {
        from: Peer,
        ticket: Ticket,
    },
    Lost(Ticket),
    /// The next of what waits for the store becomes durable.
    Append,
    Appended(Ticket),
    Read {
        ticket: Ticket,
        query: Query,
    },
    Found {
        ticket: Ticket,
        found: Box<Found>,
    },
    Open {
        ticket: Ticket,
        opening: Opening,
    },
    Wake,
}

impl Delivery {
    fn comes_from(&self) -> Option<&Peer> {
        match self {
            Self::Gossip { from, .. } | Self::Request { from, .. } | Self::Response { from, .. } => Some(from),
            _ => None,
        }
    }
}

/// Several nodes and the time between them.
#[derive(Debug)]
pub struct World {
    /// The nodes, by number.
    pub nodes: Vec<Node>,
    /// How bad the network is from now on.
    pub chaos: Chaos,
    /// Bytes of requests and answers so far, and how many requests.
    pub exchanged: (u64, u64),
    now: u64,
    queue: BTreeMap<(u64, u64), (usize, u64, Delivery)>,
    order: u64,
    links: BTreeSet<(usize, usize)>,
    rng: ChaCha8Rng,
    commands: Ticket,
}

impl World {
    /// A world of `count` organisations with one node each, all of which list each other; nobody is connected.
    pub fn new(seed: u64, count: usize) -> Self {
        let identities: Vec<Identity> = (0..count as u64).map(Identity::numbered).collect();
        let orgs: Vec<OrgId> = identities.iter().map(|identity| identity.org).collect();
        let mut world = Self {
            nodes: identities
                .into_iter()
                .map(|identity| Node::new(identity, orgs.clone()))
                .collect(),
            chaos: Chaos::NONE,
            exchanged: (0, 0),
            now: 1_000,
            queue: BTreeMap::new(),
            order: 0,
            links: BTreeSet::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            commands: 0,
        };
        (0..count).for_each(|node| world.start(node));
        world
    }

    /// Puts a stopped or running node's engine away and makes a new one from its store.
    pub fn start(&mut self, number: usize) {
        self.crash(number);
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let now = self.now;
        let node = &mut self.nodes[number];
        let setup = Setup {
            key: node.identity.key.clone(),
            org: node.identity.org,
            community: super::identity::community(),
            statements: node.identity.statements.clone(),
            stored_statements: node.store.statements.clone(),
            policy: node.store.policy(node.listed.clone()),
            subscription: node.subscription.clone(),
            heads: node.store.heads(),
            frozen: node.store.frozen.values().copied().collect(),
            cuts: node.store.cuts(),
            recoveries: node.store.recoveries.iter().map(|(id, seen)| (*id, *seen)).collect(),
            judged: node.store.judged(),
            rights: node.store.rights.iter().map(|(org, rights)| (*org, *rights)).collect(),
            safe_mode: node.safe_mode,
            records: node.store.records.len() as u64,
            highest_wall: node.store.highest_wall(),
            dial_others: node.dial_others,
            seed,
        };
        node.born = now;
        node.engine = Some(Engine::new(setup, &starfish_crypto::Strict));
        self.feed(number, Input::Woken);
    }

    /// Kills a node: whatever was not appended is lost, and its neighbours notice.
    pub fn crash(&mut self, number: usize) {
        let neighbours: Vec<usize> = (0..self.nodes.len())
            .filter(|other| self.linked(number, *other))
            .collect();
        neighbours.into_iter().for_each(|other| self.unlink(number, other));
        let node = &mut self.nodes[number];
        node.engine = None;
        node.life += 1;
        node.asks.clear();
        node.asked.clear();
        node.requests.clear();
        node.seen.clear();
        node.waking.clear();
        node.appends.clear();
        node.confided.clear();
    }

    /// Whether two nodes are connected.
    pub fn linked(&self, one: usize, two: usize) -> bool {
        self.links.contains(&(one.min(two), one.max(two)))
    }

    /// Connects two running nodes.
    pub fn link(&mut self, one: usize, two: usize) {
        let running = self.nodes[one].engine.is_some() && self.nodes[two].engine.is_some();
        if one == two || !running || !self.links.insert((one.min(two), one.max(two))) {
            return;
        }
        for (here, there, outbound) in [(one, two, true), (two, one, false)] {
            let other = &self.nodes[there].identity;
            let (peer, key) = (other.peer(), Some(other.key.public()));
            self.feed(here, Input::Connected { peer, key, outbound });
        }
    }

    /// Cuts a connection.
    pub fn unlink(&mut self, one: usize, two: usize) {
        if !self.links.remove(&(one.min(two), one.max(two))) {
            return;
        }
        for (here, there) in [(one, two), (two, one)] {
            let peer = self.nodes[there].identity.peer();
            // What is on its way goes down with the connection, on both sides.
            self.queue
                .retain(|_, (to, _, delivery)| *to != here || delivery.comes_from() != Some(&peer));
            let node = &mut self.nodes[here];
            node.asks.retain(|_, (whom, _)| *whom != peer);
            let open = node.requests.values_mut().filter(|(who, _)| *who == peer);
            open.for_each(|(_, asked)| *asked = None);
            self.feed(here, Input::Disconnected(peer));
        }
    }

    /// Connects a peer that is no node of this world: its requests are written down, and time out unless a test answers.
    pub fn connect(&mut self, number: usize, who: &Identity) -> Peer {
        let key = Some(who.key.public());
        let (peer, outbound) = (who.peer(), false);
        self.feed(number, Input::Connected { peer, key, outbound });
        who.peer()
    }

    /// Gives a command.
    pub fn command(&mut self, number: usize, command: Command) -> Ticket {
        self.commands += 1;
        let ticket = self.commands;
        self.feed(number, Input::Command { ticket, command });
        ticket
    }

    /// Publishes these bodies for ten days, for everyone.
    pub fn publish(&mut self, number: usize, bodies: Vec<SealedBody>) -> Ticket {
        self.publish_for(number, Tlp::Clear, bodies)
    }

    /// The same under this mark.
    pub fn publish_for(&mut self, number: usize, tlp: Tlp, bodies: Vec<SealedBody>) -> Ticket {
        let expires_at = Millis(self.wall(number).0 + 864_000_000);
        let draft = Draft {
            topic: topic("malware"),
            tlp,
            expires_at,
            bodies,
            set: None,
            derived_from: None,
        };
        self.command(number, Command::Publish(draft))
    }

    /// The records of a publication that ended.
    pub fn published(&self, number: usize, ticket: Ticket) -> Vec<RecordId> {
        match self.nodes[number].done.get(&ticket) {
            Some(Outcome::Published(records)) => records.clone(),
            other => panic!("not published: {other:?}"),
        }
    }

    /// Whether a node has not crashed.
    pub fn is_running(&self, number: usize) -> bool {
        self.nodes[number].engine.is_some()
    }

    /// A node's engine, for what only the engine knows.
    pub fn engine(&self, number: usize) -> &Engine {
        self.nodes[number].engine.as_ref().expect("the node runs")
    }

    /// What a node's wall clock shows.
    pub fn wall(&self, number: usize) -> Millis {
        let true_time = BEGIN.0 + self.now;
        Millis(true_time.saturating_add_signed(self.nodes[number].skew))
    }

    fn time(&self, number: usize) -> Time {
        Time {
            mono: Millis(self.now - self.nodes[number].born + 1),
            wall: self.wall(number),
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, millis: u64) {
        let end = self.now + millis;
        self.run_until(millis, |_| false);
        self.now = end;
    }

    /// Lets time pass until something holds. False when it did not within `millis`.
    pub fn run_until(&mut self, millis: u64, holds: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + millis;
        let mut checked = 0;
        loop {
            // Looking at everything after every event would cost more than the events.
            if self.now >= checked + CHECK_EVERY || self.queue.first_key_value().is_none_or(|(key, _)| key.0 > end) {
                checked = self.now;
                if holds(self) {
                    return true;
                }
            }
            let next = self
                .queue
                .first_key_value()
                .map(|(key, _)| *key)
                .filter(|(at, _)| *at <= end);
            let Some(((at, _), (number, life, delivery))) = next.and_then(|key| self.queue.remove_entry(&key)) else {
                return false;
            };
            self.now = self.now.max(at);
            if self.nodes[number].life == life {
                self.deliver(number, delivery);
            }
        }
    }

    /// A number below `bound`.
    pub fn random(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound.max(1)
    }

    fn later(&mut self, number: usize, millis: u64, delivery: Delivery) {
        self.order += 1;
        let life = self.nodes[number].life;
        self.queue
            .insert((self.now + millis, self.order), (number, life, delivery));
    }

    fn number_of(&self, peer: &Peer) -> Option<usize> {
        self.nodes.iter().position(|node| node.identity.peer() == *peer)
    }

    /// What every node holds is what every other one holds.
    pub fn agrees(&self) -> bool {
        let Some(first) = self.nodes.first() else { return true };
        self.nodes.iter().all(|node| node.store.logs == first.store.logs)
            && self.nodes.iter().all(|node| node.store.shown() == first.store.shown())
    }

    /// Whether a node still waits for the answer to this request.
    pub fn awaits(&self, number: usize, ticket: Ticket) -> bool {
        self.nodes[number].asks.contains_key(&ticket)
    }

    /// How many body requests of a node are open.
    pub fn body_requests(&self, number: usize) -> usize {
        self.nodes[number]
            .asks
            .values()
            .filter(|(_, body)| body.is_some())
            .count()
    }

    /// How many it has sent since the world began.
    pub fn body_requests_sent(&self, number: usize) -> usize {
        self.nodes[number].bodies_asked
    }

    /// How many bytes of bodies have reached a node, pushed or in answers, wanted or not.
    pub fn body_bytes(&self, number: usize) -> u64 {
        self.nodes[number].body_bytes
    }

    /// Every chain of every store holds, and nobody counted a fault.
    pub fn check_honest(&self) {
        self.nodes.iter().for_each(|node| node.store.check());
        self.check_strikes();
    }

    /// Nobody counted a fault.
    pub fn check_strikes(&self) {
        for node in &self.nodes {
            assert!(
                node.strikes.values().all(|strikes| *strikes == 0),
                "an honest node was blamed: {:?}",
                node.strikes
            );
        }
    }
}
