//! What an organisation, a delivering peer and the quarantine as a whole may cost this node.

use crate::{limits, organisation::OrgId, peer::Peer, quota::Quotas, time::Millis};

const DAY: Millis = Millis(86_400_000);
const MINUTE: Millis = Millis(60_000);

/// Every quota of the engine.
#[derive(Debug)]
pub(in crate::engine) struct Charges {
    headers: Quotas<OrgId>,
    bytes: Quotas<OrgId>,
    history: Quotas<OrgId>,
    ingress: Quotas<Peer>,
    statements: Quotas<Peer>,
    codes: Quotas<Peer>,
    /// The quarantine's bytes: what it holds when full leaves it after its age, so the budget comes back in that time.
    quarantine: Quotas<()>,
    shares: Quotas<Peer>,
}

impl Default for Charges {
    fn default() -> Self {
        let (burst, refill) = (limits::HEADER_BURST, limits::HEADER_BURST_REFILL);
        let share = limits::QUARANTINE_BYTES / limits::QUARANTINE_SHARE;
        Self {
            headers: Quotas::new(burst, refill, limits::ORGANISATIONS),
            bytes: Quotas::new(limits::BODY_BYTES_PER_DAY, DAY, limits::ORGANISATIONS),
            history: Quotas::new(limits::HISTORY_PER_DAY, DAY, limits::ORGANISATIONS),
            ingress: Quotas::new(burst, refill, limits::PEERS),
            statements: Quotas::new(limits::STATEMENTS_PER_PEER, limits::STATEMENT_REFILL, limits::PEERS),
            codes: Quotas::new(limits::CODES_PER_MINUTE, MINUTE, limits::PEERS),
            quarantine: Quotas::new(limits::QUARANTINE_BYTES, limits::QUARANTINE_AGE, 1),
            shares: Quotas::new(share, limits::QUARANTINE_AGE, limits::PEERS),
        }
    }
}

impl Charges {
    /// A header of a relayed organisation that was not asked for, and the body that it announces.
    pub(super) fn live(&mut self, org: OrgId, body: u64, now: Millis) -> bool {
        self.headers.take(&org, 1, now) && self.bytes.take(&org, body, now)
    }

    /// A header of a relayed organisation from a peer's store.
    pub(super) fn history(&mut self, org: OrgId, now: Millis) -> bool {
        self.history.take(&org, 1, now)
    }

    /// A header of nobody in particular, with the bytes that it brings: charged to whoever delivered it.
    pub(super) fn quarantined(&mut self, peer: &Peer, bytes: u64, now: Millis) -> bool {
        self.stranger(peer, now) && self.shares.take(peer, bytes, now) && self.quarantine.take(&(), bytes, now)
    }

    /// A body for the quarantine that came without its header.
    pub(in crate::engine) fn quarantined_body(&mut self, bytes: u64, now: Millis) -> bool {
        self.quarantine.take(&(), bytes, now)
    }

    /// A header whose author is not known at all.
    pub(super) fn stranger(&mut self, peer: &Peer, now: Millis) -> bool {
        self.ingress.take(peer, 1, now)
    }

    /// Statements that were not asked for.
    pub(super) fn statements(&mut self, peer: &Peer, count: u64, now: Millis) -> bool {
        self.statements.take(peer, count, now)
    }

    /// One try of a code.
    pub(in crate::engine) fn code(&mut self, peer: &Peer, now: Millis) -> bool {
        self.codes.take(peer, 1, now)
    }
}
