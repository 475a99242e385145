//! `sweep`: many seeds and settings, each in a process of its own, over all processors.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use indicatif::ProgressBar;

use super::{
    Exit, Trouble,
    arguments::{Sweep, Which},
    output::{say, say_json, warn},
    ready,
};
use crate::{
    report::{
        Head, Left,
        comparing::{self, Sweep as Results},
        figures::{Interval, Unit},
        folder,
    },
    scenario::reading::Changes,
};

pub(super) fn sweep(sweep: &Sweep) -> Result<Exit, Trouble> {
    let settings = combinations(&sweep.which.set);
    // Mistakes are told before the first process, and once.
    for set in &settings {
        let changes = Changes {
            ci: sweep.which.ci,
            set: set.clone(),
        };
        ready::load(&sweep.which.scenario, &changes).map_err(Trouble::Mistakes)?;
    }
    let name = sweep
        .which
        .scenario
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let out = sweep
        .out
        .clone()
        .unwrap_or_else(|| Path::new("reports").join(format!("sweep-{name}")));
    std::fs::create_dir_all(&out).map_err(|error| Trouble::File(out.display().to_string(), error))?;
    let runs: Vec<Run> = (0..settings.len())
        .flat_map(|setting| sweep.seeds.0.iter().map(move |seed| (setting, *seed)))
        .collect();
    let folder = |(setting, seed): Run| out.join(format!("{setting}-{seed}"));
    let mut ends = all(sweep, &settings, &runs, &folder)?;
    let mut results = Vec::new();
    for (number, set) in settings.iter().enumerate() {
        let (mut reports, mut breached, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (run, exit) in ends.iter_mut().filter(|((setting, _), _)| *setting == number) {
            let left = exit.has_left().then(|| folder::left(&folder(*run))).transpose();
            match left {
                Ok(Some(Left::Report(report))) => reports.push(*report),
                Ok(Some(Left::Breach(_))) => breached.push(run.1),
                Ok(None) => failed.push(run.1),
                Err(error) => {
                    warn(&format!("{error}\n"));
                    *exit = Exit::Failed.max(*exit);
                    failed.push(run.1);
                }
            }
        }
        results.push(Results::of(set.clone(), &reports, breached, failed));
    }
    show(sweep, &results, &folder)?;
    Ok(ends.into_values().max().unwrap_or(Exit::Good))
}

/// The number of a setting, and a seed.
type Run = (usize, u64);

/// Every combination of the values of all settings: `a=1,2` and `b=3` make two.
fn combinations(sets: &[String]) -> Vec<Vec<String>> {
    let mut made = vec![Vec::new()];
    for set in sets {
        let longer = made.iter().flat_map(|before: &Vec<String>| {
            let with = |one: String| before.iter().cloned().chain([one]).collect::<Vec<String>>();
            choices(set).into_iter().map(with).collect::<Vec<_>>()
        });
        made = longer.collect();
    }
    made
}

/// The values of one setting. A TOML list or text holds commas of its own.
fn choices(set: &str) -> Vec<String> {
    match set.split_once('=') {
        Some((key, values)) if !values.trim_start().starts_with(['[', '"', '\'', '{']) => {
            values.split(',').map(|value| format!("{key}={value}")).collect()
        }
        _ => vec![set.to_owned()],
    }
}

/// Runs all of them; says how each ended.
fn all(
    sweep: &Sweep,
    settings: &[Vec<String>],
    runs: &[Run],
    folder: &(dyn Fn(Run) -> PathBuf + Sync),
) -> Result<BTreeMap<Run, Exit>, Trouble> {
    let program = own_program()?;
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let jobs = sweep.jobs.unwrap_or(processors).clamp(1, runs.len().max(1));
    let (next, bar) = (AtomicUsize::new(0), ProgressBar::new(runs.len() as u64));
    let work = || {
        let mut done = Vec::new();
        while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let which = Which {
                set: settings[run.0].clone(),
                ..sweep.which.clone()
            };
            // Without a terminal a child draws no bar over this one. What it tells of a failure is told when it has ended.
            let mut child = child(&program, &which, run.1, &folder(*run));
            let output = child.stdout(Stdio::null()).stderr(Stdio::piped()).output();
            let (exit, told) = ended(output);
            bar.suspend(|| warn(&told));
            done.push((*run, exit));
            bar.inc(1);
        }
        done
    };
    let done: BTreeMap<Run, Exit> = thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a worker does not panic"))
            .collect()
    });
    bar.finish_and_clear();
    Ok(done)
}

/// How a child ended, and what it told of that.
fn ended(output: io::Result<Output>) -> (Exit, String) {
    match output {
        Ok(output) => (
            Exit::of(output.status.code()),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ),
        Err(error) => (Exit::Failed, format!("a process did not start: {error}\n")),
    }
}

pub(super) fn own_program() -> Result<PathBuf, Trouble> {
    std::env::current_exe().map_err(|error| Trouble::File("this program".to_owned(), error))
}

/// A process that runs one world into a folder.
pub(super) fn child(program: &Path, which: &Which, seed: u64, out: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg("run")
        .arg(&which.scenario)
        .arg("--seed")
        .arg(seed.to_string())
        .arg("--out")
        .arg(out);
    if which.ci {
        command.arg("--ci");
    }
    for set in &which.set {
        command.arg("--set").arg(set);
    }
    command.stdin(Stdio::null());
    command
}

