//! Bodies that are not what they should be, from an organisation that the victim believes.

use starfish_crypto::Digest;
use starfish_protocol::{
    record::{Header, Scope, SealedBody},
    wire::{Request, Response},
};
use starfish_tests::cast::{sealed_bytes, sealed_names};

use super::{NEIGHBOUR, Siege, VICTIM, after, bare, inline, verified};

/// What a gigabyte of zeros shrinks to, and its like: the header says that it is as long as it may be.
fn bombs() -> Vec<(&'static str, SealedBody)> {
    let frame = |length: usize| zstd::bulk::compress(&vec![0; length], 19).expect("zstd compresses zeros");
    let gigabyte =
        zstd::encode_all(std::io::Read::take(std::io::repeat(0), 1 << 30), 19).expect("zstd compresses zeros");
    // A window of 2 GiB (RFC 8878, 3.1.1.1.2), and blocks of one repeated byte, without a content size.
    let mut window = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8];
    (0..2_000).for_each(|_| window.extend([0x02, 0x00, 0x10, 0x00]));
    window.extend([0x03, 0x00, 0x10, 0x00]);
    vec![
        ("gigabyte", sealed_bytes(gigabyte, 1 << 20, 10)),
        ("window", sealed_bytes(window, 1 << 20, 10)),
        ("two-megabytes", sealed_bytes(frame(2 << 20), 1 << 20, 10_000)),
        ("zeros", sealed_bytes(frame(1 << 20), 1 << 20, 10_000)),
        ("many-frames", sealed_bytes(frame(1 << 20).repeat(1_000), 1 << 20, 1)),
        ("garbage", sealed_bytes(vec![0xff; 100_000], 1 << 20, 1)),
    ]
}

#[test]
fn bombs_are_not_decompressed() {
    let siege = Siege::by_believed();
    for (name, bomb) in bombs() {
        let script = siege.script();
        let mut speaker = siege.speaker(&script);
        script.holds(&bomb);
        let header = script.writes(script.opening(), &bomb, |_| {});
        if bomb.compressed.len() < 2_048 {
            speaker.publish(&siege.clear(), &inline(&header, &bomb.compressed));
        }
        // Whoever passes on the bytes that a header names is not blamed for what they decode to.
        assert!(
            speaker
                .ask(&Request::Push {
                    header: header.clone(),
                    body: bomb.compressed.clone()
                })
                .is_some(),
            "{name}"
        );
        speaker.publish(&siege.clear(), &bare(&header));
        siege.survives(name);
    }
}

/// What is done to a header, with a scope that is not its own at hand.
type Lie = fn(&mut Header, Option<Scope>);

#[test]
fn a_false_scope_makes_a_record_invalid() {
    let siege = Siege::by_believed();
    let nl = |seed: &str| {
        Scope::of([format!("{seed}.nl")
            .parse()
            .map(|name: starfish_protocol::observable::Observable| name.tld().expect("a domain has a TLD"))
            .expect("a domain")])
    };
    let lies: [(&str, Lie); 3] = [
        ("other", |header, scope| header.extensions.scope = scope),
        ("none", |header, _| header.extensions.scope = None),
        ("many", |header, _| header.extensions.scope = Some(Scope::Many)),
    ];
    for (name, lie) in lies {
        let script = siege.script();
        let mut speaker = siege.speaker(&script);
        let sealed = sealed_names(&format!("false-{name}"), 40);
        script.holds(&sealed);
        let header = script.writes(script.opening(), &sealed, |header| lie(header, nl("x")));
        speaker.publish(&siege.clear(), &bare(&header));
        assert!(
            speaker
                .ask(&Request::Push {
                    header,
                    body: sealed.compressed.clone()
                })
                .is_some(),
            "{name}"
        );
        siege.survives(name);
        siege.believes_none(&[&format!("false-{name}-0.example")]);
    }
}

#[test]
fn headers_without_bodies_hold_nothing_up() {
    let siege = Siege::by_believed();
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    let mut position = script.opening();
    for number in 0..400 {
        // Bodies that nobody has.
        let mut sealed = sealed_names(&format!("nowhere-{number}"), 3);
        sealed.digest = Digest::of("a body that is nowhere", format!("{number}").as_bytes());
        sealed.compressed = vec![0; 100_000];
        let header = script.writes(position, &sealed, |_| {});
        position = script.behind(&header);
        speaker.publish(&siege.clear(), &bare(&header));
    }
    siege.survives("bodiless");
    // Somebody of the same organisation with real records is not held up by them.
    let honest = siege.script().with_key(siege.hostile.second.clone());
    let sealed = sealed_names("present", 40);
    honest.holds(&sealed);
    let mut speaker = siege.speaker(&honest);
    let header = honest.writes(honest.opening(), &sealed, |_| {});
    speaker.publish(&siege.clear(), &bare(&header));
    siege.mesh[VICTIM].gets("present-0.example");
    siege.mesh[NEIGHBOUR].gets("present-0.example");
}

#[test]
fn nobody_waits_in_a_circle() {
    let siege = Siege::by_believed();
    let script = siege.script();
    // Whoever asks us for a body waits for it.
    let manners =
        script.manners_but(|request| matches!(request, Request::Body { .. }).then_some(super::speaker::Answer::Never));
    let mut speaker = siege.speaker_with(&script, manners);
    let sealed = sealed_names("circle", 2_000);
    let header = script.writes(script.opening(), &sealed, |_| {});
    speaker.publish(&siege.clear(), &bare(&header));
    speaker.is_asked_for(sealed.digest);
    // Now we ask back: the victim waits for us, so it does not let us wait for it.
    let began = std::time::Instant::now();
    let answer = speaker.ask(&Request::Body { digest: sealed.digest });
    assert!(matches!(answer, Some(Response::NotHeld)), "{answer:?}");
    assert!(
        began.elapsed() < std::time::Duration::from_secs(3),
        "asked in a circle, the victim waits"
    );
    // Requests for what is wanted, more than one peer may have waiting, are all answered within their deadline.
    let requests: Vec<Request> = (0..100).map(|_| Request::Body { digest: sealed.digest }).collect();
    let other = siege.script().with_key(siege.hostile.second.clone());
    let mut second = siege.speaker(&other);
    let answers = second.ask_all(&requests);
    let refused = answers
        .iter()
        .filter(|answer| matches!(answer, Some(Response::NotHeld | Response::Busy)))
        .count();
    assert!(
        refused >= requests.len() - 4,
        "{refused} of {} were answered",
        requests.len()
    );
    siege.survives("circle");
    assert!(after(0) > verified(&header).created_at);
}
