//! The network between simulated nodes: [`Network`], which carries the bytes of libp2p's streams over links with latency,
//! limited bandwidth and faults.
//!
//! A connection is a muxer from the start: no handshake and no frames are computed, only their time passes. What runs on
//! its streams, protocol negotiation included, is real.
//!
//! | part | what it does |
//! |---|---|
//! | `wires` | hosts and links: how long bytes take, who cannot reach whom |
//! | `downlink` | what is on its way to a host, and when it arrives |
//! | `pipe` | one direction of a stream |
//! | `connection` | a connection between two hosts, as a muxer |
//! | `transport` | dialling and listening |
//! | `traffic` | bytes by host and kind |
//! | `kinds` | what a stream carries |

mod connection;
mod downlink;
pub mod kinds;
mod pipe;
mod traffic;
mod transport;
mod wires;

use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use libp2p::{
    Multiaddr, PeerId, Transport as _,
    core::{muxing::StreamMuxerBox, transport::Boxed},
    multiaddr::Protocol,
};
use serde::{Deserialize, Serialize};

use self::{connection::Connection, transport::Wire, wires::Wires};
pub use self::{
    traffic::{Count, Traffic},
    wires::{Links, Site},
};

/// The port of every simulated node.
const PORT: u16 = 4_001;

/// The network of one world; clones are the same one.
#[derive(Clone, Debug)]
pub struct Network(Arc<Mutex<Wires>>);

/// What a partition does to those whom it separates.
///
/// In order: of several, the first is what shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Separation {
    /// Connections break at once, and both ends see it.
    Cut,
    /// Connections stay and nothing arrives, until it ends or somebody gives up.
    BlackHole,
}

impl Network {
    /// A network of hosts at these sites.
    pub(crate) fn new(links: Links, sites: Vec<Site>) -> Self {
        Self(Arc::new(Mutex::new(Wires::new(links, sites))))
    }

    /// Nothing that runs under the lock can panic half-way through a change.
    fn wires(&self) -> MutexGuard<'_, Wires> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A network of the same hosts and lines, on which nothing has happened yet.
    pub(crate) fn twin(&self) -> Self {
        Self(Arc::new(Mutex::new(self.wires().twin())))
    }

    /// A transport for the node of this host; for one that is not started, a scenario can bring its own speaker.
    pub fn transport(&self, host: usize, peer: PeerId) -> Boxed<(PeerId, StreamMuxerBox)> {
        self.wires().set_peer(host, peer);
        Wire::new(self.clone(), host).boxed()
    }

    /// Where a host listens.
    pub fn address(&self, host: usize) -> Multiaddr {
        address_at(self.wires().ip(host))
    }

    /// Puts these partitions in place of all earlier ones. Each separates groups of hosts from each other, and those in no
    /// group are one more.
    pub(crate) fn partition(&self, partitions: &[(Vec<Vec<usize>>, Separation)]) {
        self.wires().partition(partitions);
        self.enforce();
    }

    /// Lets nothing pass between two hosts, beside any partition.
    pub(crate) fn block(&self, one: usize, other: usize, separation: Separation) {
        self.wires().block(one, other, separation);
        self.enforce();
    }

    /// Ends every partition and block.
    pub(crate) fn mend(&self) {
        self.wires().mend();
        self.enforce();
    }

    /// From now on, whoever asks this host for a body hears nothing: neither an answer nor the end of it.
    pub(crate) fn silence(&self, host: usize) {
        self.wires().silence(host);
    }

    /// From now on it is counted what these hosts and all others say to each other.
    pub(crate) fn turn_hostile(&self, hosts: impl IntoIterator<Item = usize>) {
        self.wires().traffic.turn_hostile(hosts);
    }

    /// Takes the power from a host: what is sent to it is lost, what it had still to send with it, and nobody is told.
    pub(crate) fn turn_off(&self, host: usize) {
        self.switch(host, true);
    }

    /// Gives it back. Whoever still holds a connection to what ran there before is told that it is gone.
    pub(crate) fn turn_on(&self, host: usize) {
        self.switch(host, false);
    }

    fn switch(&self, host: usize, is_off: bool) {
        let is_news = self.wires().switch(host, is_off);
        if is_news {
            self.enforce();
        }
    }

    /// Whether there are pairs of hosts between which nothing passes.
    pub(crate) fn has_blocks(&self) -> bool {
        self.wires().has_blocks()
    }

    /// Holds what is under way where nothing passes, breaks the connections over links that are cut, and lets those go on
    /// that nothing separates.
    fn enforce(&self) {
        self.wires().hold();
        for connection in self.living() {
            let [one, other] = connection.ends();
            let fault = self.wires().fault(one, other);
            match fault {
                Some(Separation::Cut) => connection.break_up(),
                Some(Separation::BlackHole) => {}
                None => connection.resume(),
            }
        }
    }

    fn living(&self) -> Vec<Arc<Connection>> {
        let connections = self.wires().connections();
        connections.iter().filter_map(Weak::upgrade).collect()
    }

    /// The pairs of hosts that are connected, the one that dialled first.
    pub fn connected(&self) -> BTreeSet<(usize, usize)> {
        let whole = |connection: &Arc<Connection>| !connection.is_broken();
        let ends = |connection: Arc<Connection>| connection.ends().into();
        self.living().into_iter().filter(whole).map(ends).collect()
    }

    /// What was sent so far.
    pub fn traffic(&self) -> Traffic {
        self.wires().traffic.clone()
    }

    /// How many bytes are on their way to each host, or wait for it to read them.
    pub fn queued(&self) -> Vec<usize> {
        self.wires().backlogs()
    }
}

fn now() -> u64 {
    // While a world is torn down there is no time, and nothing waits for any.
    starfish_sim_kernel::now().unwrap_or(u64::MAX)
}

fn address_at(ip: Ipv4Addr) -> Multiaddr {
    Multiaddr::empty().with(Protocol::Ip4(ip)).with(Protocol::Tcp(PORT))
}

/// The IP address of a simulated node's address.
fn ip_of(address: &Multiaddr) -> Option<Ipv4Addr> {
    let mut parts = address.iter();
    match (parts.next()?, parts.next()?, parts.next()) {
        (Protocol::Ip4(ip), Protocol::Tcp(PORT), None | Some(Protocol::P2p(_))) => Some(ip),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_back() {
        let check = |text: &str, ip: Option<[u8; 4]>| {
            let address = text.parse().expect("an address");
            assert_eq!(ip_of(&address), ip.map(Ipv4Addr::from), "{text}");
        };
        let peer = PeerId::random();
        check("/ip4/10.1.2.3/tcp/4001", Some([10, 1, 2, 3]));
        check(&format!("/ip4/10.1.2.3/tcp/4001/p2p/{peer}"), Some([10, 1, 2, 3]));
        check("/ip4/10.1.2.3/tcp/4002", None);
        check("/ip4/10.1.2.3/udp/4001/quic-v1", None);
        check("/ip4/10.1.2.3", None);
        assert_eq!(ip_of(&address_at([10, 0, 0, 9].into())), Some([10, 0, 0, 9].into()));
    }
}
