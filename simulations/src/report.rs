//! What a run found: [`Report`], and its folder of figures.
//!
//! | part | what it does |
//! |---|---|
//! | `figures` | percentiles, and confidence intervals over runs |
//! | `gathering` | from what happened to figures |
//! | `trust` | figures of trust and poison |
//! | `judging` | what the scenario expected, held against them |
//! | `left` | a report, or what a broken invariant leaves instead |
//! | `folder` | all files of both |
//! | `page` | `report.html` |
//! | `pushing` | plain gossipsub beside the nodes |
//! | `comparing` | tables over several reports |

pub mod comparing;
pub mod figures;
pub mod folder;
pub mod gathering;
pub mod judging;
pub mod left;
pub mod page;
pub mod pushing;
pub mod trust;

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use self::{
    figures::{Figure, Percentiles, Unit},
    trust::TrustFigures,
};
pub use self::{
    left::{Breached, Left},
    pushing::Push,
};
use crate::scenario::written::AdversaryKind;

/// Everything that a run found. The same program, scenario and seed give the same report but for its [`Cost`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// What ran.
    pub head: Head,
    /// What came out.
    pub outcome: Outcome,
    /// What the run cost on this machine.
    pub cost: Cost,
}

/// What ran: enough to run it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The file it came from.
    pub file: String,
    /// Whether its `[ci]` variant ran.
    pub ci: bool,
    /// Changes from the command line, in order.
    pub set: Vec<String>,
    /// Digest of the scenario with these changes.
    pub digest: String,
    /// The seed.
    pub seed: u64,
    /// How many nodes.
    pub nodes: u32,
    /// How many virtual seconds.
    pub seconds: u64,
    /// The program: its version, commit, lock file, compiler, target and profile.
    pub program: String,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// How many records were published by honest nodes.
    pub records: u64,
    /// Publications that a node refused to make.
    pub refused: u64,
    /// How many bodies of these records were wanted by honest nodes that were not their authors.
    pub wanted: u64,
    /// How many of them arrived.
    pub arrived: u64,
    /// From publication to arrival at one node, in ms.
    pub latency: Percentiles,
    /// From publication to arrival at the last node that wanted it, in ms, of records that arrived everywhere.
    pub everyone: Percentiles,
    /// Bytes that honest nodes received on streams of bodies, asked for or pushed, for each byte of body that arrived where it
    /// was wanted; none when none arrived. What rides along with gossip costs none of them.
    pub copies: Option<f64>,
    /// Bytes that the median node that pulls one TLD received on streams of bodies, in percent of the median of those that pull
    /// everything.
    pub own_tld_percent: Option<f64>,
    /// The same of all bytes that it was sent: headers, statements and gossip are everybody's.
    pub own_tld_received_percent: Option<f64>,
    /// Trust and poison, in runs that are about them.
    pub trust: Option<TrustFigures>,
    /// The lowest gossip score that an honest node had at another one, looked at every ten virtual seconds; none where no two
    /// were connected then.
    pub lowest_score: Option<f64>,
    /// What honest nodes felt of each `[adversary]` and each `[partition]`.
    pub troubles: Vec<Trouble>,
    /// What honest nodes turned away, and how often, by the reason.
    pub turned_away: BTreeMap<String, u64>,
    /// Latency by region of the receiver.
    pub regions: Vec<Group>,
    /// Latency by role of the receiver.
    pub roles: Vec<Group>,
    /// Bytes by kind of stream, of all nodes.
    pub traffic: Vec<TrafficRow>,
    /// How many of the nodes that want it have a record, over time. In the CSV only: it is the bulk of a report.
    #[serde(skip)]
    pub spread: Vec<Spread>,
    /// Every node.
    pub nodes: Vec<NodeRow>,
    /// Pairs of nodes that were connected at the end. In the CSV only.
    #[serde(skip)]
    pub links: Vec<(u32, u32)>,
    /// What plain gossipsub did meanwhile, if that was compared.
    pub push: Option<Push>,
    /// Lines of the event stream.
    pub events: u64,
    /// Its digest.
    pub events_digest: String,
    /// What was expected and did not come out.
    pub broken: Vec<String>,
}

/// What honest nodes felt of one thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// Its section, such as `adversary.NAME`.
    pub section: String,
    /// How often.
    pub felt: u64,
    /// What that counts.
    pub counts: String,
}

/// Latency in one region, or of one role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// From publication to arrival there, in ms.
    pub latency: Percentiles,
}

/// Bytes of one kind of stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficRow {
    /// Its name (`network::kinds`).
    pub kind: String,
    /// What all nodes sent.
    pub bytes: u64,
    /// In how many writes.
    pub writes: u64,
}

