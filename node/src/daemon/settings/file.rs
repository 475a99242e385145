//! The configuration as written, [`Written`], and the one place that turns it into [`Settings`].

use std::{fmt::Display, net::IpAddr};

use serde::{Deserialize, Serialize};
use starfish_protocol::{community::Community, observable::Tld, organisation::OrgId, record::Topic};

use super::{Host, Settings};

/// The file's sections.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// Who this node is and where it listens.
    pub node: Node,
    /// Whom it believes.
    pub trust: Trust,
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
pub const KEYS: [(&str, &str, Shape); 14] = [
    ("node", "name", Shape::Text),
    ("node", "community", Shape::Text),
    ("node", "port", Shape::Number(1, 65_535)),
    ("node", "listen", Shape::Texts),
    ("node", "public_address", Shape::Text),
    ("trust", "organisations", Shape::Texts),
    ("mesh", "dial", Shape::Texts),
    ("mesh", "dial_others", Shape::Flag),
    ("mesh", "memory_limit_mb", Shape::Number(64, 1_048_576)),
    ("subscribe", "topics", Shape::Texts),
    ("subscribe", "tlds", Shape::Texts),
    ("store", "cache_mb", Shape::Number(1, 4_096)),
    ("log", "format", Shape::Text),
    ("log", "level", Shape::Text),
];

/// The keys that are lists; in the environment their items are parted by commas.
pub const LISTS: [&str; 5] = [
    "node.listen",
    "trust.organisations",
    "mesh.dial",
    "subscribe.topics",
    "subscribe.tlds",
];

/// A value that has the right shape and still makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// `section.key`.
    pub key: &'static str,
    /// Which item of a list, from 0.
    pub item: Option<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub remedy: &'static str,
}

/// The checked value.
///
/// # Errors
/// Every value that makes no sense.
pub fn check(written: &Written) -> Result<Settings, Vec<Wrong>> {
    let mut wrong = Wrongs(Vec::new());
    let Written {
        node,
        trust,
        mesh,
        subscribe,
        store,
        log,
    } = written;
    let name = node.name.trim();
    wrong.unless(
        !name.is_empty() && name.len() <= 128,
        "node.name",
        "a name has 1 to 128 bytes",
        "write the organisation's name",
    );
    wrong.unless(
        !node.community.is_empty() && node.community.len() <= 64,
        "node.community",
        "a community's name has 1 to 64 bytes",
        "write `starfish`, or the name that your mesh agreed on",
    );
    wrong.unless(
        node.port != 0,
        "node.port",
        "0 is no port",
        "write 4852; only `init --port 0` picks a free one",
    );
    wrong.unless(
        !node.listen.is_empty(),
        "node.listen",
        "a node must listen somewhere",
        "write [\"0.0.0.0\", \"::\"] for all addresses",
    );
    wrong.unless(
        (1..=4_096).contains(&store.cache_mb),
        "store.cache_mb",
        "not from 1 to 4096",
        "write 32",
    );
    wrong.unless(
        (64..=1_048_576).contains(&mesh.memory_limit_mb),
        "mesh.memory_limit_mb",
        "not from 64 to 1048576",
        "write 2048",
    );
    wrong.unless(
        ["text", "json"].contains(&log.format.as_str()),
        "log.format",
        "neither text nor json",
        "write \"text\" or \"json\"",
    );
    let filter = log.level.parse::<tracing_subscriber::filter::Targets>();
    wrong.unless(
        filter.is_ok(),
        "log.level",
        "not a filter",
        "write \"info\", or \"info,starfish_node=debug\"",
    );
    let public_address = Some(node.public_address.as_str())
        .filter(|text| !text.is_empty())
        .map(Host::parse);
    wrong.unless(
        public_address != Some(None),
        "node.public_address",
        "neither an address nor a DNS name",
        "write it without scheme and port, such as node.cert.example",
    );
    let settings = Settings {
        name: name.to_owned(),
        community: Community::named(&node.community),
        port: node.port,
        listen: wrong.each(
            "node.listen",
            &node.listen,
            |text| text.parse::<IpAddr>(),
            "write a local address, or 0.0.0.0 or ::",
        ),
        public_address: public_address.flatten(),
        organisations: wrong.each(
            "trust.organisations",
            &trust.organisations,
            |text| text.parse::<OrgId>(),
            "write the `org:...` that the other operator's `starfish id` prints",
        ),
        dial: wrong.each(
            "mesh.dial",
            &mesh.dial,
            |text| text.parse(),
            "write a multiaddr, such as /dns/node.cert.example/tcp/4852",
        ),
        dial_others: mesh.dial_others,
        memory_limit_bytes: Some(mesh.memory_limit_mb << 20),
        topics: wrong.each(
            "subscribe.topics",
            &subscribe.topics,
            Topic::parse,
            "write a lower-case path such as malware, at most 48 bytes",
        ),
        tlds: wrong.each(
            "subscribe.tlds",
            &subscribe.tlds,
            |text| Tld::parse(text),
            "write a TLD such as nl or xn--p1ai",
        ),
        cache_bytes: store.cache_mb << 20,
        log_json: log.format == "json",
        log_level: log.level.clone(),
    };
    if wrong.0.is_empty() { Ok(settings) } else { Err(wrong.0) }
}

struct Wrongs(Vec<Wrong>);

impl Wrongs {
    fn unless(&mut self, good: bool, key: &'static str, problem: &str, remedy: &'static str) {
        if !good {
            self.0.push(Wrong {
                key,
                item: None,
                problem: problem.to_owned(),
                remedy,
            });
        }
    }

    fn each<T, E: Display>(
        &mut self,
        key: &'static str,
        texts: &[String],
        parse: impl Fn(&str) -> Result<T, E>,
        remedy: &'static str,
    ) -> Vec<T> {
        let mut values = Vec::with_capacity(texts.len());
        for (item, text) in texts.iter().enumerate() {
            match parse(text) {
                Ok(value) => values.push(value),
                Err(error) => self.0.push(Wrong {
                    key,
                    item: Some(item),
                    problem: format!("`{text}`: {error}"),
                    remedy,
                }),
            }
        }
        values
    }
}

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
        let lists: Vec<String> = KEYS
            .iter()
            .filter(|(.., shape)| *shape == Shape::Texts)
            .map(|(section, key, _)| format!("{section}.{key}"))
            .collect();
        assert_eq!(lists, LISTS);
    }
}
