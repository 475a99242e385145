//! What the rules want done.

use std::sync::Arc;

use futures::FutureExt;
use libp2p::{
    Multiaddr, PeerId,
    gossipsub::{MessageAcceptance, MessageId, PublishError},
};
use starfish_crypto::Verified;
use starfish_protocol::{
    engine::port::{self, Acceptance, AskError, DisconnectReason, Input, Output, Query, Ticket},
    peer::Peer,
    record::{Header, open_body},
    time::Millis,
    wire::{Channel, GOSSIP_BYTES, Request},
};

use super::{Node, UNDELIVERED};
use crate::mesh::{
    behaviour::gossip,
    environment::{Cost, Work, compute},
    event::{CloseReason, Event},
    peers::{id_of, id_of_key, peer_of},
};

/// How long a peer stays out after too many provable faults.
const EXPELLED: Millis = Millis(600_000);
/// How many expelled peers are remembered.
const MOST_EXPELLED: usize = 1_024;
/// About how many bytes a read of headers goes through.
const RANGE_BYTES: usize = 65_536;

impl Node {
    pub(super) fn carry_out(&mut self, output: Output) {
        match output {
            Output::Validate {
                peer,
                channel,
                message,
                acceptance,
            } => self.validate(&peer, channel, message, acceptance),
            Output::Gossip { channel, payload } => self.publish(channel, payload),
            Output::Push {
                channel,
                header,
                digest,
                body,
                spared,
            } => {
                let mut peers = self.told_first(channel);
                peers.retain(|peer| !spared.contains(&peer_of(peer)));
                self.pushing
                    .push(&self.desk, &peers, digest, &Request::Push { header, body });
            }
            Output::Ask {
                ticket,
                peer,
                request,
                deadline,
            } => self.ask(ticket, &peer, request, deadline),
            Output::Cancel(ticket) => self.asking.cancel(ticket),
            Output::Reply { ticket, response } => self.answering.reply(ticket, response),
            Output::Open {
                ticket,
                header,
                compressed,
            } => self.open(ticket, header, compressed),
            Output::Append { ticket, changes } => self.writer.append(ticket, changes),
            Output::Read { ticket, query } => self.read(ticket, query),
            Output::Done { ticket, outcome } => {
                if let Some(caller) = self.commands.remove(&ticket) {
                    // The caller may have stopped waiting; what it wanted is done all the same.
                    let _ = caller.send(outcome);
                }
            }
            Output::Disconnect { peer, reason } => self.disconnect(&peer, reason),
            Output::Dial { key, addresses, wish } => {
                let now = self.env.now();
                let addresses: Vec<Multiaddr> = addresses.iter().filter_map(|text| text.parse().ok()).collect();
                if let Some(peer) = id_of_key(&key).filter(|peer| peer != self.network.swarm.local_peer_id()) {
                    self.dialler.add_peer(peer, addresses, wish, now);
                }
            }
            Output::Score { peer, strikes } => {
                if let Some(peer) = id_of(&peer) {
                    let behaviour = self.network.swarm.behaviour_mut();
                    for channel in [Channel::Clear, Channel::Green] {
                        let gossip = behaviour.gossip_of(channel);
                        gossip.set_application_score(&peer, gossip::score_of(strikes));
                    }
                }
            }
            Output::Confide { key, may } => self.confide(&key, may),
            Output::Wake(at) => self.wake = Some(at),
            Output::Event(event) => self.emit(Event::Engine(event)),
        }
    }

    pub(super) fn validate(&mut self, peer: &Peer, channel: Channel, message: Vec<u8>, acceptance: Acceptance) {
        let Some(peer) = id_of(peer) else { return };
        let acceptance = match acceptance {
            Acceptance::Accept => MessageAcceptance::Accept,
            Acceptance::Ignore => MessageAcceptance::Ignore,
            Acceptance::Reject => MessageAcceptance::Reject,
        };
        let gossip = self.network.swarm.behaviour_mut().gossip_of(channel);
        if !gossip.report_message_validation_result(&MessageId(message), &peer, acceptance) {
            self.desk.figures.late_validations.inc();
        }
    }

    /// Gives a message to the mesh. Without any peer it waits for the first one, because the next exchange of frontiers
    /// may be a minute away.
    pub(super) fn publish(&mut self, channel: Channel, payload: Vec<u8>) {
        if payload.len() > GOSSIP_BYTES {
            return self.emit(Event::Bounded("a gossip message of our own is longer than allowed"));
        }
        let topic = self.network.topics.of(channel).clone();
        match self
            .network
            .swarm
            .behaviour_mut()
            .gossip_of(channel)
            .publish(topic, payload.clone())
        {
            Ok(_) | Err(PublishError::Duplicate) => {}
            // Whoever comes to be confided in is connected anew, and that begins with a comparison.
            Err(PublishError::NoPeersSubscribedToTopic) if channel == Channel::Green => {}
            Err(PublishError::NoPeersSubscribedToTopic) => {
                if self.undelivered.len() >= UNDELIVERED {
                    self.undelivered.pop_front();
                    self.desk.figures.undelivered_gossip.inc();
                }
                self.undelivered.push_back((channel, payload));
            }
            Err(_) => {
                self.desk.figures.undelivered_gossip.inc();
            }
        }
    }

