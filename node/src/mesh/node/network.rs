//! What happens in the network.

use std::collections::BTreeSet;

use libp2p::{
    PeerId,
    metrics::{Metrics, Recorder},
    ping,
    swarm::{
        ConnectionId, DialError, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use starfish_protocol::{engine::port::Input, time::Millis, wire::Channel};

use super::{Network, Node};
use crate::mesh::{
    behaviour::{BehaviourEvent, SeldomEvent, streams},
    environment::{jitter, time},
    event::{CloseReason, Event},
    handle,
    peers::{
        connections::{Closing, Link},
        dialling::Attempt,
        key_of, peer_of,
        watchdog::{self, Look},
    },
    reasons,
};

/// A connection whose ping was answered within this time is alive: two pings and a round trip.
const ALIVE: u64 = 40_000;
/// Of the connections that are sought by themselves, at least so many are to be dialled by this node.
const OUTBOUND: usize = 3;

impl Network {
    /// Counts what happened, where anybody wants the figures.
    fn record<E>(&self, event: &E)
    where
        Metrics: Recorder<E>,
    {
        if let Some(metrics) = &self.metrics {
            metrics.record(event);
        }
    }
}

impl Node {
    pub(super) fn happened(&mut self, event: SwarmEvent<BehaviourEvent>) {
        self.network.record(&event);
        match event {
            SwarmEvent::Behaviour(event) => self.behaved(event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                self.dialler.succeeded(connection_id, peer_id);
                let link = Link::new(connection_id, &endpoint, time(self.env.as_ref()));
                self.established(peer_id, link);
                if let Some(caller) = self.dials.remove(&connection_id) {
                    let _ = caller.send(Ok(peer_id));
                }
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                cause,
                ..
            } => {
                self.closed(peer_id, connection_id, cause.map(|cause| cause.to_string()));
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                peer_id,
                error,
            } => {
                self.dial_failed(connection_id, peer_id, &error);
            }
            SwarmEvent::NewListenAddr { address, .. } => self.emit(Event::Listening(address)),
            SwarmEvent::ListenerClosed { reason, addresses, .. } => {
                let addresses = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                self.emit(match reason {
                    Ok(()) => Event::ListenerClosed(addresses),
                    Err(error) => Event::ListenerLost(format!("{addresses}: {}", reasons::of(&error))),
                });
            }
            SwarmEvent::ListenerError { error, .. } => self.emit(Event::ListenerLost(reasons::of(&error))),
            _ => {}
        }
    }

    fn behaved(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(event) => {
                self.network.record(&event);
                self.gossiped(false, event);
            }
            BehaviourEvent::Seldom(SeldomEvent::Green(event)) => {
                self.network.record(&event);
                self.gossiped(true, event);
            }
            BehaviourEvent::Seldom(SeldomEvent::Ping(event)) => {
                self.network.record(&event);
                self.pinged(&event);
            }
            BehaviourEvent::Seldom(SeldomEvent::Identify(event)) => self.network.record(&event),
            BehaviourEvent::Seldom(SeldomEvent::Streams(streams::Incoming { peer, stream }))
                if self.ending.is_none() =>
            {
                let ticket = self.ticket();
                self.answering.accept(&self.desk, ticket, peer, stream);
            }
            BehaviourEvent::Seldom(SeldomEvent::Streams(_)) => {}
        }
    }

    fn established(&mut self, peer: PeerId, link: Link) {
        let (address, outbound) = (link.address.clone(), link.outbound);
        if self.connections.established(peer, link) {
            self.emit(Event::Connected {
                peer,
                address,
                outbound,
            });
            self.feed(Input::Connected {
                peer: peer_of(&peer),
                key: key_of(&peer),
                outbound,
            });
        }
    }

    fn closed(&mut self, peer: PeerId, connection: ConnectionId, cause: Option<String>) {
        let now = self.env.now();
        let since = self.connections.used(&peer).map_or(now, |link| link.since.mono);
        if !self.connections.closed(&peer, connection) {
            return;
        }
        self.watchdog.lost(&peer);
        self.answering.gone(&peer);
        self.pushing.forget(&peer);
        self.gained.remove(&peer);
        let chance = jitter(self.env.as_ref(), u64::MAX);
        self.dialler
            .lost(&peer, Millis(now.0.saturating_sub(since.0)), now, chance);
        self.emit(Event::Disconnected { peer, cause });
        self.feed(Input::Disconnected(peer_of(&peer)));
    }

    fn dial_failed(&mut self, connection: ConnectionId, peer: Option<PeerId>, error: &DialError) {
        let chance = jitter(self.env.as_ref(), u64::MAX);
        let own = is_own(error, peer);
        if own {
            self.dialler.forget(connection);
        }
        self.dialler.failed(connection, self.env.now(), chance);
        if let Some(peer) = peer.filter(|peer| self.network.swarm.behaviour().blocked.blocked_peers().contains(peer)) {
            self.dialler.avoid(&peer, self.env.now());
        }
        let reason = reasons::of_dial(error);
        if let Some(caller) = self.dials.remove(&connection) {
            let error = if own {
                handle::DialError::Own
            } else {
                handle::DialError::Failed(reason.clone())
            };
            let _ = caller.send(Err(error));
        }
        self.emit(Event::DialFailed { peer, reason });
    }

    fn pinged(&mut self, event: &ping::Event) {
        match event.result {
            Ok(round_trip) => {
                let round_trip = Millis(u64::try_from(round_trip.as_millis()).unwrap_or(u64::MAX));
                self.connections
                    .answered(&event.peer, event.connection, round_trip, self.env.now());
            }
            // Others may not speak ping; a line that does not answer is of no use to anyone.
            Err(ping::Failure::Unsupported) => {}
            Err(_) => {
                self.network.swarm.close_connection(event.connection);
            }
        }
    }

    /// What is due about peers: doubled connections, dials, silent ones, and the end of a punishment.
    pub(super) fn look_after_peers(&mut self) {
        let now = self.env.now();
        for (peer, closing, reason) in self.connections.due(now) {
            self.emit(Event::Closed { peer, reason });
            self.close(peer, closing);
        }
        self.reconnect_gained(now);
        if self.next_look <= now {
            self.next_look = Millis(now.0 + watchdog::LOOK_EVERY.0);
            self.look_for_silence(now);
        }
        let blocked = &mut self.network.swarm.behaviour_mut().blocked;
        self.expelled.retain(|peer, until| {
            if *until <= now {
                blocked.unblock_peer(*peer);
            }
            *until > now
        });
        if self.ending.is_none() {
            self.dial_due(now);
        }
    }

    pub(super) fn close(&mut self, peer: PeerId, closing: Closing) {
        // Errors only say that it is gone already.
        let _ = match closing {
            Closing::One(connection) => self.network.swarm.close_connection(connection),
            Closing::All => self.network.swarm.disconnect_peer_id(peer).is_ok(),
        };
    }

    fn look_for_silence(&mut self, now: Millis) {
        let topics = Channel::OPEN.map(|channel| self.network.topics.of(channel));
        let gossip = &self.network.swarm.behaviour().gossip;
        let subscribed: BTreeSet<PeerId> = gossip
            .all_peers()
            .filter(|(_, subscribed)| subscribed.iter().any(|topic| topics.contains(topic)))
            .map(|(peer, _)| *peer)
            .collect();
        let looks = self.connections.iter().map(|(peer, link)| Look {
            peer: *peer,
            subscribed: subscribed.contains(peer),
            alive: now.0.saturating_sub(link.answered.0) <= ALIVE,
        });
        for peer in self.watchdog.look(now, looks) {
            self.desk.figures.cycled_connections.inc();
            self.emit(Event::Closed {
                peer,
                reason: CloseReason::Silent,
            });
            self.close(peer, Closing::All);
        }
    }

    fn dial_due(&mut self, now: Millis) {
        let due = self.dialler.next_due(|peer| self.connections.holds(peer));
        if due.is_none_or(|due| due > now) {
            return;
        }
        let (connected, outbound) = self.connections.counts();
        let wanted = self.settings.limits.wanted as usize;
        let room = wanted
            .saturating_sub(connected)
            .max(OUTBOUND.min(wanted).saturating_sub(outbound));
        for attempt in self.dialler.due(now, |peer| self.connections.holds(peer), room) {
            let options = options(&attempt);
            let connection = options.connection_id();
            self.dialler.begun(&attempt, connection);
            if let Err(error) = self.network.swarm.dial(options) {
                self.dial_failed(connection, attempt.pinned, &error);
            }
        }
    }
}

/// Whether a dial led back to this node. libp2p leaves out addresses that are listened on here, so that for an address
/// without a peer none remains.
pub(super) fn is_own(error: &DialError, peer: Option<PeerId>) -> bool {
    matches!(error, DialError::LocalPeerId { .. }) || (peer.is_none() && matches!(error, DialError::NoAddresses))
}

fn options(attempt: &Attempt) -> DialOpts {
    match (attempt.pinned, attempt.addresses.as_slice()) {
        (Some(peer), addresses) => DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(addresses.to_vec())
            .build(),
        (None, [address, ..]) => DialOpts::unknown_peer_id().address(address.clone()).build(),
        (None, []) => unreachable!("a target without a peer is named by its one address"),
    }
}
