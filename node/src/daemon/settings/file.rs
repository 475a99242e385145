//! The configuration as written: [`Written`], and the table of its keys.

use serde::{Deserialize, Serialize};
use starfish_protocol::confidence::{Lasting, Weights};

/// The file's sections.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// Who this node is and where it listens.
    pub node: Node,
    /// Whom it believes.
    pub trust: Trust,
    /// How sure it is of what it believes.
    pub confidence: Confidence,
    /// Whom it connects to.
    pub mesh: Mesh,
    /// What it pulls.
    pub subscribe: Subscribe,
    /// How it keeps things.
    pub store: Store,
    /// What it says about itself.
    pub log: Log,
}

/// `[node]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Node {
    /// The organisation's name.
    pub name: String,
    /// The mesh's name.
    pub community: String,
    /// For TCP and QUIC.
    pub port: u16,
    /// Local addresses.
    pub listen: Vec<String>,
    /// Address or DNS name for others; empty means none is known.
    pub public_address: String,
}

/// `[trust]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trust {
    /// Organisations that are believed as if paired.
    pub organisations: Vec<String>,
}

/// `[confidence]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Confidence {
    /// How much support makes a score of one half.
    pub ignorance: u32,
    /// How many times as much as support a dispute counts.
    pub dispute: u32,
    /// What a sighting weighs, in percent of a report.
    pub sighting_percent: u32,
    /// What a false-positive opinion weighs, likewise.
    pub false_positive_percent: u32,
    /// How many times as long a dispute lasts.
    pub dispute_lasts: u64,
    /// Days until nothing is left of a claim about a URL,
    pub url_days: u64,
    /// of phishing,
    pub phishing_days: u64,
    /// about an address,
    pub ip_days: u64,
    /// a domain or an e-mail address,
    pub domain_days: u64,
    /// a network or an AS number,
    pub network_days: u64,
    /// a file digest.
    pub digest_days: u64,
}

/// `[mesh]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mesh {
    /// Multiaddrs that are always dialled.
    pub dial: Vec<String>,
    /// Whether published addresses of believed organisations are dialled too.
    pub dial_others: bool,
    /// No new connections while the process holds more memory than this.
    pub memory_limit_mb: u64,
}

/// `[subscribe]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Subscribe {
    /// Topics; empty means all.
    pub topics: Vec<String>,
    /// TLDs; empty means all.
    pub tlds: Vec<String>,
}

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The cache in MiB.
    pub cache_mb: u64,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: String,
    /// A filter.
    pub level: String,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            name: String::new(),
            community: "starfish".to_owned(),
            port: 4852,
            listen: vec!["0.0.0.0".to_owned(), "::".to_owned()],
            public_address: String::new(),
        }
    }
}

impl Default for Confidence {
    fn default() -> Self {
        let (weights, lasting) = (Weights::default(), Lasting::default());
        Self {
            ignorance: weights.ignorance,
            dispute: weights.dispute,
            sighting_percent: weights.sighting / 10,
            false_positive_percent: weights.false_positive / 10,
            dispute_lasts: weights.dispute_lasts,
            url_days: lasting.url,
            phishing_days: lasting.phishing,
            ip_days: lasting.ip,
            domain_days: lasting.domain,
            network_days: lasting.network,
            digest_days: lasting.digest,
        }
    }
}

impl Default for Mesh {
    fn default() -> Self {
        Self {
            dial: Vec::new(),
            dial_others: true,
            memory_limit_mb: 2_048,
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self { cache_mb: 32 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: "text".to_owned(),
            level: "info".to_owned(),
        }
    }
}

/// What a key holds, for `check-config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A whole number in this range.
    Number(u64, u64),
    /// true or false.
    Flag,
    /// A list of strings.
    Texts,
}

/// Every key that the file may hold. A test holds it equal to [`Written`].
pub const KEYS: [(&str, &str, Shape); 25] = [
    ("node", "name", Shape::Text),
    ("node", "community", Shape::Text),
    ("node", "port", Shape::Number(1, 65_535)),
    ("node", "listen", Shape::Texts),
    ("node", "public_address", Shape::Text),
    ("trust", "organisations", Shape::Texts),
    ("confidence", "ignorance", Shape::Number(1, 1_200)),
    ("confidence", "dispute", Shape::Number(0, 100)),
    ("confidence", "sighting_percent", Shape::Number(0, 100)),
    ("confidence", "false_positive_percent", Shape::Number(0, 100)),
    ("confidence", "dispute_lasts", Shape::Number(1, 100)),
    ("confidence", "url_days", Shape::Number(1, 400)),
    ("confidence", "phishing_days", Shape::Number(1, 400)),
    ("confidence", "ip_days", Shape::Number(1, 400)),
    ("confidence", "domain_days", Shape::Number(1, 400)),
    ("confidence", "network_days", Shape::Number(1, 400)),
    ("confidence", "digest_days", Shape::Number(1, 400)),
    ("mesh", "dial", Shape::Texts),
    ("mesh", "dial_others", Shape::Flag),
    ("mesh", "memory_limit_mb", Shape::Number(64, 1_048_576)),
    ("subscribe", "topics", Shape::Texts),
    ("subscribe", "tlds", Shape::Texts),
    ("store", "cache_mb", Shape::Number(1, 4_096)),
    ("log", "format", Shape::Text),
    ("log", "level", Shape::Text),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_keys_is_the_file() {
        let written = serde_json::to_value(Written::default()).expect("plain values");
        let sections = written.as_object().expect("a table");
        let mut keys: Vec<String> = Vec::new();
        for (section, values) in sections {
            keys.extend(
                values
                    .as_object()
                    .expect("a table")
                    .keys()
                    .map(|key| format!("{section}.{key}")),
            );
        }
        let mut table: Vec<String> = KEYS
            .iter()
            .map(|(section, key, _)| format!("{section}.{key}"))
            .collect();
        keys.sort();
        table.sort();
        assert_eq!(keys, table);
    }
}
