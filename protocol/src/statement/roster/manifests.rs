//! Which keys speak for an organisation: manifests, proofs of two of them, recoveries, and what the local operator decides.

use std::{collections::BTreeMap, sync::Arc};

use starfish_crypto::{Digest, PublicKey};

use super::{
    Admitted, Concern, Freeze, Roster, RosterRefusal, Signer,
    lineage::{Lineage, Link},
    shelf::Rank,
};
use crate::{
    limits,
    ordered::Placed as _,
    organisation::OrgId,
    statement::{CheckedStatement, Manifest, Recovery, Statement, checked::Named, lifecycle},
    time::Millis,
};

/// A recovery, and how far it has come here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryState {
    /// Whose roots are to be replaced.
    pub org: OrgId,
    /// The new manifest.
    pub manifest: Manifest,
    /// When this node saw it first, once it was told.
    pub first_seen: Option<Millis>,
    /// Whether a root called it off in time.
    pub called_off: bool,
    /// Whether the new roots count.
    pub in_effect: bool,
    pub(super) manifest_id: Digest,
    guardians: Vec<PublicKey>,
    /// Whose they were then.
    pub by: Vec<OrgId>,
}

impl RecoveryState {
    /// Whether it will take effect if nobody calls it off.
    pub fn is_pending(&self) -> bool {
        !self.called_off && !self.in_effect
    }

    /// When it takes effect.
    pub fn due(&self) -> Option<Millis> {
        self.first_seen.map(|seen| seen + limits::RECOVERY_DELAY)
    }
}

impl Roster {
    pub(super) fn admit_manifest(
        &mut self,
        checked: &CheckedStatement,
        named: &Arc<Named>,
    ) -> Result<Admitted, RosterRefusal> {
        let (org, manifest) = (named.org, &named.manifest);
        if manifest.seq == 0 {
            self.make_room(checked.statement(), &org, 0)?;
            self.shelf.put(checked, Rank::Manifest(0));
            self.organisations.insert(Lineage::founded(Arc::clone(named)));
            self.know_signers(named);
            self.concern(Concern::Organisation(org));
            return Ok(Admitted::New);
        }
        let depth = self.follows(manifest)?;
        let lineage = self.organisations.get(&org).ok_or(RosterRefusal::NotYet)?;
        // Two are enough to know that the organisation contradicts itself.
        let others = lineage.successors(&manifest.prev).len();
        if others >= 2 || lineage.links().count() >= limits::MANIFESTS_PER_ORGANISATION {
            return Err(RosterRefusal::Full);
        }
        self.make_room(checked.statement(), &org, 0)?;
        self.shelf.put(checked, Rank::Manifest(depth));
        self.link(named, depth, true);
        Ok(Admitted::New)
    }

    /// How many statements this manifest rests on, if it keeps the promise of the one before it.
    fn follows(&self, manifest: &Manifest) -> Result<u32, RosterRefusal> {
        let lineage = self.organisations.get(&manifest.id()).ok_or(RosterRefusal::NotYet)?;
        let before = lineage.link(&manifest.prev).ok_or(RosterRefusal::NotYet)?;
        let next = before.manifest().seq.checked_add(1) == Some(manifest.seq);
        if next && before.manifest().commits_to(manifest) {
            Ok(before.depth.saturating_add(1))
        } else {
            Err(RosterRefusal::Forged)
        }
    }

    fn link(&mut self, named: &Arc<Named>, depth: u32, regular: bool) {
        let lineage = self.organisations.get_mut(&named.org);
        let changed = lineage.is_some_and(|lineage| lineage.add(Arc::clone(named), depth, regular));
        self.know_signers(named);
        self.note_lineage(named.org, changed);
    }

    fn know_signers(&mut self, named: &Arc<Named>) {
        for signer in Signer::of(named) {
            self.signers.insert(signer);
        }
    }

    pub(super) fn note_lineage(&mut self, org: OrgId, changed: bool) {
        if changed {
            self.concern(Concern::Organisation(org));
        }
    }

    pub(super) fn admit_manifest_proof(
        &mut self,
        checked: &CheckedStatement,
        manifest: &Manifest,
    ) -> Result<Admitted, RosterRefusal> {
        let org = manifest.id();
        self.follows(manifest)?;
        self.make_room(checked.statement(), &org, 0)?;
        self.shelf.put(checked, Rank::Other);
        let lineage = self.organisations.get_mut(&org);
        let changed = lineage.is_some_and(|lineage| lineage.fork(manifest.prev));
        self.note_lineage(org, changed);
        Ok(Admitted::New)
    }

