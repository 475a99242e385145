//! The daemon: [`run`] puts a node together, says that it is ready, and ends it in order.
//!
//! Start: configuration, log, lock, keys, store, mesh, control socket, ready line. Stop, on SIGTERM, SIGINT or the loss
//! of the store: no new requests, the mesh writes what it accepted, the socket goes, and after a deadline the process
//! ends all the same, which is no worse than a `kill -9`.

mod logging;
mod opening;

use std::{path::Path, sync::Arc, time::Duration};

use libp2p::{
    Multiaddr, Transport,
    core::muxing::StreamMuxerBox,
    metrics::{BandwidthTransport, Registry},
};
use serde_json::json;
use starfish_crypto::Strict;
use starfish_protocol::engine::port::{Command, Outcome, Overview};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    arguments::upkeep::Run,
    contacts::Contacts,
    control::{self, server},
    environment::Machine,
    exit::{Exit, Failure},
    folder,
    happenings::Happenings,
    identity::Identity,
    keeping::Keeping,
    lock::Lock,
    reach,
    settings::{self, Layers, Settings},
    signals::told_to_end,
    transport::transport,
};
use crate::mesh::{self, Handle, KeepError, MeshError, MeshSettings};

use self::opening::Opened;

pub use self::opening::store_failure;

/// How long a clean stop may take; systemd's own patience is 90 s.
const STOP: Duration = Duration::from_secs(20);
/// How long the first addresses may take to be listened on.
const LISTEN: Duration = Duration::from_secs(5);
/// After the first address the others follow within this time, or they are told later.
const SETTLE: Duration = Duration::from_millis(300);

/// Runs the node of a data directory until it is told to stop.
///
/// # Errors
/// When it cannot start, or its store fails.
pub async fn run(data: &Path, arguments: Run, json: bool) -> Result<Exit, Failure> {
    let settings = load(data, &arguments)?;
    folder::check(data)?;
    logging::start(&settings);
    let _lock = Lock::take(data)?;
    let identity = Identity::load(data, settings.community)?;
    if !identity.is_certified() {
        tracing::warn!("no certificate of the node's key holds now; other nodes will not believe what it publishes");
    }
    let key = identity.unlock(data, arguments.passphrase_file.as_deref())?;
    let opened = Opened::open(data, &settings, identity.org).await?;
    let contacts =
        Contacts::open(data).map_err(|error| Failure::machine("cannot read where others were met", error))?;

    let happenings = Arc::new(Happenings::default());
    let listener = Arc::clone(&happenings);
    let machine = Machine::new(Box::new(move |event| listener.take(event)))
        .map_err(|error| Failure::machine("no threads for the node", error))?;
    let mut registry = Registry::default();
    let network = transport(&mesh::keypair(&key)).map_err(|error| Failure::machine("no network", error))?;
    let network = BandwidthTransport::new(network, &mut registry)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
        .boxed();
    let subscription = opened.subscription(&settings);
    let parts = mesh::Parts {
        transport: network,
        setup: opened.setup(key, &identity, &settings, subscription.clone())?,
        keeper: Keeping::start(&opened.ledger, &happenings),
        checker: Arc::new(Strict),
        registry: Some(&mut registry),
    };
    let (handle, running) = mesh::start(machine, mesh_settings(&settings, &contacts), parts).map_err(|error| {
        let message =
            format!("{error}; `port` and `listen` in starfish.toml say where, and another program may be there");
        Failure::new(Exit::Failed, message)
    })?;
    let running = tokio::spawn(running);

    let socket = server::listen(data).map_err(|error| Failure::machine(control::socket(data).display(), error))?;
    let (stop, stopping) = watch::channel(false);
    let node = server::Node::new(server::Parts {
        data: data.to_owned(),
        settings: settings.clone(),
        identity,
        handle: handle.clone(),
        ledger: Arc::clone(&opened.ledger),
        happenings: Arc::clone(&happenings),
        contacts,
        subscription,
        forks: opened.forks(),
        registry,
        stopping,
    });
    let serving = tokio::spawn(server::serve(socket, Arc::new(node)));
    let telling = tell_addresses(&handle, &settings, &happenings).await?;
    if let Outcome::Overview(Overview { revoked: true, .. }) = handle.command(Command::Overview).await {
        tracing::warn!(
            "this node was revoked: nobody believes what it publishes until its organisation certifies it anew"
        );
    }
    say_ready(&handle, json).await?;
    let cause = wait(running, arguments.with_parent).await;
    telling.abort();
    end(data, &handle, &stop, serving, cause).await
}

fn load(data: &Path, arguments: &Run) -> Result<Settings, Failure> {
    let flags = [
        ("log.format", &arguments.log_format),
        ("log.level", &arguments.log_level),
    ];
    let flags = flags
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
    let layers = Layers::of_process(flags.collect());
    settings::load(data, &layers).map_err(|mistakes| settings::failure(&mistakes))
}

fn mesh_settings(settings: &Settings, contacts: &Contacts) -> MeshSettings {
    let mut listen = settings.clone();
    listen.listen = reach::usable(&settings.listen);
    let mut mesh = MeshSettings {
        listen: listen.listening(),
        ..MeshSettings::default()
    };
    mesh.dial = settings.dial.iter().chain(contacts.addresses()).cloned().collect();
    mesh.limits.memory = settings.memory_limit_bytes;
    mesh
}

