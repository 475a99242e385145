//! A full roster: what has to leave, what leaves in vain (nothing), and what is told of it.

use starfish_crypto::{PublicKey, Signature, Strict};

use super::cast::*;
use crate::{limits, statement::*};

fn founding(number: usize) -> Statement {
    let manifest = Manifest {
        name: format!("Flood {number}"),
        ..single()
    };
    carelessly_signed(&raw_manifest(&manifest, &[]), &[4])
}

/// With signatures that only a credulous verifier believes.
fn carelessly_signed(statement: &Statement, keys: &[u8]) -> Statement {
    let signature = Signature::from_bytes([0; 64]);
    resigned(statement, |all| {
        let keys: Vec<PublicKey> = keys.iter().map(|number| key(*number).public()).collect();
        all.extend(keys.into_iter().map(|key| (key, signature)));
        all.sort();
    })
}

/// The ground, with so many bytes of other organisations' statements that hardly anything fits any more.
fn full() -> Roster {
    let mut roster = told(&ground(), &Credulous);
    for number in 0..110 {
        assert_eq!(admit(&mut roster, &founding(number), &Credulous), Ok(Admitted::New));
    }
    let mut number = 0_u64;
    for length in [limits::STATEMENT_BODY_BYTES, 200, 8] {
        loop {
            let mut body = vec![0; length];
            body[..8].copy_from_slice(&number.to_be_bytes());
            number += 1;
            let statement = carelessly_signed(&signed(Kind(904), body, &[]), &[4]);
            if admit(&mut roster, &statement, &Credulous) == Err(RosterRefusal::Full) {
                break;
            }
        }
    }
    roster
}

fn long_endpoint(seq: u64) -> Statement {
    let endpoint = EndpointStatement {
        addresses: vec!["x".repeat(256); 8],
        ..endpoint(&council(), 11, seq)
    };
    raw_endpoint(&endpoint, &[11])
}

#[test]
fn what_does_not_fit_displaces_nothing() {
    let mut roster = full();
    let (before, count) = (roster.digest(), roster.statements().count());
    let check = |roster: &mut Roster, statement: &Statement| {
        assert_eq!(admit(roster, statement, &Credulous), Err(RosterRefusal::Full));
        assert_eq!((roster.digest(), roster.statements().count()), (before, count));
        assert_eq!(roster.take_displaced(), []);
        assert_eq!(
            roster.endpoint_of(&key(11).public()),
            Some(&endpoint(&council(), 11, 5))
        );
    };
    check(&mut roster, &long_endpoint(6));
    check(&mut roster, &founding(200));
    // When everyone but a small organisation is pinned, that one would leave in vain.
    let all: Vec<OrgId> = roster.organisations().collect();
    all.iter()
        .filter(|org| **org != council().id())
        .for_each(|org| roster.pin(*org));
    let more = carelessly_signed(&signed(Kind(904), vec![1; limits::STATEMENT_BODY_BYTES], &[]), &[4]);
    check(&mut roster, &more);
    // What replaces something of its own size fits all the same.
    let newer = raw_endpoint(&endpoint(&council(), 11, 6), &[11]);
    assert_eq!(admit(&mut roster, &newer, &Strict), Ok(Admitted::Newer));
    assert_eq!(roster.take_displaced(), [ground()[3].clone()]);
}

#[test]
fn the_displaced_are_named_and_those_who_matter_have_room() {
    let mut roster = full();
    roster.pin(council().id());
    assert_eq!(admit(&mut roster, &long_endpoint(6), &Strict), Ok(Admitted::Newer));
    let gone = roster.take_displaced();
    let manifests = gone.iter().filter(|gone| gone.kind() == Kind::MANIFEST).count();
    assert!(manifests > 0 && gone.contains(&ground()[3]), "{}", gone.len());
    let held: Vec<&Statement> = roster.statements().collect();
    assert!(gone.iter().all(|gone| !held.contains(&gone)));
    assert_eq!(roster.take_displaced(), []);
}

