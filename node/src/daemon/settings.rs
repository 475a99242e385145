//! The configuration, checked: [`Settings`], which everyone uses, made from [`file::Written`] as the operator wrote it.
//!
//! Four layers, each over the one before: defaults, `starfish.toml`, the environment (`STARFISH_SECTION__KEY`, lists with
//! commas), flags. [`load`] stops at mistakes; [`mistakes`] lists all of them with line and remedy.

pub mod checking;
mod environment;
pub mod file;
pub mod mistakes;
pub mod template;

use std::{collections::BTreeMap, net::IpAddr, path::Path};

use config::{Config, FileFormat};
use libp2p::Multiaddr;
use starfish_protocol::{
    community::Community,
    confidence::{Lasting, Weights},
    observable::Tld,
    organisation::OrgId,
    record::Topic,
};

use self::{file::Written, mistakes::Mistake};
use super::exit::{Exit, Failure};

/// The configuration's file name in the data directory.
pub const FILE: &str = "starfish.toml";

/// What the operator decided, in the types that the rest of the program works with.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The organisation's name, as others read it.
    pub name: String,
    /// The mesh that the node belongs to.
    pub community: Community,
    /// For TCP and QUIC alike.
    pub port: u16,
    /// The local addresses to listen on.
    pub listen: Vec<IpAddr>,
    /// Under which others reach this node: an address or a DNS name.
    pub public_address: Option<Host>,
    /// Organisations that are roots by configuration.
    pub organisations: Vec<OrgId>,
    /// What each kind of claim counts for.
    pub weights: Weights,
    /// How long claims last.
    pub lasting: Lasting,
    /// Nodes that are dialled whatever else happens.
    pub dial: Vec<Multiaddr>,
    /// Whether other organisations' published addresses are dialled too.
    pub dial_others: bool,
    /// No new connections while the process holds more bytes than this.
    pub memory_limit_bytes: Option<u64>,
    /// Topics whose bodies are pulled until `subscribe` says otherwise; empty means all.
    pub topics: Vec<Topic>,
    /// TLDs, likewise.
    pub tlds: Vec<Tld>,
    /// The store's cache, in bytes. A wish, no bound: sled takes more.
    pub cache_bytes: u64,
    /// Log lines as JSON.
    pub log_json: bool,
    /// What is logged, as `tracing-subscriber` reads it.
    pub log_level: String,
}

impl Settings {
    /// Where the node listens, TCP first.
    pub fn listening(&self) -> Vec<Multiaddr> {
        self.listen
            .iter()
            .flat_map(|address| on_port(&Host::Address(*address), self.port))
            .collect()
    }

    /// Where the operator says others reach it: under its public address, else wherever it listens.
    pub fn addresses(&self) -> Vec<String> {
        let addresses = match &self.public_address {
            Some(host) => on_port(host, self.port).to_vec(),
            None => self.listening(),
        };
        addresses.iter().map(ToString::to_string).collect()
    }
}

/// A machine's TCP and QUIC addresses.
pub fn on_port(host: &Host, port: u16) -> [Multiaddr; 2] {
    use libp2p::multiaddr::Protocol;
    [
        host.multiaddr().with(Protocol::Tcp(port)),
        host.multiaddr().with(Protocol::Udp(port)).with(Protocol::QuicV1),
    ]
}

/// A name for a machine: an address or a DNS name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An IPv4 or IPv6 address.
    Address(IpAddr),
    /// A DNS name.
    Name(String),
}

impl Host {
    /// Reads an address, or a name of letters, digits, hyphens and dots.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let numeric = text
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        (text.len() <= 253 && !numeric && text.split('.').all(fits)).then(|| Self::Name(text.to_ascii_lowercase()))
    }

    /// The part of a multiaddr that names the machine.
    pub fn multiaddr(&self) -> Multiaddr {
        use libp2p::multiaddr::Protocol;
        match self {
            Self::Address(address) => Multiaddr::from(*address),
            Self::Name(name) => Multiaddr::empty().with(Protocol::Dns(name.as_str().into())),
        }
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(out),
            Self::Name(name) => name.fmt(out),
        }
    }
}

/// The layers above the file.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// Environment variables, by full name.
    pub environment: BTreeMap<String, String>,
    /// Flags: `section.key` and value.
    pub flags: Vec<(String, String)>,
}

