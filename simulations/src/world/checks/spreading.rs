//! Each record of an honest node reaches everybody who wants it and may have it, within the time that the plan gives.

use starfish_crypto::Verified;
use starfish_protocol::{
    engine::port::{Found, Query},
    record::{Header, RecordId, Tlp},
};
use starfish_sim_kernel as kernel;

use super::{Checks, Everything, Facts, NodePlan, is_whole, wall};
use crate::world::{cast::Cast, ended::invariant, residents::Resident};

/// A record on its way.
#[derive(Debug)]
pub(super) struct Spreading {
    id: RecordId,
    header: Verified<Header>,
    author: usize,
    since: u64,
    /// The nodes whose time for it has not come.
    left: Vec<usize>,
}

impl Checks {
    /// These are durable at the node that published them.
    pub(super) fn spread(&mut self, author: usize, records: &[RecordId], at: u64, resident: &Resident) {
        let Some(ledger) = resident.ledger.as_ref().filter(|_| self.converge_within.is_some()) else {
            return;
        };
        for id in records {
            if let Found::Record(Some((header, ..))) = ledger.answer(&Query::Record(*id)) {
                self.spreading.push(Spreading {
                    id: *id,
                    header,
                    author,
                    since: at,
                    left: (0..self.is_honest.len()).filter(|node| self.is_honest[*node]).collect(),
                });
            }
        }
    }

    /// Who should hold a record by now, and does not? Each node is looked at once, when it has run for as long as it may take.
    pub(super) fn check_convergence(&mut self, (residents, cast, facts): Everything<'_>, plan: &[NodePlan]) {
        let (Some(within), Some(calm), Some(now)) = (self.converge_within, self.calm_since, kernel::now()) else {
            return;
        };
        let mut spreading = std::mem::take(&mut self.spreading);
        spreading.retain(|record| !record.left.is_empty());
        let has_run = |node: usize| self.running_since[node].is_some_and(|up| up.max(calm) + within <= now);
        // Nobody can have what only an author has that is down.
        let is_due = |record: &Spreading| record.since + within <= now && has_run(record.author);
        for record in spreading.iter_mut().filter(|record| is_due(record)) {
            for node in record.left.extract_if(.., |node| has_run(*node)).collect::<Vec<_>>() {
                let Some(ledger) = &residents[node].ledger else {
                    continue;
                };
                if record.header.expires_at > wall(node) && self.is_wanted(record, node, &plan[node], cast, facts) {
                    invariant!(
                        is_whole(ledger, &record.id),
                        "record {}, published by node {} at {} ms, has not reached node {node} by {} ms",
                        record.id,
                        record.author,
                        record.since / 1_000_000,
                        now / 1_000_000
                    );
                }
            }
        }
        self.spreading = spreading;
    }

    fn is_wanted(&self, record: &Spreading, node: usize, plan: &NodePlan, cast: &Cast, facts: &mut Facts) -> bool {
        let org = |node: usize| cast.members[node].org;
        let Spreading { header, author, .. } = record;
        plan.subscription.covers(header)
            && facts.allows(node, org(*author), self.clock(node))
            && (header.tlp == Tlp::Clear || facts.confides(*author, org(node), self.clock(*author)))
    }
}
