//! How much of a log counts: what revocations leave of it, and what roots have confirmed in it whatever else is proven.
//!
//! All of it is computed from the statements held and from the place asked about, never from the order in which either came,
//! so that those who held a record already and those who fetch it later come to the same answer.

use std::collections::BTreeSet;

use starfish_crypto::PublicKey;

use super::{Placed as _, Roster};
use crate::{
    organisation::OrgId,
    record::{LogId, RecordId},
    statement::{LogPosition, Revocation, RevocationReason, Settles, checked::Certified},
    time::Millis,
};

/// How much of a log counts for the organisation that its author spoke for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it, as long as its author is certified.
    Whole,
    /// Nothing behind this record.
    Until(u64, RecordId),
}

impl Revocation {
    /// What it leaves of a log of its node; nothing of one in which it names no last good position.
    pub fn leaves(&self, log: &LogId) -> Option<Extent> {
        if self.reason == RevocationReason::Retired {
            return Some(Extent::Whole);
        }
        let is_of = |good: &&LogPosition| (good.audience, good.epoch) == (log.audience, log.epoch);
        let good = self.last_good.iter().find(is_of)?;
        Some(Extent::Until(good.seq, good.id))
    }
}

fn is_behind(good: &LogPosition, log: &LogId, seq: u64) -> bool {
    good.audience == log.audience && (good.epoch, good.seq) >= (log.epoch, seq)
}

impl Roster {
    /// The organisation for which a log was written whose author was certified at this wall time, and how much of the log
    /// counts for it.
    pub fn extent_of(&self, log: &LogId, at: Millis) -> Option<(OrgId, Extent)> {
        self.standing_at(&log.author, at).find_map(|certificate| {
            let revocation = self.revocation_for(certificate);
            let extent = revocation.map_or(Some(Extent::Whole), |revocation| revocation.leaves(log))?;
            Some((certificate.org, extent))
        })
    }

    /// The revocation by which everything ends that a node was certified for by this organisation. One that signed a
    /// certificate of a later manifest has taken the node back.
    pub fn end_of(&self, node: &PublicKey, org: &OrgId) -> Option<&Revocation> {
        let revocation = self.revocation_of(node, org)?;
        let mut theirs = self.about(*node).filter(|certified| certified.certificate.org == *org);
        let ended = theirs.all(|certified| certified.certificate.manifest_seq <= revocation.manifest_seq);
        ended.then_some(revocation)
    }

    /// Every revocation that is held, whether it counts or not.
    pub fn revocations(&self) -> impl Iterator<Item = &Revocation> {
        self.revocations.values().map(|held| &held.revocation)
    }

    /// The revocations by one organisation.
    pub fn revocations_by(&self, org: &OrgId) -> impl Iterator<Item = &Revocation> {
        self.revocations().filter(move |revocation| revocation.org == *org)
    }

    /// Whether every organisation of its author has confirmed this place of a log, or one behind it: a proof of two histories
    /// before that counts no more (design, protocol 4.5). One is not enough, because whoever stole a node's key can have it
    /// certified by an organisation of their own.
    pub fn confirms(&self, log: &LogId, seq: u64) -> bool {
        let resolves = |org: &OrgId| {
            self.resolutions().any(|resolution| {
                resolution.org == *org
                    && matches!(&resolution.settles, Settles::Node { node_key, at, .. } if *node_key == log.author && is_behind(at, log, seq))
            })
        };
        let revokes = |org: &OrgId| {
            let revocation = self.revocation_of(&log.author, org);
            revocation.is_some_and(|revocation| revocation.last_good.iter().any(|good| is_behind(good, log, seq)))
        };
        let orgs = self.organisations_behind(&log.author);
        !orgs.is_empty() && orgs.iter().all(|org| resolves(org) || revokes(org))
    }

    /// Where those logs were forked against which a proof is held: the later of its two numbers.
    pub fn forks(&self) -> impl Iterator<Item = (LogId, u64)> {
        self.proven.iter().map(|(author, (audience, epoch, seq))| {
            let log = LogId {
                author: *author,
                audience: *audience,
                epoch: *epoch,
            };
            (log, *seq)
        })
    }

    /// Whether a proof of two histories is held against this node.
    pub fn is_proven(&self, node: &PublicKey) -> bool {
        self.proven.contains_key(node)
    }

    /// Whether this organisation has certified a node and takes all of that back: a later manifest voids the keys that did.
    pub fn is_disowned(&self, node: &PublicKey, org: &OrgId) -> bool {
        let lineage = self.organisations.get(org);
        let stands = |certified: &Certified| lineage.is_some_and(|lineage| certified.stands(lineage));
        let theirs = self.about(*node).filter(|certified| certified.certificate.org == *org);
        let mut theirs = theirs.peekable();
        theirs.peek().is_some() && !theirs.any(stands)
    }

    /// The nodes that this organisation has certified, or any, some of them more than once.
    pub fn nodes_of(&self, org: Option<OrgId>) -> Vec<PublicKey> {
        match org {
            Some(org) => self.certificates_of(org).map(|(.., node)| node).collect(),
            None => self.certificates.iter().map(|certified| certified.place().0).collect(),
        }
    }

    /// The organisations that have certified this node, each once.
    pub fn organisations_behind(&self, node: &PublicKey) -> BTreeSet<OrgId> {
        self.about(*node).map(|certified| certified.certificate.org).collect()
    }
}
