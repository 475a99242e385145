//! One world a process: [`alone`] runs the rest of a test in a process of its own, whatever runs the tests.

use std::process::{Command, Output};

/// Set in the process that lives the world: the name of the test, and what it was told.
const NAME: &str = "STARFISH_WORLD";
const WORD: &str = "STARFISH_WORLD_WORD";

/// Runs this test's body in a process of its own; `name` is the test's path.
pub(crate) fn alone(name: &str, body: impl FnOnce()) {
    if told(name).is_some() {
        return body();
    }
    let output = child(name, "");
    assert!(output.status.success(), "{}", said(&output));
}

/// What the test of this name was told by its parent process; none in the parent.
pub(crate) fn told(name: &str) -> Option<String> {
    let is_child = std::env::var(NAME).is_ok_and(|child| child == name);
    is_child.then(|| std::env::var(WORD).unwrap_or_default())
}

/// Runs the test of this name in a process of its own and tells it something.
pub(crate) fn child(name: &str, word: &str) -> Output {
    let program = std::env::current_exe().expect("a test knows its program");
    let mut command = Command::new(program);
    command
        .args(["--exact", name, "--nocapture"])
        .env(NAME, name)
        .env(WORD, word);
    command.output().expect("the program of this test starts")
}

/// Everything that a process wrote.
pub(crate) fn said(output: &Output) -> String {
    let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{error}")
}
