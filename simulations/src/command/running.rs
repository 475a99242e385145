//! `run`: one world, one report. What it costs and what the program is made of is in `machine`.

mod machine;

use std::{
    convert::Infallible,
    fmt,
    fs::File,
    io::{BufWriter, IsTerminal as _, Write},
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::{
    Exit, Trouble,
    arguments::{Run, Which},
    output::{say, say_json, warn},
    ready,
};
use crate::{
    report::{
        Breached, Head, Left, Report, comparing,
        folder::{self, EVENTS},
    },
    scenario::{
        Scenario,
        playing::{Playing, play},
    },
    world::Ended,
};

/// The time between two pictures of the bar.
const FRAME: Duration = Duration::from_millis(100);

pub(super) fn run(run: &Run) -> Result<Exit, Trouble> {
    let scenario = ready::load(&run.which.scenario, &run.which.changes()).map_err(Trouble::Mistakes)?;
    let out = run
        .out
        .clone()
        .unwrap_or_else(|| default_folder(&scenario.name, run.seed));
    folder::clear(&out)?;
    let events = run.events.then(|| out.join(EVENTS));
    let report = match played(&scenario, &run.which, run.seed, events.as_deref())? {
        Left::Report(report) => report,
        Left::Breach(breached) => return leave(run, &breached, &out),
    };
    folder::write(&out, &report, &scenario.written.about)?;
    show(run, &report, &out)?;
    Ok(if report.outcome.broken.is_empty() {
        Exit::Good
    } else {
        Exit::Broken
    })
}

pub(super) fn default_folder(name: &str, seed: u64) -> PathBuf {
    Path::new("reports").join(format!("{name}-{seed}"))
}

/// Keeps what is known of a breach, which is worse than that this cannot be written.
fn leave(run: &Run, breached: &Breached, out: &Path) -> Result<Exit, Trouble> {
    match folder::write_breach(out, breached) {
        Ok(()) => warn(&format!("replay it with: {}\n", breached.head.replay_command(out))),
        Err(error) => warn(&format!("{error}\n")),
    }
    if run.json {
        say_json(breached)?;
    }
    Ok(Exit::Breach)
}

/// Plays a scenario, once a process, and tells of a breach.
pub(super) fn played(scenario: &Scenario, which: &Which, seed: u64, path: Option<&Path>) -> Result<Left, Trouble> {
    let head = head(scenario, which, seed);
    let events = path.map(|path| stream(path, &head)).transpose()?;
    let length = Duration::from_secs(scenario.written.seconds);
    let (bar, clock) = (bar(length), AtomicU64::new(0));
    let playing = Playing {
        seed,
        events,
        clock: &clock,
    };
    let played = drawn(&bar, &clock, || play(scenario, playing));
    bar.finish_and_clear();
    let unwritten = |error| {
        let path = path.unwrap_or(Path::new(EVENTS));
        Trouble::File(path.display().to_string(), error)
    };
    match played {
        Ok(outcome) => Ok(Left::Report(Box::new(Report {
            head,
            outcome,
            cost: machine::cost(length),
        }))),
        Err(Ended::Breach {
            breach,
            unwritten: lost,
        }) => {
            let (message, command) = (&breach.message, head.command());
            warn(&format!(
                "{message}\nthe world of seed {seed} failed; again with: {command}\n"
            ));
            if let Some(error) = lost {
                warn(&format!("{}\n", unwritten(error)));
            }
            Ok(Left::Breach(Box::new(Breached { head, breach })))
        }
        Err(Ended::Stream(error)) => Err(unwritten(error)),
    }
}

fn head(scenario: &Scenario, which: &Which, seed: u64) -> Head {
    Head {
        scenario: scenario.name.clone(),
        title: scenario.written.title.clone(),
        file: which.scenario.display().to_string(),
        ci: which.ci,
        set: which.set.clone(),
        digest: scenario.digest.clone(),
        seed,
        nodes: scenario.written.nodes.values().map(|nodes| nodes.count).sum(),
        seconds: scenario.written.seconds,
        program: machine::program(),
    }
}

/// The file of events, which begins with what ran.
fn stream(path: &Path, head: &Head) -> Result<Box<dyn Write + Send>, Trouble> {
    let failed = |error| Trouble::File(path.display().to_string(), error);
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    let line = serde_json::to_string(head).expect("a head is a document");
    writeln!(file, "{line}").map_err(failed)?;
    Ok(Box::new(file))
}

/// Virtual time on a terminal, nothing elsewhere.
fn bar(length: Duration) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    ProgressBar::new(length.as_secs()).with_style(style())
}

