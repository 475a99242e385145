//! A mesh of real nodes in virtual time: [`World`]. A scenario lets time pass, gives orders to nodes, breaks links and
//! machines, and looks at what each node holds.
//!
//! | part | what it does |
//! |---|---|
//! | `plan` | what a world is made of, and its run; whether time and chance are the simulation's |
//! | `cast` | organisations and keys, and what organisations say of each other |
//! | `facts` | whom a node may believe by that |
//! | `residents` | nodes: started, crashed, started again; what they publish and hold |
//! | `speaker` | what stands in a node's place and is no node |
//! | `faults` | the network's faults |
//! | `plain` | plain gossipsub beside the nodes, for comparison |
//! | `chronicle` | what happened, in order, and how it ended |
//! | `checks` | what must hold at every step |

mod cast;
mod checks;
pub mod chronicle;
mod facts;
mod faults;
mod plain;
pub mod plan;
mod residents;
pub mod speaker;

use std::{sync::Arc, time::Duration};

use libp2p::PeerId;
use starfish_crypto::PublicKey;
use starfish_node::{ledger::Ledger, mesh::Handle, store::memory::Pool};
use starfish_protocol::{engine::port::Change, organisation::OrgId, time::Millis};
use starfish_sim_kernel::{self as kernel, WallClock};

pub(crate) use self::cast::CERTIFIED_S;
use self::{
    cast::Cast,
    checks::Checks,
    chronicle::{Archive, Chronicle, What, ended},
    facts::Facts,
    plain::Twins,
    residents::Resident,
    speaker::Rumours,
};
pub use self::{
    chronicle::ended::{Breach, Ended},
    plan::{NodePlan, Plan, Vouch},
};
use crate::{
    environment::Remembering,
    network::{Network, Site},
    storage::{Disk, Drawer},
};

/// What is no node dials again this long after it lost a connection, as nodes do it at the latest.
const REDIAL: Duration = Duration::from_secs(5);

/// Nodes that run, the network between them, and what happened so far.
#[derive(Debug)]
pub struct World {
    plan: Vec<NodePlan>,
    cast: Cast,
    facts: Facts,
    network: Network,
    twins: Option<Twins>,
    residents: Vec<Resident>,
    /// Who everybody is and where, if all know that from the beginning.
    papers: Vec<Change>,
    checker: Arc<Remembering>,
    chronicle: Arc<Chronicle>,
    pool: Pool,
    archive: Archive,
    checks: Checks,
    rumours: Rumours,
}

/// How many bytes the stores of all nodes take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What is in them, whoever else holds it.
    pub bytes: usize,
    /// The same, each row once for all of them.
    pub once: usize,
    /// About what the lists take of which row is where, which no two nodes share.
    pub lists: usize,
}

impl World {
    /// Begins a plan. The same seed gives the same world.
    #[expect(clippy::new_ret_no_self, reason = "a world is only ever seen from inside its run")]
    pub fn new(seed: u64) -> Plan {
        Plan::new(seed)
    }

    fn build(mut plan: Plan) -> Self {
        let organisations: Vec<usize> = plan.nodes.iter().map(|node| node.organisation).collect();
        residents::choose_neighbours(&mut plan);
        let site = |(number, node): (usize, &NodePlan)| Site {
            region: node.region,
            uplink: node.uplink,
            downlink: node.downlink,
            ip: node.ip.unwrap_or_else(|| residents::default_ip(number)),
        };
        let sites = plan.nodes.iter().enumerate().map(site).collect();
        let cast = Cast::new(plan.seed, &organisations);
        let policies = plan.nodes.iter().enumerate();
        let network = Network::new(plan.links, sites);
        let hostile = plan.nodes.iter().enumerate().filter(|(_, node)| !node.is_honest);
        network.turn_hostile(hostile.map(|(number, _)| number));
        let (chronicle, pool) = (Arc::default(), Pool::default());
        let mut world = Self {
            facts: Facts::new(
                policies
                    .map(|(node, plan)| cast::vouching::policy(&cast, node, plan))
                    .collect(),
            ),
            cast,
            twins: plan
                .compares
                .then(|| Twins::new(plan.nodes.len(), &network, &chronicle)),
            network,
            residents: plan.nodes.iter().map(|_| Resident::new(&pool)).collect(),
            checks: Checks::new(plan.converge_within.map(kernel::nanos), &plan.nodes),
            papers: Vec::new(),
            plan: plan.nodes,
            checker: Arc::default(),
            chronicle,
            pool,
            archive: plan.archive,
            rumours: Rumours::default(),
        };
        if plan.acquainted {
            world.papers = world.papers_of_all();
        }
        world.endorse_all(&plan.endorsements);
        for node in 0..world.plan.len() {
            if world.plan[node].starts {
                world.start(node);
                // It takes in what it was handed before the next begins: what all of them have in hand at once is more than
                // they ever hold.
                world.run_until(Duration::ZERO);
            }
        }
        world
    }

