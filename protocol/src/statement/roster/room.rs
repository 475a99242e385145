//! Who leaves when there is no room, and what leaves with them. What ends the trust in somebody has room that nothing else
//! takes.

use std::cmp::Reverse;

use starfish_crypto::{Digest, PublicKey};

use super::{AtNode, Concern, End, Placed as _, Roster, RosterRefusal, shelf::Wanted};
use crate::{
    limits,
    organisation::OrgId,
    statement::{Statement, proof},
};

/// Who leaves for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Nobody vouches for it.
    Stranger,
    /// So high.
    Stands(u8),
    /// The operator named it.
    Pinned,
}

/// Why an organisation has a right to room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// Whatever else comes.
    pub(super) pinned: bool,
    /// How high it stands.
    pub(super) height: u8,
}

impl Roster {
    pub(super) fn place_of(&self, org: &OrgId) -> Place {
        match self.kept.get(org) {
            Some((_, Kept { pinned: true, .. })) => Place::Pinned,
            Some((_, Kept { height, .. })) => Place::Stands(*height),
            None => Place::Stranger,
        }
    }

    /// Finds room for a statement of this organisation beside one of `freed` bytes that it will replace. Organisations
    /// leave for one that has a better place, those with the worst first, but none of them in vain.
    pub(super) fn make_room(&mut self, statement: &Statement, org: &OrgId, freed: usize) -> Result<(), RosterRefusal> {
        let founds = self.organisations.get(org).is_none();
        let place = self.place_of(org);
        // Strangers would fill the room for what is urgent with what they say of themselves.
        let urgent = statement.kind().is_urgent() && !founds && place > Place::Stranger;
        let wanted = Wanted {
            statement,
            freed,
            urgent,
        };
        let has_room = |roster: &Self| {
            let known = roster.organisations.len();
            roster.shelf.has_room(wanted) && (!founds || known < limits::ORGANISATIONS_KNOWN)
        };
        if has_room(self) {
            return Ok(());
        }
        if place == Place::Stranger {
            return Err(RosterRefusal::Full);
        }
        let stays = |org: &OrgId| self.place_of(org) >= place;
        let known = self.organisations().filter(stays).count();
        let would = self.shelf.would_have_room(wanted, stays);
        if !would || (founds && known >= limits::ORGANISATIONS_KNOWN) {
            return Err(RosterRefusal::Full);
        }
        while !has_room(self) {
            if !self.displace_below(place) {
                return Err(RosterRefusal::Full);
            }
        }
        Ok(())
    }

    /// Forgets an organisation with the worst place of all that are worse than this one; false when there is none.
    fn displace_below(&mut self, place: Place) -> bool {
        let others = self.organisations().map(|org| (self.place_of(&org), Reverse(org)));
        let Some((_, Reverse(last))) = others.filter(|(other, _)| *other < place).min() else {
            return false;
        };
        let nodes: Vec<PublicKey> = self.certificates_of(last).map(|(.., node)| node).collect();
        self.organisations.remove(&last);
        self.signers.retain(|signer| signer.place().1 != last);
        self.drop_claims_of(last);
        self.drop_decisions_of(&last);
        self.certificates.retain(|certified| certified.place().1 != last);
        self.ends.retain(|end| end.place().0 != last);
        self.endpoints.retain(|located| located.place().1 != last);
        let theirs = self.shelf.remove_all_of(&last);
        self.displaced.extend(theirs);
        nodes.iter().for_each(|node| self.drop_proof_of_nobody(node));
        self.concern(Concern::Gone(last));
        true
    }

    pub(super) fn drop_certificate(&mut self, (org, end, id, node): End) {
        self.ends.remove(&(org, end, id, node));
        self.certificates.remove(&(node, org, id));
        self.take_out(&id);
        if !self.is_certified((node, org))
            && let Some(AtNode(located)) = self.endpoints.remove(&(node, org))
        {
            self.take_out(&located.id);
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
