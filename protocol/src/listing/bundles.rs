//! From one list to the bundles that are published of it.
//!
//! One bundle if it fits. Otherwise the list is split by TLD, so that a registry pulls only what it can act on: a TLD of
//! many names has bundles of its own, TLDs of few names share bundles that are small enough to be pulled for one of them.

use std::collections::BTreeMap;

use crate::{
    codec, limits,
    observable::{Observable, Tld},
    record::{Bundle, Scope, seal_parts},
};

/// A TLD with fewer names than this shares its bundle.
const FEW: usize = 64;
/// How many names a shared bundle holds: a registry that wants one of its TLDs pulls about 10 kB.
const SHARED: usize = 512;
/// What surrounds observables and context in a raw body, and room for the target and reason of its withdrawal.
const FRAME_BYTES: usize = 64 + limits::REASON_BYTES;

/// Splits observables into as few bundles as the limits and the selective pull allow, each sorted and without repeats.
///
/// The context is at most `limits::CONTEXT_BYTES`. No observables make no bundles.
pub fn bundles(mut observables: Vec<Observable>, confidence: u8, context: &str) -> Vec<Bundle> {
    observables.sort_by_cached_key(Observable::key);
    observables.dedup();
    let mut parts = Parts {
        confidence,
        context,
        made: Vec::new(),
    };
    if observables.is_empty() {
        return parts.made;
    }
    match parts.fit(observables) {
        Ok(bundle) => parts.made.push(bundle),
        Err(observables) => parts.by_tld(observables),
    }
    parts.made
}

struct Parts<'a> {
    confidence: u8,
    context: &'a str,
    made: Vec<Bundle>,
}

impl Parts<'_> {
    fn by_tld(&mut self, observables: Vec<Observable>) {
        let mut groups: BTreeMap<Option<Tld>, Vec<Observable>> = BTreeMap::new();
        for observable in observables {
            groups.entry(observable.tld()).or_default().push(observable);
        }
        let mut shared: Vec<(Tld, Vec<Observable>)> = Vec::new();
        for (tld, group) in groups {
            match tld {
                Some(tld) if group.len() < FEW => {
                    if !has_room(&shared, &tld, group.len()) {
                        self.share(&mut shared);
                    }
                    shared.push((tld, group));
                }
                _ => self.halve_until_it_fits(group),
            }
        }
        self.share(&mut shared);
    }

    fn share(&mut self, shared: &mut Vec<(Tld, Vec<Observable>)>) {
        let mut group: Vec<Observable> = shared.drain(..).flat_map(|(_, group)| group).collect();
        if !group.is_empty() {
            group.sort_by_cached_key(Observable::key);
            self.halve_until_it_fits(group);
        }
    }

    /// Halves of equal size travel better than one full bundle and a crumb.
    fn halve_until_it_fits(&mut self, group: Vec<Observable>) {
        match self.fit(group) {
            Ok(bundle) => self.made.push(bundle),
            Err(mut group) => {
                let second = group.split_off(group.len() / 2);
                self.halve_until_it_fits(group);
                self.halve_until_it_fits(second);
            }
        }
    }

    /// A bundle of all of them, or all of them back when it would break a limit.
    fn fit(&self, observables: Vec<Observable>) -> Result<Bundle, Vec<Observable>> {
        if observables.len() > limits::BODY_ITEMS {
            return Err(observables);
        }
        let raw = FRAME_BYTES + self.context.len() + observables.iter().map(encoded_len).sum::<usize>();
        // A single URL with its context is far below every limit, so halving ends.
        if raw > limits::RAW_BODY_BYTES && observables.len() > 1 {
            return Err(observables);
        }
        let bundle = Bundle {
            confidence: self.confidence,
            context: self.context.to_owned(),
            observables,
        };
        // Digests do not compress, so the bound on compressed bytes may be the first that they meet.
        let fits = raw <= limits::BODY_BYTES / 2 || seal_parts(bundle.clone()).len() == 1;
        if fits { Ok(bundle) } else { Err(bundle.observables) }
    }
}

fn encoded_len(observable: &Observable) -> usize {
    codec::encode(observable).len()
}

fn has_room(shared: &[(Tld, Vec<Observable>)], tld: &Tld, more: usize) -> bool {
    let names: usize = shared.iter().map(|(_, group)| group.len()).sum();
    let tlds = shared.iter().map(|(tld, _)| tld.clone()).chain([tld.clone()]);
    names + more <= SHARED && !matches!(Scope::of(tlds), Some(Scope::Many))
}
