//! What organisations have said of each other and operators have decided, and from that whom a node may believe: [`Facts`].
//!
//! It is what the nodes are judged by, so it shares none of the state by which they find out: they follow each change of what
//! reached them, in slices; here the design is applied to everything that was ever said, from the beginning each time (trust.md
//! 4.3). How high somebody stands in a graph at one moment is computed by the same code in both, which tests of its own hold
//! against other ways to compute it.
//!
//! What gives trust counts from the moment at which it is said, since nobody can believe earlier. What takes trust away counts
//! [`GRACE`] later: nodes must hear of it first. So a node that is slower than it may be is found out, and one that has not
//! heard yet is not blamed. What counts for one node is in `views`.

mod views;

use std::collections::{BTreeMap, BTreeSet};

use starfish_protocol::{
    organisation::OrgId,
    record::{Header, RecordId},
    statement::Revocation,
    trust::{Pin, Root},
};

use self::views::View;

/// How long it may take, in a network that is whole, until what takes trust away is known and dealt with everywhere: news go by
/// gossip in a second or two; who missed them has them with the next sync.
const GRACE: u64 = 30 * 1_000_000_000;

/// What one organisation says of another.
#[derive(Clone, Debug)]
struct Said {
    issuer: OrgId,
    says: Root,
    /// When it took that back.
    until: Option<u64>,
}

/// Something that takes trust away, and when it was said.
#[derive(Clone, Debug)]
enum Loss {
    Veto { issuer: OrgId, subject: OrgId },
    Pin { node: usize, org: OrgId, pin: Pin },
    Revoked(Box<Revocation>),
}

/// One node's own decisions.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// Its organisation.
    pub(super) own: OrgId,
    /// The organisations that it lists; everybody's when there is none.
    pub(super) listed: Option<BTreeSet<OrgId>>,
    pub(super) entries: Vec<Root>,
    /// Its pins from the beginning.
    pub(super) pins: BTreeMap<OrgId, Pin>,
}

/// From when on a node can have heard of everything, and what time it is. In ns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) now: u64,
    pub(super) settled: u64,
}

impl Clock {
    /// Whether what was said at this time is known and dealt with.
    fn is_due(&self, said: u64) -> bool {
        said.max(self.settled).saturating_add(GRACE) <= self.now
    }
}

/// Everything that was said, and by whom nodes swear.
#[derive(Debug, Default)]
pub(super) struct Facts {
    policies: Vec<Policy>,
    said: Vec<Said>,
    losses: Vec<(u64, Loss)>,
    /// Counts what was said so far.
    told: usize,
    /// When trust was taken away, rising.
    taken: Vec<u64>,
    views: BTreeMap<usize, View>,
}

impl Facts {
    pub(super) fn new(policies: Vec<Policy>) -> Self {
        Self {
            policies,
            ..Self::default()
        }
    }

    /// One organisation vouches for another, in the place of what it said before.
    pub(super) fn endorse(&mut self, issuer: OrgId, says: Root, now: u64) {
        self.withdraw(issuer, says.org, now);
        self.said.push(Said {
            issuer,
            says,
            until: None,
        });
    }

    /// It takes that back.
    pub(super) fn withdraw(&mut self, issuer: OrgId, subject: OrgId, now: u64) {
        self.told += 1;
        for said in &mut self.said {
            if (said.issuer, said.says.org) == (issuer, subject) && said.until.is_none() {
                said.until = Some(now);
                self.taken.push(now);
            }
        }
    }

    /// Who vouches for an organisation now.
    pub(super) fn vouchers_of(&self, subject: OrgId) -> Vec<OrgId> {
        let about = |said: &&Said| said.says.org == subject && said.until.is_none();
        self.said.iter().filter(about).map(|said| said.issuer).collect()
    }

    pub(super) fn veto(&mut self, issuer: OrgId, subject: OrgId, now: u64) {
        self.lose(Loss::Veto { issuer, subject }, now);
    }

    pub(super) fn pin(&mut self, node: usize, org: OrgId, pin: Pin, now: u64) {
        self.lose(Loss::Pin { node, org, pin }, now);
    }

    pub(super) fn revoke(&mut self, revocation: Revocation, now: u64) {
        self.lose(Loss::Revoked(Box::new(revocation)), now);
    }

    fn lose(&mut self, loss: Loss, now: u64) {
        self.told += 1;
        self.losses.push((now, loss));
        self.taken.push(now);
    }

    /// How often trust was taken away, as far as a node should have dealt with it.
    pub(super) fn due(&self, clock: Clock) -> usize {
        self.taken.partition_point(|at| clock.is_due(*at))
    }

    /// Whether a node may believe an organisation.
    pub(super) fn allows(&mut self, node: usize, org: OrgId, clock: Clock) -> bool {
        let policy = &self.policies[node];
        if org == policy.own {
            return true;
        }
        if self.said.is_empty() && self.losses.is_empty() && policy.entries.is_empty() && policy.pins.is_empty() {
            return policy.listed.as_ref().is_none_or(|listed| listed.contains(&org));
        }
        self.current(node, clock).allows(org)
    }

    /// Whether a node may tell an organisation what is TLP:GREEN.
    pub(super) fn confides(&mut self, node: usize, org: OrgId, clock: Clock) -> bool {
        org == self.policies[node].own || self.current(node, clock).confides(&org)
    }

