//! A broken copy of a genuine message, raced in first: the genuine one must still arrive.

use starfish_crypto::{Signature, Signed};
use starfish_protocol::{
    codec,
    wire::{Gossip, Request, Response},
};
use starfish_tests::cast::sealed_names;

use super::{NEIGHBOUR, Siege, VICTIM, bare, inline};

#[test]
fn a_broken_copy_does_not_censor_the_genuine_message() {
    let siege = Siege::by_believed();
    // The author is honest and sends what it wrote; somebody else was faster with broken copies of it.
    let author = siege.script();
    let thief = siege
        .script()
        .with_key(starfish_crypto::SecretKey::from_seed([96; 32]))
        .with_statements(Vec::new());
    let mut honest = siege.speaker(&author);
    let small = sealed_names("small", 1);
    let large = sealed_names("large", 3_000);
    author.holds(&large);
    let mut position = author.opening();
    let mut headers = Vec::new();
    for sealed in [&small, &large] {
        let header = author.writes(position, sealed, |_| {});
        position = author.behind(&header);
        headers.push(header);
    }

    for (header, sealed) in headers.iter().zip([&small, &large]) {
        // Each copy by a connection of its own, because a provable fault costs score.
        let mut spoiled = sealed.compressed.clone();
        if let Some(last) = spoiled.last_mut() {
            *last ^= 1;
        }
        let wrong = Signed::from_parts(header.bytes().to_vec(), Signature::from_bytes([1; 64]));
        let mut bytes = header.bytes().to_vec();
        bytes[190] ^= 1;
        let changed = Signed::from_parts(bytes, *header.signature());
        let copies = [
            bare(&wrong),
            bare(&changed),
            inline(header, &spoiled),
            inline(header, &[]),
            inline(&wrong, &small.compressed),
        ];
        for copy in copies {
            let mut racer = siege.speaker(&thief);
            racer.publish(&siege.clear(), &copy);
            let push = Request::Push {
                header: header.clone(),
                body: spoiled.clone(),
            };
            assert!(
                !matches!(racer.ask(&push), Some(Response::Taken)),
                "a push with a spoiled body is taken"
            );
        }
    }
    honest.publish(&siege.clear(), &inline(&headers[0], &small.compressed));
    honest.publish(&siege.clear(), &bare(&headers[1]));
    for node in [VICTIM, NEIGHBOUR] {
        siege.mesh[node].gets("small-0.example");
        siege.mesh[node].gets("large-2999.example");
    }
    assert!(honest.is_connected(), "the honest author was blamed");
    siege.survives("copies");
}

#[test]
fn a_header_alone_does_not_keep_its_body_out() {
    let siege = Siege::by_believed();
    let author = siege.script();
    let mut speaker = siege.speaker(&author);
    let sealed = sealed_names("alone", 3);
    let header = author.writes(author.opening(), &sealed, |_| {});
    // First the header without its body, again and again; the body comes only with the last message.
    for _ in 0..5 {
        speaker.publish(&siege.clear(), &bare(&header));
    }
    siege.believes_none(&["alone-0.example"]);
    author.holds(&sealed);
    let whole = codec::encode(&Gossip::Header {
        header: header.clone(),
        body: Some(sealed.compressed.clone()),
    });
    speaker.publish(&siege.clear(), &whole);
    siege.mesh[VICTIM].gets("alone-0.example");
    siege.mesh[NEIGHBOUR].gets("alone-0.example");
}
