//! Arguments of the commands about other nodes: invite, pair, block, subscribe and what they undo.

use clap::Args;

use super::duration::Lifetime;

/// `starfish invite`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nThe code is the last line of standard output, alone. Send it by any way; \
    then compare the words that both sides see by voice."
)]
pub struct Invite {
    /// How long the code works
    #[arg(long, default_value = "1h")]
    pub lasts: Lifetime,
    /// Trusts whoever brings the code without comparing words; for scripts
    #[arg(long)]
    pub yes: bool,
}

/// `starfish pair`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nBoth sides see the same five words. If they differ, somebody is in between: \
    answer no."
)]
pub struct Pair {
    /// The code that the other operator's `starfish invite` printed
    #[arg(required_unless_present = "confirm")]
    pub code: Option<String>,
    /// Trusts the other side without comparing words; for scripts
    #[arg(long)]
    pub yes: bool,
    /// Trusts an organisation that used our own code, after the words were compared
    #[arg(long, value_name = "ORG", conflicts_with = "code")]
    pub confirm: Option<String>,
}

/// `starfish unpair`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nAn organisation listed in starfish.toml comes back with the next start \
    unless it is removed there too."
)]
pub struct Unpair {
    /// The organisation, as `starfish peers` prints it
    pub org: String,
}

/// `starfish block`.
#[derive(Args, Debug)]
#[command(after_help = "Node: must run.")]
pub struct Block {
    /// The peer id, as `starfish peers` prints it
    pub peer: String,
    /// Takes the peer back
    #[arg(long)]
    pub undo: bool,
}

/// `starfish peers`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nRECORDS ON CONNECT is how many a peer said it held when it connected: later exchanges tell what \
    differs and no number."
)]
pub struct Peers {
    /// At most so many peers; 0 means all of them
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}

/// `starfish subscribe`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nA node pulls every topic until the first `subscribe`. With a TLD it pulls \
    only what touches that TLD, and what names no domains at all.\n\nWhat is here already is not pulled: when a record of \
    another topic says word for word the same as one of yours, it is shown too."
)]
pub struct Subscribe {
    /// Topics to add
    #[arg(required_unless_present = "tlds", value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// TLDs that this node is responsible for, such as nl; several with commas or one by one
    #[arg(long = "tld", value_name = "TLD", value_delimiter = ',')]
    pub tlds: Vec<String>,
}

/// `starfish unsubscribe`.
#[derive(Args, Debug)]
#[command(after_help = "Node: must run.\n\nWhen nothing is left, the node pulls everything again.")]
pub struct Unsubscribe {
    /// Topics to take away
    #[arg(required_unless_present_any = ["tlds", "all"], value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// TLDs to take away
    #[arg(long = "tld", value_name = "TLD", value_delimiter = ',')]
    pub tlds: Vec<String>,
    /// Takes everything away
    #[arg(long)]
    pub all: bool,
}

/// `starfish topics`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nPEERS is how many connected peers take a topic, by name or with everything (*), and so can \
    hand it on; HELD HERE is how many believed records of it this node has."
)]
pub struct Topics {
    /// At most so many offered topics; 0 means all of them
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}
