//! Each record of an honest node reaches everybody who wants it and may have it, within the time that the plan gives.

use starfish_crypto::Verified;
use starfish_protocol::{
    engine::port::{Found, Query},
    record::{Header, RecordId, Tlp},
};
use starfish_sim_kernel::{self as kernel, WallClock};

use super::{Checks, Everything, Facts, NodePlan, is_whole};
use crate::world::{cast::Cast, ended::invariant, residents::Resident};

/// A record on its way.
#[derive(Debug)]
pub(super) struct Spreading {
    id: RecordId,
    header: Verified<Header>,
    author: usize,
    since: u64,
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
                });
            }
        }
    }

    /// Who should hold a record by now, and does not?
    pub(super) fn check_convergence(&mut self, (residents, cast, facts): Everything<'_>, plan: &[NodePlan]) {
        let (Some(within), Some(calm), Some(now)) = (self.converge_within, self.calm_since, kernel::now()) else {
            return;
        };
        // Nobody can have what only an author has that is down.
        let running = &self.running_since;
        let is_due = |spreading: &Spreading| {
            let up = running[spreading.author];
            up.is_some_and(|up| spreading.since.max(calm).max(up) + within <= now)
        };
        if !self.spreading.iter().any(is_due) {
            return;
        }
        let (due, rest) = std::mem::take(&mut self.spreading).into_iter().partition(is_due);
        self.spreading = rest;
        let due: Vec<Spreading> = due;
        let wall = WallClock::now().unwrap_or_default() / 1_000_000;
        for spreading in due.iter().filter(|spreading| spreading.header.expires_at.0 > wall) {
            for (node, resident) in residents.iter().enumerate() {
                let Some(ledger) = &resident.ledger else { continue };
                let has_run = self.running_since[node].is_some_and(|start| start + within <= now);
                if has_run && self.is_wanted(spreading, node, &plan[node], cast, facts) {
                    invariant!(
                        is_whole(ledger, &spreading.id),
                        "record {}, published by node {} at {} ms, has not reached node {node} by {} ms",
                        spreading.id,
                        spreading.author,
                        spreading.since / 1_000_000,
                        now / 1_000_000
                    );
                }
            }
        }
    }

    fn is_wanted(&self, record: &Spreading, node: usize, plan: &NodePlan, cast: &Cast, facts: &mut Facts) -> bool {
        let org = |node: usize| cast.members[node].org;
        let Spreading { header, author, .. } = record;
        self.is_honest[node]
            && plan.subscription.covers(header)
            && facts.allows(node, org(*author), self.clock(node))
            && (header.tlp == Tlp::Clear || facts.confides(*author, org(node), self.clock(*author)))
    }
}
