//! What organisations say of each other while a world goes on: signed by their keys, told by their nodes.

use starfish_protocol::{
    engine::port::{Command, Found, Query},
    organisation::OrgId,
    record::RecordId,
    statement::{CheckedStatement, LogPosition, Revocation},
    trust::{Pin, Root},
};
use starfish_sim_kernel as kernel;

use super::Cast;
use crate::world::{NodePlan, World, chronicle::What, facts::Policy, plan::Vouch};

impl World {
    /// An organisation vouches for another, in the place of what it said before; both by their numbers.
    pub fn vouch(&mut self, issuer: usize, vouch: &Vouch) {
        let subject = self.cast.house(vouch.organisation).org;
        let said = self.cast.house_mut(issuer).endorses(subject, vouch);
        let (by, now) = (self.cast.house(issuer).org, kernel::now().unwrap_or_default());
        if vouch.amount == 0 {
            self.facts.withdraw(by, subject, now);
        } else {
            self.facts.endorse(by, vouch.root(subject), now);
        }
        let (whom, amount, depth) = (vouch.organisation, vouch.amount, vouch.depth);
        self.state(issuer, said, format!("vouches for {whom}: {amount}/{depth}"));
    }

    /// An organisation vouches for another no more.
    pub fn withdraw(&mut self, issuer: usize, subject: usize) {
        let nothing = Vouch {
            amount: 0,
            depth: 0,
            ..Vouch::full(subject)
        };
        self.vouch(issuer, &nothing);
    }

    /// The numbers of those who vouch for an organisation now.
    pub fn vouchers_of(&self, organisation: usize) -> Vec<usize> {
        let vouchers = self.facts.vouchers_of(self.cast.house(organisation).org);
        let houses = self.cast.houses.iter();
        let named = houses.filter(|(_, house)| vouchers.contains(&house.org));
        named.map(|(number, _)| *number).collect()
    }

    /// An organisation says that what others vouch for another is not to count.
    pub fn veto(&mut self, issuer: usize, subject: usize) {
        let (by, whom) = (self.cast.house(issuer).org, self.cast.house(subject).org);
        let said = self.cast.house_mut(issuer).vetoes(whom);
        self.facts.veto(by, whom, kernel::now().unwrap_or_default());
        self.state(issuer, said, format!("vetoes {subject}"));
    }

    /// A node's organisation revokes it: what it wrote up to these places stays. Another node tells.
    ///
    /// # Panics
    /// When the one that is to tell does not run.
    pub fn revoke(&mut self, node: usize, last_good: Vec<LogPosition>, teller: usize) {
        let number = self.plan[node].organisation;
        let said = self
            .cast
            .house(number)
            .revokes(self.cast.members[node].key.public(), last_good);
        let revocation = Revocation::read(said.statement()).expect("it was signed just now");
        self.facts.revoke(revocation, kernel::now().unwrap_or_default());
        self.note(None, What::Stated(format!("organisation {number} revokes node {node}")));
        self.begin(teller, Command::Tell(vec![said]));
    }

    /// A node's operator says that nothing of an organisation counts.
    ///
    /// # Panics
    /// When the node does not run.
    pub fn pin_bad(&mut self, node: usize, organisation: usize) {
        let org = self.cast.house(organisation).org;
        self.facts.pin(node, org, Pin::Bad, kernel::now().unwrap_or_default());
        let pin = Some(Pin::Bad);
        self.begin(node, Command::Pin { org, pin });
    }

    /// Where a record is in its author's log, as a running node holds it.
    pub fn position(&self, node: usize, record: &RecordId) -> Option<LogPosition> {
        let found = self.ledger(node)?.answer(&Query::Record(*record));
        let Found::Record(Some((header, ..))) = found else {
            return None;
        };
        Some(LogPosition {
            audience: header.audience,
            epoch: header.epoch,
            seq: header.seq,
            id: *record,
        })
    }

    /// Whether one node may believe another by everything that was said so far (trust.md 4), whatever has reached it.
    pub fn may_believe(&mut self, node: usize, author: usize) -> bool {
        let clock = self.checks.clock(node);
        self.facts.allows(node, self.cast.members[author].org, clock)
    }

    /// Whether one node may tell another what is TLP:GREEN, by everything that was said so far.
    pub fn may_confide(&mut self, node: usize, other: usize) -> bool {
        let clock = self.checks.clock(node);
        self.facts.confides(node, self.cast.members[other].org, clock)
    }

    /// What is said from the beginning, which the first node of each organisation tells whenever it starts.
    pub(in crate::world) fn endorse_all(&mut self, endorsements: &[(usize, Vouch)]) {
        for (issuer, vouch) in endorsements {
            let subject = self.cast.house(vouch.organisation).org;
            let house = self.cast.house_mut(*issuer);
            let (said, by) = (house.endorses(subject, vouch), house.org);
            self.facts.endorse(by, vouch.root(subject), 0);
            let mut nodes = self.plan.iter();
            let teller = nodes.position(|plan| plan.organisation == *issuer);
            self.cast.members[teller.expect("an organisation with a node")]
                .says
                .push(said);
        }
    }

    /// A node of an organisation tells everyone; another one when none of its own runs, since what is signed can be told by
    /// anybody. With a world that stands still there is nobody to tell.
    fn state(&mut self, issuer: usize, said: CheckedStatement, what: String) {
        self.note(None, What::Stated(format!("organisation {issuer} {what}")));
        let runs = |node: &usize| self.residents[*node].handle.is_some();
        let is_own = |node: &usize| self.plan[*node].organisation == issuer;
        let tells = |node: &usize| runs(node) && (is_own(node) || self.plan[*node].is_honest);
        let teller = (0..self.plan.len()).filter(tells).min_by_key(|node| !is_own(node));
        if let Some(node) = teller {
            self.begin(node, Command::Tell(vec![said]));
        }
    }
}

/// What a node's operator has decided from the beginning.
pub(in crate::world) fn policy(cast: &Cast, node: usize, plan: &NodePlan) -> Policy {
    let org = |organisation: &usize| cast.house(*organisation).org;
    let entries = plan.entries.iter();
    let pins = plan.pins.iter();
    Policy {
        own: cast.members[node].org,
        listed: plan.roots.as_ref().map(|roots| roots.iter().map(org).collect()),
        entries: entries.map(|entry| entry.root(org(&entry.organisation))).collect(),
        pins: pins.map(|(number, pin)| (org(number), *pin)).collect(),
    }
}

impl Vouch {
    /// In full, for whoever introduces others too.
    pub fn full(organisation: usize) -> Self {
        Self {
            organisation,
            amount: starfish_protocol::statement::FULL,
            depth: starfish_protocol::statement::DEPTH,
            may_veto: false,
            receive_green: false,
        }
    }

    pub(in crate::world) fn root(&self, org: OrgId) -> Root {
        Root {
            org,
            amount: self.amount,
            depth: self.depth,
            scope: Default::default(),
            may_veto: self.may_veto,
            receive_green: self.receive_green,
        }
    }
}
