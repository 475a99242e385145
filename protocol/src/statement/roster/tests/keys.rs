//! Later manifests, proofs of two of them, recoveries, revocations and resolutions that hold, and more that do not.

use starfish_crypto::{Digest, Strict};

use super::cast::*;
use crate::{
    codec,
    community::Community,
    limits,
    organisation::OrgId,
    record::{Audience, LogId, RecordId},
    statement::*,
    time::Millis,
};

fn proof() -> Statement {
    let [one, two] = [rotated(), otherwise()]
        .map(|manifest| raw_manifest(&manifest, &[41, 42]).check(&Strict).expect("it is sound"));
    CheckedStatement::of_manifests(&one, &two)
        .expect("they contradict each other")
        .statement()
        .clone()
}

/// The proof, whether it makes sense or not.
fn raw_proof(one: &Statement, two: &Statement) -> Statement {
    raw(Kind::MANIFEST_PROOF, &(guarded().id(), rotated().prev, one, two), &[])
}

pub(super) fn key_rows() -> Rows {
    let mut rows = Rows::default();
    let next = rotated();
    rows.add("the promised roots", "new", &raw_manifest(&next, &[41, 42]));
    let fresh = Manifest {
        void_from: Some(0),
        endorse_key: None,
        guardians: None,
        ..next.clone()
    };
    rows.add(
        "the promised roots, and the old ones void",
        "new",
        &raw_manifest(&fresh, &[41, 42]),
    );
    rows.add("one of the promised roots", "forged", &raw_manifest(&next, &[41]));
    rows.add("the old root alone", "forged", &raw_manifest(&next, &[5]));
    rows.add("the old root besides", "forged", &raw_manifest(&next, &[5, 41, 42]));
    let theft = guarded().successor(&[key(5).public()], 1, Digest::ZERO, Millis(DAY));
    rows.add("a thief of the old root", "forged", &raw_manifest(&theft, &[5]));
    let fewer = Manifest { m: 1, ..next.clone() };
    rows.add("fewer needed than promised", "forged", &raw_manifest(&fewer, &[41, 42]));
    let broken = |change: fn(&mut Manifest)| {
        let mut manifest = next.clone();
        change(&mut manifest);
        raw_manifest(&manifest, &[41, 42])
    };
    rows.add("a number left out", "forged", &broken(|manifest| manifest.seq = 2));
    rows.add(
        "behind an unknown manifest",
        "not yet",
        &broken(|manifest| manifest.prev = previous(1)),
    );
    rows.add(
        "of an unknown organisation",
        "not yet",
        &broken(|manifest| manifest.org = Some(OrgId::from_digest(Digest::ZERO))),
    );
    rows.add(
        "that voids itself",
        "malformed",
        &broken(|manifest| manifest.void_from = Some(1)),
    );
    let short = codec::encode(&next);
    rows.add(
        "without its last field",
        "malformed",
        &signed(Kind::MANIFEST, short[..short.len() - 1].to_vec(), &[41, 42]),
    );

    rows.add("two manifests of one number", "new", &proof());
    let [one, two] = [next.clone(), otherwise()].map(|manifest| raw_manifest(&manifest, &[41, 42]));
    let (one, two) = if one.id() < two.id() { (one, two) } else { (two, one) };
    rows.add("the two the other way round", "malformed", &raw_proof(&two, &one));
    rows.add("one manifest twice", "malformed", &raw_proof(&one, &one));
    rows.add(
        "a manifest and its predecessor",
        "malformed",
        &raw_proof(&one, &raw_manifest(&guarded(), &[5])),
    );
    rows.add(
        "two of which one is not signed",
        "forged",
        &raw_proof(&one, &resigned(&two, Vec::clear)),
    );
    rows.add(
        "two, with a signature that nobody needs",
        "forged",
        &proof().signed_by(&key(5)).expect("there is room"),
    );
    rows
}

