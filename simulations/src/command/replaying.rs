//! `replay`: the same as before. The events are compared by their digest and, where the earlier ones are there, line by line;
//! the figures that follow from them as well.

use std::{
    io::BufRead,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Exit, Trouble,
    arguments::{Replay, Which},
    output::say,
    proving::{open, same},
    ready, running,
    scratch::Scratch,
};
use crate::{
    report::{
        Breached, Left, Report,
        comparing::side_by_side,
        folder::{self, EVENTS},
    },
    world::Breach,
};

pub(super) fn replay(replay: &Replay) -> Result<Exit, Trouble> {
    let (folder, before) = find(&replay.reports, replay.seed)?;
    let head = before.head();
    let which = Which {
        scenario: head.file.clone().into(),
        set: head.set.clone(),
        ci: head.ci,
    };
    let scenario = ready::load(&which.scenario, &which.changes()).map_err(Trouble::Mistakes)?;
    let what = match before {
        Left::Report(_) => "report",
        Left::Breach(_) => "breach",
    };
    say(&format!("the {what} in {}: {}\n", folder.display(), head.command()))?;
    let earlier = Some(folder.join(EVENTS)).filter(|events| events.is_file());
    let scratch = earlier.as_ref().map(|_| Scratch::new()).transpose()?;
    let events = replay.events.clone();
    if let (Some(events), Some(earlier)) = (&events, &earlier) {
        not_the_same(events, earlier)?;
    }
    let events = events.or_else(|| Some(scratch.as_ref()?.join(EVENTS)));
    let now = running::played(&scenario, &which, replay.seed, events.as_deref())?;
    let line = match earlier.as_deref().zip(events.as_deref()) {
        Some((earlier, events)) => first_difference(earlier, events)?,
        None => None,
    };
    let (exit, text) = told(&before, &now, line);
    say(&text)?;
    Ok(exit)
}

/// What came out: what was left before and is now, and the first line in which the events differ.
fn told(before: &Left, now: &Left, line: Option<u64>) -> (Exit, String) {
    let [(_, then), (count, digest)] = [before, now].map(Left::events);
    let mut text = ending(before, now);
    if then != digest {
        text += &format!("other events than before: {then} and {digest}\n");
    } else if line.is_some() {
        text += &format!("{EVENTS} is not of this run: its digest is another than {then}\n");
    } else if !text.is_empty() {
        text += "after the same events\n";
    } else {
        match (before, now) {
            (Left::Report(before), Left::Report(now)) => match changed(before, now).as_slice() {
                [] => return (Exit::Good, format!("the same {count} events again ({digest})\n")),
                changed => text += &format!("the same events, and other figures: {}\n", changed.join(", ")),
            },
            _ => {
                let again = format!("the same breach again, after the same {count} events ({digest})\n");
                return (Exit::Breach, again);
            }
        }
    }
    text.extend(line.map(|line| format!("{EVENTS} differs first in line {line}\n")));
    let (before, head) = (before.head(), now.head());
    for (what, before, now) in [
        ("the program", &before.program, &head.program),
        ("the scenario", &before.digest, &head.digest),
    ] {
        if before != now {
            text += &format!("{what} is another: {before} before, {now} now\n");
        }
    }
    let exit = match now {
        Left::Report(_) => Exit::Broken,
        Left::Breach(_) => Exit::Breach,
    };
    (exit, text)
}

/// How the runs ended, if one of them ended otherwise than the other.
fn ending(before: &Left, now: &Left) -> String {
    let words = |breached: &Breached| {
        let Breach { message, at, .. } = &breached.breach;
        format!("after {:.3} s: {message}", Duration::from_nanos(*at).as_secs_f64())
    };
    match (before, now) {
        (Left::Report(_), Left::Breach(now)) => format!("a breach this time, {}\n", words(now)),
        (Left::Breach(before), Left::Report(_)) => format!("no breach this time; before, {}\n", words(before)),
        (Left::Breach(before), Left::Breach(now)) if words(before) != words(now) => {
            format!("another breach, {}\nbefore, {}\n", words(now), words(before))
        }
        _ => String::new(),
    }
}

/// The figures that differ.
fn changed(before: &Report, now: &Report) -> Vec<&'static str> {
    // As it would be read from its folder: not everything is in the summary, and reading rounds.
    let written = serde_json::to_string(now).expect("a report is a document");
    let now: Report = serde_json::from_str(&written).expect("a report is read back");
    if now.outcome == before.outcome {
        return Vec::new();
    }
    let pairs = side_by_side(before, &now).into_iter();
    let names: Vec<_> = pairs
        .filter(|pair| pair.one != pair.other)
        .map(|pair| pair.figure)
        .collect();
    if names.is_empty() {
        vec!["some that tables do not show"]
    } else {
        names
    }
}