    pub(super) fn admit_recovery(
        &mut self,
        checked: &CheckedStatement,
        recovery: &Recovery,
        named: &Arc<Named>,
    ) -> Result<Admitted, RosterRefusal> {
        let (org, guardians, manifest) = (recovery.org, checked.signers(), &named.manifest);
        let lineage = self.organisations.get(&org).ok_or(RosterRefusal::NotYet)?;
        let before = lineage.link(&manifest.prev).ok_or(RosterRefusal::NotYet)?;
        if manifest.seq <= before.manifest().seq || before.manifest().guardians.is_none() {
            return Err(RosterRefusal::Forged);
        }
        let known = |org: &OrgId| self.organisations.get(org);
        let by = agreed(before.manifest(), &guardians, |org| {
            known(org).map(|of| of.links().map(|link| (link.manifest(), link.depth)).collect())
        });
        // The guardians may have manifests that are not here yet.
        let by = by.ok_or(RosterRefusal::NotYet)?;
        let deepest = by.values().copied().max().unwrap_or_default();
        let depth = deepest.max(before.depth).saturating_add(1);
        let theirs = self.recoveries.values().filter(|other| other.org == org).count();
        if theirs >= limits::RECOVERIES_PER_ORGANISATION {
            return Err(RosterRefusal::Full);
        }
        self.make_room(checked.statement(), &org, 0)?;
        self.shelf.put(checked, Rank::Manifest(depth));
        let state = RecoveryState {
            org,
            manifest: manifest.clone(),
            first_seen: None,
            called_off: false,
            in_effect: false,
            manifest_id: named.id,
            guardians,
            by: by.into_keys().collect(),
        };
        self.link(named, depth, false);
        self.recoveries.insert(checked.id(), state);
        self.concern(Concern::Recovery(checked.id()));
        Ok(Admitted::New)
    }

    /// Every recovery that is held, by the id of its statement.
    pub fn recoveries(&self) -> impl Iterator<Item = (&Digest, &RecoveryState)> {
        self.recoveries.iter()
    }

    /// The recovery of this id.
    pub fn recovery(&self, id: &Digest) -> Option<&RecoveryState> {
        self.recoveries.get(id)
    }

    /// Tells when this node first saw a recovery. The earliest time that was told counts.
    pub fn saw_recovery(&mut self, id: &Digest, at: Millis) {
        if let Some(recovery) = self.recoveries.get_mut(id) {
            recovery.first_seen = Some(recovery.first_seen.map_or(at, |seen| seen.min(at)));
        }
    }

    /// Lets recoveries take effect that were first seen long enough before this wall time and that nobody called off. The
    /// ids of those that did, to be kept: whoever calls one off later is late.
    pub fn recover(&mut self, now: Millis) -> Vec<Digest> {
        let is_due = |recovery: &RecoveryState| recovery.is_pending() && recovery.due().is_some_and(|due| due <= now);
        let due = self
            .recoveries
            .iter()
            .filter(|(_, recovery)| is_due(recovery) && self.is_agreed(recovery));
        let due: Vec<Digest> = due.map(|(id, _)| *id).collect();
        due.iter().for_each(|id| self.recovered(id));
        due
    }

    /// Lets a recovery count that took effect before a restart.
    pub fn recovered(&mut self, id: &Digest) {
        let Some(recovery) = self.recoveries.get_mut(id) else {
            return;
        };
        recovery.in_effect = true;
        let (org, manifest) = (recovery.org, recovery.manifest_id);
        let lineage = self.organisations.get_mut(&org);
        let changed = lineage.is_some_and(|lineage| lineage.recover(manifest));
        self.note_lineage(org, changed);
        self.concern(Concern::Recovery(*id));
    }

    /// Whether enough guardians agree by keys that count now, and none of them by stolen ones.
    fn is_agreed(&self, recovery: &RecoveryState) -> bool {
        let before = self.organisations.get(&recovery.org);
        let before = before.and_then(|lineage| lineage.manifest(&recovery.manifest.prev));
        let good = |org: &OrgId| {
            let lineage = self.organisations.get(org)?;
            Some(lineage.good().map(|manifest| (manifest, 0)).collect())
        };
        before.is_some_and(|before| agreed(before, &recovery.guardians, good).is_some())
    }

    /// Goes on with one of two manifests of one number because the local operator says so.
    pub fn decide(&mut self, org: &OrgId, manifest: Digest) {
        let lineage = self.organisations.get_mut(org);
        let changed = lineage.is_some_and(|lineage| lineage.decide(manifest));
        self.note_lineage(*org, changed);
    }

    /// Why this organisation stands still, if it does.
    pub fn is_frozen(&self, org: &OrgId) -> Option<Freeze> {
        self.organisations.get(org)?.frozen()
    }

