//! Under which address others may reach this node, as far as it can tell itself: [`addresses`] and [`host`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use libp2p::{Multiaddr, multiaddr::Protocol};

use super::settings::{Host, Settings, on_port};

/// What the node tells other nodes: its public address, else those of its own that mean something elsewhere, else
/// loopback, for nodes on one machine.
pub fn addresses(settings: &Settings, listening: &[Multiaddr]) -> Vec<Multiaddr> {
    if let Some(host) = &settings.public_address {
        return on_port(host, settings.port).to_vec();
    }
    let is_local = |address: &&Multiaddr| address_of(address).is_none_or(|address| rank(address) >= LOOPBACK);
    let (local, useful): (Vec<&Multiaddr>, Vec<&Multiaddr>) = listening.iter().partition(is_local);
    let chosen = if useful.is_empty() { local } else { useful };
    chosen.into_iter().cloned().collect()
}

/// What goes into a code: one host.
pub fn host(settings: &Settings, listening: &[Multiaddr]) -> Option<Host> {
    if let Some(host) = &settings.public_address {
        return Some(host.clone());
    }
    let found: Vec<IpAddr> = listening.iter().filter_map(address_of).collect();
    best(&found, outward()).map(Host::Address)
}

/// Those of the configured addresses that this machine has a family for: many have no IPv6, and `::` is a default.
pub fn usable(listen: &[IpAddr]) -> Vec<IpAddr> {
    let has_sixth = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).is_ok();
    let kept = listen
        .iter()
        .filter(|address| has_sixth || **address != IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let kept: Vec<IpAddr> = kept.copied().collect();
    // An operator who wants nothing else is told why it does not work.
    if kept.is_empty() { listen.to_vec() } else { kept }
}

/// From where an address can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearness {
    /// From everywhere, as far as the address tells.
    Anywhere,
    /// From the same network only.
    Network,
    /// From this machine only.
    Machine,
}

/// From where this address can be reached.
pub fn nearness(address: IpAddr) -> Nearness {
    match rank(address) {
        0 => Nearness::Anywhere,
        LOOPBACK => Nearness::Machine,
        _ => Nearness::Network,
    }
}

const LOOPBACK: u8 = 3;

/// Worse addresses have higher numbers.
fn rank(address: IpAddr) -> u8 {
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    match address {
        _ if address.is_loopback() => LOOPBACK,
        _ if link_local => LOOPBACK + 1,
        _ if address.is_unspecified() => LOOPBACK + 2,
        IpAddr::V4(address) if address.is_private() => 1,
        IpAddr::V6(address) if address.is_unique_local() => 2,
        _ => 0,
    }
}

/// The address that packets leave from, if it is listened on; else the one that means something to most others.
fn best(listening: &[IpAddr], outward: Option<IpAddr>) -> Option<IpAddr> {
    let way_out = outward.filter(|address| listening.contains(address) && rank(*address) < LOOPBACK);
    way_out.or_else(|| {
        listening
            .iter()
            .copied()
            .min_by_key(|address| (rank(*address), address.is_ipv6(), *address))
    })
}

/// Where the system would send from. Connecting a datagram socket chooses a route and sends nothing; the address is one
/// that is kept for documentation.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

fn address_of(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(address) => Some(address.into()),
        Protocol::Ip6(address) => Some(address.into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_address_is_found() {
        let check = |listening: &[&str], outward: Option<&str>, expected: Option<&str>| {
            let read = |text: &str| text.parse::<IpAddr>().expect("an address");
            let listening: Vec<IpAddr> = listening.iter().map(|text| read(text)).collect();
            assert_eq!(best(&listening, outward.map(read)), expected.map(read), "{listening:?}");
        };
        check(&[], None, None);
        check(&["127.0.0.1", "::1"], None, Some("127.0.0.1"));
        check(&["127.0.0.1", "::1"], Some("10.0.0.1"), Some("127.0.0.1"));
        check(
            &["127.0.0.1", "fe80::1", "172.17.0.1", "192.168.0.7"],
            Some("192.168.0.7"),
            Some("192.168.0.7"),
        );
        check(&["10.0.0.1", "203.0.113.9", "2001:db8::1"], None, Some("203.0.113.9"));
        check(&["10.0.0.1", "2001:db8::1"], None, Some("2001:db8::1"));
        check(&["fe80::1", "127.0.0.1"], None, Some("127.0.0.1"));
    }

    #[test]
    fn loopback_is_told_only_where_there_is_nothing_else() {
        let settings = |public: &str| {
            let text = format!("[node]\nname = \"x\"\npublic_address = \"{public}\"\n");
            super::super::settings::checked(&text, &Default::default()).expect("good settings")
        };
        let check = |public: &str, listening: &[&str], expected: &[&str]| {
            let read = |text: &&str| text.parse::<Multiaddr>().expect("an address");
            let listening: Vec<Multiaddr> = listening.iter().map(read).collect();
            let expected: Vec<Multiaddr> = expected.iter().map(read).collect();
            assert_eq!(addresses(&settings(public), &listening), expected);
        };
        let loopback = "/ip4/127.0.0.1/tcp/1";
        check("", &[loopback], &[loopback]);
        check(
            "",
            &[loopback, "/ip4/10.0.0.1/tcp/1", "/ip6/fe80::1/tcp/1"],
            &["/ip4/10.0.0.1/tcp/1"],
        );
        check(
            "node.example",
            &[loopback],
            &["/dns/node.example/tcp/4852", "/dns/node.example/udp/4852/quic-v1"],
        );
        check(
            "192.0.2.1",
            &[],
            &["/ip4/192.0.2.1/tcp/4852", "/ip4/192.0.2.1/udp/4852/quic-v1"],
        );
    }
}