/// The first line in which two streams of events differ, but for their heads: these name the program.
fn first_difference(one: &Path, other: &Path) -> Result<Option<u64>, Trouble> {
    let (_, line) = same(behind_head(one)?, behind_head(other)?)?;
    Ok(line.map(|line| line + 1))
}

fn behind_head(path: &Path) -> Result<impl BufRead, Trouble> {
    let mut file = open(path)?;
    let skipped = file.skip_until(b'\n');
    skipped.map_err(|error| Trouble::File(path.display().to_string(), error))?;
    Ok(file)
}

/// The events of this run must not be written over those that they are compared with.
fn not_the_same(events: &Path, earlier: &Path) -> Result<(), Trouble> {
    let real = |path: &Path| path.canonicalize().ok();
    if real(events).is_some_and(|events| real(earlier) == Some(events)) {
        let file = earlier.display();
        return Err(Trouble::Usage(format!(
            "--events {file} would be written over the events that are compared; name another file"
        )));
    }
    Ok(())
}

/// What the only run of a seed left, and its folder.
fn find(reports: &Path, seed: u64) -> Result<(PathBuf, Left), Trouble> {
    let (mut found, mut unread) = (Vec::new(), String::new());
    for path in folders(reports)? {
        match folder::left(&path) {
            Ok(left) if left.head().seed == seed => found.push((path, left)),
            Ok(_) => {}
            // It matters when it may be the one.
            Err(error) => unread += &format!("\n{error}"),
        }
    }
    let within = reports.display();
    match found.len() {
        0 => Err(Trouble::Usage(format!(
            "no report of seed {seed} in {within}; say where it is with --reports FOLDER, or run the scenario{unread}"
        ))),
        1 => Ok(found.remove(0)),
        count => {
            let line = |(path, left): &(PathBuf, Left)| format!("\n    {}: {}", path.display(), left.head().command());
            let all: String = found.iter().map(line).collect();
            Err(Trouble::Usage(format!(
                "{count} reports of seed {seed} in {within}; say which with --reports FOLDER:{all}"
            )))
        }
    }
}

