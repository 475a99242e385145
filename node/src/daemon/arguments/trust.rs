//! Arguments of `starfish trust`: who is believed, and why.

mod asking;
mod statements;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use starfish_protocol::{observable::Suffix, record::Topic, statement::Scope};

pub use asking::{Add, Explain, Format, Graph, Last, List, Pin, Remove, Root, Show};
pub use statements::{Endorse, Refresh, Saying, Subsidiary, Veto, Withdraw};

/// `starfish trust ...`.
#[derive(Debug, Subcommand)]
pub enum Trust {
    /// Vouches for an organisation, to everyone
    Endorse(Endorse),
    /// Takes back what this organisation vouched for another
    Withdraw(Withdraw),
    /// Says that what others vouch for an organisation is not to count
    Veto(Veto),
    /// Says that another organisation is a part of this one
    Subsidiary(Subsidiary),
    /// Says anew that what this organisation has said still stands
    Refresh(Refresh),
    /// Trusts an organisation from here on, by this node's own decision
    #[command(subcommand)]
    Root(Root),
    /// Says the last word about an organisation, on this node alone
    Pin(Pin),
    /// Shows the root entries, the pins, and who may do what
    List(List),
    /// Shows what an organisation has signed, and what others signed about it
    Show(Show),
    /// Shows why an organisation is judged as it is
    Explain(Explain),
    /// Draws who vouches for whom
    Graph(Graph),
    /// Judges a made-up graph of endorsements, for planning and teaching
    WhatIf(WhatIf),
}

/// About what.
#[derive(Args, Clone, Debug, Default)]
pub struct About {
    /// Only for these topics, such as phishing,malware/botnet
    #[arg(long, value_name = "TOPIC,...", value_delimiter = ',')]
    pub topics: Vec<Topic>,
    /// Only for names under these suffixes, such as nl,gov.be
    #[arg(long, value_name = "SUFFIX,...", value_delimiter = ',')]
    pub suffixes: Vec<Suffix>,
}

impl About {
    /// Nothing named is anything.
    pub fn scope(&self) -> Scope {
        Scope {
            topics: (!self.topics.is_empty()).then(|| self.topics.iter().cloned().collect()),
            suffixes: (!self.suffixes.is_empty()).then(|| self.suffixes.iter().cloned().collect()),
        }
    }

    /// Whether nothing was named.
    pub fn is_open(&self) -> bool {
        self.topics.is_empty() && self.suffixes.is_empty()
    }
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
