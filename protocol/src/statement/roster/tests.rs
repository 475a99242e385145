//! What the roster takes and refuses, as vectors, and that the order in which statements come does not matter.

mod cast;
mod claims;
mod heads;
mod keys;
mod lifecycle;
mod manifests;
mod others;
mod proofs;
mod room;

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use starfish_crypto::{Signature, Strict};

use self::{cast::*, claims::*, keys::*, manifests::manifest_rows, others::*, proofs::*};
use super::*;
use crate::{
    limits,
    statement::{Kind, Manifest},
};

/// The bytes in the files are those that this version makes, and every roster judges them as the files say.
#[test]
fn vectors_are_judged_as_ever() {
    let check = |rows: Rows, ground: &[Statement], file: &'static str| {
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            let [what, expected, bytes] = line.split(" | ").collect::<Vec<_>>()[..] else {
                panic!("three columns: {line}")
            };
            let bytes = HEXLOWER.decode(bytes.as_bytes()).expect("the column is hexadecimal");
            let mut roster = told(ground, &Credulous);
            let before = roster.digest();
            assert_eq!(outcome(&mut roster, &bytes), expected, "{what}");
            assert_eq!(roster.digest() != before, expected.starts_with("new"), "{what}");
        }
        for (made, fixed) in rows.text().lines().zip(file.lines()) {
            assert_eq!(made, fixed);
        }
        assert_eq!(rows.text().len(), file.len());
    };
    let (ground, guarded) = (ground(), guarded_ground());
    check(
        manifest_rows(),
        &ground,
        include_str!("../../../vectors/statement-manifest.txt"),
    );
    check(
        certificate_rows(),
        &ground,
        include_str!("../../../vectors/statement-certificate.txt"),
    );
    check(
        endpoint_rows(),
        &ground,
        include_str!("../../../vectors/statement-endpoint.txt"),
    );
    check(
        unknown_rows(),
        &ground,
        include_str!("../../../vectors/statement-unknown.txt"),
    );
    check(
        proof_rows(),
        &ground,
        include_str!("../../../vectors/statement-proof.txt"),
    );
    check(
        endorsement_rows(),
        &guarded,
        include_str!("../../../vectors/statement-endorsement.txt"),
    );
    check(
        other_claim_rows(),
        &guarded,
        include_str!("../../../vectors/statement-claims.txt"),
    );
    check(
        key_rows(),
        &guarded,
        include_str!("../../../vectors/statement-keys.txt"),
    );
    check(
        recovery_rows(),
        &guarded,
        include_str!("../../../vectors/statement-recovery.txt"),
    );
    check(
        node_rows(),
        &guarded,
        include_str!("../../../vectors/statement-nodes.txt"),
    );
}

#[test]
fn a_node_speaks_for_its_organisation_while_a_certificate_holds() {
    let mut statements = ground();
    statements.push(raw_certificate(&certificate(&council(), 11, 75), &[1, 2, 11]));
    statements.push(raw_certificate(&certificate(&council(), 11, 200), &[1, 2, 11]));
    let roster = roster_of(&statements);
    let check = |node: u8, at: u64, org: Option<OrgId>| {
        assert_eq!(
            roster.organisation_of(&key(node).public(), Millis(at)),
            org,
            "{node} {at}"
        );
    };
    let org = Some(council().id());
    check(11, 0, org);
    check(11, 80 * DAY, org);
    check(11, 165 * DAY - 1, org);
    check(11, 165 * DAY, None);
    check(11, 200 * DAY - 1, None);
    check(11, 200 * DAY, org);
    check(11, 290 * DAY, None);
    check(12, 0, None);
    check(1, 0, None);
    assert_eq!(roster.name_of(&council().id()), Some("Council"));
    assert_eq!(roster.name_of(&OrgId::from_digest(Digest::ZERO)), None);
    assert_eq!(roster.manifest_of(&single().id()), Some(&single()));
    assert_eq!(
        roster.endpoint_of(&key(11).public()),
        Some(&endpoint(&council(), 11, 5))
    );
    assert_eq!(roster.endpoint_of(&key(12).public()), None);
    assert_eq!(roster.endpoints().count(), 1);
}

