//! Nodes: started, crashed, started again. What a node keeps outlives it. What nodes publish and hold is in `records`.

mod records;

use std::{net::Ipv4Addr, sync::Arc};

use libp2p::{Multiaddr, multiaddr::Protocol};
use starfish_node::{
    ledger::{Ledger, reading::Loaded},
    mesh::{self, Handle, Keeper, MeshSettings, Parts},
    store::memory::Pool,
};
use starfish_protocol::{
    codec,
    engine::{
        HIGHEST_WALL, PINS, ROOTS, Setup,
        port::{Change, Command, Outcome},
    },
    organisation::OrgId,
    time::Millis,
    trust::Policy,
};
use starfish_sim_kernel::{self as kernel, Owner};

use super::{NodePlan, Plan, World, chronicle::What};
use crate::{
    environment::Machine,
    storage::{Damage, Disk, Drawer, Keeping},
};

/// How many changes are written together.
const CHANGES: usize = 100;
/// One small value of the node's own takes at most so many bytes.
const SETTING: usize = 64;

/// One node, running or not.
#[derive(Debug)]
pub(crate) struct Resident {
    pub(crate) drawer: Drawer,
    has_run: bool,
    pub(crate) ledger: Option<Arc<Ledger<Disk>>>,
    pub(crate) handle: Option<Handle>,
}

impl Resident {
    /// One that has never run.
    pub(super) fn new(pool: &Pool) -> Self {
        Self {
            drawer: Drawer::new(pool),
            has_run: false,
            ledger: None,
            handle: None,
        }
    }
}

/// 10.0.0.0/8 in the order of numbers, a few to a subnet.
pub(super) fn default_ip(number: usize) -> Ipv4Addr {
    let number = u32::try_from(number).expect("a world has fewer nodes");
    assert!(number < 1 << 20, "addresses for a million nodes");
    // Sixteen nodes of a subnet of 256.
    let (subnet, host) = (number / 16, number % 16 + 1);
    Ipv4Addr::from(10 << 24 | subnet << 8 | host)
}

/// Gives those without neighbours some at random.
pub(super) fn choose_neighbours(plan: &mut Plan) {
    let count = plan.nodes.len();
    for number in 0..count {
        let wanted = plan.dials.min(count.saturating_sub(1));
        if plan.nodes[number].dials.is_some() {
            continue;
        }
        let mut chosen = Vec::with_capacity(wanted);
        while chosen.len() < wanted {
            let other = usize::try_from(kernel::chance() % count as u64).expect("below the count");
            if other != number && !chosen.contains(&other) {
                chosen.push(other);
            }
        }
        plan.nodes[number].dials = Some(chosen);
    }
}

impl World {
    /// Starts a node with what it keeps, or what speaks in its place.
    ///
    /// # Panics
    /// When it runs already, or cannot start.
    pub fn start(&mut self, node: usize) {
        assert!(self.residents[node].handle.is_none(), "node {node} runs already");
        self.network.turn_on(node);
        if let Some(speaker) = self.plan[node].speaker {
            self.speak(node, speaker);
            return self.note(Some(node), What::Started);
        }
        let member = &self.cast.members[node];
        let owner = Owner::node(node);
        kernel::set_skew(owner, self.plan[node].skew * 1_000_000);
        let ledger = self.residents[node]
            .drawer
            .open(member.org)
            .expect("what a crash leaves can be opened");
        let ledger = Arc::new(ledger);
        if !std::mem::replace(&mut self.residents[node].has_run, true) {
            for changes in self.papers.chunks(CHANGES) {
                ledger.apply(changes).expect("memory does not fail");
            }
        }
        let loaded = ledger.load().expect("memory does not fail");
        let (settings, setup) = (self.settings(node), self.setup(node, &loaded));
        let mut keeper: Arc<dyn Keeper> = Arc::new(Keeping::new(Arc::clone(&ledger), owner));
        if let Some(hook) = &self.plan[node].keeper {
            keeper = hook(keeper);
        }
        let parts = Parts {
            transport: self.network.transport(node, member.peer),
            setup,
            keeper,
            checker: Arc::<crate::environment::Remembering>::clone(&self.checker),
            registry: None,
        };
        let machine = Arc::new(Machine::new(node, Arc::clone(&self.chronicle)));
        let started = kernel::inside(owner, || mesh::start(machine, settings, parts));
        let (handle, running) = started.expect("the settings fit together and the port is free");
        let chronicle = Arc::clone(&self.chronicle);
        kernel::spawn(owner, async move {
            let ended = running.await.err().map(|error| error.to_string());
            chronicle.note(Some(node), What::Ended(ended));
        });
        self.residents[node].ledger = Some(ledger);
        self.residents[node].handle = Some(handle);
        self.note(Some(node), What::Started);
        self.start_twin(node);
        self.begin(node, Command::Listening(vec![self.network.address(node).to_string()]));
        let said = self.cast.members[node].says.clone();
        if !said.is_empty() {
            self.begin(node, Command::Tell(said));
        }
    }

    /// Who everybody is and where.
    pub(super) fn papers_of_all(&self) -> Vec<Change> {
        let certified = self.plan.iter().zip(&self.cast.members).enumerate();
        let certified = certified.filter(|(_, (plan, _))| plan.is_certified && plan.speaker.is_none());
        let papers = certified.flat_map(|(number, (_, member))| {
            let address = self.network.address(number).to_string();
            member.papers(self.cast.community, address)
        });
        papers.map(Change::Statement).collect()
    }