pub(super) fn recovery_rows() -> Rows {
    let mut rows = Rows::default();
    let says = recovery(&recovered(), &[50]);
    rows.add("by both guardians", "new", &raw(Kind::RECOVERY, &says, &[1, 2, 4]));
    rows.add("by one of two guardians", "not yet", &raw(Kind::RECOVERY, &says, &[4]));
    rows.add(
        "by too few roots of one",
        "not yet",
        &raw(Kind::RECOVERY, &says, &[1, 4]),
    );
    rows.add(
        "by a stranger besides",
        "not yet",
        &raw(Kind::RECOVERY, &says, &[1, 2, 4, 20]),
    );
    rows.add("by its own root", "not yet", &raw(Kind::RECOVERY, &says, &[5]));
    rows.add("by nobody", "forged", &raw(Kind::RECOVERY, &says, &[]));
    rows.add(
        "roots that do not sign",
        "forged",
        &raw(Kind::RECOVERY, &recovery(&recovered(), &[]), &[1, 2, 4]),
    );
    let of_single = single().successor(&[key(50).public()], 1, Digest::ZERO, Millis(DAY));
    let unasked = Recovery {
        org: single().id(),
        manifest: raw_manifest(&of_single, &[50]),
    };
    rows.add(
        "of one that has no guardians",
        "forged",
        &raw(Kind::RECOVERY, &unasked, &[1, 2]),
    );
    let other = Recovery {
        org: council().id(),
        ..says.clone()
    };
    rows.add(
        "of somebody else",
        "malformed",
        &raw(Kind::RECOVERY, &other, &[1, 2, 4]),
    );
    let nothing = Recovery {
        manifest: raw(Kind::ENDORSEMENT, &endorsement(0, 1), &[13]),
        ..says
    };
    rows.add(
        "without a manifest",
        "malformed",
        &raw(Kind::RECOVERY, &nothing, &[1, 2, 4]),
    );
    rows
}

pub(super) fn node_rows() -> Rows {
    use RevocationReason::{Compromised, Retired};
    let mut rows = Rows::default();
    let good = raw(Kind::REVOCATION, &revocation(0, Compromised), &[1, 2]);
    rows.add("a revocation signed in advance", "new", &good);
    let precise = Revocation {
        last_good: vec![position(5, 7)],
        community: Some(community()),
        ..revocation(1, Compromised)
    };
    rows.add(
        "a revocation behind a position",
        "new",
        &raw(Kind::REVOCATION, &precise, &[2, 3]),
    );
    rows.add(
        "a retirement",
        "new",
        &raw(Kind::REVOCATION, &revocation(3, Retired), &[1, 2, 3]),
    );
    rows.add(
        "a revocation by one root",
        "forged",
        &raw(Kind::REVOCATION, &revocation(0, Compromised), &[1]),
    );
    rows.add(
        "a revocation by the node",
        "forged",
        &raw(Kind::REVOCATION, &revocation(0, Compromised), &[11]),
    );
    rows.add(
        "a revocation by foreign roots",
        "forged",
        &raw(Kind::REVOCATION, &revocation(0, Compromised), &[4]),
    );
    rows.add(
        "a revocation by a foreign root besides",
        "forged",
        &raw(Kind::REVOCATION, &revocation(0, Compromised), &[1, 2, 4]),
    );
    rows.add("one root twice", "forged", &resigned(&good, |all| all[1] = all[0]));
    let later = Revocation {
        manifest_seq: 1,
        ..revocation(0, Compromised)
    };
    rows.add(
        "a revocation under a later manifest",
        "not yet",
        &raw(Kind::REVOCATION, &later, &[1, 2]),
    );
    let other = Revocation {
        community: Some(Community::named("other")),
        ..revocation(0, Compromised)
    };
    rows.add(
        "a revocation in another mesh",
        "other community",
        &raw(Kind::REVOCATION, &other, &[1, 2]),
    );
    let twice = Revocation {
        last_good: vec![position(5, 7), position(6, 8)],
        ..revocation(0, Compromised)
    };
    rows.add(
        "two positions of one audience",
        "malformed",
        &raw(Kind::REVOCATION, &twice, &[1, 2]),
    );
    rows.add(
        "a resolution as a revocation",
        "malformed",
        &raw(Kind::REVOCATION, &resolution(&council(), settled(7)), &[1, 2]),
    );

    let good = raw(Kind::RESOLUTION, &resolution(&council(), settled(7)), &[1, 2]);
    rows.add("a node goes on", "new", &good);
    rows.add(
        "a node goes on by one root",
        "forged",
        &raw(Kind::RESOLUTION, &resolution(&council(), settled(7)), &[1]),
    );
    rows.add(
        "a node goes on by itself",
        "forged",
        &raw(Kind::RESOLUTION, &resolution(&council(), settled(7)), &[11]),
    );
    let unknown = Settles::Manifest { id: previous(1) };
    rows.add(
        "an unknown manifest goes on",
        "not yet",
        &raw(Kind::RESOLUTION, &resolution(&council(), unknown), &[1, 2]),
    );
    let unknown = Settles::Recovery { id: previous(1) };
    rows.add(
        "an unknown recovery is called off",
        "not yet",
        &raw(Kind::RESOLUTION, &resolution(&council(), unknown), &[1]),
    );
    rows
}

