//! Arguments of `starfish org`: the key ceremonies of an organisation (design, trust 6).

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use starfish_crypto::{Digest, PublicKey};
use starfish_protocol::organisation::OrgId;

use super::Lifetime;

/// `starfish org ...`.
#[derive(Debug, Subcommand)]
pub enum Org {
    /// Shows an organisation's keys, certificates and what else it signed
    Show(Show),
    /// Draws the root keys that come next, to be kept apart from today's
    Next(Next),
    /// Signs certificates for a node in advance, and a revocation of it for the day it is stolen
    CertifyNode(CertifyNode),
    /// Replaces the roots by those that were committed to, and commits to the next ones
    Rotate(Rotate),
    /// Ends a node's right to speak for the organisation, at a position of its logs
    RevokeNode(RevokeNode),
    /// Signs, as a guardian, the new roots of an organisation that lost its own
    Recover(Recover),
    /// Settles what is open: calls off a recovery, chooses one of two manifests, lets a node with two histories go on
    Settle(Settle),
    /// Adds signatures to statements that others have signed in part
    Sign(Sign),
    /// Takes what was signed offline into this node
    Accept(Accept),
}

/// Who signs, and with what.
#[derive(Args, Debug)]
pub struct Signing {
    /// A private key file of whoever signs here; the others sign what comes out with `starfish org sign`
    #[arg(long = "key", value_name = "FILE", required = true)]
    pub keys: Vec<PathBuf>,
    /// The passphrase of these keys is the first line of this file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Where the result goes; must not exist
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Which organisation.
#[derive(Args, Clone, Debug)]
pub struct Papers {
    /// The organisation's manifests [default: those in the data directory]
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
}

/// `starfish org show`.
#[derive(Args, Debug)]
#[command(after_help = "Node: running or stopped.")]
pub struct Show {
    /// Files of statements [default: what is in the data directory]
    pub files: Vec<PathBuf>,
}

/// `starfish org next`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: none needed.\n\nDo this on an offline machine. Keep the folder in another safe than today's keys: \
    whoever has enough of the next keys can replace the organisation's roots."
)]
pub struct Next {
    /// Where the keys go; must not exist
    #[arg(long, value_name = "DIR")]
    pub folder: PathBuf,
    /// How many keys, 1 to 7; three of five is a good choice
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=7))]
    pub keys: u8,
    /// How many of them must sign
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=7))]
    pub threshold: u8,
    /// Protects the keys with the first line of this file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// `starfish org certify-node`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: none needed.\n\nThe node signs too, when it takes the result with `starfish org accept`. Keep the \
    revocation with two custodians; `starfish org accept` on any running node makes it known. It ends certificates of this \
    manifest: after a rotation, certify the nodes anew and give the custodians the new one."
)]
pub struct CertifyNode {
    /// Which organisation.
    #[command(flatten)]
    pub papers: Papers,
    /// The node's key, as `starfish id` shows it
    #[arg(long, value_name = "KEY")]
    pub node: PublicKey,
    /// The mesh
    #[arg(long, default_value = "starfish")]
    pub community: String,
    /// How many certificates, one after the other
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub terms: u64,
    /// When the first one begins, from now
    #[arg(long, value_name = "TIME")]
    pub begins_in: Option<Lifetime>,
    /// Where the revocation for an emergency goes; must not exist
    #[arg(long, value_name = "FILE")]
    pub revocation: PathBuf,
    /// Who signs.
    #[command(flatten)]
    pub signing: Signing,
}

/// `starfish org rotate`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: none needed.\n\nThe roots that sign are the ones that the newest manifest committed to. Certificates \
    that the earlier roots signed stay good until they end."
)]
pub struct Rotate {
    /// Which organisation.
    #[command(flatten)]
    pub papers: Papers,
    /// A new root whose key file is elsewhere: it signs later
    #[arg(long = "root", value_name = "KEY")]
    pub roots: Vec<PublicKey>,
    /// How many of the new roots must sign
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=7))]
    pub threshold: u8,
    /// A root that comes after the new ones, as `starfish org next` prints it
    #[arg(
        long = "next",
        value_name = "KEY",
        required_unless_present = "retire",
        conflicts_with = "retire"
    )]
    pub next: Vec<PublicKey>,
    /// How many of those must sign
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=7))]
    pub next_threshold: u8,
    /// Ends the organisation: no roots come after these
    #[arg(long)]
    pub retire: bool,
    /// The key that may endorse in the roots' place
    #[arg(long, value_name = "KEY")]
    pub endorse_key: Option<PublicKey>,
    /// The organisation above this one, which must say so too
    #[arg(long, value_name = "ORG")]
    pub parent: Option<OrgId>,
    /// An organisation that may help to recover this one
    #[arg(long = "guardian", value_name = "ORG", requires = "guardians_needed")]
    pub guardians: Vec<OrgId>,
    /// How many guardians must agree
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub guardians_needed: Option<u8>,
    /// How long the manifest holds
    #[arg(long, default_value = "3650d", value_name = "TIME")]
    pub lasts: Lifetime,
    /// What the keys of the manifests from this number on have signed counts no more
    #[arg(long, value_name = "NUMBER")]
    pub void_from: Option<u64>,
    /// Makes the proposal that guardians sign with `starfish org recover`: its roots were never committed to
    #[arg(long)]
    pub recovery: bool,
    /// Who signs.
    #[command(flatten)]
    pub signing: Signing,
}

