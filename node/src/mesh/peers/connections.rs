//! One connection per peer: [`Connections`] settles which of two stays, so that both sides come to the same answer.
//!
//! | the second connection | what happens |
//! |---|---|
//! | within 5 s of the first | both sides dialled at once: after a grace the one goes that the greater peer id dialled |
//! | dialled by us, the first one alive | the new one goes: an address turned out to be a peer that we have |
//! | otherwise | the peer came back and the first one is a ghost: after a grace all go, and it is dialled again |
//!
//! The grace lets both sides see both connections. Gossipsub tells its subscriptions only to a peer without any
//! connection; if one side saw its last connection end and the other did not, they would stay silent for ever. For the
//! same reason a ghost takes the new connection with it: the peer must be greeted afresh.

use std::collections::BTreeMap;

use libp2p::{Multiaddr, PeerId, core::ConnectedPoint, multiaddr::Protocol, swarm::ConnectionId};
use starfish_protocol::time::{Millis, Time};

use crate::mesh::event::CloseReason;

/// Two connections that begin within this time count as simultaneous.
const SIMULTANEOUS: u64 = 5_000;
/// How long both of them stay.
const GRACE: u64 = 2_000;
/// A connection whose ping was answered within this time is alive: two pings and a round trip.
const ALIVE: u64 = 40_000;

/// The connections of one node.
#[derive(Debug)]
pub(crate) struct Connections {
    own: PeerId,
    peers: BTreeMap<PeerId, Vec<Link>>,
    closing: BTreeMap<PeerId, (Millis, Closing)>,
}

/// One connection.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) id: ConnectionId,
    pub(crate) address: Multiaddr,
    pub(crate) outbound: bool,
    pub(crate) since: Time,
    pub(crate) answered: Millis,
    pub(crate) round_trip: Option<Millis>,
    /// It is to be closed; requests go elsewhere.
    leaving: bool,
}

/// What is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// One connection of the peer.
    One(ConnectionId),
    /// All of them.
    All,
}

impl Link {
    pub(crate) fn new(id: ConnectionId, endpoint: &ConnectedPoint, now: Time) -> Self {
        let address = endpoint.get_remote_address().clone();
        Self {
            id,
            address,
            outbound: endpoint.is_dialer(),
            since: now,
            answered: now.mono,
            round_trip: None,
            leaving: false,
        }
    }

    /// `tcp`, `quic`, `memory`, or what else the address says.
    pub(crate) fn transport(&self) -> &'static str {
        let named = |protocol: Protocol<'_>| match protocol {
            Protocol::QuicV1 | Protocol::Quic => Some("quic"),
            Protocol::Tcp(_) => Some("tcp"),
            Protocol::Memory(_) => Some("memory"),
            _ => None,
        };
        self.address.iter().find_map(named).unwrap_or("other")
    }
}

impl Connections {
    pub(crate) fn new(own: PeerId) -> Self {
        Self {
            own,
            peers: BTreeMap::new(),
            closing: BTreeMap::new(),
        }
    }

    /// Takes a new connection. True when it is the peer's only one.
    pub(crate) fn established(&mut self, peer: PeerId, link: Link) -> bool {
        let links = self.peers.entry(peer).or_default();
        links.push(link);
        let [.., old, new] = links.as_slice() else { return true };
        let now = new.since.mono;
        let closing = if now.0 - old.since.mono.0 <= SIMULTANEOUS {
            (
                Millis(now.0 + GRACE),
                Closing::One(loser(&self.own, &peer, old, new).id),
            )
        } else if new.outbound && now.0 - old.answered.0 <= ALIVE {
            (now, Closing::One(new.id))
        } else {
            (Millis(now.0 + GRACE), Closing::All)
        };
        if let Closing::One(id) = closing.1 {
            links
                .iter_mut()
                .filter(|link| link.id == id)
                .for_each(|link| link.leaving = true);
        }
        self.closing.insert(peer, closing);
        false
    }

    /// Forgets a connection. True when it was the peer's last.
    pub(crate) fn closed(&mut self, peer: &PeerId, id: ConnectionId) -> bool {
        // Whatever was to be settled between two is settled.
        self.closing.remove(peer);
        let Some(links) = self.peers.get_mut(peer) else {
            return false;
        };
        links.retain(|link| link.id != id);
        let last = links.is_empty();
        if last {
            self.peers.remove(peer);
        }
        last
    }

    /// Takes the answer to a ping.
    pub(crate) fn answered(&mut self, peer: &PeerId, id: ConnectionId, round_trip: Millis, now: Millis) {
        let links = self.peers.get_mut(peer).into_iter().flatten();
        for link in links.filter(|link| link.id == id) {
            (link.answered, link.round_trip) = (now, Some(round_trip));
        }
    }

