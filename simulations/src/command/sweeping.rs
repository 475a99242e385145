//! `sweep`: many seeds and settings, each in a process of its own, over all processors.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use indicatif::ProgressBar;

use super::{
    Exit, Trouble,
    arguments::{Sweep, Which},
    ready,
};
use crate::{
    report::{
        comparing::{self, Sweep as Results},
        figures::Interval,
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
    let runs: Vec<(usize, u64)> = (0..settings.len())
        .flat_map(|setting| sweep.seeds.0.iter().map(move |seed| (setting, *seed)))
        .collect();
    let folder = |(setting, seed): (usize, u64)| out.join(format!("{setting}-{seed}"));
    let ended = all(sweep, &settings, &runs, &folder)?;
    let mut results = Vec::new();
    for (number, set) in settings.iter().enumerate() {
        let mine = runs.iter().zip(&ended).filter(|((setting, _), _)| *setting == number);
        let (mut reports, mut failed) = (Vec::new(), Vec::new());
        for (run, has_report) in mine {
            if *has_report {
                reports.push(folder::read(&folder(*run))?);
            } else {
                failed.push(run.1);
            }
        }
        results.push(Results::of(set.clone(), &reports, failed));
    }
    show(sweep, &results);
    let is_good = results
        .iter()
        .all(|result| result.broken.is_empty() && result.failed.is_empty());
    Ok(if is_good { Exit::Good } else { Exit::Broken })
}

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

/// Runs all of them; for each whether it left a report.
fn all(
    sweep: &Sweep,
    settings: &[Vec<String>],
    runs: &[(usize, u64)],
    folder: &(dyn Fn((usize, u64)) -> PathBuf + Sync),
) -> Result<Vec<bool>, Trouble> {
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
            let status = child(&program, &which, run.1, &folder(*run))
                .stdout(Stdio::null())
                .status();
            // Those that missed something have a report too; those that broke an invariant told it on stderr.
            let code = status.ok().and_then(|status| status.code());
            done.push((*run, matches!(code, Some(0 | 1))));
            bar.inc(1);
        }
        done
    };
    let done: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a worker does not panic"))
            .collect()
    });
    bar.finish_and_clear();
    let has_report = |run: &(usize, u64)| done.iter().any(|(other, has_report)| other == run && *has_report);
    Ok(runs.iter().map(has_report).collect())
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

fn show(sweep: &Sweep, results: &[Results]) {
    if sweep.json {
        println!(
            "{}",
            serde_json::to_string_pretty(results).expect("results are a document")
        );
        return;
    }
    let cell = |interval: &Interval| match interval.margin {
        Some(margin) => format!("{:.2} ± {margin:.2}", interval.mean),
        None => format!("{:.2}", interval.mean),
    };
    let mut rows = vec![vec!["figure".to_owned(), "unit".to_owned()]];
    rows[0].extend(results.iter().map(|result| match result.settings.as_slice() {
        [] => "as written".to_owned(),
        settings => settings.join(" "),
    }));
    let longest = results.iter().max_by_key(|result| result.figures.len());
    for (figure, unit, _) in longest.into_iter().flat_map(|result| &result.figures) {
        let mut row = vec![figure.clone(), unit.clone()];
        row.extend(results.iter().map(|result| {
            let found = result.figures.iter().find(|(name, ..)| name == figure);
            found.map_or_else(|| "-".to_owned(), |(_, _, interval)| cell(interval))
        }));
        rows.push(row);
    }
    print!("{}", comparing::table(&rows));
    println!("mean and 95 % confidence over {} seeds", sweep.seeds.0.len());
    for result in results
        .iter()
        .filter(|result| !result.broken.is_empty() || !result.failed.is_empty())
    {
        println!(
            "{}: missed what was expected with seeds {:?}, no report of seeds {:?}",
            result.settings.join(" "),
            result.broken,
            result.failed
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