#[test]
fn variants_of_later_kinds_are_told_apart_and_few() {
    let mut roster = roster_of(&ground());
    let stripped = signed(Kind(904), b"later".to_vec(), &[1]);
    let whole = stripped.clone().signed_by(&key(2)).expect("there is room");
    assert_eq!(admit(&mut roster, &stripped, &Strict), Ok(Admitted::New));
    assert_eq!(admit(&mut roster, &whole, &Strict), Ok(Admitted::New));
    let padded = |number: u8| stripped.clone().signed_by(&key(number)).expect("there is room");
    for number in 20..18 + limits::UNKNOWN_VARIANTS as u8 {
        assert_eq!(admit(&mut roster, &padded(number), &Strict), Ok(Admitted::New));
    }
    assert_eq!(admit(&mut roster, &padded(40), &Strict), Err(RosterRefusal::Full));
    let other = signed(Kind(904), b"other".to_vec(), &[1]);
    assert_eq!(admit(&mut roster, &other, &Strict), Ok(Admitted::New));
}

#[test]
fn what_came_since_is_told_in_order() {
    let mut roster = roster_of(&ground());
    let told = |roster: &Roster, change: u64| -> Vec<Statement> {
        roster.since(change).map(|(_, statement)| statement.clone()).collect()
    };
    assert_eq!(told(&roster, 0), ground());
    let before = roster.change();
    let newer = raw_endpoint(&endpoint(&council(), 11, 6), &[11]);
    assert_eq!(admit(&mut roster, &newer, &Strict), Ok(Admitted::Newer));
    assert_eq!(told(&roster, before), [newer]);
    assert_eq!(told(&roster, roster.change()), []);
    assert_eq!(told(&roster, u64::MAX), []);
    // What was replaced is told to nobody any more.
    assert_eq!(told(&roster, 0).len(), ground().len());
}

#[test]
fn who_stands_higher_has_room_and_whom_the_operator_names_in_any_case() {
    let flood = || -> Roster {
        let mut roster = Roster::new(community());
        for number in 0..limits::ORGANISATIONS_KNOWN {
            let founding = founding(number);
            let org = founding.founds().expect("it is a manifest");
            assert_eq!(admit(&mut roster, &founding, &Credulous), Ok(Admitted::New));
            roster.stands(org, 1 + u8::from(number > 0));
        }
        roster
    };
    let founds = |roster: &mut Roster| admit(roster, &ground()[0], &Strict);
    let first = founding(0).founds().expect("it is a manifest");
    let mut roster = flood();
    assert_eq!(founds(&mut roster), Err(RosterRefusal::Full));
    for height in [1, 2] {
        roster.stands(council().id(), height);
        let fits = height > 1;
        assert_eq!(founds(&mut roster).is_ok(), fits, "{height}");
        assert_eq!(roster.manifest_of(&first).is_none(), fits, "the lowest leaves");
    }
    // All that are left stand as high as one more that comes, until somebody does not stand any more.
    roster.stands(single().id(), 2);
    assert_eq!(admit(&mut roster, &ground()[1], &Strict), Err(RosterRefusal::Full));
    let gone = founding(7).founds().expect("it is a manifest");
    roster.stands(gone, 0);
    assert_eq!(admit(&mut roster, &ground()[1], &Strict), Ok(Admitted::New));
    assert!(roster.manifest_of(&gone).is_none());
    // Whom the operator names comes before all of them, as long as he does.
    let mut roster = flood();
    roster.pin(council().id());
    roster.unpin(&council().id());
    assert_eq!(founds(&mut roster), Err(RosterRefusal::Full));
    roster.pin(council().id());
    assert_eq!(founds(&mut roster), Ok(Admitted::New));
    roster.stands(single().id(), 120);
    assert_eq!(admit(&mut roster, &ground()[1], &Strict), Ok(Admitted::New));
    assert!(roster.manifest_of(&council().id()).is_some());
}

#[test]
fn what_is_urgent_has_room_of_its_own() {
    let urgent = raw(Kind::REVOCATION, &revocation(0, RevocationReason::Compromised), &[1, 2]);
    for (height, admitted) in [(0, Err(RosterRefusal::Full)), (1, Ok(Admitted::New))] {
        let mut roster = full();
        // Nobody leaves for anybody.
        let all: Vec<OrgId> = roster.organisations().collect();
        all.iter()
            .filter(|org| **org != council().id())
            .for_each(|org| roster.pin(*org));
        roster.stands(council().id(), height);
        assert_eq!(admit(&mut roster, &long_endpoint(6), &Strict), Err(RosterRefusal::Full));
        assert_eq!(admit(&mut roster, &urgent, &Strict), admitted, "{height}");
        assert_eq!(roster.take_displaced(), []);
    }
}
