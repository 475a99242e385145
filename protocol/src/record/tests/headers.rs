//! Headers: the vectors, which another program made from the layout's table, and the laws of the encoding.

use std::collections::BTreeSet;

use super::*;
use crate::{limits, observable::Tld};

const VALID: &str = include_str!("../../../vectors/header-valid.txt");
const BROKEN: &str = include_str!("../../../vectors/header-broken.txt");

/// What a row of the valid vectors says.
fn told(header: &Header) -> String {
    let extensions = &header.extensions;
    let scope = match &extensions.scope {
        None => "-".to_owned(),
        Some(Scope::Many) => "many".to_owned(),
        Some(Scope::Tlds(tlds)) => tlds.iter().map(Tld::as_str).collect::<Vec<_>>().join("+"),
    };
    let set = extensions
        .set
        .map_or("-".to_owned(), |part| format!("{}/{}", part.index, part.count));
    let derived = if extensions.derived_from.is_some() {
        ",derived"
    } else {
        ""
    };
    format!(
        "v={},kind={},seq={},audience={:?},tlp={:?},topic={},scope={scope},set={set},targets={}{derived},unread={},understood={}",
        header.version,
        header.kind.0,
        header.seq,
        header.audience,
        header.tlp,
        header.topic,
        extensions.targets.len(),
        extensions.unknown.len(),
        if header.is_understood() { "yes" } else { "no" },
    )
}

#[test]
fn valid_vectors_decode_and_encode() {
    for (name, bytes, expected) in rows(VALID) {
        let header = Header::decode(&bytes).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(told(&header), expected, "{name}");
        assert_eq!(HEXLOWER.encode(&header.encode()), HEXLOWER.encode(&bytes), "{name}");
    }
}

#[test]
fn the_plain_vector_is_known_in_full() {
    let (name, bytes, _) = rows(VALID).next().expect("the first row");
    assert_eq!(name, "plain");
    let expected = Header {
        version: 1,
        community: Community::from_digest(Digest::from_bytes([0xc0; 32])),
        author: PublicKey::from_bytes(std::array::from_fn(|place| place as u8)),
        audience: Audience::Clear,
        tlp: Tlp::Clear,
        kind: Kind::INDICATORS,
        epoch: Millis(1_700_000_000_000),
        seq: 7,
        prev: Digest::from_bytes([0xbb; 32]),
        created_at: Millis(1_700_000_100_000),
        expires_at: Millis(1_702_600_000_000),
        body_digest: Digest::from_bytes([0xdd; 32]),
        compressed_len: 900,
        raw_len: 3_000,
        items: 100,
        topic: Topic::parse("malware").expect("a topic"),
        extensions: Extensions::default(),
    };
    assert_eq!(Header::decode(&bytes), Ok(expected));
}

#[test]
fn broken_vectors_are_refused() {
    let mut met = BTreeSet::new();
    for (name, bytes, expected) in rows(BROKEN) {
        let fault = Header::decode(&bytes).expect_err(name);
        assert_eq!(format!("{fault:?}"), expected, "{name}");
        met.insert(expected);
    }
    assert_eq!(met.len(), 19, "every fault has its rows: {met:?}");
    assert!(rows(BROKEN).count() > rows(VALID).count());
}

#[test]
fn a_header_cut_anywhere_is_refused() {
    for (name, bytes, _) in rows(VALID).filter(|(name, ..)| !name.contains("unknown-version")) {
        for len in 0..bytes.len() {
            assert!(Header::decode(&bytes[..len]).is_err(), "{name} {len}");
        }
    }
}

fn digests() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_bytes)
}

fn scopes() -> impl Strategy<Value = Option<Scope>> {
    let tld = "[a-z]{2,12}".prop_map(|text| Tld::parse(&text).expect("a TLD"));
    let list = proptest::collection::btree_set(tld, 1..80).prop_map(Scope::of);
    prop_oneof![Just(None), Just(Some(Scope::Many)), list]
}

fn extensions() -> impl Strategy<Value = Extensions> {
    let set = (digests(), 0..limits::SET_PARTS).prop_map(|(id, index)| SetPart {
        id,
        index,
        count: index + 1,
    });
    let targets = proptest::collection::btree_set(digests().prop_map(RecordId::from_digest), 0..=2);
    let unread = proptest::collection::btree_map(5u16.., (any::<bool>(), any::<[u8; 9]>()), 0..4);
    let origin = proptest::option::of(digests().prop_map(Origin::from_digest));
    (scopes(), proptest::option::of(set), targets, origin, unread).prop_map(
        |(scope, set, targets, derived_from, unread)| Extensions {
            scope,
            set,
            targets: targets.into_iter().rev().collect(),
            derived_from,
            unknown: unread
                .into_iter()
                .map(|(tag, (critical, bytes))| Unread::Extension {
                    tag,
                    critical,
                    bytes: bytes.to_vec(),
                })
                .collect(),
        },
    )
}

fn headers() -> impl Strategy<Value = Header> {
    let who = (digests(), any::<[u8; 32]>(), any::<u8>(), any::<u8>(), any::<u16>());
    let place = (any::<u64>(), any::<u64>(), digests(), any::<u64>(), any::<u32>());
    let body = (digests(), 1u32..=262_144, 1u32..=1_048_576, 0u32..=10_000);
    let topic = "[a-z0-9][a-z0-9-]{0,22}(/[a-z0-9][a-z0-9-]{0,22})?";
    (who, place, body, topic, extensions()).prop_map(|(who, place, body, topic, extensions)| Header {
        version: Header::VERSION,
        community: Community::from_digest(who.0),
        author: PublicKey::from_bytes(who.1),
        audience: who.2.into(),
        tlp: who.3.into(),
        kind: if extensions.targets.is_empty() && who.4 == Kind::WITHDRAWAL.0 {
            Kind(3)
        } else {
            Kind(who.4)
        },
        epoch: Millis(place.0),
        seq: place.1,
        prev: place.2,
        created_at: Millis(place.3),
        expires_at: Millis(place.3.saturating_add(u64::from(place.4))),
        body_digest: body.0,
        compressed_len: body.1,
        raw_len: body.2,
        items: body.3,
        topic: Topic::parse(&topic).expect("a topic"),
        extensions,
    })
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(header in headers()) {
        let bytes = header.encode();
        prop_assert!(bytes.len() <= limits::HEADER_BYTES);
        prop_assert_eq!(Header::decode(&bytes), Ok(header));
    }

    #[test]
    fn any_bytes_are_a_header_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..1_200)) {
        prop_assert!(Header::decode(&bytes).is_err());
        let named = [b"STFH\0\x01".as_slice(), &bytes].concat();
        if let Ok(header) = Header::decode(&named) {
            prop_assert_eq!(header.encode(), named);
        }
    }

    /// One content has one form: a changed header is refused, or is another header with exactly these bytes.
    #[test]
    fn a_changed_header_is_refused_or_another(
        header in headers(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = header.encode();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(changed) = Header::decode(&bytes) {
            prop_assert_eq!(changed.encode(), bytes);
        }
    }
}
