//! What must hold at every step, whatever a scenario does: [`Checks`]. A breach ends the world.
//!
//! | invariant | looked at |
//! |---|---|
//! | nothing is believed that trust forbids (`facts`) | when a record becomes durable or rises, and all of it once news of lost trust had their time |
//! | no TLP:GREEN at a node that no honest node may tell it | when a record becomes durable, and when what is no node hears of it |
//! | what was acknowledged is not lost | when a node starts again |
//! | each record reaches everybody within the time that the plan gives | within a second after that time |
//! | no honest node is held to have misbehaved by another one, or to have written two histories | when a node says so |
//! | no honest node ends by itself | when it ends |
//! | nothing more is taken of an author that is proven to have written two | when a record becomes durable |
//! | queues are bounded | once a virtual second |

mod beliefs;
mod forks;

use std::collections::{BTreeMap, BTreeSet};

use libp2p::PeerId;
use starfish_crypto::PublicKey;
use starfish_node::{
    ledger::{Ledger, catalogue::State},
    mesh::{CloseReason, Event},
};
use starfish_protocol::{
    engine::port::{self, DisconnectReason},
    record::RecordId,
    time::Millis,
};
use starfish_sim_kernel::{self as kernel, Owner};

use super::{
    NodePlan,
    cast::Cast,
    chronicle::{Happening, What},
    ended::{broken, invariant},
    facts::{Clock, Facts},
    residents::Resident,
};
use crate::{
    network::Network,
    storage::{Damage, Disk},
};

const SECOND: u64 = 1_000_000_000;
/// Tasks of one node: a few for each of 256 connections, and the streams that its limits allow.
const TASKS: usize = 4_096;
/// Bytes on their way or unread, for each node of the world on average: a few full windows.
const QUEUED: usize = 8 << 20;

/// Whether a record is there with its body, or has none.
pub(super) fn is_whole(ledger: &Ledger<Disk>, record: &RecordId) -> bool {
    let card = ledger.card_of(record).expect("memory does not fail");
    card.is_some_and(|(_, card)| matches!(card.state, State::Present | State::Bare))
}

/// What an event is looked at beside.
type Everything<'a> = (&'a [Resident], &'a Cast, &'a mut Facts);

/// A record that is to reach everybody.
#[derive(Debug)]
struct Spreading {
    id: RecordId,
    author: usize,
    since: u64,
}

#[derive(Debug)]
pub(super) struct Checks {
    converge_within: Option<u64>,
    spreading: Vec<Spreading>,
    /// Since when there is no fault; none while there is one.
    calm_since: Option<u64>,
    honest: BTreeMap<PeerId, usize>,
    is_honest: Vec<bool>,
    running_since: Vec<Option<u64>>,
    /// What each node has said is durable.
    durable: Vec<BTreeSet<RecordId>>,
    /// What each node has published: the journal keeps it when the store is lost.
    own: Vec<BTreeSet<RecordId>>,
    /// Authors whose two histories each node has seen, and what its clock said then.
    forks: Vec<BTreeMap<PublicKey, Millis>>,
    /// The entries of each ledger up to which it was looked at what is believed.
    read: Vec<u64>,
    looked: u64,
}

impl Checks {
    pub(super) fn new(converge_within: Option<u64>, plan: &[NodePlan]) -> Self {
        let each = || plan.iter().map(|_| BTreeSet::new()).collect();
        Self {
            converge_within,
            spreading: Vec::new(),
            calm_since: Some(0),
            honest: BTreeMap::new(),
            is_honest: plan.iter().map(|node| node.is_honest).collect(),
            running_since: vec![None; plan.len()],
            durable: each(),
            own: each(),
            forks: vec![BTreeMap::new(); plan.len()],
            read: vec![0; plan.len()],
            looked: 0,
        }
    }

    pub(super) fn see(&mut self, happening: &Happening, residents: &[Resident], cast: &Cast, facts: &mut Facts) {
        match (&happening.what, happening.node) {
            (What::Separated(..) | What::Blocked(..), _) => self.calm_since = None,
            (What::Healed, _) => self.calm_since = Some(happening.at),
            (what, Some(node)) => self.see_node(node, what, happening.at, (residents, cast, facts)),
            _ => {}
        }
    }

