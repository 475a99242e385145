//! What is fuzzed, as plain functions over bytes: every decoder of what strangers send or disks return, and the engine under any
//! sequence of operations. A target holds when it returns; what does not hold panics.
//!
//! Where a signature would end the way, it is taken twice: once as it is, and once by a verifier that believes everything, so
//! that what lies behind is reached as well. Each decoder also keeps the law `decode(encode(x)) = x`.

mod engine;
mod pool;

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use starfish_crypto::{Digest, PublicKey, Signature, Signed, Strict, Verifier};
use starfish_node::daemon::pairing::Code;
use starfish_protocol::{
    codec,
    community::Community,
    intake::{Fault, OpenGossip, OpenRequest, open_gossip, open_request, open_response, pushed_body},
    limits,
    listing::{self, bundles, read},
    observable::Observable,
    record::{
        Body, Header, Kind, LogId, RecordId,
        groups::{GROUP_BYTES, GroupVerifier},
        open_body, seal_body,
    },
    statement::{CheckError, CheckedStatement, Checker, Roster, Statement},
    time::Millis,
    wire::{BodyHead, Channel, FRAME_BYTES, GOSSIP_BYTES, Gossip, Head, Request, Response},
};

use crate::cast::{Position, sealed_bytes};

/// One target.
pub type Target = fn(&[u8]);

/// Every target by its name, in order: the corpus folder, the test and the cargo-fuzz wrapper have the same name.
pub const TARGETS: [(&str, Target); 14] = [
    ("address", address),
    ("body", body),
    ("code", code),
    ("engine", engine::target),
    ("frame", frame),
    ("gossip", gossip),
    ("group", group),
    ("header", header),
    ("listing", listing),
    ("observable", observable),
    ("request", request),
    ("response", response),
    ("statement", statement),
    ("stored", stored),
];

/// Believes every signature.
struct Credulous;

impl Verifier for Credulous {
    fn verify(&self, _: &str, _: &[u8], _: &PublicKey, _: &Signature) -> bool {
        true
    }
}

impl Checker for Credulous {
    fn check(&self, statement: Statement) -> Result<CheckedStatement, CheckError> {
        statement.check(self)
    }
}

/// What decodes encodes to bytes that decode to the same; the encoding of those is then the same again.
fn law<T: Serialize + DeserializeOwned>(bytes: &[u8], limit: usize) -> Option<T> {
    let value: T = codec::decode(bytes, limit).ok()?;
    let encoded = codec::encode(&value);
    let again: T = codec::decode(&encoded, codec::DOCUMENT_BYTES).expect("what was encoded here decodes");
    assert_eq!(codec::encode(&again), encoded, "decode(encode(x)) is not x");
    Some(value)
}

/// The same for values that can be compared.
fn equal<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let again: T = codec::decode(&codec::encode(value), codec::DOCUMENT_BYTES).expect("what was encoded here decodes");
    assert_eq!(again, *value);
}

fn gossip(bytes: &[u8]) {
    law::<Gossip>(bytes, GOSSIP_BYTES);
    let strict = Channel::ALL.map(|channel| open_gossip(channel, bytes, &Strict).is_ok());
    let opened = Channel::ALL.map(|channel| open_gossip(channel, bytes, &Credulous));
    let taken = opened.iter().filter(|opened| opened.is_ok()).count();
    assert!(taken <= 2, "what is for everyone and what is not go the same way");
    let holds = strict
        .iter()
        .zip(&opened)
        .all(|(strict, opened)| !strict || opened.is_ok());
    assert!(holds, "a signature that holds is not believed");
    opened.into_iter().for_each(told);
}

fn told(opened: Result<OpenGossip, Fault>) {
    match opened {
        Ok(OpenGossip::Header { header, body }) => {
            assert!(header.signed().bytes().len() <= limits::HEADER_BYTES);
            if let Some((compressed, body)) = body {
                assert_eq!(open_body(&header, &compressed).as_ref(), Ok(&body));
            }
        }
        Ok(OpenGossip::Statements(statements)) => assert!(statements.checked.len() <= statements.told),
        Err(_) => {}
    }
}

fn request(bytes: &[u8]) {
    law::<Request>(bytes, FRAME_BYTES);
    let strict = open_request(bytes, &Strict).is_ok();
    let opened = open_request(bytes, &Credulous);
    assert!(!strict || opened.is_ok(), "a signature that holds is not believed");
    let begun = pushed_body(&bytes[..bytes.len().min(GROUP_BYTES)]);
    match opened {
        Ok(OpenRequest::Push { header, body }) => {
            assert_eq!(begun, Some(header.body_digest), "a push is known by its beginning");
            if let Some((compressed, body)) = body {
                assert_eq!(open_body(&header, &compressed), Ok(body));
            }
        }
        Ok(_) => assert_eq!(begun, None, "nothing else is taken for a push"),
        Err(_) => {}
    }
}

