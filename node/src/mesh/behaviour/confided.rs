//! The mesh of what is TLP:GREEN: a second gossipsub, with protocol names of its own, that a connection has or has not
//! (design, protocol 5).
//!
//! Gossipsub's blacklist, scores and subscription filters do not keep a message from a subscriber. So a connection with a
//! peer that may not be told has a dummy in the place of gossipsub's handler, and gossipsub never hears of that peer. When a
//! right is lost gossipsub is told at once that the peer is gone, whatever has become of its connection by then.

use std::{
    collections::{BTreeMap, BTreeSet},
    task::{Context, Poll},
};

use either::Either;
use libp2p::{
    Multiaddr, PeerId,
    core::{ConnectedPoint, Endpoint, transport::PortUse, util::unreachable},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
        ToSwarm,
        behaviour::{ConnectionClosed, ConnectionEstablished},
        dummy,
    },
};

use super::gossip::Gossipsub;

/// The behaviour.
pub(crate) struct Confided {
    /// Knows those who may be told, and nobody else.
    pub(crate) gossip: Gossipsub,
    may: BTreeSet<PeerId>,
    /// The connections that gossipsub has, and where they lead once they are up.
    open: BTreeMap<(PeerId, ConnectionId), Option<ConnectedPoint>>,
    /// Nobody may be told anything now, and all that was to do is done: gossipsub's heartbeats would wake the node for
    /// nothing. Most nodes confide in nobody.
    rests: bool,
}

impl Confided {
    /// Nobody may be told yet.
    pub(crate) fn new(gossip: Gossipsub) -> Self {
        Self {
            gossip,
            may: BTreeSet::new(),
            open: BTreeMap::new(),
            rests: false,
        }
    }

    /// This peer may be told, over connections that begin from now on.
    pub(crate) fn allow(&mut self, peer: PeerId) {
        self.may.insert(peer);
    }

    /// This peer is told nothing more.
    pub(crate) fn forbid(&mut self, peer: PeerId) {
        self.may.remove(&peer);
        let open: Vec<ConnectionId> = self.connections(&peer).map(|(connection, _)| connection).collect();
        for connection in open {
            if let Some(Some(endpoint)) = self.open.remove(&(peer, connection)) {
                let closed = ConnectionClosed {
                    peer_id: peer,
                    connection_id: connection,
                    endpoint: &endpoint,
                    cause: None,
                    remaining_established: 0,
                };
                self.closed(closed);
            }
        }
    }

    /// Whether a peer may be told, over whichever connection.
    pub(crate) fn may(&self, peer: &PeerId) -> bool {
        self.may.contains(peer)
    }

    /// Whether a peer may be told and one of its connections is made for that.
    pub(crate) fn reaches(&self, peer: &PeerId) -> bool {
        self.connections(peer).next().is_some()
    }

    fn connections(&self, peer: &PeerId) -> impl Iterator<Item = (ConnectionId, &Option<ConnectedPoint>)> {
        let peer = *peer;
        // Connection ids have no smallest one by name, but one.
        let first = (peer, ConnectionId::new_unchecked(0));
        self.open
            .range(first..)
            .take_while(move |((whose, _), _)| *whose == peer)
            .map(|((_, connection), endpoint)| (*connection, endpoint))
    }

    fn begin(&mut self, peer: PeerId, connection: ConnectionId) {
        self.open.insert((peer, connection), None);
        self.rests = false;
    }

    /// Gossipsub counts the connections that it has, of which others may be more.
    fn closed(&mut self, closed: ConnectionClosed<'_>) {
        let remaining_established = self.connections(&closed.peer_id).count();
        self.gossip
            .on_swarm_event(FromSwarm::ConnectionClosed(ConnectionClosed {
                remaining_established,
                ..closed
            }));
    }

    fn established(&mut self, established: ConnectionEstablished<'_>) {
        let key = (established.peer_id, established.connection_id);
        let Some(place) = self.open.get_mut(&key) else { return };
        *place = Some(established.endpoint.clone());
        let other_established = self.connections(&established.peer_id).count().saturating_sub(1);
        let established = ConnectionEstablished {
            other_established,
            ..established
        };
        self.gossip
            .on_swarm_event(FromSwarm::ConnectionEstablished(established));
    }
}

