//! What can be said on the command line, and the texts that `--help` teaches it by.

use std::{collections::BTreeSet, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::scenario::reading::Changes;

const BEGIN: &str = "\
Begin with:
  starfish-sim list                              what comes along
  starfish-sim run calm --ci                     a small world, at once
  starfish-sim run calm --set nodes.cert.count=200
  starfish-sim sweep calm --seeds 1..20 --set nodes.cert.count=20,60

A scenario is the name of one that comes along, or a TOML file;
simulations/README.md explains its keys.

Exit codes:
  0  all came out as expected
  1  something expected did not come out, or two runs differ
  2  the command line or the scenario is wrong
  3  a file or a process failed, or this program outside a world
  4  a breach: an invariant of the nodes broke, or something in a world panicked";

/// Thousands of real Starfish nodes in virtual time, from one seed.
#[derive(Debug, Parser)]
#[command(name = "starfish-sim", version, after_help = BEGIN)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) order: Order,
}

#[derive(Debug, Subcommand)]
pub(super) enum Order {
    /// Run one world and write its report.
    Run(Run),
    /// Run many seeds and settings, each in a process of its own, and show one table.
    Sweep(Sweep),
    /// Run the report of this seed again and compare events and figures.
    Replay(Replay),
    /// Run a scenario twice, in two processes, and compare the streams of events byte by byte.
    Check(Check),
    /// Show the figures of two reports side by side.
    Compare(Compare),
    /// Show the scenarios that come along.
    List(List),
}

/// A scenario and how it is changed.
#[derive(Clone, Debug, Args)]
pub(super) struct Which {
    /// Name of a scenario that comes along, or a file.
    pub(super) scenario: PathBuf,
    /// Change a key, such as `nodes.cert.count=20`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Run the small variant: at most 40 nodes and 120 virtual seconds.
    #[arg(long)]
    pub(super) ci: bool,
}

impl Which {
    pub(super) fn changes(&self) -> Changes {
        Changes {
            ci: self.ci,
            set: self.set.clone(),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) which: Which,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Where the report goes; reports/SCENARIO-SEED when nothing is said.
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Also write every event, one a line, as events.ndjson.
    #[arg(long)]
    pub(super) events: bool,
    /// Print summary.json instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Sweep {
    #[command(flatten)]
    pub(super) which: Which,
    /// One seed, several (1,5,7), or a range with both ends (1..50).
    #[arg(long, default_value = "1..5", value_parser = seeds)]
    pub(super) seeds: Seeds,
    /// Processes at a time; as many as there are processors when nothing is said.
    #[arg(long)]
    pub(super) jobs: Option<usize>,
    /// Where the reports go; reports/sweep-SCENARIO when nothing is said.
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The seed of a run whose report is here.
    pub(super) seed: u64,
    /// Where the reports are: each in a folder of this one or in a sweep in it, or itself one.
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    pub(super) reports: PathBuf,
    /// Write the events of this run to a file.
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) which: Which,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Print JSON instead of a sentence.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Compare {
    /// The folder of a report.
    pub(super) one: PathBuf,
    /// The folder of another.
    pub(super) other: PathBuf,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

/// Seeds of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seeds(pub(super) Vec<u64>);

/// More runs than this are a typing error.
const MOST_SEEDS: u64 = 100_000;

fn seeds(text: &str) -> Result<Seeds, String> {
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| format!("`{text}` is no seed"));
    if let Some((from, to)) = text.split_once("..") {
        let (from, to) = (number(from)?, number(to.trim_start_matches('='))?);
        if from > to || to - from >= MOST_SEEDS {
            return Err(format!(
                "a range goes from a smaller to a larger seed, over at most {MOST_SEEDS} of them"
            ));
        }
        return Ok(Seeds((from..=to).collect()));
    }
    let mut seen = BTreeSet::new();
    let mut once = |seed: u64| match seen.insert(seed) {
        true => Ok(seed),
        false => Err(format!(
            "seed {seed} is there twice; the same run again says nothing new"
        )),
    };
    let seeds: Result<Vec<u64>, String> = text.split(',').map(|text| number(text).and_then(&mut once)).collect();
    seeds.map(Seeds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_holds_together() {
        Arguments::command().debug_assert();
        assert!(BEGIN.lines().all(|line| line.len() <= 80), "it is not wrapped");
    }

    #[test]
    fn seeds_are_read() {
        let check = |text: &str, expected: Option<&[u64]>| {
            assert_eq!(seeds(text).ok().map(|seeds| seeds.0).as_deref(), expected, "{text}");
        };
        check("7", Some(&[7]));
        check("1..3", Some(&[1, 2, 3]));
        check("1..=3", Some(&[1, 2, 3]));
        check("4..4", Some(&[4]));
        check("9, 2,5", Some(&[9, 2, 5]));
        check("", None);
        check("a", None);
        check("3..1", None);
        check("1..", None);
        check("..5", None);
        check("1..99999999", None);
        check("1,,2", None);
        check("5,1,5", None);
        check("-1", None);
    }
}