fn response(bytes: &[u8]) {
    if let Some(response) = law::<Response>(bytes, FRAME_BYTES) {
        let strict = open_response(response.clone(), &Strict).is_ok();
        let opened = open_response(response, &Credulous);
        assert!(!strict || opened.is_ok(), "a signature that holds is not believed");
    }
}

/// A header is never encoded again to be verified, but what this version makes it must read.
fn header(bytes: &[u8]) {
    let Ok(header) = Header::decode(bytes) else { return };
    assert!(bytes.len() <= limits::HEADER_BYTES);
    assert!(header.raw_len as usize <= limits::RAW_BODY_BYTES && header.compressed_len as usize <= limits::BODY_BYTES);
    let encoded = header.encode();
    assert_eq!(encoded, bytes, "a header has one encoding");
    assert_eq!(Header::decode(&encoded).as_ref(), Ok(&header));
    equal(&header.log());
}

/// A body in the place that its header promises, for every kind: the first two bytes are the kind, the rest is compressed.
fn body(bytes: &[u8]) {
    let (kind, compressed) = bytes.split_at(bytes.len().min(2));
    let kind = Kind(kind.iter().fold(0, |kind, byte| kind << 8 | u16::from(*byte)) % 8);
    for raw_len in [compressed.len() * 4, limits::RAW_BODY_BYTES] {
        let sealed = sealed_bytes(compressed.to_vec(), raw_len as u32, 1);
        let mut header = PLACE.plain(NODE, &sealed);
        (header.kind, header.raw_len) = (kind, raw_len as u32);
        if let Ok(Body::Unknown(raw)) = open_body(&header, compressed) {
            assert!(raw.len() <= raw_len);
        }
    }
    // Behind the compression, with the kind as the first two bytes of the raw body.
    let compressed = zstd::bulk::compress(bytes, 1).expect("zstd compresses any bytes");
    let raw_kind = Kind(bytes.iter().take(2).fold(0, |kind, byte| kind << 8 | u16::from(*byte)));
    let sealed = sealed_bytes(compressed, bytes.len() as u32, 1);
    let mut header = PLACE.plain(NODE, &sealed);
    header.kind = raw_kind;
    for items in [0, 1, 3] {
        header.items = items;
        if let Ok(body @ (Body::Indicators(_) | Body::Withdrawal(_) | Body::Opinion(_))) =
            open_body(&header, &sealed.compressed)
        {
            let again = seal_body(body.clone());
            assert_eq!(
                (again.items, again.raw_len as usize, again.body),
                (items, bytes.len(), body)
            );
        }
    }
}