fn show(sweep: &Sweep, results: &[Results], folder: &dyn Fn(Run) -> PathBuf) -> Result<(), Trouble> {
    if sweep.json {
        return say_json(&results);
    }
    let seeds = sweep.seeds.0.len();
    let mut rows = vec![vec!["figure".to_owned(), "unit".to_owned()]];
    rows[0].extend(results.iter().map(name));
    let mut names: Vec<(&str, Unit)> = Vec::new();
    for (figure, unit, _) in results.iter().flat_map(|result| &result.figures) {
        if !names.contains(&(*figure, *unit)) {
            names.push((*figure, *unit));
        }
    }
    for (figure, unit) in names {
        let mut row = vec![figure.to_owned(), unit.sign().to_owned()];
        row.extend(results.iter().map(|result| {
            let found = result.figures.iter().find(|(name, ..)| *name == figure);
            cell(unit, found.and_then(|(.., interval)| *interval), seeds)
        }));
        rows.push(row);
    }
    let mut text = comparing::table(&rows);
    text += &format!("mean and 95 % confidence over {seeds} seeds\n");
    text.extend(results.iter().enumerate().map(|(setting, result)| {
        let folder = |seed: u64| folder((setting, seed));
        missed(&sweep.which, result, &folder)
    }));
    say(&text)
}

/// The settings of a column.
fn name(result: &Results) -> String {
    match result.settings.as_slice() {
        [] => "as written".to_owned(),
        settings => settings.join(" "),
    }
}

/// What a figure is over these seeds; over how many of them when some have none.
fn cell(unit: Unit, interval: Option<Interval>, seeds: usize) -> String {
    let mut text = unit.show(interval.map(|interval| interval.mean));
    if let Some(margin) = interval.and_then(|interval| interval.margin) {
        text += &format!(" ± {}", unit.show(Some(margin)));
    }
    if let Some(fewer) = interval.map(|interval| interval.runs).filter(|runs| *runs < seeds) {
        text += &format!(" over {fewer}");
    }
    text
}

/// The seeds with which something went wrong, and how to see the first of them again.
fn missed(which: &Which, result: &Results, folder: &dyn Fn(u64) -> PathBuf) -> String {
    let head = |seed: u64| Head {
        file: which.scenario.display().to_string(),
        ci: which.ci,
        set: result.settings.clone(),
        seed,
        ..Head::default()
    };
    let mut text = String::new();
    let mut tell = |what: &str, seeds: &[u64], again: &dyn Fn(u64) -> String| {
        if let Some(first) = seeds.first() {
            let all = seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            let (name, again) = (name(result), again(*first));
            text += &format!("{name}: {what} with seeds {all}; again with: {again}\n");
        }
    };
    let run = |seed: u64| head(seed).command();
    let replay = |seed: u64| head(seed).replay_command(&folder(seed));
    tell("missed what was expected", &result.broken, &run);
    tell("ended in a breach", &result.breached, &replay);
    tell("left no report", &result.failed, &run);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_say_over_how_many_seeds_they_are() {
        let check = |unit: Unit, numbers: &[f64], expected: &str| {
            assert_eq!(cell(unit, Interval::of(numbers), 3), expected);
        };
        check(Unit::Seconds, &[1.0, 1.0, 1.0], "1.00 ± 0.00");
        check(Unit::Count, &[6.0, 6.0, 6.0], "6 ± 0");
        check(Unit::Seconds, &[1.0, 1.0], "1.00 ± 0.00 over 2");
        check(Unit::Seconds, &[1.0], "1.00 over 1");
        check(Unit::Seconds, &[], "-");
    }

    #[test]
    fn what_was_missed_is_told_with_its_command() {
        let which = Which {
            scenario: "base.toml".into(),
            set: vec!["a=1,2".to_owned()],
            ci: true,
        };
        let check = |settings: &[&str], broken: &[u64], breached: &[u64], failed: &[u64], expected: &str| {
            let result = Results {
                settings: settings.iter().map(|&set| set.to_owned()).collect(),
                figures: Vec::new(),
                broken: broken.to_vec(),
                breached: breached.to_vec(),
                failed: failed.to_vec(),
            };
            let folder = |seed: u64| Path::new("out").join(format!("1-{seed}"));
            assert_eq!(missed(&which, &result, &folder), expected);
        };
        check(&[], &[], &[], &[], "");
        let written = "as written: missed what was expected with seeds 2, 5; again with: starfish-sim run base.toml --seed 2 --ci\n";
        check(&[], &[2, 5], &[], &[], written);
        let breached = "a=1: ended in a breach with seeds 3, 4; again with: starfish-sim replay 3 --reports out/1-3\n";
        check(&["a=1"], &[], &[3, 4], &[], breached);
        let set = "a=2: left no report with seeds 7; again with: starfish-sim run base.toml --seed 7 --ci --set a=2\n";
        check(&["a=2"], &[], &[], &[7], set);
    }

    #[test]
    fn settings_multiply() {
        let check = |sets: &[&str], expected: &[&[&str]]| {
            let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
            assert_eq!(combinations(&sets), expected, "{sets:?}");
        };
        check(&[], &[&[]]);
        check(&["a=1"], &[&["a=1"]]);
        check(&["a=1,2"], &[&["a=1"], &["a=2"]]);
        check(&["a=1,2", "b=x"], &[&["a=1", "b=x"], &["a=2", "b=x"]]);
        check(
            &["a=1,2", "b=3,4"],
            &[&["a=1", "b=3"], &["a=1", "b=4"], &["a=2", "b=3"], &["a=2", "b=4"]],
        );
        check(&["a=[1, 2]"], &[&["a=[1, 2]"]]);
        check(&["a=\"x,y\""], &[&["a=\"x,y\""]]);
        check(&["nonsense"], &[&["nonsense"]]);
    }
}
