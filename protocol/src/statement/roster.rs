//! The roster: every statement that holds, and what follows from them: which organisation a node speaks for, what it is
//! called, where it is.
//!
//! [`Roster::admit`] is the one door, and lets in only what [was checked](super::Statement::check). Apart from its bounds, what it holds does not depend on the order in which
//! statements came, once those that came too early were offered again; two nodes that were told the same have the same
//! [`Roster::digest`] and the same answers. It knows nothing of trust: the caller [pins](Roster::pin) organisations
//! that must not be displaced by others, and says how high the others [stand](Roster::stands).

mod admitting;
mod claims;
mod concern;
mod extent;
mod lineage;
mod manifests;
mod nodes;
mod places;
mod room;
mod shelf;

pub use claims::Chain;
pub use concern::Concern;
pub use extent::Extent;
pub use lineage::Freeze;
pub use manifests::RecoveryState;

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::{Digest, PublicKey};

use self::{
    claims::Claims,
    lineage::Lineage,
    nodes::{Resolutions, Revocations},
    places::{AtNode, ByEnd, ByNode, End, Signer},
    room::{Kept, Place},
    shelf::Shelf,
};
use super::{CheckedStatement, EndpointStatement, Statement, checked::Certified, proof};
use crate::{
    community::Community,
    ordered::{Ordered, Placed},
    organisation::OrgId,
    record::Audience,
    time::Millis,
};

/// What became of a statement that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It says something new.
    New,
    /// It replaced an older one.
    Newer,
    /// It was here already, or something newer is.
    Known,
}

/// Why a statement was not admitted. Only [`RosterRefusal::Forged`] is anybody's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RosterRefusal {
    /// Too few different keys signed, or one that may not.
    #[error("the statement is not signed by those who must sign it")]
    Forged,
    /// It is of a kind that this version cannot judge.
    #[error("the statement is of a later version")]
    Unsupported,
    /// What it rests on is not here yet.
    #[error("too few keys that are known here have signed the statement, or it rests on another one that is not here")]
    NotYet,
    /// It belongs to another mesh.
    #[error("the statement belongs to another community")]
    OtherCommunity,
    /// There is no room for it.
    #[error("there is no room for more statements")]
    Full,
}

/// The statements of one mesh.
#[derive(Debug)]
pub struct Roster {
    community: Community,
    shelf: Shelf,
    /// Who has a right to room here.
    kept: Ordered<(OrgId, Kept)>,
    organisations: Ordered<Lineage>,
    /// Roots and endorsing keys, with the organisations that name them.
    signers: Ordered<Signer>,
    /// By node, then organisation: the first that covers a time is the smallest one.
    certificates: Ordered<ByNode>,
    /// The same by organisation and end, to find the one that lapses first.
    ends: Ordered<ByEnd>,
    endpoints: Ordered<AtNode>,
    /// Nodes that wrote two histories, and where.
    proven: BTreeMap<PublicKey, (Audience, Millis, u64)>,
    claims: Claims,
    revocations: Revocations,
    resolutions: Resolutions,
    recoveries: BTreeMap<Digest, RecoveryState>,
    /// What changed, until somebody asks.
    concerns: Vec<Concern>,
    /// What had to leave, until somebody asks.
    displaced: Vec<Statement>,
}

impl Roster {
    /// An empty roster of this mesh.
    pub fn new(community: Community) -> Self {
        Self {
            community,
            shelf: Shelf::default(),
            kept: Ordered::default(),
            organisations: Ordered::default(),
            signers: Ordered::default(),
            certificates: Ordered::default(),
            ends: Ordered::default(),
            endpoints: Ordered::default(),
            proven: BTreeMap::new(),
            claims: BTreeMap::new(),
            revocations: BTreeMap::new(),
            resolutions: BTreeMap::new(),
            recoveries: BTreeMap::new(),
            concerns: Vec::new(),
            displaced: Vec::new(),
        }
    }

    /// Keeps an organisation whatever else comes, and lets it displace others when there is no room. For those whom the
    /// operator of this node names and for whoever holds a code of his: founding organisations is free, and a flood of them
    /// must not keep out those that matter.
    pub fn pin(&mut self, org: OrgId) {
        self.keep(org, |kept| kept.pinned = true);
    }

    /// The operator names it no longer.
    pub fn unpin(&mut self, org: &OrgId) {
        self.keep(*org, |kept| kept.pinned = false);
    }

    /// How high an organisation stands that nobody pinned, 0 when nobody vouches for it any more. When there is no room it
    /// displaces those who stand lower, and nobody who stands as high: to be vouched for with 1 is easy.
    pub fn stands(&mut self, org: OrgId, height: u8) {
        self.keep(org, |kept| kept.height = height);
    }

    fn keep(&mut self, org: OrgId, change: impl FnOnce(&mut Kept)) {
        let mut kept = self.kept.get(&org).map(|(_, kept)| *kept).unwrap_or_default();
        change(&mut kept);
        if kept == Kept::default() {
            self.kept.remove(&org);
        } else {
            self.kept.insert((org, kept));
        }
    }

