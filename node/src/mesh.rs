//! The mesh layer: the pure rules of `starfish_protocol`, given a network, a store, clocks and threads.
//!
//! [`start`] makes a node from parts that all come from outside, and returns a [`Handle`] and a future that is the node:
//! whoever polls it runs the node, whoever drops it kills the node, at any point. Nothing here knows a socket, a file, a
//! runtime or another node of the same process.
//!
//! | part | what it does |
//! |---|---|
//! | `environment` | what a node takes from the world: [`Env`] |
//! | `settings` | every number: [`MeshSettings`] |
//! | `behaviour` | libp2p's protocols, put together |
//! | `intake` | gossip on its way to the rules |
//! | `exchange` | requests on streams, both ways |
//! | `peers` | one connection per peer, whom to dial, whose gossip went quiet |
//! | `keeper` | the store: [`Keeper`], and the one writer to it |
//! | `bell` | who was woken, of several things that one task waits for |
//! | `node` | the event loop between all of these and the rules |

mod behaviour;
mod bell;
pub mod environment;
pub mod event;
mod exchange;
mod figures;
pub mod handle;
mod intake;
pub mod keeper;
mod node;
mod peers;
mod reasons;
pub mod settings;
#[cfg(all(test, feature = "daemon"))]
mod tests;

use std::sync::Arc;

use futures::future::BoxFuture;
use libp2p::{
    Multiaddr, PeerId,
    core::{muxing::StreamMuxerBox, transport::Boxed, upgrade::Version},
    identity::Keypair,
    metrics::{Metrics, Registry},
    swarm::{Config, Swarm},
};
use starfish_crypto::SecretKey;
use starfish_protocol::{
    engine::{Engine, Setup},
    statement::Checker,
};

pub use self::{
    behaviour::gossip::{BadParameters, builder as gossip_builder, join as gossip_join},
    environment::{Cost, Env, Work},
    event::{CloseReason, Event},
    handle::{ConnectionView, DialError, Handle},
    keeper::{KeepError, Keeper},
    settings::{GossipParameters, Limits, MeshSettings},
};
use self::{
    behaviour::{Behaviour, gossip::Topics},
    figures::Figures,
    node::Node,
};

/// How long a connection without any stream stays. Peers are kept, not visited.
const IDLE: std::time::Duration = std::time::Duration::from_secs(3_600);
/// Streams of one connection whose protocol is not agreed on yet: all that may be open at a time.
const NEGOTIATING: usize = 128;

/// What a node is made of, beside its environment and settings.
pub struct Parts<'a> {
    /// The network, authenticated as this node's key.
    pub transport: Boxed<(PeerId, StreamMuxerBox)>,
    /// What the rules start from; its key is the node's.
    pub setup: Setup,
    /// The store.
    pub keeper: Arc<dyn Keeper>,
    /// Checks signatures and statements.
    pub checker: Arc<dyn Checker>,
    /// Where figures go, if they are wanted.
    pub registry: Option<&'a mut Registry>,
}

impl std::fmt::Debug for Parts<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Parts")
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}

/// Why a node could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Settings that contradict each other.
    #[error(transparent)]
    Parameters(#[from] BadParameters),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// Why.
        reason: String,
    },
}

/// Why a node ended by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeshError {
    /// The store could not keep what it was given; nothing that depends on it was told to anyone.
    #[error("the store failed: {0}")]
    Store(#[from] KeepError),
}

/// The node: polled until it ends.
pub type Running = BoxFuture<'static, Result<(), MeshError>>;

/// libp2p's form of a node key.
pub fn keypair(key: &SecretKey) -> Keypair {
    Keypair::ed25519_from_bytes(*key.seed()).expect("a seed has the 32 bytes of an Ed25519 key")
}

/// Makes a node. It listens when this returns, and does everything else while the future is polled.
///
/// # Errors
/// When the settings do not fit together, or an address cannot be listened on.
pub fn start(env: Arc<dyn Env>, settings: MeshSettings, parts: Parts<'_>) -> Result<(Handle, Running), StartError> {
    let Parts {
        transport,
        setup,
        keeper,
        checker,
        mut registry,
    } = parts;
    let key = keypair(&setup.key);
    let peer = key.public().to_peer_id();
    let metrics = registry.as_deref_mut().map(Metrics::new);
    let figures = Figures::new(registry.as_deref_mut());
    let behaviour = Behaviour::new(&key, &setup.community, &settings, registry)?;
    let executor = Arc::clone(&env);
    let config = Config::with_executor(move |task| executor.spawn(task))
        .with_idle_connection_timeout(IDLE)
        .with_max_negotiating_inbound_streams(NEGOTIATING)
        // QUIC first, TCP as the fall-back.
        .with_smart_dial()
        // The name of a protocol goes out together with the first bytes: one round trip less for each request.
        .with_substream_upgrade_protocol_override(Version::V1Lazy);
    let mut swarm = Swarm::new(transport, behaviour, peer, config);
    let mut listeners = Vec::with_capacity(settings.listen.len());
    for address in &settings.listen {
        let refused = |error: libp2p::TransportError<std::io::Error>| StartError::Listen {
            address: address.clone(),
            reason: reasons::of(&error),
        };
        listeners.push(swarm.listen_on(address.clone()).map_err(refused)?);
    }
    let (handle, orders) = Handle::new(peer);
    let topics = Topics::new(&setup.community);
    for blocked in setup.policy.blocked.iter().filter_map(peers::id_of) {
        swarm.behaviour_mut().blocked.block_peer(blocked);
    }
    let network = node::Network {
        swarm,
        metrics,
        figures,
        topics,
        listeners,
    };
    let engine = Engine::new(setup, checker.as_ref());
    let node = Node::new(env, settings, network, engine, keeper, checker, orders);
    Ok((handle, Box::pin(Box::new(node).run())))
}
