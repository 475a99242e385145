//! Who is vetoed for a purpose: [`vetoed`] (design, trust 4.3, "distrust").
//!
//! Those who may veto are heard from the highest standing down, those of one standing together, and whoever was vetoed by then
//! is not heard. So the answer depends on no order, and two of one standing can veto each other.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Mesh, Purpose};
use crate::{
    organisation::OrgId,
    trust::{independence::ENOUGH, web::grounds::Grounds},
};

/// Above everybody: our own organisation.
const OURS: u8 = u8::MAX;

/// How high somebody stands among those who may veto; none when its vetoes do not count.
pub(in crate::trust::web) fn rank(grounds: &Grounds, holders: &Mesh, issuer: &OrgId) -> Option<u8> {
    if grounds.bar(issuer).is_some() {
        return None;
    }
    if *issuer == grounds.own {
        return Some(OURS);
    }
    let stands = holders.stands(&grounds.families.top_of(issuer));
    (stands >= ENOUGH).then_some(stands)
}

/// Whether nobody's veto against an organisation counts for a purpose.
pub(in crate::trust::web) fn is_immune(grounds: &Grounds, purpose: &Purpose, org: &OrgId) -> bool {
    let mut roots = grounds.roots_of(org);
    let ours = *org == grounds.own || grounds.is_pinned_good(org);
    ours || roots.any(|(place, said)| purpose.takes(place.scope, said) && grounds.counts(place, said))
}

/// Who is vetoed, and by whom: of several that are heard together, the first.
pub(in crate::trust::web) fn vetoed(grounds: &Grounds, purpose: &Purpose, holders: &Mesh) -> BTreeMap<OrgId, OrgId> {
    let mut ranks: BTreeMap<Reverse<u8>, BTreeSet<OrgId>> = BTreeMap::new();
    for issuer in grounds.vetoes.keys() {
        if let Some(rank) = rank(grounds, holders, issuer) {
            ranks.entry(Reverse(rank)).or_default().insert(*issuer);
        }
    }
    let mut vetoed: BTreeMap<OrgId, OrgId> = BTreeMap::new();
    for issuers in ranks.into_values() {
        let heard: Vec<OrgId> = issuers
            .into_iter()
            .filter(|issuer| !vetoed.contains_key(issuer))
            .collect();
        for issuer in heard {
            for subject in refused(grounds, purpose, &issuer) {
                vetoed.entry(subject).or_insert(issuer);
            }
        }
    }
    vetoed
}

/// Whom an issuer vetoes for a purpose, with all below them, except those who are immune.
fn refused(grounds: &Grounds, purpose: &Purpose, issuer: &OrgId) -> BTreeSet<OrgId> {
    let vetoes = grounds.vetoes.get(issuer).into_iter().flatten();
    let meant = vetoes.filter(|((_, scope), veto)| purpose.heeds(*scope) && veto.counts(grounds.now));
    let meant = meant.flat_map(|((subject, _), _)| grounds.families.below(subject));
    meant.filter(|org| !is_immune(grounds, purpose, org)).collect()
}
