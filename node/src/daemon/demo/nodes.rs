//! The demo's nodes: [`Nodes`], five processes in a temporary folder that go away with the value.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use futures::future::try_join_all;
use hyper::Method;
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
        documents::{self, Done, Hit, Invitation, Met, Published, Status, Trust},
    },
    exit::{Exit, Failure},
    folder,
    identity::random,
    initialise::{self, Founding},
    settings::{self, template::Answers},
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
/// How long a node may take to start, or two to join; a second is usual.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a clean stop may take.
const STOP: Duration = Duration::from_secs(10);

/// Five running nodes. The processes go before the folder.
#[derive(Debug)]
pub(super) struct Nodes {
    running: Vec<Running>,
    folder: Folder,
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
        screen.say("Making five organisations and their nodes.");
        let folder = Folder::make()?;
        let paths: Vec<PathBuf> = (0..NAMES.len()).map(|node| folder.data(node)).collect();
        let founded = tokio::task::spawn_blocking(move || found_all(&paths)).await;
        founded.map_err(|error| Failure::machine("the nodes were not made", error))??;
        let starting = (0..NAMES.len()).map(|node| start(folder.data(node)));
        let running = try_join_all(starting).await?;
        let nodes = Self { running, folder };
        screen.say("Joining them: 0-1, 1-2, 1-3, 3-4, and nobody else.");
        for (inviter, invited) in EDGES {
            nodes.join(inviter, invited).await?;
        }
        nodes.connected().await?;
        Ok(nodes)
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
        let deadline = Instant::now() + PATIENCE;
        let mut ticks = interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            let statuses = self.statuses().await?;
            if statuses
                .iter()
                .enumerate()
                .all(|(node, status)| status.peers == degree(node))
            {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Failure::new(
                    Exit::Incomplete,
                    format!("the nodes did not connect within {PATIENCE:?}"),
                ));
            }
        }
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

/// Founds the organisations first, so that each can list the others.
fn found_all(folders: &[PathBuf]) -> Result<(), Failure> {
    let ports = initialise::free_ports(folders.len())?;
    let mut founded = Vec::with_capacity(folders.len());
    for ((data, port), name) in folders.iter().zip(ports).zip(NAMES) {
        let answers = Answers {
            port,
            listen: vec!["127.0.0.1".to_owned()],
            dial_others: false,
            ..Answers::named(name)
        };
        let made = initialise::found(&Founding {
            data,
            answers: &answers,
            passphrase: None,
        })?;
        founded.push((data, answers, made.identity.org.to_string()));
    }
    let organisations: Vec<String> = founded.iter().map(|(.., organisation)| organisation.clone()).collect();
    for (data, answers, own) in founded {
        let others = organisations
            .iter()
            .filter(|organisation| **organisation != own)
            .cloned()
            .collect();
        let file = data.join(settings::FILE);
        std::fs::write(
            &file,
            Answers {
                organisations: others,
                ..answers
            }
            .render(),
        )
        .map_err(|error| Failure::machine(format_args!("cannot write {}", file.display()), error))?;
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
