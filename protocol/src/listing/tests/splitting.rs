//! From one list to bundles: what stays whole, what is split, and that no limit is broken.

use super::*;
use crate::{
    limits,
    observable::{FileDigest, Tld},
    record::{Body, Bundle, Scope, seal_body},
};

/// What every split must obey, and the parts.
fn split(observables: Vec<Observable>) -> Vec<Bundle> {
    let parts = bundles(observables.clone(), 80, "a context");
    let mut all: Vec<Observable> = parts.iter().flat_map(|part| part.observables.clone()).collect();
    all.sort();
    let mut wanted = observables;
    wanted.sort();
    wanted.dedup();
    assert_eq!(all, wanted);
    for part in &parts {
        assert!(part.observables.is_sorted_by(|left, right| left < right));
        assert_eq!((part.confidence, part.context.as_str()), (80, "a context"));
        let sealed = seal_body(Body::Indicators(part.clone()));
        assert!(sealed.items as usize <= limits::BODY_ITEMS);
        assert!(sealed.raw_len as usize <= limits::RAW_BODY_BYTES);
        assert!(sealed.compressed.len() <= limits::BODY_BYTES);
    }
    parts
}

fn names(tld: &str, count: usize) -> Vec<Observable> {
    (0..count)
        .map(|number| Observable::parse(&format!("evil{number:06}.{tld}")).expect("a name"))
        .collect()
}

#[test]
fn what_fits_is_one_bundle() {
    assert_eq!(split(vec![]), []);
    assert_eq!(split(names("nl", 1)).len(), 1);
    assert_eq!(split(names("nl", limits::BODY_ITEMS)).len(), 1);
    assert_eq!(
        split([names("nl", 3_000), names("de", 3_000), vec![Observable::Asn(64_496)]].concat()).len(),
        1
    );
    assert_eq!(split([names("nl", 7), names("nl", 7)].concat()).len(), 1);
}

#[test]
fn what_does_not_fit_is_split_by_tld_first() {
    let few: Vec<Vec<Observable>> = (0..100).map(|number| names(&format!("few{number}"), 63)).collect();
    let addresses: Vec<Observable> = (0..100u8)
        .map(|last| Observable::from(std::net::IpAddr::from([192, 0, 2, last])))
        .collect();
    let parts = split([names("nl", 12_000), names("de", 64), addresses, few.concat()].concat());
    let scopes: Vec<(Vec<Tld>, usize)> = parts
        .iter()
        .map(|part| {
            let mut tlds: Vec<Tld> = part.observables.iter().filter_map(Observable::tld).collect();
            tlds.dedup();
            (tlds, part.observables.len())
        })
        .collect();
    let sizes_of = |tld: &str| -> Vec<usize> {
        let tld = Tld::parse(tld).expect("a TLD");
        scopes
            .iter()
            .filter(|(tlds, _)| tlds.contains(&tld))
            .map(|(_, size)| *size)
            .collect()
    };
    assert_eq!(sizes_of("nl"), [6_000, 6_000]);
    assert_eq!(sizes_of("de"), [64]);
    assert_eq!(
        scopes
            .iter()
            .filter(|(tlds, _)| tlds.is_empty())
            .map(|(_, size)| *size)
            .collect::<Vec<_>>(),
        [100]
    );
    let shared: Vec<&(Vec<Tld>, usize)> = scopes.iter().filter(|(tlds, _)| tlds.len() > 1).collect();
    assert_eq!(shared.iter().map(|(_, size)| size).sum::<usize>(), 6_300);
    assert!(
        shared.iter().all(|(_, size)| *size <= 512) && shared.len() == 13,
        "{shared:?}"
    );
}

#[test]
fn a_shared_bundle_never_has_too_many_tlds_to_name() {
    let rare = |number: usize| names(&format!("a-rather-long-top-level-domain-{number}"), 1);
    let parts = split([names("nl", 10_000), (0..300).flat_map(rare).collect()].concat());
    for part in &parts {
        let scope = Scope::of(part.observables.iter().filter_map(Observable::tld));
        assert!(matches!(scope, Some(Scope::Tlds(_))), "{scope:?}");
    }
    assert!(parts.len() > 20);
}

#[test]
fn what_does_not_compress_is_split_too() {
    let digest = |number: u32| {
        let bytes: Vec<u8> = (0..4)
            .flat_map(|part| *blake3::hash(&[number.to_be_bytes(), [part; 4]].concat()).as_bytes())
            .take(64)
            .collect();
        Observable::FileDigest(FileDigest::from_bytes(&bytes).expect("64 bytes"))
    };
    assert!(split((0..10_000).map(digest).collect()).len() >= 3);
    let long =
        |number: u32| Observable::parse(&format!("http://evil.example/{}{number}", "x".repeat(2_000))).expect("a URL");
    assert!(split((0..1_000).map(long).collect()).len() >= 2);
}