    /// Whether this organisation is kept whatever strangers do.
    pub fn matters(&self, org: &OrgId) -> bool {
        self.place_of(org) > Place::Stranger
    }

    /// An organisation's certificates, those that lapse first at the beginning.
    fn certificates_of(&self, org: OrgId) -> impl Iterator<Item = End> {
        let first = (org, Millis(0), Digest::ZERO, PublicKey::from_bytes([0; 32]));
        let ends = self.ends.from(&first).map(ByEnd::place);
        ends.take_while(move |(other, ..)| *other == org)
    }

    fn is_certified(&self, (node, org): (PublicKey, OrgId)) -> bool {
        self.about(node).any(|certified| certified.certificate.org == org)
    }

    fn signed_for(&self, key: PublicKey) -> impl Iterator<Item = OrgId> {
        let first = (key, OrgId::from_digest(Digest::ZERO));
        let named = self.signers.from(&first).map(Signer::place);
        named.take_while(move |(other, _)| *other == key).map(|(_, org)| org)
    }

    /// The certificates of a node, by organisation.
    fn about(&self, node: PublicKey) -> impl Iterator<Item = &Certified> {
        let first = (node, OrgId::from_digest(Digest::ZERO), Digest::ZERO);
        let all = self.certificates.from(&first).map(|ByNode(certified)| &**certified);
        all.take_while(move |certified| certified.certificate.node_key == node)
    }

    /// The organisation for which this node speaks at this wall time.
    pub fn organisation_of(&self, node: &PublicKey, at: Millis) -> Option<OrgId> {
        self.certificate_of(node, at).map(|certificate| certificate.org)
    }

    /// Where a node says it can be reached; if it speaks for several organisations, as the smallest of them.
    pub fn endpoint_of(&self, node: &PublicKey) -> Option<&EndpointStatement> {
        let first = (*node, OrgId::from_digest(Digest::ZERO));
        let AtNode(located) = self.endpoints.from(&first).next()?;
        Some(&located.endpoint).filter(|endpoint| endpoint.node_key == *node)
    }

    /// What a node says for this organisation of where it can be reached, and the statement in which it does.
    pub fn own_endpoint(&self, node: &PublicKey, org: &OrgId) -> Option<(&EndpointStatement, &Statement)> {
        let AtNode(located) = self.endpoints.get(&(*node, *org))?;
        Some((&located.endpoint, self.shelf.statement(&located.id)?))
    }

    /// Every node's addresses, by node key.
    pub fn endpoints(&self) -> impl Iterator<Item = &EndpointStatement> {
        self.endpoints.iter().map(|AtNode(located)| &located.endpoint)
    }

    /// The addresses of an organisation's nodes.
    pub fn endpoints_of(&self, org: OrgId) -> impl Iterator<Item = &EndpointStatement> {
        let nodes: BTreeSet<PublicKey> = self.nodes_of(Some(org)).into_iter().collect();
        let endpoints = nodes
            .into_iter()
            .filter_map(move |node| self.endpoints.get(&(node, org)));
        endpoints.map(|AtNode(located)| &located.endpoint)
    }

    /// The digest over the ids of all statements held, whatever order they came in.
    pub fn digest(&self) -> Digest {
        self.shelf.digest()
    }

    /// Nodes against which a proof of two histories is held.
    pub fn proven(&self) -> impl Iterator<Item = &PublicKey> {
        self.proven.keys()
    }

    /// Whether this very statement is held, and not another one under the same id.
    pub fn holds(&self, checked: &CheckedStatement) -> bool {
        self.shelf.statement(&checked.id()) == Some(checked.statement())
    }

    /// What left since this was last asked: it is of no use in a store any more.
    pub fn take_displaced(&mut self) -> Vec<Statement> {
        std::mem::take(&mut self.displaced)
    }

    /// What came after this change, each with its own number, each after what it rests on.
    pub fn since(&self, change: u64) -> impl Iterator<Item = (u64, &Statement)> {
        self.shelf.since(change)
    }

    /// The number of the last change.
    pub fn change(&self) -> u64 {
        self.shelf.change()
    }

    /// Every statement, each after those that it rests on.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.shelf.statements()
    }

    /// The statements that say whose this node is, where, and whether it is honest, each after those that it rests on.
    pub fn statements_about(&self, node: &PublicKey) -> Vec<Statement> {
        let orgs = self.organisations_behind(node);
        let mut ids: Vec<Digest> = orgs.iter().flat_map(|org| self.manifests_of(org)).collect();
        ids.extend(self.about(*node).map(|certified| certified.id));
        let endpoints = orgs.iter().filter_map(|org| self.endpoints.get(&(*node, *org)));
        ids.extend(endpoints.map(|AtNode(located)| located.id));
        ids.extend(self.decisions_about(node));
        ids.push(proof::id_of(node.as_bytes()));
        self.shelf.in_order(&ids)
    }
}

#[cfg(test)]
mod tests;
