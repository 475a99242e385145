//! The demo's nodes: [`Nodes`], five processes that trust each other in a chain and a sixth that nobody knows, in a
//! temporary folder that goes away with the value.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use futures::future::try_join_all;
use hyper::Method;
use serde::Serialize;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, Command},
    time::{Instant, interval, timeout},
};

use super::screen::Screen;
use crate::daemon::{
    control::{
        client::Client,
        documents::{self, Done, Hit, Invitation, Met, Published, Status, Trust, trust::Trusted},
    },
    exit::{Exit, Failure},
    folder,
    identity::random,
    initialise::{self, Founding},
    settings::template::Answers,
};

/// The organisations, by node.
pub(super) const NAMES: [&str; 5] = [
    "CERT Aurora",
    "CERT Borealis",
    "Registry Cirrus",
    "Registry Delta",
    "Research Echo",
];
/// Who is joined to whom.
const EDGES: [(usize, usize); 4] = [(0, 1), (1, 2), (1, 3), (3, 4)];
/// How many connections lie between a node and the publisher.
pub(super) const HOPS: [u32; 5] = [0, 1, 2, 2, 3];
/// The node that publishes.
pub(super) const PUBLISHER: usize = 0;
/// The node of an organisation for which nobody vouches, and its name.
pub(super) const STRANGER: usize = 5;
/// See [`STRANGER`].
pub(super) const STRANGER_NAME: &str = "Unknown Fungus";
/// The node that the stranger connects to.
pub(super) const DOORSTEP: usize = 1;
/// How many introductions are honoured behind a neighbour: the chain is three long.
const DEPTH: &str = "2";
/// How long a node may take to start, or two to join; a second is usual.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a clean stop may take.
const STOP: Duration = Duration::from_secs(10);

/// Running nodes. The processes go before the folder.
#[derive(Debug)]
pub(super) struct Nodes {
    running: Vec<Running>,
    folder: Folder,
}

/// What an organisation published for which nobody vouches.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Poison {
    /// Who.
    pub(super) publisher: &'static str,
    /// How many values.
    pub(super) observables: u64,
    /// The one node that it came to.
    pub(super) held_by: &'static str,
    /// Why they are in quarantine there.
    pub(super) reason: String,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Dropped when this program ends, however it does; then the node stops.
    _held: Option<ChildStdin>,
}

/// A folder that is removed with the value.
#[derive(Debug)]
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the temporary folder, and is said by nobody else.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn make() -> Result<Self, Failure> {
        let name: String = random::<6>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = std::env::temp_dir().join(format!("starfish-demo-{name}"));
        folder::make(&path)?;
        Ok(Self(path))
    }

    fn data(&self, node: usize) -> PathBuf {
        self.0.join(format!("node-{node}"))
    }
}

impl Nodes {
    /// Founds five organisations, starts their nodes and joins them.
    pub(super) async fn start(screen: &Screen) -> Result<Self, Failure> {
        screen.say("Making five organisations and their nodes, and one more that nobody knows.");
        let folder = Folder::make()?;
        let paths: Vec<PathBuf> = (0..=STRANGER).map(|node| folder.data(node)).collect();
        let founded = tokio::task::spawn_blocking(move || found_all(&paths)).await;
        founded.map_err(|error| Failure::machine("the nodes were not made", error))??;
        let starting = (0..=STRANGER).map(|node| start(folder.data(node)));
        let running = try_join_all(starting).await?;
        let nodes = Self { running, folder };
        screen.say("Joining them: 0-1, 1-2, 1-3, 3-4, and nobody else.");
        for (inviter, invited) in EDGES {
            nodes.join(inviter, invited).await?;
        }
        nodes.connected().await?;
        screen.say("Each endorses its neighbours: the farthest believes the publisher by the word of two others.");
        nodes.endorse().await?;
        nodes.trusting().await?;
        Ok(nodes)
    }

    /// Each neighbour signs, with its root key, that it vouches for the other.
    async fn endorse(&self) -> Result<(), Failure> {
        let ways = EDGES.into_iter().flat_map(|(one, other)| [(one, other), (other, one)]);
        for (from, to) in ways {
            let subject: documents::Id = self.client(to).get("/id").await?;
            let key = initialise::root_folder(&self.folder.data(from)).join("root.key");
            let key = key.display().to_string();
            let line = [
                "trust",
                "endorse",
                &subject.organisation,
                "--depth",
                DEPTH,
                "--key",
                &key,
            ];
            self.command(from, &line).await?;
        }
        Ok(())
    }

