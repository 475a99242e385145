//! The door to a running mesh: [`Handle`]. Orders wait in a bounded channel; when it is full, the caller waits.

use futures::{
    SinkExt,
    channel::{mpsc, oneshot},
};
use libp2p::{Multiaddr, PeerId};
use starfish_protocol::{
    engine::port::{Command, Outcome, Refusal},
    time::Millis,
};

/// Orders that may wait, beside one of each handle.
const ORDERS: usize = 16;

/// Steers a mesh; clones steer the same one.
#[derive(Clone, Debug)]
pub struct Handle {
    orders: mpsc::Sender<Order>,
    peer: PeerId,
}

/// What a handle wants.
#[derive(Debug)]
pub(crate) enum Order {
    Command(Box<Command>, oneshot::Sender<Outcome>),
    Dial(Multiaddr, oneshot::Sender<Result<PeerId, DialError>>),
    Connections(oneshot::Sender<Vec<ConnectionView>>),
    Listening(oneshot::Sender<Vec<Multiaddr>>),
    Shutdown(oneshot::Sender<()>),
}

/// Why nobody was reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// Nobody there, somebody else, or not allowed.
    #[error("{0}")]
    Failed(String),
    /// The address is this node's own.
    #[error("this is the node's own address")]
    Own,
    /// The mesh has ended.
    #[error("the node has stopped")]
    Stopped,
}

/// The connection in use with one peer, as `peers` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionView {
    /// Who.
    pub peer: PeerId,
    /// Its address.
    pub address: Multiaddr,
    /// True when this node dialled.
    pub outbound: bool,
    /// `tcp`, `quic` or another.
    pub transport: &'static str,
    /// Since when, in wall time.
    pub since: Millis,
    /// The last ping, there and back.
    pub round_trip: Option<Millis>,
    /// Its gossip score; below zero is bad.
    pub score: f64,
}

impl Handle {
    pub(crate) fn new(peer: PeerId) -> (Self, mpsc::Receiver<Order>) {
        let (orders, received) = mpsc::channel(ORDERS);
        (Self { orders, peer }, received)
    }

    /// This node's peer id.
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    async fn order<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.orders.clone().send(order(answer)).await.ok()?;
        answered.await.ok()
    }

    /// Carries a command out and waits for its outcome.
    pub async fn command(&self, command: Command) -> Outcome {
        let outcome = self.order(|answer| Order::Command(Box::new(command), answer)).await;
        outcome.unwrap_or_else(|| Outcome::Refused(Refusal::Store("the node has stopped".to_owned())))
    }

    /// Connects to an address once and tells who answered. A pinned peer that is connected already is an answer too.
    ///
    /// # Errors
    /// When nobody, or somebody else, answered.
    pub async fn dial(&self, address: Multiaddr) -> Result<PeerId, DialError> {
        self.order(|answer| Order::Dial(address, answer))
            .await
            .unwrap_or(Err(DialError::Stopped))
    }

    /// Every connection, in the order of peer ids; empty when the mesh has ended. A peer has two only for a moment.
    pub async fn connections(&self) -> Vec<ConnectionView> {
        self.order(Order::Connections).await.unwrap_or_default()
    }

    /// The addresses that are listened on; empty when the mesh has ended.
    pub async fn listening(&self) -> Vec<Multiaddr> {
        self.order(Order::Listening).await.unwrap_or_default()
    }

    /// Ends the mesh in order: nothing new is accepted, what waits for the store is written, connections are closed.
    /// Returns when that is done, also when the mesh has ended before.
    pub async fn shutdown(&self) {
        self.order(Order::Shutdown).await;
    }
}
