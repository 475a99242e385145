//! Later manifests, proofs of two of them, recoveries, revocations and resolutions that hold, and more that do not.

use starfish_crypto::{Digest, Strict};

use super::cast::*;
use crate::{codec, community::Community, organisation::OrgId, statement::*, time::Millis};

pub(super) fn proof() -> Statement {
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
        last_good: vec![position(5, 7), position(5, 8)],
        ..revocation(0, Compromised)
    };
    rows.add(
        "two positions of one log",
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

pub(super) fn settled(seq: u64) -> Settles {
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
