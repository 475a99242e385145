//! Statements as bytes and as text. What the roster makes of them is tested beside it.

use proptest::prelude::*;
use starfish_crypto::{SecretKey, Strict};

use super::*;
use crate::{community::Community, time::Millis};

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

fn manifest() -> Manifest {
    let roots = [key(1).public(), key(2).public(), key(3).public()];
    Manifest::genesis(
        "CERT Example",
        &roots,
        2,
        Manifest::commitment(&[key(4).public()], 1),
        Millis(9_000),
    )
}

#[test]
fn an_id_covers_kind_and_body_and_signatures_only_of_later_kinds() {
    let known = manifest().sign(&[&key(1)]).expect("it is sound");
    assert_eq!(known.id(), manifest().sign(&[]).expect("it is sound").id());
    let bare = Statement::unsigned(Kind(909), b"body".to_vec()).expect("it is short");
    let signed = bare.clone().signed_by(&key(1)).expect("there is room");
    assert_ne!(bare.id(), signed.id());
    assert_ne!(
        signed.id(),
        signed.clone().signed_by(&key(2)).expect("there is room").id()
    );
    let check = |kind: u16, body: &[u8]| {
        let other = Statement::unsigned(Kind(kind), body.to_vec()).expect("it is short");
        assert_ne!(bare.id(), other.id());
    };
    check(908, b"body");
    check(0x8d03, b"body");
    check(909, b"bodz");
    check(909, b"");
}

#[test]
fn a_manifest_names_its_organisation() {
    let statement = manifest().sign(&[&key(1)]).expect("it is sound");
    assert_eq!(statement.founds(), Some(manifest().id()));
    assert_eq!(
        Statement::unsigned(Kind(909), b"body".to_vec())
            .expect("it is short")
            .founds(),
        None
    );
    let mut other = manifest();
    other.name.push('.');
    assert_ne!(other.id(), manifest().id());
}

#[test]
fn a_commitment_covers_keys_and_number_in_any_order() {
    let of = |numbers: &[u8], m: u8| {
        let keys: Vec<PublicKey> = numbers.iter().map(|number| key(*number).public()).collect();
        Manifest::commitment(&keys, m)
    };
    assert_eq!(of(&[1, 2, 3], 2), of(&[3, 1, 2], 2));
    for other in [
        of(&[1, 2, 3], 3),
        of(&[1, 2], 2),
        of(&[1, 2, 4], 2),
        of(&[], 2),
        of(&[], 0),
    ] {
        assert_ne!(of(&[1, 2, 3], 2), other);
    }
}

#[test]
fn signatures_stand_by_key_and_once_each() {
    let one = manifest().sign(&[&key(1), &key(2), &key(1)]).expect("it is sound");
    let two = manifest().sign(&[&key(2), &key(1)]).expect("it is sound");
    assert_eq!(one, two);
    assert_eq!(one.signers(|_| true, &Strict), Some(2));
    assert_eq!(one.signers(|signer| *signer == key(1).public(), &Strict), None);
    let later = manifest()
        .sign(&[&key(2)])
        .expect("it is sound")
        .signed_by(&key(1))
        .expect("there is room");
    assert_eq!(one, later);
}

#[test]
fn a_statement_is_bounded() {
    let check = |body: usize, signatures: usize, fits: bool| {
        let signature = (key(1).public(), key(1).sign(domain::STATEMENT, b""));
        let encoded = codec::encode(&(Kind(7), vec![0u8; body], vec![signature; signatures]));
        let decoded = codec::decode::<Statement>(&encoded, usize::MAX);
        assert_eq!(decoded.is_ok(), fits, "{body} {signatures}");
        assert!(!fits || encoded.len() <= limits::STATEMENT_BYTES);
    };
    check(0, 0, true);
    check(limits::STATEMENT_BODY_BYTES, limits::STATEMENT_SIGNATURES, true);
    check(limits::STATEMENT_BODY_BYTES + 1, 0, false);
    check(0, limits::STATEMENT_SIGNATURES + 1, false);
    assert_eq!(
        Statement::unsigned(Kind(7), vec![0; limits::STATEMENT_BODY_BYTES + 1]),
        Err(StatementError::TooLong)
    );
    let full = (1..=16).try_fold(
        Statement::unsigned(Kind(7), Vec::new()).expect("it is short"),
        |statement, number| statement.signed_by(&key(number)),
    );
    let full = full.expect("sixteen keys fit");
    assert_eq!(full.clone().signed_by(&key(3)), Ok(full.clone()));
    assert_eq!(full.signed_by(&key(17)), Err(StatementError::TooLong));
}

