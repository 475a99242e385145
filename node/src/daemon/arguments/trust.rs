//! Arguments of `starfish trust`: who is believed, and why.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `starfish trust ...`.
#[derive(Debug, Subcommand)]
pub enum Trust {
    /// Judges a made-up graph of endorsements, for planning and teaching
    WhatIf(WhatIf),
}

/// `starfish trust what-if`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: none needed.\n\nExample:\n  {\"now\": 0,\n   \"roots\": [{\"org\": \"CERT-A\", \"amount\": 120, \"depth\": 2}],\n   \
    \"endorsements\": [{\"from\": \"CERT-A\", \"to\": \"Registry\", \"amount\": 60, \"depth\": 0}],\n   \
    \"claims\": [{\"org\": \"Registry\", \"kind\": \"report\", \"confidence\": 80}]}"
)]
pub struct WhatIf {
    /// The graph, as JSON; - reads standard input
    pub file: PathBuf,
}
