//! Golden vectors and laws of headers, and the text form of record ids. Bodies are tested in `bodies` and `laws`.

mod bodies;
mod headers;
mod laws;

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use starfish_crypto::{Digest, SecretKey, Signed, Strict, Verified};

use super::*;
use crate::community::Community;

/// The rows of a file of vectors: name, bytes, expectation.
fn rows(text: &str) -> impl Iterator<Item = (&str, Vec<u8>, &str)> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut fields = line.splitn(3, ' ');
        let mut field = || {
            fields
                .next()
                .unwrap_or_else(|| panic!("a row has three fields: {line}"))
        };
        let (name, hex, expectation) = (field(), field(), field());
        let bytes = if hex == "-" {
            Vec::new()
        } else {
            HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal")
        };
        (name, bytes, expectation)
    })
}

fn key() -> SecretKey {
    SecretKey::from_seed([7; 32])
}

/// A header of an empty kind of record, to be changed by each test.
fn header() -> Header {
    Header {
        version: Header::VERSION,
        community: Community::named("starfish"),
        author: key().public(),
        audience: Audience::Clear,
        tlp: Tlp::Clear,
        kind: Kind::INDICATORS,
        epoch: Millis(1_700_000_000_000),
        seq: 0,
        prev: Digest::ZERO,
        created_at: Millis(1_700_000_100_000),
        expires_at: Millis(1_702_600_000_000),
        body_digest: Digest::ZERO,
        compressed_len: 0,
        raw_len: 0,
        items: 0,
        topic: Topic::parse("malware").expect("a topic"),
        extensions: Extensions::default(),
    }
}

fn signed(header: &Header) -> Signed {
    Signed::sign::<Header>(header.encode(), &key())
}

fn verified(header: &Header) -> Verified<Header> {
    signed(header).verify(&Strict).expect("our own")
}

#[test]
fn a_signed_header_is_verified_as_it_came() {
    let header = header();
    let verified = verified(&header);
    assert_eq!(*verified, header);
    assert_eq!(verified.signed(), &signed(&header));
    assert_eq!(
        verified.log(),
        LogId {
            author: key().public(),
            audience: Audience::Clear,
            epoch: header.epoch
        }
    );
    let forged = Signed::sign::<Header>(header.encode(), &SecretKey::from_seed([8; 32]));
    assert!(forged.verify::<Header>(&Strict).is_err());
    // A version that nobody here knows is passed on under the same signature.
    let unknown = [header.encode().as_slice(), b"from the future"].concat();
    let unknown: Vec<u8> = unknown
        .iter()
        .enumerate()
        .map(|(place, byte)| if place == 5 { 9 } else { *byte })
        .collect();
    let unknown = Signed::sign::<Header>(unknown, &key())
        .verify::<Header>(&Strict)
        .expect("a good signature");
    assert_eq!(
        (unknown.version, unknown.is_understood(), &unknown.topic),
        (9, false, &header.topic)
    );
}

#[test]
fn an_id_is_of_the_signed_bytes() {
    let first = RecordId::of(&verified(&header()));
    assert_eq!(first, RecordId::of(&verified(&header())));
    assert_eq!(
        first,
        RecordId::from_digest(Digest::of(domain::RECORD, &header().encode()))
    );
    let other = Header {
        seq: 1,
        prev: first.digest(),
        ..header()
    };
    assert_ne!(first, RecordId::of(&verified(&other)));
}

#[test]
fn ids_have_a_text_form() {
    let id = RecordId::from_digest(Digest::from_bytes([0xa5; 32]));
    let text = id.to_string();
    assert_eq!(text, "rec:uws2ljnfuws2ljnfuws2ljnfuws2ljnfuws2ljnfuws2ljnfuwsq");
    let check = |text: &str, expected: Option<RecordId>| assert_eq!(text.parse::<RecordId>().ok(), expected, "{text}");
    check(&text, Some(id));
    check(&text.to_uppercase(), Some(id));
    check(&format!(" {text}\n"), Some(id));
    check("", None);
    check("rec:", None);
    check(&text.replace("rec:", "org:"), None);
    check(&text.replace("rec:", ""), None);
    check(&text[..text.len() - 1], None);
    check(&format!("{text}a"), None);
    check(&text.replace('u', "1"), None);
    check(&text.replace('u', "é"), None);
}

#[test]
fn codes_keep_their_numbers() {
    for code in 0..=u8::MAX {
        assert_eq!(u8::from(Audience::from(code)), code);
        assert_eq!(u8::from(Tlp::from(code)), code);
        assert_eq!(crate::codec::encode(&Audience::from(code)), [code]);
        assert_eq!(crate::codec::decode::<Audience>(&[code], 1), Ok(Audience::from(code)));
    }
}

proptest! {
    #[test]
    fn ids_survive_their_text(bytes: [u8; 32]) {
        let id = RecordId::from_digest(Digest::from_bytes(bytes));
        prop_assert_eq!(id.to_string().parse::<RecordId>().ok(), Some(id));
    }

    #[test]
    fn any_text_is_an_id_or_none(text in "(rec:)?[a-zA-Z2-7:]{0,60}") {
        if let Ok(id) = text.parse::<RecordId>() {
            prop_assert_eq!(id.to_string(), text.to_ascii_lowercase());
        }
    }
}