#[test]
fn manifests_that_make_no_sense_are_not_signed() {
    type Change = fn(&mut Manifest);
    let check = |change: Change, error: Option<StatementError>| {
        let mut manifest = manifest();
        change(&mut manifest);
        assert_eq!(manifest.sign(&[&key(1)]).err(), error, "{manifest:?}");
    };
    use StatementError::{Contradiction, Name, Roots, Signer, Threshold};
    let org = || OrgId::from_digest(Digest::of(domain::MANIFEST, b"other"));
    let guardians = |orgs: &[OrgId], k: u8| Some(Guardians { orgs: orgs.to_vec(), k });
    check(|_| (), None);
    check(|manifest| manifest.name = "N".repeat(128), None);
    check(|manifest| manifest.name = "Büro für Sicherheit".into(), None);
    check(|manifest| manifest.m = 1, None);
    check(|manifest| manifest.m = 3, None);
    check(|manifest| manifest.name = String::new(), Some(Name));
    check(|manifest| manifest.name = "N".repeat(129), Some(Name));
    check(|manifest| manifest.name = "ü".repeat(65), Some(Name));
    check(|manifest| manifest.name = " CERT".into(), Some(Name));
    check(|manifest| manifest.name = "CERT\n".into(), Some(Name));
    check(|manifest| manifest.name = "CERT\u{1b}[2J".into(), Some(Name));
    check(|manifest| manifest.name = "CERT \u{202e}TREC".into(), Some(Name));
    check(|manifest| manifest.name = "CE\u{200b}RT".into(), Some(Name));
    check(|manifest| manifest.roots.clear(), Some(Roots));
    check(|manifest| manifest.roots.reverse(), Some(Roots));
    check(|manifest| manifest.roots.insert(1, manifest.roots[0]), Some(Roots));
    check(
        |manifest| manifest.roots = (1..=8).map(|number| PublicKey::from_bytes([number; 32])).collect(),
        Some(Roots),
    );
    check(|manifest| manifest.m = 0, Some(Threshold));
    check(|manifest| manifest.m = 4, Some(Threshold));
    check(|manifest| manifest.m = 255, Some(Threshold));
    check(|manifest| manifest.prev = Digest::of("x", b""), Some(Contradiction));
    check(|manifest| manifest.org = Some(manifest.id()), Some(Contradiction));
    check(|manifest| manifest.seq = 1, Some(Contradiction));
    check(
        |manifest| manifest.guardians = Some(Guardians { orgs: Vec::new(), k: 0 }),
        Some(Contradiction),
    );
    let strangers = [key(8).public(), key(9).public()];
    let strangers = Manifest::genesis("Strangers", &strangers, 2, Digest::ZERO, Millis(1));
    assert_eq!(strangers.sign(&[&key(8), &key(1)]), Err(Signer));
    for (guardians, error) in [
        (guardians(&[org()], 1), None),
        (guardians(&[org()], 0), Some(Contradiction)),
        (guardians(&[org()], 2), Some(Contradiction)),
        (guardians(&[org(), org()], 1), Some(Contradiction)),
        (
            guardians(
                &(0..8)
                    .map(|n| OrgId::from_digest(Digest::from_bytes([n; 32])))
                    .collect::<Vec<_>>(),
                1,
            ),
            Some(Contradiction),
        ),
    ] {
        let manifest = Manifest {
            guardians,
            ..manifest()
        };
        assert_eq!(manifest.sign(&[&key(1)]).err(), error, "{manifest:?}");
    }
}

#[test]
fn certificates_hold_for_some_time_and_not_long() {
    const DAY: u64 = 86_400_000;
    let check = |not_before: u64, not_after: u64, error: Option<StatementError>| {
        let (org, community) = (manifest().id(), Community::named("starfish"));
        let (from, to) = (Millis(not_before), Millis(not_after));
        let certificate = NodeCertificate::new(org, community, key(5).public(), from, to);
        assert_eq!(
            certificate.sign(&[&key(1)], &key(5)).err(),
            error,
            "{not_before} {not_after}"
        );
        assert_eq!(
            certificate.sign(&[&key(1)], &key(6)).err(),
            Some(StatementError::Signer)
        );
    };
    check(0, 1, None);
    check(5 * DAY, 95 * DAY, None);
    check(u64::MAX - 1, u64::MAX, None);
    check(5, 5, Some(StatementError::Window));
    check(6, 5, Some(StatementError::Window));
    check(0, 90 * DAY + 1, Some(StatementError::Window));
    check(0, u64::MAX, Some(StatementError::Window));
    let certificate = NodeCertificate::new(
        manifest().id(),
        Community::named("x"),
        key(5).public(),
        Millis(5),
        Millis(7),
    );
    let covered: Vec<bool> = (4..9).map(|at| certificate.covers(Millis(at))).collect();
    assert_eq!(covered, [false, true, true, false, false]);
}