#[test]
fn of_two_organisations_the_smallest_counts() {
    let mut statements = ground();
    statements.push(raw_certificate(&certificate(&single(), 11, 0), &[4, 11]));
    statements.push(raw_certificate(&certificate(&single(), 11, 75), &[4, 11]));
    let roster = roster_of(&statements);
    let smallest = council().id().min(single().id());
    assert_eq!(roster.organisation_of(&key(11).public(), Millis(1)), Some(smallest));
    assert_eq!(
        roster.organisation_of(&key(11).public(), Millis(100 * DAY)),
        Some(single().id())
    );
}

#[test]
fn what_is_told_about_a_node_is_enough_for_a_stranger() {
    let mut statements = ground();
    statements.push(raw_certificate(&certificate(&council(), 11, 75), &[1, 2, 11]));
    statements.push(raw_certificate(&certificate(&single(), 11, 0), &[4, 11]));
    statements.push(raw_certificate(&certificate(&single(), 12, 0), &[4, 12]));
    let roster = roster_of(&statements);
    let about = roster.statements_about(&key(11).public());
    assert_eq!(about.len(), 6);
    let stranger = roster_of(&about);
    assert_eq!(stranger.statements_about(&key(11).public()), about);
    assert!(roster.statements_about(&key(20).public()).is_empty());
    let all: Vec<Statement> = roster.statements().cloned().collect();
    assert_eq!(roster_of(&all).digest(), roster.digest());
}

#[test]
fn a_number_used_twice_ends_alike_everywhere() {
    let one = raw_endpoint(
        &EndpointStatement {
            addresses: vec!["/one".into()],
            ..endpoint(&council(), 11, 9)
        },
        &[11],
    );
    let two = raw_endpoint(
        &EndpointStatement {
            addresses: vec!["/two".into()],
            ..endpoint(&council(), 11, 9)
        },
        &[11],
    );
    let after = |first: &Statement, second: &Statement| {
        let mut roster = roster_of(&ground());
        let _ = (admit(&mut roster, first, &Strict), admit(&mut roster, second, &Strict));
        roster.digest()
    };
    assert_eq!(after(&one, &two), after(&two, &one));
}

#[test]
fn an_organisation_keeps_the_certificates_that_end_last() {
    let most = limits::CERTIFICATES_PER_ORGANISATION as u64;
    let unsigned = Signature::from_bytes([0; 64]);
    let statement = |node: u8, day: u64| {
        let bare = raw_certificate(&certificate(&single(), node, day), &[]);
        resigned(&bare, |all| {
            all.extend([4, node].map(|number| (key(number).public(), unsigned)));
            all.sort();
        })
    };
    let mut roster = roster_of(&ground()[..2]);
    let mut admit = |statement: &Statement| admit(&mut roster, statement, &Credulous);
    assert_eq!(admit(&statement(11, 0)), Ok(Admitted::New));
    assert_eq!(
        admit(&raw_endpoint(&endpoint(&single(), 11, 1), &[11])),
        Ok(Admitted::New)
    );
    for day in 1..=most {
        assert_eq!(admit(&statement(12, day)), Ok(Admitted::New));
    }
    assert_eq!(admit(&statement(11, 0)), Err(RosterRefusal::Full));
    // The other organisation has its own room.
    assert_eq!(admit(&ground()[2]), Ok(Admitted::New));
    // The oldest has gone, and with it where the node is.
    assert_eq!(
        roster.organisation_of(&key(11).public(), Millis(1)),
        Some(council().id())
    );
    assert_eq!(roster.endpoint_of(&key(11).public()), None);
    assert_eq!(roster.statements().count() as u64, 3 + most);
}

#[test]
fn later_kinds_have_little_room() {
    let mut roster = roster_of(&ground());
    let statement = |number: u8, signer: u8| signed(Kind(904), vec![number], &[signer]);
    for number in 0..limits::UNKNOWN_PER_ORGANISATION as u8 {
        assert_eq!(admit(&mut roster, &statement(number, 1), &Credulous), Ok(Admitted::New));
    }
    assert_eq!(
        admit(&mut roster, &statement(200, 2), &Credulous),
        Err(RosterRefusal::Full)
    );
    assert_eq!(admit(&mut roster, &statement(200, 4), &Credulous), Ok(Admitted::New));
}

