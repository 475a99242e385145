//! A scenario as it is written: [`Written`], one field a key. README.md explains the keys by example.
//!
//! Sections that may occur several times have a name (`[publish.daily]`), so that `[ci]` and `--set` can change one of them.

mod expect;
mod trouble;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use starfish_node::mesh::{GossipParameters, Limits};

pub use self::{
    expect::Expect,
    trouble::{Adversary, AdversaryKind, Answer, Churn, Crash, Partition, Skew, StoreFate},
};

/// A whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// One line for lists of scenarios and the head of the report.
    pub title: String,
    /// What it shows and how to read the figures.
    #[serde(default)]
    pub about: String,
    /// How long it runs, in virtual seconds.
    pub seconds: u64,
    /// Until when the mesh may form before anything is measured, in virtual seconds.
    #[serde(default = "ten")]
    pub settle_seconds: u64,
    /// Whether the nodes know from the beginning who the others are and where, as in a mesh that has stood for long;
    /// otherwise all of them meet at once.
    #[serde(default)]
    pub acquainted: bool,
    /// Within how many virtual seconds each record must reach every honest node that wants it and may have it, counted from
    /// its publication or, if that is later, from the end of the last partition: an invariant, so that a run which misses it
    /// ends there. Not looked at when left out.
    pub converge_seconds: Option<u64>,
    /// The network between the nodes.
    #[serde(default)]
    pub network: Network,
    /// Nodes by role.
    pub nodes: BTreeMap<String, Nodes>,
    /// Who dials whom.
    #[serde(default)]
    pub topology: Topology,
    /// Who believes whom.
    #[serde(default)]
    pub trust: Trust,
    /// What is published.
    #[serde(default)]
    pub publish: BTreeMap<String, Publish>,
    /// Nodes that come and go.
    #[serde(default)]
    pub churn: BTreeMap<String, Churn>,
    /// Parts of the network that cannot reach each other.
    #[serde(default)]
    pub partition: BTreeMap<String, Partition>,
    /// Nodes that end without a word and come back.
    #[serde(default)]
    pub crash: BTreeMap<String, Crash>,
    /// Clocks that are wrong.
    #[serde(default)]
    pub skew: BTreeMap<String, Skew>,
    /// Nodes that do not play by the rules.
    #[serde(default)]
    pub adversary: BTreeMap<String, Adversary>,
    /// How gossip spreads, on every node.
    #[serde(default)]
    pub gossip: GossipParameters,
    /// What others may cost a node, on every node.
    #[serde(default)]
    pub limits: Limits,
    /// What is measured beside the nodes.
    #[serde(default)]
    pub compare: Compare,
    /// What must come out; a run that misses one of these fails.
    #[serde(default)]
    pub expect: Expect,
}

impl Written {
    /// How many nodes there are, of all roles.
    pub fn total(&self) -> u32 {
        self.nodes
            .values()
            .map(|nodes| nodes.count)
            .fold(0, u32::saturating_add)
    }
}

/// The network between the nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Round trips between regions in ms, a CSV file beside the scenario; `shipped` means the one that comes along.
    pub latency: PathBuf,
    /// What a node can send, and receive, where its role says nothing else.
    pub uplink_kbit: u64,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            latency: "shipped".into(),
            uplink_kbit: 100_000,
        }
    }
}

/// Nodes of one role. Each is an organisation of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// How many.
    pub count: u32,
    /// Where, in turn; empty means every region of the latency file.
    #[serde(default)]
    pub regions: Vec<String>,
    /// What each can send, and receive.
    pub uplink_kbit: Option<u64>,
    /// What its line adds to each way, in ms.
    #[serde(default)]
    pub line_ms: u64,
    /// The topics it pulls; empty means all.
    #[serde(default)]
    pub topics: Vec<String>,
    /// The TLDs it pulls.
    #[serde(default)]
    pub tlds: Tlds,
    /// Whether their organisations certified them. Who is not certified is everybody's guest, and cannot publish: a mesh of
    /// many listeners, of whom nobody needs to know anything.
    #[serde(default = "yes")]
    pub certified: bool,
}

/// The TLDs that the nodes of a role pull.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tlds {
    /// Every one.
    #[default]
    All,
    /// Each node one of its own, from the list that the workload `conficker-day` uses.
    Own,
}