/// Statements, one and many.
fn statement(bytes: &[u8]) {
    if let Some(statement) = law::<Statement>(bytes, limits::STATEMENT_BYTES) {
        equal(&statement);
        assert_eq!(Statement::from_text(&statement.to_text()).as_ref(), Ok(&statement));
        admit(std::slice::from_ref(&statement));
    }
    if let Some(statements) = law::<Vec<Statement>>(bytes, FRAME_BYTES) {
        admit(&statements);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(statement) = Statement::from_text(text)
    {
        equal(&statement);
    }
}

/// A roster takes them in any order, believing or not; what was admitted once is known the second time.
fn admit(statements: &[Statement]) {
    for verifier in [&Strict as &dyn Verifier, &Credulous] {
        let mut roster = Roster::new(*COMMUNITY);
        let admit = |roster: &mut Roster, statement: &Statement| {
            let checked = statement.clone().check(verifier);
            checked.is_ok_and(|checked| roster.admit(&checked).is_ok())
        };
        let admitted = statements
            .iter()
            .filter(|statement| admit(&mut roster, statement))
            .count();
        assert!(roster.statements().count() <= admitted);
        let digest = roster.digest();
        let kept: Vec<Statement> = roster.statements().cloned().collect();
        for statement in &kept {
            assert!(admit(&mut roster, statement), "what is held is not admitted again");
        }
        assert_eq!(roster.digest(), digest, "the same statement made a difference");
    }
}

/// The operator's own input.
fn listing(bytes: &[u8]) {
    for forced in [false, true] {
        let found = read(bytes, listing::Options { forced });
        assert!(found.observables.is_sorted() && found.refused.len() <= listing::REFUSED);
        for bundle in bundles(found.observables.clone(), 80, "") {
            assert!(bundle.observables.len() <= limits::BODY_ITEMS);
            assert!(
                bundle
                    .observables
                    .iter()
                    .all(|observable| found.observables.binary_search(observable).is_ok())
            );
        }
        let text: Vec<String> = found.observables.iter().map(ToString::to_string).collect();
        let again = read(text.join("\n"), listing::Options { forced });
        assert_eq!(
            again.observables, found.observables,
            "the canonical list is read as something else"
        );
    }
}

fn observable(bytes: &[u8]) {
    if let Ok(observable) = codec::decode::<Observable>(bytes, FRAME_BYTES) {
        one(&observable);
    }
    if let Some(observable) = Observable::from_key(bytes) {
        assert_eq!(observable.key(), bytes, "two keys for one observable");
        one(&observable);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(observable) = Observable::parse(text)
    {
        one(&observable);
    }
}

/// The laws of an observable: one text, one encoding, one key.
fn one(observable: &Observable) {
    equal(observable);
    assert_eq!(Observable::parse(&observable.to_string()).as_ref(), Ok(observable));
    assert_eq!(Observable::from_key(&observable.key()).as_ref(), Some(observable));
    assert!(!observable.kind().is_empty());
}

fn code(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(code) = text.parse::<Code>()
    {
        assert_eq!(code.to_string().parse().as_ref(), Ok(&code));
        assert!(code.names(&PublicKey::from_bytes([0; 32])) || !code.address().is_empty());
    }
}

/// Text forms that operators paste.
fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(record) = text.parse::<RecordId>() {
        assert_eq!(record.to_string().parse(), Ok(record));
    }
    if let Ok(organisation) = text.parse::<starfish_protocol::organisation::OrgId>() {
        assert_eq!(organisation.to_string().parse(), Ok(organisation));
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
    if let Ok(topic) = text.parse::<starfish_protocol::record::Topic>() {
        assert_eq!(topic.to_string().parse().as_ref(), Ok(&topic));
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }
}

/// The head of a body's answer, as long as the first two bytes say, and whatever follows as its groups.
fn group(bytes: &[u8]) {
    let (length, rest) = bytes.split_at(bytes.len().min(2));
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    let (head, rest) = rest.split_at(length.min(rest.len()));
    let digest = Digest::from_bytes(*blake3::hash(rest).as_bytes());
    let claimed = law::<BodyHead>(head, FRAME_BYTES);
    let honest = BodyHead {
        len: rest.len() as u64,
        groups: starfish_protocol::record::groups::group_values(rest),
    };
    for head in claimed.into_iter().chain([honest]) {
        let Ok(mut groups) = GroupVerifier::new(digest, head.len, &head.groups) else {
            continue;
        };
        let mut rest = rest;
        while !groups.is_complete() && groups.next_len() <= rest.len() {
            let (group, behind) = rest.split_at(groups.next_len());
            if groups.push(group).is_err() {
                return;
            }
            rest = behind;
        }
        assert!(!groups.is_complete() || rest.is_empty(), "another body fits the digest");
    }
}

/// The documents that cross a stream, whatever is expected there.
fn frame(bytes: &[u8]) {
    law::<Signed>(bytes, FRAME_BYTES);
    law::<Vec<Head>>(bytes, FRAME_BYTES);
    law::<BodyHead>(bytes, FRAME_BYTES);
    gossip(bytes);
    request(bytes);
    response(bytes);
}

/// What the store keeps by the codec.
fn stored(bytes: &[u8]) {
    for limit in [0, bytes.len().saturating_sub(1), bytes.len(), codec::DOCUMENT_BYTES] {
        law::<(LogId, u64, RecordId)>(bytes, limit);
        law::<Vec<starfish_protocol::organisation::OrgId>>(bytes, limit);
        law::<(Vec<String>, Vec<String>)>(bytes, limit);
        law::<Vec<Vec<u8>>>(bytes, limit);
    }
}

static COMMUNITY: std::sync::LazyLock<Community> = std::sync::LazyLock::new(|| Community::named("starfish"));
const NODE: PublicKey = PublicKey::from_bytes([1; 32]);
static PLACE: std::sync::LazyLock<Position> = std::sync::LazyLock::new(|| Position {
    community: *COMMUNITY,
    epoch: Millis(pool::START),
    seq: 0,
    prev: Digest::ZERO,
    created_at: Millis(pool::START),
});
