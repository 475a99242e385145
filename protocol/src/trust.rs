//! Whom this node believes: the one place that turns an organisation into rights ([`Trust::judge`]).
//!
//! What the operator decides (pairing, the configured list, root entries, pins) and what organisations say of each other meet
//! in the [`Web`](web::Web), which answers the gates of the design (trust 4.6). The rights to connect, to be handed on and to be
//! told TLP:GREEN are read from it directly, so that one that is lost is lost at once. Which records are believed is
//! remembered as the store was told it, and found anew in slices ([`Trust::judge_some`]): a change may concern every
//! organisation there is.

mod acceptance;
pub mod dominators;
pub mod flow;
pub mod graph;
pub mod independence;
mod judging;
mod policy;
pub mod standing;
mod verdict;
pub mod web;
pub mod what_if;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    judging::Dealt,
    web::{Explanation, Judged, Question, Vouched, Web},
};
use crate::{
    ordered::Ordered,
    organisation::OrgId,
    peer::Peer,
    statement::{Concern, Roster, Scope},
    time::Millis,
};

pub use self::{
    acceptance::Acceptance,
    judging::Judgement,
    policy::{Pin, Root, Who},
    verdict::{Origin, Reason, Rights, Verdict},
};

/// What the operator has decided.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Organisations in the configured list.
    pub listed: Vec<OrgId>,
    /// Organisations that were paired.
    pub paired: Vec<OrgId>,
    /// Root entries; the one without a scope replaces what pairing or the list wrote.
    pub roots: Vec<Root>,
    /// Pins.
    pub pins: Vec<(OrgId, Pin)>,
    /// Peers that are refused.
    pub blocked: Vec<Peer>,
}

/// Everything that decides about organisations.
#[derive(Debug)]
pub struct Trust {
    own: OrgId,
    policy: BTreeMap<OrgId, Origin>,
    entries: BTreeMap<OrgId, Vec<Root>>,
    pins: BTreeMap<OrgId, Pin>,
    blocked: BTreeSet<Peer>,
    web: Web,
    /// How everybody was dealt with last who is anybody here.
    dealt: Ordered<(OrgId, Dealt)>,
    /// The rights that an earlier life told the store, of those that were not judged yet in this one.
    earlier: BTreeMap<OrgId, Rights>,
    /// Who is to be judged anew, and because of whom.
    waiting: BTreeMap<OrgId, Who>,
}

impl Trust {
    /// Starts from what the operator has decided and the store was told. Nothing is judged yet but what the store knows.
    pub fn new(own: OrgId, policy: Policy, believed: Vec<(OrgId, Acceptance)>, rights: Vec<(OrgId, Rights)>) -> Self {
        let listed = policy.listed.iter().map(|org| (*org, Origin::Listed));
        let paired = policy.paired.iter().map(|org| (*org, Origin::Paired));
        let mut origins: BTreeMap<OrgId, Origin> = listed.chain(paired).collect();
        origins.remove(&own);
        let mut entries: BTreeMap<OrgId, Vec<Root>> = BTreeMap::new();
        for root in policy.roots.into_iter().filter(|root| root.org != own) {
            entries.entry(root.org).or_default().push(root);
        }
        let known = believed
            .iter()
            .map(|(org, _)| org)
            .chain(rights.iter().map(|(org, _)| org));
        let mut trust = Self {
            own,
            policy: origins,
            entries,
            pins: policy.pins.into_iter().filter(|(org, _)| *org != own).collect(),
            blocked: policy.blocked.into_iter().collect(),
            web: Web::new(own),
            waiting: known.map(|org| (*org, Who::Time)).collect(),
            dealt: Ordered::default(),
            earlier: rights.into_iter().collect(),
        };
        for (org, believed) in believed {
            trust.dealt.insert((org, Dealt::told(believed)));
        }
        let entered: BTreeSet<OrgId> = trust.policy.keys().chain(trust.entries.keys()).copied().collect();
        entered.into_iter().for_each(|org| trust.enter(org));
        for (org, pin) in trust.pins.clone() {
            trust.web.pin(org, Some(pin));
        }
        trust.waiting.insert(own, Who::Time);
        trust.note(Who::Operator);
        trust
    }