fn settled(seq: u64) -> Settles {
    Settles::Node {
        node_key: key(11).public(),
        manifest_seq: 0,
        at: position(DAY, seq),
    }
}

/// Some that contradict each other, for the test of the order.
pub(super) fn decisions() -> Vec<Statement> {
    let goes_on = Settles::Manifest {
        id: rotated().statement_id(),
    };
    let revoked_later = Revocation {
        org: guarded().id(),
        manifest_seq: 1,
        node_key: key(12).public(),
        ..revocation(0, RevocationReason::Compromised)
    };
    let under_later = NodeCertificate {
        manifest_seq: 1,
        ..certificate(&guarded(), 12, 0)
    };
    let recovery = raw(Kind::RECOVERY, &recovery(&recovered(), &[50]), &[1, 2, 4]);
    let after = recovered().successor(&[key(51).public()], 1, Digest::ZERO, Millis(DAY));
    vec![
        raw_manifest(&guarded(), &[5]),
        raw_manifest(&rotated(), &[41, 42]),
        raw_manifest(&otherwise(), &[41, 42]),
        proof(),
        raw(Kind::RESOLUTION, &resolution(&guarded(), goes_on), &[5, 41, 42]),
        recovery.clone(),
        raw_manifest(&after, &[51]),
        raw(
            Kind::RESOLUTION,
            &resolution(&guarded(), Settles::Recovery { id: recovery.id() }),
            &[41],
        ),
        raw(Kind::REVOCATION, &revocation(0, RevocationReason::Compromised), &[1, 2]),
        raw(Kind::REVOCATION, &revocation(2, RevocationReason::Retired), &[1, 3]),
        raw(Kind::REVOCATION, &revoked_later, &[41, 42]),
        raw_certificate(&under_later, &[41, 42, 12]),
        raw(Kind::RESOLUTION, &resolution(&council(), settled(3)), &[1, 2]),
        raw(Kind::RESOLUTION, &resolution(&council(), settled(9)), &[2, 3]),
    ]
}

#[test]
fn keys_rotate_and_older_certificates_stay() {
    let mut statements = guarded_ground();
    statements.push(raw_certificate(&certificate(&guarded(), 12, 0), &[5, 12]));
    statements.push(raw_manifest(&rotated(), &[41, 42]));
    let under_later = NodeCertificate {
        manifest_seq: 1,
        ..certificate(&guarded(), 14, 0)
    };
    statements.push(raw_certificate(&under_later, &[14, 41, 42]));
    let mut roster = roster_of(&statements);
    let org = guarded().id();
    let speak = |roster: &Roster| [12, 14].map(|node| roster.organisation_of(&key(node).public(), Millis(1)));
    assert_eq!(speak(&roster), [Some(org); 2]);
    assert_eq!(
        roster
            .manifest_chain(&org)
            .map(|manifest| manifest.seq)
            .collect::<Vec<_>>(),
        [0, 1]
    );
    assert!(roster.lapsed(&org, Millis(4_000 * DAY)) && !roster.lapsed(&org, Millis(3_999 * DAY)));
    // A stranger who is told about the later node can judge it.
    let about = roster.statements_about(&key(14).public());
    assert_eq!(
        roster_of(&about).organisation_of(&key(14).public(), Millis(1)),
        Some(org)
    );
    // A manifest that voids the first one takes its node along.
    let last = rotated().successor(&[key(43).public()], 1, Manifest::retirement(), Millis(DAY));
    let last = Manifest {
        void_from: Some(0),
        ..last
    };
    assert_eq!(
        admit(&mut roster, &raw_manifest(&last, &[43]), &Strict),
        Ok(Admitted::New)
    );
    assert_eq!(speak(&roster), [None, None]);
    assert_eq!(roster.is_frozen(&org), Some(Freeze::Retired));
}

