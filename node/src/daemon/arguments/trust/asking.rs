//! Arguments of what the operator decides about others by himself, and of the questions whom this node believes, and why.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use starfish_protocol::{
    observable::Suffix,
    record::Topic,
    statement::{DEPTH, FULL},
};

use super::About;

/// `starfish trust root ...`.
#[derive(Debug, Subcommand)]
pub enum Root {
    /// Trusts an organisation from here on, by this node's own decision
    Add(Add),
    /// Removes what `trust root add` entered for an organisation
    Remove(Remove),
}

/// `starfish trust root add`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nA root entry is this node's own business: nobody is told. All trust begins at one; a node \
    without any believes only itself. One with a scope stands beside one without.\n\nExamples:\n  starfish trust root add \
    \"CERT Example\"\n  starfish trust root add org:abcdefghijkl --amount 60 --depth 0 --topics phishing --suffixes nl"
)]
pub struct Add {
    /// Whom: org:..., the beginning of it, or the exact name
    pub org: String,
    /// How much, 1 to 120: 60 lets its records in, 120 makes it a full source
    #[arg(long, default_value_t = FULL, value_parser = clap::value_parser!(u8).range(1..=i64::from(FULL)))]
    pub amount: u8,
    /// How many further introductions behind it are honoured, 0 to 7; 0 believes it and nobody whom it endorses
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=i64::from(DEPTH)))]
    pub depth: u8,
    /// About what.
    #[command(flatten)]
    pub about: About,
    /// Lets its vetoes count here
    #[arg(long)]
    pub may_veto: bool,
    /// Up to which TLP it may be told things; being believed is not being confided in
    #[arg(long, default_value = "clear", value_parser = ["clear", "green"])]
    pub receive_tlp: String,
}

/// `starfish trust root remove`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nWhat pairing or starfish.toml gave stays; `starfish unpair` ends all of it."
)]
pub struct Remove {
    /// Whom: org:..., the beginning of it, or the exact name
    pub org: String,
}

/// A pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Last {
    /// Nobody's veto counts against it
    Good,
    /// Nothing that vouches for it counts, nor anything that it vouches for
    Bad,
    /// What the web of trust says
    None,
}

/// `starfish trust pin`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nA pin is the operator's last word about an organisation, on this node alone. Good does not \
    make it believed: it takes an endorsement or a root entry for that.\n\nExample:\n  starfish trust pin \"CERT Example\" bad"
)]
pub struct Pin {
    /// Whom: org:..., the beginning of it, or the exact name
    pub org: String,
    /// The last word
    #[arg(value_enum)]
    pub word: Last,
}

/// `starfish trust list`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nShows the root entries, the pins, and every organisation that somebody who is trusted \
    vouches for, with what it may do: connect, relay (its records are handed on), accept (some of its records are shown), \
    confide (it may be told TLP:GREEN)."
)]
pub struct List {
    /// At most so many organisations; 0 means all of them
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}

/// `starfish trust show`.
#[derive(Args, Debug)]
#[command(after_help = "Node: must run.\n\nExample:\n  starfish trust show \"CERT Example\"")]
pub struct Show {
    /// Whom: org:..., the beginning of it, or the exact name
    pub org: String,
}

/// `starfish trust explain`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nB is the most that one chain of introductions carries, F the most that all of them carry \
    together. 60 of F lets records in; 120 of F that hang on nobody alone may be acted on. Without --topic and --name only \
    what is said about anything counts.\n\nExamples:\n  starfish trust explain \"CERT Example\"\n  starfish trust explain \
    org:abcdefghijkl --topic phishing --name bank.example.nl"
)]
pub struct Explain {
    /// Whom: org:..., the beginning of it, or the exact name
    pub org: String,
    /// For records of this topic; may be given several times
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<Topic>,
    /// For records about this host name
    #[arg(long, value_name = "NAME")]
    pub name: Option<Suffix>,
}

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A picture for a browser
    Svg,
    /// For Graphviz
    Dot,
    /// One JSON document
    Json,
}

/// `starfish trust graph`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nAn arrow is an endorsement or a root entry, with amount/depth. What has no gate open is \
    grey; what may not act is thin.\n\nExample:\n  starfish trust graph --out trust.svg"
)]
pub struct Graph {
    /// How it is written
    #[arg(long, value_enum, default_value = "svg")]
    pub format: Format,
    /// Writes it to a new file [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// At most so many organisations, those who stand highest first
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub limit: u16,
}
