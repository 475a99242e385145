//! The command line, `starfish-sim`.
//!
//! | part | what it does |
//! |---|---|
//! | `arguments` | what can be said |
//! | `ready` | the scenarios that come along |
//! | `running` | `run`: one world, one report |
//! | `sweeping` | `sweep`: many seeds and settings, a process each |
//! | `proving` | `check` and `replay`: the same again, byte by byte |
//! | `comparing` | `compare` and `list` |
//! | `machine` | what a run costs here, and what the program is made of |

mod arguments;
mod comparing;
mod machine;
mod proving;
pub mod ready;
mod running;
mod sweeping;

use std::process::ExitCode;

use clap::Parser as _;

use self::arguments::{Arguments, Order};
use crate::{report::folder::FolderError, scenario::Mistake};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All came out as it should.
    Good = 0,
    /// A run missed what its scenario expects, or two runs differ.
    Broken = 1,
    /// The command line or the scenario is wrong.
    Mistaken = 2,
    /// The machine failed: a file, a process.
    Failed = 3,
    /// An invariant of the nodes does not hold: a mistake in the program.
    Breach = 4,
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
    let arguments = Arguments::parse();
    let done = match &arguments.order {
        Order::Run(run) => running::run(run),
        Order::Sweep(sweep) => sweeping::sweep(sweep),
        Order::Replay(replay) => proving::replay(replay),
        Order::Check(check) => proving::check(check),
        Order::Compare(compare) => comparing::compare(compare),
        Order::List(list) => comparing::list(list),
    };
    let exit = done.unwrap_or_else(|trouble| {
        eprintln!("{trouble}");
        trouble.exit()
    });
    ExitCode::from(exit as u8)
}
