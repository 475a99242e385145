//! Arguments of what an organisation says of another: signed by its endorsing key or its roots, never by a node.

use std::path::PathBuf;

use clap::Args;
use starfish_protocol::statement::{DEPTH, FULL};

use super::About;
use crate::daemon::arguments::{Lifetime, date::Date, org::Papers};

/// Who signs, what was said before, and where it goes.
#[derive(Args, Clone, Debug)]
pub struct Saying {
    /// The private key file of the endorsing key, or of a root; the node's own key cannot sign this
    #[arg(long = "key", value_name = "FILE", required = true)]
    pub keys: Vec<PathBuf>,
    /// The passphrase of these keys is the first line of this file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Writes the statements to a new file, for other roots to sign or for another machine to accept
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What this organisation has said so far, such as organisation/chain.txt of its node or an earlier --out
    /// [default: what the running node knows, and that file in the data directory]
    #[arg(long = "chain", value_name = "FILE")]
    pub chain: Vec<PathBuf>,
    /// Says that this organisation has never said anything of another before
    #[arg(long, conflicts_with = "chain")]
    pub first: bool,
    /// How long others may rely on it that nothing newer was said; sign anew before it is over
    #[arg(long, default_value = "180d", value_name = "TIME")]
    pub fresh: Lifetime,
    /// Which organisation this is.
    #[command(flatten)]
    pub papers: Papers,
}

/// `starfish trust endorse`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: running or stopped.\n\nA running node makes it known at once, when enough keys have signed. On an \
    offline machine write it with --out and let the node take it with `starfish org accept`.\n\nExamples:\n  \
    starfish trust endorse \"CERT Example\" --key root.key\n  starfish trust endorse org:abcd... --amount 60 \
    --depth 1 --topics phishing --suffixes nl,be --until 2027-06-30 --key endorse.key\n  starfish trust endorse org:abcd... \
    --manifest manifest.txt --chain chain.txt --key root-1.key --out part.txt"
)]
pub struct Endorse {
    /// For whom: org:..., the beginning of it, or the exact name
    pub org: String,
    /// How much, 1 to 120: 60 lets its records in, 120 makes it a full source
    #[arg(long, default_value_t = FULL, value_parser = clap::value_parser!(u8).range(1..=i64::from(FULL)))]
    pub amount: u8,
    /// How many further introductions behind it are honoured, 0 to 7; 0 believes it and nobody whom it endorses
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=i64::from(DEPTH)))]
    pub depth: u8,
    /// About what.
    #[command(flatten)]
    pub about: About,
    /// When it ends
    #[arg(long, default_value = "365d", value_name = "DATE")]
    pub until: Date,
    /// Lets its vetoes count for whoever follows this endorsement
    #[arg(long)]
    pub may_veto: bool,
    /// Up to which TLP it may be told things; being believed is not being confided in
    #[arg(long, default_value = "clear", value_parser = ["clear", "green"])]
    pub receive_tlp: String,
    /// Who signs, and where it goes.
    #[command(flatten)]
    pub saying: Saying,
}

/// `starfish trust withdraw`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: running or stopped.\n\nWithout --topics and --suffixes everything that this organisation vouched for \
    the other is taken back; with them, what it vouched for exactly those.\n\nExample:\n  starfish trust withdraw \
    \"CERT Example\" --key endorse.key"
)]
pub struct Withdraw {
    /// From whom: org:..., the beginning of it, or the exact name
    pub org: String,
    /// About what.
    #[command(flatten)]
    pub about: About,
    /// Who signs, and where it goes.
    #[command(flatten)]
    pub saying: Saying,
}

/// `starfish trust veto`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: running or stopped.\n\nA veto counts for this organisation's own nodes, and for those who let it veto. \
    It takes no root entry of theirs away.\n\nExamples:\n  starfish trust veto \"CERT Example\" --key endorse.key\n  \
    starfish trust veto \"CERT Example\" --withdraw --key endorse.key"
)]
pub struct Veto {
    /// Against whom: org:..., the beginning of it, or the exact name
    pub org: String,
    /// About what.
    #[command(flatten)]
    pub about: About,
    /// When it ends
    #[arg(long, default_value = "365d", value_name = "DATE")]
    pub until: Date,
    /// Takes it back; without --topics and --suffixes every veto of this organisation against the other
    #[arg(long)]
    pub withdraw: bool,
    /// Who signs, and where it goes.
    #[command(flatten)]
    pub saying: Saying,
}

/// `starfish trust subsidiary`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: running or stopped.\n\nIt counts once the other organisation's own manifest names this one as its \
    parent (`starfish org rotate --parent`). From then on both are one source.\n\nExample:\n  starfish trust subsidiary \
    org:abcd... --key endorse.key"
)]
pub struct Subsidiary {
    /// Who is a part of this organisation: org:..., the beginning of it, or the exact name
    pub org: String,
    /// Takes it back
    #[arg(long)]
    pub withdraw: bool,
    /// Who signs, and where it goes.
    #[command(flatten)]
    pub saying: Saying,
}

/// `starfish trust refresh`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: running or stopped.\n\nOthers take a chain of statements that was not confirmed for long for one that \
    somebody holds back. Every endorsement and veto confirms it too.\n\nExample:\n  starfish trust refresh --key endorse.key"
)]
pub struct Refresh {
    /// Who signs, and where it goes.
    #[command(flatten)]
    pub saying: Saying,
}
