//! Proofs of two histories that hold, and more that do not; what becomes of them when their author's certificates go.

use starfish_crypto::{Signature, Signed, Strict, Verified};

use super::cast::*;
use crate::{
    codec,
    community::Community,
    record::{Audience, Extensions, Header, Kind as RecordKind, RecordId, Tlp, Topic},
    statement::*,
    time::Millis,
};

/// A header of this node; `change` may set any field of it before it is signed.
fn header(node: u8, change: impl FnOnce(&mut Header)) -> Verified<Header> {
    let mut header = Header {
        version: Header::VERSION,
        community: community(),
        author: key(node).public(),
        audience: Audience::Clear,
        tlp: Tlp::Clear,
        kind: RecordKind::INDICATORS,
        epoch: Millis(DAY),
        seq: 5,
        prev: Digest::of(domain::BODY, b"before"),
        created_at: Millis(DAY),
        expires_at: Millis(2 * DAY),
        body_digest: Digest::of(domain::BODY, b"body"),
        compressed_len: 4,
        raw_len: 4,
        items: 1,
        topic: Topic::parse("malware").expect("a topic"),
        extensions: Extensions::default(),
    };
    change(&mut header);
    Signed::sign::<Header>(header.encode(), &key(node))
        .verify::<Header>(&Strict)
        .expect("the header keeps to the format")
}

/// Two contents at number 5; `change` is made to both headers.
fn fork(node: u8, change: impl Fn(&mut Header)) -> (Verified<Header>, Verified<Header>) {
    let second = |header: &mut Header| {
        header.items = 2;
        change(header);
    };
    (header(node, &change), header(node, second))
}

fn proof(pair: &(Verified<Header>, Verified<Header>)) -> Statement {
    let checked = CheckedStatement::of_fork(&pair.0, &pair.1).expect("two histories");
    checked.statement().clone()
}

/// A proof, whether it makes sense or not.
fn raw(author: u8, one: &Signed, two: &Signed) -> Statement {
    signed(Kind::PROOF, codec::encode(&(key(author).public(), one, two)), &[])
}

/// Proofs against nodes of which some have certificates at times.
pub(super) fn proofs() -> Vec<Statement> {
    [11, 12, 13].map(|node| proof(&fork(node, |_| ()))).to_vec()
}

pub(super) fn proof_rows() -> Rows {
    let mut rows = Rows::default();
    let pair = fork(11, |_| ());
    let (one, two) = (pair.0.signed(), pair.1.signed());
    let next = header(11, |header| {
        (header.seq, header.prev) = (6, RecordId::of(&pair.0).digest())
    });
    rows.add("two contents at one number", "new", &proof(&pair));
    rows.add("the same two the other way round", "new", &raw(11, two, one));
    let denied = (pair.1.clone(), next.clone());
    rows.add("a successor that denies its predecessor", "new", &proof(&denied));
    let long = fork(11, |header| {
        header.topic = Topic::parse(&"t".repeat(48)).expect("a topic")
    });
    rows.add("with long headers", "new", &proof(&long));
    rows.add("of a node without certificate", "not yet", &proof(&fork(12, |_| ())));
    rows.add(
        "of another mesh",
        "other community",
        &proof(&fork(11, |header| header.community = Community::named("other"))),
    );
    rows.add(
        "of another audience",
        "unsupported",
        &proof(&fork(11, |header| header.audience = Audience::Green)),
    );

    let signed_as_well = proof(&pair).signed_by(&key(11)).expect("there is room");
    rows.add("with a signature that nobody needs", "forged", &signed_as_well);
    let broken = Signed::sign::<Header>(pair.1.encode(), &key(12));
    rows.add("a header that somebody else signed", "forged", &raw(11, one, &broken));
    rows.add("against somebody else", "malformed", &raw(12, one, two));
    rows.add("one header twice", "malformed", &raw(11, one, one));
    rows.add("a header and its successor", "malformed", &raw(11, one, next.signed()));
    let later = header(11, |header| header.seq = 7);
    rows.add("two headers far apart", "malformed", &raw(11, one, later.signed()));
    let other_log = header(11, |header| header.epoch = Millis(2 * DAY));
    rows.add(
        "two headers of two logs",
        "malformed",
        &raw(11, one, other_log.signed()),
    );
    let other_author = header(12, |header| header.items = 2);
    rows.add("two authors", "malformed", &raw(11, one, other_author.signed()));
    let no_header = Signed::sign::<Header>(b"no header".to_vec(), &key(11));
    rows.add("something else for a header", "malformed", &raw(11, one, &no_header));
    rows.add("nothing", "malformed", &signed(Kind::PROOF, Vec::new(), &[]));
    let body = proof(&pair).body().to_vec();
    rows.add(
        "bytes behind",
        "malformed",
        &signed(Kind::PROOF, [body.clone(), vec![0]].concat(), &[]),
    );
    rows.add(
        "cut short",
        "malformed",
        &signed(Kind::PROOF, body[..body.len() - 1].to_vec(), &[]),
    );
    rows
}

#[test]
fn one_proof_of_each_author_is_as_good_as_another() {
    let (one, two) = (fork(11, |_| ()), fork(11, |header| header.seq = 9));
    let check = |first, second| {
        let mut roster = roster_of(&ground());
        assert_eq!(admit(&mut roster, &proof(first), &Strict), Ok(Admitted::New));
        assert_eq!(admit(&mut roster, &proof(second), &Strict), Ok(Admitted::Known));
        assert_eq!(roster.proven().collect::<Vec<_>>(), [&key(11).public()]);
        assert!(roster.statements_about(&key(11).public()).contains(&proof(first)));
        roster.digest()
    };
    assert_eq!(check(&one, &two), check(&two, &one));
    assert_ne!(check(&one, &two), roster_of(&ground()).digest());
}

#[test]
fn a_proof_goes_when_nobody_certifies_its_author_any_more() {
    let unsigned = Signature::from_bytes([0; 64]);
    let certificate = |node: u8, day: u64| {
        resigned(&raw_certificate(&certificate(&single(), node, day), &[]), |all| {
            all.extend([4, node].map(|number| (key(number).public(), unsigned)));
            all.sort();
        })
    };
    let mut statements = ground();
    statements.push(certificate(12, 0));
    statements.push(proof(&fork(12, |_| ())));
    // Node 11 is certified by both organisations.
    statements.push(certificate(11, 0));
    statements.push(proof(&fork(11, |_| ())));
    let mut roster = told(&statements, &Credulous);
    assert_eq!(roster.proven().count(), 2);
    for day in 1..=limits::CERTIFICATES_PER_ORGANISATION as u64 {
        let checked = certificate(13, day).check(&Credulous).expect("it makes sense");
        assert_eq!(roster.admit(&checked), Ok(Admitted::New));
    }
    assert_eq!(roster.proven().collect::<Vec<_>>(), [&key(11).public()]);
    let gone = roster.take_displaced();
    assert_eq!(gone.len(), 3);
    assert!(gone.contains(&statements[5]) && !gone.contains(&statements[7]));
    assert_eq!(
        admit(&mut roster, &proof(&fork(12, |_| ())), &Strict),
        Err(RosterRefusal::NotYet)
    );
}
