//! What must hold at every step, whatever a scenario does: [`Checks`]. A breach ends the world.
//!
//! | invariant | looked at |
//! |---|---|
//! | nothing is believed that trust forbids (`facts`) | when a record becomes durable or rises, and all of it once news of lost trust had their time at the node |
//! | no TLP:GREEN at a node that no honest node may tell it | when a record becomes durable, and when what is no node hears of it |
//! | what was acknowledged is not lost, header or body (`kept`) | when a node starts again, and at the end |
//! | each record reaches everybody who wants it and may have it within the time that the plan gives (`spreading`) | within a second after that time, at each node |
//! | no honest node is held to have misbehaved by another one, or to have written two histories | when a node says so |
//! | no honest node has a gossip score below zero at another one (`scores`) | every ten virtual seconds |
//! | no honest node ends by itself | when it ends |
//! | nothing more is taken of an author that is proven to have written two | when a record becomes durable |
//! | queues, tasks and what is in quarantine are bounded, at each node | once a virtual second |

mod beliefs;
mod forks;
mod kept;
mod scores;
mod spreading;

use std::collections::BTreeMap;

use libp2p::PeerId;
use starfish_crypto::PublicKey;
use starfish_node::{
    ledger::{Ledger, catalogue::State},
    mesh::{CloseReason, Event},
    store::{Space, Store as _},
};
use starfish_protocol::{
    engine::port::{self, DisconnectReason},
    limits,
    record::RecordId,
    time::Millis,
};
use starfish_sim_kernel::{self as kernel, Owner, WallClock};

use self::{kept::Kept, scores::Scores, spreading::Spreading};
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
/// Bytes on their way to a node, or unread there: windows of 256 KiB of as many streams as its limits let others fill.
const QUEUED: usize = 32 << 20;
/// Compressed bytes in quarantine: beyond the bound by what is written together before anything is thrown out.
const QUARANTINED: u64 = limits::QUARANTINE_BYTES / 8 * 9;

/// Whether a record is there with its body, or has none.
pub(super) fn is_whole(ledger: &Ledger<Disk>, record: &RecordId) -> bool {
    let card = ledger.card_of(record).expect("memory does not fail");
    card.is_some_and(|(_, card)| match card.state {
        State::Present => {
            let body = ledger.store().get(Space::Bodies, card.body.as_bytes());
            body.expect("memory does not fail").is_some()
        }
        state => state == State::Bare,
    })
}

/// What a node's clock says.
fn wall(node: usize) -> Millis {
    let wall = kernel::inside(Owner::node(node), WallClock::now);
    Millis(wall.unwrap_or_default() / 1_000_000)
}

/// What an event is looked at beside.
type Everything<'a> = (&'a [Resident], &'a Cast, &'a mut Facts);

#[derive(Debug)]
pub(super) struct Checks {
    converge_within: Option<u64>,
    spreading: Vec<Spreading>,
    /// Since when there is no fault; none while there is one.
    calm_since: Option<u64>,
    /// Whether two honest nodes are kept apart.
    is_blocked: bool,
    honest: BTreeMap<PeerId, usize>,
    is_honest: Vec<bool>,
    running_since: Vec<Option<u64>>,
    /// What each node has said is durable.
    kept: Vec<Kept>,
    /// Authors whose two histories each node has seen, and what its clock said then.
    forks: Vec<BTreeMap<PublicKey, Millis>>,
    /// The entries of each ledger up to which it was looked at what is believed.
    read: Vec<u64>,
    /// How many losses of trust each node has dealt with since it started, as was looked at.
    dealt: Vec<usize>,
    scores: Scores,
    looked: u64,
}

impl Checks {
    pub(super) fn new(converge_within: Option<u64>, plan: &[NodePlan]) -> Self {
        Self {
            converge_within,
            spreading: Vec::new(),
            calm_since: Some(0),
            is_blocked: false,
            honest: BTreeMap::new(),
            is_honest: plan.iter().map(|node| node.is_honest).collect(),
            running_since: vec![None; plan.len()],
            kept: vec![Kept::default(); plan.len()],
            forks: vec![BTreeMap::new(); plan.len()],
            read: vec![0; plan.len()],
            dealt: vec![0; plan.len()],
            scores: Scores::default(),
            looked: 0,
        }
    }