/// How one record spread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Its number, in the order of publication.
    pub record: u64,
    /// When it was published, in ms of virtual time.
    pub at: f64,
    /// How many nodes want it.
    pub wanted: u64,
    /// When it was at the first of them, the second and so on, in ms after its publication.
    pub arrivals: Vec<f64>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRow {
    /// Its number.
    pub node: u32,
    /// Its role.
    pub role: String,
    /// Its region.
    pub region: String,
    /// What it does instead of what it should; none for an honest one.
    pub adversary: Option<AdversaryKind>,
    /// By which events call it.
    pub names: Names,
    /// Bodies that it wanted and did not get.
    pub missing: u64,
    /// Bytes that it was sent, of every kind.
    pub received: u64,
    /// Of these, bytes on streams of bodies, asked for or pushed.
    pub received_bodies: u64,
    /// Bytes of bodies that it stored.
    pub stored_bodies: u64,
    /// Bytes that it sent.
    pub sent: u64,
}

/// By what a node is known in events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Its name in the mesh.
    pub peer: String,
    /// The key that signs its records.
    pub author: String,
    /// Its organisation.
    pub organisation: String,
}

/// What a run cost on the machine where it ran; differs each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Seconds of a processor.
    pub processor_seconds: f64,
    /// Virtual seconds for each of them.
    pub speed: f64,
    /// The most memory that the process held, in MiB.
    pub memory_mib: f64,
}

impl Outcome {
    /// Bodies that arrived of those that were wanted, in percent; none when nothing was wanted.
    pub fn delivered_percent(&self) -> Option<f64> {
        (self.wanted > 0).then(|| 100.0 * self.arrived as f64 / self.wanted as f64)
    }

    /// How often honest nodes felt the trouble that they felt least; none where nothing goes wrong.
    pub fn felt(&self) -> Option<f64> {
        self.troubles.iter().map(|trouble| trouble.felt as f64).reduce(f64::min)
    }

    /// How often honest nodes turned something away, for whatever reason.
    pub fn turned_away(&self) -> f64 {
        self.turned_away.values().sum::<u64>() as f64
    }

    /// Bytes that an honest node received, of every kind, on average.
    pub fn received_each(&self) -> f64 {
        let honest = self.nodes.iter().filter(|row| row.adversary.is_none());
        let (count, bytes) = honest.fold((0_u64, 0), |(count, bytes), row| (count + 1, bytes + row.received));
        bytes as f64 / count.max(1) as f64
    }
}

impl Report {
    /// The figures that tables show.
    pub fn headline(&self) -> Vec<Figure> {
        let outcome = &self.outcome;
        let bytes: u64 = outcome.traffic.iter().map(|row| row.bytes).sum();
        let count = |name, count: u64| Figure::new(name, Unit::Count, Some(count as f64));
        let (latency, everyone) = (outcome.latency.known(), outcome.everyone.known());
        let time = |name, time: Option<f64>| Figure::new(name, Unit::Milliseconds, time);
        let mut figures = vec![
            count("records", outcome.records),
            count("refused", outcome.refused),
            Figure::new("delivered", Unit::Percent, outcome.delivered_percent()),
            time("latency p50", latency.map(|times| times.p50)),
            time("latency p99", latency.map(|times| times.p99)),
            time("everyone p50", everyone.map(|times| times.p50)),
            time("everyone max", everyone.map(|times| times.most)),
            Figure::new("copies", Unit::Ratio, outcome.copies),
            Figure::new("received each", Unit::Kilobytes, Some(outcome.received_each() / 1e3)),
            Figure::new("traffic", Unit::Megabytes, Some(bytes as f64 / 1e6)),
        ];
        let own = outcome.own_tld_percent;
        figures.extend(own.map(|percent| Figure::new("own TLD", Unit::Percent, Some(percent))));
        let own = outcome.own_tld_received_percent;
        figures.extend(own.map(|percent| Figure::new("own TLD, in all", Unit::Percent, Some(percent))));
        let lowest = outcome.lowest_score;
        figures.extend(lowest.map(|score| Figure::new("lowest score", Unit::Ratio, Some(score))));
        figures.extend(outcome.felt().map(|felt| Figure::new("felt", Unit::Count, Some(felt))));
        figures.push(Figure::new("turned away", Unit::Count, Some(outcome.turned_away())));
        figures.extend(outcome.trust_figures());
        figures.push(count("broken", outcome.broken.len() as u64));
        figures
    }

    /// The command that runs this again.
    pub fn command(&self) -> String {
        self.head.command()
    }
}

impl Head {
    /// The command that runs this.
    pub fn command(&self) -> String {
        let mut words = vec![
            "starfish-sim run".to_owned(),
            quoted(&self.file),
            format!("--seed {}", self.seed),
        ];
        if self.ci {
            words.push("--ci".to_owned());
        }
        words.extend(self.set.iter().map(|set| format!("--set {}", quoted(set))));
        words.join(" ")
    }

    /// The command that runs this again into a folder.
    pub fn run_command(&self, folder: &Path) -> String {
        format!("{} --out {}", self.command(), quoted(&folder.display().to_string()))
    }

    /// The command that runs what was left in this folder again, and compares.
    pub fn replay_command(&self, folder: &Path) -> String {
        let folder = quoted(&folder.display().to_string());
        format!("starfish-sim replay {} --reports {folder}", self.seed)
    }
}

impl NodeRow {
    /// Whether it publishes poison, sooner or later.
    fn poisons(&self) -> bool {
        self.adversary.is_some_and(AdversaryKind::poisons)
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=,:".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
