//! Every number of the mesh in one place: [`MeshSettings`], shared by the daemon's configuration and the simulator's
//! scenarios. The defaults are the design's (protocol 6, 8).

use libp2p::Multiaddr;
use serde::{Deserialize, Serialize};
use starfish_protocol::limits;

/// How a node takes part in the mesh.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeshSettings {
    /// Local addresses.
    pub listen: Vec<Multiaddr>,
    /// Peers that are dialled whatever else happens; a `/p2p/` part pins who must answer.
    pub dial: Vec<Multiaddr>,
    /// How gossip spreads.
    pub gossip: GossipParameters,
    /// What others may cost.
    pub limits: Limits,
    /// The name and version that identify shows.
    pub agent: String,
}

/// Gossipsub's parameters. Times in ms. Every one is set on purpose: several defaults of libp2p are wrong here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GossipParameters {
    /// Mesh peers wanted per channel.
    pub mesh: usize,
    /// Below so many, more are sought.
    pub mesh_low: usize,
    /// Above so many, some are let go.
    pub mesh_high: usize,
    /// At least so many of them dialled by this node: who only accepts can be surrounded.
    pub mesh_outbound: usize,
    /// Peers outside the mesh that are told at each heartbeat which messages exist. Half of those that a node with twelve
    /// connections has there: over six heartbeats, one of 64 is told nothing, and others tell it as well.
    pub lazy: usize,
    /// The same as a share of all peers, in percent.
    pub lazy_percent: u8,
    /// Heartbeats for which a message stays in the cache; later answers to `Validate` come too late.
    pub history: usize,
    /// Of these, the ones that are told to the lazy peers.
    pub history_gossip: usize,
    /// Time between heartbeats.
    pub heartbeat: u64,
    /// Wait before the first one; libp2p's 5 s would keep a new node out of every mesh.
    pub first_heartbeat: u64,
    /// How long a message id is remembered.
    pub duplicate_cache: u64,
    /// Messages that may wait for one peer.
    pub queue: usize,
    /// How long a message of ours may wait in it.
    pub publish_wait: u64,
    /// How long a forwarded one may.
    pub forward_wait: u64,
    /// How long a peer that was pruned may not graft again.
    pub prune_backoff: u64,
    /// The same after it unsubscribed.
    pub unsubscribe_backoff: u64,
    /// From how many bytes on duplicates are worth a notice that prevents them.
    pub notice_bytes: usize,
}

impl GossipParameters {
    /// What does not fit together, and what would; none when all does.
    pub fn contradiction(&self) -> Option<&'static str> {
        let rules = [
            (
                0 < self.mesh_low && self.mesh_low <= self.mesh && self.mesh <= self.mesh_high,
                "mesh must lie between mesh_low, which is 1 or more, and mesh_high",
            ),
            (
                self.mesh_outbound < self.mesh_low && 2 * self.mesh_outbound <= self.mesh,
                "mesh_outbound must be less than mesh_low, and at most half of mesh",
            ),
            (
                0 < self.history_gossip && self.history_gossip <= self.history,
                "history_gossip must be 1 or more, and at most history",
            ),
            (self.lazy_percent <= 100, "lazy_percent must be at most 100"),
            (self.heartbeat > 0, "heartbeat must be 1 ms or more"),
            (self.queue > 0, "queue must be 1 or more"),
        ];
        rules.into_iter().find_map(|(holds, rule)| (!holds).then_some(rule))
    }
}

impl Default for GossipParameters {
    fn default() -> Self {
        Self {
            mesh: 6,
            mesh_low: 4,
            mesh_high: 10,
            mesh_outbound: 3,
            lazy: 3,
            lazy_percent: 25,
            history: 12,
            history_gossip: 6,
            heartbeat: 700,
            first_heartbeat: 100,
            duplicate_cache: 900_000,
            queue: 512,
            publish_wait: 10_000,
            forward_wait: 5_000,
            prune_backoff: 60_000,
            unsubscribe_backoff: 10_000,
            // Each mesh peer is sent a notice, and most copies are on their way by then. For a message of 1.4 KB, notices and
            // what they prevent come to the same bytes, and a third of all frames are notices (simulations, 200 nodes).
            notice_bytes: 4_096,
        }
    }
}

