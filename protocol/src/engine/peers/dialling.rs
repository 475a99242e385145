//! Whom this node wants to be connected to, from the signed endpoints of organisations that pass the connect gate
//! (design, protocol 5).
//!
//! Nodes of its own and of paired organisations always; of other roots, when the operator wants that, a few, and of as
//! many organisations as possible. Named again with every sync: the shell keeps the connections, backs off, and forgets
//! nodes that are named without addresses.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom as _;
use starfish_crypto::PublicKey;

use crate::{
    limits,
    organisation::OrgId,
    trust::{Origin, Reason},
};

use super::super::{Engine, port::Output};

impl Engine {
    /// Names the nodes to be dialled, when something changed or a sync was due.
    pub(in crate::engine) fn dial_when_due(&mut self) {
        if !std::mem::take(&mut self.dial_soon) {
            return;
        }
        let (mut always, mut others) = (Vec::new(), BTreeMap::<OrgId, Vec<PublicKey>>::new());
        let connected: BTreeSet<PublicKey> = self.peers.values().filter_map(|state| state.key).collect();
        for endpoint in self.roster.endpoints() {
            let key = endpoint.node_key;
            let unwanted = key == self.key.public() || connected.contains(&key) || self.refused.contains(&key);
            if unwanted || endpoint.addresses.is_empty() {
                continue;
            }
            match self.trust.judge(Some(endpoint.org)).reason {
                Reason::Root(Origin::Own | Origin::Paired) => always.push(key),
                Reason::Root(Origin::Listed) if self.dial_others => others.entry(endpoint.org).or_default().push(key),
                _ => {}
            }
        }
        always.shuffle(&mut self.rng);
        for key in always.into_iter().take(limits::DIALS) {
            self.dial(key, true);
        }
        for key in self.choose_others(others) {
            self.dial(key, false);
        }
    }

    /// As many as there is room for: first one node of each organisation that none is connected of, then the rest.
    fn choose_others(&mut self, mut others: BTreeMap<OrgId, Vec<PublicKey>>) -> Vec<PublicKey> {
        let is_other = |org: &OrgId| self.trust.judge(Some(*org)).reason == Reason::Root(Origin::Listed);
        let connected: Vec<OrgId> = self
            .peers
            .values()
            .filter_map(|state| state.org)
            .filter(is_other)
            .collect();
        let room = limits::DIALLED.saturating_sub(connected.len());
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

    fn dial(&mut self, key: PublicKey, always: bool) {
        let Some(endpoint) = self.roster.endpoint_of(&key) else {
            return;
        };
        self.out.push(Output::Dial {
            key,
            addresses: endpoint.addresses.clone(),
            always,
        });
    }

    /// Nodes of this organisation are not kept connected any more.
    pub(in crate::engine) fn forget_nodes_of(&mut self, org: OrgId) {
        let nodes = self
            .roster
            .endpoints()
            .filter(|endpoint| endpoint.org == org)
            .map(|endpoint| endpoint.node_key);
        let forget = nodes.map(|key| Output::Dial {
            key,
            addresses: Vec::new(),
            always: false,
        });
        self.out.extend(forget.collect::<Vec<_>>());
    }
}
