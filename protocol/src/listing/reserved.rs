//! What means something else in every network, or nothing outside of one, and what betrays somebody: it must not leave a node
//! by accident.
//!
//! Once 127.0.0.1 is in a feed, it is on every blocklist that reads it (design, lessons). The ranges kept for
//! documentation and the names under `example` and `test` are let through: teaching and tests need values that hurt nobody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use thiserror::Error;

use crate::observable::Observable;

/// Why a value is reserved.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Reserved {
    /// An address, or a URL at one.
    #[error("it is in {range}, {meaning}")]
    Address {
        /// The range.
        range: IpNet,
        /// What the range is for.
        meaning: &'static str,
    },
    /// A network that touches a reserved range.
    #[error("it overlaps {range}, {meaning}")]
    Network {
        /// The range.
        range: IpNet,
        /// What the range is for.
        meaning: &'static str,
    },
    /// A name that is never delegated, or names the infrastructure itself.
    #[error("names under `{0}` are not on the public internet")]
    Name(&'static str),
    /// A URL with a password in it, as thieves collect them. The URL standard calls credentials a mistake, and RFC 3986 (3.2.1)
    /// wants a password shown to nobody; a name alone (`bank.example@evil.example`) is the usual lure, and no secret.
    #[error("it has a password, which may be a victim's")]
    Password,
    /// An AS number for private use.
    #[error("the AS number is reserved")]
    Asn,
}

/// RFC 6890 and the IANA registries of special-purpose addresses, without the ranges for documentation.
const RANGES: [(IpNet, &str); 20] = [
    (four([0, 0, 0, 0], 8), "this host"),
    (four([10, 0, 0, 0], 8), "private"),
    (four([100, 64, 0, 0], 10), "shared by the customers of a provider"),
    (four([127, 0, 0, 0], 8), "the machine itself"),
    (four([169, 254, 0, 0], 16), "one link only"),
    (four([172, 16, 0, 0], 12), "private"),
    (four([192, 0, 0, 0], 24), "kept for protocols"),
    (four([192, 168, 0, 0], 16), "private"),
    (four([198, 18, 0, 0], 15), "for benchmarks"),
    (four([224, 0, 0, 0], 4), "multicast"),
    (four([240, 0, 0, 0], 4), "reserved"),
    (six([0, 0, 0, 0], 0, 128), "no address"),
    (six([0, 0, 0, 0], 1, 128), "the machine itself"),
    (six([0x64, 0xff9b, 1, 0], 0, 48), "private translation"),
    (six([0x100, 0, 0, 0], 0, 64), "a sink"),
    (six([0x5f00, 0, 0, 0], 0, 16), "inside one network"),
    (six([0xfc00, 0, 0, 0], 0, 7), "private"),
    (six([0xfe80, 0, 0, 0], 0, 10), "one link only"),
    (six([0xfec0, 0, 0, 0], 0, 10), "private"),
    (six([0xff00, 0, 0, 0], 0, 8), "multicast"),
];

const fn four([a, b, c, d]: [u8; 4], prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn six([a, b, c, d]: [u16; 4], last: u16, prefix: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, last), prefix))
}

/// RFC 6761, RFC 6762, RFC 8375, the ICANN resolution on `internal`, and what home routers invent.
const NAMES: [&str; 12] = [
    "arpa",
    "corp",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
    "private",
];

/// Where a hosts file sends the names that it blocks.
const SINKS: [&str; 5] = ["0.0.0.0", "127.0.0.1", "::", "::1", "255.255.255.255"];

/// Why a value should not leave the node; none for what may.
pub fn reserved(observable: &Observable) -> Option<Reserved> {
    if let Observable::Url(url) = observable
        && url.has_password()
    {
        return Some(Reserved::Password);
    }
    if let Some(ip) = observable.address() {
        return address(ip);
    }
    match observable {
        Observable::Network(net) => network(net.net()),
        Observable::Asn(number) => is_reserved_asn(*number).then_some(Reserved::Asn),
        other => name(other.host()?),
    }
}

/// Whether a line of a hosts file begins with this.
pub(super) fn is_sink(text: &str) -> bool {
    SINKS.contains(&text)
}

fn address(ip: IpAddr) -> Option<Reserved> {
    let (range, meaning) = RANGES.iter().find(|(range, _)| range.contains(&ip))?;
    Some(Reserved::Address { range: *range, meaning })
}

fn network(net: IpNet) -> Option<Reserved> {
    let (range, meaning) = RANGES
        .iter()
        .find(|(range, _)| range.contains(&net) || net.contains(range))?;
    Some(Reserved::Network { range: *range, meaning })
}

fn name(host: &str) -> Option<Reserved> {
    let last = host.rsplit('.').next()?;
    NAMES
        .iter()
        .find(|name| **name == last)
        .map(|name| Reserved::Name(name))
}

/// RFC 6996, RFC 7300 and RFC 7607; the numbers for documentation (RFC 5398) are let through.
fn is_reserved_asn(number: u32) -> bool {
    matches!(number, 0 | 23_456 | 64_512..=65_535 | 4_200_000_000..=u32::MAX)
}
