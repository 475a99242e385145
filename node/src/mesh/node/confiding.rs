//! Who may be told what is TLP:GREEN, as far as connections go: each is made for that or is not.
//!
//! A right that is lost takes effect at once: nothing more goes out, the connection ends, and a new one follows. One that is
//! gained counts for the next connection, which is made a moment later, so that a right that comes and goes does not break
//! the connection each time.

use libp2p::PeerId;
use starfish_crypto::PublicKey;
use starfish_protocol::time::Millis;

use super::Node;
use crate::mesh::{
    event::{CloseReason, Event},
    peers::{connections::Closing, id_of_key},
};

/// How long a peer has a right before its connection is made anew. Both sides gain theirs within seconds of each other when
/// two operators agree on it, or when they meet for the first time: one new connection is enough for both.
const GAINED_FOR: u64 = 2_000;

impl Node {
    pub(super) fn confide(&mut self, key: &PublicKey, may: bool) {
        let Some(peer) = id_of_key(key) else { return };
        let green = &mut self.network.swarm.behaviour_mut().seldom.green;
        if may {
            green.allow(peer);
            if self.connections.holds(&peer) && !green.reaches(&peer) {
                self.gained.insert(peer, Millis(self.env.now().0 + GAINED_FOR));
            }
            return;
        }
        green.forbid(peer);
        self.gained.remove(&peer);
        self.pushing.forget(&peer);
        self.answering.gone(&peer);
        self.make_anew(peer);
    }

    /// Connections with those who have had the right for a while, and were connected before.
    pub(super) fn reconnect_gained(&mut self, now: Millis) {
        let due = self.gained.iter().filter(|(_, at)| **at <= now);
        for peer in due.map(|(peer, _)| *peer).collect::<Vec<_>>() {
            self.gained.remove(&peer);
            if !self.network.swarm.behaviour().seldom.green.reaches(&peer) {
                self.make_anew(peer);
            }
        }
    }

    fn make_anew(&mut self, peer: PeerId) {
        let Some(link) = self.connections.used(&peer) else {
            return;
        };
        if link.outbound {
            self.dialler.add_again(peer, link.address.clone(), self.env.now());
        }
        self.emit(Event::Closed {
            peer,
            reason: CloseReason::Confided,
        });
        self.close(peer, Closing::All);
    }

    /// Connected peers that may be told and are not in the mesh of what is GREEN, because they do not confide in us.
    pub(super) fn outside_green(&self, inside: &[PeerId]) -> Vec<PeerId> {
        let green = &self.network.swarm.behaviour().seldom.green;
        let connected = self.connections.iter().map(|(peer, _)| *peer);
        connected
            .filter(|peer| green.may(peer) && !inside.contains(peer))
            .collect()
    }
}