    fn see_node(&mut self, node: usize, what: &What, at: u64, (residents, cast, facts): Everything<'_>) {
        match what {
            What::Started => {
                self.running_since[node] = Some(at);
                self.read[node] = 0;
                if self.is_honest[node] {
                    self.honest.insert(cast.members[node].peer, node);
                    self.check_kept(node, residents);
                }
            }
            What::Crashed(damage) => self.forget(node, *damage),
            What::Ended(None) => self.running_since[node] = None,
            What::Ended(Some(reason)) => invariant!(!self.is_honest[node], "node {node} ended by itself: {reason}"),
            What::Published(records) => {
                self.own[node].extend(records);
                let spreading = records.iter().map(|id| Spreading {
                    id: *id,
                    author: node,
                    since: at,
                });
                if self.is_honest[node] && self.converge_within.is_some() {
                    self.spreading.extend(spreading);
                }
            }
            What::Mesh(event) => {
                if let Event::Engine(port::Event::Stored(id)) = event {
                    self.check_confided(node, id, (residents, cast, &mut *facts));
                }
                if self.is_honest[node] {
                    self.check_history(node, event, &residents[node], cast);
                    self.check_event(node, event, &residents[node], facts);
                }
            }
            What::Overheard(what) => self.check_overheard(node, what, (residents, cast, facts)),
            _ => {}
        }
    }

    /// What a node no longer has to know after this damage.
    fn forget(&mut self, node: usize, damage: Damage) {
        self.running_since[node] = None;
        match damage {
            Damage::None => {}
            Damage::TornTail(_) | Damage::StoreLost => {
                self.durable[node] = self.own[node].clone();
                self.forks[node].clear();
            }
            Damage::AllLost => {
                self.durable[node].clear();
                self.forks[node].clear();
                self.own[node].clear();
            }
        }
    }

    fn check_kept(&self, node: usize, residents: &[Resident]) {
        let Some(ledger) = &residents[node].ledger else { return };
        for record in self.durable[node].union(&self.own[node]) {
            let card = ledger.card_of(record).expect("memory does not fail");
            invariant!(
                card.is_some(),
                "node {node} acknowledged record {record} and has lost it"
            );
        }
    }

    fn check_event(&mut self, node: usize, event: &Event, resident: &Resident, facts: &mut Facts) {
        match event {
            Event::Engine(port::Event::Stored(id) | port::Event::BodyStored(id)) => {
                self.durable[node].insert(*id);
                if let Some(ledger) = &resident.ledger {
                    self.check_belief(node, id, ledger, facts);
                }
            }
            Event::Engine(port::Event::Faulted { peer, fault }) => {
                let peer = PeerId::from_bytes(peer.as_bytes()).ok();
                if let Some(blamed) = peer.and_then(|peer| self.honest.get(&peer)) {
                    broken(format!(
                        "node {node} holds honest node {blamed} to have misbehaved: {fault:?}"
                    ));
                }
            }
            Event::Closed {
                peer,
                reason: reason @ (CloseReason::Flooding | CloseReason::Engine(DisconnectReason::Misbehaved)),
            } => {
                if let Some(blamed) = self.honest.get(peer) {
                    broken(format!("node {node} sent honest node {blamed} away: {reason:?}"));
                }
            }
            _ => {}
        }
    }

    /// Who should hold a record by now, and does not?
    fn check_convergence(&mut self, residents: &[Resident], cast: &Cast, facts: &mut Facts, plan: &[NodePlan]) {
        let (Some(within), Some(calm), Some(now)) = (self.converge_within, self.calm_since, kernel::now()) else {
            return;
        };
        let is_due = |spreading: &Spreading| spreading.since.max(calm) + within <= now;
        if self.spreading.first().is_none_or(|first| !is_due(first)) {
            return;
        }
        let (due, rest) = std::mem::take(&mut self.spreading).into_iter().partition(is_due);
        self.spreading = rest;
        let due: Vec<Spreading> = due;
        for Spreading { id, author, since } in due {
            let org = cast.members[author].org;
            for (node, resident) in residents.iter().enumerate() {
                let Some(ledger) = &resident.ledger else { continue };
                let has_run = self.running_since[node].is_some_and(|start| start + within <= now);
                let trusts = facts.allows(node, org, self.clock(node));
                let wants = trusts && plan[node].subscription == Default::default();
                if has_run && wants && self.is_honest[node] {
                    invariant!(
                        is_whole(ledger, &id),
                        "record {id}, published by node {author} at {} ms, has not reached node {node} by {} ms",
                        since / 1_000_000,
                        now / 1_000_000
                    );
                }
            }
        }
    }

    /// Once a virtual second: what does not show in any event?
    pub(super) fn look(&mut self, network: &Network, (residents, cast, facts): Everything<'_>, plan: &[NodePlan]) {
        let second = kernel::now().unwrap_or_default() / SECOND;
        if second == self.looked {
            return;
        }
        self.looked = second;
        self.check_convergence(residents, cast, facts, plan);
        self.check_beliefs(residents, facts);
        let queued = network.queued();
        invariant!(
            queued <= QUEUED * residents.len().max(1),
            "{queued} bytes are on their way or unread"
        );
        let (owner, tasks) = kernel::most_tasks();
        invariant!(tasks <= TASKS || owner == Owner::WORLD, "{owner:?} has {tasks} tasks");
    }
}
