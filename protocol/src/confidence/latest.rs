//! One claim for each organisation: the latest of each of its logs, and of those, where its nodes disagree, the most careful.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, btree_map::Entry},
};

use starfish_crypto::Digest;

use super::{Claim, Kind, View};
use crate::{limits, organisation::OrgId};

/// The claims that count, in the order of their organisations; true when there were more than are weighed.
pub(super) fn latest(view: View<'_>, claims: &[Claim]) -> (Vec<Claim>, bool) {
    let mut of_logs: BTreeMap<(OrgId, Digest), &Claim> = BTreeMap::new();
    for claim in claims {
        let kept = of_logs.entry((claim.org, claim.log)).or_insert(claim);
        if (kept.place, Reverse(careful(kept))) < (claim.place, Reverse(careful(claim))) {
            *kept = claim;
        }
    }
    let mut of_orgs: BTreeMap<OrgId, &Claim> = BTreeMap::new();
    for claim in of_logs.into_values() {
        match of_orgs.entry(claim.org) {
            Entry::Vacant(free) => {
                free.insert(claim);
            }
            Entry::Occupied(mut kept) if careful(claim) < careful(kept.get()) => {
                kept.insert(claim);
            }
            Entry::Occupied(_) => {}
        }
    }
    bounded(view, of_orgs.into_values().cloned().collect())
}

/// Smaller is more careful: a dispute, then less confidence, then a sighting. Of what says the same the fresher counts.
/// The rest only makes the order total.
fn careful(claim: &Claim) -> impl Ord + use<> {
    let kind = match claim.kind {
        Kind::FalsePositive => 0,
        Kind::Sighting => 1,
        Kind::Report => 2,
    };
    let disputes = claim.kind == Kind::FalsePositive;
    let since = claim.observed_at.min(claim.received_at);
    (
        Reverse(disputes),
        claim.confidence,
        kind,
        Reverse(since),
        claim.derived_from,
        (claim.observed_at, claim.received_at, claim.log),
    )
}

/// On each side the claims of those who stand best, as many as are weighed.
fn bounded(view: View<'_>, claims: Vec<Claim>) -> (Vec<Claim>, bool) {
    let standing = |claim: &Claim| {
        let node = view.graph.index_of(&claim.org);
        node.map_or(0, |node| view.standing.of(node))
    };
    let all = claims.len();
    let (mut against, mut kept): (Vec<Claim>, Vec<Claim>) =
        claims.into_iter().partition(|claim| claim.kind == Kind::FalsePositive);
    for side in [&mut against, &mut kept] {
        if side.len() > limits::CLAIMS_WEIGHED {
            side.sort_by_cached_key(|claim| (Reverse(standing(claim)), claim.org));
            side.truncate(limits::CLAIMS_WEIGHED);
        }
    }
    kept.append(&mut against);
    kept.sort_by_key(|claim| claim.org);
    let fewer = kept.len() < all;
    (kept, fewer)
}