/// Who dials whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Topology {
    /// Its shape.
    pub kind: TopologyKind,
    /// Of `random` and `scale-free`: how many others each node dials; twice as many connections on average.
    pub dials: u32,
    /// Of `file`: a CSV file beside the scenario, each line a node and one that it dials.
    pub path: Option<PathBuf>,
    /// Whether nodes besides dial others by themselves, as the daemon does unless told otherwise.
    pub dial_others: bool,
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            kind: TopologyKind::Random,
            dials: 4,
            path: None,
            dial_others: false,
        }
    }
}

/// The shape of a topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TopologyKind {
    /// Everybody dials some others, by chance.
    Random,
    /// Who is known is dialled more: few with many connections.
    ScaleFree,
    /// As a file says.
    File,
}

/// Who believes whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trust {
    /// Its shape.
    pub kind: TrustKind,
    /// Of `listed`: for each role, the roles whose organisations it believes.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Of the shapes that endorsements make: the roles that take part; when left out, all that are certified and that no
    /// adversary smuggles in.
    pub members: Vec<String>,
    /// Of `two-sponsors` and `scale-free`: how many founders are everybody's roots, with the right to veto.
    pub roots: u32,
    /// Of `two-sponsors` and `scale-free`: how many earlier members vouch for each later one.
    pub sponsors: u32,
    /// How much one member vouches for another, 1 to 120.
    pub amount: u8,
    /// How many further introductions it honours, 0 to 7.
    pub depth: u8,
    /// Of `two-sponsors` and `scale-free`: the roles whose members may be told TLP:GREEN. They are the founders, and sponsor
    /// each other.
    pub green: Vec<String>,
    /// Of `file`: a CSV file beside the scenario, each line who vouches, for whom, how much and how deep.
    pub path: Option<PathBuf>,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            kind: TrustKind::Everyone,
            roles: BTreeMap::new(),
            members: Vec::new(),
            green: Vec::new(),
            roots: 2,
            sponsors: 2,
            amount: starfish_protocol::trust::independence::ENOUGH,
            depth: starfish_protocol::statement::DEPTH,
            path: None,
        }
    }
}

/// The shape of a trust graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustKind {
    /// Everyone believes everyone, adversaries too: what they can do is the most that they ever can.
    #[default]
    Everyone,
    /// By role.
    Listed,
    /// Each vouches for the one before and the one after it.
    Chain,
    /// Members whom two earlier ones sponsored, behind a few founders.
    TwoSponsors,
    /// The same, and whoever has sponsored many sponsors more.
    ScaleFree,
    /// As a file says.
    File,
}

/// One stream of publications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The role whose nodes publish, in turn.
    pub role: String,
    /// What is published.
    #[serde(default)]
    pub kind: PublishKind,
    /// How many observables one publication holds.
    pub items: u32,
    /// The first one, in virtual seconds.
    pub at_seconds: u64,
    /// The time between two; none means once.
    pub every_seconds: Option<f64>,
    /// The last one comes before this; none means the end of the run.
    pub until_seconds: Option<u64>,
    /// The topic.
    #[serde(default = "malware")]
    pub topic: String,
    /// Who may see it.
    #[serde(default)]
    pub tlp: Sharing,
    /// How many nodes of the role publish the same list at the same time.
    #[serde(default = "one")]
    pub reporters: u32,
    /// When the records expire, after they are published.
    #[serde(default = "day")]
    pub expire_hours: u64,
}

/// Who may see what is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// Everybody.
    #[default]
    Clear,
    /// Whoever is trusted with it.
    Green,
}

/// What is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublishKind {
    /// Names in one TLD.
    #[default]
    Names,
    /// SHA-256 digests: 32 bytes each that do not compress, for bodies of a known size.
    Digests,
    /// Names over 110 TLDs, as many in each as the day of Conficker.C had.
    ConfickerDay,
}

/// What is measured beside the nodes, in the same run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compare {
    /// Plain gossipsub that pushes whole bodies: each node has a twin, with the same neighbours over lines of its own.
    pub push: bool,
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

fn ten() -> u64 {
    10
}

fn malware() -> String {
    "malware".to_owned()
}

fn day() -> u64 {
    24
}
