//! What a statement needs to be admitted, kind by kind. Room is found before anything leaves for it.

use std::collections::BTreeSet;

use starfish_crypto::{PublicKey, Verified};

use super::{Admitted, Roster, RosterRefusal, shelf::Rank};
use crate::{
    limits,
    organisation::OrgId,
    record::{Audience, Header},
    statement::{CheckedStatement, EndpointStatement, Manifest, NodeCertificate, checked::Says},
};

impl Roster {
    /// Judges a statement and keeps it if it holds.
    pub fn admit(&mut self, checked: &CheckedStatement) -> Result<Admitted, RosterRefusal> {
        if self.shelf.holds(&checked.id) {
            return Ok(Admitted::Known);
        }
        match &checked.says {
            Says::Manifest(manifest) => self.admit_manifest(checked, manifest),
            Says::Certificate(certificate) => self.admit_certificate(checked, certificate),
            Says::Endpoint(endpoint) => self.admit_endpoint(checked, endpoint),
            Says::Proof(pair) => self.admit_proof(checked, pair),
            Says::Unknown => self.admit_unknown(checked),
        }
    }

    fn put(&mut self, checked: &CheckedStatement, org: Option<OrgId>) {
        self.shelf.put(checked.id, checked.statement.clone(), org);
    }

    fn admit_manifest(&mut self, checked: &CheckedStatement, manifest: &Manifest) -> Result<Admitted, RosterRefusal> {
        if manifest.seq > 0 {
            return Err(RosterRefusal::Unsupported);
        }
        let org = manifest.id();
        self.make_room(&checked.statement, &org, 0)?;
        self.put(checked, Some(org));
        let signers = manifest.roots.iter().chain(&manifest.endorse_key);
        self.signers.extend(signers.map(|key| (*key, org)));
        self.organisations.insert(org, manifest.clone());
        Ok(Admitted::New)
    }

    fn admit_certificate(
        &mut self,
        checked: &CheckedStatement,
        certificate: &NodeCertificate,
    ) -> Result<Admitted, RosterRefusal> {
        if certificate.community != self.community {
            return Err(RosterRefusal::OtherCommunity);
        }
        let (org, node, id) = (certificate.org, certificate.node_key, checked.id);
        let manifest = self
            .organisations
            .get(&org)
            .filter(|known| known.seq == certificate.manifest_seq);
        let manifest = manifest.ok_or(RosterRefusal::NotYet)?;
        let roots = checked.roots(&node, |key| manifest.roots.contains(key));
        if roots.is_none_or(|count| count < usize::from(manifest.m)) {
            return Err(RosterRefusal::Forged);
        }
        let end = (org, certificate.not_after, id, node);
        let full = self.certificates_of(org).count() >= limits::CERTIFICATES_PER_ORGANISATION;
        let leaving = self.certificates_of(org).next().filter(|first| full && *first < end);
        if full && leaving.is_none() {
            return Err(RosterRefusal::Full);
        }
        let freed = leaving.map_or(0, |(_, _, id, _)| self.shelf.size_of(Rank::Certificate, &id));
        self.make_room(&checked.statement, &org, freed)?;
        self.put(checked, Some(org));
        self.ends.insert(end);
        self.certificates.insert((node, org, id), certificate.clone());
        if let Some(leaving) = leaving {
            self.drop_certificate(leaving);
        }
        Ok(Admitted::New)
    }

    fn admit_endpoint(
        &mut self,
        checked: &CheckedStatement,
        endpoint: &EndpointStatement,
    ) -> Result<Admitted, RosterRefusal> {
        if endpoint.community != self.community {
            return Err(RosterRefusal::OtherCommunity);
        }
        let place = (endpoint.node_key, endpoint.org);
        if !self.is_certified(place) {
            return Err(RosterRefusal::NotYet);
        }
        let held = self.endpoints.get(&place).map(|(held, older)| (older.seq, *held));
        // Of two with one number the digest decides, so that all nodes keep the same.
        if held.is_some_and(|held| held > (endpoint.seq, checked.id)) {
            return Ok(Admitted::Known);
        }
        let freed = held.map_or(0, |(_, older)| self.shelf.size_of(Rank::Other, &older));
        self.make_room(&checked.statement, &endpoint.org, freed)?;
        if let Some((_, older)) = held {
            self.take_out(Rank::Other, &older);
        }
        self.put(checked, Some(endpoint.org));
        self.endpoints.insert(place, (checked.id, endpoint.clone()));
        Ok(if held.is_some() { Admitted::Newer } else { Admitted::New })
    }

    /// Proofs are kept against certified nodes only, one for each: anybody can make up a key and prove that it wrote two
    /// histories, and nobody takes records from it.
    fn admit_proof(
        &mut self,
        checked: &CheckedStatement,
        pair: &(Verified<Header>, Verified<Header>),
    ) -> Result<Admitted, RosterRefusal> {
        let header = &pair.0;
        if header.community != self.community {
            return Err(RosterRefusal::OtherCommunity);
        }
        // Headers of other audiences are not for everyone to see.
        if header.audience != Audience::Clear {
            return Err(RosterRefusal::Unsupported);
        }
        let orgs = || self.about(header.author).map(|((_, org, _), _)| *org);
        let org = orgs().find(|org| self.pinned.contains(org)).or_else(|| orgs().next());
        let org = org.ok_or(RosterRefusal::NotYet)?;
        self.make_room(&checked.statement, &org, 0)?;
        // Whichever organisation certified the node goes first, the proof stays with the others.
        self.put(checked, None);
        self.proven.insert(header.author);
        Ok(Admitted::New)
    }

    /// Statements of later versions: kept and passed on when a root or the endorsing key of a known organisation is among
    /// the signers, which is charged for them. Anybody can add a signature and so make another one that says the same:
    /// of those there are few.
    fn admit_unknown(&mut self, checked: &CheckedStatement) -> Result<Admitted, RosterRefusal> {
        let signers = checked.statement.signatures().iter();
        let signers: BTreeSet<PublicKey> = signers.map(|(key, _)| *key).collect();
        let orgs: BTreeSet<OrgId> = signers.iter().flat_map(|key| self.signed_for(*key)).collect();
        if orgs.is_empty() {
            return Err(RosterRefusal::NotYet);
        }
        if self.shelf.variants_of(&checked.statement) >= limits::UNKNOWN_VARIANTS {
            return Err(RosterRefusal::Full);
        }
        let has_room = |org: &OrgId| self.shelf.unknown_of(org) < limits::UNKNOWN_PER_ORGANISATION;
        let org = orgs.into_iter().find(has_room).ok_or(RosterRefusal::Full)?;
        self.make_room(&checked.statement, &org, 0)?;
        self.put(checked, Some(org));
        Ok(Admitted::New)
    }
}
