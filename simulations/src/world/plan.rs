//! What a world is made of: [`Plan`], and [`NodePlan`] for each node. `canary` looks whether a run is simulated at all.

mod canary;

use std::{fmt, io::Write, net::Ipv4Addr, panic::AssertUnwindSafe, sync::Arc, thread, time::Duration};

use starfish_node::mesh::{Keeper, MeshSettings};
use starfish_protocol::{engine::Subscription, trust::Pin};
use starfish_sim_kernel as kernel;

use super::{
    World,
    chronicle::{
        Archive, Listener,
        ended::{Breach, Ended},
    },
    speaker::Speaker,
};
use crate::network::Links;

/// Bits a second of a node's link, either way, when nothing else is said.
const BANDWIDTH: u64 = 100_000_000;
/// Neighbours that each node dials, when nothing else is said: with those that dial it, twice as many.
const DIALS: usize = 6;
/// Futures of a large behaviour nest deeply.
const STACK: usize = 64 << 20;

/// Puts another keeper in front of a node's own.
pub type KeeperHook = Arc<dyn Fn(Arc<dyn Keeper>) -> Arc<dyn Keeper> + Send + Sync>;

/// How much somebody vouches for an organisation (trust.md 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouch {
    /// The number of the organisation.
    pub organisation: usize,
    /// How much, 1 to 120.
    pub amount: u8,
    /// How many further introductions behind it are honoured, 0 to 7.
    pub depth: u8,
    /// Whether its vetoes count.
    pub may_veto: bool,
    /// Whether it may be told TLP:GREEN.
    pub receive_green: bool,
}

/// One node of a plan.
#[derive(Clone)]
pub struct NodePlan {
    /// The row of the latency matrix.
    pub region: usize,
    /// Bits a second that it can send.
    pub uplink: u64,
    /// Bits a second that it can receive.
    pub downlink: u64,
    /// Its address; its number makes one when there is none.
    pub ip: Option<Ipv4Addr>,
    /// The number of its organisation.
    pub organisation: usize,
    /// Whether its organisation certified it. Who is not is everybody's guest, and cannot publish.
    pub is_certified: bool,
    /// The organisations that it lists as roots; those of all certified nodes when there is none.
    pub roots: Option<Vec<usize>>,
    /// Its operator's further entries, which say how much.
    pub entries: Vec<Vouch>,
    /// Its operator's last word about organisations.
    pub pins: Vec<(usize, Pin)>,
    /// The nodes that it dials; some at random when there is none.
    pub dials: Option<Vec<usize>>,
    /// Whether it dials others besides, by its own choice.
    pub dial_others: bool,
    /// What it pulls.
    pub subscription: Subscription,
    /// Its settings. Listening and dialling are the world's part.
    pub settings: MeshSettings,
    /// By how many ms its wall clock is ahead.
    pub skew: i64,
    /// Whether it runs from the beginning.
    pub starts: bool,
    /// Whether the invariants hold for it. Not for an adversary.
    pub is_honest: bool,
    /// What stands in front of its store, for an adversary.
    pub keeper: Option<KeeperHook>,
    /// What speaks in its place, for an adversary: then there is no node.
    pub speaker: Option<Speaker>,
}

impl NodePlan {
    /// An honest node of the organisation of this number, in the first region.
    pub fn new(organisation: usize) -> Self {
        Self {
            region: 0,
            uplink: BANDWIDTH,
            downlink: BANDWIDTH,
            ip: None,
            organisation,
            is_certified: true,
            roots: None,
            entries: Vec::new(),
            pins: Vec::new(),
            dials: None,
            dial_others: false,
            subscription: Subscription::default(),
            settings: MeshSettings::default(),
            skew: 0,
            starts: true,
            is_honest: true,
            keeper: None,
            speaker: None,
        }
    }
}

impl fmt::Debug for NodePlan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            region,
            organisation,
            is_honest,
            ..
        } = self;
        write!(
            out,
            "NodePlan(organisation {organisation}, region {region}, honest {is_honest})"
        )
    }
}

