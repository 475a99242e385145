//! Which node speaks for which organisation, and what revocations and resolutions take from it or give back.

use std::collections::BTreeMap;

use starfish_crypto::{Digest, PublicKey, Verified};

use super::{Admitted, Concern, Roster, RosterRefusal, lineage::Lineage, shelf::Rank};
use crate::{
    limits,
    organisation::OrgId,
    record::{Audience, Header, LogId, RecordId},
    statement::{CheckedStatement, NodeCertificate, Resolution, Revocation, Settles, checked::Certified, proof},
    time::Millis,
};

#[derive(Debug)]
pub(super) struct HeldRevocation {
    id: Digest,
    roots: Vec<PublicKey>,
    pub(super) revocation: Revocation,
}

/// By node, organisation and manifest.
pub(super) type Revocations = BTreeMap<(PublicKey, OrgId, u64), HeldRevocation>;

#[derive(Debug)]
pub(super) struct HeldResolution {
    id: Digest,
    resolution: Resolution,
}

/// What a resolution settles; of those about a node's log the furthest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    Node(PublicKey, Audience, u64),
    Manifest(Digest),
    Recovery(Digest),
}

pub(super) type Resolutions = BTreeMap<(OrgId, Question), HeldResolution>;

impl Certified {
    /// The signers but for the node.
    pub(super) fn others(&self) -> &[PublicKey] {
        self.signers.split_last().map_or(&[], |(_, others)| others)
    }

    pub(super) fn stands(&self, lineage: &Lineage) -> bool {
        let seq = self.certificate.manifest_seq;
        lineage.rules(seq, self.others()) || lineage.rules(seq, &self.signers)
    }
}

impl Question {
    fn of(settles: &Settles) -> Self {
        match settles {
            Settles::Node {
                node_key,
                manifest_seq,
                at,
            } => Self::Node(*node_key, at.audience, *manifest_seq),
            Settles::Manifest { id } => Self::Manifest(*id),
            Settles::Recovery { id } => Self::Recovery(*id),
        }
    }
}

/// Where a proof of two histories stands: at the later of its two records.
fn fork_of(pair: &(Verified<Header>, Verified<Header>)) -> (Audience, Millis, u64) {
    let (one, two) = pair;
    (one.audience, one.epoch, one.seq.max(two.seq))
}

impl Roster {
    pub(super) fn admit_revocation(
        &mut self,
        checked: &CheckedStatement,
        revocation: &Revocation,
    ) -> Result<Admitted, RosterRefusal> {
        self.is_ours(revocation.community)?;
        let (org, node, roots) = (revocation.org, revocation.node_key, checked.signers());
        self.are_roots(&org, revocation.manifest_seq, &roots)?;
        let place = (node, org, revocation.manifest_seq);
        let held = self.revocations.get(&place).map(|held| (held.revocation.seq, held.id));
        if held.is_some_and(|held| held > (revocation.seq, checked.id())) {
            return Ok(Admitted::Known);
        }
        let theirs = self.revocations.keys().filter(|(_, of, _)| *of == org).count();
        if held.is_none() && theirs >= limits::REVOCATIONS_PER_ORGANISATION {
            return Err(RosterRefusal::Full);
        }
        self.replace(checked, org, held.map(|(_, older)| older))?;
        let revocation = HeldRevocation {
            id: checked.id(),
            roots,
            revocation: revocation.clone(),
        };
        self.revocations.insert(place, revocation);
        self.concern(Concern::Node(node));
        Ok(if held.is_some() { Admitted::Newer } else { Admitted::New })
    }

    pub(super) fn admit_resolution(
        &mut self,
        checked: &CheckedStatement,
        resolution: &Resolution,
    ) -> Result<Admitted, RosterRefusal> {
        self.is_ours(resolution.community)?;
        let (org, roots) = (resolution.org, checked.signers());
        self.may_settle(resolution, &roots)?;
        let place = (org, Question::of(&resolution.settles));
        let further = |held: &HeldResolution| match (&held.resolution.settles, &resolution.settles) {
            (Settles::Node { at: held_at, .. }, Settles::Node { at, .. }) => (held_at, held.id) > (at, checked.id()),
            _ => held.id > checked.id(),
        };
        let held = self.resolutions.get(&place);
        if held.is_some_and(further) {
            return Ok(Admitted::Known);
        }
        let held = held.map(|held| held.id);
        let theirs = self.resolutions.keys().filter(|(of, _)| *of == org).count();
        if held.is_none() && theirs >= limits::RESOLUTIONS_PER_ORGANISATION {
            return Err(RosterRefusal::Full);
        }
        self.replace(checked, org, held)?;
        let resolution = HeldResolution {
            id: checked.id(),
            resolution: resolution.clone(),
        };
        let settles = resolution.resolution.settles;
        self.resolutions.insert(place, resolution);
        self.settle(org, &settles);
        Ok(if held.is_some() { Admitted::Newer } else { Admitted::New })
    }

