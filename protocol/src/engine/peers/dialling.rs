//! Whom this node wants to be connected to, from the signed endpoints of organisations that pass the connect gate
//! (design, protocol 5).
//!
//! Nodes of its own and of paired organisations always; of others that it trusts, when the operator wants that, a few, and
//! of as many organisations as possible. Named again with every sync: the shell keeps the connections, backs off, and forgets
//! nodes that are named without addresses. And the author of a body that nobody has who is connected, for as long as that is
//! looked for.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom as _;
use starfish_crypto::PublicKey;

use crate::{
    limits,
    organisation::OrgId,
    statement::EndpointStatement,
    trust::{Origin, Reason},
};

use super::super::{
    Engine,
    port::{DisconnectReason, Output, Wish},
};

impl Engine {
    /// Names the nodes to be dialled, when something changed or a sync was due.
    pub(in crate::engine) fn dial_when_due(&mut self) {
        if !std::mem::take(&mut self.dial_soon) {
            return;
        }
        let connected: BTreeSet<PublicKey> = self.peers.values().filter_map(|state| state.key).collect();
        let friends = self.trust.paired().chain([self.org]);
        let friends = friends.filter(|org| self.trust.judge(Some(*org)).connect);
        let nodes = friends.flat_map(|org| self.roster.endpoints_of(org));
        let nodes = nodes.filter(|endpoint| self.is_wanted_there(endpoint, &connected));
        let always: BTreeSet<PublicKey> = nodes.map(|endpoint| endpoint.node_key).collect();
        let mut always: Vec<PublicKey> = always.into_iter().collect();
        always.shuffle(&mut self.rng);
        for key in always.into_iter().take(limits::DIALS) {
            self.dial(key, Wish::Always);
        }
        for key in self.choose_others(&connected) {
            self.dial(key, Wish::WhenRoom);
        }
    }

    /// Whether a connection to this node could be made that is not there and that nothing speaks against.
    fn is_wanted_there(&self, endpoint: &EndpointStatement, connected: &BTreeSet<PublicKey>) -> bool {
        let EndpointStatement {
            node_key: key,
            org,
            addresses,
            ..
        } = endpoint;
        let unwanted = *key == self.key.public() || connected.contains(key) || self.refused.contains(key);
        !unwanted && !addresses.is_empty() && self.roster.end_of(key, org).is_none()
    }

    /// The nodes, by organisation, that there is no need to be connected to.
    fn others(&self, connected: &BTreeSet<PublicKey>) -> BTreeMap<OrgId, Vec<PublicKey>> {
        let mut others = BTreeMap::<OrgId, Vec<PublicKey>>::new();
        let endpoints = self.roster.endpoints();
        for endpoint in endpoints.filter(|endpoint| self.is_wanted_there(endpoint, connected)) {
            if let Reason::Root(Origin::Listed | Origin::Entered) | Reason::Vouched =
                self.trust.judge(Some(endpoint.org)).reason
            {
                others.entry(endpoint.org).or_default().push(endpoint.node_key);
            }
        }
        others
    }

    /// As many as there is room for: first one node of each organisation that none is connected of, then the rest.
    fn choose_others(&mut self, reached: &BTreeSet<PublicKey>) -> Vec<PublicKey> {
        let is_other = |org: &OrgId| {
            let verdict = self.trust.judge(Some(*org));
            verdict.connect && !matches!(verdict.reason, Reason::Root(Origin::Own | Origin::Paired))
        };
        let connected: Vec<OrgId> = self
            .peers
            .values()
            .filter_map(|state| state.org)
            .filter(is_other)
            .collect();
        let room = limits::DIALLED.saturating_sub(connected.len());
        // Many nodes may be known: they are only looked at when one of them is needed.
        if !self.dial_others || room == 0 {
            return Vec::new();
        }
        let mut others = self.others(reached);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (org, nodes) in &mut others {
            nodes.shuffle(&mut self.rng);
            if !connected.contains(org) {
                first.extend(nodes.pop());
            }
            second.append(nodes);
        }
        first.shuffle(&mut self.rng);
        second.shuffle(&mut self.rng);
        first.into_iter().chain(second).take(room).collect()
    }

    fn dial(&mut self, key: PublicKey, wish: Wish) {
        let Some(endpoint) = self.roster.endpoint_of(&key) else {
            return;
        };
        self.out.push(Output::Dial {
            key,
            addresses: endpoint.addresses.clone(),
            wish,
        });
    }

    /// Goes to the authors of bodies that nobody had who was asked: with few neighbours, and each of them pulling something
    /// else, nobody but the author may have what this node wants (design, protocol 4.2).
    pub(in crate::engine) fn visit_authors(&mut self) {
        for author in self.bodies.take_unserved() {
            let connected = self.peers.values().any(|state| state.key == Some(author));
            let org = self.roster.organisation_of(&author, self.now.wall);
            let may = self.dial_others && !self.refused.contains(&author) && self.trust.judge(org).connect;
            let room = self.visits.contains(&author) || self.visits.len() < limits::VISITS;
            let known = self
                .roster
                .endpoint_of(&author)
                .is_some_and(|at| !at.addresses.is_empty());
            if may && room && known && !connected && author != self.key.public() {
                self.visits.insert(author);
                self.dial(author, Wish::Now);
            }
        }
    }

    /// Leaves those of whom nothing more is wanted: their places are for others who come for the same.
    pub(in crate::engine) fn end_visits(&mut self) {
        let bodies = &self.bodies;
        let over = |author: &&PublicKey| !bodies.wants_of(author);
        for author in self.visits.iter().filter(over).copied().collect::<Vec<_>>() {
            self.visits.remove(&author);
            let visited = self
                .peers
                .iter()
                .find(|(_, state)| state.outbound && state.key == Some(author));
            if let Some(peer) = visited.map(|(peer, _)| peer.clone()) {
                self.disconnect(peer, DisconnectReason::Visited);
            }
        }
    }

    /// Nodes of this organisation are not kept connected any more.
    pub(in crate::engine) fn forget_nodes_of(&mut self, org: OrgId) {
        let nodes = self.roster.endpoints_of(org).map(|endpoint| endpoint.node_key);
        let forget = nodes.map(|key| Output::Dial {
            key,
            addresses: Vec::new(),
            wish: Wish::WhenRoom,
        });
        self.out.extend(forget.collect::<Vec<_>>());
    }
}
