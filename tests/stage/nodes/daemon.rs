//! One `starfish run`. [`Daemon`] keeps what it says, knows when it is ready, ends it by a signal, and fails the test if it
//! ever panicked. Dropping it is `kill -9`.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::eventually;

/// How long a clean stop may take.
const STOP: Duration = Duration::from_secs(30);

/// How a daemon is told to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Signal {
    /// A clean stop: SIGTERM.
    Terminate,
    /// What Ctrl-C sends: SIGINT.
    Interrupt,
    /// No goodbye: SIGKILL.
    Kill,
}

/// A running daemon.
#[derive(Debug)]
pub(super) struct Daemon {
    name: String,
    child: Child,
    /// Its libp2p peer id.
    pub(super) peer: String,
    /// Its listening multiaddresses.
    pub(super) listen: Vec<String>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Daemon {
    /// Starts it and waits for its ready line; what it said instead if it ended or stayed silent.
    pub(super) fn start(name: &str, command: &mut Command, deadline: Duration) -> Result<Self, String> {
        let piped = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let (send, receive) = mpsc::channel();
        let lines = Arc::new(Mutex::new(Vec::new()));
        collect(
            child.stdout.take().expect("standard output is piped"),
            lines.clone(),
            send.clone(),
        );
        collect(
            child.stderr.take().expect("standard error is piped"),
            lines.clone(),
            send,
        );
        let mut daemon = Self {
            name: name.to_owned(),
            child,
            peer: String::new(),
            listen: Vec::new(),
            lines,
        };
        // Both senders go when the process ends, so an early end is seen at once.
        match receive.recv_timeout(deadline) {
            Ok(ready) => {
                daemon.peer = ready.peer;
                daemon.listen = ready.listen;
                Ok(daemon)
            }
            Err(reason) => Err(format!("no ready line ({reason})\n{}", daemon.lines().join("\n"))),
        }
    }

    /// What it has said so far, on both streams.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its process id.
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn signal(&self, with: Signal) {
        signal(self.child.id(), with);
    }

    /// Ends it and waits until it is gone; a clean stop must also succeed.
    pub(super) fn end(mut self, with: Signal) {
        signal(self.child.id(), with);
        let code = code_of(&self.name, &mut self.child);
        assert!(
            with == Signal::Kill || code == Some(0),
            "{} ended with {code:?}",
            self.name
        );
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Already gone after `end`; both calls then do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let lines = self.lines();
        if thread::panicking() {
            let tail = lines.len().saturating_sub(40);
            eprintln!("--- {} said last:\n{}", self.name, lines[tail..].join("\n"));
        } else {
            let panicked = lines.iter().find(|line| line.contains("panicked at"));
            assert_eq!(panicked, None, "{} panicked", self.name);
        }
    }
}

/// The exit code of a process that ends within [`STOP`]; none if a signal ended it.
pub(super) fn code_of(name: &str, child: &mut Child) -> Option<i32> {
    let child = Mutex::new(child);
    let status = || {
        child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .try_wait()
            .expect("the child can be waited for")
    };
    eventually(&format!("{name} ends"), STOP, || status().is_some());
    status().and_then(|status| status.code())
}

/// Sends a signal by the shell's own `kill`, which is there on the smallest machine.
pub(super) fn signal(process: u32, signal: Signal) {
    let name = match signal {
        Signal::Terminate => "TERM",
        Signal::Interrupt => "INT",
        Signal::Kill => "KILL",
    };
    let status = Command::new("sh")
        .args(["-c", &format!("kill -{name} {process}")])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "kill -{name} {process}");
}

/// Keeps every line of a stream, and passes the ready line on.
fn collect(stream: impl Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>, send: mpsc::Sender<Ready>) {
    thread::spawn(move || {
        let mut send = Some(send);
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if let (Some(ready), Some(sender)) = (Ready::parse(&line), &send) {
                // Nobody listens any more if the deadline passed first.
                let _ = sender.send(ready);
                send = None;
            }
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}

/// The line that says that the node is up: `ready peer=ID listen=ADDRESS,ADDRESS`, or the same as JSON.
#[derive(Debug, PartialEq)]
struct Ready {
    peer: String,
    listen: Vec<String>,
}

impl Ready {
    fn parse(line: &str) -> Option<Self> {
        Self::parse_json(line).or_else(|| Self::parse_words(line))
    }

    fn parse_words(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().skip_while(|word| *word != "ready");
        words.next()?;
        let (mut peer, mut listen) = (None, Vec::new());
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            match key {
                "peer" => peer = Some(value.trim_matches('"').to_owned()),
                "listen" => listen.extend(
                    value
                        .split(',')
                        .map(|address| address.trim_matches(['"', '[', ']']).to_owned()),
                ),
                _ => {}
            }
        }
        Some(Self { peer: peer?, listen })
    }

    fn parse_json(line: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(line).ok()?;
        // A log line in JSON keeps its fields one level down.
        let is_ready =
            document["ready"] == true || document["fields"]["message"] == "ready" || document["event"] == "ready";
        let fields = if document["fields"].is_object() {
            &document["fields"]
        } else {
            &document
        };
        let peer = fields["peer"].as_str().filter(|_| is_ready)?.to_owned();
        let listen = match &fields["listen"] {
            Value::Array(addresses) => addresses
                .iter()
                .filter_map(|address| Some(address.as_str()?.to_owned()))
                .collect(),
            Value::String(addresses) => addresses.split(',').map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        Some(Self { peer, listen })
    }
}

#[test]
fn reads_the_ready_line() {
    let check = |line: &str, expected: Option<(&str, &[&str])>| {
        let ready = Ready::parse(line).map(|ready| (ready.peer, ready.listen));
        let expected = expected.map(|(peer, listen)| {
            (
                peer.to_owned(),
                listen.iter().map(|address| (*address).to_owned()).collect::<Vec<_>>(),
            )
        });
        assert_eq!(ready, expected, "{line}");
    };
    check(
        "ready peer=12D3 listen=/ip4/127.0.0.1/tcp/1",
        Some(("12D3", &["/ip4/127.0.0.1/tcp/1"])),
    );
    check(
        "2026-01-01T00:00:00Z INFO ready peer=12D3 listen=/a,/b",
        Some(("12D3", &["/a", "/b"])),
    );
    check(
        r#"{"ready":true,"peer":"12D3","listen":["/a"]}"#,
        Some(("12D3", &["/a"])),
    );
    check(
        r#"{"level":"INFO","fields":{"message":"ready","peer":"12D3","listen":"/a,/b"}}"#,
        Some(("12D3", &["/a", "/b"])),
    );
    check("ready to listen", None);
    check("already peer=12D3", None);
    check(r#"{"peer":"12D3","listen":["/a"]}"#, None);
    check("", None);
}
