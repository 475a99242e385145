//! The libp2p behaviours of a node, put together: gossip, requests, identify, ping, and what keeps others in bounds.

pub(crate) mod apart;
pub(crate) mod confided;
pub(crate) mod gossip;
pub(crate) mod handshakes;
mod lean;
pub(crate) mod streams;

use std::time::Duration;

use libp2p::{
    allow_block_list::{self, BlockedPeers},
    connection_limits::{self, ConnectionLimits},
    identify,
    identity::Keypair,
    memory_connection_limits,
    metrics::Registry,
    ping,
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
};
use starfish_protocol::{community::Community, wire::Channel};

use self::{
    apart::Apart,
    confided::Confided,
    gossip::{BadParameters, Gossipsub},
    handshakes::Handshakes,
    lean::lean,
    streams::Streams,
};
use super::settings::MeshSettings;

/// Identify's protocol family.
const FAMILY: &str = "/starfish/1";
/// Two while both sides settle which of two simultaneous dials stays.
const CONNECTIONS_PER_PEER: u32 = 2;
/// Time between pings; two lost ones end the connection.
const PING_EVERY: Duration = Duration::from_secs(15);
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// All behaviours. Those that refuse connections come first, so that nothing else sees what they refuse.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) blocked: allow_block_list::Behaviour<BlockedPeers>,
    pub(crate) handshakes: Handshakes,
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) memory: Toggle<memory_connection_limits::Behaviour>,
    pub(crate) gossip: Apart<Gossipsub>,
    pub(crate) seldom: Apart<Seldom>,
}

/// Those that have something to do now and then. Their handlers sleep together while gossip goes through a connection.
#[derive(NetworkBehaviour)]
pub(crate) struct Seldom {
    pub(crate) ping: ping::Behaviour,
    pub(crate) identify: identify::Behaviour,
    pub(crate) green: Confided,
    pub(crate) streams: Streams,
}

impl Behaviour {
    /// The gossipsub that a channel belongs to.
    pub(crate) fn gossip_of(&mut self, channel: Channel) -> &mut Gossipsub {
        match channel {
            Channel::Clear | Channel::Statements => &mut self.gossip,
            Channel::Green => &mut self.seldom.green.gossip,
        }
    }

    pub(crate) fn new(
        key: &Keypair,
        community: &Community,
        settings: &MeshSettings,
        mut registry: Option<&mut Registry>,
    ) -> Result<Self, BadParameters> {
        let identify = identify::Config::new(FAMILY.to_owned(), key.public())
            .with_agent_version(settings.agent.clone())
            // Addresses spread through signed endpoint statements; what identify says about them is nobody's word.
            .with_hide_listen_addrs(true)
            .with_cache_size(0);
        let ping = ping::Config::new().with_interval(PING_EVERY).with_timeout(PING_TIMEOUT);
        let memory = settings.limits.memory.and_then(|bytes| usize::try_from(bytes).ok());
        Ok(Self {
            blocked: allow_block_list::Behaviour::default(),
            handshakes: Handshakes::new(settings.limits.pending_per_address, settings.limits.pending_loopback),
            limits: connection_limits::Behaviour::new(limits(settings)),
            memory: memory.map(memory_connection_limits::Behaviour::with_max_bytes).into(),
            gossip: lean(gossip::gossipsub(community, settings, registry.as_deref_mut())?),
            seldom: Apart::new(Seldom {
                ping: ping::Behaviour::new(ping),
                identify: identify::Behaviour::new(identify),
                green: Confided::new(gossip::confided(community, settings, registry)?),
                streams: Streams::default(),
            }),
        })
    }
}

fn limits(settings: &MeshSettings) -> ConnectionLimits {
    let limits = &settings.limits;
    ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits.pending_inbound))
        .with_max_pending_outgoing(Some(limits.pending_outbound))
        .with_max_established_incoming(Some(limits.inbound))
        .with_max_established(Some(limits.connections))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER))
}
