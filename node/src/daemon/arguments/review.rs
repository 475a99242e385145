//! Arguments of the commands with which an operator looks through what the node decided: the quarantine and the audit log.

use clap::{Args, Subcommand};

use super::date::Since;

/// `starfish quarantine ...`.
#[derive(Debug, Subcommand)]
pub enum Quarantine {
    /// Lists what is held, with the reason
    List(List),
    /// Shows one held record, its values included
    Show(Show),
    /// Believes a record, whatever its organisation is believed for
    Release(Release),
    /// Throws a record away
    Drop(Drop),
}

/// `starfish quarantine list`.
#[derive(Args, Debug)]
#[command(after_help = "Node: must run.\n\nExample:\n  starfish quarantine list --org \"CERT Example\"")]
pub struct List {
    /// Only what is from this organisation: org:..., the beginning of it, or the exact name
    #[arg(long, value_name = "ORG")]
    pub org: Option<String>,
    /// At most so many records; 0 means all of them
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}

/// `starfish quarantine show`.
#[derive(Args, Debug)]
#[command(after_help = "Node: must run.")]
pub struct Show {
    /// The record, as `quarantine list` prints it
    pub record: String,
    /// At most so many of its values; 0 means all of them
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}

/// `starfish quarantine release`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nThis lets out one record. To believe an organisation from now on, vouch for it."
)]
pub struct Release {
    /// The record, as `quarantine list` prints it
    pub record: String,
}

/// `starfish quarantine drop`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nThe record does not come back, also not when its organisation is believed later."
)]
pub struct Drop {
    /// The record, as `quarantine list` prints it
    pub record: String,
}

/// `starfish audit`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nThe log says who decided what, and why: endorsements that came and went, vetoes, \
    revocations, and what you released or threw away. Nothing in it is ever changed.\n\nExamples:\n  starfish audit --since 2d\n  \
    starfish audit --since 2027-06-30\n  starfish audit --since 1042 --json      # the lines after line 1042"
)]
pub struct Audit {
    /// From here on: a day, a time, how long ago, or the number of the last line that you saw [default: the newest lines]
    #[arg(long, value_name = "TIME|LINE")]
    pub since: Option<Since>,
    /// At most so many lines; 0 means all of them
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}