/// Waits until the node listens, signs where, and goes on doing so whenever that changes.
async fn tell_addresses(
    handle: &Handle,
    settings: &Settings,
    happenings: &Happenings,
) -> Result<JoinHandle<()>, Failure> {
    let mut changes = happenings.listening();
    let deadline = Instant::now() + LISTEN;
    while !covers(&handle.listening().await, &settings.listening()) {
        let patience = if handle.listening().await.is_empty() {
            deadline
        } else {
            deadline.min(Instant::now() + SETTLE)
        };
        if tokio::time::timeout_at(patience, changes.changed()).await.is_err() {
            break;
        }
    }
    let mut told = tell(handle, settings, Vec::new()).await;
    if told.is_empty() {
        return Err(Failure::new(
            Exit::Failed,
            "the node listens nowhere; see [node] listen and port in its configuration",
        ));
    }
    let (handle, settings) = (handle.clone(), settings.clone());
    Ok(tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            tokio::time::sleep(SETTLE).await;
            changes.mark_unchanged();
            told = tell(&handle, &settings, told).await;
        }
    }))
}

/// Whether each wanted address is listened on. One that stands for all of the machine's becomes several, so their number
/// says nothing: QUIC alone could pass for QUIC and TCP.
fn covers(listening: &[Multiaddr], wanted: &[Multiaddr]) -> bool {
    let kind = |address: &Multiaddr| address.protocol_stack().collect::<Vec<_>>();
    wanted
        .iter()
        .all(|address| listening.iter().any(|other| kind(other) == kind(address)))
}

async fn tell(handle: &Handle, settings: &Settings, told: Vec<Multiaddr>) -> Vec<Multiaddr> {
    let addresses = reach::addresses(settings, &handle.listening().await);
    if addresses != told {
        // The outcome is always the same: nothing is refused.
        handle
            .command(Command::Listening(addresses.iter().map(ToString::to_string).collect()))
            .await;
    }
    addresses
}

async fn say_ready(handle: &Handle, json: bool) -> Result<(), Failure> {
    let peer = handle.peer().to_string();
    let listen: Vec<String> = handle.listening().await.iter().map(ToString::to_string).collect();
    let line = if json {
        json!({"ready": true, "peer": peer, "listen": listen}).to_string()
    } else {
        format!("ready peer={peer} listen={}", listen.join(","))
    };
    super::report::Report::new(json).lines(&[line])?;
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::warn!(%error, "systemd was not told that the node is ready");
    }
    Ok(())
}

/// Why the node stops: none when it was told to.
async fn wait(mut running: JoinHandle<Result<(), MeshError>>, with_parent: bool) -> Option<Failure> {
    tokio::select! {
        ended = &mut running => Some(match ended {
            Ok(Ok(())) => Failure::new(Exit::Failed, "the mesh ended by itself"),
            Ok(Err(error)) => Failure::new(exit_of(&error), error.to_string()),
            Err(error) => Failure::new(Exit::Failed, format!("the mesh broke: {error}")),
        }),
        signal = told_to_end() => {
            tracing::info!(signal, "stopping");
            None
        }
        () = parent_is_gone(with_parent) => {
            tracing::info!("stopping, because standard input ended");
            None
        }
    }
}

/// A full disk is no damage: nothing has to be rebuilt.
fn exit_of(error: &MeshError) -> Exit {
    match error {
        MeshError::Store(KeepError::Damaged(_)) => Exit::Damaged,
        MeshError::Store(KeepError::Failed(_)) => Exit::Failed,
    }
}

async fn parent_is_gone(watched: bool) {
    if !watched {
        return std::future::pending().await;
    }
    // Whatever ends the copy ends the wait: there is nobody at the other end any more.
    let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await;
}

async fn end(
    data: &Path,
    handle: &Handle,
    stop: &watch::Sender<bool>,
    serving: JoinHandle<std::io::Result<()>>,
    cause: Option<Failure>,
) -> Result<Exit, Failure> {
    if let Some(failure) = &cause {
        // Said before anything is closed, because closing what failed may take a while.
        tracing::error!("the node stops: {failure}");
    }
    // Not told is not worth a word now.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    stop.send_replace(true);
    let in_order = async {
        handle.shutdown().await;
        serving.await
    };
    if timeout(STOP, in_order).await.is_err() {
        tracing::warn!("not everything ended within {STOP:?}; what was acknowledged is durable");
    }
    // A socket that stays behind is found dead by the next start.
    let _ = std::fs::remove_file(control::socket(data));
    match cause {
        None => Ok(Exit::Done),
        Some(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wanted_kind_of_address_is_waited_for() {
        let list =
            |texts: &[&str]| -> Vec<Multiaddr> { texts.iter().map(|text| text.parse().expect("an address")).collect() };
        let wanted = ["/ip4/0.0.0.0/tcp/1", "/ip4/0.0.0.0/udp/1/quic-v1"];
        let check = |listening: &[&str], expected: bool| {
            assert_eq!(covers(&list(listening), &list(&wanted)), expected, "{listening:?}");
        };
        check(&["/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/udp/1/quic-v1"], true);
        check(&["/ip4/127.0.0.1/udp/1/quic-v1", "/ip4/192.0.2.2/udp/1/quic-v1"], false);
        check(&["/ip6/::1/tcp/1", "/ip4/127.0.0.1/udp/1/quic-v1"], false);
        check(&[], false);
    }
}