    /// What this organisation may do; `None` is an author without a certificate.
    pub fn judge(&self, org: Option<OrgId>) -> Verdict {
        let Some(org) = org else {
            return Verdict::nothing(Reason::Uncertified);
        };
        let reached = self.web.reach(&org) > 0;
        let reason = match (self.origin(&org), self.web.barred(&org)) {
            (Some(Origin::Own), _) => Reason::Root(Origin::Own),
            (_, Some(barred)) if !reached && self.is_named(&org) => Reason::Barred(barred),
            (Some(origin), _) if reached => Reason::Root(origin),
            _ if reached => Reason::Vouched,
            _ => Reason::Unvouched,
        };
        Verdict {
            connect: reached,
            relay: reached,
            believe: reached
                && self
                    .dealt
                    .get(&org)
                    .is_some_and(|(_, dealt)| !dealt.believed.is_nothing()),
            confide: self.confides(&org),
            reason,
        }
    }

    /// Whether it may be told what is TLP:GREEN.
    pub fn confides(&self, org: &OrgId) -> bool {
        self.web.confides(org)
    }

    /// Which of its records are believed, as the store was told last.
    pub fn acceptance(&self, org: OrgId) -> Acceptance {
        let dealt = self.dealt.get(&org);
        dealt.map(|(_, dealt)| dealt.believed.clone()).unwrap_or_default()
    }

    /// Takes in what changed in the roster.
    pub fn follow(&mut self, roster: &Roster, change: &Concern) {
        self.web.follow(roster, std::slice::from_ref(change));
        self.note(match change {
            Concern::Endorsement(says) => Who::Organisation(says.issuer),
            Concern::Veto(says) => Who::Organisation(says.issuer),
            Concern::Parent(org) | Concern::Organisation(org) | Concern::Gone(org) | Concern::Chain(org) => {
                Who::Organisation(*org)
            }
            Concern::Node(_) | Concern::Recovery(_) | Concern::Everything => Who::Time,
        });
    }

    /// Wall time passes: what begins or ends by then does. True when somebody may have other rights from now on.
    pub fn advance(&mut self, wall: Millis) -> bool {
        self.web.advance(wall);
        self.note(Who::Time)
    }

    /// When time alone will change something next.
    pub fn next_change(&self) -> Option<Millis> {
        self.web.next_change()
    }

    /// Makes an organisation a root after pairing. True when it was none. One that was listed is paired from then on: it is
    /// dialled after every start, and stays when it leaves the list.
    pub fn pair(&mut self, org: OrgId) -> bool {
        if org == self.own {
            return false;
        }
        let before = self.policy.insert(org, Origin::Paired);
        self.enter(org);
        self.note(Who::Operator);
        before.is_none()
    }

    /// Undoes pairing, and listing until the next start, with the root entries of this organisation. True when it was a root.
    pub fn unpair(&mut self, org: OrgId) -> bool {
        let was = self.policy.remove(&org).is_some() | self.entries.remove(&org).is_some();
        self.enter(org);
        self.note(Who::Operator);
        was
    }

    /// Writes a root entry, in the place of the one of the same scope.
    pub fn set_root(&mut self, root: Root) {
        let org = root.org;
        let entries = self.entries.entry(org).or_default();
        entries.retain(|entry| entry.scope != root.scope);
        entries.push(root);
        self.enter(org);
        self.note(Who::Operator);
    }

    /// Removes the root entries that the operator wrote for an organisation; pairing is undone by [`Trust::unpair`]. True when
    /// there was one.
    pub fn remove_roots(&mut self, org: OrgId) -> bool {
        let was = self.entries.remove(&org).is_some();
        self.enter(org);
        self.note(Who::Operator);
        was
    }

    /// Pins an organisation, or takes its pin off.
    pub fn pin(&mut self, org: OrgId, pin: Option<Pin>) {
        match pin {
            Some(pin) => self.pins.insert(org, pin),
            None => self.pins.remove(&org),
        };
        self.web.pin(org, pin);
        self.note(Who::Operator);
    }

    /// The organisations that pairing made roots, in order.
    pub fn paired(&self) -> impl Iterator<Item = OrgId> {
        let paired = self.policy.iter().filter(|(_, origin)| **origin == Origin::Paired);
        paired.map(|(org, _)| *org)
    }

