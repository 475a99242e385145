//! Organisations that stand still, because they signed two manifests of one number or ended themselves, and those that go on
//! with other keys.
//!
//! What is held of them stays, and headers of their nodes are verified and kept as before; that nothing new of them is
//! believed is for trust to say.

use crate::{
    organisation::OrgId,
    statement::{Admitted, Freeze},
};

use super::super::{
    Engine,
    port::{Deed, Event, Output, Who},
};

impl Engine {
    pub(super) fn reconsider_organisation(&mut self, org: OrgId) {
        let seq = self.roster.manifest_of(&org).map_or(0, |manifest| manifest.seq);
        let stood = self.reconsider_standstill(org);
        // Other keys may speak now, and what the old ones revoked or certified may not count any more.
        if stood || seq > 0 {
            for node in self.nodes_concerned(Some(org)) {
                self.reconsider_node(node);
                self.show_logs_of(node, false);
            }
        }
        if !stood && seq > 0 && self.matters(org) {
            self.out.push(Output::Event(Event::Manifest { org, seq }));
        }
    }

    /// Whether an organisation stands still. True when that has changed.
    pub(super) fn reconsider_standstill(&mut self, org: OrgId) -> bool {
        let freeze = self.roster.is_frozen(&org);
        let told = match freeze {
            Some(freeze) => self.consequences.standstills.insert(org, freeze),
            None => self.consequences.standstills.remove(&org),
        };
        if freeze == told {
            return false;
        }
        let forked = matches!(freeze, Some(Freeze::Forked { .. }));
        let proof = self.roster.manifest_proof(&org).filter(|_| forked);
        if self.matters(org) {
            let (what, why) = match freeze {
                Some(Freeze::Forked { .. }) => (Deed::Frozen, "it signed two manifests of one number"),
                Some(Freeze::Retired) => (Deed::Frozen, "its last manifest says that no other follows"),
                None => (Deed::Reopened, "it is settled which of its manifests count"),
            };
            self.write_down(Who::Organisation(org), what, org.to_string(), why);
            let proof = proof.as_ref().map(|proof| proof.statement().id());
            self.out.push(Output::Event(Event::Standstill { org, freeze, proof }));
        }
        // Whoever has only one of the two must hear of the other.
        if let Some(proof) = proof
            && self.admit_statement(&proof) == Ok(Admitted::New)
        {
            self.tell_statements(vec![proof.statement().clone()]);
        }
        true
    }
}
