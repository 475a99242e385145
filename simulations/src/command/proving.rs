//! `check` and `replay`: the same again, byte by byte.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
    process::Stdio,
};

use serde::Serialize;

use super::{
    Exit, Trouble,
    arguments::{Check, Replay, Which},
    ready, running, sweeping,
};
use crate::report::{
    Report,
    folder::{self, EVENTS},
};

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
    let scratch = std::env::temp_dir().join(format!("starfish-sim-check-{}", std::process::id()));
    let folders = ["one", "other"].map(|name| scratch.join(name));
    let failed = |error| Trouble::File(program.display().to_string(), error);
    let mut children = Vec::new();
    for out in &folders {
        let mut child = sweeping::child(&program, &check.which, check.seed, out);
        children.push(child.arg("--events").stdout(Stdio::null()).spawn().map_err(failed)?);
    }
    let mut codes = Vec::new();
    for mut child in children {
        codes.push(child.wait().map_err(failed)?.code());
    }
    let compared = same(&folders[0].join(EVENTS), &folders[1].join(EVENTS));
    // What a failed run left behind is not worth a second failure.
    drop(std::fs::remove_dir_all(&scratch));
    let (bytes, line) = compared?;
    let identical = line.is_none() && codes[0] == codes[1];
    let checked = Checked {
        identical,
        seed: check.seed,
        bytes,
        line,
    };
    if check.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&checked).expect("what was found is a document")
        );
    } else {
        match line {
            None => println!("two runs of seed {} gave the same {bytes} bytes of events", check.seed),
            Some(line) => println!("two runs of seed {} differ, first in line {line}", check.seed),
        }
    }
    match codes[0] {
        _ if !identical => Ok(Exit::Broken),
        // A run that breaks an invariant does so again; that it is the same does not make it good.
        Some(code) if code == Exit::Breach as i32 => Ok(Exit::Breach),
        _ => Ok(Exit::Good),
    }
}

/// How many bytes two files share from the beginning, and the line in which they first differ, if they do.
fn same(one: &Path, other: &Path) -> Result<(u64, Option<u64>), Trouble> {
    let open = |path: &Path| File::open(path).map_err(|error| Trouble::File(path.display().to_string(), error));
    let (mut bytes, mut line) = (0, 1);
    let (mut one, mut other) = (BufReader::new(open(one)?).bytes(), BufReader::new(open(other)?).bytes());
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

pub(super) fn replay(replay: &Replay) -> Result<Exit, Trouble> {
    let before = find(&replay.reports, replay.seed)?;
    let which = Which {
        scenario: before.head.file.clone().into(),
        set: before.head.set.clone(),
        ci: before.head.ci,
    };
    let scenario = ready::load(&which.scenario, &which.changes()).map_err(Trouble::Mistakes)?;
    let Some(now) = running::played(&scenario, &which, replay.seed, replay.events.as_deref())? else {
        return Ok(Exit::Breach);
    };
    let is_same = now.outcome.events_digest == before.outcome.events_digest;
    if is_same {
        println!(
            "the same {} events again ({})",
            now.outcome.events, now.outcome.events_digest
        );
        return Ok(Exit::Good);
    }
    println!(
        "other events than before: {} and {}",
        before.outcome.events_digest, now.outcome.events_digest
    );
    for (what, before, now) in [
        ("the program", &before.head.program, &now.head.program),
        ("the scenario", &before.head.digest, &now.head.digest),
    ] {
        if before != now {
            println!("{what} is another: {before} before, {now} now");
        }
    }
    Ok(Exit::Broken)
}

/// The report of a seed: this folder, or one in it. The last by name when there are several.
fn find(reports: &Path, seed: u64) -> Result<Report, Trouble> {
    if reports.join(folder::SUMMARY).exists() {
        let report = folder::read(reports)?;
        return match report.head.seed == seed {
            true => Ok(report),
            false => Err(none(reports, seed)),
        };
    }
    let entries = std::fs::read_dir(reports).map_err(|error| Trouble::File(reports.display().to_string(), error))?;
    let mut folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    let read = folders.iter().rev().filter_map(|path| folder::read(path).ok());
    read.into_iter()
        .find(|report| report.head.seed == seed)
        .ok_or_else(|| none(reports, seed))
}

fn none(reports: &Path, seed: u64) -> Trouble {
    let folder = reports.display();
    Trouble::Usage(format!(
        "no report of seed {seed} in {folder}; say where it is with --reports FOLDER, or run the scenario"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let check = |one: &str, other: &str, expected: (u64, Option<u64>)| {
            let paths = ["one", "other"].map(|name| folder.path().join(name));
            for (path, text) in paths.iter().zip([one, other]) {
                std::fs::write(path, text).expect("a file");
            }
            assert_eq!(same(&paths[0], &paths[1]).expect("two files"), expected);
        };
        check("", "", (0, None));
        check("a\nb\n", "a\nb\n", (4, None));
        check("a\nb\n", "a\nc\n", (2, Some(2)));
        check("a\n", "a\nb\n", (2, Some(2)));
        check("x", "y", (0, Some(1)));
        assert!(same(&folder.path().join("gone"), &folder.path().join("one")).is_err());
    }
}