    /// Runs a command of a node, as its operator would.
    async fn command(&self, node: usize, line: &[&str]) -> Result<(), Failure> {
        let failed = |error| Failure::machine("a command of the demo cannot be started", error);
        let ran = Command::new(std::env::current_exe().map_err(failed)?)
            .arg("--data")
            .arg(self.folder.data(node))
            .args(line)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(failed)?;
        if ran.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
        Err(Failure::new(
            Exit::Failed,
            format!("starfish {}: {said}", line.join(" ")),
        ))
    }

    /// Waits until every node believes all five organisations.
    async fn trusting(&self) -> Result<(), Failure> {
        let clients: Vec<Client> = (0..NAMES.len()).map(|node| self.client(node)).collect();
        let believe = async |client: &Client| -> Result<bool, Failure> {
            let trusted: Trusted = client.get("/trusted").await?;
            let believed = trusted.organisations.iter().filter(|reached| reached.accept).count();
            Ok(believed >= NAMES.len())
        };
        let all = async || {
            Ok(try_join_all(clients.iter().map(believe))
                .await?
                .into_iter()
                .all(|one| one))
        };
        until("the endorsements did not reach every node", all).await
    }

    fn client(&self, node: usize) -> Client {
        Client::of(&self.folder.data(node))
    }

    /// As two operators would who trust each other's scripts.
    async fn join(&self, inviter: usize, invited: usize) -> Result<(), Failure> {
        let parameters = [("lasts", "600000".to_owned()), ("confirmed", "true".to_owned())];
        let mut lines = self.client(inviter).lines(Method::POST, "/invite", &parameters).await?;
        let no_code = || Failure::new(Exit::Incomplete, "a node gave no code");
        let Invitation { code, .. } = lines.next_document().await?.ok_or_else(no_code)?;
        let invited = self.client(invited);
        let met: Met = invited.post("/pair", &documents::Pair { code }).await?;
        let trust = Trust {
            organisation: met.organisation,
            trusted: true,
        };
        invited.post::<Done>("/trust", &trust).await.map(drop)
    }

    /// Waits until every node has its connections.
    async fn connected(&self) -> Result<(), Failure> {
        let degree = |node: usize| {
            EDGES
                .iter()
                .filter(|(one, other)| *one == node || *other == node)
                .count() as u64
        };
        // The stranger is on the doorstep as a guest.
        let expected = |node: usize| degree(node) + u64::from(node == DOORSTEP);
        let all = async || {
            let statuses = self.statuses().await?;
            let mut each = statuses.iter().enumerate();
            Ok(each.all(|(node, status)| status.peers == expected(node)))
        };
        until("the nodes did not connect", all).await
    }

    /// What each node says about itself.
    pub(super) async fn statuses(&self) -> Result<Vec<Status>, Failure> {
        let clients: Vec<Client> = (0..NAMES.len()).map(|node| self.client(node)).collect();
        try_join_all(clients.iter().map(|client| client.get("/status"))).await
    }

    /// Bytes that each node has received so far.
    pub(super) async fn received(&self) -> Result<Vec<u64>, Failure> {
        Ok(self
            .statuses()
            .await?
            .iter()
            .map(|status| status.received_bytes)
            .collect())
    }

    /// Publishes a list on the first node.
    pub(super) async fn publish(&self, list: Vec<u8>) -> Result<Published, Failure> {
        let parameters = [
            ("topic", "malware".to_owned()),
            ("confidence", "80".to_owned()),
            ("context", "the demo's list".to_owned()),
        ];
        self.client(PUBLISHER).send_text("/publish", &parameters, list).await
    }

