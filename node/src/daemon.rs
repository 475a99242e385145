//! Everything around the mesh that an operator sees: command line, configuration, data directory, the running node and
//! the socket between the two. [`main`] reads the command line and ends with one of the codes of [`exit::Exit`].

pub mod arguments;
pub mod ceremony;
pub mod commands;
pub mod contacts;
pub mod control;
pub mod demo;
pub mod environment;
pub mod exit;
pub mod folder;
pub mod footprint;
pub mod happenings;
pub mod identity;
pub mod initialise;
pub mod journal;
pub mod keeping;
pub mod lock;
pub mod moment;
pub mod pages;
pub mod pairing;
pub mod passphrase;
pub mod reach;
pub mod report;
pub mod run;
pub mod settings;
pub mod signals;
pub mod sled_store;
pub mod transport;
pub mod upkeep;

use std::process::ExitCode;

use self::{arguments::Arguments, exit::Exit};

/// The program: command line in, exit code out.
pub fn main() -> ExitCode {
    // Usage errors end here with code 2, help and version with 0.
    let arguments = Arguments::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("starfish: no threads: {error}");
            return Exit::Failed.into();
        }
    };
    let ended = runtime.block_on(commands::carry_out(arguments));
    // A blocked read of standard input would keep a plain drop waiting.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if !failure.message.is_empty() {
                eprintln!("starfish: {failure}");
            }
            failure.exit.into()
        }
    }
}
