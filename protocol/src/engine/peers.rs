//! The neighbours: who is connected, by which right, and what is being exchanged with them.

mod clocks;
mod confiding;
mod dialling;

use std::collections::{BTreeMap, VecDeque};

use starfish_crypto::{PublicKey, Verified};

use crate::{
    intake::{Fault, OpenHello},
    limits,
    organisation::OrgId,
    peer::Peer,
    record::{Audience, Header},
    time::{Millis, Time},
    wire::{Cursor, Hello, Request},
};

pub use self::clocks::HIGHEST_WALL;
use super::{
    Engine,
    arrivals::Source,
    exchange::Ask,
    frontier::Gap,
    port::{DisconnectReason, Event, Outcome, Output, PeerView, Refusal, Ticket},
    setup::Subscription,
};

/// One connected peer.
#[derive(Debug, Default)]
pub(super) struct PeerState {
    pub(super) key: Option<PublicKey>,
    pub(super) org: Option<OrgId>,
    /// True when this node dialled it.
    pub(super) outbound: bool,
    pub(super) since: Millis,
    pub(super) records: u64,
    /// What it says it pulls.
    pub(super) subscription: Subscription,
    pub(super) strikes: u32,
    /// What its clock said, at which of our moments.
    pub(super) clock: Option<Time>,
    /// How many requests of ours are open there.
    pub(super) asks: usize,
    /// Its requests for which the store is being read, and whether they were given up meanwhile.
    pub(super) reads: BTreeMap<Ticket, bool>,
    /// When it is asked a second time.
    pub(super) settles: Option<Millis>,
    /// True while a frontier or statements request is on its way.
    pub(super) syncing: bool,
    /// How many range requests are.
    pub(super) ranging: usize,
    /// True while its statements differ from ours and more of them may be had.
    pub(super) statements_differ: bool,
    /// Where to go on with them.
    pub(super) statements_since: Option<Cursor>,
    /// When they were last read from the beginning.
    pub(super) statements_reread: Option<Millis>,
    /// Ranges still to be asked for.
    pub(super) gaps: VecDeque<Gap>,
    /// Records that these brought, whose bodies are asked for when all of them are here.
    pub(super) deferred: Vec<Verified<Header>>,
    /// Heads that these brought, which others are told of then.
    pub(super) retold: Vec<Verified<Header>>,
    /// True once it has shown all of its heads, and once what they showed was dealt with.
    pub(super) shown: bool,
    /// See `shown`.
    pub(super) caught_up: bool,
    /// True when the peer's page of heads was not its last.
    pub(super) more_heads: bool,
}

impl PeerState {
    /// Whether something that it has shown is still on its way.
    pub(super) fn is_catching_up(&self) -> bool {
        self.syncing || self.ranging > 0 || !self.gaps.is_empty()
    }

    /// Whether it was connected a moment ago, and what it holds is not known yet.
    pub(super) fn is_new(&self) -> bool {
        self.settles.is_some() && !self.caught_up
    }
}

impl Engine {
    pub(super) fn connected(&mut self, peer: Peer, key: Option<PublicKey>, outbound: bool) {
        if self.trust.is_blocked(&peer) {
            self.refused.extend(key);
            return self.disconnect(peer, DisconnectReason::Blocked);
        }
        // The newest connection wins; what was open on the old one is not answered any more.
        let strikes = self.peers.get(&peer).map_or(0, |state| state.strikes);
        self.disconnected(&peer);
        let org = key.and_then(|key| self.roster.organisation_of(&key, self.now.wall));
        let guest = !outbound && !self.trust.judge(org).connect;
        if guest && self.guests().count() >= limits::GUESTS && !self.make_room() {
            return self.disconnect(peer, DisconnectReason::GuestsFull);
        }
        let settles = Some(self.now.mono + limits::SETTLING);
        let state = PeerState {
            key,
            org,
            outbound,
            since: self.now.wall,
            strikes,
            settles,
            ..PeerState::default()
        };
        self.peers.insert(peer.clone(), state);
        let green = self.confides_in(&peer);
        self.bodies.connected(&peer, key);
        self.bodies.confided_in(&peer, green);
        let hello = self.hello(green);
        self.ask(peer, Request::Hello(hello), Ask::Hello);
    }

