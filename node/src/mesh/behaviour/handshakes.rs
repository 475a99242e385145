//! Bounds the handshakes that one address may have under way: [`Handshakes`].
//!
//! Whoever opens connections and says nothing holds a place for each until the handshake's time is up. Without this
//! bound one address could hold all of them, and nobody else would get in, over TCP or QUIC.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt,
    net::{IpAddr, Ipv6Addr},
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse, util::unreachable},
    multiaddr::Protocol,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, ListenFailure, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, dummy,
    },
};

/// How many leading bits of an IPv6 address name a site: its owner has all the others to choose from.
const SITE_BITS: u32 = 64;

/// The behaviour.
#[derive(Debug)]
pub(crate) struct Handshakes {
    most: u32,
    most_loopback: u32,
    pending: BTreeMap<ConnectionId, IpAddr>,
    counts: BTreeMap<IpAddr, u32>,
}

/// Too many handshakes of one address are under way.
#[derive(Debug)]
struct Crowded(IpAddr);

impl fmt::Display for Crowded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "too many handshakes with {} are under way", self.0)
    }
}

impl std::error::Error for Crowded {}

impl Handshakes {
    /// So many for each address, and so many for one of the loopback network.
    pub(crate) fn new(most: u32, most_loopback: u32) -> Self {
        Self {
            most,
            most_loopback,
            pending: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    fn begun(&mut self, connection: ConnectionId, address: &Multiaddr) -> Result<(), Crowded> {
        // Other transports do not know where a connection comes from.
        let Some(site) = site_of(address) else { return Ok(()) };
        let most = if site.is_loopback() {
            self.most_loopback
        } else {
            self.most
        };
        let count = self.counts.get(&site).copied().unwrap_or_default();
        if count >= most {
            return Err(Crowded(site));
        }
        self.counts.insert(site, count + 1);
        self.pending.insert(connection, site);
        Ok(())
    }

    fn ended(&mut self, connection: ConnectionId) {
        let Some(site) = self.pending.remove(&connection) else {
            return;
        };
        let count = self.counts.remove(&site).unwrap_or_default();
        if count > 1 {
            self.counts.insert(site, count - 1);
        }
    }
}

/// Where an address is, as far as it says so: an IPv4 address, or the site of an IPv6 address.
fn site_of(address: &Multiaddr) -> Option<IpAddr> {
    let address = match address.iter().next()? {
        Protocol::Ip4(address) => IpAddr::from(address),
        Protocol::Ip6(address) => IpAddr::from(address).to_canonical(),
        _ => return None,
    };
    match address {
        IpAddr::V6(address) if !address.is_loopback() => {
            let site = address.to_bits() >> (u128::BITS - SITE_BITS) << (u128::BITS - SITE_BITS);
            Some(Ipv6Addr::from_bits(site).into())
        }
        other => Some(other),
    }
}

impl NetworkBehaviour for Handshakes {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.begun(connection, remote).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.ended(connection);
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) = event {
            self.ended(connection_id);
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        unreachable(event)
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handshakes_are_counted_by_site() {
        // Of five handshakes from these addresses in turn, how many may begin.
        let check = |addresses: &[&str], expected: usize| {
            let mut handshakes = Handshakes::new(2, 3);
            let begun = (0..5).filter(|number| {
                let address = addresses[number % addresses.len()].parse().expect("an address");
                handshakes.begun(ConnectionId::new_unchecked(*number), &address).is_ok()
            });
            assert_eq!(begun.count(), expected, "{addresses:?}");
        };
        check(&["/ip4/192.0.2.1/tcp/1"], 2);
        check(&["/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/udp/2/quic-v1"], 2);
        check(&["/ip4/192.0.2.1/tcp/1", "/ip6/::ffff:192.0.2.1/tcp/1"], 2);
        check(&["/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.2/tcp/1"], 4);
        check(&["/ip6/2001:db8::1/tcp/1", "/ip6/2001:db8::2:0:0:1/tcp/1"], 2);
        check(&["/ip6/2001:db8::1/tcp/1", "/ip6/2001:db8:0:1::1/tcp/1"], 4);
        check(&["/ip4/127.0.0.1/tcp/1"], 3);
        check(&["/ip6/::1/tcp/1"], 3);
        check(&["/memory/1"], 5);
    }

    #[test]
    fn an_end_makes_room() {
        let mut handshakes = Handshakes::new(1, 1);
        let address: Multiaddr = "/ip4/192.0.2.1/tcp/1".parse().expect("an address");
        for number in 0..3 {
            let connection = ConnectionId::new_unchecked(number);
            assert!(handshakes.begun(connection, &address).is_ok());
            assert!(handshakes.begun(ConnectionId::new_unchecked(9), &address).is_err());
            handshakes.ended(ConnectionId::new_unchecked(9));
            handshakes.ended(connection);
            handshakes.ended(connection);
        }
        assert!(handshakes.pending.is_empty() && handshakes.counts.is_empty());
    }
}
