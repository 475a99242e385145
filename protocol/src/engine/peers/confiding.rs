//! Whom this node tells what is TLP:GREEN: the confide gate (design, protocol 5 and trust 4.6).
//!
//! The right is asked for each time something GREEN may go out, by what holds at that moment. The shell is told of every
//! change of it, by node key and before the node is connected, because what keeps gossip from a peer is the kind of its
//! connection.

use std::collections::BTreeSet;

use starfish_crypto::PublicKey;

use crate::{
    peer::Peer,
    record::{Audience, LogId},
};

use super::super::{Engine, port::Output};

impl Engine {
    /// Whether a connected peer may be told what is TLP:GREEN.
    pub(in crate::engine) fn confides_in(&self, peer: &Peer) -> bool {
        let key = self.peers.get(peer).and_then(|state| state.key);
        key.is_some_and(|key| self.confides_in_node(&key))
    }

    /// Whether a connected peer may be told of this log. Its own author knows it already.
    pub(in crate::engine) fn may_see(&self, peer: &Peer, log: &LogId) -> bool {
        let wrote = self.peers.get(peer).is_some_and(|state| state.key == Some(log.author));
        wrote || log.audience != Audience::Green || self.confides_in(peer)
    }

    fn confides_in_node(&self, key: &PublicKey) -> bool {
        let org = self.roster.organisation_of(key, self.now.wall);
        org.is_some_and(|org| self.trust.confides(&org))
    }

    /// Tells the shell who may be told from now on, and who not any more, when statements, trust or time may have changed
    /// that.
    pub(in crate::engine) fn confide_when_due(&mut self) {
        if !std::mem::take(&mut self.confide_soon) {
            return;
        }
        // Few organisations are confided in, and many are known.
        let orgs = self.trust.confided();
        let nodes = orgs.flat_map(|org| self.roster.nodes_of(Some(org)));
        let others = nodes.filter(|node| *node != self.key.public());
        let confided: BTreeSet<PublicKey> = others.filter(|node| self.confides_in_node(node)).collect();
        let before = std::mem::replace(&mut self.confided, confided);
        let told = |(key, may)| Output::Confide { key, may };
        let lost = before.difference(&self.confided).map(|key| (*key, false));
        let gained = self.confided.difference(&before).map(|key| (*key, true));
        let changed: Vec<(PublicKey, bool)> = lost.chain(gained).collect();
        for (peer, state) in &self.peers {
            let may = state.key.is_some_and(|key| self.confided.contains(&key));
            self.bodies.stands(peer, self.trust.judge(state.org).connect, may);
        }
        self.out.extend(changed.into_iter().map(told));
    }
}