    fn settings(&self, node: usize) -> MeshSettings {
        let dials = self.plan[node].dials.iter().flatten();
        MeshSettings {
            listen: vec![self.network.address(node)],
            dial: dials.map(|other| self.pinned(*other)).collect(),
            ..self.plan[node].settings.clone()
        }
    }

    /// Where a node is, and who must answer there.
    pub fn pinned(&self, node: usize) -> Multiaddr {
        self.network.address(node).with(Protocol::P2p(self.peer(node)))
    }

    /// The organisations that a node lists.
    fn listed(&self, plan: &NodePlan) -> Vec<OrgId> {
        match &plan.roots {
            Some(roots) => roots
                .iter()
                .map(|organisation| self.cast.house(*organisation).org)
                .collect(),
            None => {
                let members = self.plan.iter().zip(&self.cast.members);
                let certified = members.filter(|(plan, _)| plan.is_certified);
                certified.map(|(_, member)| member.org).collect()
            }
        }
    }

    /// What the operator decided: by the plan, until the node keeps something else.
    fn policy(&self, plan: &NodePlan, loaded: &Loaded) -> Policy {
        let mut policy = loaded.policy(self.listed(plan));
        let org = |organisation: usize| self.cast.house(organisation).org;
        if !loaded.settings.contains_key(ROOTS) {
            let entries = plan.entries.iter();
            policy.roots = entries.map(|entry| entry.root(org(entry.organisation))).collect();
        }
        if !loaded.settings.contains_key(PINS) {
            policy.pins = plan.pins.iter().map(|(number, pin)| (org(*number), *pin)).collect();
        }
        policy
    }

    fn setup(&self, node: usize, loaded: &Loaded) -> Setup {
        let (member, plan) = (&self.cast.members[node], &self.plan[node]);
        let highest = loaded
            .settings
            .get(HIGHEST_WALL)
            .and_then(|value| codec::decode(value, SETTING).ok());
        let seed: Vec<u8> = kernel::inside(Owner::node(node), || {
            (0..4).flat_map(|_| kernel::chance().to_le_bytes()).collect()
        });
        Setup {
            key: member.key.clone(),
            org: member.org,
            community: self.cast.community,
            statements: if plan.is_certified {
                member.statements.clone()
            } else {
                Vec::new()
            },
            stored_statements: loaded.statements.clone(),
            policy: self.policy(plan, loaded),
            judged: loaded.judged.clone(),
            rights: loaded.rights.clone(),
            subscription: plan.subscription.clone(),
            heads: loaded.heads.clone(),
            frozen: loaded.frozen.clone(),
            cuts: loaded.cuts.clone(),
            recoveries: loaded.recoveries.clone(),
            safe_mode: loaded.safe_mode,
            records: loaded.records,
            highest_wall: highest.unwrap_or(Millis(0)),
            dial_others: plan.dial_others,
            seed: seed.try_into().expect("four times eight bytes"),
        }
    }

    /// Takes the power from a node's machine, and its disk takes this damage. Nobody is told.
    ///
    /// # Panics
    /// When it does not run.
    pub fn crash(&mut self, node: usize, damage: Damage) {
        assert!(self.residents[node].handle.is_some(), "node {node} does not run");
        self.network.turn_off(node);
        kernel::kill(Owner::node(node));
        if let Some(twins) = &mut self.twins {
            twins.crash(node);
        }
        let resident = &mut self.residents[node];
        resident.handle = None;
        resident.ledger = None;
        resident.drawer.damage(damage);
        self.note(Some(node), What::Crashed(damage));
    }

    /// Crashes a node and starts it again at once.
    pub fn restart(&mut self, node: usize, damage: Damage) {
        self.crash(node, damage);
        self.start(node);
    }

    /// Gives a node an order; what comes of it is seen among the events.
    ///
    /// # Panics
    /// When it does not run.
    pub fn begin(&self, node: usize, command: Command) {
        let chronicle = Arc::clone(&self.chronicle);
        self.give(node, command, move |outcome| match outcome {
            Outcome::Published(records) => chronicle.note(Some(node), What::Published(records)),
            Outcome::Refused(refusal) => chronicle.note(Some(node), What::Refused(refusal.to_string())),
            _ => {}
        });
    }

    /// Gives an order and hands its outcome on.
    ///
    /// # Panics
    /// When the node does not run.
    pub fn give(&self, node: usize, command: Command, done: impl FnOnce(Outcome) + Send + 'static) {
        let handle = self.residents[node].handle.clone();
        let handle = handle.unwrap_or_else(|| panic!("node {node} does not run"));
        kernel::spawn(Owner::WORLD, async move {
            done(handle.command(command).await);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_nodes_share_a_subnet() {
        let check = |number: usize, ip: [u8; 4]| assert_eq!(default_ip(number), Ipv4Addr::from(ip), "{number}");
        check(0, [10, 0, 0, 1]);
        check(15, [10, 0, 0, 16]);
        check(16, [10, 0, 1, 1]);
        check(9_999, [10, 2, 112, 16]);
    }
}