/// Why a node is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reason {
    /// It is out of service: everything it wrote stays
    Retired,
    /// Somebody else may have its key: what lies behind the last good positions is void
    Compromised,
}

/// `starfish org revoke-node`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: none needed.\n\nMake it known with `starfish org accept` on any running node. Positions are those that \
    `starfish status` of the node shows as its own logs: one for each audience, and more after a restore. Name every one. The \
    last revocation of a node counts: `retired` after `compromised` gives back what that one took."
)]
pub struct RevokeNode {
    /// Which organisation.
    #[command(flatten)]
    pub papers: Papers,
    /// The node's key
    #[arg(long, value_name = "KEY")]
    pub node: PublicKey,
    /// Why
    #[arg(long, value_enum)]
    pub reason: Reason,
    /// The last record of a log that is surely the node's own, as AUDIENCE,EPOCH,NUMBER,RECORD; once for every log that
    /// `starfish status` shows: nothing of a log that is not named counts
    #[arg(long = "last-good", value_name = "POSITION")]
    pub last_good: Vec<String>,
    /// Who signs.
    #[command(flatten)]
    pub signing: Signing,
}

/// `starfish org recover`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: none needed.\n\nA recovery takes effect some days after a node first sees it, and a current root of \
    the organisation can call it off by `starfish org settle --recovery`."
)]
pub struct Recover {
    /// The new manifest, as `starfish org rotate --recovery` wrote it
    pub proposal: PathBuf,
    /// Who signs.
    #[command(flatten)]
    pub signing: Signing,
}

/// `starfish org settle`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: none needed.\n\nMake it known with `starfish org accept` on any running node. `starfish audit` and \
    `starfish trust show ORG --json` show the ids. Of two manifests, the roots before them and their own must sign, each in \
    sufficient number."
)]
pub struct Settle {
    /// Which organisation.
    #[command(flatten)]
    pub papers: Papers,
    /// What is open.
    #[command(flatten)]
    pub question: Question,
    /// Of `--node`: the last record that is surely right, as AUDIENCE,EPOCH,NUMBER,RECORD
    #[arg(long, value_name = "POSITION", requires = "node")]
    pub last_good: Option<String>,
    /// The mesh in which this holds [default: every one]
    #[arg(long)]
    pub community: Option<String>,
    /// Who signs.
    #[command(flatten)]
    pub signing: Signing,
}

/// What an organisation settles: one of these.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct Question {
    /// Calls off this recovery, which nobody in the organisation asked for; one root is enough
    #[arg(long, value_name = "ID")]
    pub recovery: Option<Digest>,
    /// The manifest that goes on, of two with one number
    #[arg(long, value_name = "ID")]
    pub manifest_id: Option<Digest>,
    /// A node that wrote two histories and goes on from `--last-good`
    #[arg(long, value_name = "KEY")]
    pub node: Option<PublicKey>,
}

/// `starfish org sign`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: none needed.\n\nWhat has all its signatures, or asks for other keys, is left as it is. The manifests \
    that tell who may sign are those in the file itself, and in that of --manifest or else in the data directory."
)]
pub struct Sign {
    /// The statements
    pub file: PathBuf,
    /// Which organisation.
    #[command(flatten)]
    pub papers: Papers,
    /// Who signs.
    #[command(flatten)]
    pub signing: Signing,
}

/// `starfish org accept`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: running or stopped.\n\nCertificates of this node are signed by the node too and kept in the data \
    directory. A running node tells the mesh at once; a stopped one tells of them when it starts. Whatever concerns the mesh \
    alone (endorsements, revocations, and the like) needs the running node."
)]
pub struct Accept {
    /// Files of statements
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The passphrase of the node key is the first line of this file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}
