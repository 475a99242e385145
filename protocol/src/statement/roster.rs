//! The roster: every statement that holds, and what follows from them: which organisation a node speaks for, what it is
//! called, where it is.
//!
//! [`Roster::admit`] is the one door. Apart from its bounds, what it holds does not depend on the order in which
//! statements came, once those that came too early were offered again; two nodes that were told the same have the same
//! [`Roster::digest`] and the same answers. It knows nothing of trust: the caller [pins](Roster::pin) organisations
//! that must not be displaced by strangers.

mod shelf;

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::{Digest, PublicKey, Verifier};

use self::shelf::{Rank, Shelf};
use super::{EndpointStatement, Kind, Manifest, NodeCertificate, Statement, StatementError};
use crate::{community::Community, limits, organisation::OrgId, time::Millis};

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
    /// A signature does not fit, too few different keys signed, or one that may not.
    #[error("the statement is not signed by those who must sign it")]
    Forged,
    /// It says nothing that this version understands.
    #[error("the statement makes no sense here: {0}")]
    Malformed(#[from] StatementError),
    /// It is of a kind that this version cannot judge.
    #[error("the statement is of a later version")]
    Unsupported,
    /// What it rests on is not here yet.
    #[error("the statement rests on one that is not known here")]
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
    pinned: BTreeSet<OrgId>,
    organisations: BTreeMap<OrgId, Manifest>,
    /// Roots and endorsing keys, with the organisations that name them.
    signers: BTreeSet<(PublicKey, OrgId)>,
    /// By node, then organisation: the first that covers a time is the smallest one.
    certificates: BTreeMap<(PublicKey, OrgId, Digest), NodeCertificate>,
    /// The same by organisation and end, to find the one that lapses first.
    ends: BTreeSet<(OrgId, Millis, Digest, PublicKey)>,
    endpoints: BTreeMap<(PublicKey, OrgId), (Digest, EndpointStatement)>,
}

impl Roster {
    /// An empty roster of this mesh.
    pub fn new(community: Community) -> Self {
        Self {
            community,
            shelf: Shelf::default(),
            pinned: BTreeSet::new(),
            organisations: BTreeMap::new(),
            signers: BTreeSet::new(),
            certificates: BTreeMap::new(),
            ends: BTreeSet::new(),
            endpoints: BTreeMap::new(),
        }
    }

    /// Keeps an organisation whatever else comes, and lets it displace others when there is no room. For roots of this
    /// node and for whoever holds a code of its operator: founding organisations is free, and a flood of them must not
    /// keep out those that matter.
    pub fn pin(&mut self, org: OrgId) {
        self.pinned.insert(org);
    }

    /// Judges a statement and keeps it if it holds.
    pub fn admit(&mut self, statement: &Statement, verifier: &dyn Verifier) -> Result<Admitted, RosterRefusal> {
        let id = statement.id();
        if self.shelf.holds(&id) {
            return Ok(Admitted::Known);
        }
        match statement.kind() {
            Kind::MANIFEST => self.admit_manifest(id, statement, verifier),
            Kind::CERTIFICATE => self.admit_certificate(id, statement, verifier),
            Kind::ENDPOINT => self.admit_endpoint(id, statement, verifier),
            _ => self.admit_unknown(id, statement, verifier),
        }
    }

    fn admit_manifest(
        &mut self,
        id: Digest,
        statement: &Statement,
        verifier: &dyn Verifier,
    ) -> Result<Admitted, RosterRefusal> {
        let manifest = Manifest::read(statement)?;
        if manifest.seq > 0 {
            return Err(RosterRefusal::Unsupported);
        }
        let signed = statement.signers(|key| manifest.roots.contains(key), verifier);
        if signed.is_none_or(|count| count < usize::from(manifest.m)) {
            return Err(RosterRefusal::Forged);
        }
        let org = manifest.id();
        if self.organisations.len() >= limits::ORGANISATIONS_KNOWN && !self.displace_for(&org) {
            return Err(RosterRefusal::Full);
        }
        self.keep(Rank::Manifest, id, statement, org)?;
        let signers = manifest.roots.iter().chain(&manifest.endorse_key);
        self.signers.extend(signers.map(|key| (*key, org)));
        self.organisations.insert(org, manifest);
        Ok(Admitted::New)
    }