    /// The stranger publishes values that nobody should block; returns when its neighbour holds them.
    pub(super) async fn poison(&self, list: &str) -> Result<Poison, Failure> {
        let parameters = [("topic", "malware".to_owned()), ("confidence", "100".to_owned())];
        let stranger = self.client(STRANGER);
        let published: Published = stranger
            .send_text("/publish", &parameters, list.as_bytes().to_vec())
            .await?;
        let doorstep = self.client(DOORSTEP);
        let all = async || {
            let status: Status = doorstep.get("/status").await?;
            Ok(status.quarantined >= published.observables)
        };
        until("what the stranger published did not come to its neighbour", all).await?;
        let mut held = doorstep.lines(Method::GET, "/quarantine", &[]).await?;
        let held: Option<documents::Held> = held.next_document().await?;
        Ok(Poison {
            publisher: STRANGER_NAME,
            observables: published.observables,
            held_by: NAMES[DOORSTEP],
            reason: held.map(|held| held.why).unwrap_or_default(),
        })
    }

    /// Something that the farthest node knows.
    pub(super) async fn first_hit(&self) -> Result<Option<Hit>, Failure> {
        let entries = [("from", "0".to_owned())];
        let mut entries = self.client(4).lines(Method::GET, "/watch", &entries).await?;
        let Some(entry) = entries.next_document::<Value>().await? else {
            return Ok(None);
        };
        let Some(value) = entry["values"][0].as_str() else {
            return Ok(None);
        };
        let value = [("value", value.to_owned())];
        self.client(4)
            .lines(Method::GET, "/search", &value)
            .await?
            .next_document()
            .await
    }

    /// Command lines that work while the nodes run.
    pub(super) fn next_steps(&self) -> Vec<String> {
        let program = std::env::current_exe().map_or_else(|_| "starfish".to_owned(), |path| path.display().to_string());
        let at = |node: usize| format!("{program} --data {}", self.folder.data(node).display());
        vec![
            format!("{} status", at(4)),
            format!("{} search --under com --limit 5", at(4)),
            format!("{} peers", at(1)),
            format!("echo 'hxxp://new[.]example/x' | {} publish --topic phishing -", at(2)),
            format!("{} watch --from 0", at(4)),
        ]
    }

    /// Stops every node, cleanly if they do.
    pub(super) async fn stop(mut self) {
        for running in &mut self.running {
            drop(running._held.take());
        }
        for running in &mut self.running {
            if timeout(STOP, running.child.wait()).await.is_err() {
                // It ends one way or the other; a corpse is reaped by the runtime.
                let _ = running.child.kill().await;
            }
        }
    }
}

/// Asks until it is so, or patience ends.
async fn until(otherwise: &str, holds: impl AsyncFn() -> Result<bool, Failure>) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = interval(Duration::from_millis(50));
    while Instant::now() < deadline {
        ticks.tick().await;
        if holds().await? {
            return Ok(());
        }
    }
    Err(Failure::new(
        Exit::Incomplete,
        format!("{otherwise} within {PATIENCE:?}"),
    ))
}

/// Founds every organisation. The stranger dials the one node whose address it was told.
fn found_all(folders: &[PathBuf]) -> Result<(), Failure> {
    let ports = initialise::free_ports(folders.len())?;
    let names = NAMES.into_iter().chain([STRANGER_NAME]);
    for ((data, port), name) in folders.iter().zip(&ports).zip(names) {
        let dial = if name == STRANGER_NAME {
            vec![format!("/ip4/127.0.0.1/tcp/{}", ports[DOORSTEP])]
        } else {
            Vec::new()
        };
        let answers = Answers {
            port: *port,
            listen: vec!["127.0.0.1".to_owned()],
            dial,
            dial_others: false,
            ..Answers::named(name)
        };
        initialise::found(&Founding {
            data,
            answers: &answers,
            passphrase: None,
        })?;
    }
    Ok(())
}

/// Starts the node of a data directory and returns when it is ready.
async fn start(data: PathBuf) -> Result<Running, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::machine("this program is not found", error))?;
    let log = data.join("log.txt");
    let failed = |error| Failure::machine("a node cannot be started", error);
    let mut child = Command::new(program)
        .arg("--data")
        .arg(&data)
        .args(["--json", "run", "--with-parent"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).map_err(failed)?)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let held = child.stdin.take();
    let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped")).lines();
    match timeout(PATIENCE, lines.next_line()).await {
        Ok(Ok(Some(line))) if line.contains("\"ready\":true") => Ok(Running { child, _held: held }),
        _ => Err(Failure::new(
            Exit::Failed,
            format!("a node did not start; it said: {}", said(&log)),
        )),
    }
}

fn said(log: &Path) -> String {
    std::fs::read_to_string(log).unwrap_or_default().trim().to_owned()
}