/// What others may cost this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections, of every kind.
    pub connections: u32,
    /// Connections that others opened.
    pub inbound: u32,
    /// Handshakes that others began.
    pub pending_inbound: u32,
    /// Of these, the ones from one IPv4 address, or from one /64 of IPv6.
    pub pending_per_address: u32,
    /// The same for each address of the loopback network, behind which every node of this machine is.
    pub pending_loopback: u32,
    /// Dials under way.
    pub pending_outbound: u32,
    /// Up to so many connections, published addresses of other organisations are dialled.
    pub wanted: u32,
    /// No new connections while the process holds more bytes than this. None where a process is not one node.
    pub memory: Option<u64>,
    /// Gossip messages whose signatures are being checked.
    pub gossip_checks: usize,
    /// Of these, the ones that one peer brought; its next ones wait, and those of others pass them by.
    pub gossip_checks_per_peer: usize,
    /// Bytes of gossip of one peer that wait to be checked; beyond that it is not looked at.
    pub gossip_waiting: usize,
    /// What one peer may gossip at once, in messages; each begun 1,024 bytes beyond the first count as one more.
    pub gossip_burst: u64,
    /// How much of that it regains in a second. A peer that has used all of it up is out for a minute.
    pub gossip_per_second: u64,
    /// Streams that one peer may have open here.
    pub streams_per_peer: usize,
    /// Bodies that travel to one peer at a time.
    pub uploads_per_peer: usize,
    /// Bytes of bodies that wait for their turn, over all peers.
    pub upload_bytes: usize,
    /// Bytes of own bodies that wait to be pushed, over all peers.
    pub push_bytes: usize,
    /// Longer requests than this need one of `large_requests` places, in bytes.
    pub large_request: usize,
    /// Long requests that are read at the same time.
    pub large_requests: usize,
    /// How long a peer may take for the next 16 KiB, either way, in ms.
    pub patience: u64,
    /// Steps that may wait for the store; beyond that nothing more is taken from the network.
    pub waiting_steps: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            inbound: 192,
            // Each holds a socket and some 30 KiB for as long as a handshake may take. 32 hostile addresses are needed to
            // fill the places, and then only for those 5 s.
            pending_inbound: 256,
            // An organisation's nodes behind one address restart together; a handshake takes them well under a second.
            pending_per_address: 8,
            pending_loopback: 64,
            pending_outbound: 32,
            wanted: 12,
            memory: None,
            gossip_checks: 512,
            gossip_checks_per_peer: 64,
            // A thousand headers with bodies that ride along.
            gossip_waiting: 4 << 20,
            // Duplicates are not counted, so that this is what a peer brings first. A day of one large publisher is 110
            // headers, the quota of an organisation 1,024 at once and then 60 a minute: eight of them may burst through
            // the same peer, and a hundred may go on at their quota. What a flood leaves behind within these bounds: 8 MiB
            // in the message cache, and in the duplicate cache 200 bytes for each message of the last 15 min, 20 MB.
            gossip_burst: 8_192,
            gossip_per_second: 100,
            streams_per_peer: 96,
            uploads_per_peer: limits::UPLOADS_PER_PEER,
            upload_bytes: 64 << 20,
            push_bytes: 32 << 20,
            large_request: 4_096,
            large_requests: 64,
            patience: 10_000,
            waiting_steps: 256,
        }
    }
}

impl Default for MeshSettings {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            dial: Vec::new(),
            gossip: GossipParameters::default(),
            limits: Limits::default(),
            agent: concat!("starfish/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_contradict_each_other_are_named() {
        let check = |change: fn(&mut GossipParameters), word: &str| {
            let mut given = GossipParameters::default();
            change(&mut given);
            let found = given.contradiction().unwrap_or_default();
            assert!(found.contains(word), "{found}, not {word}");
        };
        assert_eq!(GossipParameters::default().contradiction(), None);
        check(|given| given.mesh = 500, "mesh_high");
        check(|given| given.mesh_low = 0, "mesh_low");
        check(|given| given.mesh_low = 7, "mesh_low");
        check(|given| given.mesh_outbound = 4, "mesh_outbound");
        check(|given| given.history = 1, "history_gossip");
        check(|given| given.history_gossip = 0, "history_gossip");
        check(|given| given.lazy_percent = 101, "lazy_percent");
        check(|given| given.heartbeat = 0, "heartbeat");
        check(|given| given.queue = 0, "queue");
    }
}
