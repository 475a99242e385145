//! Arguments of the commands that say something of a value that others published.

use clap::Args;

use super::date::Date;

/// `starfish sight`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nWithout --record the sighting is on every believed record of others that holds the value, \
    the twenty newest at most. It goes where those records went, ends with them, and `starfish withdraw` takes it \
    back.\n\nExamples:\n  starfish sight evil.example\n  starfish sight 192.0.2.7 --count 12 --first 3d --last 1d"
)]
pub struct Sight {
    /// The observable, as `search` shows it
    pub value: String,
    /// Only on this record, which may be one in quarantine
    #[arg(long, value_name = "RECORD")]
    pub record: Option<String>,
    /// How often it was seen
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub count: u32,
    /// When it was first seen: a day, a time, or how long ago [default: when it was last seen]
    #[arg(long, value_name = "TIME")]
    pub first: Option<Date>,
    /// When it was last seen [default: now]
    #[arg(long, value_name = "TIME")]
    pub last: Option<Date>,
    /// How sure you are, from 0 to 100
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub confidence: u8,
    /// What others should know about it, in a sentence
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `starfish dispute`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nSays that the value is no threat. Without --record this is said of every believed record \
    of others that holds it, the twenty newest at most. What this organisation published itself is taken back by `starfish \
    withdraw`, and so is a dispute.\n\nExample:\n  starfish dispute cdn.example --reason \"shared hosting, not the attacker's\""
)]
pub struct Dispute {
    /// The observable, as `search` shows it
    pub value: String,
    /// Why, in a sentence that every holder will read
    #[arg(long)]
    pub reason: String,
    /// Only of this record, which may be one in quarantine
    #[arg(long, value_name = "RECORD")]
    pub record: Option<String>,
    /// How sure you are, from 0 to 100
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub confidence: u8,
}

/// `starfish explain`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nEvery claim about the value, by whom, how that organisation is trusted for it (F, 0 to 120), \
    what age has left of the claim, what its kind weighs, and what all of that comes to; then the score, and what it is enough \
    for. 120 is one full source; organisations behind one introducer count as one.\n\nExample:\n  starfish explain evil.example"
)]
pub struct Explain {
    /// The observable, as `search` shows it
    pub value: String,
}
