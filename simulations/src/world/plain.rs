//! Plain gossipsub beside the nodes, for comparison: each node has a twin, which dials whom the node dials, over a network of
//! its own with the same lines, and pushes whole bodies ([`Twins`]). What happens to a node happens to its twin.
//!
//! A twin checks, stores and catches up with nothing. None of that costs it any time: its figures are the best that pushing
//! can reach, with the same parameters and scores of gossip.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream as _, channel::mpsc, future::poll_fn};
use libp2p::{
    Multiaddr, PeerId, Swarm,
    gossipsub::{self, Behaviour, IdentTopic, MessageAcceptance, MessageAuthenticity},
    swarm::{Config, SwarmEvent, dial_opts::DialOpts},
};
use starfish_crypto::Digest;
use starfish_node::mesh::{GossipParameters, gossip_builder, gossip_join};
use starfish_protocol::limits;
use starfish_sim_kernel::{self as kernel, Owner, Sleep, sleep};

use super::{
    REDIAL, World,
    chronicle::{Chronicle, What},
};
use crate::network::{Network, Traffic};

/// The one topic of all twins.
const TOPIC: &str = "bodies";
/// The longest body and what frames it, twice: gossipsub loses frames near its limit when they are sent back to back.
const FRAME_BYTES: usize = 2 * limits::BODY_BYTES;
/// No connection of a world is idle for so long.
const IDLE: Duration = Duration::from_secs(400 * 86_400);

/// The twins of all nodes.
#[derive(Debug)]
pub(super) struct Twins {
    network: Network,
    chronicle: Arc<Chronicle>,
    /// How many nodes there are: the twins' numbers begin behind theirs, so that the twins' chance is none of theirs.
    nodes: usize,
    /// The way to each one that runs.
    pushing: BTreeMap<usize, mpsc::UnboundedSender<Vec<u8>>>,
}

impl Twins {
    /// Twins of so many nodes, on a network like this one.
    pub(super) fn new(nodes: usize, network: &Network, chronicle: &Arc<Chronicle>) -> Self {
        Self {
            network: network.twin(),
            chronicle: Arc::clone(chronicle),
            nodes,
            pushing: BTreeMap::new(),
        }
    }

    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    /// Ends a twin at once.
    pub(super) fn crash(&mut self, node: usize) {
        self.pushing.remove(&node);
        self.network.turn_off(node);
        kernel::kill(self.owner(node));
    }

    fn owner(&self, node: usize) -> Owner {
        Owner::node(self.nodes + node)
    }

    fn start(&mut self, node: usize, me: PeerId, dials: BTreeMap<PeerId, Multiaddr>, given: &Given) {
        self.network.turn_on(node);
        let (sender, bodies) = mpsc::unbounded();
        let (owner, transport) = (self.owner(node), self.network.transport(node, me));
        let make = || {
            let config = Config::with_executor(move |task| kernel::spawn(owner, task));
            let config = config.with_idle_connection_timeout(IDLE);
            let mut swarm = Swarm::new(transport, behaviour(given.gossip), me, config);
            swarm.listen_on(self.network.address(node)).expect("the port is free");
            swarm
        };
        let mut twin = Twin {
            swarm: kernel::inside(owner, make),
            again: dials.keys().map(|peer| (*peer, sleep(Duration::ZERO))).collect(),
            dials,
            bodies,
            passes_on: given.passes_on,
            node,
            chronicle: Arc::clone(&self.chronicle),
        };
        kernel::spawn(owner, poll_fn(move |cx| twin.go_on(cx)));
        self.pushing.insert(node, sender);
    }
}

/// What a twin has from its node's plan.
struct Given<'a> {
    gossip: &'a GossipParameters,
    passes_on: bool,
}

fn behaviour(given: &GossipParameters) -> Behaviour {
    let config = gossip_builder(given).max_transmit_size(FRAME_BYTES).build();
    let config = config.expect("a node has the same parameters, and started");
    let mut behaviour = Behaviour::new(MessageAuthenticity::Anonymous, config).expect("both are anonymous");
    gossip_join(&mut behaviour, &[topic()]).expect("no filter is set, and a node's scores fit together");
    behaviour
}

