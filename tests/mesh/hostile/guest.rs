//! What anyone can try who finds an open port: garbage, forgery, replays, floods of topics. The guest has an organisation that
//! nobody lists.

use starfish_crypto::{SecretKey, Signature, Signed};
use starfish_protocol::{
    codec,
    community::Community,
    wire::{Gossip, Request, Response},
};
use starfish_tests::{
    cast::{Organisation, Position, now, sealed_names},
    nodes::{SOON, eventually},
};

use super::{
    NEIGHBOUR, Siege, VICTIM, bare,
    gossip_frames::{gossip_about_nothing, prefixed, publication, subscriptions},
    inline,
    script::Script,
    speaker::Speaker,
};

#[test]
fn garbage_is_refused_and_its_sender_thrown_out() {
    let siege = Siege::by_stranger();
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    let header = script.writes(script.opening(), &sealed_names("garbage", 3), |_| {});
    let whole = bare(&header);
    let mut payloads: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0],
        vec![0xff; 100],
        vec![0; 60_000],
        vec![0xfb; 60_000],
    ];
    payloads.extend((1..whole.len()).step_by(17).map(|length| whole[..length].to_vec()));
    payloads.push([whole.clone(), vec![0]].concat());
    for payload in &payloads {
        if !speaker.publish(&siege.clear(), payload) || !speaker.publish(&siege.statements(), payload) {
            break;
        }
    }
    assert!(
        speaker.is_thrown_out(),
        "a guest that only sends garbage is still connected"
    );
    siege.survives("garbage");

    // The same below the protocol: frames that gossipsub itself must survive, each from somebody new.
    let frames = [
        prefixed(&[0xff; 1_000]),
        prefixed(&[0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        gossip_about_nothing(&siege.clear(), 5_000),
        publication("/another/topic", b"x"),
        vec![0xff; 64],
    ];
    for (number, frame) in frames.iter().enumerate() {
        let stranger = script
            .with_key(SecretKey::from_seed([number as u8; 32]))
            .with_statements(Vec::new());
        siege.speaker(&stranger).gossip_bytes(frame);
    }
    siege.survives("frames");
}

#[test]
fn requests_of_garbage_are_refused() {
    let siege = Siege::by_stranger();
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    let whole = codec::encode(&script.introduction());
    for frame in [
        vec![],
        vec![0xff; 10],
        whole[..whole.len() / 2].to_vec(),
        [whole.clone(), vec![7]].concat(),
    ] {
        let answer = speaker.ask_bytes(&frame);
        assert!(
            matches!(answer, None | Some(Response::Refused)),
            "{frame:?}: {answer:?}"
        );
    }
    siege.survives("requests");
}

#[test]
fn ten_thousand_topics_are_not_remembered() {
    let siege = Siege::by_stranger();
    let mut speaker = siege.speaker(&siege.script());
    let topics: Vec<String> = (0..10_000)
        .map(|number| format!("/starfish/none/{number:05}/1"))
        .collect();
    for some in topics.chunks(500) {
        if !speaker.gossip_bytes(&subscriptions(some.iter().map(String::as_str))) {
            break;
        }
    }
    // One at a time too, as a library would.
    let mut speaker = siege.speaker(&siege.script());
    for topic in &topics {
        if !speaker.gossip_bytes(&subscriptions([topic.as_str()])) {
            break;
        }
    }
    siege.survives("topics");
}

#[test]
fn nobody_writes_in_the_name_of_another() {
    let siege = Siege::by_stranger();
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    // A header of the neighbour's node, in every field, but for the signature.
    let author = siege.mesh[NEIGHBOUR].one(&["id"])["node"]
        .as_str()
        .expect("id says the node key")
        .parse()
        .expect("a key");
    let sealed = sealed_names("forged", 3);
    let forged = script
        .opening()
        .header(script.key(), &sealed, |header| header.author = author);
    let none = Signed::from_parts(forged.bytes().to_vec(), Signature::from_bytes([0; 64]));
    for header in [&forged, &none] {
        speaker.publish(&siege.clear(), &bare(header));
        speaker.publish(&siege.clear(), &inline(header, &sealed.compressed));
        let push = Request::Push {
            header: header.clone(),
            body: sealed.compressed.clone(),
        };
        assert!(
            !matches!(speaker.ask(&push), Some(Response::Taken)),
            "a forged push is taken"
        );
    }
    siege.survives("forged");
    siege.believes_none(&["forged-0.example"]);
    assert!(
        siege.mesh[VICTIM]
            .json(&["search", "forged-0.example", "--quarantine"])
            .is_empty()
    );
}

#[test]
fn nobody_certifies_itself_for_another() {
    let siege = Siege::by_stranger();
    let listener = siege.speaker(
        &siege
            .script()
            .with_key(SecretKey::from_seed([95; 32]))
            .with_statements(Vec::new()),
    );
    let neighbour = &siege.mesh[NEIGHBOUR].organisation;
    // Our own certificate, with the listed organisation's name in it.
    let key = SecretKey::from_seed([99; 32]);
    let forged = siege
        .hostile
        .certify_for(neighbour.parse().expect("an organisation"), &key, now());
    let script = siege.script().with_key(key).with_statements(vec![forged]);
    let mut speaker = siege.speaker(&script);
    let sealed = sealed_names("certified", 3);
    let header = script.writes(script.opening(), &sealed, |_| {});
    speaker.publish(&siege.clear(), &inline(&header, &sealed.compressed));
    speaker.ask(&Request::Push {
        header,
        body: sealed.compressed.clone(),
    });
    siege.survives("certified");
    siege.believes_none(&["certified-0.example"]);
    // And its genuine organisation: certified, yet nobody here has listed it.
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    let sealed = sealed_names("unlisted", 3);
    let header = script.writes(script.opening(), &sealed, |_| {});
    script.holds(&sealed);
    speaker.publish(&siege.clear(), &bare(&header));
    siege.survives("unlisted");
    siege.believes_none(&["unlisted-0.example"]);
    // Nor was any of it passed on, while what the victim believes was.
    let heard = |bytes: &[u8]| {
        listener
            .payloads()
            .iter()
            .any(|payload| payload.windows(bytes.len()).any(|part| part == bytes))
    };
    assert!(!heard(header.bytes()), "what nobody believes is relayed");
    eventually("a guest hears what the victim relays", SOON, || {
        siege.mesh[VICTIM].publish("guest-probe", &["probe.example".to_owned()]);
        heard(b"guest-probe")
    });
}

#[test]
fn another_community_is_no_proof_here() {
    // The organisation is listed here: only the community keeps its records out.
    let siege = Siege::by_believed();
    let elsewhere = Community::named("elsewhere");
    let replayed = Organisation::new("Hostile", 66, elsewhere, now());
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    let sealed = sealed_names("replayed", 3);
    let position = Position {
        community: elsewhere,
        ..script.opening()
    };
    let header = position.header(script.key(), &sealed, |_| {});
    speaker.publish(&siege.clear(), &bare(&header));
    speaker.publish(&siege.clear(), &inline(&header, &sealed.compressed));
    speaker.ask(&Request::Push {
        header,
        body: sealed.compressed.clone(),
    });
    let statements = codec::encode(&Gossip::Statements(replayed.statements.clone()));
    speaker.publish(&siege.statements(), &statements);
    siege.survives("replayed");
    siege.believes_none(&["replayed-0.example"]);
    // Who belongs to another mesh is not spoken to.
    let foreign = Script::new(&replayed, elsewhere);
    let mut speaker = Speaker::connect(
        &siege.mesh[VICTIM].tcp_address(),
        &SecretKey::from_seed([98; 32]),
        foreign.manners(),
    );
    let answer = speaker.ask(&foreign.introduction());
    assert!(matches!(answer, None | Some(Response::Refused)), "{answer:?}");
    assert!(speaker.is_thrown_out(), "a node of another community stays connected");
    siege.survives("elsewhere");
}