impl NetworkBehaviour for Confided {
    type ConnectionHandler = Either<THandler<Gossipsub>, dummy::ConnectionHandler>;
    type ToSwarm = <Gossipsub as NetworkBehaviour>::ToSwarm;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if !self.may.contains(&peer) {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        self.begin(peer, connection);
        let handler = self
            .gossip
            .handle_established_inbound_connection(connection, peer, local, remote);
        handler.map(Either::Left)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if !self.may.contains(&peer) {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        self.begin(peer, connection);
        let handler = self
            .gossip
            .handle_established_outbound_connection(connection, peer, address, role, port);
        handler.map(Either::Left)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(established) => self.established(established),
            FromSwarm::ConnectionClosed(closed) => {
                // One that a right ended is gone already.
                if self.open.remove(&(closed.peer_id, closed.connection_id)).is_some() {
                    self.closed(closed);
                }
            }
            FromSwarm::AddressChange(change) => {
                if let Some(place) = self.open.get_mut(&(change.peer_id, change.connection_id)) {
                    *place = Some(change.new.clone());
                    self.gossip.on_swarm_event(event);
                }
            }
            event => self.gossip.on_swarm_event(event),
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {
            Either::Left(event) if self.open.contains_key(&(peer, connection)) => {
                self.gossip.on_connection_handler_event(peer, connection, event);
            }
            // What was on its way from a peer when its right was lost.
            Either::Left(_) => {}
            Either::Right(event) => unreachable(event),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if self.rests {
            return Poll::Pending;
        }
        let polled = self.gossip.poll(cx);
        self.rests = polled.is_pending() && self.open.is_empty();
        // Gossipsub names the connection that an event is for, and knows none with a dummy.
        polled.map(|event| event.map_in(Either::Left))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use libp2p::gossipsub::IdentTopic;
    use starfish_protocol::{community::Community, wire::Channel};

    use super::*;
    use crate::mesh::{MeshSettings, behaviour::gossip};

    fn confided() -> (Confided, IdentTopic) {
        let community = Community::named("test");
        let gossip = gossip::confided(&community, &MeshSettings::default(), None).expect("its defaults");
        (Confided::new(gossip), gossip::topic(&community, Channel::Green))
    }

    fn address() -> Multiaddr {
        "/memory/1".parse().expect("an address")
    }

    /// A connection begins; whether it was made for what is GREEN.
    fn connect(confided: &mut Confided, peer: PeerId, number: usize) -> bool {
        let connection = ConnectionId::new_unchecked(number);
        let handler = confided
            .handle_established_inbound_connection(connection, peer, &address(), &address())
            .expect("nobody is refused");
        let endpoint = ConnectedPoint::Listener {
            local_addr: address(),
            send_back_addr: address(),
        };
        confided.on_swarm_event(FromSwarm::ConnectionEstablished(ConnectionEstablished {
            peer_id: peer,
            connection_id: connection,
            endpoint: &endpoint,
            failed_addresses: &[],
            other_established: 0,
        }));
        handler.is_left()
    }

    fn close(confided: &mut Confided, peer: PeerId, number: usize) {
        let endpoint = ConnectedPoint::Listener {
            local_addr: address(),
            send_back_addr: address(),
        };
        confided.on_swarm_event(FromSwarm::ConnectionClosed(ConnectionClosed {
            peer_id: peer,
            connection_id: ConnectionId::new_unchecked(number),
            endpoint: &endpoint,
            cause: None,
            remaining_established: 0,
        }));
    }

    /// Whether gossipsub has the peer at all.
    fn knows(confided: &Confided, peer: PeerId) -> bool {
        confided.gossip.all_peers().any(|(known, _)| *known == peer)
    }

    #[test]
    fn gossipsub_never_hears_of_those_who_may_not_be_told() {
        let (mut confided, _) = confided();
        let (friend, other) = (PeerId::random(), PeerId::random());
        confided.allow(friend);
        assert!(connect(&mut confided, friend, 1) && !connect(&mut confided, other, 2));
        assert_eq!((knows(&confided, friend), knows(&confided, other)), (true, false));
        assert_eq!((confided.reaches(&friend), confided.reaches(&other)), (true, false));
        close(&mut confided, other, 2);
        close(&mut confided, friend, 1);
        assert!(!knows(&confided, friend) && confided.open.is_empty());
    }

    #[test]
    fn a_right_that_is_lost_is_lost_before_the_connection_is() {
        let (mut confided, topic) = confided();
        let friend = PeerId::random();
        confided.allow(friend);
        assert!(connect(&mut confided, friend, 1) && connect(&mut confided, friend, 2));
        confided.forbid(friend);
        assert!(!knows(&confided, friend) && !confided.reaches(&friend));
        assert!(confided.gossip.publish(topic, b"something".to_vec()).is_err());
        // The end of the connections follows, and a new one is of the other kind.
        close(&mut confided, friend, 1);
        assert!(!connect(&mut confided, friend, 3));
        close(&mut confided, friend, 2);
        assert!(!knows(&confided, friend));
    }

    #[test]
    fn a_right_that_is_gained_counts_from_the_next_connection_on() {
        let (mut confided, _) = confided();
        let friend = PeerId::random();
        assert!(!connect(&mut confided, friend, 1));
        confided.allow(friend);
        assert!(!confided.reaches(&friend) && !knows(&confided, friend));
        assert!(connect(&mut confided, friend, 2));
        close(&mut confided, friend, 1);
        assert!(confided.reaches(&friend) && knows(&confided, friend));
    }

    #[test]
    fn gossipsub_rests_while_nobody_may_be_told() {
        let (mut confided, _) = confided();
        let rests = |confided: &mut Confided| {
            let mut context = Context::from_waker(Waker::noop());
            while confided.poll(&mut context).is_ready() {}
            confided.rests
        };
        assert!(rests(&mut confided));
        let (friend, other) = (PeerId::random(), PeerId::random());
        connect(&mut confided, other, 1);
        assert!(rests(&mut confided));
        confided.allow(friend);
        connect(&mut confided, friend, 2);
        assert!(!rests(&mut confided));
        close(&mut confided, friend, 2);
        assert!(rests(&mut confided));
    }
}