    fn may_settle(&self, resolution: &Resolution, roots: &[PublicKey]) -> Result<(), RosterRefusal> {
        let org = &resolution.org;
        let lineage = self.organisations.get(org).ok_or(RosterRefusal::NotYet)?;
        let may = match &resolution.settles {
            Settles::Node { manifest_seq, .. } => return self.are_roots(org, *manifest_seq, roots),
            Settles::Manifest { id } => {
                let manifest = lineage.manifest(id).ok_or(RosterRefusal::NotYet)?;
                let before = lineage.manifest(&manifest.prev).ok_or(RosterRefusal::Forged)?;
                let both = [manifest, before];
                let among = |key: &PublicKey| both.iter().any(|manifest| manifest.roots.contains(key));
                roots.iter().all(among)
                    && both.iter().all(|manifest| {
                        let count = roots.iter().filter(|key| manifest.roots.contains(key)).count();
                        count >= usize::from(manifest.m)
                    })
            }
            Settles::Recovery { id } => {
                let recovery = self.recoveries.get(id).filter(|recovery| recovery.org == *org);
                let recovery = recovery.ok_or(RosterRefusal::NotYet)?;
                // The root of a manifest that is not here yet may sign as well.
                let may = |key: &PublicKey| lineage.may_call_off(&recovery.manifest_id, key);
                if !roots.iter().all(may) {
                    return Err(RosterRefusal::NotYet);
                }
                true
            }
        };
        may.then_some(()).ok_or(RosterRefusal::Forged)
    }

    fn settle(&mut self, org: OrgId, settles: &Settles) {
        match settles {
            Settles::Node { node_key, .. } => {
                self.drop_settled_proof(node_key);
                self.concern(Concern::Node(*node_key));
            }
            Settles::Manifest { id } => {
                let changed = self
                    .organisations
                    .get_mut(&org)
                    .is_some_and(|lineage| lineage.choose(*id));
                self.note_lineage(org, changed);
            }
            Settles::Recovery { id } => {
                if let Some(recovery) = self.recoveries.get_mut(id) {
                    recovery.called_off = true;
                    self.concern(Concern::Recovery(*id));
                }
            }
        }
    }

    pub(super) fn drop_settled_proof(&mut self, node: &PublicKey) {
        let settled = self.proven.get(node).is_some_and(|fork| self.is_settled(node, fork));
        if settled {
            self.proven.remove(node);
            self.take_out(&proof::id_of(node.as_bytes()));
        }
    }

    /// Whether every organisation of this node has confirmed a record behind this one: whoever stole its key can have it
    /// certified by an organisation of their own, which would confirm anything.
    fn is_settled(&self, node: &PublicKey, fork: &(Audience, Millis, u64)) -> bool {
        let (audience, epoch, seq) = *fork;
        let settles = |held: &HeldResolution| match &held.resolution.settles {
            Settles::Node { node_key, at, .. } => {
                node_key == node && at.audience == audience && (at.epoch, at.seq) >= (epoch, seq)
            }
            _ => false,
        };
        let orgs = self.organisations_behind(node);
        let confirms = |org: &OrgId| self.resolutions_of(*org).any(settles);
        !orgs.is_empty() && orgs.iter().all(confirms)
    }

    fn resolutions_of(&self, org: OrgId) -> impl Iterator<Item = &HeldResolution> {
        let all = self.resolutions.iter().filter(move |((of, _), _)| *of == org);
        all.map(|(_, held)| held)
    }

    /// What organisations have settled.
    pub fn resolutions(&self) -> impl Iterator<Item = &Resolution> {
        self.resolutions.values().map(|held| &held.resolution)
    }

    /// Proofs are kept against certified nodes only, one for each: anybody can make up a key and prove that it wrote two
    /// histories, and nobody takes records from it.
    pub(super) fn admit_proof(
        &mut self,
        checked: &CheckedStatement,
        pair: &(Verified<Header>, Verified<Header>),
    ) -> Result<Admitted, RosterRefusal> {
        let header = &pair.0;
        if header.community != self.community {
            return Err(RosterRefusal::OtherCommunity);
        }
        // Headers of other audiences are not for everyone to see.
        if header.audience != Audience::Clear {
            return Err(RosterRefusal::Unsupported);
        }
        let orgs = || self.about(header.author).map(|certified| certified.certificate.org);
        let org = orgs().find(|org| self.matters(org)).or_else(|| orgs().next());
        let org = org.ok_or(RosterRefusal::NotYet)?;
        let fork = fork_of(pair);
        if self.is_settled(&header.author, &fork) {
            return Ok(Admitted::Known);
        }
        self.make_room(checked.statement(), &org, 0)?;
        // Whichever organisation certified the node goes first, the proof stays with the others.
        self.shelf.put(checked, Rank::Other);
        self.proven.insert(header.author, fork);
        self.concern(Concern::Node(header.author));
        Ok(Admitted::New)
    }

