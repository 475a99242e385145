//! Who appears in the tests: keys, two organisations, their nodes, and statements that are well or badly signed.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use starfish_crypto::{PublicKey, SecretKey, Signature, Strict, Verifier};

use super::super::*;
use crate::{codec, community::Community, limits, statement::*, time::Millis};

pub(super) const DAY: u64 = 86_400_000;

/// Making a key takes a while without optimisation.
pub(super) static KEYS: LazyLock<Vec<SecretKey>> =
    LazyLock::new(|| (0..64).map(|number| SecretKey::from_seed([number; 32])).collect());

pub(super) fn key(number: u8) -> SecretKey {
    KEYS[usize::from(number)].clone()
}

/// Accepts everything, where a test is not about signatures and would make thousands of them.
pub(super) struct Credulous;

impl Verifier for Credulous {
    fn verify(&self, _: &str, _: &[u8], _: &PublicKey, _: &Signature) -> bool {
        true
    }
}

pub(super) fn community() -> Community {
    Community::named("starfish")
}

/// The organisation of roots `numbers`, of which m sign.
pub(super) fn genesis(name: &str, numbers: &[u8], m: u8) -> Manifest {
    let roots: Vec<PublicKey> = numbers.iter().map(|number| key(*number).public()).collect();
    let next = Manifest::commitment(&[key(40).public()], 1);
    Manifest::genesis(name, &roots, m, next, Millis(3_650 * DAY))
}

/// Two of three.
pub(super) fn council() -> Manifest {
    genesis("Council", &[1, 2, 3], 2)
}

/// One of one.
pub(super) fn single() -> Manifest {
    genesis("Single", &[4], 1)
}

/// One of one, with an endorsing key, and both others as its guardians.
pub(super) fn guarded() -> Manifest {
    let mut orgs = vec![council().id(), single().id()];
    orgs.sort();
    Manifest {
        next_commit: Manifest::commitment(&[key(41).public(), key(42).public()], 2),
        endorse_key: Some(key(13).public()),
        guardians: Some(Guardians { orgs, k: 2 }),
        ..genesis("Guarded", &[5], 1)
    }
}

/// Its second manifest, with the promised roots.
pub(super) fn rotated() -> Manifest {
    let roots = [key(41).public(), key(42).public()];
    guarded().successor(
        &roots,
        2,
        Manifest::commitment(&[key(43).public()], 1),
        Millis(4_000 * DAY),
    )
}

/// The same in another form, which contradicts it.
pub(super) fn otherwise() -> Manifest {
    Manifest {
        name: "Guarded too".into(),
        ..rotated()
    }
}

/// What guardians make of it: new roots that nobody promised.
pub(super) fn recovered() -> Manifest {
    guarded().successor(
        &[key(50).public()],
        1,
        Manifest::commitment(&[key(51).public()], 1),
        Millis(4_000 * DAY),
    )
}

pub(super) fn recovery(manifest: &Manifest, keys: &[u8]) -> Recovery {
    Recovery {
        org: guarded().id(),
        manifest: raw_manifest(manifest, keys),
    }
}

pub(super) fn raw<T: serde::Serialize>(kind: Kind, says: &T, keys: &[u8]) -> Statement {
    signed(kind, codec::encode(says), keys)
}

/// The guarded organisation's word for another one.
pub(super) fn endorsement(seq: u64, amount: u8) -> Endorsement {
    Endorsement {
        issuer: guarded().id(),
        subject: council().id(),
        community: Some(community()),
        seq,
        prev: previous(seq),
        amount,
        depth: 2,
        scope: Scope::default(),
        not_before: Millis(DAY),
        not_after: Millis(400 * DAY),
        may_veto: false,
        receive_green: true,
    }
}

pub(super) fn veto(seq: u64) -> Veto {
    Veto {
        issuer: guarded().id(),
        subject: single().id(),
        community: None,
        seq,
        prev: previous(seq),
        scope: Scope::default(),
        withdrawn: false,
        not_before: Millis(DAY),
        not_after: Millis(400 * DAY),
    }
}

pub(super) fn previous(seq: u64) -> Digest {
    if seq == 0 {
        Digest::ZERO
    } else {
        Digest::from_bytes([seq as u8; 32])
    }
}

pub(super) fn revocation(seq: u64, reason: RevocationReason) -> Revocation {
    Revocation {
        seq,
        reason,
        ..Revocation::in_advance(council().id(), 0, key(11).public())
    }
}

pub(super) fn position(epoch: u64, seq: u64) -> LogPosition {
    LogPosition {
        audience: crate::record::Audience::Clear,
        epoch: Millis(epoch),
        seq,
        id: crate::record::RecordId::from_digest(Digest::from_bytes([seq as u8; 32])),
    }
}

pub(super) fn resolution(org: &Manifest, settles: Settles) -> Resolution {
    Resolution {
        org: org.id(),
        community: Some(community()),
        settles,
    }
}

/// The ground, and the guarded organisation.
pub(super) fn guarded_ground() -> Vec<Statement> {
    let mut statements = ground();
    statements.push(raw_manifest(&guarded(), &[5]));
    statements
}

