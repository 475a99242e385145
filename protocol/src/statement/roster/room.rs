//! Who leaves when there is no room, and what leaves with them.

use starfish_crypto::{Digest, PublicKey};

use super::{Concern, Roster, RosterRefusal};
use crate::{
    limits,
    organisation::OrgId,
    statement::{Statement, proof},
    time::Millis,
};

impl Roster {
    /// Finds room for a statement of this organisation beside one of `freed` bytes that it will replace. Organisations
    /// that are not pinned leave for one that is, but none of them in vain.
    pub(super) fn make_room(&mut self, statement: &Statement, org: &OrgId, freed: usize) -> Result<(), RosterRefusal> {
        let founds = !self.organisations.contains_key(org);
        let has_room = |roster: &Self| {
            let known = roster.organisations.len();
            roster.shelf.has_room(statement, freed) && (!founds || known < limits::ORGANISATIONS_KNOWN)
        };
        if has_room(self) {
            return Ok(());
        }
        let pinned = |org: &OrgId| self.pinned.contains(org);
        let known = self.organisations.keys().filter(|org| pinned(org)).count();
        let would = self.shelf.would_have_room(statement, freed, pinned);
        if !pinned(org) || !would || (founds && known >= limits::ORGANISATIONS_KNOWN) {
            return Err(RosterRefusal::Full);
        }
        while !has_room(self) {
            if !self.displace_last() {
                return Err(RosterRefusal::Full);
            }
        }
        Ok(())
    }

    /// Forgets the last organisation that is not pinned; false when there is none.
    fn displace_last(&mut self) -> bool {
        let mut others = self.organisations.keys().rev();
        let Some(last) = others.find(|org| !self.pinned.contains(org)).copied() else {
            return false;
        };
        let nodes: Vec<PublicKey> = self.certificates_of(last).map(|(.., node)| node).collect();
        self.organisations.remove(&last);
        self.signers.retain(|(_, org)| *org != last);
        self.drop_claims_of(last);
        self.drop_decisions_of(&last);
        self.certificates.retain(|(_, org, _), _| *org != last);
        self.ends.retain(|(org, ..)| *org != last);
        self.endpoints.retain(|(_, org), _| *org != last);
        let theirs = self.shelf.remove_all_of(&last);
        self.displaced.extend(theirs);
        nodes.iter().for_each(|node| self.drop_proof_of_nobody(node));
        self.concern(Concern::Gone(last));
        true
    }

    pub(super) fn drop_certificate(&mut self, (org, end, id, node): (OrgId, Millis, Digest, PublicKey)) {
        self.ends.remove(&(org, end, id, node));
        self.certificates.remove(&(node, org, id));
        self.take_out(&id);
        if !self.is_certified((node, org))
            && let Some((endpoint, _)) = self.endpoints.remove(&(node, org))
        {
            self.take_out(&endpoint);
        }
        self.drop_proof_of_nobody(&node);
    }

    /// A proof against a node that no organisation certifies any more is of no use.
    fn drop_proof_of_nobody(&mut self, node: &PublicKey) {
        if self.about(*node).next().is_none() && self.proven.remove(node).is_some() {
            self.take_out(&proof::id_of(node.as_bytes()));
        }
    }

    pub(super) fn take_out(&mut self, id: &Digest) {
        let gone = self.shelf.remove(id);
        self.displaced.extend(gone);
    }
}
