//! A behaviour whose handlers live apart from the connection that they belong to: [`Apart`].
//!
//! libp2p polls all handlers of a connection whenever one of them has something to do, and the task of a connection has room
//! for three of each, because it moves them when it ends. A handler that lives apart is polled when it was woken itself or
//! something happened to it, and takes its room once. Most wakings are gossip's: through these, ping, identify
//! and requests sleep on, and a node with twelve connections takes 150 kB less.
//!
//! What happens to a handler can be changed on its way there.

use std::{
    ops::{Deref, DerefMut},
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
        SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, handler::ConnectionEvent,
    },
};

use crate::mesh::bell::Bell;

/// What happens to a handler.
pub(crate) type EventFor<'a, H> = ConnectionEvent<
    'a,
    <H as ConnectionHandler>::InboundProtocol,
    <H as ConnectionHandler>::OutboundProtocol,
    <H as ConnectionHandler>::InboundOpenInfo,
    <H as ConnectionHandler>::OutboundOpenInfo,
>;

/// What is done to what happens to a handler before the handler hears of it.
type Change<H> = for<'a> fn(EventFor<'a, H>) -> EventFor<'a, H>;

/// The behaviour, which is otherwise as it was.
pub(crate) struct Apart<B: NetworkBehaviour> {
    behaviour: B,
    change: Change<B::ConnectionHandler>,
}

impl<B: NetworkBehaviour> Apart<B> {
    /// Its handlers hear of everything as it is.
    pub(crate) fn new(behaviour: B) -> Self {
        Self::changing(behaviour, |event| event)
    }

    /// Its handlers hear of everything after this change.
    pub(crate) fn changing(behaviour: B, change: Change<B::ConnectionHandler>) -> Self {
        Self { behaviour, change }
    }
}

impl<B: NetworkBehaviour> Deref for Apart<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.behaviour
    }
}

