//! Rows of observables: what is read, what is refused, what decodes, and the layout of every kind.

use super::*;
use crate::codec;

mod laws;

const VALID: &str = include_str!("../../vectors/observable-valid.txt");
const BROKEN: &str = include_str!("../../vectors/observable-broken.txt");

fn rows(file: &str) -> impl Iterator<Item = Vec<&str>> {
    file.lines()
        .filter(|line| !line.starts_with("# "))
        .map(|line| line.split('\t').collect())
}

fn parsed(text: &str) -> Observable {
    Observable::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Everything that must hold of any observable.
fn obeys_the_laws(observable: &Observable) {
    let text = observable.to_string();
    assert_eq!(Observable::parse(&text).as_ref(), Ok(observable), "{text}");
    assert_eq!(
        Observable::from_key(&observable.key()).as_ref(),
        Some(observable),
        "{text}"
    );
    let bytes = codec::encode(observable);
    assert_eq!(
        codec::decode::<Observable>(&bytes, bytes.len()).as_ref(),
        Ok(observable),
        "{text}"
    );
    assert!(text.bytes().all(|byte| byte > 0x20 && byte < 0x7f), "{text:?}");
    if let Some(tld) = observable.tld() {
        assert_eq!(Tld::parse(tld.as_str()), Ok(tld), "{text}");
    }
}

#[test]
fn valid_rows() {
    let mut count = 0;
    for row in rows(VALID) {
        let [text, kind, normal] = row[..] else {
            panic!("{row:?}")
        };
        let observable = parsed(text);
        assert_eq!(
            (observable.kind(), observable.to_string().as_str()),
            (kind, normal),
            "{text}"
        );
        obeys_the_laws(&observable);
        count += 1;
    }
    assert!(count >= 100, "{count}");
}

#[test]
fn broken_rows() {
    let mut wrong = Vec::new();
    for row in rows(BROKEN) {
        let [text, reason] = row[..] else { panic!("{row:?}") };
        let said = Observable::parse(text).map_or_else(|error| error.to_string(), |value| format!("{value:?}"));
        if said != reason {
            wrong.push(format!("{text}\n  said {said}\n  not  {reason}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tlds() {
    let check = |text: &str, normal: Option<&str>| {
        let tld = Tld::parse(text);
        assert_eq!(tld.as_ref().map(Tld::as_str).ok(), normal, "{text}");
        if let Ok(tld) = tld {
            let bytes = codec::encode(&tld);
            assert_eq!(codec::decode(&bytes, 64), Ok(tld));
        }
    };
    check("nl", Some("nl"));
    check(" .NL. ", Some("nl"));
    check("рф", Some("xn--p1ai"));
    check("XN--P1AI", Some("xn--p1ai"));
    for broken in [
        "",
        ".",
        "..",
        "co.uk",
        "n_l",
        "-nl",
        "nl-",
        "123",
        "0x1",
        "n l",
        "n\0l",
        "xn--a",
        &"a".repeat(64),
        &"a".repeat(5_000),
    ] {
        check(broken, None);
    }
    for abnormal in ["NL", "nl.", ".nl", " nl", "рф", "a.b", ""] {
        assert!(
            codec::decode::<Tld>(&codec::encode(abnormal), 64).is_err(),
            "{abnormal:?}"
        );
    }
}

#[test]
fn hosts_and_their_tlds() {
    let check = |text: &str, host: Option<&str>, tld: Option<&str>| {
        let observable = parsed(text);
        assert_eq!(observable.host(), host, "{text}");
        assert_eq!(observable.tld().as_ref().map(Tld::as_str), tld, "{text}");
    };
    check("www.evil.example", Some("www.evil.example"), Some("example"));
    check(
        "http://u@h:p@evil.example:81/@x?y#z",
        Some("evil.example"),
        Some("example"),
    );
    check("http://evil.example?@x.nl", Some("evil.example"), Some("example"));
    check("http://evil.example#@x.nl/", Some("evil.example"), Some("example"));
    check("http://192.0.2.1:81/a.nl", Some("192.0.2.1"), None);
    check("http://[2001:db8::1]:81/a.nl", Some("2001:db8::1"), None);
    check("a@evil.nl", Some("evil.nl"), Some("nl"));
    check("192.0.2.1", None, None);
    check("2001:db8::/32", None, None);
    check("d41d8cd98f00b204e9800998ecf8427e", None, None);
    check("AS64496", None, None);
}

/// One of each kind: its key and its encoding never change, or stores and records of others can no longer be read.
#[test]
fn golden_layout() {
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let mut kinds = std::collections::BTreeSet::new();
    for row in rows(include_str!("../../vectors/observable-layout.txt")) {
        let [text, key, bytes] = row[..] else { panic!("{row:?}") };
        let observable = parsed(text);
        assert_eq!(
            (
                hex(&observable.key()).as_str(),
                hex(&codec::encode(&observable)).as_str()
            ),
            (key, bytes),
            "{text}"
        );
        kinds.insert(observable.kind());
    }
    assert_eq!(kinds.len(), 11, "{kinds:?}");
}

#[test]
fn decoding_refuses_what_is_not_normal() {
    fn check(form: impl serde::Serialize) {
        let bytes = codec::encode(&form);
        assert!(codec::decode::<Observable>(&bytes, 4_096).is_err(), "{bytes:?}");
    }
    let texts = [
        "",
        ".",
        "nl",
        "EVIL.example",
        "evil.example.",
        ".evil.example",
        "evil..example",
        "evil[.]example",
        " evil.example",
        "evil.example ",
        "bücher.example",
        "XN--BCHER-KVA.example",
        "xn--a.example",
        "192.0.2.1",
        "evil.123",
        "evil.exa_mple",
        "http://EVIL.example/",
        "http://evil.example",
        "hxxp://evil.example/",
        "http://evil.example:80/",
        "evil.example/a",
        "http://evil.example/a,",
        "http://evil.example/[.]",
        "http://evil.example/a b",
        "gopher://evil.example/",
        "http://localhost/",
        "a@EVIL.example",
        "'a@evil.example",
        "a@evil.example.",
        "a[at]evil.example",
        "evil.example\0",
        "AS64496",
        "d41d8cd98f00b204e9800998ecf8427e",
    ];
    for text in texts {
        for form in [0u8, 1, 6] {
            check((form, text));
        }
    }
    check((1u8, "evil.example"));
    check((6u8, "evil.example"));
    check((0u8, "a@evil.example"));
    check((3u8, "::ffff:192.0.2.1".parse::<Ipv6Addr>().expect("an address")));
    check((4u8, [192u8, 0, 2, 1], 24u8));
    check((4u8, [192u8, 0, 2, 1], 32u8));
    check((4u8, [192u8, 0, 2, 0], 33u8));
    check((5u8, [0u8; 16], 128u8));
    check((5u8, [0u8; 16], 129u8));
    check((5u8, "::ffff:192.0.2.0".parse::<Ipv6Addr>().expect("an address"), 120u8));
    check((12u8, 1u32));
}