    /// What is to be closed by now, and why.
    pub(crate) fn due(&mut self, now: Millis) -> Vec<(PeerId, Closing, CloseReason)> {
        let mut due = Vec::new();
        self.closing.retain(|peer, (at, closing)| {
            let reason = if *closing == Closing::All {
                CloseReason::Stale
            } else {
                CloseReason::Doubled
            };
            if *at <= now {
                due.push((*peer, *closing, reason));
            }
            *at > now
        });
        due
    }

    /// When `due` should be asked next.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        self.closing.values().map(|(at, _)| *at).min()
    }

    /// The connection in use: the one that will stay, or else the newest.
    pub(crate) fn used(&self, peer: &PeerId) -> Option<&Link> {
        let links = self.peers.get(peer)?;
        links.iter().rev().find(|link| !link.leaving).or(links.last())
    }

    /// Whether there is any connection to the peer.
    pub(crate) fn holds(&self, peer: &PeerId) -> bool {
        self.peers.contains_key(peer)
    }

    /// Connected peers with the connection in use, in the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PeerId, &Link)> {
        self.peers.keys().filter_map(|peer| Some((peer, self.used(peer)?)))
    }

    /// How many peers are connected, and how many of them were dialled.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.peers.len(), self.iter().filter(|(_, link)| link.outbound).count())
    }
}

/// The same connection on both sides: the one that the greater id dialled, or the older of two with one dialler.
fn loser<'a>(own: &PeerId, peer: &PeerId, old: &'a Link, new: &'a Link) -> &'a Link {
    let smaller_dialled = |link: &Link| link.outbound == (own < peer);
    match (smaller_dialled(old), smaller_dialled(new)) {
        (true, false) => new,
        _ => old,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(id: usize, outbound: bool, at: u64) -> Link {
        let time = Time {
            mono: Millis(at),
            wall: Millis(at),
        };
        let address: Multiaddr = "/memory/1".parse().expect("an address");
        let id = ConnectionId::new_unchecked(id);
        Link {
            id,
            address,
            outbound,
            since: time,
            answered: time.mono,
            round_trip: None,
            leaving: false,
        }
    }

    fn ids() -> (PeerId, PeerId) {
        let (one, two) = (PeerId::random(), PeerId::random());
        if one < two { (one, two) } else { (two, one) }
    }

    #[test]
    fn both_sides_keep_the_same_one_of_two() {
        let (small, great) = ids();
        // Connection 1 was dialled by the smaller id, 2 by the greater; each side may see either first.
        for small_first in [1, 2] {
            for great_first in [1, 2] {
                let mut here = Connections::new(small);
                let mut there = Connections::new(great);
                for (at, id) in [(100, small_first), (900, 3 - small_first)] {
                    here.established(great, link(id, id == 1, at));
                }
                for (at, id) in [(200, great_first), (700, 3 - great_first)] {
                    there.established(small, link(id, id == 2, at));
                }
                let expected = Closing::One(ConnectionId::new_unchecked(2));
                assert_eq!(here.due(Millis(2_800)), []);
                assert_eq!(here.due(Millis(2_900)), [(great, expected, CloseReason::Doubled)]);
                assert_eq!(there.due(Millis(9_000)), [(small, expected, CloseReason::Doubled)]);
                assert_eq!(here.used(&great).map(|link| link.outbound), Some(true));
            }
        }
    }

    #[test]
    fn a_second_connection_later_is_a_return_or_a_mistake() {
        let (small, great) = ids();
        let check = |outbound: bool, answered: u64, at: u64, expected: Option<(Closing, CloseReason)>| {
            let mut here = Connections::new(small);
            assert!(here.established(great, link(1, true, 0)));
            here.answered(&great, ConnectionId::new_unchecked(1), Millis(3), Millis(answered));
            assert!(!here.established(great, link(2, outbound, 100_000)));
            let due = here
                .due(Millis(at))
                .into_iter()
                .map(|(_, closing, reason)| (closing, reason))
                .next();
            assert_eq!(due, expected);
        };
        let new = Closing::One(ConnectionId::new_unchecked(2));
        check(true, 90_000, 100_000, Some((new, CloseReason::Doubled)));
        check(true, 10_000, 100_000, None);
        check(true, 10_000, 102_000, Some((Closing::All, CloseReason::Stale)));
        check(false, 90_000, 101_999, None);
        check(false, 90_000, 102_000, Some((Closing::All, CloseReason::Stale)));
    }

    #[test]
    fn the_end_of_either_settles_it() {
        let (small, great) = ids();
        let mut here = Connections::new(small);
        here.established(great, link(1, true, 0));
        here.established(great, link(2, false, 1));
        assert_eq!(
            here.iter().count(),
            1,
            "a peer is shown once, whatever goes on between its connections"
        );
        assert!(!here.closed(&great, ConnectionId::new_unchecked(1)));
        assert_eq!(here.due(Millis(1_000_000)), []);
        assert_eq!(
            here.used(&great).map(|link| link.id),
            Some(ConnectionId::new_unchecked(2))
        );
        assert!(here.closed(&great, ConnectionId::new_unchecked(2)));
        assert!(!here.holds(&great));
    }
}