impl Layers {
    /// This process's environment, and these flags.
    pub fn of_process(flags: Vec<(String, String)>) -> Self {
        Self {
            environment: std::env::vars_os().map(texts).filter(is_ours).collect(),
            flags,
        }
    }
}

/// What is no text does not become a setting by that: it is a mistake like any other.
fn texts((name, value): (std::ffi::OsString, std::ffi::OsString)) -> (String, String) {
    (
        name.to_string_lossy().into_owned(),
        value.to_string_lossy().into_owned(),
    )
}

fn is_ours((name, _): &(String, String)) -> bool {
    name.starts_with(environment::PREFIX)
}

/// Reads `starfish.toml` of a data directory under its layers.
///
/// # Errors
/// Every mistake found, in the order of the file.
pub fn load(data: &Path, layers: &Layers) -> Result<Settings, Vec<Mistake>> {
    let path = data.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => checked(&text, layers).map_err(|_| mistakes::all(&text, layers)),
        Err(error) => Err(vec![Mistake {
            line: None,
            key: path.display().to_string(),
            problem: error.to_string(),
            remedy: "make a node with `starfish init --name NAME`, or name its directory with --data".to_owned(),
        }]),
    }
}

/// All mistakes as one failure.
pub fn failure(mistakes: &[Mistake]) -> Failure {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    Failure::new(
        Exit::Configuration,
        format!("the configuration has mistakes:\n{}", lines.join("\n")),
    )
}

/// The checked value of a file's text under its layers.
///
/// # Errors
/// Every mistake found.
pub fn checked(text: &str, layers: &Layers) -> Result<Settings, Vec<Mistake>> {
    let found = mistakes::of_shapes(text, layers);
    if !found.is_empty() {
        return Err(found);
    }
    let written = layered(text, layers).map_err(|error| vec![Mistake::of_layers(&error.to_string())])?;
    let placed = |wrong| mistakes::placed(text, layers, wrong);
    checking::check(&written).map_err(|wrong| wrong.into_iter().map(placed).collect())
}

/// The file under what makes sense of the layers above it.
fn layered(text: &str, layers: &Layers) -> Result<Written, config::ConfigError> {
    let mut builder = Config::builder().add_source(config::File::from_str(text, FileFormat::Toml));
    for (key, value) in environment::values(&layers.environment) {
        builder = builder.set_override(key, value)?;
    }
    for (key, value) in &layers.flags {
        builder = builder.set_override(key, value.as_str())?;
    }
    builder.build()?.try_deserialize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Layers {
        let environment = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Layers {
            environment,
            flags: Vec::new(),
        }
    }

    #[test]
    fn later_layers_win() {
        let text = "[node]\nname = \"File\"\nport = 1\n[subscribe]\ntopics = [\"malware\"]\n";
        let mut layers = environment(&[
            ("STARFISH_NODE__PORT", "2"),
            ("STARFISH_SUBSCRIBE__TOPICS", "c2,dga"),
            ("STARFISH_BIN", "/somewhere"),
            ("STARFISH_DATA", "/somewhere"),
        ]);
        let settings = checked(text, &layers).expect("good settings");
        assert_eq!(
            (settings.name.as_str(), settings.port, settings.topics.len()),
            ("File", 2, 2)
        );
        layers.flags.push(("node.port".to_owned(), "3".to_owned()));
        assert_eq!(checked(text, &layers).expect("good settings").port, 3);
    }

    #[test]
    fn a_wrong_environment_is_a_mistake() {
        let text = "[node]\nname = \"File\"\n";
        let check = |name: &str, value: &str| {
            let found = checked(text, &environment(&[(name, value)])).expect_err(name);
            assert_eq!(found.len(), 1, "{name}: {found:?}");
        };
        check("STARFISH_NODE__PORT", "many");
        check("STARFISH_NODE__COLOUR", "red");
        check("STARFISH_NODES__PORT", "1");
        check("STARFISH_SUBSCRIBE__TOPICS", "NOT A TOPIC!");
        check("STARFISH_PORT", "1");
    }

    #[test]
    fn hosts_are_read() {
        let check = |text: &str, good: bool| assert_eq!(Host::parse(text).is_some(), good, "{text}");
        for text in ["192.0.2.1", "2001:db8::1", "node.cert.example", "localhost"] {
            check(text, true);
        }
        for text in [
            "",
            "192.0.2",
            "192.0.2.256",
            "a..b",
            "-a.example",
            "a_b.example",
            "http://a",
            "a:4852",
        ] {
            check(text, false);
        }
    }
}
