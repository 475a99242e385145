//! The neighbours: who is connected, by which right, and what is being exchanged with them.

mod clocks;
mod dialling;

use std::collections::VecDeque;

use starfish_crypto::{Digest, PublicKey};

use crate::{
    intake::Fault,
    limits,
    organisation::OrgId,
    peer::Peer,
    record::Topic,
    time::{Millis, Time},
    wire::{Hello, Request},
};

pub use self::clocks::HIGHEST_WALL;
use super::{
    Engine,
    exchange::Ask,
    frontier::Gap,
    port::{DisconnectReason, Event, Outcome, Output, PeerView, Refusal},
};

/// One connected peer.
#[derive(Debug, Default)]
pub(super) struct PeerState {
    pub(super) key: Option<PublicKey>,
    pub(super) org: Option<OrgId>,
    pub(super) since: Millis,
    pub(super) records: u64,
    pub(super) topics: Vec<String>,
    pub(super) strikes: u32,
    /// What its clock said, at which of our moments.
    pub(super) clock: Option<Time>,
    /// How many requests of ours are open there.
    pub(super) asks: usize,
    /// How many reads of the store are under way for it.
    pub(super) reads: usize,
    /// When it is asked a second time.
    pub(super) settles: Option<Millis>,
    /// True while a frontier or statements request is on its way.
    pub(super) syncing: bool,
    /// How many range requests are.
    pub(super) ranging: usize,
    /// Where to go on with the peer's statements, when ours differ.
    pub(super) statements_from: Option<u32>,
    /// The digest of its statements when all of them were last read, and of those that are being read.
    pub(super) statements_read: Option<Digest>,
    /// See `statements_read`.
    pub(super) statements_shown: Option<Digest>,
    /// Ranges still to be asked for.
    pub(super) gaps: VecDeque<Gap>,
    /// True once it has shown all of its heads, and once what they showed was dealt with.
    pub(super) shown: bool,
    /// See `shown`.
    pub(super) caught_up: bool,
    /// True when the peer's page of heads was not its last.
    pub(super) more_heads: bool,
}

impl Engine {
    pub(super) fn connected(&mut self, peer: Peer, key: Option<PublicKey>) {
        if self.trust.is_blocked(&peer) {
            self.refused.extend(key);
            return self.disconnect(peer, DisconnectReason::Blocked);
        }
        // The newest connection wins; what was open on the old one is not answered any more.
        let strikes = self.peers.get(&peer).map_or(0, |state| state.strikes);
        self.disconnected(&peer);
        let org = key.and_then(|key| self.roster.organisation_of(&key, self.now.wall));
        if !self.trust.judge(org).connect && self.guests() >= limits::GUESTS {
            return self.disconnect(peer, DisconnectReason::GuestsFull);
        }
        let settles = Some(self.now.mono + limits::SETTLING);
        let state = PeerState {
            key,
            org,
            since: self.now.wall,
            strikes,
            settles,
            ..PeerState::default()
        };
        self.peers.insert(peer.clone(), state);
        self.bodies.connected(&peer, key);
        let hello = self.hello();
        self.ask(peer, Request::Hello(hello), Ask::Hello);
    }

    pub(super) fn disconnected(&mut self, peer: &Peer) {
        let Some(state) = self.peers.remove(peer) else { return };
        // Who was connected so far was never named for dialling.
        self.dial_soon = true;
        for gap in state.gaps {
            self.lag(gap.log, gap.to);
        }
        if state.more_heads {
            self.frontier.forget_cursor(peer);
        }
        let open = self.asks.iter().filter(|(_, asked)| asked.peer == *peer);
        for ticket in open.map(|(ticket, _)| *ticket).collect::<Vec<_>>() {
            let Some(lost) = self.asks.remove(&ticket) else {
                continue;
            };
            match lost.ask {
                Ask::Pair(pairing) => self.done(pairing.command, Outcome::Refused(Refusal::NotConnected)),
                Ask::Range(gap) => self.lag(gap.log, gap.to),
                _ => {}
            }
        }
        let steps = self.bodies.disconnected(peer, self.now.mono);
        self.carry_out(steps);
    }

    fn guests(&self) -> usize {
        self.peers
            .values()
            .filter(|peer| !self.trust.judge(peer.org).connect)
            .count()
    }

    pub(super) fn disconnect(&mut self, peer: Peer, reason: DisconnectReason) {
        self.out.push(Output::Disconnect { peer, reason });
    }

    /// Whether a peer is connected by right.
    pub(super) fn is_trusted(&self, peer: &Peer) -> bool {
        self.peers
            .get(peer)
            .is_some_and(|state| self.trust.judge(state.org).connect)
    }

    /// Who this node is and what it wants.
    pub(super) fn hello(&self) -> Hello {
        Hello {
            community: self.community,
            statements: self.identity.iter().chain(&self.endpoint).cloned().collect(),
            topics: self.subscription.topics.iter().map(ToString::to_string).collect(),
            tlds: self.subscription.tlds.iter().map(ToString::to_string).collect(),
            records: self.records,
            wall: self.now.wall,
        }
    }

    /// Takes a peer's own word about itself; what matters in it is signed. False when it belongs to another mesh.
    pub(super) fn introduce(&mut self, peer: &Peer, mut hello: Hello) -> bool {
        if hello.community != self.community {
            self.disconnect(peer.clone(), DisconnectReason::OtherCommunity);
            return false;
        }
        hello.statements.truncate(limits::HELLO_STATEMENTS);
        self.learn_statements(peer, &hello.statements);
        let (wall, now) = (self.now.wall, self.now);
        let Some(state) = self.peers.get_mut(peer) else {
            return true;
        };
        state.records = hello.records;
        let first = state
            .clock
            .replace(Time {
                mono: now.mono,
                wall: hello.wall,
            })
            .is_none();
        let topics = hello.topics.into_iter().take(limits::SUBSCRIPTIONS);
        state.topics = topics.filter(|topic| Topic::parse(topic).is_ok()).collect();
        let known = std::mem::replace(
            &mut state.org,
            state.key.and_then(|key| self.roster.organisation_of(&key, wall)),
        );
        if let Some(org) = state.org.filter(|_| first || known != state.org) {
            self.out.push(Output::Event(Event::Introduced {
                peer: peer.clone(),
                org,
            }));
        }
        true
    }

    /// Counts a provable fault; differing policies never lead here.
    pub(super) fn strike(&mut self, peer: &Peer, fault: Fault) {
        self.out.push(Output::Event(Event::Faulted {
            peer: peer.clone(),
            fault,
        }));
        let Some(state) = self.peers.get_mut(peer) else { return };
        state.strikes = state.strikes.saturating_add(1);
        let strikes = state.strikes;
        self.out.push(Output::Score {
            peer: peer.clone(),
            strikes,
        });
        if strikes >= limits::STRIKES {
            self.disconnect(peer.clone(), DisconnectReason::Misbehaved);
        }
    }

    pub(super) fn peer_views(&self) -> Vec<PeerView> {
        let view = |(peer, state): (&Peer, &PeerState)| PeerView {
            peer: peer.clone(),
            org: state.org,
            name: state
                .org
                .and_then(|org| self.roster.name_of(&org))
                .map(ToString::to_string),
            trusted: self.trust.judge(state.org).connect,
            since: state.since,
            records: state.records,
            topics: state.topics.clone(),
            strikes: state.strikes,
        };
        self.peers.iter().map(view).collect()
    }
}
