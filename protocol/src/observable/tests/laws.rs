//! Laws of observables: every form reads back as itself, and scans of keys find what a plain filter finds.

use proptest::prelude::*;

use super::*;

/// A kind and a text of it, from a small world, so that names lie under each other and addresses in each other's networks.
fn observables() -> impl Strategy<Value = Observable> {
    let host = || {
        prop::string::string_regex("([a-c_-]{1,2}\\.){0,2}(evil|b|xn--bcher-kva)\\.(nl|n|example)").expect("a pattern")
    };
    let ip = || {
        prop_oneof![
            (0u8..3, 0u8..3).prop_map(|(a, b)| IpAddr::from([192, 0, a, b])),
            (0u16..3, 0u16..3).prop_map(|(a, b)| IpAddr::from([0x2001, a, 0, 0, 0, 0, 0, b])),
            any::<u32>().prop_map(|bits| IpAddr::from(bits.to_be_bytes())),
            any::<u128>().prop_map(|bits| IpAddr::from(bits.to_be_bytes())),
        ]
    };
    let url_host = prop_oneof![
        host(),
        ip().prop_map(|ip| if ip.is_ipv4() {
            ip.to_string()
        } else {
            format!("[{ip}]")
        }),
    ];
    let net = (ip(), 0u8..=128).prop_map(|(ip, prefix)| {
        let most = if ip.is_ipv4() { 32 } else { 128 };
        Observable::from(IpNet::new(ip, prefix % (most + 1)).expect("a prefix within bounds"))
    });
    prop_oneof![
        4 => host().prop_map(|host| parsed(&host)),
        2 => (prop::sample::select(vec!["http", "https", "ftp"]), url_host, "(:8[0-9])?/[a-c?#@/]{0,4}")
            .prop_map(|(scheme, host, rest)| parsed(&format!("{scheme}://{host}{rest}"))),
        2 => ip().prop_map(Observable::from),
        2 => net,
        1 => ("[a-cA-C+]{1,3}", host()).prop_map(|(local, host)| parsed(&format!("{local}@{host}"))),
        1 => prop::collection::vec(any::<u8>(), 64).prop_flat_map(|bytes| {
            prop::sample::select(vec![16, 20, 32, 64]).prop_map(move |length| {
                Observable::FileDigest(FileDigest::from_bytes(&bytes[..length]).expect("a known length"))
            })
        }),
        1 => any::<u32>().prop_map(Observable::Asn),
    ]
}

/// Texts of pieces that mean something to the reader, in any order.
fn nasty_texts() -> impl Strategy<Value = String> {
    let pieces = vec![
        "http",
        "hxxps",
        "://",
        "[://]",
        ":",
        "/",
        "//",
        ".",
        "[.]",
        "[dot]",
        " dot ",
        "(.)",
        "\\.",
        "\\",
        "@",
        "[at]",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "evil",
        "example",
        "nl",
        "xn--",
        "xn--bcher-kva",
        "ü",
        "。",
        "ß",
        "\u{202e}",
        "\u{5d0}",
        "\u{ad}",
        "\u{200d}",
        "1",
        "192.0.2.1",
        "256",
        "0x7f",
        "::",
        "ffff",
        "2001:db8::1",
        "/24",
        "/",
        "AS",
        "?",
        "#",
        "%",
        "%2e",
        "%00",
        "'",
        "\"",
        ",",
        ";",
        "<",
        ">",
        "`",
        " ",
        "\t",
        "\n",
        "\0",
        "_",
        "-",
        "*",
        "||",
        "^",
        "$all",
        "user:pass@",
        ":80",
        ":443",
        "d41d8cd98f00b204e9800998ecf8427e",
        "..",
        "/../",
        "tt",
        "xx",
        "h",
        "p",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..9).prop_map(|pieces| pieces.concat())
}

fn naive_is_under(observable: &Observable, name: &str) -> bool {
    let host = match observable.address() {
        Some(_) => return false,
        None => observable.host().unwrap_or_default(),
    };
    host == name || host.ends_with(&format!(".{name}"))
}

fn naive_is_within(observable: &Observable, net: IpNet) -> bool {
    match (observable, observable.address()) {
        (_, Some(ip)) => net.contains(&ip),
        (Observable::Network(inner), _) => net.contains(&inner.net()),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), nasty_texts()]) {
        match Observable::parse(&text) {
            Ok(observable) => obeys_the_laws(&observable),
            Err(error) => {
                let said = error.to_string();
                prop_assert!(!said.contains(char::is_control), "{said:?}");
            }
        }
        let _ = Tld::parse(&text);
        let _ = Observable::under_prefixes(&text);
    }

    #[test]
    fn texts_decode_only_when_normal(form in prop::sample::select(vec![0u8, 1, 6]), text in nasty_texts()) {
        if let Ok(observable) = codec::decode::<Observable>(&codec::encode(&(form, &text)), 4_096) {
            prop_assert_eq!(observable.to_string(), text);
            obeys_the_laws(&observable);
        }
    }

    #[test]
    fn any_bytes_decode_to_something_lawful_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..40), kind in 0u8..16) {
        let bytes = [&[kind], bytes.as_slice()].concat();
        if let Ok(observable) = codec::decode::<Observable>(&bytes, 4_096) {
            obeys_the_laws(&observable);
        }
        if let Some(observable) = Observable::from_key(&bytes) {
            prop_assert_eq!(observable.key(), bytes);
            obeys_the_laws(&observable);
        }
    }

    #[test]
    fn keys_restore_and_sort(one in observables(), two in observables(), cut in 0usize..40) {
        obeys_the_laws(&one);
        let (first, second) = (one.key(), two.key());
        prop_assert_eq!(one.cmp(&two), first.cmp(&second));
        prop_assert_eq!(one == two, first == second);
        // What the store relies on to find one observable among those under it.
        prop_assert!(!second.starts_with(&[first.as_slice(), &[0]].concat()));
        if cut < first.len() {
            let broken = Observable::from_key(&first[..cut]);
            prop_assert!(broken.is_none_or(|other| other.key() == first[..cut]));
        }
    }

    #[test]
    fn scans_find_what_a_filter_finds(
        all in prop::collection::vec(observables(), 1..60),
        name in "([a-c]\\.)?((evil|b)\\.)?(nl|n|example)",
        net in observables(),
    ) {
        let prefixes = Observable::under_prefixes(&name).expect("a name");
        let stored = |observable: &Observable| [observable.key().as_slice(), &7u64.to_be_bytes()].concat();
        for observable in &all {
            let found = prefixes.iter().any(|prefix| stored(observable).starts_with(prefix));
            prop_assert_eq!(found, naive_is_under(observable, &name), "{} under {}", observable, name);
        }
        let net = match net {
            Observable::Network(net) => net.net(),
            other => other.address().map_or_else(|| "192.0.0.0/23".parse().expect("a network"), IpNet::from),
        };
        let ranges = Observable::within_ranges(net);
        for observable in &all {
            let found = ranges.iter().any(|range| range.contains(&stored(observable)));
            prop_assert_eq!(found, naive_is_within(observable, net), "{} within {}", observable, net);
        }
    }
}
