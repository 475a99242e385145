//! What the operator decides about others, and asks about them: pairing, root entries, pins, and the reasons of a verdict.

use crate::{
    codec,
    confidence::{Claim, Fading, Weights, assess},
    organisation::OrgId,
    trust::{Pin, Root, web::Question},
};

use super::{
    super::{
        Engine,
        port::{Deed, Outcome, Refusal, Ticket, Trusted, TrustedOrganisation, Who},
    },
    PAIRED, PINS, ROOTS,
};

impl Engine {
    pub(super) fn change_trust(&mut self, ticket: Ticket, org: OrgId, trusted: bool) {
        let changed = self.trust_now(org, trusted);
        let outcome = if changed || trusted {
            Outcome::Done
        } else {
            Outcome::Refused(Refusal::NotTrusted)
        };
        self.step.done.push((ticket, outcome));
    }

    /// True when that made it a root, or none.
    pub(in crate::engine) fn trust_now(&mut self, org: OrgId, trusted: bool) -> bool {
        let changed = if trusted {
            self.trust.pair(org)
        } else {
            self.trust.unpair(org)
        };
        self.confide_soon = true;
        let paired: Vec<OrgId> = self.trust.paired().collect();
        self.set(PAIRED, codec::encode(&paired));
        self.keep_roots();
        if changed && trusted {
            self.write_down(Who::Operator, Deed::RootSet, org.to_string(), "paired");
        } else if changed {
            self.write_down(Who::Operator, Deed::RootRemoved, org.to_string(), "unpaired");
        }
        self.keep_place(org);
        // A paired node is sought for good, also if it was a root before.
        self.dial_soon |= trusted;
        changed
    }

    pub(super) fn set_root(&mut self, ticket: Ticket, root: Root) {
        if root.org == self.org || !root.is_possible() {
            return self.done(ticket, Outcome::Refused(Refusal::Root));
        }
        let why = format!("root entry {}/{}", root.amount, root.depth);
        self.write_down(Who::Operator, Deed::RootSet, root.org.to_string(), &why);
        let org = root.org;
        self.trust.set_root(root);
        self.keep_place(org);
        self.confide_soon = true;
        self.keep_roots();
        self.step.done.push((ticket, Outcome::Done));
    }

    pub(super) fn remove_root(&mut self, ticket: Ticket, org: OrgId) {
        if !self.trust.remove_roots(org) {
            return self.done(ticket, Outcome::Refused(Refusal::NotTrusted));
        }
        self.keep_place(org);
        self.confide_soon = true;
        self.write_down(
            Who::Operator,
            Deed::RootRemoved,
            org.to_string(),
            "the root entries were removed",
        );
        self.keep_roots();
        self.step.done.push((ticket, Outcome::Done));
    }

    pub(super) fn pin(&mut self, ticket: Ticket, org: OrgId, pin: Option<Pin>) {
        if org == self.org {
            return self.done(ticket, Outcome::Refused(Refusal::Root));
        }
        let deed = match pin {
            Some(Pin::Good) => Deed::PinnedGood,
            Some(Pin::Bad) => Deed::PinnedBad,
            None => Deed::Unpinned,
        };
        self.write_down(Who::Operator, deed, org.to_string(), "the operator decided so");
        self.trust.pin(org, pin);
        self.keep_place(org);
        self.confide_soon = true;
        let pins: Vec<(OrgId, Pin)> = self.trust.pins().collect();
        self.set(PINS, codec::encode(&pins));
        self.step.done.push((ticket, Outcome::Done));
    }

    /// Whom the operator names has a place in the roster for good, and no longer than that.
    fn keep_place(&mut self, org: OrgId) {
        if self.trust.is_named(&org) {
            self.roster.pin(org);
        } else {
            self.roster.unpin(&org);
        }
    }

    fn keep_roots(&mut self) {
        let roots: Vec<Root> = self.trust.entries().cloned().collect();
        self.set(ROOTS, codec::encode(&roots));
    }

    pub(super) fn show_trusted(&mut self, ticket: Ticket) {
        let organisation = |org: OrgId| TrustedOrganisation {
            org,
            name: self.roster.name_of(&org).map(ToString::to_string),
            verdict: self.trust.judge(Some(org)),
            acceptance: self.trust.acceptance(org),
        };
        let trusted = Trusted {
            roots: self.trust.roots().collect(),
            pins: self.trust.pins().collect(),
            organisations: self.trust.reached().map(organisation).collect(),
        };
        self.done(ticket, Outcome::Trusted(Box::new(trusted)));
    }

    pub(super) fn weigh(
        &mut self,
        ticket: Ticket,
        question: &Question,
        claims: &[Claim],
        fading: Fading,
        weights: &Weights,
    ) {
        let judged = self.trust.judged(question);
        // What an organisation says is the word of the one above it. Whoever does not count says nothing: one that is over
        // must not speak for a family that stands by others.
        let counts = |claim: &Claim| {
            let org = judged.counts_as(&claim.org)?;
            Some(Claim { org, ..claim.clone() })
        };
        let claims: Vec<Claim> = claims.iter().filter_map(counts).collect();
        let now = self.now.wall;
        let assessment = assess(judged.view, judged.memo, &claims, fading, weights, now);
        self.done(ticket, Outcome::Assessed(Box::new(assessment)));
    }
}
