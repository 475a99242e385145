//! Arguments of the commands about this node itself: init, run, status, store, demo and the generated pages.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Subcommand};

/// `starfish init`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must be stopped.\n\nRefuses to overwrite. Move the folder `organisation/root` to an offline \
    medium afterwards; the node runs without it for about a year."
)]
pub struct Init {
    /// The organisation's name, as others will read it
    #[arg(long)]
    pub name: String,
    /// The mesh to belong to
    #[arg(long, default_value = "starfish")]
    pub community: String,
    /// For TCP and QUIC; 0 takes free ports once and keeps them
    #[arg(long, default_value_t = 4852)]
    pub port: u16,
    /// The address or DNS name under which others reach this node
    #[arg(long, value_name = "HOST")]
    pub public_address: Option<String>,
    /// The addresses of this machine to listen on [default: all of them, 0.0.0.0 and ::]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Vec<IpAddr>,
    /// Protects the node key; asks for the passphrase
    #[arg(long)]
    pub passphrase: bool,
    /// Protects the node key with the first line of this file, which others must not be able to read
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    pub passphrase_file: Option<PathBuf>,
}

/// `starfish run`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must be stopped.\n\nPrints one ready line on standard output and its log on standard error. \
    SIGTERM and SIGINT end it cleanly."
)]
pub struct Run {
    /// The form of the log
    #[arg(long, value_name = "FORM", value_parser = ["text", "json"])]
    pub log_format: Option<String>,
    /// What is logged, such as info or starfish_node=debug
    #[arg(long, value_name = "FILTER")]
    pub log_level: Option<String>,
    /// The passphrase of the node key is the first line of this file [else STARFISH_PASSPHRASE_FILE names one]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Ends when its standard input does; for a program that starts nodes and must not leave any behind
    #[arg(long, hide = true)]
    pub with_parent: bool,
}

/// `starfish id`.
#[derive(Args, Debug)]
#[command(after_help = "Node: running or stopped.")]
pub struct Id {}

/// `starfish status`.
#[derive(Args, Debug)]
#[command(after_help = "Node: must run.")]
pub struct Status {}

/// `starfish store ...`.
#[derive(Debug, Subcommand)]
pub enum Store {
    /// Reads everything and checks digests, chains and indexes
    #[command(after_help = "Node: must be stopped.")]
    Verify,
    /// Saves a consistent copy of the running node's store
    #[command(
        after_help = "Node: must run.\n\nA backup holds no keys: keep `node.key` and the folder `organisation` too. While it \
        is made, a copy takes room in the data directory."
    )]
    Backup {
        /// Where to; must not exist
        file: PathBuf,
    },
    /// Puts a saved copy in the place of the store
    #[command(
        after_help = "Node: must be stopped.\n\nOnly this node's own backup, because a backup holds no keys: on a new machine, \
        first put back `node.key`, `starfish.toml` and the folder `organisation`.\n\nThe node's next publication waits until a peer has shown what it \
        holds of this node's log, for some seconds at most, and goes into a new epoch of that log."
    )]
    Restore {
        /// The copy
        file: PathBuf,
    },
    /// Sets a damaged store aside and rebuilds it from the journal, what can be read, and the mesh
    #[command(after_help = "Node: must be stopped.")]
    Rebuild,
}

/// `starfish check-config`.
#[derive(Args, Debug)]
#[command(after_help = "Node: running or stopped.")]
pub struct CheckConfig {}

/// `starfish demo`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: none needed.\n\nTwo CERTs, two registries and a research group, each a process of its own on \
    loopback, joined 0-1, 1-2, 1-3, 3-4. Runs until Ctrl-C."
)]
pub struct Demo {
    /// Publishes this list in place of the sample
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Ends with a summary; the exit code is 0 only if every node holds every observable
    #[arg(long)]
    pub once: bool,
    /// Gives up after so many seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    pub timeout: u64,
}

/// `starfish completions`.
#[derive(Args, Debug)]
#[command(after_help = "Node: none needed.\n\nExample: starfish completions bash > /etc/bash_completion.d/starfish")]
pub struct Completions {
    /// Which shell
    pub shell: clap_complete::Shell,
}

/// `starfish man`.
#[derive(Args, Debug)]
#[command(after_help = "Node: none needed.")]
pub struct Man {
    /// Where to; made if it is not there
    pub directory: PathBuf,
}
