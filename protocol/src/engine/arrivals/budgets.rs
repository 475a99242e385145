//! What an organisation whose headers are handed on may cost, and those that it introduced (design, trust 4.6 "quotas").
//!
//! An organisation that the operator entered has a budget of its own. One that somebody introduced has a share of one, and
//! what it costs is taken from everybody on its witness path as well: from the budget of each of them for all that is
//! behind it. So however many identities somebody makes up behind one introducer, together they cost what one organisation
//! may, none of them uses up what the others have, and the introducer's own records are not held up by them.

use crate::{limits, organisation::OrgId, quota::Quotas, time::Millis};

const DAY: Millis = Millis(86_400_000);

/// What one header costs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cost {
    /// It was not asked for; the body that it announces has so many bytes.
    Live(u64),
    /// It came from a peer's store.
    History,
}

/// One kind of budget.
#[derive(Debug)]
struct Budget {
    headers: Quotas<OrgId>,
    bytes: Quotas<OrgId>,
    history: Quotas<OrgId>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Budgets {
    entered: Budget,
    introduced: Budget,
    behind: Budget,
}

impl Budget {
    fn new(share: u64) -> Self {
        let of = |capacity: u64, period| Quotas::new(capacity / share, period, limits::ORGANISATIONS);
        Self {
            headers: of(limits::HEADER_BURST, limits::HEADER_BURST_REFILL),
            bytes: of(limits::BODY_BYTES_PER_DAY, DAY),
            history: of(limits::HISTORY_PER_DAY, DAY),
        }
    }

    fn holds(&mut self, org: &OrgId, cost: Cost, now: Millis) -> bool {
        match cost {
            Cost::Live(body) => self.headers.holds(org, 1, now) && self.bytes.holds(org, body, now),
            Cost::History => self.history.holds(org, 1, now),
        }
    }

    fn take(&mut self, org: &OrgId, cost: Cost, now: Millis) -> bool {
        match cost {
            Cost::Live(body) => self.headers.take(org, 1, now) && self.bytes.take(org, body, now),
            Cost::History => self.history.take(org, 1, now),
        }
    }
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            entered: Budget::new(1),
            introduced: Budget::new(limits::INTRODUCED_SHARE),
            behind: Budget::new(1),
        }
    }
}

impl Budgets {
    /// Charges everybody on a witness path for its last organisation, or nobody at all. Who introduces is asked first, so
    /// that made-up names behind somebody who has nothing left are not even remembered.
    pub(super) fn charge(&mut self, path: &[OrgId], cost: Cost, now: Millis) -> bool {
        let Some((org, introducers)) = path.split_last() else {
            return false;
        };
        let own = if introducers.is_empty() {
            &mut self.entered
        } else {
            &mut self.introduced
        };
        let fits = introducers.iter().all(|by| self.behind.holds(by, cost, now)) && own.holds(org, cost, now);
        fits && introducers.iter().all(|by| self.behind.take(by, cost, now)) && own.take(org, cost, now)
    }
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{Digest, domain};

    use super::*;

    const NOW: Millis = Millis(1);

    fn org(name: u64) -> OrgId {
        OrgId::from_digest(Digest::of(domain::MANIFEST, &name.to_be_bytes()))
    }

    /// How many headers are taken in a row, of those who are behind each other.
    fn taken(budgets: &mut Budgets, path: &[u64], cost: Cost) -> u64 {
        let path: Vec<OrgId> = path.iter().map(|name| org(*name)).collect();
        (0..2 * limits::HISTORY_PER_DAY)
            .take_while(|_| budgets.charge(&path, cost, NOW))
            .count() as u64
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let mut budgets = Budgets::default();
        assert!(!budgets.charge(&[], Cost::History, NOW));
        let path = [org(1)];
        assert!(budgets.charge(&path, Cost::Live(limits::BODY_BYTES_PER_DAY), NOW));
        assert!((0..limits::HEADER_BURST).all(|_| !budgets.charge(&path, Cost::Live(1), NOW)));
        assert!(
            budgets.charge(&path, Cost::Live(0), NOW),
            "headers without a body still have their own quota"
        );
    }

    #[test]
    fn a_farm_costs_what_its_introducer_may_and_leaves_everybody_else_alone() {
        let share = limits::HEADER_BURST / limits::INTRODUCED_SHARE;
        let mut budgets = Budgets::default();
        let all: u64 = (100..400)
            .map(|sybil| taken(&mut budgets, &[1, sybil], Cost::Live(0)))
            .sum();
        assert_eq!(all, limits::HEADER_BURST);
        assert_eq!(taken(&mut budgets, &[1, 400, 401], Cost::Live(0)), 0, "nor deeper");
        assert_eq!(
            taken(&mut budgets, &[1], Cost::Live(0)),
            limits::HEADER_BURST,
            "its own"
        );
        assert_eq!(taken(&mut budgets, &[2, 500], Cost::Live(0)), share);
        assert_eq!(
            taken(&mut budgets, &[2, 501], Cost::Live(0)),
            share,
            "one child leaves the others theirs"
        );
        assert_eq!(
            taken(&mut budgets, &[1, 100], Cost::History),
            limits::HISTORY_PER_DAY / limits::INTRODUCED_SHARE
        );
    }

    #[test]
    fn made_up_names_fill_no_places() {
        let mut budgets = Budgets::default();
        for name in 0..2 * limits::ORGANISATIONS as u64 {
            budgets.charge(&[org(1), org(1_000 + name)], Cost::Live(0), NOW);
        }
        assert_eq!(
            taken(&mut budgets, &[2, 3], Cost::Live(0)),
            limits::HEADER_BURST / limits::INTRODUCED_SHARE
        );
    }
}
