//! What a statement needs to be admitted, kind by kind. Room is found before anything leaves for it.

use std::{collections::BTreeSet, sync::Arc};

use starfish_crypto::PublicKey;

use super::{Admitted, AtNode, ByEnd, ByNode, Concern, Roster, RosterRefusal, claims::Claim, shelf::Rank};
use crate::{
    community::Community,
    limits,
    organisation::OrgId,
    statement::{
        CheckedStatement,
        checked::{Certified, Located, Says},
    },
};

impl Roster {
    /// Judges a statement and keeps it if it holds.
    pub fn admit(&mut self, checked: &CheckedStatement) -> Result<Admitted, RosterRefusal> {
        if self.shelf.holds(&checked.id()) {
            return Ok(Admitted::Known);
        }
        match checked.says() {
            Says::Manifest(named) => self.admit_manifest(checked, named),
            Says::Certificate(certified) => self.admit_certificate(checked, certified),
            Says::Endpoint(located) => self.admit_endpoint(checked, located),
            Says::Proof(pair) => self.admit_proof(checked, pair),
            Says::Endorsement(says) => self.admit_claim(checked, Claim::Endorsement(Arc::clone(says))),
            Says::Veto(says) => self.admit_claim(checked, Claim::Veto(Arc::clone(says))),
            Says::Subsidiary(says) => self.admit_claim(checked, Claim::Subsidiary(Arc::clone(says))),
            Says::ChainHead(says) => self.admit_claim(checked, Claim::Head(Arc::clone(says))),
            Says::Revocation(revocation) => self.admit_revocation(checked, revocation),
            Says::Resolution(resolution) => self.admit_resolution(checked, resolution),
            Says::Recovery(says) => self.admit_recovery(checked, &says.0, &says.1),
            Says::ManifestProof(manifest) => self.admit_manifest_proof(checked, manifest),
            Says::Unknown => self.admit_unknown(checked),
        }
    }

    /// Admits statements that rest on each other in any order. Those that were not admitted, with the reasons.
    pub fn admit_all(&mut self, mut statements: Vec<CheckedStatement>) -> Vec<(CheckedStatement, RosterRefusal)> {
        loop {
            let before = statements.len();
            let judged = statements.into_iter().filter_map(|checked| {
                let refusal = self.admit(&checked).err()?;
                Some((checked, refusal))
            });
            let left: Vec<(CheckedStatement, RosterRefusal)> = judged.collect();
            // Each round admits at least one, or is the last.
            let waits = left.iter().any(|(_, refusal)| *refusal == RosterRefusal::NotYet);
            if !waits || left.len() == before {
                return left;
            }
            statements = left.into_iter().map(|(checked, _)| checked).collect();
        }
    }

    /// Whether a statement that may be for every mesh is for this one.
    pub(super) fn is_ours(&self, community: Option<Community>) -> Result<(), RosterRefusal> {
        if community.is_none_or(|community| community == self.community) {
            Ok(())
        } else {
            Err(RosterRefusal::OtherCommunity)
        }
    }

    fn admit_certificate(
        &mut self,
        checked: &CheckedStatement,
        certified: &Arc<Certified>,
    ) -> Result<Admitted, RosterRefusal> {
        let certificate = &certified.certificate;
        if certificate.community != self.community {
            return Err(RosterRefusal::OtherCommunity);
        }
        let (org, node) = (certificate.org, certificate.node_key);
        self.are_roots_behind(certified)?;
        let full = self.certificates_of(org).count() >= limits::CERTIFICATES_PER_ORGANISATION;
        let leaving = self.certificates_of(org).next();
        let leaving = leaving.filter(|first| full && *first < certified.end());
        if full && leaving.is_none() {
            return Err(RosterRefusal::Full);
        }
        let freed = leaving.map_or(0, |(_, _, id, _)| self.shelf.size_of(&id));
        self.make_room(checked.statement(), &org, freed)?;
        self.shelf.put(checked, Rank::Certificate);
        self.ends.insert(ByEnd(Arc::clone(certified)));
        self.certificates.insert(ByNode(Arc::clone(certified)));
        self.drop_settled_proof(&node);
        // It may take the node back, or bring it under a revocation that came first.
        self.concern(Concern::Node(node));
        if let Some(leaving) = leaving {
            self.drop_certificate(leaving);
        }
        Ok(Admitted::New)
    }

    /// Whether enough roots signed a certificate, and nobody but the node besides.
    fn are_roots_behind(&self, certified: &Certified) -> Result<(), RosterRefusal> {
        let (org, seq) = (&certified.certificate.org, certified.certificate.manifest_seq);
        // The node's own key may be a root.
        let all = self.are_roots(org, seq, &certified.signers);
        all.or_else(|_| self.are_roots(org, seq, certified.others()))
    }

    fn admit_endpoint(
        &mut self,
        checked: &CheckedStatement,
        located: &Arc<Located>,
    ) -> Result<Admitted, RosterRefusal> {
        let endpoint = &located.endpoint;
        if endpoint.community != self.community {
            return Err(RosterRefusal::OtherCommunity);
        }
        let place = (endpoint.node_key, endpoint.org);
        if !self.is_certified(place) {
            return Err(RosterRefusal::NotYet);
        }
        let held = self.endpoints.get(&place);
        let held = held.map(|AtNode(older)| (older.endpoint.seq, older.id));
        // Of two with one number the digest decides, so that all nodes keep the same.
        if held.is_some_and(|held| held > (endpoint.seq, located.id)) {
            return Ok(Admitted::Known);
        }
        let freed = held.map_or(0, |(_, older)| self.shelf.size_of(&older));
        self.make_room(checked.statement(), &endpoint.org, freed)?;
        if let Some((_, older)) = held {
            self.take_out(&older);
        }
        self.shelf.put(checked, Rank::Other);
        self.endpoints.insert(AtNode(Arc::clone(located)));
        Ok(if held.is_some() { Admitted::Newer } else { Admitted::New })
    }

    /// Statements of later versions: kept and passed on when a root or the endorsing key of a known organisation is among
    /// the signers, which is charged for them. Anybody can add a signature and so make another one that says the same:
    /// of those there are few.
    fn admit_unknown(&mut self, checked: &CheckedStatement) -> Result<Admitted, RosterRefusal> {
        let signers: BTreeSet<PublicKey> = checked.signers().into_iter().collect();
        let orgs: BTreeSet<OrgId> = signers.iter().flat_map(|key| self.signed_for(*key)).collect();
        if orgs.is_empty() {
            return Err(RosterRefusal::NotYet);
        }
        if self.shelf.variants_of(checked.statement()) >= limits::UNKNOWN_VARIANTS {
            return Err(RosterRefusal::Full);
        }
        let has_room = |org: &OrgId| self.shelf.unknown_of(org) < limits::UNKNOWN_PER_ORGANISATION;
        let org = orgs.into_iter().find(has_room).ok_or(RosterRefusal::Full)?;
        self.make_room(checked.statement(), &org, 0)?;
        self.shelf.put_unknown(checked, org);
        Ok(Admitted::New)
    }
}
