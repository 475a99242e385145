//! What an organisation whose headers are handed on may cost, and those that it introduced (design, trust 4.6 "quotas").
//!
//! An organisation that the operator entered has a budget of its own. What one costs that somebody introduced is taken from
//! everybody on its witness path: from the budget of each of them for all that is behind it. So however many identities
//! somebody makes up behind one introducer, together they cost what one organisation may, and the introducer's own records
//! are not held up by them.
//!
//! Inside such a budget everybody has a fair share: whoever was introduced may cost, with all behind it, a part of what is
//! still left there (the dynamic thresholds of shared buffers, Choudhury and Hahne 1998). One who is alone gets much of it,
//! many get little each, and what is left for the next one is never nothing.

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

/// What is counted.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Headers,
    Bytes,
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
#[derive(Debug, Default)]
pub(super) struct Budgets {
    own: Budget,
    behind: Budget,
}

impl Cost {
    fn parts(self) -> impl Iterator<Item = (Kind, u64)> {
        let parts = match self {
            Self::Live(body) => [Some((Kind::Headers, 1)), Some((Kind::Bytes, body))],
            Self::History => [Some((Kind::History, 1)), None],
        };
        parts.into_iter().flatten()
    }
}

impl Budget {
    fn of(&self, kind: Kind) -> &Quotas<OrgId> {
        match kind {
            Kind::Headers => &self.headers,
            Kind::Bytes => &self.bytes,
            Kind::History => &self.history,
        }
    }

    fn change(&mut self, kind: Kind) -> &mut Quotas<OrgId> {
        match kind {
            Kind::Headers => &mut self.headers,
            Kind::Bytes => &mut self.bytes,
            Kind::History => &mut self.history,
        }
    }

    fn holds(&mut self, org: &OrgId, cost: Cost, now: Millis) -> bool {
        cost.parts()
            .all(|(kind, amount)| self.change(kind).holds(org, amount, now))
    }

    fn take(&mut self, org: &OrgId, cost: Cost, now: Millis) -> bool {
        cost.parts()
            .all(|(kind, amount)| self.change(kind).take(org, amount, now))
    }
}

impl Default for Budget {
    fn default() -> Self {
        let of = |capacity: u64, period| Quotas::new(capacity, period, limits::ORGANISATIONS);
        Self {
            headers: of(limits::HEADER_BURST, limits::HEADER_BURST_REFILL),
            bytes: of(limits::BODY_BYTES_PER_DAY, DAY),
            history: of(limits::HISTORY_PER_DAY, DAY),
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
        let fair = path.windows(2).all(|step| match step {
            [by, child] => self.is_fair(by, child, cost, now),
            _ => false,
        });
        let fits = fair && introducers.iter().all(|by| self.behind.holds(by, cost, now));
        fits && self.own.holds(org, cost, now)
            && introducers.iter().all(|by| self.behind.take(by, cost, now))
            && self.own.take(org, cost, now)
    }

    /// Whether somebody whom another introduced keeps within its share of what that one has left for all.
    fn is_fair(&self, by: &OrgId, child: &OrgId, cost: Cost, now: Millis) -> bool {
        cost.parts().all(|(kind, amount)| {
            let (left, _) = self.behind.of(kind).state(by, now);
            let (_, own) = self.own.of(kind).state(child, now);
            let (_, further) = self.behind.of(kind).state(child, now);
            amount == 0 || own + further + amount <= left / limits::INTRODUCED_SHARE
        })
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

    /// What the first of those gets whom one organisation introduced: a share of what that leaves.
    const fn first_of(capacity: u64) -> u64 {
        (capacity + 1) / (limits::INTRODUCED_SHARE + 1)
    }

    const FIRST: u64 = first_of(limits::HEADER_BURST);

    #[test]
    fn a_farm_costs_what_its_introducer_may_and_leaves_everybody_else_alone() {
        let mut budgets = Budgets::default();
        let all: u64 = (100..400)
            .map(|sybil| taken(&mut budgets, &[1, sybil], Cost::Live(0)))
            .sum();
        let unused = limits::HEADER_BURST - all;
        assert!(unused < limits::INTRODUCED_SHARE, "{unused}");
        assert_eq!(taken(&mut budgets, &[1, 400, 401], Cost::Live(0)), 0, "nor deeper");
        assert_eq!(
            taken(&mut budgets, &[1], Cost::Live(0)),
            limits::HEADER_BURST,
            "its own"
        );
        assert_eq!(taken(&mut budgets, &[2, 500], Cost::Live(0)), FIRST);
        assert_eq!(
            taken(&mut budgets, &[1, 100], Cost::History),
            first_of(limits::HISTORY_PER_DAY)
        );
    }

    #[test]
    fn whoever_comes_later_still_gets_something() {
        let mut budgets = Budgets::default();
        let shares: Vec<u64> = (0..12)
            .map(|child| taken(&mut budgets, &[1, 100 + child], Cost::Live(0)))
            .collect();
        assert_eq!(shares[0], FIRST);
        assert!(shares.iter().all(|share| *share > 10), "{shares:?}");
        // All who are behind somebody who was introduced himself have his share together.
        let behind: u64 = (0..50)
            .map(|child| taken(&mut budgets, &[2, 3, 200 + child], Cost::Live(0)))
            .sum();
        assert!(behind <= FIRST && behind > FIRST / 2, "{behind}");
        assert!(taken(&mut budgets, &[2, 4], Cost::Live(0)) > FIRST / 2);
    }

    #[test]
    fn made_up_names_fill_no_places() {
        let mut budgets = Budgets::default();
        for name in 0..2 * limits::ORGANISATIONS as u64 {
            budgets.charge(&[org(1), org(1_000 + name)], Cost::Live(0), NOW);
        }
        assert_eq!(taken(&mut budgets, &[2, 3], Cost::Live(0)), FIRST);
    }
}
