//! One stream per request, on a connection of the caller's choice: [`Streams`].
//!
//! `libp2p-stream` hands incoming streams over a channel with one place and drops what does not fit: when a peer asks
//! for several bodies at once, all requests but one are lost. It also dials by itself. Hence this behaviour of our own:
//! incoming streams wait in the connection, up to a bound, and the connection's back-pressure does the rest.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
    time::Duration,
};

use futures::channel::oneshot;
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol,
    core::{Endpoint, transport::PortUse, upgrade::ReadyUpgrade},
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
        NotifyHandler, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};
use starfish_protocol::wire::REQUEST_PROTOCOL;

/// Incoming streams that one connection may hold before the node has taken them; later ones are reset.
const WAITING: usize = 128;
/// How long the other side may take to agree on the protocol.
const NEGOTIATION: Duration = Duration::from_secs(10);
const PROTOCOL: StreamProtocol = StreamProtocol::new(REQUEST_PROTOCOL);

/// The behaviour.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    events: VecDeque<ToSwarm<Incoming, Open>>,
}

/// A peer opened a stream.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) peer: PeerId,
    pub(crate) stream: Stream,
}

/// Asks a connection for a stream.
#[derive(Debug)]
pub(crate) struct Open(oneshot::Sender<Stream>);

impl Streams {
    /// Opens a stream. The receiver is cancelled when there will be none.
    pub(crate) fn open(&mut self, peer_id: PeerId, connection: ConnectionId) -> oneshot::Receiver<Stream> {
        let (open, opened) = oneshot::channel();
        let handler = NotifyHandler::One(connection);
        self.events.push_back(ToSwarm::NotifyHandler {
            peer_id,
            handler,
            event: Open(open),
        });
        opened
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = Incoming;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, peer: PeerId, _: ConnectionId, stream: THandlerOutEvent<Self>) {
        self.events.push_back(ToSwarm::GenerateEvent(Incoming { peer, stream }));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        // No waker is kept: events come from the swarm's own poll or from the loop that polls the swarm next.
        self.events.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// The part of one connection.
#[derive(Debug, Default)]
pub(crate) struct Handler {
    wanted: VecDeque<Open>,
    incoming: VecDeque<Stream>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Stream;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Open;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, Self::InboundOpenInfo> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()).with_timeout(NEGOTIATION)
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>> {
        // As above: every change of these queues comes from the connection's own poll.
        while let Some(open) = self.wanted.pop_front() {
            if open.0.is_canceled() {
                continue;
            }
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), open).with_timeout(NEGOTIATION);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        match self.incoming.pop_front() {
            Some(stream) => Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(stream)),
            None => {
                // Most connections have a stream now and then, and no room of their own between.
                self.incoming.shrink_to_fit();
                Poll::Pending
            }
        }
    }

    fn on_behaviour_event(&mut self, open: Open) {
        self.wanted.push_back(open);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<
            '_,
            Self::InboundProtocol,
            Self::OutboundProtocol,
            Self::InboundOpenInfo,
            Self::OutboundOpenInfo,
        >,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. })
                if self.incoming.len() < WAITING =>
            {
                self.incoming.push_back(protocol);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, info }) => {
                // Whoever asked may have given up; the stream is then reset by its drop.
                let _ = info.0.send(protocol);
            }
            // A stream too many is reset by its drop; one that could not be opened is answered by the drop of its sender.
            _ => {}
        }
    }
}
