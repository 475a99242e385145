//! Laws of bodies: what was sealed opens, one content has one form, and no bytes do harm.

use std::collections::BTreeSet;

use super::{
    bodies::{first_kind, header_for, target},
    *,
};
use crate::observable::{Observable, Tld};

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]{1,12}(-[a-z0-9]{1,6})?\\.(nl|com|example|xn--p1ai)",
        "http://[a-z]{1,9}\\.(nl|com)/[a-z0-9]{0,9}",
        any::<u32>().prop_map(|bits| std::net::Ipv4Addr::from(bits).to_string()),
        any::<u128>().prop_map(|bits| std::net::Ipv6Addr::from(bits).to_string()),
        "[a-z]{1,9}@[a-z]{1,9}\\.(nl|com)",
        "[0-9a-f]{64}",
        any::<u32>().prop_map(|number| format!("AS{number}")),
    ]
}

fn bodies() -> impl Strategy<Value = Body> {
    let observables = proptest::collection::vec(texts(), 1..30)
        .prop_map(|texts| {
            texts
                .iter()
                .filter_map(|text| Observable::parse(text).ok())
                .collect::<Vec<_>>()
        })
        .prop_filter("at least one", |observables| !observables.is_empty());
    (observables, 0u8..=100, "[^\\p{Cc}]{1,60}", any::<bool>()).prop_map(|(observables, confidence, text, all)| {
        if all {
            Body::Indicators(Bundle::new(confidence, text, observables).expect("a good bundle"))
        } else {
            Body::Withdrawal(Withdrawal::new(target(), observables, text).expect("a good withdrawal"))
        }
    })
}

proptest! {
    #[test]
    fn what_was_sealed_opens(body in bodies()) {
        let sealed = seal_body(body.clone());
        prop_assert!(sealed.fits());
        prop_assert_eq!(open_body(&header_for(&sealed), &sealed.compressed), Ok(body.clone()));
        let tlds: BTreeSet<Tld> = body.observables().iter().filter_map(Observable::tld).collect();
        prop_assert_eq!(sealed.scope, Scope::of(tlds));
    }

    #[test]
    fn a_changed_body_is_refused_or_another(
        body in bodies(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut raw = body.to_raw();
        for (place, byte) in changes {
            let place = place.index(raw.len());
            raw[place] = byte;
        }
        if let Ok(changed) = Body::from_raw(first_kind(&raw), &raw) {
            prop_assert_eq!(changed.to_raw(), raw);
        }
    }

    #[test]
    fn any_bytes_open_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in 0u16..4) {
        let raw = [&kind.to_be_bytes()[..], &bytes].concat();
        if let Ok(body) = Body::from_raw(Kind(kind), &raw) {
            prop_assert_eq!(body.to_raw(), raw);
        }
        for compressed in [bytes.clone(), [&[0x28, 0xb5, 0x2f, 0xfd][..], &bytes].concat()] {
            let header = Header {
                body_digest: Digest::from_bytes(*blake3::hash(&compressed).as_bytes()),
                compressed_len: compressed.len() as u32,
                raw_len: 1_000,
                ..header()
            };
            let _ = open_body(&header, &compressed);
        }
    }
}