fn topic() -> IdentTopic {
    IdentTopic::new(TOPIC)
}

struct Twin {
    swarm: Swarm<Behaviour>,
    dials: BTreeMap<PeerId, Multiaddr>,
    /// Who is dialled when.
    again: Vec<(PeerId, Sleep)>,
    bodies: mpsc::UnboundedReceiver<Vec<u8>>,
    passes_on: bool,
    node: usize,
    chronicle: Arc<Chronicle>,
}

impl Twin {
    fn go_on(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(Some(body)) = Pin::new(&mut self.bodies).poll_next(cx) {
            // Without a peer it goes nowhere, and nobody repeats it: that is what plain gossipsub does.
            let _ = self.swarm.behaviour_mut().publish(topic(), body);
        }
        self.dial(cx);
        while let Poll::Ready(Some(event)) = Pin::new(&mut self.swarm).poll_next(cx) {
            match event {
                SwarmEvent::Behaviour(gossipsub::Event::Message {
                    propagation_source,
                    message_id,
                    message,
                }) => {
                    let digest = Digest::from_bytes(*blake3::hash(&message.data).as_bytes());
                    self.chronicle.note(Some(self.node), What::Pushed(digest));
                    let acceptance = if self.passes_on {
                        MessageAcceptance::Accept
                    } else {
                        MessageAcceptance::Ignore
                    };
                    let gossip = self.swarm.behaviour_mut();
                    gossip.report_message_validation_result(&message_id, &propagation_source, acceptance);
                }
                SwarmEvent::ConnectionClosed {
                    peer_id,
                    num_established: 0,
                    ..
                } => self.dial_again(peer_id),
                SwarmEvent::OutgoingConnectionError {
                    peer_id: Some(peer), ..
                } => self.dial_again(peer),
                _ => {}
            }
            self.dial(cx);
        }
        Poll::Pending
    }

    fn dial_again(&mut self, peer: PeerId) {
        if self.dials.contains_key(&peer) {
            self.again.retain(|(other, _)| *other != peer);
            self.again.push((peer, sleep(REDIAL)));
        }
    }

    fn dial(&mut self, cx: &mut Context<'_>) {
        let (swarm, dials) = (&mut self.swarm, &self.dials);
        self.again.retain_mut(|(peer, time)| {
            if Pin::new(time).poll(cx).is_pending() {
                return true;
            }
            let options = DialOpts::peer_id(*peer).addresses(dials.get(peer).cloned().into_iter().collect());
            // An error says that it is connected, or dialled already.
            let _ = swarm.dial(options.build());
            false
        });
    }
}

impl World {
    /// Starts a node's twin, if nodes have twins; the node itself does not need to run.
    pub fn start_twin(&mut self, node: usize) {
        let Some(twins) = &mut self.twins else { return };
        let plan = &self.plan[node];
        let place = |other: &usize| (self.cast.members[*other].peer, self.network.address(*other));
        let dials = plan.dials.iter().flatten().map(place).collect();
        let given = Given {
            gossip: &plan.settings.gossip,
            // Whoever has another store than its own keeps bodies from others; as gossip, it passes nothing on.
            passes_on: plan.keeper.is_none(),
        };
        twins.start(node, self.cast.members[node].peer, dials, &given);
    }

    /// Has a node's twin push a body to everyone, if nodes have twins and it runs.
    pub fn push(&self, node: usize, body: Vec<u8>) {
        let twin = self.twins.as_ref().and_then(|twins| twins.pushing.get(&node));
        if let Some(twin) = twin {
            // A twin lives as long as the way to it.
            let _ = twin.unbounded_send(body);
        }
    }

    /// What the twins sent so far, if there are any.
    pub fn pushed(&self) -> Option<Traffic> {
        self.twins.as_ref().map(|twins| twins.network.traffic())
    }
}
