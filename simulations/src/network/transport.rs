//! Dialling and listening: [`Wire`], the transport of one host.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::{
    Multiaddr, PeerId,
    core::{
        muxing::StreamMuxerBox,
        transport::{DialOpts, ListenerId, Transport, TransportError, TransportEvent},
    },
};
use starfish_sim_kernel::sleep;

use super::{
    Network, address_at,
    connection::{Connection, Muxer},
    ip_of,
};

/// How long a dial goes on that nobody answers.
const PATIENCE: Duration = Duration::from_secs(20);

type Output = (PeerId, StreamMuxerBox);
type Pending = Pin<Box<dyn Future<Output = io::Result<Output>> + Send>>;

/// The transport of one host. When it is dropped, its port is free again.
#[derive(Debug)]
pub(super) struct Wire {
    network: Network,
    host: usize,
    /// Where it listens.
    address: Multiaddr,
    listener: Option<ListenerId>,
    is_announced: bool,
}

impl Wire {
    pub(super) fn new(network: Network, host: usize) -> Self {
        let address = network.address(host);
        Self {
            network,
            host,
            address,
            listener: None,
            is_announced: false,
        }
    }

    fn stop(&mut self) -> bool {
        let was_listening = self.listener.take().is_some();
        if was_listening {
            let waiting = self.network.wires().close_door(self.host);
            waiting.iter().for_each(|connection| connection.close(1));
        }
        was_listening
    }
}

/// The far end of a connection, with the name of who is there. The key exchange is not computed: the world knows who
/// is where.
fn output(network: &Network, connection: &Arc<Connection>, side: usize) -> io::Result<Output> {
    let far = connection.ends()[1 - side];
    let peer = network.wires().peer(far).ok_or(io::ErrorKind::ConnectionRefused)?;
    let muxer = Muxer::new(Arc::clone(connection), side);
    Ok((peer, StreamMuxerBox::new(muxer)))
}

/// Goes there and back: that is what QUIC's handshake takes of the dialler's time.
async fn dial(network: Network, from: usize, to: usize) -> io::Result<Output> {
    let latency = Duration::from_nanos(network.wires().latency(from, to));
    sleep(latency).await;
    if network.wires().fault(from, to).is_some() {
        sleep(PATIENCE).await;
        return Err(io::ErrorKind::TimedOut.into());
    }
    let connection = Connection::new(&network, from, to);
    // Whoever gives up before the answer closes the connection by that.
    let opened = output(&network, &connection, 0);
    let is_open = network.wires().arrive(&connection);
    sleep(latency).await;
    if !is_open {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    opened
}

impl Transport for Wire {
    type Output = Output;
    type Error = io::Error;
    type ListenerUpgrade = Pending;
    type Dial = Pending;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        if address != self.address {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        if self.listener.is_some() {
            return Err(TransportError::Other(io::ErrorKind::AddrInUse.into()));
        }
        self.network.wires().open_door(self.host);
        self.listener = Some(id);
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.listener == Some(id) && self.stop()
    }

    fn dial(&mut self, address: Multiaddr, _: DialOpts) -> Result<Pending, TransportError<io::Error>> {
        let Some(ip) = ip_of(&address) else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        let (network, from, to) = (self.network.clone(), self.host, self.network.wires().host(ip));
        Ok(Box::pin(async move {
            match to {
                Some(to) => dial(network, from, to).await,
                None => {
                    sleep(PATIENCE).await;
                    Err(io::ErrorKind::TimedOut.into())
                }
            }
        }))
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Pending, io::Error>> {
        let Some(listener_id) = self.listener else {
            return Poll::Pending;
        };
        if !std::mem::replace(&mut self.is_announced, true) {
            return Poll::Ready(TransportEvent::NewAddress {
                listener_id,
                listen_addr: self.address.clone(),
            });
        }
        let Some(connection) = self.network.wires().accept(self.host, cx.waker()) else {
            return Poll::Pending;
        };
        let [from, to] = connection.ends();
        let (send_back_addr, latency) = {
            let wires = self.network.wires();
            (
                address_at(wires.ip(from)),
                Duration::from_nanos(wires.latency(from, to)),
            )
        };
        // Refused before its handshake ends, the connection is closed by dropping this.
        let opened = output(&self.network, &connection, 1);
        // The handshake's last word comes one round trip after its first.
        let upgrade = Box::pin(async move {
            sleep(latency * 2).await;
            opened
        });
        Poll::Ready(TransportEvent::Incoming {
            listener_id,
            upgrade,
            local_addr: self.address.clone(),
            send_back_addr,
        })
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.stop();
    }
}
