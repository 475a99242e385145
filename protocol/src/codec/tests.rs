//! Golden vectors that fix the layout, what is refused, and the laws of the codec.

use std::{collections::BTreeMap, fmt::Debug};

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Colour {
    Plain,
    Named(String),
    Mixed {
        red: u8,
        green: Option<u16>,
        parts: Vec<Colour>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Letter {
    id: [u8; 4],
    to: (u64, i32),
    body: Vec<u8>,
    stamp: Option<Box<Colour>>,
}

/// The value has this layout, and the layout this value.
fn check<T: Serialize + DeserializeOwned + Debug + PartialEq>(value: T, hex: &str) {
    assert_eq!(HEXLOWER.encode(&encode(&value)), hex, "{value:?}");
    let bytes = HEXLOWER.decode(hex.as_bytes()).expect("the row is hexadecimal");
    assert_eq!(decode::<T>(&bytes, bytes.len()), Ok(value));
}

/// A `Letter` whose bytes are taken as one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Parcel {
    id: [u8; 4],
    to: (u64, i32),
    #[serde(with = "starfish_crypto::bytes")]
    body: Vec<u8>,
    #[serde(with = "starfish_crypto::bytes::optional")]
    copy: Option<Vec<u8>>,
}

#[test]
fn runs_of_bytes_have_the_layout_of_lists() {
    for body in [vec![], vec![7], vec![0xFF; 250], vec![0xFB; 251], vec![1; 70_000]] {
        for copy in [None, Some(body.clone())] {
            let (id, to) = ([1, 2, 3, 4], (300, -1));
            let bytes = encode(&(id, to, &body, &copy));
            let parcel = Parcel {
                id,
                to,
                body: body.clone(),
                copy,
            };
            assert_eq!(encode(&parcel), bytes);
            assert_eq!(decode(&bytes, bytes.len()), Ok(parcel));
            for end in (0..bytes.len()).step_by(1 + bytes.len() / 50) {
                assert_eq!(
                    decode::<Parcel>(&bytes[..end], end),
                    Err(CodecError::Malformed),
                    "{end}"
                );
            }
        }
    }
    // 2^60 of them, and more than the budget holds.
    for length in ["fd0000000000000010", "fc00000008"] {
        let bytes = HEXLOWER.decode(format!("0102030400 00{length}").replace(' ', "").as_bytes());
        let bytes = bytes.expect("the row is hexadecimal");
        assert_eq!(decode::<Parcel>(&bytes, bytes.len()), Err(CodecError::Malformed));
    }
}

#[test]
fn integers_have_their_layout() {
    check(0u8, "00");
    check(255u8, "ff");
    check(-1i8, "ff");
    check(0u16, "00");
    check(250u16, "fa");
    check(251u16, "fbfb00");
    check(65_535u16, "fbffff");
    check(250u32, "fa");
    check(251u32, "fbfb00");
    check(65_536u32, "fc00000100");
    check(u32::MAX, "fcffffffff");
    check(65_536u64, "fc00000100");
    check(1u64 << 32, "fd0000000001000000");
    check(u64::MAX, "fdffffffffffffffff");
    check(u128::from(u64::MAX) + 1, "fe00000000000000000100000000000000");
    check(0i32, "00");
    check(-1i32, "01");
    check(1i32, "02");
    check(i32::MIN, "fcffffffff");
    check(i64::MAX, "fdfeffffffffffffff");
    check(300usize, "fb2c01");
}

#[test]
fn texts_lists_and_options_have_their_layout() {
    check(false, "00");
    check(true, "01");
    check('ß', "c39f");
    check(String::new(), "00");
    check("nl".to_owned(), "026e6c");
    check("é".repeat(130), &format!("fb0401{}", "c3a9".repeat(130)));
    check(None::<u16>, "00");
    check(Some(7u16), "0107");
    check(Some(None::<u8>), "0100");
    check((), "");
    check((1u8, 2u8), "0102");
    check([1u8, 2, 3], "010203");
    check([0u8; 32], &"00".repeat(32));
    check(vec![1u8, 2, 3], "03010203");
    check(Vec::<u32>::new(), "00");
    check(vec![Some(1u32), None], "02010100");
    check(
        BTreeMap::from([("a".to_owned(), 1u8), ("b".to_owned(), 2)]),
        "02016101016202",
    );
}

#[test]
fn structures_have_their_layout() {
    check(Colour::Plain, "00");
    check(Colour::Named("red".to_owned()), "0103726564");
    check(
        Colour::Mixed {
            red: 9,
            green: Some(300),
            parts: vec![Colour::Plain],
        },
        "020901fb2c010100",
    );
    check(vec![Colour::Plain, Colour::Named(String::new())], "02000100");
    let letter = Letter {
        id: [1, 2, 3, 4],
        to: (251, -2),
        body: vec![9; 3],
        stamp: Some(Box::new(Colour::Mixed {
            red: 0,
            green: None,
            parts: Vec::new(),
        })),
    };
    check(letter, "01020304fbfb0003030909090102000000");
}

#[test]
fn broken_documents_are_refused() {
    fn check<T: DeserializeOwned + Debug + PartialEq>(hex: &str, fault: CodecError) {
        let bytes = HEXLOWER.decode(hex.as_bytes()).expect("the row is hexadecimal");
        assert_eq!(decode::<T>(&bytes, bytes.len()), Err(fault), "{hex}");
    }
    check::<u8>("", CodecError::Malformed);
    check::<u8>("0000", CodecError::Trailing);
    check::<()>("00", CodecError::Trailing);
    check::<u16>("fb00", CodecError::Malformed);
    check::<u16>("fc00000000", CodecError::Malformed);
    check::<u16>("ff", CodecError::Malformed);
    check::<bool>("02", CodecError::Malformed);
    check::<char>("ff", CodecError::Malformed);
    check::<Option<u8>>("0200", CodecError::Malformed);
    check::<Option<u8>>("01", CodecError::Malformed);
    check::<String>("02c3", CodecError::Malformed);
    check::<String>("02c328", CodecError::Malformed);
    check::<String>("036162", CodecError::Malformed);
    check::<Vec<u8>>("04010203", CodecError::Malformed);
    check::<Vec<u8>>("0201020304", CodecError::Trailing);
    check::<[u8; 4]>("010203", CodecError::Malformed);
    check::<Colour>("03", CodecError::Malformed);
    check::<Colour>("fcffffffff", CodecError::Malformed);
    check::<Letter>("01020304", CodecError::Malformed);
}

#[test]
fn a_claimed_length_costs_nothing() {
    // 2^60 of everything whose length a document can claim; a list of lists claims it at every level.
    let claim = format!("fd{}", HEXLOWER.encode(&(1u64 << 60).to_le_bytes()));
    let bytes = HEXLOWER.decode(claim.as_bytes()).expect("hexadecimal");
    assert_eq!(decode::<String>(&bytes, 64), Err(CodecError::Malformed));
    assert_eq!(decode::<Vec<u8>>(&bytes, 64), Err(CodecError::Malformed));
    assert_eq!(decode::<Vec<u64>>(&bytes, 64), Err(CodecError::Malformed));
    assert_eq!(decode::<Vec<Letter>>(&bytes, 64), Err(CodecError::Malformed));
    assert_eq!(decode::<BTreeMap<String, u8>>(&bytes, 64), Err(CodecError::Malformed));
    let nested = bytes.repeat(5);
    assert_eq!(
        decode::<Vec<Vec<Vec<Vec<String>>>>>(&nested, 64),
        Err(CodecError::Malformed)
    );
}

#[test]
fn the_limit_is_the_callers() {
    let document = encode(&vec![7u8; 1_000]);
    assert_eq!(document.len(), 1_003);
    assert_eq!(decode::<Vec<u8>>(&document, 1_002), Err(CodecError::TooLong));
    assert_eq!(decode::<Vec<u8>>(&document, 1_003), Ok(vec![7; 1_000]));
    assert_eq!(decode::<Vec<u8>>(&document, usize::MAX), Ok(vec![7; 1_000]));
    let longest = encode(&vec![7u8; DOCUMENT_BYTES - 5]);
    assert_eq!(
        decode::<Vec<u8>>(&longest, usize::MAX).map(|list| list.len()),
        Ok(DOCUMENT_BYTES - 5)
    );
    let longer = encode(&vec![7u8; DOCUMENT_BYTES - 4]);
    assert_eq!(decode::<Vec<u8>>(&longer, usize::MAX), Err(CodecError::TooLong));
}

#[test]
fn the_budget_covers_the_widest_types_at_every_length() {
    for count in [1usize, 100, SHORT_BYTES - 3, SHORT_BYTES, DOCUMENT_BYTES / 2] {
        let small = vec![1u128; count];
        assert_eq!(decode(&encode(&small), usize::MAX), Ok(small), "{count}");
        let colours = vec![Colour::Plain; count];
        assert_eq!(decode(&encode(&colours), usize::MAX), Ok(colours), "{count}");
    }
}

fn colour() -> impl Strategy<Value = Colour> {
    let leaf = prop_oneof![Just(Colour::Plain), ".{0,300}".prop_map(Colour::Named)];
    leaf.prop_recursive(3, 16, 4, |inner| {
        (
            any::<u8>(),
            any::<Option<u16>>(),
            proptest::collection::vec(inner, 0..4),
        )
            .prop_map(|(red, green, parts)| Colour::Mixed { red, green, parts })
    })
}

fn letter() -> impl Strategy<Value = Letter> {
    (
        any::<[u8; 4]>(),
        any::<(u64, i32)>(),
        any::<Vec<u8>>(),
        proptest::option::of(colour().prop_map(Box::new)),
    )
        .prop_map(|(id, to, body, stamp)| Letter { id, to, body, stamp })
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(letter in letter()) {
        let bytes = encode(&letter);
        prop_assert_eq!(decode::<Letter>(&bytes, bytes.len()), Ok(letter.clone()));
        prop_assert_eq!(decode::<Letter>(&bytes, bytes.len() - 1), Err(CodecError::TooLong));
        let longer = [bytes.as_slice(), &[0]].concat();
        prop_assert_eq!(decode::<Letter>(&longer, longer.len()), Err(CodecError::Trailing));
        let shorter = &bytes[..bytes.len() - 1];
        prop_assert!(decode::<Letter>(shorter, bytes.len()).is_err());
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(letter) = decode::<Letter>(&bytes, bytes.len()) {
            let again = encode(&letter);
            prop_assert!(again.len() <= bytes.len());
            prop_assert_eq!(decode::<Letter>(&again, again.len()), Ok(letter));
        }
    }
}
