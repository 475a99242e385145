//! Real nodes for a test. [`Nodes`] is a small mesh of separate processes that goes away, folders and all, with the value;
//! [`Node`] is one of them, running or stopped. Everything is said to them by the command line, as an operator would.
//! Waiting is [`eventually`]: ask again until it holds or the deadline passes. A daemon that panicked fails its test.

mod command;
mod daemon;
mod settings;

use std::{
    fs,
    ops::Index,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use command::starfish;
use daemon::Daemon;
use settings::with_setting;

pub use command::{Answer, Following, run};
pub use daemon::Signal;

/// How long anything in the mesh may take before it counts as lost; a healthy one needs a second or two.
pub const SOON: Duration = Duration::from_secs(60);

/// What every node is told besides its `[trust]`: (table, key, value). Nodes dial only whom they were paired with, because
/// records must travel hops.
const SETTINGS: [(&str, &str, &str); 1] = [("mesh", "dial_others", "false")];

/// Only one mesh runs at a time: several at once would measure the machine.
static TURN: Mutex<()> = Mutex::new(());

/// Some nodes that list each other's organisations, joined only by the edges asked for.
#[derive(Debug)]
pub struct Nodes {
    nodes: Vec<Node>,
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Nodes {
    /// Initialises and starts nodes, pairs them along the edges, and returns when all of these connections stand.
    pub fn start(count: usize, edges: &[(usize, usize)]) -> Self {
        Self::start_listing(count, edges, |_| Vec::new())
    }

    /// Starts nodes that list nobody and are joined with nobody.
    pub fn start_apart(count: usize) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let nodes = (0..count).map(|index| Node::init(folder.path(), index)).collect();
        let mut mesh = Self {
            nodes,
            folder,
            _turn: turn,
        };
        mesh.nodes.iter_mut().for_each(Node::start);
        mesh
    }

    /// The same, where each node also lists what `more` gives for its number: `org:...` of organisations without a node here.
    pub fn start_listing(count: usize, edges: &[(usize, usize)], more: impl Fn(usize) -> Vec<String>) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let nodes: Vec<Node> = (0..count).map(|index| Node::init(folder.path(), index)).collect();
        let mut mesh = Self {
            nodes,
            folder,
            _turn: turn,
        };
        mesh.list_organisations(0, more);
        mesh.nodes.iter_mut().for_each(Node::start);
        edges.iter().for_each(|(left, right)| mesh.join(*left, *right));
        for index in 0..count {
            let degree = edges
                .iter()
                .filter(|(left, right)| *left == index || *right == index)
                .count();
            mesh[index].has_peers(degree);
        }
        mesh
    }

    /// A further node that lists everybody, started and paired with `with`; returns its number.
    pub fn add(&mut self, with: usize) -> usize {
        let index = self.nodes.len();
        self.nodes.push(Node::init(self.folder.path(), index));
        self.list_organisations(index, |_| Vec::new());
        self.nodes[index].start();
        self.join(with, index);
        index
    }

    /// A node to be started or stopped.
    pub fn node(&mut self, index: usize) -> &mut Node {
        &mut self.nodes[index]
    }

    /// Every node, in order.
    pub fn all(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// Pairs two running nodes, as two operators would: one invites, the other types the code.
    fn join(&self, inviter: usize, invited: usize) {
        let invitation = self[inviter].said(&["invite", "--yes"], "").done("invite");
        let code = invitation
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .expect("invite prints a code")
            .trim();
        self[invited].said(&["pair", code, "--yes"], "").done("pair");
    }

    /// Writes `[trust] organisations` of the nodes from `first` on; they must not run.
    fn list_organisations(&self, first: usize, more: impl Fn(usize) -> Vec<String>) {
        for (index, node) in self.nodes.iter().enumerate().skip(first) {
            let others = self.nodes.iter().map(|other| other.organisation.clone());
            let listed = others.filter(|other| *other != node.organisation).chain(more(index));
            let listed: Vec<String> = listed.map(|organisation| format!("{organisation:?}")).collect();
            node.set("trust", "organisations", &format!("[{}]", listed.join(", ")));
            SETTINGS
                .iter()
                .for_each(|(table, key, value)| node.set(table, key, value));
        }
    }
}

impl Index<usize> for Nodes {
    type Output = Node;

    fn index(&self, index: usize) -> &Node {
        &self.nodes[index]
    }
}

/// One node: its data directory, and its daemon while it runs.
#[derive(Debug)]
pub struct Node {
    name: String,
    data: PathBuf,
    /// `org:...`
    pub organisation: String,
    daemon: Option<Daemon>,
}

impl Node {
    fn init(folder: &Path, index: usize) -> Self {
        let name = format!("CERT {index}");
        let data = folder.join(format!("node-{index}"));
        let mut node = Self {
            name,
            data,
            organisation: String::new(),
            daemon: None,
        };
        node.said(&["init", "--name", &node.name, "--port", "0"], "")
            .done("init");
        node.organisation = text(&node.one(&["id"]), "organisation");
        node
    }

    /// Starts the daemon and returns when it has said that it is ready.
    pub fn start(&mut self) {
        assert!(self.daemon.is_none(), "{} runs already", self.name);
        let daemon = Daemon::start(&self.name, starfish(&self.data).arg("run"), SOON);
        self.daemon = Some(daemon.unwrap_or_else(|reason| panic!("{} does not start: {reason}", self.name)));
    }

    /// Tries to start the daemon; what it said if it ended instead of becoming ready.
    pub fn try_start(&mut self) -> Result<(), String> {
        self.daemon = Some(Daemon::start(&self.name, starfish(&self.data).arg("run"), SOON)?);
        Ok(())
    }

    /// Ends the daemon by a signal and waits until it is gone.
    pub fn stop(&mut self, signal: Signal) {
        self.daemon.take().expect("the node runs").end(signal);
    }

    /// Sends SIGKILL without taking note of it, so that it can be done while others talk to the node; [`Node::forget`] follows.
    pub fn kill(&self) {
        self.daemon.as_ref().expect("the node runs").signal(Signal::Kill);
    }

    /// Takes note that the daemon was killed, and waits until it is gone.
    pub fn forget(&mut self) {
        drop(self.daemon.take());
    }

    /// The peer id that the daemon said when it became ready.
    pub fn peer(&self) -> &str {
        &self.daemon.as_ref().expect("the node runs").peer
    }

    /// Where it listens over TCP, as a dialler needs it: a multiaddress that ends in `/p2p/ID`.
    pub fn tcp_address(&self) -> String {
        let listen = &self.daemon.as_ref().expect("the node runs").listen;
        let tcp = |address: &&String| address.contains("/tcp/") && address.starts_with("/ip4/127.0.0.1/");
        let address = listen.iter().find(tcp);
        let address = address.unwrap_or_else(|| panic!("{} is ready, and not over TCP: {listen:?}", self.name));
        let bare = address.split("/p2p/").next().unwrap_or_default();
        format!("{bare}/p2p/{}", self.peer())
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where `init` left the organisation's root key: this operator did not move it offline.
    pub fn root_key(&self) -> String {
        let path = ["organisation", "root", "root.key"]
            .iter()
            .fold(self.data.clone(), |path, part| path.join(part));
        path.to_str().expect("a temporary path is UTF-8").to_owned()
    }

    /// The most memory that the daemon has held so far, in bytes: what Linux calls VmHWM.
    pub fn peak_memory(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// The memory that the daemon holds now, in bytes.
    pub fn resident_memory(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, field: &str) -> u64 {
        let process = self.daemon.as_ref().expect("the node runs").process();
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("Linux tells what a process holds");
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or_else(|| panic!("{field} is not in the status of process {process}")) * 1_024
    }

    /// Runs a command with the text as its standard input; whatever comes of it.
    pub fn said(&self, arguments: &[&str], input: &str) -> Answer {
        run(starfish(&self.data).args(arguments), input)
    }

    /// Starts a command with `--json` that does not end by itself.
    pub fn follows(&self, arguments: &[&str]) -> Following {
        Following::start(starfish(&self.data).arg("--json").args(arguments))
    }

    /// Runs a command with `--json`, which must succeed or find nothing: its documents.
    pub fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let answer = self.said(&[&["--json"], arguments].concat(), "");
        assert!(
            matches!(answer.code, Some(0 | 1)),
            "{}: {arguments:?}: {answer:?}",
            self.name
        );
        answer.documents()
    }

    /// The only document of a command.
    pub fn one(&self, arguments: &[&str]) -> Value {
        let mut documents = self.json(arguments);
        assert_eq!(documents.len(), 1, "{}: {arguments:?}: {documents:?}", self.name);
        documents.remove(0)
    }

    /// What `status` says.
    pub fn status(&self) -> Value {
        self.one(&["status"])
    }

    /// Publishes observables, which must be acknowledged.
    pub fn publish(&self, topic: &str, observables: &[String]) {
        let answer = self.said(&["--json", "publish", "--topic", topic, "-"], &observables.join("\n"));
        answer.done("publish");
    }

    /// Withdraws the whole record that holds the value.
    pub fn withdraw(&self, value: &str) {
        let hits = self.believed(value);
        let record = hits
            .first()
            .unwrap_or_else(|| panic!("{} does not hold {value}", self.name));
        self.said(&["withdraw", &text(record, "record"), "--reason", "mistaken"], "")
            .done("withdraw");
    }

    /// What an exact search shows as standing: believed and not withdrawn.
    pub fn believed(&self, value: &str) -> Vec<Value> {
        standing(self.json(&["search", value]))
    }

    /// Every standing name under a suffix, sorted.
    pub fn under(&self, suffix: &str) -> Vec<String> {
        let hits = standing(self.json(&["search", "--under", suffix, "--limit", "1000000"]));
        let mut names: Vec<String> = hits.iter().map(|hit| text(hit, "value")).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Waits until the value stands here.
    pub fn gets(&self, value: &str) {
        eventually(&format!("{} gets {value}", self.name), SOON, || {
            !self.believed(value).is_empty()
        });
    }

    /// Waits until the value no longer stands here.
    pub fn loses(&self, value: &str) {
        eventually(&format!("{} loses {value}", self.name), SOON, || {
            self.believed(value).is_empty()
        });
    }

    /// Waits until the node has exactly this many connections.
    pub fn has_peers(&self, count: usize) {
        eventually(&format!("{} has {count} peers", self.name), SOON, || {
            self.peers() == count
        });
    }

    /// The number of connections that `status` tells.
    pub fn peers(&self) -> usize {
        let peers = &self.status()["peers"];
        let count = peers
            .as_array()
            .map(Vec::len)
            .or_else(|| peers.as_u64().and_then(|count| count.try_into().ok()));
        count.unwrap_or_else(|| panic!("{}: status.peers is {peers}", self.name))
    }

    /// Fails if the node reports a fork, in its status or in its log.
    pub fn reports_no_fork(&self) {
        let forks = &self.status()["forks"];
        let none = forks.is_null() || forks == 0 || forks.as_array().is_some_and(Vec::is_empty);
        assert!(none, "{} reports forks: {forks}", self.name);
        let said = self.daemon.as_ref().expect("the node runs").lines();
        let line = said
            .iter()
            .find(|line| line.contains("equivocat") || line.contains("fork"));
        assert_eq!(line, None, "{} speaks of a fork", self.name);
    }

    /// Sets one key of the configuration file; the value is TOML. It counts from the next start on.
    pub fn set(&self, table: &str, key: &str, value: &str) {
        let path = self.data.join("starfish.toml");
        let written = fs::read_to_string(&path).expect("init wrote starfish.toml");
        fs::write(&path, with_setting(&written, table, key, value)).expect("starfish.toml is writable");
    }
}

/// Asks again until it holds; fails after the deadline.
pub fn eventually(what: &str, deadline: Duration, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < deadline, "not within {deadline:?}: {what}");
        pause(Duration::from_millis(100));
    }
}

/// Gives the processes time, where no event says when to look again.
pub fn pause(time: Duration) {
    let (_send, receive) = mpsc::channel::<()>();
    let _ = receive.recv_timeout(time);
}

/// A text field of a document, which must be there.
pub fn text(document: &Value, field: &str) -> String {
    let value = document[field].as_str();
    value
        .unwrap_or_else(|| panic!("no text `{field}` in {document}"))
        .to_owned()
}

fn standing(hits: Vec<Value>) -> Vec<Value> {
    hits.into_iter().filter(|hit| hit["withdrawn"] != true).collect()
}
