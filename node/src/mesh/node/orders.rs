//! What the operator, or the daemon, wants.

use futures::channel::oneshot;
use libp2p::{
    Multiaddr, PeerId,
    multiaddr::Protocol,
    swarm::dial_opts::{DialOpts, PeerCondition},
};
use starfish_protocol::{
    engine::port::{Command, Input, Outcome},
    time::Millis,
};

use super::{Ending, Node, network::is_own};
use crate::mesh::{
    handle::{ConnectionView, DialError, Order},
    peers::id_of,
    reasons,
};

/// How long an orderly end may take: the store's queue, and what is being sent.
const DRAIN: u64 = 5_000;
/// How long a node stays in any case, so that what it published last gets out.
const LINGER: u64 = 250;
/// How long connections may take to close after that.
const CLOSE: u64 = 1_000;

impl Node {
    pub(super) fn ordered(&mut self, order: Order) {
        // Whoever ordered may have stopped waiting for the answer.
        match order {
            Order::Command(command, caller) => self.command(*command, caller),
            Order::Dial(address, caller) => self.dial(address, caller),
            Order::Connections(caller) => drop(caller.send(self.connection_views())),
            Order::Listening(caller) => drop(caller.send(self.network.swarm.listeners().cloned().collect())),
            Order::Shutdown(caller) => self.end(caller),
        }
    }

    fn command(&mut self, command: Command, caller: oneshot::Sender<Outcome>) {
        if let Command::Block { peer, blocked } = &command
            && let Some(peer) = id_of(peer)
        {
            let list = &mut self.network.swarm.behaviour_mut().blocked;
            let _ = if *blocked {
                list.block_peer(peer)
            } else {
                list.unblock_peer(peer)
            };
            self.expelled.remove(&peer);
        }
        let ticket = self.ticket();
        self.commands.insert(ticket, caller);
        self.feed(Input::Command { ticket, command });
    }

    fn dial(&mut self, address: Multiaddr, caller: oneshot::Sender<Result<PeerId, DialError>>) {
        let pinned = match address.iter().last() {
            Some(Protocol::P2p(peer)) => Some(peer),
            _ => None,
        };
        let at_once = match pinned {
            _ if self.ending.is_some() => Some(Err(DialError::Stopped)),
            Some(peer) if peer == *self.network.swarm.local_peer_id() => Some(Err(DialError::Own)),
            Some(peer) if self.connections.holds(&peer) => Some(Ok(peer)),
            _ => None,
        };
        if let Some(answer) = at_once {
            drop(caller.send(answer));
            return;
        }
        let options = match pinned {
            Some(peer) => DialOpts::peer_id(peer)
                .condition(PeerCondition::Disconnected)
                .addresses(vec![address])
                .build(),
            None => DialOpts::unknown_peer_id().address(address).build(),
        };
        let connection = options.connection_id();
        match self.network.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(connection, caller);
            }
            Err(error) if is_own(&error, pinned) => drop(caller.send(Err(DialError::Own))),
            Err(error) => drop(caller.send(Err(DialError::Failed(reasons::of_dial(&error))))),
        }
    }

    fn connection_views(&self) -> Vec<ConnectionView> {
        let gossip = &self.network.swarm.behaviour().gossip;
        let view = |(peer, link): (&PeerId, &crate::mesh::peers::connections::Link)| ConnectionView {
            peer: *peer,
            address: link.address.clone(),
            outbound: link.outbound,
            transport: link.transport(),
            since: link.since.wall,
            round_trip: link.round_trip,
            score: gossip.peer_score(peer).unwrap_or_default(),
        };
        self.connections.iter().map(view).collect()
    }

    fn end(&mut self, caller: oneshot::Sender<()>) {
        let now = self.env.now();
        for listener in std::mem::take(&mut self.network.listeners) {
            self.network.swarm.remove_listener(listener);
        }
        let linger = if self.connections.counts().0 == 0 { 0 } else { LINGER };
        let (earliest, deadline) = (Millis(now.0 + linger), Millis(now.0 + DRAIN));
        let ending = self.ending.get_or_insert(Ending {
            earliest,
            deadline,
            tell: Vec::new(),
            closing: false,
        });
        ending.tell.push(caller);
    }

    /// Goes through the steps of an orderly end: what was promised to the store is written, what is being pushed is
    /// sent, then connections close. Each part has its deadline.
    pub(super) fn has_ended(&mut self) -> bool {
        let now = self.env.now();
        let written = self.writer.is_idle();
        let sent = self.pushing.is_idle();
        let Some(ending) = &mut self.ending else { return false };
        let late = ending.deadline <= now;
        if ending.closing {
            return late || self.connections.counts().0 == 0;
        }
        if late || (written && sent && ending.earliest <= now) {
            ending.closing = true;
            ending.deadline = Millis(now.0 + CLOSE);
            let peers: Vec<PeerId> = self.connections.iter().map(|(peer, _)| *peer).collect();
            for peer in &peers {
                let _ = self.network.swarm.disconnect_peer_id(*peer);
            }
            return peers.is_empty();
        }
        false
    }
}