    pub(super) fn disconnected(&mut self, peer: &Peer) {
        let Some(state) = self.peers.remove(peer) else { return };
        // Who was connected so far was never named for dialling.
        self.dial_soon = true;
        let by_right = self.trust.judge(state.org).connect;
        if state.more_heads || state.ranging > 0 || !state.gaps.is_empty() {
            self.frontier.forget_cursor(peer);
        }
        for gap in state.gaps {
            self.lag_behind(gap, by_right);
        }
        if !state.deferred.is_empty() {
            self.missing.look_through();
        }
        self.forget_inquiries(peer);
        let open = self.asks.iter().filter(|(_, asked)| asked.peer == *peer);
        for ticket in open.map(|(ticket, _)| *ticket).collect::<Vec<_>>() {
            let Some(lost) = self.asks.remove(&ticket) else {
                continue;
            };
            match lost.ask {
                Ask::Pair(pairing) => self.done(pairing.command, Outcome::Refused(Refusal::NotConnected)),
                Ask::Range(gap) => self.lag_behind(gap, by_right),
                _ => {}
            }
        }
        let steps = self.bodies.disconnected(peer, self.now.mono);
        self.carry_out(steps);
    }

    /// Those who came by themselves, and have no right to be here.
    fn guests(&self) -> impl Iterator<Item = (&Peer, &PeerState)> {
        let trust = &self.trust;
        self.peers
            .iter()
            .filter(|(_, state)| !state.outbound && !trust.judge(state.org).connect)
    }

    /// Sends the guest away that is here longest and has not even said who it is. While a door is open, one is needed:
    /// whoever comes may hold its code, and strangers who fill every place must not keep him out.
    fn make_room(&mut self) -> bool {
        let open = self.is_expecting();
        let useless = |state: &PeerState| state.org.is_none() && state.settles.is_none();
        let leaves = self.guests().filter(|(_, state)| open || useless(state));
        let longest = leaves.min_by_key(|(_, state)| (state.org.is_some(), state.since));
        let Some(peer) = longest.map(|(peer, _)| peer.clone()) else {
            return false;
        };
        self.disconnected(&peer);
        self.disconnect(peer, DisconnectReason::GuestsFull);
        true
    }

    /// Guests become too many when somebody loses the right to be here.
    pub(super) fn limit_guests(&mut self) {
        let newest = |(_, state): &(&Peer, &PeerState)| (state.org.is_none(), state.since);
        while self.guests().count() > limits::GUESTS {
            let Some(peer) = self.guests().max_by_key(newest).map(|(peer, _)| peer.clone()) else {
                return;
            };
            self.disconnected(&peer);
            self.disconnect(peer, DisconnectReason::GuestsFull);
        }
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

    /// The peer as somebody who delivers.
    pub(super) fn source<'a>(&self, peer: &'a Peer) -> Source<'a> {
        let by_right = self.is_trusted(peer);
        Source { peer, by_right }
    }

    /// Who this node is and what it wants, for one that may be told TLP:GREEN or may not.
    pub(super) fn hello(&self, green: bool) -> Hello {
        let hidden = if green {
            0
        } else {
            self.logs.records_of(Audience::Green)
        };
        let identity = self.identity.iter().take(limits::HELLO_STATEMENTS - 1);
        Hello {
            community: self.community,
            // The other side reads no more than so many, and the endpoint comes last: it rests on the others.
            statements: identity.chain(&self.endpoint).cloned().collect(),
            topics: self.subscription.topics.iter().map(ToString::to_string).collect(),
            tlds: self.subscription.tlds.iter().map(ToString::to_string).collect(),
            records: self.records.saturating_sub(hidden),
            wall: self.now.wall,
        }
    }

    /// Takes a peer's own word about itself; what matters in it is signed. False when it belongs to another mesh.
    pub(super) fn introduce(&mut self, peer: &Peer, hello: OpenHello) -> bool {
        if hello.community != self.community {
            self.disconnect(peer.clone(), DisconnectReason::OtherCommunity);
            return false;
        }
        let source = self.source(peer);
        if self
            .charges
            .statements(source, hello.statements.len() as u64, self.now.mono)
        {
            self.learn_statements(peer, &hello.statements);
        } else {
            self.bounded("statements of one peer; they come with the next sync");
        }
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
        state.subscription = Subscription::told(&hello.topics, &hello.tlds);
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

    /// The peers that say they do not pull the body of this header. What is TLP:GREEN is pushed to all who may be told: it may
    /// be how they hear of it.
    pub(super) fn not_pulling(&self, header: &Header) -> Vec<Peer> {
        let is_public = header.audience == Audience::Clear;
        let spared = |(_, state): &(&Peer, &PeerState)| is_public && !state.subscription.covers(header);
        self.peers.iter().filter(spared).map(|(peer, _)| peer.clone()).collect()
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
            topics: state.subscription.topics.iter().map(ToString::to_string).collect(),
            strikes: state.strikes,
        };
        self.peers.iter().map(view).collect()
    }
}
