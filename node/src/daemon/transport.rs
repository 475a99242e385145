//! The network of a node that runs for real: QUIC, and TCP with TLS 1.3 and yamux as the fall-back. Both authenticate the
//! node's key; names are resolved as the system is configured.

use std::{io, time::Duration};

use libp2p::{
    PeerId, Transport as _,
    core::{
        muxing::StreamMuxerBox,
        transport::{Boxed, choice::OrTransport, timeout::TransportTimeout},
        upgrade::Version,
    },
    dns,
    identity::Keypair,
    quic, tcp, tls, yamux,
};

/// Streams of one connection, of both sides together. Each may hold a window of at least 256 KiB.
const STREAMS: usize = 128;
/// Bytes in flight on one QUIC stream, and on all of one connection. libp2p's 10 MB would let 20 guests hold 3 GB.
const QUIC_STREAM_BYTES: u32 = 4_000_000;
const QUIC_CONNECTION_BYTES: u32 = 16_000_000;
/// How long a dial may take over TCP: the first packets may be lost and sent again after 1 and 3 s.
const DIAL: Duration = Duration::from_secs(10);
/// How long a handshake may take, over TCP from the moment that the line is there. The slowest lines, satellites, need
/// 600 ms there and back; TLS, yamux and the agreement on both take four times that, and one lost packet another 2 s. Whoever
/// says nothing holds a place for as long, so it is no longer.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// A line that stays silent this long is dead; keep-alives go out three times as often.
const QUIC_IDLE_MS: u32 = 30_000;
const QUIC_KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No certificate could be made from the key.
    #[error("no TLS certificate for the node key: {0}")]
    Certificate(String),
    /// The system's resolver could not be set up.
    #[error("the system's DNS configuration cannot be read: {0}")]
    Resolver(#[from] io::Error),
}

/// The transport for this key. Needs a tokio runtime.
///
/// # Errors
/// When there is no certificate or no resolver.
pub fn transport(key: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, TransportError> {
    let quic =
        quic::tokio::Transport::new(quic_settings(key)).map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let certified = tls::Config::new(key).map_err(|error| TransportError::Certificate(error.to_string()))?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::new().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(certified)
        .multiplex(muxing())
        .timeout(DIAL)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let tcp = TransportTimeout::with_ingoing_timeout(tcp, HANDSHAKE);
    let either = OrTransport::new(quic, tcp).map(|either, _| either.into_inner());
    Ok(dns::tokio::Transport::system(either)?.boxed())
}

/// Yamux with a bound on streams.
pub fn muxing() -> yamux::Config {
    let mut muxing = yamux::Config::default();
    muxing.set_max_num_streams(STREAMS);
    muxing
}

fn quic_settings(key: &Keypair) -> quic::Config {
    let mut settings = quic::Config::new(key);
    settings.handshake_timeout = HANDSHAKE;
    settings.max_idle_timeout = QUIC_IDLE_MS;
    settings.keep_alive_interval = QUIC_KEEP_ALIVE;
    settings.max_concurrent_stream_limit = STREAMS as u32;
    settings.max_stream_data = QUIC_STREAM_BYTES;
    settings.max_connection_data = QUIC_CONNECTION_BYTES;
    settings
}
