//! Founds an organisation, certifies a node, and publishes one record that anybody can verify.
//!
//! Run it by `cargo run -p starfish-examples --example sign_and_verify`.

use starfish_crypto::{Digest, SecretKey, Signed, Strict, Verified};
use starfish_protocol::{
    community::Community,
    observable::Observable,
    record::{
        Audience, Body, Bundle, Extensions, Header, Kind, RecordId, SealedBody, Tlp, Topic, open_body, seal_body,
    },
    statement::{Manifest, NodeCertificate, Roster},
    time::Millis,
};

const DAY: u64 = 86_400_000;
const NOW: Millis = Millis(1_800_000_000_000);

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Real seeds come from the system's randomness, and the roots go offline.
    let [root, next, node] = [[1; 32], [2; 32], [3; 32]].map(SecretKey::from_seed);
    let community = Community::named("starfish");

    // Who is who: the root signs the organisation's manifest and the node's certificate.
    let commitment = Manifest::commitment(&[next.public()], 1);
    let manifest = Manifest::genesis(
        "CERT Example",
        &[root.public()],
        1,
        commitment,
        Millis(NOW.0 + 3_650 * DAY),
    );
    let until = Millis(NOW.0 + 90 * DAY);
    let certificate = NodeCertificate::new(manifest.id(), community, node.public(), NOW, until);
    let mut roster = Roster::new(community);
    for statement in [manifest.sign(&[&root])?, certificate.sign(&[&root], &node)?] {
        roster.admit(&statement.check(&Strict)?)?;
    }

    // What it says: observables, defanged or not, under one context.
    let observables = ["hxxp://evil[.]example/login", "192.0.2.7"]
        .map(Observable::parse)
        .into_iter();
    let bundle = Bundle::new(80, "seen in mail".to_owned(), observables.collect::<Result<_, _>>()?)?;
    let body = seal_body(Body::Indicators(bundle));
    let signed = Signed::sign::<Header>(header(&body, &node, community)?.encode(), &node);

    // The other side starts from bytes alone.
    let received: Verified<Header> = signed.clone().verify(&Strict)?;
    let org = roster.organisation_of(&received.author, NOW);
    println!(
        "{} of {}",
        RecordId::of(&received),
        org.and_then(|org| roster.name_of(&org)).unwrap_or("nobody")
    );
    for observable in open_body(&received, &body.compressed)?.observables() {
        println!("  {} {observable}", observable.kind());
    }

    // One changed byte, and nothing of it is believed.
    let mut bytes = signed.bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    assert!(
        Signed::from_parts(bytes, *signed.signature())
            .verify::<Header>(&Strict)
            .is_err()
    );
    Ok(())
}

fn header(body: &SealedBody, node: &SecretKey, community: Community) -> Result<Header, Box<dyn std::error::Error>> {
    Ok(Header {
        version: Header::VERSION,
        community,
        author: node.public(),
        audience: Audience::Clear,
        tlp: Tlp::Clear,
        kind: Kind::INDICATORS,
        epoch: NOW,
        seq: 0,
        prev: Digest::ZERO,
        created_at: NOW,
        expires_at: Millis(NOW.0 + 30 * DAY),
        body_digest: body.digest,
        compressed_len: body.compressed.len() as u32,
        raw_len: body.raw_len,
        items: body.items,
        topic: Topic::parse("phishing")?,
        extensions: Extensions {
            scope: body.scope.clone(),
            ..Extensions::default()
        },
    })
}