    /// What counts for a node now.
    fn current(&mut self, node: usize, clock: Clock) -> &mut View {
        let state = (self.told, self.due(clock));
        if self.views.get(&node).is_none_or(|view| !view.is_of(state)) {
            let view = self.view(node, state, clock);
            self.views.insert(node, view);
        }
        self.views.get_mut(&node).expect("it was made just now")
    }

    /// Whether any revocation should be known by now.
    pub(super) fn are_ends_due(&self, clock: Clock) -> bool {
        let ends = |(at, loss): &(u64, Loss)| matches!(loss, Loss::Revoked(_)) && clock.is_due(*at);
        self.losses.iter().any(ends)
    }

    /// Whether no revocation that should be known by now voids this record.
    pub(super) fn keeps(&self, id: RecordId, header: &Header, clock: Clock) -> bool {
        self.losses.iter().all(|(at, loss)| match loss {
            Loss::Revoked(revocation) if revocation.node_key == header.author && clock.is_due(*at) => {
                revocation.keeps(header.audience, header.epoch, header.seq, id)
            }
            _ => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{Digest, domain};

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn org(number: u8) -> OrgId {
        OrgId::from_digest(Digest::of(domain::MANIFEST, &[number]))
    }

    fn vouch(number: u8, amount: u8, depth: u8, may_veto: bool) -> Root {
        Root {
            amount,
            depth,
            may_veto,
            ..Root::paired(org(number))
        }
    }

    /// Node 0 of organisation 0 has these entries.
    fn facts(entries: Vec<Root>) -> Facts {
        let policy = |number: u8, entries: Vec<Root>| Policy {
            own: org(number),
            listed: Some(BTreeSet::new()),
            entries,
            pins: BTreeMap::new(),
        };
        Facts::new(vec![policy(0, entries), policy(1, Vec::new())])
    }

    fn at(now: u64) -> Clock {
        Clock {
            now: now * SECOND,
            settled: 0,
        }
    }

    #[test]
    fn endorsements_count_at_once_and_their_end_a_little_later() {
        let mut facts = facts(vec![vouch(1, 120, 7, false)]);
        let check = |facts: &mut Facts, number: u8, now: u64, allowed: bool| {
            assert_eq!(facts.allows(0, org(number), at(now)), allowed, "{number} at {now}");
        };
        check(&mut facts, 0, 0, true);
        check(&mut facts, 1, 0, true);
        check(&mut facts, 2, 0, false);
        facts.endorse(org(1), vouch(2, 50, 7, false), 0);
        check(&mut facts, 2, 1, false);
        facts.endorse(org(1), vouch(2, 60, 0, false), 0);
        check(&mut facts, 2, 1, true);
        facts.endorse(org(2), vouch(3, 120, 7, false), 0);
        check(&mut facts, 3, 1, false);
        // What a node's own organisation says is as good as an entry.
        facts.endorse(org(0), vouch(4, 120, 1, false), 0);
        check(&mut facts, 4, 1, true);
        facts.withdraw(org(1), org(2), 10 * SECOND);
        check(&mut facts, 2, 39, true);
        check(&mut facts, 2, 40, false);
        assert_eq!(
            (facts.due(at(39)), facts.due(at(40))),
            (1, 2),
            "an earlier word was replaced at the beginning"
        );
        let cut_off = Clock {
            now: 50 * SECOND,
            settled: 30 * SECOND,
        };
        assert!(facts.allows(0, org(2), cut_off));
        assert_eq!(facts.vouchers_of(org(3)), [org(2)]);
    }

    #[test]
    fn vetoes_and_pins_take_away_what_is_not_a_root() {
        let mut facts = facts(vec![vouch(1, 120, 7, true), vouch(5, 120, 7, false)]);
        for subject in [2, 3] {
            facts.endorse(org(5), vouch(subject, 120, 7, true), 0);
        }
        let check = |facts: &mut Facts, allowed: [bool; 4]| {
            let found = [1, 2, 3, 5].map(|number| facts.allows(0, org(number), at(40)));
            assert_eq!(found, allowed);
        };
        check(&mut facts, [true; 4]);
        // Nobody gave it the right, since whoever endorsed it had none.
        facts.veto(org(2), org(3), 0);
        check(&mut facts, [true; 4]);
        facts.veto(org(1), org(2), 0);
        facts.veto(org(1), org(5), 0);
        check(&mut facts, [true, false, true, true]);
        facts.pin(0, org(5), Pin::Bad, 0);
        check(&mut facts, [true, false, false, false]);
    }

    #[test]
    fn to_be_believed_is_not_to_be_confided_in() {
        let green = |number: u8, amount: u8| Root {
            receive_green: true,
            ..vouch(number, amount, 7, false)
        };
        let mut facts = facts(vec![green(1, 120), vouch(2, 120, 7, false)]);
        facts.endorse(org(1), green(3, 60), 0);
        facts.endorse(org(2), green(4, 120), 0);
        facts.endorse(org(1), green(5, 59), 0);
        let found = [0, 1, 2, 3, 4, 5].map(|number| facts.confides(0, org(number), at(1)));
        assert_eq!(found, [true, true, false, true, false, false]);
    }
}