    /// How many nodes there are, running or not.
    pub fn len(&self) -> usize {
        self.plan.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty()
    }

    /// Time since the world began.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(kernel::now().unwrap_or_default())
    }

    /// The true wall time.
    pub fn wall(&self) -> Millis {
        Millis(WallClock::now().unwrap_or_default() / 1_000_000)
    }

    /// Lets this much time pass.
    pub fn run_for(&mut self, length: Duration) {
        self.run_until(self.now() + length);
    }

    /// Lets time pass until this time since the beginning.
    pub fn run_until(&mut self, time: Duration) {
        self.run_until_or(time, |_| false);
    }

    /// Lets time pass until something holds, which is looked at after every step; false when it did not within the time.
    pub fn wait_for(&mut self, length: Duration, mut holds: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now() + length;
        self.run_until_or(end, &mut holds)
    }

    fn run_until_or(&mut self, time: Duration, mut holds: impl FnMut(&Self) -> bool) -> bool {
        let end = kernel::nanos(time);
        loop {
            // News changes what holds; a step without any does not.
            let goes_on = kernel::turn(end);
            if (self.take_news() || !goes_on) && holds(self) {
                return true;
            }
            if !goes_on {
                return false;
            }
        }
    }

    /// Writes down what happened and checks that it may; whether there was anything.
    fn take_news(&mut self) -> bool {
        let news = self.chronicle.take();
        for happening in &news {
            self.archive.add(happening);
            self.checks.see(happening, &self.residents, &self.cast, &mut self.facts);
        }
        let everything = (&self.residents[..], &self.cast, &mut self.facts);
        self.checks.look(&self.network, everything, &self.plan);
        if self.archive.has_failed() {
            ended::cut_short();
        }
        !news.is_empty()
    }

    /// The last look at everything.
    fn finish(&mut self) {
        self.take_news();
        self.checks.end(&self.residents);
    }

    fn note(&mut self, node: Option<usize>, what: What) {
        self.chronicle.note(node, what);
        self.take_news();
    }

    /// The digest of everything that happened so far, the same for the same seed.
    pub fn digest(&self) -> String {
        self.archive.digest()
    }

    /// How many things happened so far.
    pub fn events(&self) -> u64 {
        self.archive.count()
    }

    /// The lowest gossip score that an honest node had at another one so far; none where no two were connected when asked.
    pub fn lowest_score(&self) -> Option<f64> {
        self.checks.lowest_score()
    }

    /// Pairs of an honest node and another one that is not, whose gossip score was below zero there so far.
    pub fn scored_below_zero(&self) -> usize {
        self.checks.scored_below_zero()
    }

    /// The network, for its figures.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// A node's plan.
    pub fn plan(&self, node: usize) -> &NodePlan {
        &self.plan[node]
    }

    /// A node's name in the mesh.
    pub fn peer(&self, node: usize) -> PeerId {
        self.cast.members[node].peer
    }

    /// The key that signs a node's records.
    pub fn author(&self, node: usize) -> PublicKey {
        self.cast.members[node].key.public()
    }

    /// A node's organisation.
    pub fn org(&self, node: usize) -> OrgId {
        self.cast.members[node].org
    }

    /// The door to a node; none while it does not run.
    pub fn handle(&self, node: usize) -> Option<&Handle> {
        self.residents[node].handle.as_ref()
    }

    /// What the stores of all nodes take.
    pub fn stored(&self) -> Stored {
        let sum = |of: fn(&Drawer) -> usize| self.residents.iter().map(|resident| of(&resident.drawer)).sum();
        Stored {
            bytes: sum(Drawer::bytes),
            once: self.pool.bytes(),
            lists: sum(Drawer::lists),
        }
    }

    /// What a node keeps; none while it does not run.
    pub fn ledger(&self, node: usize) -> Option<&Ledger<Disk>> {
        self.residents[node].ledger.as_deref()
    }
}