/// What a world is made of.
#[derive(Debug)]
pub struct Plan {
    pub(super) seed: u64,
    pub(super) nodes: Vec<NodePlan>,
    pub(super) links: Links,
    pub(super) dials: usize,
    pub(super) converge_within: Option<Duration>,
    pub(super) compares: bool,
    pub(super) acquainted: bool,
    pub(super) endorsements: Vec<(usize, Vouch)>,
    pub(super) archive: Archive,
    command: Option<String>,
}

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            nodes: Vec::new(),
            links: Links::default(),
            dials: DIALS,
            converge_within: None,
            compares: false,
            acquainted: false,
            endorsements: Vec::new(),
            archive: Archive::default(),
            command: None,
        }
    }

    /// Adds so many honest nodes, each of an organisation of its own, over all regions in turn.
    #[must_use]
    pub fn nodes(mut self, count: usize) -> Self {
        for number in self.nodes.len()..self.nodes.len() + count {
            self.nodes.push(NodePlan {
                region: number % self.links.latency.len(),
                ..NodePlan::new(number)
            });
        }
        self
    }

    /// Adds this node.
    #[must_use]
    pub fn node(mut self, node: NodePlan) -> Self {
        self.nodes.push(node);
        self
    }

    /// Changes every node that was added so far; the number comes first.
    #[must_use]
    pub fn each(mut self, mut change: impl FnMut(usize, &mut NodePlan)) -> Self {
        self.nodes
            .iter_mut()
            .enumerate()
            .for_each(|(number, node)| change(number, node));
        self
    }

    /// Lets an organisation vouch for another from the beginning.
    #[must_use]
    pub fn endorse(mut self, issuer: usize, vouch: Vouch) -> Self {
        self.endorsements.push((issuer, vouch));
        self
    }

    /// Sets how far apart regions are. To be called before `nodes`, which goes over all regions.
    #[must_use]
    pub fn links(mut self, links: Links) -> Self {
        self.links = links;
        self
    }

    /// Sets how many neighbours a node dials at random.
    #[must_use]
    pub fn dials(mut self, dials: usize) -> Self {
        self.dials = dials;
        self
    }

    /// Holds the world to this: so long after it was published, and after the last fault, each record is at every honest
    /// node that trusts its organisation, pulls it and may be told of it.
    #[must_use]
    pub fn converge_within(mut self, length: Duration) -> Self {
        self.converge_within = Some(length);
        self
    }

    /// Lets nodes know from the beginning who the others are and where, as in a mesh that has stood for long. Otherwise all of
    /// them meet at once, and each hears of everybody from several sides.
    #[must_use]
    pub fn acquainted(mut self, acquainted: bool) -> Self {
        self.acquainted = acquainted;
        self
    }

    /// Gives each node a twin that speaks plain gossipsub, for comparison; [`World::push`] has it push whole bodies.
    #[must_use]
    pub fn compare_with_pushing(mut self, compares: bool) -> Self {
        self.compares = compares;
        self
    }

    /// Writes the stream of events, one JSON object a line.
    #[must_use]
    pub fn write_events(self, writer: impl Write + Send + 'static) -> Self {
        self.archive.write_to(Box::new(writer));
        self
    }

    /// Shows each event to this as it happens.
    #[must_use]
    pub fn listen(self, listener: Listener) -> Self {
        self.archive.show_to(listener);
        self
    }

    /// Says by which command this world can be run again; a failure shows it.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// Builds the world and lets the scenario act on it, on a thread of its own: the seeds of its hash maps and its
    /// random generators are drawn once a thread.
    ///
    /// # Panics
    /// When the world ends before its time, with seed and command.
    pub fn run<T: Send>(self, scenario: impl FnOnce(&mut World) -> T + Send) -> T {
        let (seed, command) = (self.seed, self.command.clone());
        let again = || command.unwrap_or_else(|| std::env::args().collect::<Vec<_>>().join(" "));
        self.try_run(scenario)
            .unwrap_or_else(|ended| panic!("the world of seed {seed} failed: {ended}\nagain with: {}", again()))
    }

    /// The same, for those who keep what is known of a failure. Every event until then has been written, where it could be.
    ///
    /// # Errors
    /// When an invariant is broken, something panics, another world ran in this process before, or the stream of events
    /// cannot be written.
    pub fn try_run<T: Send>(self, scenario: impl FnOnce(&mut World) -> T + Send) -> Result<T, Ended> {
        let archive = self.archive.clone();
        let live = move || {
            // The world is gone before its time is, whatever happens in it.
            let lived = std::panic::catch_unwind(AssertUnwindSafe(|| {
                kernel::enter(self.seed);
                canary::sing();
                let mut world = World::build(self);
                let result = scenario(&mut world);
                world.finish();
                result
            }));
            let lived = lived.map_err(|cause| Breach::of(&*cause, &archive));
            kernel::leave();
            archive.flush();
            match (lived, archive.take_failure()) {
                (Ok(result), None) => Ok(result),
                (Err(Some(breach)), unwritten) => Err(Ended::Breach { breach, unwritten }),
                (_, Some(error)) => Err(Ended::Stream(error)),
                (Err(None), None) => unreachable!("only a stream that failed cuts a world short"),
            }
        };
        let thread = thread::Builder::new().name("world".to_owned()).stack_size(STACK);
        thread::scope(|scope| {
            let world = thread.spawn_scoped(scope, live).expect("the system gives a thread");
            world.join().expect("whatever panics in it is caught there")
        })
    }
}