    /// Who gets a header of our own from us and nobody else, and hence waits for the push of its body: the mesh peers.
    /// While they are fewer than wanted, gossipsub adds others at random, which are known only when that is everyone.
    fn told_first(&mut self, channel: Channel) -> Vec<PeerId> {
        let topic = self.network.topics.of(channel);
        let behaviour = self.network.swarm.behaviour_mut();
        let gossip = behaviour.gossip_of(channel);
        let subscribed = gossip.all_peers().filter(|(_, topics)| topics.contains(&topic));
        let everyone: Vec<PeerId> = subscribed.map(|(peer, _)| *peer).collect();
        let alone = match channel {
            Channel::Green => self.outside_green(&everyone),
            Channel::Clear | Channel::Statements => Vec::new(),
        };
        if everyone.len() <= self.settings.gossip.mesh {
            return [everyone, alone].concat();
        }
        let gossip = self.network.swarm.behaviour_mut().gossip_of(channel);
        gossip.mesh_peers(topic).copied().chain(alone).collect()
    }

    fn ask(&mut self, ticket: Ticket, peer: &Peer, request: Request, deadline: Millis) {
        match id_of(peer) {
            Some(peer) if self.ending.is_none() => self.asking.ask(ticket, peer, request, deadline),
            _ => self.inputs.push_back(Input::Answered {
                ticket,
                response: Err(AskError::Lost),
            }),
        }
    }

    /// Opens streams for requests and pushes that may go now.
    pub(super) fn start_streams(&mut self) {
        let (connections, streams) = (
            &self.connections,
            &mut self.network.swarm.behaviour_mut().seldom.streams,
        );
        let mut open = |peer: PeerId| {
            let connection = connections.used(&peer)?.id;
            Some(streams.open(peer, connection))
        };
        self.pushing.start(&self.desk, &mut open);
        for ticket in self.asking.start(&self.desk, &mut open) {
            self.inputs.push_back(Input::Answered {
                ticket,
                response: Err(AskError::Lost),
            });
        }
    }

    fn open(&mut self, ticket: Ticket, header: Verified<Header>, compressed: Vec<u8>) {
        let cost = Cost {
            work: Work::Body,
            bytes: header.raw_len as usize,
        };
        let opened = compute(&self.env, cost, move || {
            let body = open_body(&header, &compressed);
            body.map(|body| (compressed, body))
        });
        self.computing.push(
            opened
                .map(move |body| Some(Input::Opened { ticket, body: body? }))
                .boxed(),
        );
    }

    fn read(&mut self, ticket: Ticket, query: Query) {
        let bytes = if matches!(query, Query::Body { .. } | Query::Record(_)) {
            RANGE_BYTES * 4
        } else {
            RANGE_BYTES
        };
        let keeper = Arc::clone(&self.keeper);
        let found = compute(
            &self.env,
            Cost {
                work: Work::Read,
                bytes,
            },
            move || keeper.answer(&query),
        );
        let found = found.map(move |found| {
            // A read that was lost is one that the store could not answer.
            Some(Input::Found {
                ticket,
                found: found.unwrap_or(port::Found::Failed),
            })
        });
        self.computing.push(found.boxed());
    }

    fn disconnect(&mut self, peer: &Peer, reason: DisconnectReason) {
        let Some(peer) = id_of(peer) else { return };
        match reason {
            DisconnectReason::Blocked => {
                self.network.swarm.behaviour_mut().blocked.block_peer(peer);
            }
            DisconnectReason::Misbehaved => self.expel(peer, EXPELLED),
            _ => {}
        }
        if reason != DisconnectReason::Visited {
            self.dialler.avoid(&peer, self.env.now());
        }
        self.emit(Event::Closed {
            peer,
            reason: CloseReason::Engine(reason),
        });
        // An error only says that the connection is gone already.
        let _ = self.network.swarm.disconnect_peer_id(peer);
    }

    /// Keeps a peer out for so long, whoever dials.
    pub(super) fn expel(&mut self, peer: PeerId, length: Millis) {
        let now = self.env.now();
        let until = now + length;
        self.dialler.avoid(&peer, now);
        if let Some(known) = self.expelled.get_mut(&peer) {
            *known = until.max(*known);
        } else if self.expelled.len() < MOST_EXPELLED && self.network.swarm.behaviour_mut().blocked.block_peer(peer) {
            // Only whom nobody had blocked before is let in again.
            self.expelled.insert(peer, until);
        }
    }
}