    fn admit_certificate(
        &mut self,
        id: Digest,
        statement: &Statement,
        verifier: &dyn Verifier,
    ) -> Result<Admitted, RosterRefusal> {
        let certificate = NodeCertificate::read(statement)?;
        if certificate.community != self.community {
            return Err(RosterRefusal::OtherCommunity);
        }
        let org = certificate.org;
        let manifest = self
            .organisations
            .get(&org)
            .filter(|known| known.seq == certificate.manifest_seq);
        let manifest = manifest.ok_or(RosterRefusal::NotYet)?;
        let node = certificate.node_key;
        let is_root = |key: &PublicKey| manifest.roots.contains(key);
        let roots = statement.signatures().iter().filter(|(key, _)| is_root(key)).count();
        let enough = roots >= usize::from(manifest.m) && statement.is_signed_by(&node);
        if !enough
            || statement
                .signers(|key| is_root(key) || *key == node, verifier)
                .is_none()
        {
            return Err(RosterRefusal::Forged);
        }
        let end = (org, certificate.not_after, id, node);
        if self.certificates_of(org).count() >= limits::CERTIFICATES_PER_ORGANISATION {
            let first = self.certificates_of(org).next().filter(|first| *first < end);
            self.drop_certificate(first.ok_or(RosterRefusal::Full)?);
        }
        self.keep(Rank::Certificate, id, statement, org)?;
        self.ends.insert(end);
        self.certificates.insert((node, org, id), certificate);
        Ok(Admitted::New)
    }

    fn admit_endpoint(
        &mut self,
        id: Digest,
        statement: &Statement,
        verifier: &dyn Verifier,
    ) -> Result<Admitted, RosterRefusal> {
        let endpoint = EndpointStatement::read(statement)?;
        if endpoint.community != self.community {
            return Err(RosterRefusal::OtherCommunity);
        }
        let place = (endpoint.node_key, endpoint.org);
        if !self.is_certified(place) {
            return Err(RosterRefusal::NotYet);
        }
        let held = self.endpoints.get(&place).map(|(held, older)| (older.seq, *held));
        // Of two with one number the digest decides, so that all nodes keep the same.
        if held.is_some_and(|held| held > (endpoint.seq, id)) {
            return Ok(Admitted::Known);
        }
        if statement.signers(|key| *key == endpoint.node_key, verifier) != Some(1) {
            return Err(RosterRefusal::Forged);
        }
        if let Some((_, older)) = held {
            self.shelf.remove(Rank::Other, &older);
            self.endpoints.remove(&place);
        }
        self.keep(Rank::Other, id, statement, endpoint.org)?;
        self.endpoints.insert(place, (id, endpoint));
        Ok(if held.is_some() { Admitted::Newer } else { Admitted::New })
    }

    /// Statements of later versions: kept and passed on when every signature holds and a root or the endorsing key of a
    /// known organisation is among the signers, which is charged for them.
    fn admit_unknown(
        &mut self,
        id: Digest,
        statement: &Statement,
        verifier: &dyn Verifier,
    ) -> Result<Admitted, RosterRefusal> {
        let signers = statement.signatures().iter();
        let orgs: BTreeSet<OrgId> = signers.flat_map(|(key, _)| self.signed_for(*key)).collect();
        if orgs.is_empty() {
            return Err(RosterRefusal::NotYet);
        }
        if statement.signers(|_| true, verifier).is_none() {
            return Err(RosterRefusal::Forged);
        }
        let has_room = |org: &OrgId| self.shelf.unknown_of(org) < limits::UNKNOWN_PER_ORGANISATION;
        let org = orgs.into_iter().find(has_room).ok_or(RosterRefusal::Full)?;
        self.keep(Rank::Other, id, statement, org)?;
        Ok(Admitted::New)
    }

    /// Puts a statement that holds on the shelf, if there is room or an organisation that may be displaced.
    fn keep(&mut self, rank: Rank, id: Digest, statement: &Statement, org: OrgId) -> Result<(), RosterRefusal> {
        while !self.shelf.has_room(statement) {
            if !self.displace_for(&org) {
                return Err(RosterRefusal::Full);
            }
        }
        self.shelf.put(rank, id, statement.clone(), org);
        Ok(())
    }

    /// Forgets the last organisation that is not pinned. False unless this is for one that is.
    fn displace_for(&mut self, org: &OrgId) -> bool {
        if !self.pinned.contains(org) {
            return false;
        }
        let last = self
            .organisations
            .keys()
            .rev()
            .find(|other| !self.pinned.contains(other));
        let Some(last) = last.copied() else { return false };
        self.organisations.remove(&last);
        self.signers.retain(|(_, org)| *org != last);
        self.certificates.retain(|(_, org, _), _| *org != last);
        self.ends.retain(|(org, ..)| *org != last);
        self.endpoints.retain(|(_, org), _| *org != last);
        self.shelf.remove_all_of(&last);
        true
    }