fn style() -> ProgressStyle {
    let template = "{bar:40} {pos}/{len} virtual seconds, {speed} each second, {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template names known keys");
    style.with_key("speed", |state: &ProgressState, out: &mut dyn fmt::Write| {
        // When that fails there is no terminal to tell it to.
        let _ = write!(out, "{:.1}", state.per_sec());
    })
}

/// Draws how far a world has come while it runs, on a thread of its own: on the world's the bar would tell its speed by the
/// world's clock.
fn drawn<T>(bar: &ProgressBar, clock: &AtomicU64, work: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        // Nothing is sent: its end is what is waited for.
        let (running, ended) = mpsc::channel::<Infallible>();
        scope.spawn(move || {
            while ended.recv_timeout(FRAME) == Err(RecvTimeoutError::Timeout) {
                bar.set_position(clock.load(Ordering::Relaxed));
            }
        });
        let done = work();
        drop(running);
        done
    })
}

/// What plain gossipsub came to, if that was compared.
fn beside(report: &Report) -> String {
    let rows = report.beside();
    if rows.is_empty() {
        return String::new();
    }
    let mut table = vec![
        ["compared with pushing", "Starfish", "gossipsub", ""]
            .map(str::to_owned)
            .to_vec(),
    ];
    table.extend(rows.iter().map(|row| {
        let numbers = [row.pulled, row.pushed].map(|value| row.unit.show(value));
        [&[row.name.to_owned()][..], &numbers, &[row.unit.sign().to_owned()]].concat()
    }));
    comparing::table(&table)
}

fn show(run: &Run, report: &Report, out: &Path) -> Result<(), Trouble> {
    if run.json {
        return say_json(report);
    }
    let Report { head, outcome, cost } = report;
    let mut text = format!(
        "{}: {} nodes, {} virtual seconds, seed {}\n",
        head.title, head.nodes, head.seconds, head.seed
    );
    let figures = report.headline().into_iter();
    let rows =
        figures.map(|figure| [figure.name, &figure.unit.show(figure.value), figure.unit.sign()].map(str::to_owned));
    text += &comparing::table(&rows.map(Vec::from).collect::<Vec<_>>());
    text += &beside(report);
    let (seconds, speed, memory) = (cost.processor_seconds, cost.speed, cost.memory_mib);
    text += &format!(
        "{seconds:.1} s of a processor, {speed:.2} virtual seconds each, {memory:.0} MiB; events {}\n",
        outcome.events_digest
    );
    text.extend(outcome.broken.iter().map(|broken| format!("BROKEN: {broken}\n")));
    if !outcome.broken.is_empty() {
        text += &format!("again with: {}\n", head.command());
    }
    text += &format!("report: {}\n", out.join("report.html").display());
    say(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_moves_while_the_world_does_nothing_for_it() {
        let (bar, clock) = (ProgressBar::hidden(), AtomicU64::new(0));
        let done = drawn(&bar, &clock, || {
            clock.store(5, Ordering::Relaxed);
            while bar.position() < 5 {
                thread::yield_now();
            }
            "done"
        });
        assert_eq!(done, "done", "and its thread has ended");
    }
}