    pub(super) fn see(&mut self, happening: &Happening, residents: &[Resident], cast: &Cast, facts: &mut Facts) {
        match (&happening.what, happening.node) {
            (What::Separated(..), _) => self.calm_since = None,
            // What an adversary keeps from itself is no fault of the network.
            (What::Blocked(one, other, _), _) if !(self.is_honest[*one] && self.is_honest[*other]) => {}
            (What::Blocked(..), _) => (self.calm_since, self.is_blocked) = (None, true),
            (What::Rejoined, _) if self.is_blocked => {}
            (What::Rejoined | What::Healed, _) => (self.calm_since, self.is_blocked) = (Some(happening.at), false),
            (what, Some(node)) => self.see_node(node, what, happening.at, (residents, cast, facts)),
            _ => {}
        }
    }

    fn see_node(&mut self, node: usize, what: &What, at: u64, (residents, cast, facts): Everything<'_>) {
        match what {
            What::Started => {
                self.running_since[node] = Some(at);
                (self.read[node], self.dealt[node]) = (0, 0);
                if self.is_honest[node] {
                    self.honest.insert(cast.members[node].peer, node);
                    self.check_kept(node, &residents[node]);
                }
            }
            What::Crashed(damage) => {
                self.running_since[node] = None;
                self.kept[node].damaged(*damage, &residents[node]);
                if *damage != Damage::None {
                    self.forks[node].clear();
                }
            }
            What::Ended(None) => self.running_since[node] = None,
            What::Ended(Some(reason)) => invariant!(!self.is_honest[node], "node {node} ended by itself: {reason}"),
            What::Published(records) => {
                self.kept[node].published(records);
                if self.is_honest[node] {
                    self.spread(node, records, at, &residents[node]);
                }
            }
            What::Mesh(event) => {
                if let Event::Engine(port::Event::Stored(id)) = event {
                    self.check_confided(node, id, (residents, cast, &mut *facts));
                }
                if self.is_honest[node] {
                    self.check_history(node, event, &residents[node], cast);
                    self.check_event(node, event, (residents, cast, facts));
                }
            }
            What::Overheard(what) => self.check_overheard(node, what, (residents, cast, facts)),
            _ => {}
        }
    }

    fn check_event(&mut self, node: usize, event: &Event, (residents, cast, facts): Everything<'_>) {
        match event {
            Event::Engine(port::Event::Stored(id) | port::Event::BodyStored(id)) => {
                self.kept[node].note(event, &residents[node]);
                if let Some(ledger) = &residents[node].ledger {
                    self.check_belief(node, id, ledger, (cast, facts));
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

    /// What does not show before the end?
    pub(super) fn end(&self, residents: &[Resident]) {
        for (node, resident) in residents.iter().enumerate().filter(|(node, _)| self.is_honest[*node]) {
            self.check_kept(node, resident);
        }
    }

    fn check_kept(&self, node: usize, resident: &Resident) {
        if let Some(ledger) = &resident.ledger {
            self.kept[node].check(node, ledger, wall(node));
        }
    }

    /// Once a virtual second: what does not show in any event?
    pub(super) fn look(&mut self, network: &Network, (residents, cast, facts): Everything<'_>, plan: &[NodePlan]) {
        let second = kernel::now().unwrap_or_default() / SECOND;
        if second == self.looked {
            return;
        }
        self.looked = second;
        self.check_convergence((residents, cast, &mut *facts), plan);
        self.check_beliefs((residents, cast, facts));
        self.check_scores(residents);
        for (node, queued) in network.queued().into_iter().enumerate() {
            invariant!(
                queued <= QUEUED,
                "{queued} bytes are on their way to node {node} or unread there"
            );
        }
        for (node, resident) in residents.iter().enumerate() {
            let held = resident.ledger.as_ref().map_or(0, |ledger| ledger.counts().held_bytes);
            self.kept[node].holds(held);
            invariant!(held <= QUARANTINED, "node {node} holds {held} bytes in quarantine");
        }
        let (owner, tasks) = kernel::most_tasks();
        invariant!(tasks <= TASKS || owner == Owner::WORLD, "{owner:?} has {tasks} tasks");
    }
}
