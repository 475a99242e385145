//! Bodies: the vectors, which another program made from the layout, and what their headers promise.

use super::*;
use crate::{
    limits,
    observable::{Observable, Tld},
};

const VALID: &str = include_str!("../../../vectors/body-valid.txt");
const BROKEN: &str = include_str!("../../../vectors/body-broken.txt");
const COMPRESSED: &str = include_str!("../../../vectors/body-compressed.txt");

fn observables(texts: &[&str]) -> Vec<Observable> {
    texts
        .iter()
        .map(|text| Observable::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")))
        .collect()
}

fn bundle(texts: &[&str]) -> Bundle {
    Bundle::new(80, "seen in a sinkhole".to_owned(), observables(texts)).expect("a good bundle")
}

pub(super) fn target() -> RecordId {
    RecordId::from_digest(Digest::from_bytes([0x77; 32]))
}

/// The header that a publisher would write for this body.
pub(super) fn header_for(sealed: &SealedBody) -> Header {
    let mut header = Header {
        body_digest: sealed.digest,
        compressed_len: sealed.compressed.len() as u32,
        raw_len: sealed.raw_len,
        items: sealed.items,
        ..header()
    };
    header.extensions.scope = sealed.scope.clone();
    if let Body::Withdrawal(withdrawal) = &sealed.body {
        header.kind = Kind::WITHDRAWAL;
        header.extensions.targets = vec![withdrawal.target];
    }
    assert_eq!(Header::decode(&header.encode()), Ok(header.clone()));
    header
}

pub(super) fn first_kind(raw: &[u8]) -> Kind {
    raw.first_chunk()
        .map_or(Kind::INDICATORS, |kind| Kind(u16::from_be_bytes(*kind)))
}

/// What a row of the valid vectors says.
fn told(body: &Body) -> String {
    let (what, observables) = match body {
        Body::Indicators(bundle) => (
            format!("indicators {} [{}]", bundle.confidence, bundle.context),
            &bundle.observables,
        ),
        Body::Withdrawal(withdrawal) => {
            let target = withdrawal.target.digest().to_string();
            (
                format!("withdrawal {} [{}]", &target[..4], withdrawal.reason),
                &withdrawal.observables,
            )
        }
        Body::Opinion(opinion) => {
            let target = opinion.target.digest().to_string();
            let seen = format!("{} x {}-{}", opinion.count, opinion.first_seen.0, opinion.last_seen.0);
            let what = format!("{:?} {} {seen} {}", opinion.verdict, &target[..4], opinion.confidence);
            (format!("{what} [{}]", opinion.reason), &opinion.observables)
        }
        Body::Unknown(raw) => return format!("unknown {}", raw.len()),
    };
    observables
        .iter()
        .fold(what, |what, observable| format!("{what} {observable}"))
}

#[test]
fn valid_vectors_decode_and_encode() {
    for (name, raw, expected) in rows(VALID) {
        let body = Body::from_raw(first_kind(&raw), &raw).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(told(&body), expected, "{name}");
        assert_eq!(HEXLOWER.encode(&body.to_raw()), HEXLOWER.encode(&raw), "{name}");
        let other = Kind(first_kind(&raw).0 + 1);
        assert_eq!(Body::from_raw(other, &raw), Err(BodyFault::Kind), "{name}");
    }
}

#[test]
fn broken_vectors_are_refused() {
    for (name, raw, expected) in rows(BROKEN) {
        let fault = Body::from_raw(first_kind(&raw), &raw).expect_err(name);
        assert_eq!(format!("{fault:?}"), expected, "{name}");
    }
    assert!(rows(BROKEN).count() > rows(VALID).count());
}

#[test]
fn a_raw_body_cut_anywhere_is_refused() {
    for (name, raw, _) in rows(VALID).filter(|(name, ..)| !name.contains("unknown-kind")) {
        for len in 0..raw.len() {
            assert!(Body::from_raw(first_kind(&raw), &raw[..len]).is_err(), "{name} {len}");
        }
    }
}

/// Names under one TLD: enough of them for zstd to use its tables.
fn names(count: usize) -> Bundle {
    let names: Vec<String> = (0..count).map(|number| format!("evil{number}.example")).collect();
    bundle(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn compressed_vectors_open_or_are_refused() {
    let promised = header_for(&seal_body(Body::Indicators(names(1))));
    for (name, compressed, expected) in rows(COMPRESSED) {
        let fields: Vec<&str> = expected.split(' ').collect();
        let [raw_len, items, expected] = fields[..] else {
            panic!("{name}: a length, a count and an outcome")
        };
        let items = items.parse().expect("a count");
        let header = Header {
            body_digest: Digest::from_bytes(*blake3::hash(&compressed).as_bytes()),
            compressed_len: compressed.len() as u32,
            raw_len: raw_len.parse().expect("a length"),
            items,
            ..promised.clone()
        };
        assert_eq!(Header::decode(&header.encode()), Ok(header.clone()), "{name}");
        let outcome = match open_body(&header, &compressed) {
            Ok(body) => {
                assert_eq!(body, Body::Indicators(names(items as usize)), "{name}");
                "opens".to_owned()
            }
            Err(fault) => format!("{fault:?}"),
        };
        assert_eq!(outcome, expected, "{name}");
    }
}

/// Opens a sealed body behind a header that was changed.
fn open_changed(sealed: &SealedBody, change: impl Fn(&mut Header)) -> Result<Body, BodyFault> {
    let mut header = header_for(sealed);
    change(&mut header);
    open_body(&header, &sealed.compressed)
}

#[test]
fn a_body_is_what_its_header_promises() {
    let sealed = seal_body(Body::Indicators(bundle(&[
        "evil.example",
        "evil.nl",
        "http://192.0.2.1/",
        "192.0.2.1",
    ])));
    let tld = |text: &str| Tld::parse(text).expect("a TLD");
    let tlds = |texts: &[&str]| Scope::of(texts.iter().map(|text| tld(text)));
    assert_eq!(sealed.scope, tlds(&["example", "nl"]));
    assert!(sealed.fits());
    let check = |change: &dyn Fn(&mut Header), expected: Result<(), BodyFault>| {
        let opened = open_changed(&sealed, change);
        assert_eq!(
            opened
                .as_ref()
                .map(|body| assert_eq!(*body, sealed.body))
                .map_err(|fault| *fault),
            expected
        );
    };
    check(&|_| {}, Ok(()));
    check(&|header| header.compressed_len += 1, Err(BodyFault::Length));
    check(&|header| header.compressed_len = 0, Err(BodyFault::Length));
    check(&|header| header.body_digest = Digest::ZERO, Err(BodyFault::Digest));
    check(&|header| header.raw_len += 1, Err(BodyFault::RawLength));
    check(&|header| header.raw_len -= 1, Err(BodyFault::Compression));
    check(&|header| header.raw_len = u32::MAX, Err(BodyFault::RawLength));
    check(&|header| header.kind = Kind::WITHDRAWAL, Err(BodyFault::Kind));
    check(&|header| header.kind = Kind(300), Err(BodyFault::Kind));
    check(&|header| header.items += 1, Err(BodyFault::Items));
    check(&|header| header.items = 0, Err(BodyFault::Items));
    check(&|header| header.extensions.scope = None, Err(BodyFault::Scope));
    check(
        &|header| header.extensions.scope = Some(Scope::Many),
        Err(BodyFault::Scope),
    );
    check(&|header| header.extensions.scope = tlds(&["nl"]), Err(BodyFault::Scope));
    check(
        &|header| header.extensions.scope = tlds(&["com", "nl"]),
        Err(BodyFault::Scope),
    );
    check(
        &|header| header.extensions.scope = tlds(&["com", "example", "nl"]),
        Err(BodyFault::Scope),
    );
    let mut spoilt = sealed.compressed.clone();
    spoilt[10] ^= 1;
    assert_eq!(open_body(&header_for(&sealed), &spoilt), Err(BodyFault::Digest));
    assert_eq!(check_digest(&header_for(&sealed), &spoilt), Err(BodyFault::Digest));
    assert_eq!(check_digest(&header_for(&sealed), &sealed.compressed), Ok(()));
    assert_eq!(check_digest(&header_for(&sealed), &[]), Err(BodyFault::Length));
}

#[test]
fn a_withdrawal_has_its_targets_scope() {
    let tlds = |texts: &[&str]| Scope::of(texts.iter().map(|text| Tld::parse(text).expect("a TLD")));
    let withdrawal = |texts: &[&str]| {
        let withdrawal = Withdrawal::new(target(), observables(texts), "a mistake".to_owned()).expect("a good one");
        seal_body(Body::Withdrawal(withdrawal))
    };
    let check = |texts: &[&str], scope: Option<Scope>, expected: Result<(), BodyFault>| {
        let opened = open_changed(&withdrawal(texts), |header| header.extensions.scope = scope.clone());
        assert_eq!(opened.map(|_| ()), expected, "{texts:?} {scope:?}");
    };
    check(&[], None, Ok(()));
    check(&[], tlds(&["nl"]), Ok(()));
    check(&[], Some(Scope::Many), Ok(()));
    check(&["evil.nl"], tlds(&["nl"]), Ok(()));
    check(&["evil.nl"], tlds(&["com", "nl"]), Ok(()));
    check(&["evil.nl"], Some(Scope::Many), Ok(()));
    check(&["192.0.2.1"], tlds(&["nl"]), Ok(()));
    check(&["evil.nl"], None, Err(BodyFault::Scope));
    check(&["evil.nl"], tlds(&["com"]), Err(BodyFault::Scope));
    check(&["evil.com", "evil.nl"], tlds(&["nl"]), Err(BodyFault::Scope));
    let sealed = withdrawal(&["evil.nl"]);
    let other = RecordId::from_digest(Digest::ZERO);
    let targets = |targets: Vec<RecordId>| {
        open_changed(&sealed, |header| header.extensions.targets = targets.clone()).map(|_| ())
    };
    assert_eq!(targets(vec![target()]), Ok(()));
    assert_eq!(targets(vec![other]), Err(BodyFault::Target));
    assert_eq!(targets(vec![target(), other]), Err(BodyFault::Target));
    assert_eq!(targets(Vec::new()), Err(BodyFault::Target));
    assert_eq!(open_changed(&sealed, |header| header.items = 0), Err(BodyFault::Items));
}

#[test]
fn what_is_not_understood_is_taken_unread() {
    let sealed = seal_body(Body::Indicators(bundle(&["evil.nl"])));
    let critical = Unread::Extension {
        tag: 9,
        critical: true,
        bytes: Vec::new(),
    };
    let uncritical = Unread::Extension {
        tag: 9,
        critical: false,
        bytes: Vec::new(),
    };
    let nothing = Ok(Body::Unknown(Vec::new()));
    let add = |unread: &Unread| open_changed(&sealed, |header| header.extensions.unknown = vec![unread.clone()]);
    assert_eq!(add(&uncritical), Ok(sealed.body.clone()));
    assert_eq!(add(&critical), nothing);
    assert_eq!(open_changed(&sealed, |header| header.version = 2), nothing);
    let changed = |header: &mut Header| (header.version, header.body_digest) = (2, Digest::ZERO);
    assert_eq!(open_changed(&sealed, changed), Err(BodyFault::Digest));
    // An unknown kind is decompressed, and says nothing of items and scope.
    let raw = [&300u16.to_be_bytes()[..], b"something new"].concat();
    let unknown = seal_body(Body::Unknown(raw.clone()));
    let changed = |header: &mut Header| (header.kind, header.items) = (Kind(300), 17);
    assert_eq!(open_changed(&unknown, changed), Ok(Body::Unknown(raw)));
}

#[test]
fn only_good_bodies_are_made() {
    let names = observables(&["b.example", "a.example", "b.example"]);
    let sorted = Bundle::new(0, String::new(), names.clone()).expect("a good bundle");
    assert_eq!(sorted.observables, observables(&["a.example", "b.example"]));
    let context = |text: &str| Bundle::new(0, text.to_owned(), names.clone()).map(|_| ());
    assert_eq!(context(&"x".repeat(1_024)), Ok(()));
    assert_eq!(context(&"x".repeat(1_025)), Err(BodyFault::Context));
    assert_eq!(context("a\r\nb"), Err(BodyFault::Context));
    assert_eq!(
        Bundle::new(101, String::new(), names.clone()),
        Err(BodyFault::Confidence)
    );
    assert_eq!(Bundle::new(80, String::new(), Vec::new()), Err(BodyFault::Empty));
    let many = |count: u32| Bundle::new(80, String::new(), (0..count).map(Observable::Asn).collect()).map(|_| ());
    assert_eq!(many(10_000), Ok(()));
    assert_eq!(many(10_001), Err(BodyFault::TooMany));
    let reason = |text: &str| Withdrawal::new(target(), names.clone(), text.to_owned()).map(|_| ());
    assert_eq!(reason("x"), Ok(()));
    assert_eq!(reason(""), Err(BodyFault::Reason));
    assert_eq!(reason(&"x".repeat(513)), Err(BodyFault::Reason));
    assert_eq!(reason("a\u{1b}b"), Err(BodyFault::Reason));
}

/// Digests look random, so nothing makes them smaller.
fn file_digests(count: u32) -> Vec<Observable> {
    let digest = |number: u32| blake3::hash(&number.to_be_bytes()).to_hex();
    (0..count)
        .map(|number| Observable::parse(&digest(number)).expect("a SHA-256"))
        .collect()
}

#[test]
fn bundles_that_do_not_shrink_are_split() {
    let whole = Bundle::new(80, "hashes".to_owned(), file_digests(10_000)).expect("a good bundle");
    assert!(!seal_body(Body::Indicators(whole.clone())).fits());
    let parts = seal_parts(whole.clone());
    assert_eq!(parts.len(), 2);
    let mut all = Vec::new();
    for part in &parts {
        assert!(part.fits());
        assert_eq!(open_body(&header_for(part), &part.compressed), Ok(part.body.clone()));
        all.extend_from_slice(part.body.observables());
        let reason = "x".repeat(limits::REASON_BYTES);
        let withdrawal = Withdrawal::new(target(), part.body.observables().to_vec(), reason).expect("a good one");
        assert!(seal_body(Body::Withdrawal(withdrawal)).fits());
    }
    assert_eq!(all, whole.observables);
    assert_eq!(seal_parts(bundle(&["evil.nl"])).len(), 1);
}

#[test]
fn scopes_end_at_400_bytes() {
    let domains = |count: usize| -> Vec<Observable> {
        let letter = |number: usize| char::from(b'a' + (number % 26) as u8);
        (0..count)
            .map(|number| format!("evil.q{}{}z", letter(number / 26), letter(number)))
            .map(|name| Observable::parse(&name).expect("a domain"))
            .collect()
    };
    let scope = |count: usize| {
        seal_body(Body::Indicators(Bundle {
            confidence: 1,
            context: String::new(),
            observables: domains(count),
        }))
        .scope
    };
    assert!(matches!(scope(79), Some(Scope::Tlds(tlds)) if tlds.len() == 79));
    assert_eq!(scope(80), Some(Scope::Many));
    assert_eq!(seal_body(Body::Indicators(bundle(&["192.0.2.1", "AS1"]))).scope, None);
}
