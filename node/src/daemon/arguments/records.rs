//! Arguments of the commands about records: publish, withdraw, search, watch.

use std::path::PathBuf;

use clap::Args;

use super::duration::Lifetime;

/// `starfish publish`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nExamples:\n  starfish publish --topic phishing urls.txt\n  \
    echo 'hxxp://evil[.]example/x' | starfish publish --topic phishing --expires 7d -"
)]
pub struct Publish {
    /// The topic, a lower-case path such as malware, phishing, dga, c2
    #[arg(long)]
    pub topic: String,
    /// Who may see it: everyone (`clear`), or only the organisations that you confide in and those that they confide in
    /// (`green`); the others cannot be published so far
    #[arg(long, default_value = "clear", value_parser = ["clear", "green", "amber", "amber+strict", "red"])]
    pub tlp: String,
    /// How long it is worth knowing: a number and s, m, h, d or w
    #[arg(long, default_value = "30d")]
    pub expires: Lifetime,
    /// How sure you are, from 0 to 100
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub confidence: u8,
    /// What the list is and where it comes from, in a sentence
    #[arg(long, default_value = "")]
    pub context: String,
    /// What the list repeats, when it is not your own observation: the address of a feed, the title of a report, a record.
    /// All who name the same one count as one source
    #[arg(long, value_name = "SOURCE", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub derived_from: Option<String>,
    /// Also takes private and reserved addresses and names, which mean something else in every network, and URLs with a password
    #[arg(long)]
    pub force: bool,
    /// A list, one observable a line (comments and defanged forms are fine); `-` reads standard input
    pub file: PathBuf,
}

/// `starfish withdraw`.
#[derive(Args, Debug)]
#[command(after_help = "Node: must run.\n\nOnly the organisation that published a record can withdraw it.")]
pub struct Withdraw {
    /// The record, as `publish` and `search` print it
    pub record: String,
    /// Only this observable of it; may be given several times
    #[arg(long = "value", value_name = "VALUE")]
    pub values: Vec<String>,
    /// Why, in a sentence that every holder will read
    #[arg(long)]
    pub reason: String,
}

/// `starfish search`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nExamples:\n  starfish search evil.example\n  starfish search --under nl \
    --limit 20\n  starfish search --within 192.0.2.0/24 --json"
)]
pub struct Search {
    /// An observable: domain, URL, address, network, e-mail address, file digest or AS number
    #[arg(required_unless_present_any = ["under", "within", "quarantine"], conflicts_with_all = ["under", "within"])]
    pub value: Option<String>,
    /// Every domain below this one, or this TLD
    #[arg(long, value_name = "DOMAIN", conflicts_with = "within")]
    pub under: Option<String>,
    /// Every address and network inside this one
    #[arg(long, value_name = "NETWORK")]
    pub within: Option<String>,
    /// Also what is held from organisations that this node does not believe; alone, only that
    #[arg(long)]
    pub quarantine: bool,
    /// At most so many results; 0 means all of them
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}

/// `starfish watch`.
#[derive(Args, Debug)]
#[command(
    after_help = "Node: must run.\n\nKeep the last `serial` that you handled and go on with --from SERIAL: it \
    starts with the entry after it."
)]
pub struct Watch {
    /// Starts after this serial [default: only what is new from now on]
    #[arg(long, value_name = "SERIAL")]
    pub from: Option<u64>,
    /// Only records of this topic
    #[arg(long)]
    pub topic: Option<String>,
}