    /// Whether these are enough roots of the manifest of this number, and nobody else.
    pub(super) fn are_roots(&self, org: &OrgId, seq: u64, signers: &[PublicKey]) -> Result<(), RosterRefusal> {
        let lineage = self.organisations.get(org).ok_or(RosterRefusal::NotYet)?;
        if lineage.ruled(seq, signers) {
            return Ok(());
        }
        // Guardians may give a manifest of the same number other roots; there is one first manifest only.
        let may_come = lineage.all(seq).next().is_none() || (seq > 0 && lineage.is_guarded());
        Err(if may_come {
            RosterRefusal::NotYet
        } else {
            RosterRefusal::Forged
        })
    }

    /// The certificate of this node that counts at this wall time: of several organisations the smallest. One whose
    /// organisation has revoked the node counts no more.
    pub fn certificate_of(&self, node: &PublicKey, at: Millis) -> Option<&NodeCertificate> {
        self.standing_at(node, at)
            .find(|certificate| self.revocation_for(certificate).is_none())
    }

    /// The certificate under which this record of a log counts, created at this wall time. What lies before the last good
    /// position of a revoked node counts as ever.
    pub fn certificate_behind(
        &self,
        log: &LogId,
        seq: u64,
        id: RecordId,
        created_at: Millis,
    ) -> Option<&NodeCertificate> {
        let keeps = |revocation: &Revocation| revocation.keeps(log.audience, log.epoch, seq, id);
        self.standing_at(&log.author, created_at)
            .find(|certificate| self.revocation_for(certificate).is_none_or(keeps))
    }

    pub(super) fn standing_at(&self, node: &PublicKey, at: Millis) -> impl Iterator<Item = &NodeCertificate> {
        let stands = |certified: &Certified| {
            let lineage = self.organisations.get(&certified.certificate.org);
            lineage.is_some_and(|lineage| certified.stands(lineage))
        };
        let all = self.about(*node);
        all.filter(move |certified| certified.certificate.covers(at) && stands(certified))
            .map(|certified| &certified.certificate)
    }

    /// The revocation that ends this certificate.
    pub(super) fn revocation_for(&self, certificate: &NodeCertificate) -> Option<&Revocation> {
        let NodeCertificate {
            node_key,
            org,
            manifest_seq,
            ..
        } = *certificate;
        self.revocations_of(node_key, org, manifest_seq).last()
    }

    /// Those that count, from this manifest on.
    fn revocations_of(&self, node: PublicKey, org: OrgId, from: u64) -> impl Iterator<Item = &Revocation> {
        let all = self.revocations.range((node, org, from)..=(node, org, u64::MAX));
        let lineage = self.organisations.get(&org);
        let stands = move |held: &&HeldRevocation| {
            lineage.is_some_and(|lineage| lineage.rules(held.revocation.manifest_seq, &held.roots))
        };
        all.map(|(_, held)| held).filter(stands).map(|held| &held.revocation)
    }

    /// The last revocation of a node by this organisation.
    pub fn revocation_of(&self, node: &PublicKey, org: &OrgId) -> Option<&Revocation> {
        self.revocations_of(*node, *org, 0).last()
    }

    /// The revocation of a node by an organisation that has certified it: of several the smallest.
    pub fn revoked(&self, node: &PublicKey) -> Option<&Revocation> {
        let mut orgs = self.about(*node).map(|certified| &certified.certificate.org);
        orgs.find_map(|org| self.revocation_of(node, org))
    }

    pub(super) fn drop_decisions_of(&mut self, org: &OrgId) {
        self.revocations.retain(|(_, of, _), _| of != org);
        self.resolutions.retain(|(of, _), _| of != org);
        self.recoveries.retain(|_, recovery| recovery.org != *org);
    }

    /// What is held about a node beyond certificates, for [`Roster::statements_about`].
    pub(super) fn decisions_about(&self, node: &PublicKey) -> Vec<Digest> {
        let revoked = self.revocations.iter().filter(|((key, ..), _)| key == node);
        let settled = self
            .resolutions
            .iter()
            .filter(|((_, question), _)| matches!(question, Question::Node(key, ..) if key == node));
        revoked
            .map(|(_, held)| held.id)
            .chain(settled.map(|(_, held)| held.id))
            .collect()
    }

    /// The ids of an organisation's revocations and resolutions.
    pub(super) fn decisions_of(&self, org: &OrgId) -> Vec<Digest> {
        let revoked = self.revocations.iter().filter(|((_, of, _), _)| of == org);
        let settled = self.resolutions_of(*org).map(|held| held.id);
        revoked.map(|(_, held)| held.id).chain(settled).collect()
    }
}
