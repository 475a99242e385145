//! Addresses and networks of either family, in one normal form each.
//!
//! An IPv4 address that is written inside an IPv6 one (`::ffff:192.0.2.1`) is the IPv4 address. A network has its host
//! bits cleared, and one that holds a single address is that address.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// An address; never an IPv4-mapped IPv6 one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(IpAddr);

impl Address {
    /// The normal form of any address.
    pub fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The address.
    pub fn ip(&self) -> IpAddr {
        self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A network of more than one address, with its host bits cleared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

/// What a prefix denotes once it is normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Address(Address),
    Network(Network),
}

impl Network {
    /// The network.
    pub fn net(&self) -> IpNet {
        self.0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Clears the host bits; a mapped IPv4 network becomes an IPv4 one, and a full prefix an address.
pub(super) fn block(net: IpNet) -> Block {
    let net = unmapped(net).trunc();
    if net.prefix_len() == net.max_prefix_len() {
        Block::Address(Address::new(net.network()))
    } else {
        Block::Network(Network(net))
    }
}

fn unmapped(net: IpNet) -> IpNet {
    let IpNet::V6(six) = net else { return net };
    let Some(four) = six.trunc().addr().to_ipv4_mapped() else {
        return net;
    };
    match six
        .prefix_len()
        .checked_sub(96)
        .and_then(|prefix| Ipv4Net::new(four, prefix).ok())
    {
        Some(four) => IpNet::V4(four),
        None => net,
    }
}

/// An IPv4 network, if it is normal.
pub(super) fn network4(address: Ipv4Addr, prefix: u8) -> Option<Network> {
    normal_network(Ipv4Net::new(address, prefix).ok()?.into())
}

/// An IPv6 network, if it is normal.
pub(super) fn network6(address: Ipv6Addr, prefix: u8) -> Option<Network> {
    normal_network(Ipv6Net::new(address, prefix).ok()?.into())
}

fn normal_network(net: IpNet) -> Option<Network> {
    match block(net) {
        Block::Network(network) if network.0 == net => Some(network),
        _ => None,
    }
}