#[test]
fn a_flood_of_organisations_does_not_keep_out_those_that_matter() {
    let signature = Signature::from_bytes([0; 64]);
    let single = single();
    let founding = |number: usize| {
        let manifest = Manifest {
            name: format!("Flood {number}"),
            ..single.clone()
        };
        resigned(&raw_manifest(&manifest, &[]), |all| {
            all.push((manifest.roots[0], signature))
        })
    };
    let mut roster = Roster::new(community());
    let flood: Vec<Statement> = (0..limits::ORGANISATIONS_KNOWN).map(founding).collect();
    for statement in &flood {
        assert_eq!(admit(&mut roster, statement, &Credulous), Ok(Admitted::New));
    }
    assert_eq!(admit(&mut roster, &ground()[0], &Strict), Err(RosterRefusal::Full));
    roster.pin(council().id());
    for statement in [&ground()[0], &ground()[2], &ground()[3]] {
        assert_eq!(admit(&mut roster, statement, &Strict), Ok(Admitted::New));
    }
    assert_eq!(
        roster.organisation_of(&key(11).public(), Millis(1)),
        Some(council().id())
    );
    assert_eq!(roster.statements().count(), limits::ORGANISATIONS_KNOWN + 2);
    // A roster in which every organisation is pinned displaces nothing.
    for statement in &flood {
        roster.pin(statement.founds().expect("it is a manifest"));
    }
    roster.pin(single.id());
    assert_eq!(admit(&mut roster, &ground()[1], &Strict), Err(RosterRefusal::Full));
}

/// Statements of which many rest on each other, and some are false.
static POOL: LazyLock<Vec<Statement>> = LazyLock::new(|| {
    let mut pool = ground();
    for (org, keys) in [(council(), [1, 2]), (single(), [4, 4])] {
        for node in [11, 12] {
            for day in [75, 150] {
                pool.push(raw_certificate(
                    &certificate(&org, node, day),
                    &[keys[0], keys[1], node],
                ));
            }
            for seq in [4, 7, 7] {
                let addresses = vec![format!("/address/{}", pool.len())];
                pool.push(raw_endpoint(
                    &EndpointStatement {
                        addresses,
                        ..endpoint(&org, node, seq)
                    },
                    &[node],
                ));
            }
        }
    }
    pool.push(signed(Kind(904), b"later".to_vec(), &[1]));
    pool.push(signed(Kind(905), b"later".to_vec(), &[4, 2]));
    pool.extend(proofs());
    pool.extend(decisions());
    pool.extend(claims());
    pool.push(raw_certificate(&certificate(&council(), 13, 0), &[1, 13]));
    pool.push(raw_manifest(&genesis("False", &[5, 6], 2), &[5]));
    pool
});

/// What a roster says about everything but nodes at a time.
fn answers(roster: &Roster) -> String {
    let orgs = [council(), single(), guarded()].map(|manifest| manifest.id());
    let all = (
        roster.endorsements().collect::<Vec<_>>(),
        roster.vetoes().collect::<Vec<_>>(),
        roster.parents().collect::<Vec<_>>(),
        roster.frozen().collect::<Vec<_>>(),
        roster.resolutions().collect::<Vec<_>>(),
        roster.recoveries().collect::<Vec<_>>(),
        roster.proven().collect::<Vec<_>>(),
        orgs.map(|org| {
            (
                roster.manifest_of(&org),
                roster.chain(&org, Millis(150 * DAY)),
                roster.urgent_of(&org),
            )
        }),
        [11, 12, 13].map(|node| roster.revoked(&key(node).public())),
    );
    format!("{all:?}")
}

proptest! {
    // Every case verifies some hundred signatures, which takes a while without optimisation.
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Offered in any order, with repeats, until nothing is new any more.
    #[test]
    fn order_does_not_matter(order in Just((0..POOL.len()).collect::<Vec<usize>>()).prop_shuffle(), repeats in prop::collection::vec(0..20usize, 0..6)) {
        let mut expected = Roster::new(community());
        let mut shuffled = Roster::new(community());
        for _ in 0..6 {
            for statement in POOL.iter() {
                let _ = admit(&mut expected, statement, &Strict);
            }
            for place in order.iter().chain(&repeats) {
                let _ = admit(&mut shuffled, &POOL[*place], &Strict);
            }
        }
        prop_assert_eq!(expected.digest(), shuffled.digest());
        prop_assert!(expected.statements().eq(shuffled.statements()));
        prop_assert!(expected.endpoints().eq(shuffled.endpoints()));
        prop_assert_eq!(answers(&expected), answers(&shuffled));
        for node in [1, 11, 12, 13] {
            for day in [0, 80, 100, 170, 300] {
                let (node, at) = (key(node).public(), Millis(day * DAY));
                prop_assert_eq!(expected.organisation_of(&node, at), shuffled.organisation_of(&node, at));
            }
        }
    }
}
