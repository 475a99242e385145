//! The command line, `starfish-sim`.
//!
//! | part | what it does |
//! |---|---|
//! | `arguments` | what can be said |
//! | `ready` | the scenarios that come along |
//! | `running` | `run`: one world, one report, and what it costs here |
//! | `sweeping` | `sweep`: many seeds and settings, a process each |
//! | `proving` | `check`: twice the same, byte by byte |
//! | `replaying` | `replay`: the same as before |
//! | `comparing` | `compare` and `list` |
//! | `output` | what is told, and to whom |
//! | `scratch` | a folder that is gone at the end |

mod arguments;
mod comparing;
mod output;
mod proving;
pub mod ready;
mod replaying;
mod running;
mod scratch;
mod sweeping;

use std::process::ExitCode;

use clap::Parser as _;

use self::arguments::{Arguments, Order};
use crate::{report::folder::FolderError, scenario::Mistake};

/// How the program ends; what is worse is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All came out as it should.
    Good = 0,
    /// A run missed what its scenario expects, or two runs differ.
    Broken = 1,
    /// The command line or the scenario is wrong.
    Mistaken = 2,
    /// The machine failed, a file or a process; or this program did, outside a world.
    Failed = 3,
    /// An invariant of the nodes does not hold, or something in the world panicked: a mistake in Starfish.
    Breach = 4,
}

impl Exit {
    /// How another process of this program ended; none when a signal ended it.
    fn of(code: Option<i32>) -> Self {
        let all = [Self::Good, Self::Broken, Self::Mistaken, Self::Failed, Self::Breach];
        let found = all.into_iter().find(|exit| code == Some(*exit as i32));
        found.unwrap_or(Self::Failed)
    }

    /// Whether a run that ended like this has left a report, or what is known of a broken invariant.
    fn has_left(self) -> bool {
        matches!(self, Self::Good | Self::Broken | Self::Breach)
    }
}

/// Why nothing came out.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Mistake>),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Folder(#[from] FolderError),
    #[error("{0}: {1}")]
    File(String, std::io::Error),
}

impl Trouble {
    fn exit(&self) -> Exit {
        match self {
            Self::Mistakes(_) | Self::Usage(_) => Exit::Mistaken,
            Self::Folder(_) | Self::File(..) => Exit::Failed,
        }
    }
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    ExitCode::from(guarded(obey) as u8)
}

/// A panic here is outside any world. Where it was is told by then; 101 would mean nothing to those who read exit codes.
fn guarded(work: fn() -> Exit) -> Exit {
    std::panic::catch_unwind(work).unwrap_or_else(|_| {
        output::warn("this program failed, by a mistake in itself; please report it with the lines above\n");
        Exit::Failed
    })
}

fn obey() -> Exit {
    let arguments = Arguments::parse();
    let done = match &arguments.order {
        Order::Run(run) => running::run(run),
        Order::Sweep(sweep) => sweeping::sweep(sweep),
        Order::Replay(replay) => replaying::replay(replay),
        Order::Check(check) => proving::check(check),
        Order::Compare(compare) => comparing::compare(compare),
        Order::List(list) => comparing::list(list),
    };
    done.unwrap_or_else(|trouble| {
        output::warn(&format!("{trouble}\n"));
        trouble.exit()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_with_a_code_of_the_table() {
        assert_eq!(guarded(|| Exit::Broken), Exit::Broken);
        assert_eq!(guarded(|| panic!("a mistake")), Exit::Failed);
    }

    #[test]
    fn the_worst_end_counts() {
        let check = |codes: &[Option<i32>], expected: Exit| {
            assert_eq!(
                codes.iter().map(|code| Exit::of(*code)).max(),
                Some(expected),
                "{codes:?}"
            );
        };
        check(&[Some(0)], Exit::Good);
        check(&[Some(0), Some(1), Some(0)], Exit::Broken);
        check(&[Some(1), Some(4), Some(3)], Exit::Breach);
        check(&[Some(1), Some(3)], Exit::Failed);
        // A panic, and a signal.
        check(&[Some(1), Some(101)], Exit::Failed);
        check(&[None, Some(1)], Exit::Failed);
    }
}
