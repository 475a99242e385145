//! Whom this node believes: the one place that turns an organisation into rights.
//!
//! For now an organisation is a root (its own, paired, or listed by the operator), certified, or unknown: rows 1, 3 and
//! 4 of the table in the design (protocol 5). The web of trust replaces [`Trust::judge`] and nothing else.

mod acceptance;
pub mod dominators;
pub mod flow;
pub mod graph;
pub mod independence;
mod policy;
pub mod standing;
pub mod web;
pub mod what_if;

use std::collections::{BTreeMap, BTreeSet};

use crate::{organisation::OrgId, peer::Peer};

pub use self::{
    acceptance::Acceptance,
    policy::{Pin, Root},
};

/// How an organisation became a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This node's own organisation.
    Own,
    /// Two operators compared words.
    Paired,
    /// The operator listed it in the configuration.
    Listed,
}

/// What an organisation may do here, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Connected by right; otherwise as a guest.
    pub connect: bool,
    /// Its headers are forwarded.
    pub relay: bool,
    /// Its records are shown; otherwise they are in quarantine.
    pub believe: bool,
    /// The reason for all three.
    pub reason: Reason,
}

/// Why a verdict is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A root of this node.
    Root(Origin),
    /// It proved who it is, but nobody here vouches for it.
    Unvouched,
    /// It proved nothing.
    Uncertified,
}

/// The operator's roots and refusals.
#[derive(Clone, Debug)]
pub struct Trust {
    roots: BTreeMap<OrgId, Origin>,
    blocked: BTreeSet<Peer>,
}

impl Trust {
    /// Starts from what the configuration and the store say. A listed or paired own organisation stays `Own`.
    pub fn new(own: OrgId, listed: &[OrgId], paired: &[OrgId], blocked: &[Peer]) -> Self {
        let listed = listed.iter().map(|org| (*org, Origin::Listed));
        let paired = paired.iter().map(|org| (*org, Origin::Paired));
        let mut roots: BTreeMap<_, _> = listed.chain(paired).collect();
        roots.insert(own, Origin::Own);
        Self {
            roots,
            blocked: blocked.iter().cloned().collect(),
        }
    }

    /// What this organisation may do; `None` is an author without a certificate.
    pub fn judge(&self, org: Option<OrgId>) -> Verdict {
        let root = org.and_then(|org| self.roots.get(&org).copied());
        let reason = match (org, root) {
            (_, Some(origin)) => Reason::Root(origin),
            (Some(_), None) => Reason::Unvouched,
            (None, None) => Reason::Uncertified,
        };
        let full = root.is_some();
        Verdict {
            connect: full,
            relay: full,
            believe: full,
            reason,
        }
    }

    /// Which of its records are believed.
    pub fn acceptance(&self, org: OrgId) -> Acceptance {
        if self.judge(Some(org)).believe {
            Acceptance::everything()
        } else {
            Acceptance::nothing()
        }
    }

    /// Every organisation of which something may be believed, in order.
    pub fn accepted(&self) -> impl Iterator<Item = OrgId> {
        self.roots.keys().copied()
    }

    /// Makes an organisation a root after pairing. True when that changed its verdict. One that was listed is paired from
    /// then on: it is dialled after every start, and stays when it leaves the list.
    pub fn pair(&mut self, org: OrgId) -> bool {
        match self.roots.get(&org) {
            Some(Origin::Own) => false,
            _ => self.roots.insert(org, Origin::Paired).is_none(),
        }
    }

    /// Undoes pairing and listing until the next start. True when that changed its verdict.
    pub fn unpair(&mut self, org: OrgId) -> bool {
        match self.roots.get(&org) {
            None | Some(Origin::Own) => false,
            Some(_) => self.roots.remove(&org).is_some(),
        }
    }

    /// The organisations that pairing made roots, in order.
    pub fn paired(&self) -> impl Iterator<Item = OrgId> {
        self.roots
            .iter()
            .filter(|(_, origin)| **origin == Origin::Paired)
            .map(|(org, _)| *org)
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
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{Digest, domain};

    use super::*;

    fn org(name: &str) -> OrgId {
        OrgId::from_digest(Digest::of(domain::MANIFEST, name.as_bytes()))
    }

    #[test]
    fn only_roots_are_believed_and_relayed() {
        let mut trust = Trust::new(org("own"), &[org("listed"), org("own")], &[org("paired")], &[]);
        let check = |trust: &Trust, who: Option<OrgId>, reason, full| {
            let verdict = trust.judge(who);
            assert_eq!((verdict.connect, verdict.relay, verdict.believe), (full, full, full));
            assert_eq!(verdict.reason, reason);
        };
        check(&trust, Some(org("own")), Reason::Root(Origin::Own), true);
        check(&trust, Some(org("listed")), Reason::Root(Origin::Listed), true);
        check(&trust, Some(org("paired")), Reason::Root(Origin::Paired), true);
        check(&trust, Some(org("stranger")), Reason::Unvouched, false);
        check(&trust, None, Reason::Uncertified, false);
        assert!(trust.unpair(org("paired")));
        check(&trust, Some(org("paired")), Reason::Unvouched, false);
        assert!(!trust.unpair(org("own")));
        check(&trust, Some(org("own")), Reason::Root(Origin::Own), true);
        assert!(trust.pair(org("stranger")));
        check(&trust, Some(org("stranger")), Reason::Root(Origin::Paired), true);
        assert!(!trust.pair(org("listed")) && !trust.pair(org("own")));
        check(&trust, Some(org("listed")), Reason::Root(Origin::Paired), true);
        check(&trust, Some(org("own")), Reason::Root(Origin::Own), true);
    }

    #[test]
    fn a_block_is_undone() {
        let mut trust = Trust::new(org("own"), &[], &[], &[]);
        let peer = Peer::from_bytes(b"peer");
        trust.block(&peer, true);
        assert!(trust.is_blocked(&peer));
        trust.block(&peer, false);
        assert!(!trust.is_blocked(&peer));
    }
}