    /// Every organisation that stands still.
    pub fn frozen(&self) -> impl Iterator<Item = (OrgId, Freeze)> {
        let orgs = self.organisations.iter();
        orgs.filter_map(|lineage| Some((lineage.place(), lineage.frozen()?)))
    }

    /// Whether the roots of this organisation have said too little for too long.
    pub fn lapsed(&self, org: &OrgId, at: Millis) -> bool {
        self.manifest_of(org).is_some_and(|manifest| manifest.not_after <= at)
    }

    /// Every organisation of which a manifest is held, in order.
    pub fn organisations(&self) -> impl Iterator<Item = OrgId> {
        self.organisations.iter().map(|lineage| lineage.place())
    }

    /// What an organisation calls itself.
    pub fn name_of(&self, org: &OrgId) -> Option<&str> {
        self.manifest_of(org).map(|manifest| manifest.name.as_str())
    }

    /// An organisation's manifest that counts now.
    pub fn manifest_of(&self, org: &OrgId) -> Option<&Manifest> {
        self.organisations.get(org)?.current()
    }

    /// An organisation's manifests that count or counted, the first one first.
    pub fn manifest_chain(&self, org: &OrgId) -> impl Iterator<Item = &Manifest> {
        self.organisations.get(org).into_iter().flat_map(Lineage::chain)
    }

    /// The statement that shows two manifests of one number to everyone, if this organisation has signed such.
    pub fn manifest_proof(&self, org: &OrgId) -> Option<CheckedStatement> {
        let lineage = self.organisations.get(org)?;
        let mut successors = lineage.links().map(|link| lineage.successors(&link.id()));
        let [one, two] = successors.find(|ids| ids.len() > 1)?[..2] else {
            return None;
        };
        let checked = |id: &Digest| self.shelf.checked(id);
        CheckedStatement::of_manifests(checked(&one)?, checked(&two)?).ok()
    }

    /// What everyone is told of an organisation that they know, whatever its standing: its manifests, and what takes rights
    /// away. Each after those it rests on.
    pub fn urgent_of(&self, org: &OrgId) -> Vec<Statement> {
        let mut ids = self.manifests_of(org);
        ids.extend(self.decisions_of(org));
        let lineage = self.organisations.get(org).into_iter();
        let links = lineage.flat_map(Lineage::links);
        let proof = |before: &Digest| lifecycle::proof_id_of(&[*org.digest().as_bytes(), *before.as_bytes()].concat());
        ids.extend(links.map(|link| proof(&link.id())));
        self.shelf.in_order(&ids)
    }

    /// The ids of the statements that make an organisation's manifests.
    pub(super) fn manifests_of(&self, org: &OrgId) -> Vec<Digest> {
        let lineage = self.organisations.get(org).into_iter();
        let links = lineage.flat_map(Lineage::links).map(Link::id);
        let recoveries = self.recoveries.iter().filter(|(_, recovery)| recovery.org == *org);
        links.chain(recoveries.map(|(id, _)| *id)).collect()
    }
}

/// Whether enough of a manifest's guardians signed, each with its endorsing key or enough roots of one of its manifests, and
/// nobody else: which ones, each with the smallest of the numbers that come with these manifests.
fn agreed<'a>(
    before: &Manifest,
    signers: &[PublicKey],
    manifests: impl Fn(&OrgId) -> Option<Vec<(&'a Manifest, u32)>>,
) -> Option<BTreeMap<OrgId, u32>> {
    let guardians = before.guardians.as_ref()?;
    let mut agreeing: BTreeMap<OrgId, u32> = BTreeMap::new();
    let mut theirs = Vec::new();
    for org in &guardians.orgs {
        for (manifest, depth) in manifests(org).into_iter().flatten() {
            let speaks = |key: &&PublicKey| manifest.roots.contains(key) || manifest.endorse_key.as_ref() == Some(*key);
            let own: Vec<PublicKey> = signers.iter().filter(speaks).copied().collect();
            if manifest.is_spoken_for(&own) {
                theirs.extend(own);
                let first = agreeing.entry(*org).or_insert(depth);
                *first = depth.min(*first);
            }
        }
    }
    let enough = agreeing.len() >= usize::from(guardians.k);
    let all = signers.iter().all(|key| theirs.contains(key));
    (enough && all).then_some(agreeing)
}

impl Roster {
    /// Puts a statement in the place of an older one, if there is room.
    pub(super) fn replace(
        &mut self,
        checked: &CheckedStatement,
        org: OrgId,
        older: Option<Digest>,
    ) -> Result<(), RosterRefusal> {
        let freed = older.map_or(0, |older| self.shelf.size_of(&older));
        self.make_room(checked.statement(), &org, freed)?;
        if let Some(older) = older {
            self.take_out(&older);
        }
        self.shelf.put(checked, Rank::of(checked.statement().kind()));
        Ok(())
    }
}
