//! Finds connections whose gossip is silent while their ping is answered: [`Watchdog`].
//!
//! Gossipsub gives a connection up for good after five broken streams, and says so to nobody. What shows from outside: a
//! Starfish node subscribes to our channels within seconds of connecting, and takes what is sent to it. A connection
//! where the first never happens, or the second fails for a minute, is closed and dialled anew.

use std::collections::BTreeMap;

use libp2p::PeerId;
use starfish_protocol::time::Millis;

/// Time between looks.
pub(crate) const LOOK_EVERY: Millis = Millis(10_000);
/// After so many looks without a subscription, or with messages that could not be sent, a connection is cycled.
const LOOKS: u32 = 3;
const SLOW_LOOKS: u32 = 6;
/// A peer that was just cycled is left alone so long, doubled each time: a foreign program may never subscribe.
const REST: u64 = 120_000;
const LONGEST_REST: u64 = 7_200_000;
/// How many cycled peers are remembered.
const REMEMBERED: usize = 1_024;

/// What is known about each connected peer.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    peers: BTreeMap<PeerId, Signs>,
    rests: BTreeMap<PeerId, (Millis, u64)>,
}

#[derive(Debug, Default)]
struct Signs {
    slow: bool,
    slow_looks: u32,
    unsubscribed_looks: u32,
    foreign: bool,
}

/// What a look finds about one connected peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) peer: PeerId,
    /// Whether it subscribed to a channel of ours.
    pub(crate) subscribed: bool,
    /// Whether its ping was answered lately.
    pub(crate) alive: bool,
}

impl Watchdog {
    /// Messages for this peer did not get out.
    pub(crate) fn slow(&mut self, peer: PeerId) {
        self.peers.entry(peer).or_default().slow = true;
    }

    /// This peer speaks no gossipsub, and never will on this connection.
    pub(crate) fn foreign(&mut self, peer: PeerId) {
        self.peers.entry(peer).or_default().foreign = true;
    }

    /// The peer is gone.
    pub(crate) fn lost(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// Goes through every connected peer and gives those whose connection is to be cycled.
    pub(crate) fn look(&mut self, now: Millis, looks: impl Iterator<Item = Look>) -> Vec<PeerId> {
        let mut silent = Vec::new();
        for look in looks {
            let signs = self.peers.entry(look.peer).or_default();
            signs.unsubscribed_looks = if look.subscribed {
                0
            } else {
                signs.unsubscribed_looks + 1
            };
            signs.slow_looks = if std::mem::take(&mut signs.slow) {
                signs.slow_looks + 1
            } else {
                0
            };
            let quiet = signs.unsubscribed_looks >= LOOKS || signs.slow_looks >= SLOW_LOOKS;
            let resting = self.rests.get(&look.peer).is_some_and(|(until, _)| *until > now);
            if look.alive && quiet && !signs.foreign && !resting {
                silent.push(look.peer);
            }
        }
        for peer in &silent {
            self.rest(*peer, now);
        }
        silent
    }

    fn rest(&mut self, peer: PeerId, now: Millis) {
        if self.rests.len() >= REMEMBERED {
            self.rests.retain(|_, (until, _)| *until > now);
            if self.rests.len() >= REMEMBERED {
                self.rests.pop_first();
            }
        }
        let length = self
            .rests
            .get(&peer)
            .map_or(REST, |(_, length)| (length * 2).min(LONGEST_REST));
        self.rests.insert(peer, (Millis(now.0 + length), length));
        self.peers.remove(&peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At which look, from 1 to 20, the peer is found silent for the first time.
    fn check(subscribed: bool, alive: bool, slow: bool, foreign: bool, expected: Option<u64>) {
        let (mut watchdog, peer) = (Watchdog::default(), PeerId::random());
        if foreign {
            watchdog.foreign(peer);
        }
        let found = (1..=20).find(|round| {
            if slow {
                watchdog.slow(peer);
            }
            let look = Look {
                peer,
                subscribed,
                alive,
            };
            !watchdog
                .look(Millis(round * LOOK_EVERY.0), [look].into_iter())
                .is_empty()
        });
        assert_eq!(found, expected, "{subscribed} {alive} {slow} {foreign}");
    }

    #[test]
    fn silence_is_found() {
        check(true, true, false, false, None);
        check(false, true, false, false, Some(3));
        check(false, false, false, false, None);
        check(false, true, false, true, None);
        check(true, true, true, false, Some(6));
        check(true, false, true, false, None);
    }

    #[test]
    fn a_peer_that_stays_silent_is_left_alone_longer_each_time() {
        let (mut watchdog, peer) = (Watchdog::default(), PeerId::random());
        let look = Look {
            peer,
            subscribed: false,
            alive: true,
        };
        let mut found = Vec::new();
        for round in 0..60 {
            if !watchdog
                .look(Millis(round * LOOK_EVERY.0), [look].into_iter())
                .is_empty()
            {
                found.push(round);
            }
        }
        assert_eq!(found, [2, 14, 38]);
    }
}