pub(super) fn certificate(org: &Manifest, node: u8, day: u64) -> NodeCertificate {
    let (from, to) = (Millis(day * DAY), Millis((day + 90) * DAY));
    NodeCertificate::new(org.id(), community(), key(node).public(), from, to)
}

pub(super) fn endpoint(org: &Manifest, node: u8, seq: u64) -> EndpointStatement {
    EndpointStatement {
        org: org.id(),
        node_key: key(node).public(),
        community: community(),
        seq,
        addresses: vec![
            format!("/ip4/192.0.2.{node}/tcp/4852"),
            "/dns/node.example/udp/4852/quic-v1".into(),
        ],
        issued_at: Millis(seq),
    }
}

pub(super) fn signed(kind: Kind, body: Vec<u8>, keys: &[u8]) -> Statement {
    let unsigned = Statement::unsigned(kind, body).expect("the body is short");
    keys.iter().fold(unsigned, |statement, number| {
        statement.signed_by(&key(*number)).expect("few keys fit")
    })
}

/// A manifest, whether it makes sense or not, signed by these.
pub(super) fn raw_manifest(manifest: &Manifest, keys: &[u8]) -> Statement {
    signed(Kind::MANIFEST, codec::encode(manifest), keys)
}

pub(super) fn raw_certificate(certificate: &NodeCertificate, keys: &[u8]) -> Statement {
    signed(Kind::CERTIFICATE, codec::encode(certificate), keys)
}

pub(super) fn raw_endpoint(endpoint: &EndpointStatement, keys: &[u8]) -> Statement {
    signed(Kind::ENDPOINT, codec::encode(endpoint), keys)
}

/// What the roster of every row holds already: both organisations, node 11 of the council until day 90, and where it
/// is.
pub(super) fn ground() -> Vec<Statement> {
    vec![
        raw_manifest(&council(), &[1, 2]),
        raw_manifest(&single(), &[4]),
        raw_certificate(&certificate(&council(), 11, 0), &[1, 3, 11]),
        raw_endpoint(&endpoint(&council(), 11, 5), &[11]),
    ]
}

pub(super) fn roster_of(statements: &[Statement]) -> Roster {
    told(statements, &Strict)
}

pub(super) fn told(statements: &[Statement], verifier: &dyn Verifier) -> Roster {
    let mut roster = Roster::new(community());
    for statement in statements {
        let checked = statement.clone().check(verifier).expect("it makes sense");
        roster.admit(&checked).expect("each rests on those before it");
    }
    roster
}

/// What becomes of a statement whose checks are part of the question.
pub(super) fn admit(
    roster: &mut Roster,
    statement: &Statement,
    verifier: &dyn Verifier,
) -> Result<Admitted, RosterRefusal> {
    let checked = statement.clone().check(verifier).map_err(|_| RosterRefusal::Forged)?;
    roster.admit(&checked)
}

pub(super) fn outcome(roster: &mut Roster, bytes: &[u8]) -> &'static str {
    let Ok(statement) = codec::decode::<Statement>(bytes, limits::STATEMENT_BYTES) else {
        return "no statement";
    };
    let checked = match statement.check(&Strict) {
        Ok(checked) => checked,
        Err(CheckError::Forged) => return "forged",
        Err(CheckError::Malformed(_)) => return "malformed",
    };
    match roster.admit(&checked) {
        Ok(Admitted::New) => "new",
        Ok(Admitted::Newer) => "newer",
        Ok(Admitted::Known) => "known",
        Err(RosterRefusal::Forged) => "forged",
        Err(RosterRefusal::Unsupported) => "unsupported",
        Err(RosterRefusal::NotYet) => "not yet",
        Err(RosterRefusal::OtherCommunity) => "other community",
        Err(RosterRefusal::Full) => "full",
    }
}

pub(super) type Row = (&'static str, &'static str, Vec<u8>);

/// Builds a list of rows.
#[derive(Default)]
pub(super) struct Rows(pub(super) Vec<Row>);

impl Rows {
    pub(super) fn add(&mut self, what: &'static str, outcome: &'static str, statement: &Statement) {
        self.0.push((what, outcome, codec::encode(statement)));
    }

    pub(super) fn text(&self) -> String {
        let head = "# What the roster makes of a statement | outcome | bytes of the statement. Fixed for ever.\n";
        let lines = self
            .0
            .iter()
            .map(|(what, outcome, bytes)| format!("{what} | {outcome} | {}\n", HEXLOWER.encode(bytes)));
        std::iter::once(head.to_owned()).chain(lines).collect()
    }
}

/// The statement with one bit of its body flipped.
pub(super) fn spoilt(statement: &Statement, bit: usize) -> Statement {
    let mut spoilt = statement.clone();
    spoilt.body[bit / 8] ^= 1 << (bit % 8);
    spoilt
}

/// The statement with its signatures as this function leaves them.
pub(super) fn resigned(statement: &Statement, change: impl FnOnce(&mut Vec<(PublicKey, Signature)>)) -> Statement {
    let mut other = statement.clone();
    change(&mut other.signatures);
    other
}