impl<B: NetworkBehaviour> DerefMut for Apart<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.behaviour
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Apart<B> {
    type ConnectionHandler = Sleeper<B::ConnectionHandler>;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.behaviour
            .handle_pending_inbound_connection(connection, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let handler = self
            .behaviour
            .handle_established_inbound_connection(connection, peer, local, remote);
        handler.map(|handler| Sleeper::new(handler, self.change))
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.behaviour
            .handle_pending_outbound_connection(connection, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let handler = self
            .behaviour
            .handle_established_outbound_connection(connection, peer, address, role, port);
        handler.map(|handler| Sleeper::new(handler, self.change))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.behaviour.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.behaviour.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.behaviour.poll(cx)
    }
}

/// A handler that sleeps until its bell rings.
pub(crate) struct Sleeper<H: ConnectionHandler> {
    handler: Box<H>,
    change: Change<H>,
    bell: Bell,
}

impl<H: ConnectionHandler> Sleeper<H> {
    fn new(handler: H, change: Change<H>) -> Self {
        Self {
            handler: Box::new(handler),
            change,
            bell: Bell::default(),
        }
    }
}

impl<H: ConnectionHandler> ConnectionHandler for Sleeper<H> {
    type FromBehaviour = H::FromBehaviour;
    type ToBehaviour = H::ToBehaviour;
    type InboundProtocol = H::InboundProtocol;
    type OutboundProtocol = H::OutboundProtocol;
    type InboundOpenInfo = H::InboundOpenInfo;
    type OutboundOpenInfo = H::OutboundOpenInfo;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, Self::InboundOpenInfo> {
        self.handler.listen_protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.handler.connection_keep_alive()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>> {
        if !self.bell.has_rung(cx.waker()) {
            return Poll::Pending;
        }
        let polled = self.handler.poll(&mut Context::from_waker(self.bell.waker()));
        if polled.is_ready() {
            // There may be more, and nothing else would ring for it.
            self.bell.ring();
        }
        polled
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::ToBehaviour>> {
        self.handler.poll_close(cx)
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        self.bell.ring();
        self.handler.on_behaviour_event(event);
    }

    fn on_connection_event(&mut self, event: EventFor<'_, Self>) {
        self.bell.ring();
        self.handler.on_connection_event((self.change)(event));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        net::Ipv4Addr,
        sync::{
            Arc, LazyLock,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Wake, Waker},
    };

    use libp2p::{core::upgrade::DeniedUpgrade, swarm::handler::AddressChange};

    use super::*;

    /// Counts how often it is polled, and says what it was told, one at a time.
    #[derive(Default)]
    struct Parrot {
        polled: usize,
        heard: Vec<u8>,
        address: Option<Multiaddr>,
        waker: Option<Waker>,
    }

    impl ConnectionHandler for Parrot {
        type FromBehaviour = u8;
        type ToBehaviour = u8;
        type InboundProtocol = DeniedUpgrade;
        type OutboundProtocol = DeniedUpgrade;
        type InboundOpenInfo = ();
        type OutboundOpenInfo = Infallible;

        fn listen_protocol(&self) -> SubstreamProtocol<DeniedUpgrade, ()> {
            SubstreamProtocol::new(DeniedUpgrade, ())
        }

        fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<DeniedUpgrade, Infallible, u8>> {
            self.polled += 1;
            self.waker = Some(cx.waker().clone());
            match self.heard.pop() {
                Some(word) => Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(word)),
                None => Poll::Pending,
            }
        }

        fn on_behaviour_event(&mut self, word: u8) {
            self.heard.push(word);
        }

        fn on_connection_event(&mut self, event: EventFor<'_, Self>) {
            if let ConnectionEvent::AddressChange(change) = event {
                self.address = Some(change.new_address.clone());
            }
        }
    }

    /// Wherever a peer went, it is told to be elsewhere.
    fn moved(event: EventFor<'_, Parrot>) -> EventFor<'_, Parrot> {
        static ELSEWHERE: LazyLock<Multiaddr> = LazyLock::new(|| address(2));
        match event {
            ConnectionEvent::AddressChange(_) => ConnectionEvent::AddressChange(AddressChange {
                new_address: &ELSEWHERE,
            }),
            event => event,
        }
    }

    fn address(number: u8) -> Multiaddr {
        Multiaddr::from(Ipv4Addr::new(192, 0, 2, number))
    }

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn asleep() -> Sleeper<Parrot> {
        Sleeper::new(Parrot::default(), |event| event)
    }

    /// Polls until there is nothing more; what was said.
    fn poll(sleeper: &mut Sleeper<Parrot>, task: &Arc<Woken>) -> Vec<u8> {
        let waker = Waker::from(Arc::clone(task));
        let mut said = Vec::new();
        while let Poll::Ready(event) = sleeper.poll(&mut Context::from_waker(&waker)) {
            match event {
                ConnectionHandlerEvent::NotifyBehaviour(word) => said.push(word),
                other => panic!("it asks for nothing: {other:?}"),
            }
        }
        said
    }

    #[test]
    fn a_handler_is_polled_at_first_and_then_only_when_something_happened_to_it() {
        let (mut sleeper, task) = (asleep(), Arc::default());
        assert!(poll(&mut sleeper, &task).is_empty());
        assert_eq!(sleeper.handler.polled, 1, "once, so that it can begin");
        for _ in 0..3 {
            assert!(poll(&mut sleeper, &task).is_empty());
        }
        assert_eq!(sleeper.handler.polled, 1, "the others' business");
        sleeper.on_behaviour_event(7);
        sleeper.on_behaviour_event(8);
        assert_eq!(poll(&mut sleeper, &task), [8, 7]);
        assert_eq!(sleeper.handler.polled, 4, "until it has no more to say");
    }

    #[test]
    fn a_handler_hears_of_what_happens_after_the_change() {
        for (change, heard) in [(moved as Change<Parrot>, 2), (|event| event, 1)] {
            let mut sleeper = Sleeper::new(Parrot::default(), change);
            let new_address = &address(1);
            sleeper.on_connection_event(ConnectionEvent::AddressChange(AddressChange { new_address }));
            assert_eq!(sleeper.handler.address, Some(address(heard)));
        }
    }

    #[test]
    fn what_wakes_a_handler_wakes_the_connection_that_polls_it_now() {
        let (mut sleeper, first, second) = (asleep(), Arc::default(), Arc::default());
        poll(&mut sleeper, &first);
        // The connection has another task now; the handler sleeps meanwhile and keeps the waker that it was given.
        poll(&mut sleeper, &second);
        let waker = sleeper.handler.waker.clone().expect("it was polled");
        waker.wake();
        let times = |task: &Arc<Woken>| task.0.load(Ordering::Relaxed);
        assert_eq!((times(&first), times(&second)), (0, 1));
        poll(&mut sleeper, &second);
        assert_eq!(sleeper.handler.polled, 2);
    }
}