    fn drop_certificate(&mut self, (org, end, id, node): (OrgId, Millis, Digest, PublicKey)) {
        self.ends.remove(&(org, end, id, node));
        self.certificates.remove(&(node, org, id));
        self.shelf.remove(Rank::Certificate, &id);
        if !self.is_certified((node, org))
            && let Some((endpoint, _)) = self.endpoints.remove(&(node, org))
        {
            self.shelf.remove(Rank::Other, &endpoint);
        }
    }

    /// An organisation's certificates, those that lapse first at the beginning.
    fn certificates_of(&self, org: OrgId) -> impl Iterator<Item = (OrgId, Millis, Digest, PublicKey)> {
        let first = (org, Millis(0), Digest::ZERO, PublicKey::from_bytes([0; 32]));
        self.ends
            .range(first..)
            .take_while(move |(other, ..)| *other == org)
            .copied()
    }

    fn is_certified(&self, (node, org): (PublicKey, OrgId)) -> bool {
        self.certificates
            .range((node, org, Digest::ZERO)..)
            .next()
            .is_some_and(|((key, of, _), _)| (*key, *of) == (node, org))
    }

    fn signed_for(&self, key: PublicKey) -> impl Iterator<Item = OrgId> {
        let first = (key, OrgId::from_digest(Digest::ZERO));
        self.signers
            .range(first..)
            .take_while(move |(other, _)| *other == key)
            .map(|(_, org)| *org)
    }

    fn about(&self, node: PublicKey) -> impl Iterator<Item = (&(PublicKey, OrgId, Digest), &NodeCertificate)> {
        let first = (node, OrgId::from_digest(Digest::ZERO), Digest::ZERO);
        self.certificates
            .range(first..)
            .take_while(move |((key, ..), _)| *key == node)
    }

    /// The certificate of this node that counts at this wall time: of several organisations the smallest.
    pub fn certificate_of(&self, node: &PublicKey, at: Millis) -> Option<&NodeCertificate> {
        self.about(*node)
            .map(|(_, certificate)| certificate)
            .find(|certificate| certificate.covers(at))
    }

    /// The organisation for which this node speaks at this wall time.
    pub fn organisation_of(&self, node: &PublicKey, at: Millis) -> Option<OrgId> {
        self.certificate_of(node, at).map(|certificate| certificate.org)
    }

    /// What an organisation calls itself.
    pub fn name_of(&self, org: &OrgId) -> Option<&str> {
        self.organisations.get(org).map(|manifest| manifest.name.as_str())
    }

    /// An organisation's manifest.
    pub fn manifest_of(&self, org: &OrgId) -> Option<&Manifest> {
        self.organisations.get(org)
    }

    /// Where a node says it can be reached; if it speaks for several organisations, as the smallest of them.
    pub fn endpoint_of(&self, node: &PublicKey) -> Option<&EndpointStatement> {
        let first = (*node, OrgId::from_digest(Digest::ZERO));
        let (place, (_, endpoint)) = self.endpoints.range(first..).next()?;
        (place.0 == *node).then_some(endpoint)
    }

    /// Every node's addresses, by node key.
    pub fn endpoints(&self) -> impl Iterator<Item = &EndpointStatement> {
        self.endpoints.values().map(|(_, endpoint)| endpoint)
    }

    /// The digest over the ids of all statements held, whatever order they came in.
    pub fn digest(&self) -> Digest {
        self.shelf.digest()
    }

    /// Every statement, each after those that it rests on.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.shelf.statements()
    }

    /// The statements that say whose this node is and where, each after those that it rests on.
    pub fn statements_about(&self, node: &PublicKey) -> Vec<Statement> {
        let places: Vec<_> = self.about(*node).map(|(place, _)| *place).collect();
        let orgs: BTreeSet<OrgId> = places.iter().map(|(_, org, _)| *org).collect();
        let manifests = orgs.iter().filter_map(|org| self.shelf.manifest_of(org));
        let certificates = places
            .iter()
            .filter_map(|(.., id)| self.shelf.statement(Rank::Certificate, id));
        let endpoints = orgs.iter().filter_map(|org| self.endpoints.get(&(*node, *org)));
        let endpoints = endpoints.filter_map(|(id, _)| self.shelf.statement(Rank::Other, id));
        manifests.chain(certificates).chain(endpoints).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