/// The folders of runs: this one, those in it, and those of the sweeps in it.
fn folders(reports: &Path) -> Result<Vec<PathBuf>, Trouble> {
    if folder::has_left(reports) {
        return Ok(vec![reports.to_owned()]);
    }
    let mut found = Vec::new();
    for path in entries(reports)? {
        if folder::has_left(&path) {
            found.push(path);
        } else {
            // What is no folder holds none.
            let within = entries(&path).unwrap_or_default().into_iter();
            found.extend(within.filter(|path| folder::has_left(path)));
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let entries = std::fs::read_dir(folder).map_err(|error| Trouble::File(folder.display().to_string(), error))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{left::tests::breached, page};

    /// As it is read from its folder.
    fn report() -> Report {
        let mut report = page::tests::report();
        (report.outcome.spread, report.outcome.links) = (Vec::new(), Vec::new());
        report
    }

    #[test]
    fn everything_that_differs_is_told() {
        let check = |change: fn(&mut Report), line: Option<u64>, exit: Exit, words: &[&str]| {
            // What this run has beyond what a summary holds is no difference.
            let (before, mut now) = (report(), page::tests::report());
            change(&mut now);
            let [before, now] = [before, now].map(|report| Left::Report(Box::new(report)));
            let (found, text) = told(&before, &now, line);
            assert_eq!(found, exit, "{text}");
            assert!(words.iter().all(|word| text.contains(word)), "{text}");
        };
        check(|_| {}, None, Exit::Good, &["the same"]);
        check(|now| now.cost.memory_mib = 5.0, None, Exit::Good, &["the same"]);
        check(|_| {}, Some(3), Exit::Broken, &["not of this run", "line 3"]);
        let other = |now: &mut Report| now.outcome.events_digest = "other".to_owned();
        check(other, Some(3), Exit::Broken, &["other events", "line 3"]);
        check(other, None, Exit::Broken, &["other events"]);
        let slower = |now: &mut Report| now.outcome.latency.p50 += 1.0;
        check(
            slower,
            None,
            Exit::Broken,
            &["same events", "other figures: latency p50\n"],
        );
        check(
            |now| now.outcome.nodes[0].sent += 1,
            None,
            Exit::Broken,
            &["tables do not show"],
        );
        check(
            |now| (now.head.program, now.outcome.events_digest) = ("new".to_owned(), "other".to_owned()),
            None,
            Exit::Broken,
            &["the program is another"],
        );
    }

    #[test]
    fn a_breach_is_told_apart_from_another() {
        let check = |change: fn(&mut Breached), line: Option<u64>, words: &[&str]| {
            let (before, mut now) = (breached(), breached());
            change(&mut now);
            let (exit, text) = told(&Left::Breach(Box::new(before)), &Left::Breach(Box::new(now)), line);
            assert_eq!(exit, Exit::Breach, "it came to no end: {text}");
            assert!(words.iter().all(|word| text.contains(word)), "{text}");
            let is_same = text.contains("the same breach again");
            assert_eq!(is_same, words[0] == "the same breach again", "{text}");
        };
        check(|_| {}, None, &["the same breach again", "12 events (digest)"]);
        check(|_| {}, Some(3), &["not of this run", "line 3"]);
        let other = |now: &mut Breached| now.breach.message = "node 2 lost something".to_owned();
        check(
            other,
            None,
            &[
                "another breach, after 2.500 s: node 2 lost",
                "before, after 2.500 s: node 1",
                "same events",
            ],
        );
        check(
            |now| now.breach.at += 1_000_000,
            None,
            &["another breach, after 2.501 s"],
        );
        let events = |now: &mut Breached| now.breach.events_digest = "other".to_owned();
        check(events, None, &["other events than before: digest and other"]);
        check(events, Some(9), &["other events", "line 9"]);
        let (breach, good) = (Left::Breach(Box::new(breached())), Left::Report(Box::new(report())));
        let (exit, text) = told(&breach, &good, None);
        assert!(
            exit == Exit::Broken && text.contains("no breach this time; before") && text.contains("node 1"),
            "{text}"
        );
        let (exit, text) = told(&good, &breach, None);
        assert!(exit == Exit::Breach && text.starts_with("a breach this time"), "{text}");
    }

    #[test]
    fn heads_of_events_may_differ() {
        let folder = tempfile::tempdir().expect("a folder");
        let check = |one: &str, other: &str, line: Option<u64>| {
            let paths = ["one", "other"].map(|name| folder.path().join(name));
            for (path, text) in paths.iter().zip([one, other]) {
                std::fs::write(path, text).expect("a file");
            }
            assert_eq!(first_difference(&paths[0], &paths[1]).expect("two files"), line);
        };
        check("head\na\nb\n", "another head\na\nb\n", None);
        check("head\na\nb\n", "another head\na\nc\n", Some(3));
        check("head\na\n", "head\n", Some(2));
        check("", "", None);
        assert!(first_difference(&folder.path().join("gone"), &folder.path().join("one")).is_err());
    }

    #[test]
    fn events_are_not_compared_with_themselves() {
        let folder = tempfile::tempdir().expect("a folder");
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        std::fs::write(&one, "").expect("a file");
        assert!(not_the_same(&folder.path().join("./one"), &one).is_err());
        assert!(not_the_same(&other, &one).is_ok());
    }

    #[test]
    fn the_only_report_of_a_seed_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let reports = folder.path();
        for (name, seed) in [
            ("calm-1", 1),
            ("withholding-1", 1),
            ("calm-2", 2),
            ("sweep-calm/0-3", 3),
        ] {
            let mut report = report();
            report.head.seed = seed;
            folder::write(&reports.join(name), &report, "").expect("a report");
        }
        let mut breach = breached();
        breach.head.seed = 5;
        let broken = reports.join("sweep-calm/0-5");
        folder::clear(&broken).expect("a folder");
        folder::write_breach(&broken, &breach).expect("a breach");
        let check = |within: &str, seed: u64, expected: Option<&str>| {
            let found = find(&reports.join(within), seed).ok().map(|(path, _)| path);
            assert_eq!(found, expected.map(|name| reports.join(name)), "{within}, {seed}");
        };
        check("", 2, Some("calm-2"));
        check("", 3, Some("sweep-calm/0-3"));
        check("sweep-calm", 3, Some("sweep-calm/0-3"));
        check("", 5, Some("sweep-calm/0-5"));
        check("sweep-calm/0-5", 5, Some("sweep-calm/0-5"));
        check("withholding-1", 1, Some("withholding-1"));
        check("withholding-1", 2, None);
        check("", 4, None);
        std::fs::write(reports.join("calm-2/summary.json"), "{}").expect("a file");
        let unread = find(reports, 2).expect_err("it cannot be read").to_string();
        assert!(unread.contains("calm-2/summary.json: is no report"), "{unread}");
        assert!(find(reports, 3).is_ok(), "others do not matter");
        let several = find(reports, 1).expect_err("two reports");
        assert_eq!(several.exit(), Exit::Mistaken);
        let told = several.to_string();
        assert!(
            ["calm-1: ", "withholding-1: ", "--reports"]
                .iter()
                .all(|word| told.contains(word)),
            "{told}"
        );
    }
}