#[test]
fn addresses_are_few_and_printable() {
    let check = |addresses: Vec<String>, error: Option<StatementError>| {
        let endpoint = EndpointStatement {
            org: manifest().id(),
            node_key: key(5).public(),
            community: Community::named("starfish"),
            seq: 1,
            addresses,
            issued_at: Millis(1),
        };
        assert_eq!(endpoint.sign(&key(5)).err(), error, "{endpoint:?}");
        assert!(endpoint.sign(&key(6)).is_err());
    };
    check(Vec::new(), None);
    check(vec!["/ip4/192.0.2.7/tcp/4852".into()], None);
    check(vec!["x".repeat(256); 8], None);
    check(vec!["x".into(); 9], Some(StatementError::Addresses));
    for address in ["", " ", "a b", "a\n", "ä", &"x".repeat(257)] {
        check(
            vec!["/ip4/192.0.2.7/tcp/4852".into(), address.into()],
            Some(StatementError::Addresses),
        );
    }
}

#[test]
fn text_is_read_back_or_says_what_is_wrong() {
    let statement = manifest().sign(&[&key(1), &key(2)]).expect("it is sound");
    let whole = statement.to_text();
    assert!(
        whole.lines().all(|line| line.len() <= 64) && whole.ends_with('\n'),
        "{whole}"
    );
    let wrapped = format!(
        "Dear colleague,\r\n\r\n{}\r\nBest regards",
        whole.replace('\n', "\r\n  ")
    );
    for good in [&whole, &wrapped, &format!("\u{feff}{whole}")] {
        assert_eq!(Statement::from_text(good), Ok(statement.clone()));
    }
    assert_eq!(Statement::all_from_text(&whole.repeat(5)).map(|all| all.len()), Ok(5));
    let check = |text: &str, error: TextError| assert_eq!(Statement::from_text(text), Err(error), "{text}");
    check("", TextError::Missing);
    check(
        "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
        TextError::Missing,
    );
    check(&whole.repeat(2), TextError::TooMany);
    check(&whole.repeat(limits::STATEMENTS_PER_ANSWER + 1), TextError::TooMany);
    check(&whole[..whole.len() / 2], TextError::Cut);
    check(&whole.replace("-----END", "----END"), TextError::Cut);
    check(&whole.replacen("bc", "b", 1), TextError::Damaged);
    check(&whole.replacen("bc", "b*", 1), TextError::Damaged);
    check(
        "-----BEGIN STARFISH STATEMENT----------END STARFISH STATEMENT-----",
        TextError::Damaged,
    );
    let long = format!("{}\n", "A".repeat(64)).repeat(1_000);
    check(
        &whole.replace("-----END", &format!("{long}-----END")),
        TextError::Damaged,
    );
    let trailing = format!(
        "-----BEGIN STARFISH STATEMENT-----\n{}\n-----END STARFISH STATEMENT-----",
        { data_encoding::BASE64.encode(&[codec::encode(&statement), vec![0]].concat()) }
    );
    check(&trailing, TextError::Damaged);
}

fn any_statement() -> impl Strategy<Value = Statement> {
    let body = prop::collection::vec(any::<u8>(), 0..300);
    (any::<u16>(), body, prop::collection::vec(1..9u8, 0..4)).prop_map(|(kind, body, keys)| {
        let unsigned = Statement::unsigned(Kind(kind), body).expect("it is short");
        keys.into_iter().fold(unsigned, |statement, number| {
            statement.signed_by(&key(number)).expect("few keys fit")
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Kinds that nobody knows yet survive the wire and the clipboard, and their signatures with them.
    #[test]
    fn any_kind_survives(statement in any_statement()) {
        let carried = codec::decode::<Statement>(&codec::encode(&statement), limits::STATEMENT_BYTES);
        prop_assert_eq!(carried.as_ref(), Ok(&statement));
        prop_assert_eq!(Statement::from_text(&statement.to_text()), Ok(statement.clone()));
        prop_assert_eq!(statement.signers(|_| true, &Strict), Some(statement.signatures().len()));
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}", begins: bool) {
        let text = if begins { format!("-----BEGIN STARFISH STATEMENT-----{text}-----END STARFISH STATEMENT-----") } else { text };
        let _ = Statement::all_from_text(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(kind in prop::sample::select(vec![1u16, 2, 3, 7]), body in prop::collection::vec(any::<u8>(), 0..400)) {
        let statement = Statement::unsigned(Kind(kind), body).expect("it is short");
        prop_assert!(statement.check(&Strict).is_err());
    }
}