#[test]
fn two_manifests_of_one_number_freeze_until_somebody_decides() {
    let org = guarded().id();
    let frozen = Some(Freeze::Forked { seq: 0 });
    let both = [rotated(), otherwise()].map(|manifest| raw_manifest(&manifest, &[41, 42]));
    let mut roster = roster_of(&guarded_ground());
    let mut admits = |statement: &Statement, expected: Option<Freeze>| {
        assert_eq!(admit(&mut roster, statement, &Strict), Ok(Admitted::New));
        assert_eq!(roster.is_frozen(&org), expected);
    };
    admits(&both[0], None);
    admits(&both[1], frozen);
    let made = roster.manifest_proof(&org).expect("both are held");
    assert_eq!(made.statement(), &proof());
    // Whoever holds one of them learns by the proof alone.
    let mut other = roster_of(&[guarded_ground(), both[..1].to_vec()].concat());
    assert_eq!(admit(&mut other, &proof(), &Strict), Ok(Admitted::New));
    assert_eq!(
        (other.is_frozen(&org), other.manifest_of(&org)),
        (frozen, Some(&guarded()))
    );
    assert_eq!(other.urgent_of(&org).len(), 3);
    assert!(other.take_changes().contains(&Concern::Organisation(org)));
    // Roots before and after together choose; either alone does not, and two choices are none.
    let choice = |manifest: &Manifest, keys: &[u8]| {
        let settles = Settles::Manifest {
            id: manifest.statement_id(),
        };
        raw(Kind::RESOLUTION, &resolution(&guarded(), settles), keys)
    };
    for keys in [&[5][..], &[41, 42], &[5, 41]] {
        assert_eq!(
            admit(&mut roster, &choice(&rotated(), keys), &Strict),
            Err(RosterRefusal::Forged)
        );
    }
    let mut admits = |statement: &Statement, expected: Option<Freeze>| {
        assert_eq!(admit(&mut roster, statement, &Strict), Ok(Admitted::New));
        assert_eq!(roster.is_frozen(&org), expected);
    };
    admits(&choice(&rotated(), &[5, 41, 42]), None);
    admits(&choice(&otherwise(), &[5, 41, 42]), frozen);
    roster.decide(&org, otherwise().statement_id());
    assert_eq!(
        (roster.is_frozen(&org), roster.manifest_of(&org)),
        (None, Some(&otherwise()))
    );
}

#[test]
fn a_recovery_takes_effect_late_unless_a_root_calls_it_off() {
    let statement = raw(Kind::RECOVERY, &recovery(&recovered(), &[50]), &[1, 2, 4]);
    let org = guarded().id();
    let id = statement.id();
    let start = || {
        let mut roster = roster_of(&guarded_ground());
        assert_eq!(admit(&mut roster, &statement, &Strict), Ok(Admitted::New));
        assert!(roster.take_changes().contains(&Concern::Recovery(id)));
        assert_eq!(roster.recover(Millis(u64::MAX)), [], "nobody said when it was seen");
        roster.saw_recovery(&id, Millis(5));
        roster.saw_recovery(&id, Millis(9));
        roster
    };
    let call_off = |by: u8| {
        raw(
            Kind::RESOLUTION,
            &resolution(&guarded(), Settles::Recovery { id }),
            &[by],
        )
    };
    let due = Millis(5 + limits::RECOVERY_DELAY.0);
    let mut roster = start();
    assert_eq!(roster.recover(Millis(due.0 - 1)), []);
    assert_eq!(roster.manifest_of(&org), Some(&guarded()));
    for stranger in [20, 50, 41] {
        assert_eq!(
            admit(&mut roster, &call_off(stranger), &Strict),
            Err(RosterRefusal::NotYet)
        );
    }
    assert_eq!(roster.recover(due), [id]);
    assert_eq!(roster.manifest_of(&org), Some(&recovered()));
    assert!(roster.take_changes().contains(&Concern::Organisation(org)));
    // Too late.
    assert_eq!(admit(&mut roster, &call_off(5), &Strict), Ok(Admitted::New));
    assert_eq!(roster.recover(due), []);
    assert_eq!(roster.manifest_of(&org), Some(&recovered()));

    let mut roster = start();
    assert_eq!(admit(&mut roster, &call_off(5), &Strict), Ok(Admitted::New));
    assert_eq!(roster.recover(Millis(u64::MAX)), []);
    assert_eq!(roster.manifest_of(&org), Some(&guarded()));
    assert!(roster.recoveries().all(|(_, recovery)| recovery.called_off));
    // What took effect before a restart is told.
    roster.recovered(&id);
    assert_eq!(roster.manifest_of(&org), Some(&recovered()));
}

#[test]
fn a_recovery_unseats_a_thief_of_the_next_keys() {
    let mut roster = roster_of(&guarded_ground());
    let org = guarded().id();
    let good = Manifest { seq: 2, ..recovered() };
    let recovery = raw(Kind::RECOVERY, &recovery(&good, &[50]), &[1, 2, 4]);
    for statement in [raw_manifest(&rotated(), &[41, 42]), recovery.clone()] {
        assert_eq!(admit(&mut roster, &statement, &Strict), Ok(Admitted::New));
    }
    roster.saw_recovery(&recovery.id(), Millis(0));
    assert_eq!(roster.recover(limits::RECOVERY_DELAY), [recovery.id()]);
    let seqs: Vec<u64> = roster.manifest_chain(&org).map(|manifest| manifest.seq).collect();
    assert_eq!(seqs, [0, 2]);
    let after = good.successor(&[key(51).public()], 1, Digest::ZERO, Millis(DAY));
    assert_eq!(
        admit(&mut roster, &raw_manifest(&after, &[51]), &Strict),
        Ok(Admitted::New)
    );
    assert_eq!(roster.manifest_of(&org), Some(&after));
}

