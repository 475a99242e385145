//! `check`: twice the same, byte by byte.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use serde::Serialize;

use super::{
    Exit, Trouble,
    arguments::Check,
    output::{say, say_json, warn},
    ready,
    scratch::Scratch,
    sweeping,
};
use crate::report::folder::EVENTS;

/// What `check` found.
#[derive(Serialize)]
struct Checked {
    identical: bool,
    seed: u64,
    bytes: u64,
    /// The first line that differs, counted from 1.
    line: Option<u64>,
}

pub(super) fn check(check: &Check) -> Result<Exit, Trouble> {
    ready::load(&check.which.scenario, &check.which.changes()).map_err(Trouble::Mistakes)?;
    let program = sweeping::own_program()?;
    let scratch = Scratch::new()?;
    let folders = ["one", "other"].map(|name| scratch.join(name));
    let failed = |error| Trouble::File(program.display().to_string(), error);
    let mut children = Vec::new();
    for out in &folders {
        let mut child = sweeping::child(&program, &check.which, check.seed, out);
        child.arg("--events").stdout(Stdio::null());
        // Only the first draws a bar.
        if !children.is_empty() {
            child.stderr(Stdio::piped());
        }
        children.push(child.spawn().map_err(failed)?);
    }
    let mut ends = Vec::new();
    for child in children {
        let output = child.wait_with_output().map_err(failed)?;
        warn(&String::from_utf8_lossy(&output.stderr));
        ends.push(Exit::of(output.status.code()));
    }
    if ends.iter().any(|end| !end.has_left()) {
        warn(&format!(
            "a run of seed {} failed, and nothing was compared\n",
            check.seed
        ));
        return Ok(verdict(&ends, false));
    }
    let [one, other] = folders.map(|folder| open(&folder.join(EVENTS)));
    let (bytes, line) = same(one?, other?)?;
    let identical = line.is_none() && ends[0] == ends[1];
    let checked = Checked {
        identical,
        seed: check.seed,
        bytes,
        line,
    };
    if check.json {
        say_json(&checked)?;
    } else {
        match line {
            None => say(&format!(
                "two runs of seed {} gave the same {bytes} bytes of events\n",
                check.seed
            ))?,
            Some(line) => say(&format!(
                "two runs of seed {} differ, first in line {line}\n",
                check.seed
            ))?,
        }
    }
    Ok(verdict(&ends, identical))
}

/// Runs that miss what their scenario expects are good here when they are the same. Anything worse is told as it is: a breach
/// comes again, and that it is the same does not make it good.
fn verdict(ends: &[Exit], identical: bool) -> Exit {
    match ends.iter().max() {
        Some(worse) if *worse > Exit::Broken => *worse,
        _ if identical => Exit::Good,
        _ => Exit::Broken,
    }
}

pub(super) fn open(path: &Path) -> Result<BufReader<File>, Trouble> {
    let file = File::open(path).map_err(|error| Trouble::File(path.display().to_string(), error));
    file.map(BufReader::new)
}

/// How many bytes two texts share from the beginning, and the line in which they first differ, if they do.
pub(super) fn same(one: impl BufRead, other: impl BufRead) -> Result<(u64, Option<u64>), Trouble> {
    let (mut bytes, mut line) = (0, 1);
    let (mut one, mut other) = (one.bytes(), other.bytes());
    loop {
        match (one.next().transpose(), other.next().transpose()) {
            (Ok(None), Ok(None)) => return Ok((bytes, None)),
            (Ok(Some(left)), Ok(Some(right))) if left == right => {
                bytes += 1;
                line += u64::from(left == b'\n');
            }
            (Ok(_), Ok(_)) => return Ok((bytes, Some(line))),
            (Err(error), _) | (_, Err(error)) => return Err(Trouble::File("events".to_owned(), error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ended_well_can_be_the_same() {
        let check = |ends: [Exit; 2], expected: [Exit; 2]| {
            assert_eq!(
                [true, false].map(|identical| verdict(&ends, identical)),
                expected,
                "{ends:?}"
            );
        };
        check([Exit::Good; 2], [Exit::Good, Exit::Broken]);
        check([Exit::Broken; 2], [Exit::Good, Exit::Broken]);
        check([Exit::Breach; 2], [Exit::Breach; 2]);
        check([Exit::Good, Exit::Breach], [Exit::Breach; 2]);
    }

    #[test]
    fn the_first_difference_is_found() {
        let check = |one: &str, other: &str, expected: (u64, Option<u64>)| {
            assert_eq!(same(one.as_bytes(), other.as_bytes()).expect("two texts"), expected);
        };
        check("", "", (0, None));
        check("a\nb\n", "a\nb\n", (4, None));
        check("a\nb\n", "a\nc\n", (2, Some(2)));
        check("a\n", "a\nb\n", (2, Some(2)));
        check("x", "y", (0, Some(1)));
    }
}
