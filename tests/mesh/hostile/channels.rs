//! Streams of any protocol, both ways, as a libp2p behaviour: [`Channels`]. `libp2p-stream` drops what comes while another stream
//! waits to be taken, and a victim may ask for many bodies at once.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use futures::channel::oneshot;
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol,
    core::{
        Endpoint,
        transport::PortUse,
        upgrade::{InboundUpgrade, ReadyUpgrade, UpgradeInfo},
    },
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
        NotifyHandler, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};

/// A stream that is wanted; it is dropped when there will be none.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) protocol: StreamProtocol,
    pub(super) opened: oneshot::Sender<Stream>,
}

/// A stream that the other side opened.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) protocol: StreamProtocol,
    pub(super) stream: Stream,
}

/// The behaviour.
pub(super) struct Channels {
    accepted: Vec<StreamProtocol>,
    events: VecDeque<ToSwarm<Incoming, Wanted>>,
}

impl Channels {
    pub(super) fn new(accepted: &[StreamProtocol]) -> Self {
        Self {
            accepted: accepted.to_vec(),
            events: VecDeque::new(),
        }
    }

    pub(super) fn open(&mut self, peer_id: PeerId, wanted: Wanted) {
        self.events.push_back(ToSwarm::NotifyHandler {
            peer_id,
            handler: NotifyHandler::Any,
            event: wanted,
        });
    }

    fn handler(&self) -> Handler {
        Handler {
            accepted: self.accepted.clone(),
            wanted: VecDeque::new(),
            incoming: VecDeque::new(),
        }
    }
}

impl NetworkBehaviour for Channels {
    type ConnectionHandler = Handler;
    type ToSwarm = Incoming;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, incoming: THandlerOutEvent<Self>) {
        self.events.push_back(ToSwarm::GenerateEvent(incoming));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        // No waker is kept: events come from the swarm's own poll or from the loop that polls the swarm next.
        self.events.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// The part of one connection.
pub(super) struct Handler {
    accepted: Vec<StreamProtocol>,
    wanted: VecDeque<Wanted>,
    incoming: VecDeque<Incoming>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Wanted;
    type ToBehaviour = Incoming;
    type InboundProtocol = Accepted;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = oneshot::Sender<Stream>;

    fn listen_protocol(&self) -> SubstreamProtocol<Accepted> {
        SubstreamProtocol::new(Accepted(self.accepted.clone()), ())
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Incoming>> {
        if let Some(Wanted { protocol, opened }) = self.wanted.pop_front() {
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(protocol), opened);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        match self.incoming.pop_front() {
            Some(incoming) => Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(incoming)),
            None => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, wanted: Wanted) {
        self.wanted.push_back(wanted);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Accepted, Self::OutboundProtocol, (), Self::OutboundOpenInfo>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                self.incoming.push_back(protocol);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, info }) => {
                // Whoever asked may have given up.
                let _ = info.send(protocol);
            }
            // Dropping the sender is the answer.
            _ => {}
        }
    }
}

/// Any of some protocols, told apart afterwards.
pub(super) struct Accepted(Vec<StreamProtocol>);

impl UpgradeInfo for Accepted {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Accepted {
    type Output = Incoming;
    type Error = Infallible;
    type Future = Ready<Result<Incoming, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok(Incoming { protocol, stream }))
    }
}