    /// The root entries that the operator wrote, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Root> {
        self.entries.values().flatten()
    }

    /// Every entry that counts, with how it came to be.
    pub fn roots(&self) -> impl Iterator<Item = (Origin, Root)> {
        let orgs: BTreeSet<OrgId> = self.policy.keys().chain(self.entries.keys()).copied().collect();
        orgs.into_iter().flat_map(|org| {
            let origin = self.origin(&org).unwrap_or(Origin::Entered);
            self.roots_of(org).into_iter().map(move |root| (origin, root))
        })
    }

    /// The pins, in order.
    pub fn pins(&self) -> impl Iterator<Item = (OrgId, Pin)> {
        self.pins.iter().map(|(org, pin)| (*org, *pin))
    }

    /// Every organisation that may be told TLP:GREEN.
    pub fn confided(&self) -> impl Iterator<Item = OrgId> {
        self.web.confided()
    }

    /// Every organisation that somebody who is trusted here vouches for.
    pub fn reached(&self) -> impl Iterator<Item = OrgId> {
        self.web.reached()
    }

    /// The organisations on the way on which most trust comes to this one, itself included: whoever introduced it answers
    /// for what it costs.
    pub fn introducers(&self, org: &OrgId) -> Vec<OrgId> {
        self.web.witness(org)
    }

    /// Why an organisation is judged as it is, for one question.
    pub fn explain(&mut self, org: &OrgId, question: &Question) -> Explanation {
        self.web.explain(org, question)
    }

    /// What these organisations say of each other.
    pub fn vouching(&self, among: &BTreeSet<OrgId>) -> Vec<Vouched> {
        self.web.vouching(among)
    }

    /// What counts for one question, for whoever weighs claims.
    pub fn judged(&mut self, question: &Question) -> Judged<'_> {
        self.web.judged(question)
    }

    /// Refuses a peer, or takes it back.
    pub fn block(&mut self, peer: &Peer, blocked: bool) {
        if blocked {
            self.blocked.insert(peer.clone())
        } else {
            self.blocked.remove(peer)
        };
    }

    /// Whether the operator refuses this peer.
    pub fn is_blocked(&self, peer: &Peer) -> bool {
        self.blocked.contains(peer)
    }

    /// The refused peers, in order.
    pub fn blocked(&self) -> impl Iterator<Item = &Peer> {
        self.blocked.iter()
    }

    fn origin(&self, org: &OrgId) -> Option<Origin> {
        if *org == self.own {
            return Some(Origin::Own);
        }
        let entered = self.entries.contains_key(org).then_some(Origin::Entered);
        self.policy.get(org).copied().or(entered)
    }

    /// Whether the operator decided something about it.
    pub fn is_named(&self, org: &OrgId) -> bool {
        self.origin(org).is_some() || self.pins.contains_key(org)
    }

    fn roots_of(&self, org: OrgId) -> Vec<Root> {
        let mut roots = self.entries.get(&org).cloned().unwrap_or_default();
        let whole = roots.iter().any(|root| root.scope == Scope::default());
        if self.policy.contains_key(&org) && !whole {
            roots.push(Root::paired(org));
        }
        roots
    }

    fn enter(&mut self, org: OrgId) {
        let roots = self.roots_of(org);
        self.web.set_roots(org, roots);
    }
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{Digest, domain};

    use super::*;

    fn org(name: &str) -> OrgId {
        OrgId::from_digest(Digest::of(domain::MANIFEST, name.as_bytes()))
    }

    fn trust() -> Trust {
        let policy = Policy {
            listed: vec![org("listed"), org("own")],
            paired: vec![org("paired")],
            ..Policy::default()
        };
        let mut trust = Trust::new(org("own"), policy, Vec::new(), Vec::new());
        trust.judge_some(100);
        trust
    }

    fn check(trust: &Trust, who: Option<OrgId>, reason: Reason, full: bool) {
        let verdict = trust.judge(who);
        assert_eq!((verdict.connect, verdict.relay, verdict.believe), (full, full, full));
        assert_eq!(verdict.reason, reason);
    }

    #[test]
    fn only_roots_are_believed_and_relayed() {
        let mut trust = trust();
        check(&trust, Some(org("own")), Reason::Root(Origin::Own), true);
        check(&trust, Some(org("listed")), Reason::Root(Origin::Listed), true);
        check(&trust, Some(org("paired")), Reason::Root(Origin::Paired), true);
        check(&trust, Some(org("stranger")), Reason::Unvouched, false);
        check(&trust, None, Reason::Uncertified, false);
        assert!(trust.unpair(org("paired")));
        trust.judge_some(100);
        check(&trust, Some(org("paired")), Reason::Unvouched, false);
        assert!(!trust.unpair(org("own")));
        check(&trust, Some(org("own")), Reason::Root(Origin::Own), true);
        assert!(trust.pair(org("stranger")));
        trust.judge_some(100);
        check(&trust, Some(org("stranger")), Reason::Root(Origin::Paired), true);
        assert!(!trust.pair(org("listed")) && !trust.pair(org("own")));
        trust.judge_some(100);
        check(&trust, Some(org("listed")), Reason::Root(Origin::Paired), true);
        check(&trust, Some(org("own")), Reason::Root(Origin::Own), true);
    }

    #[test]
    fn a_root_entry_says_how_much() {
        let mut trust = trust();
        let entry = |amount: u8| Root {
            amount,
            ..Root::paired(org("entered"))
        };
        for (amount, connect, believe) in [(59, true, false), (60, true, true), (120, true, true), (1, true, false)] {
            trust.set_root(entry(amount));
            trust.judge_some(100);
            let verdict = trust.judge(Some(org("entered")));
            assert_eq!((verdict.connect, verdict.believe), (connect, believe), "{amount}");
            assert_eq!(verdict.reason, Reason::Root(Origin::Entered));
        }
        // An entry without a scope has the last word over what pairing wrote.
        trust.pair(org("entered"));
        trust.judge_some(100);
        assert!(!trust.judge(Some(org("entered"))).believe);
        assert_eq!(trust.roots().count(), 3);
        assert!(trust.unpair(org("entered")));
        trust.judge_some(100);
        check(&trust, Some(org("entered")), Reason::Unvouched, false);
    }

    #[test]
    fn a_pin_is_the_last_word() {
        let mut trust = trust();
        trust.pin(org("paired"), Some(Pin::Bad));
        let changed = trust.judge_some(100);
        assert_eq!(changed.len(), 1);
        assert_eq!((changed[0].org, changed[0].who), (org("paired"), Who::Operator));
        assert_eq!(changed[0].believed, (Acceptance::everything(), Acceptance::nothing()));
        let verdict = trust.judge(Some(org("paired")));
        assert!(!verdict.connect && !verdict.relay && !verdict.believe && !verdict.confide);
        assert!(matches!(verdict.reason, Reason::Barred(_)), "{:?}", verdict.reason);
        trust.pin(org("paired"), None);
        trust.judge_some(100);
        check(&trust, Some(org("paired")), Reason::Root(Origin::Paired), true);
    }

    #[test]
    fn what_is_judged_already_is_no_news() {
        let mut trust = trust();
        assert!(!trust.is_behind() && trust.judge_some(100).is_empty());
        trust.pair(org("a"));
        trust.pair(org("b"));
        assert_eq!(trust.judge_some(1).len(), 1);
        assert!(trust.is_behind());
        assert_eq!(trust.judge_some(100).len(), 1);
        // What an earlier life told the store is news only when it is not so any more.
        let policy = Policy {
            paired: vec![org("a")],
            ..Policy::default()
        };
        let told = vec![
            (org("a"), Acceptance::everything()),
            (org("gone"), Acceptance::everything()),
        ];
        let mut later = Trust::new(org("own"), policy, told, Vec::new());
        let lost: Vec<OrgId> = later
            .judge_some(100)
            .into_iter()
            .filter(|judged| judged.believed.0 != judged.believed.1)
            .map(|judged| judged.org)
            .collect();
        assert_eq!(BTreeSet::from_iter(lost), BTreeSet::from([org("gone"), org("own")]));
    }

    #[test]
    fn a_block_is_undone() {
        let mut trust = trust();
        let peer = Peer::from_bytes(b"peer");
        trust.block(&peer, true);
        assert!(trust.is_blocked(&peer));
        trust.block(&peer, false);
        assert!(!trust.is_blocked(&peer));
    }
}
