//! What follows when statements change who counts: [`Engine::consequences`] asks the roster what an admission changed, and is
//! the only one who does.
//!
//! The roster says what is so; here the store, the logs, the connections and the operator are told of it, and only of what
//! is different from what they were told before. So it does not matter in which order statements came, nor how often this
//! is gone through: a start goes through everything and finds what an earlier life left undone.
//!
//! | part | whose |
//! |---|---|
//! | `nodes` | revoked nodes, and nodes that wrote two histories |
//! | `organisations` | organisations that stand still, or go on with other keys |
//! | `recoveries` | new roots from guardians |

mod nodes;
mod organisations;
mod recoveries;

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::{Digest, PublicKey};

use crate::{
    organisation::OrgId,
    statement::{Concern, Endorsement, Freeze, LogPosition, Veto},
};

use self::nodes::End;
use super::{
    Engine,
    port::{Audit, Change, Deed, RecoverySeen, Who},
};

/// What the store and the operator were told so far. As large as the roster lets it become.
#[derive(Debug, Default)]
pub(super) struct Consequences {
    /// How the right of a node to speak for an organisation ended.
    ends: BTreeMap<(PublicKey, OrgId), End>,
    /// Organisations that stand still.
    standstills: BTreeMap<OrgId, Freeze>,
    /// Recoveries, and what this node knows of them.
    recoveries: BTreeMap<Digest, RecoverySeen>,
    /// Those that were called off since the start.
    called_off: BTreeSet<Digest>,
    /// Everybody was judged once, now or in an earlier life: other rights than before are news.
    pub(super) rights_are_known: bool,
}

impl Consequences {
    /// Starts from what the store was told.
    pub(super) fn new(
        cuts: Vec<(PublicKey, OrgId, Vec<LogPosition>)>,
        recoveries: Vec<(Digest, RecoverySeen)>,
        rights_are_known: bool,
    ) -> Self {
        let cuts = cuts.into_iter();
        Self {
            ends: cuts.map(|(node, org, good)| ((node, org), End::Cut(good))).collect(),
            standstills: BTreeMap::new(),
            recoveries: recoveries.into_iter().collect(),
            called_off: BTreeSet::new(),
            rights_are_known,
        }
    }
}

impl Engine {
    /// Does what follows from every change of the roster since this was last done.
    pub(super) fn consequences(&mut self) {
        loop {
            let changes = self.roster.take_changes();
            if changes.is_empty() {
                return;
            }
            self.follow(&changes);
        }
    }

    /// The same at a start, for everything that the store holds.
    pub(super) fn follow_what_is_stored(&mut self) {
        self.resume_recoveries();
        self.note_what_was_told();
        // Whatever changed while it was read is part of everything.
        self.roster.take_changes();
        self.follow(&[Concern::Everything]);
        self.consequences();
    }

    fn follow(&mut self, changes: &[Concern]) {
        for change in changes {
            self.trust.follow(&self.roster, change);
            match change {
                Concern::Node(node) => self.reconsider_node(*node),
                Concern::Organisation(org) => self.reconsider_organisation(*org),
                Concern::Recovery(id) => {
                    self.reconsider_recovery(*id);
                    self.note_called_off(*id);
                }
                Concern::Gone(org) => self.forget_organisation(*org),
                Concern::Everything => self.reconsider_everything(),
                // What organisations say of each other concerns nothing but trust.
                Concern::Endorsement(says) => self.note_endorsement(says),
                Concern::Veto(veto) => self.note_veto(veto),
                Concern::Parent(_) | Concern::Chain(_) => {}
            }
        }
    }

    /// Of those whose word may count.
    fn note_endorsement(&mut self, says: &Endorsement) {
        if self.is_heard(says.issuer) {
            let (deed, why) = if says.withdraws() {
                (Deed::EndorsementEnded, format!("it vouches no more: {}", says.scope))
            } else {
                (
                    Deed::Endorsed,
                    format!("it vouches {}/{}: {}", says.amount, says.depth, says.scope),
                )
            };
            self.write_down(Who::Organisation(says.issuer), deed, says.subject.to_string(), &why);
        }
    }

    fn note_veto(&mut self, veto: &Veto) {
        if self.is_heard(veto.issuer) {
            let deed = if veto.withdrawn { Deed::VetoEnded } else { Deed::Vetoed };
            let why = veto.scope.to_string();
            self.write_down(Who::Organisation(veto.issuer), deed, veto.subject.to_string(), &why);
        }
    }

    fn is_heard(&self, org: OrgId) -> bool {
        org == self.org || self.trust.judge(Some(org)).relay
    }

    fn reconsider_everything(&mut self) {
        let orgs: Vec<OrgId> = self.consequences.standstills.keys().copied().collect();
        let now: Vec<OrgId> = self.roster.frozen().map(|(org, _)| org).collect();
        for org in orgs.into_iter().chain(now) {
            self.reconsider_standstill(org);
        }
        let nodes = self.nodes_concerned(None);
        nodes.into_iter().for_each(|node| self.reconsider_node(node));
        let recoveries: Vec<Digest> = self.roster.recoveries().map(|(id, _)| *id).collect();
        recoveries.into_iter().for_each(|id| self.reconsider_recovery(id));
    }

    /// What left for want of room is of no consequence until it comes again.
    fn forget_organisation(&mut self, org: OrgId) {
        self.consequences.standstills.remove(&org);
        let nodes = self.nodes_concerned(Some(org));
        nodes.into_iter().for_each(|node| self.reconsider_node(node));
        self.forget_recoveries();
    }

    /// Whether the operator wants to know: founding organisations is free, and what strangers do to themselves would fill
    /// the audit log. One that stands still matters all the same.
    fn matters(&self, org: OrgId) -> bool {
        self.roster.matters(&org) || self.trust.judge(Some(org)).connect
    }

    /// Puts a line into the audit log.
    pub(super) fn write_down(&mut self, who: Who, what: Deed, subject: String, why: &str) {
        let audit = Audit::new(self.now.wall, who, what, subject, why);
        self.step.changes.push(Change::Audit(audit));
    }
}