#[test]
fn a_revocation_cuts_a_log_at_a_position() {
    let node = key(11).public();
    let mut roster = roster_of(&ground());
    let log = |epoch: u64| LogId {
        author: node,
        audience: Audience::Clear,
        epoch: Millis(epoch),
    };
    let counts = |roster: &Roster, epoch: u64, seq: u64| {
        let id = RecordId::from_digest(Digest::from_bytes([seq as u8; 32]));
        roster.certificate_behind(&log(epoch), seq, id, Millis(1)).is_some()
    };
    let mut check = |seq: u64, reason: RevocationReason, last_good: Vec<LogPosition>, expected: [bool; 4]| {
        let says = Revocation {
            last_good,
            ..revocation(seq, reason)
        };
        assert!(admit(&mut roster, &raw(Kind::REVOCATION, &says, &[1, 2]), &Strict).is_ok());
        assert_eq!(roster.revoked(&node), Some(&says));
        assert_eq!(roster.certificate_of(&node, Millis(1)), None);
        let places = [(4, 99), (5, 6), (5, 7), (5, 8)];
        assert_eq!(places.map(|(epoch, seq)| counts(&roster, epoch, seq)), expected);
    };
    check(0, RevocationReason::Compromised, Vec::new(), [false; 4]);
    check(
        1,
        RevocationReason::Compromised,
        vec![position(5, 7)],
        [true, true, true, false],
    );
    check(2, RevocationReason::Retired, Vec::new(), [true; 4]);
    // An earlier number changes nothing.
    let early = raw(Kind::REVOCATION, &revocation(0, RevocationReason::Compromised), &[1, 3]);
    assert_eq!(admit(&mut roster, &early, &Strict), Ok(Admitted::Known));
    // Another record at the last good position is not the one that was meant.
    let says = position(5, 7);
    assert!(!says.covers(Audience::Clear, Millis(5), 7, RecordId::from_digest(Digest::ZERO)));
    assert!(!says.covers(Audience::Green, Millis(5), 6, says.id));
}

#[test]
fn old_roots_revoke_no_new_node() {
    let mut statements = guarded_ground();
    statements.push(raw_manifest(&rotated(), &[41, 42]));
    let under_later = NodeCertificate {
        manifest_seq: 1,
        ..certificate(&guarded(), 12, 0)
    };
    statements.push(raw_certificate(&under_later, &[12, 41, 42]));
    let mut roster = roster_of(&statements);
    let node = key(12).public();
    let says = Revocation::in_advance(guarded().id(), 0, node);
    assert_eq!(
        admit(&mut roster, &raw(Kind::REVOCATION, &says, &[5]), &Strict),
        Ok(Admitted::New)
    );
    assert_eq!(roster.organisation_of(&node, Millis(1)), Some(guarded().id()));
    let says = Revocation {
        manifest_seq: 1,
        ..says
    };
    assert_eq!(
        admit(&mut roster, &raw(Kind::REVOCATION, &says, &[5]), &Strict),
        Err(RosterRefusal::NotYet)
    );
    assert_eq!(
        admit(&mut roster, &raw(Kind::REVOCATION, &says, &[41, 42]), &Strict),
        Ok(Admitted::New)
    );
    assert_eq!(roster.organisation_of(&node, Millis(1)), None);
}

#[test]
fn a_resolution_reopens_a_node_up_to_its_position() {
    let proof = &super::proofs::proofs()[0];
    let node = key(11).public();
    let settles = |seq: u64| raw(Kind::RESOLUTION, &resolution(&council(), settled(seq)), &[1, 2]);
    let mut roster = roster_of(&ground());
    let mut check = |statement: &Statement, proven: bool| {
        let _ = admit(&mut roster, statement, &Strict);
        assert_eq!(roster.proven().any(|key| *key == node), proven);
    };
    check(proof, true);
    check(&settles(4), true);
    check(&settles(5), false);
    check(proof, false);
    // An organisation of the thief's own, which confirms nothing, keeps the node out.
    check(&raw_certificate(&certificate(&single(), 11, 0), &[4, 11]), false);
    check(proof, true);
}
