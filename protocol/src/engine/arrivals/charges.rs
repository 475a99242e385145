//! What an organisation, a delivering peer and the quarantine as a whole may cost this node.

use super::budgets::{Budgets, Cost};
use crate::{limits, organisation::OrgId, peer::Peer, quota::Quotas, time::Millis};

const MINUTE: Millis = Millis(60_000);

/// A delivering peer, and whether it is connected by right.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Source<'a> {
    pub(in crate::engine) peer: &'a Peer,
    pub(in crate::engine) by_right: bool,
}

/// Buckets by delivering peer. Names of peers are free: a crowd of guests must not use up the places of those who are
/// connected by right.
#[derive(Debug)]
struct ByPeer {
    by_right: Quotas<Peer>,
    guests: Quotas<Peer>,
}

impl ByPeer {
    fn new(capacity: u64, period: Millis) -> Self {
        let quotas = Quotas::new(capacity, period, limits::PEERS);
        Self {
            by_right: quotas.clone(),
            guests: quotas,
        }
    }

    fn of(&mut self, source: Source<'_>) -> &mut Quotas<Peer> {
        if source.by_right {
            &mut self.by_right
        } else {
            &mut self.guests
        }
    }

    fn take(&mut self, source: Source<'_>, amount: u64, now: Millis) -> bool {
        self.of(source).take(source.peer, amount, now)
    }
}

/// Every quota of the engine.
#[derive(Debug)]
pub(in crate::engine) struct Charges {
    authors: Budgets,
    ingress: ByPeer,
    statements: ByPeer,
    urgent: Quotas<OrgId>,
    answers: ByPeer,
    codes: ByPeer,
    /// The quarantine's bytes: what it holds when full leaves it after its age, so the budget comes back in that time.
    quarantine: Quotas<()>,
    shares: ByPeer,
}

impl Default for Charges {
    fn default() -> Self {
        let (burst, refill) = (limits::HEADER_BURST, limits::HEADER_BURST_REFILL);
        let share = limits::QUARANTINE_BYTES / limits::QUARANTINE_SHARE;
        Self {
            authors: Budgets::default(),
            ingress: ByPeer::new(burst, refill),
            statements: ByPeer::new(limits::STATEMENTS_PER_PEER, limits::STATEMENT_REFILL),
            urgent: Quotas::new(
                limits::URGENT_PER_ORGANISATION,
                limits::STATEMENT_REFILL,
                limits::ORGANISATIONS_KNOWN,
            ),
            answers: ByPeer::new(limits::STATEMENT_ANSWERS, limits::STATEMENT_REFILL),
            codes: ByPeer::new(limits::CODES_PER_MINUTE, MINUTE),
            quarantine: Quotas::new(limits::QUARANTINE_BYTES, limits::QUARANTINE_AGE, 1),
            shares: ByPeer::new(share, limits::QUARANTINE_AGE),
        }
    }
}

impl Charges {
    /// A header of a relayed organisation, the last on its witness path.
    pub(super) fn author(&mut self, path: &[OrgId], cost: Cost, now: Millis) -> bool {
        self.authors.charge(path, cost, now)
    }

    /// A header of nobody in particular, with its body, however often that is asked for until it comes: charged to
    /// whoever delivered it.
    pub(super) fn quarantined(&mut self, source: Source<'_>, bytes: u64, now: Millis) -> bool {
        let share = self.shares.of(source).holds(source.peer, bytes, now);
        let fits = share && self.quarantine.holds(&(), bytes, now);
        fits && self.delivered(source, now)
            && self.shares.take(source, bytes, now)
            && self.quarantine.take(&(), bytes, now)
    }

    /// A header that nothing is gained by: of an author who is not known at all, or of one who is, but not news.
    pub(super) fn delivered(&mut self, source: Source<'_>, now: Millis) -> bool {
        self.ingress.take(source, 1, now)
    }

    /// Statements that were not asked for.
    pub(in crate::engine) fn statements(&mut self, source: Source<'_>, count: u64, now: Millis) -> bool {
        self.statements.take(source, count, now)
    }

    /// Whether an organisation has something left for what is urgent.
    pub(super) fn may_be_urgent(&mut self, org: OrgId, now: Millis) -> bool {
        self.urgent.holds(&org, 1, now)
    }

    /// An urgent statement that concerns this organisation.
    pub(super) fn urgent(&mut self, org: OrgId, now: Millis) -> bool {
        self.urgent.take(&org, 1, now)
    }

    /// An answer full of statements, however few are in it.
    pub(in crate::engine) fn statement_answer(&mut self, source: Source<'_>, now: Millis) -> bool {
        self.answers.take(source, 1, now)
    }

    /// One try of a code.
    pub(in crate::engine) fn code(&mut self, source: Source<'_>, now: Millis) -> bool {
        self.codes.take(source, 1, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1);

    fn source(peer: &Peer, by_right: bool) -> Source<'_> {
        Source { peer, by_right }
    }

    #[test]
    fn a_crowd_of_guests_leaves_room_for_those_who_are_here_by_right() {
        let mut charges = Charges::default();
        let crowd: Vec<Peer> = (0..limits::PEERS as u64)
            .map(|number| Peer::from_bytes(&number.to_be_bytes()))
            .collect();
        assert!(crowd.iter().all(|peer| charges.delivered(source(peer, false), NOW)));
        let late = Peer::from_bytes(b"late");
        assert!(!charges.delivered(source(&late, false), NOW));
        assert!(charges.delivered(source(&late, true), NOW));
    }

    #[test]
    fn one_peer_uses_up_its_share_alone() {
        let mut charges = Charges::default();
        let (one, share) = (
            Peer::from_bytes(b"one"),
            limits::QUARANTINE_BYTES / limits::QUARANTINE_SHARE,
        );
        assert!(charges.quarantined(source(&one, false), share, NOW));
        assert!((0..limits::HEADER_BURST).all(|_| !charges.quarantined(source(&one, false), 1, NOW)));
        assert!(charges.delivered(source(&one, false), NOW));
        for number in 1..limits::QUARANTINE_SHARE {
            let other = Peer::from_bytes(&number.to_be_bytes());
            assert!(charges.quarantined(source(&other, false), share, NOW));
        }
    }
}
