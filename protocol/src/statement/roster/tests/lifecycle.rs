//! What becomes of organisations and nodes when keys rotate, are stolen, lost, revoked and recovered.

use starfish_crypto::{Digest, Strict};

use super::{cast::*, keys::*};
use crate::{
    limits,
    record::{Audience, LogId, RecordId},
    statement::*,
    time::Millis,
};

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
        [false, true, true, false],
    );
    check(
        2,
        RevocationReason::Compromised,
        vec![position(4, 100), position(5, 7)],
        [true, true, true, false],
    );
    check(3, RevocationReason::Retired, Vec::new(), [true; 4]);
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
