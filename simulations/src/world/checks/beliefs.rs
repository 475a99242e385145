//! Nothing is believed that trust forbids, and nobody is told TLP:GREEN who may not be. What a node believes and holds is in its
//! ledger; what trust allows is in the [`Facts`].

use starfish_node::ledger::Ledger;
use starfish_protocol::{
    engine::port::{Found, Query},
    record::{RecordId, Tlp},
};
use starfish_sim_kernel as kernel;

use super::{Checks, Clock, Everything, Facts};
use crate::{
    storage::Disk,
    world::{cast::Cast, ended::invariant},
};

/// Entries that are read at once.
const ENTRIES: usize = 1_000;

/// Who is who, and who may be believed.
type Truth<'a> = (&'a Cast, &'a mut Facts);

impl Checks {
    /// What a node can know by now.
    pub(in crate::world) fn clock(&self, node: usize) -> Clock {
        let since = self.calm_since.zip(self.running_since[node]);
        Clock {
            now: kernel::now().unwrap_or_default(),
            settled: since.map_or(u64::MAX, |(calm, running)| calm.max(running)),
        }
    }

    pub(super) fn check_belief(&self, node: usize, id: &RecordId, ledger: &Ledger<Disk>, (cast, facts): Truth<'_>) {
        let Some((_, card)) = ledger.card_of(id).expect("memory does not fail") else {
            return;
        };
        if !card.believed {
            return;
        }
        let clock = self.clock(node);
        // Whose it is is no decision of the node that is looked at.
        let org = cast.node_of(&card.author).map(|author| cast.members[author].org);
        invariant!(
            card.org == org,
            "node {node} believes record {id} of {org:?} as one of {:?}",
            card.org
        );
        invariant!(
            org.is_some_and(|org| facts.allows(node, org, clock)),
            "node {node} believes record {id} of {org:?}, whom it does not trust"
        );
        if facts.are_ends_due(clock)
            && let Found::Record(Some((header, ..))) = ledger.answer(&Query::Record(*id))
        {
            invariant!(
                facts.keeps(*id, &header, clock),
                "node {node} believes record {id}, which a revocation voids"
            );
        }
    }

    /// What is TLP:GREEN is at those only whom some honest node may tell it.
    pub(super) fn check_confided(&self, node: usize, id: &RecordId, everything: Everything<'_>) {
        let Some(ledger) = &everything.0[node].ledger else {
            return;
        };
        let card = ledger.card_of(id).expect("memory does not fail");
        let is_green = card.is_some_and(|(_, card)| Tlp::from(card.tlp) == Tlp::Green && !card.own);
        if !is_green {
            return;
        }
        invariant!(
            self.may_be_told(node, everything, |other| self.kept[other].may_have_told(id)),
            "node {node} holds record {id}, which is TLP:GREEN, and nobody may tell it such"
        );
    }

    /// The same of what is no node.
    pub(super) fn check_overheard(&self, node: usize, what: &str, everything: Everything<'_>) {
        invariant!(
            self.may_be_told(node, everything, |_| true),
            "what speaks as node {node} was told what is TLP:GREEN, and nobody may tell it such: {what}"
        );
    }

    /// Whether an honest node that has it may tell it.
    fn may_be_told(&self, node: usize, everything: Everything<'_>, has: impl Fn(usize) -> bool) -> bool {
        let (residents, cast, facts) = everything;
        let org = cast.members[node].org;
        let mut others = (0..residents.len()).filter(|other| *other != node && self.is_honest[*other] && has(*other));
        others.any(|other| facts.confides(other, org, self.clock(other)))
    }

    /// Once in a while: what rose to be believed since, and, when news of lost trust have had their time at a node, everything.
    pub(super) fn check_beliefs(&mut self, (residents, cast, facts): Everything<'_>) {
        for (node, resident) in residents.iter().enumerate() {
            let Some(ledger) = resident.ledger.as_ref().filter(|_| self.is_honest[node]) else {
                continue;
            };
            let due = facts.due(self.clock(node));
            if due > self.dealt[node] {
                self.dealt[node] = due;
                let all = self.kept[node].records();
                all.for_each(|id| self.check_belief(node, id, ledger, (cast, &mut *facts)));
            }
            while ledger.counts().serial > self.read[node] {
                let entries = ledger.entries(self.read[node], ENTRIES).expect("memory does not fail");
                for entry in entries.iter().filter(|entry| entry.believed) {
                    self.check_belief(node, &entry.record, ledger, (cast, &mut *facts));
                }
                let last = entries.last().map(|entry| entry.serial);
                self.read[node] = last.unwrap_or(ledger.counts().serial);
            }
        }
    }
}
