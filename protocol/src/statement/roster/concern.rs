//! What one admission changed, for whoever computes from a roster and does not want to begin anew each time.

use std::sync::Arc;

use starfish_crypto::{Digest, PublicKey};

use super::Roster;
use crate::{
    limits,
    organisation::OrgId,
    statement::{Endorsement, Veto},
};

/// Something that may have another answer than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concern {
    /// This is the endorsement that counts for its issuer, subject and scope; an amount of 0 withdraws it.
    Endorsement(Arc<Endorsement>),
    /// This is the veto that counts for its issuer, subject and scope; it may be withdrawn.
    Veto(Arc<Veto>),
    /// Whether this organisation has a parent.
    Parent(OrgId),
    /// An organisation's manifest, whether it is frozen, and with them everything that it issued.
    Organisation(OrgId),
    /// This organisation left for want of room, and everything that it issued with it.
    Gone(OrgId),
    /// Whether this node is certified, revoked, proven to have written two histories, or settled.
    Node(PublicKey),
    /// This recovery is new or was called off: its operator is to see it, and the time when it was first seen is to be kept.
    Recovery(Digest),
    /// An organisation has another chain head.
    Chain(OrgId),
    /// More than can be remembered: everything.
    Everything,
}

impl Roster {
    /// What changed since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Concern> {
        std::mem::take(&mut self.concerns)
    }

    pub(super) fn concern(&mut self, concern: Concern) {
        if self.concerns.len() >= limits::CONCERNS {
            self.concerns = vec![Concern::Everything];
        }
        if self.concerns.last() != Some(&Concern::Everything) {
            self.concerns.push(concern);
        }
    }
}
