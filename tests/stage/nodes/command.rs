//! One command run to its end: [`run`] gives its [`Answer`], within a deadline.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;

use super::daemon::{Signal, code_of, signal};

/// How long one command of the command line may take.
const COMMAND: Duration = Duration::from_secs(60);

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Answer {
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

impl Answer {
    /// The standard output of a command that must have succeeded.
    pub fn done(self, what: &str) -> String {
        assert_eq!(self.code, Some(0), "{what}: {self:?}");
        self.output
    }

    pub(super) fn documents(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON: {line}: {error}"));
        self.output.lines().map(parse).collect()
    }
}

/// The `starfish` program on a data directory.
pub(super) fn starfish(data: &Path) -> Command {
    let program = std::env::var_os("STARFISH_BIN")
        .expect("STARFISH_BIN names the program under test: run `bash tests/run.sh`, or build it and export its path");
    let mut command = Command::new(program);
    command.arg("--data").arg(data);
    command
}

/// A command that goes on by itself, such as `watch`; it is ended with the value.
#[derive(Debug)]
pub struct Following {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Following {
    pub(super) fn start(command: &mut Command) -> Self {
        let what = format!("{command:?}");
        let piped = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("{what}: {error}"));
        let output = child.stdout.take().expect("standard output is piped");
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody listens any more when the value is gone.
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next document, which must come within the deadline of a command.
    pub fn next_document(&self) -> Value {
        let line = self
            .lines
            .recv_timeout(COMMAND)
            .unwrap_or_else(|reason| panic!("no further line: {reason}"));
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("not JSON: {line}: {error}"))
    }

    /// Types Ctrl-C; the exit code, none if the signal itself was the end.
    pub fn interrupted(mut self) -> Option<i32> {
        signal(self.child.id(), Signal::Interrupt);
        code_of("what was followed", &mut self.child)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end, within [`COMMAND`].
pub fn run(command: &mut Command, input: &str) -> Answer {
    let what = format!("{command:?}");
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap_or_else(|error| panic!("{what}: {error}"));
    let process = child.id();
    let mut stdin = child.stdin.take().expect("standard input is piped");
    let (input, (send, receive)) = (input.to_owned(), mpsc::channel());
    thread::spawn(move || {
        // A command that does not read its input closes the pipe, which is its right.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let _ = send.send(child.wait_with_output());
    });
    let Ok(output) = receive.recv_timeout(COMMAND) else {
        signal(process, Signal::Kill);
        panic!("{what}: no end within {COMMAND:?}");
    };
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Answer {
        code: output.status.code(),
        output: text(&output.stdout),
        errors: text(&output.stderr),
    }
}
