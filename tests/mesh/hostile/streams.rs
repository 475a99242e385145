//! Streams that cost: too long, without an end, or without progress, from a guest and from a peer that was asked.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use starfish_crypto::SecretKey;
use starfish_protocol::{
    limits,
    record::groups::group_values,
    wire::{Request, Response},
};
use starfish_tests::{
    cast::sealed_names,
    nodes::{SOON, eventually},
};

use super::{
    Siege, VICTIM, bare,
    frames::body_head,
    gossip_frames::{prefixed, publication, varint},
    speaker::{Answer, Speaker},
};

/// How long a flood goes on: enough for hundreds of megabytes over loopback.
const FLOOD: Duration = Duration::from_secs(3);

#[test]
fn frames_that_are_too_long_are_not_read() {
    let siege = Siege::by_stranger();
    let script = siege.script();
    for length in [limits::BODY_BYTES as u64 * 8, 10 << 20, 1 << 31, u64::MAX] {
        let mut speaker = siege.speaker(&script);
        let Some(mut stream) = speaker.pour(&varint(length)) else {
            continue;
        };
        let taken = speaker.flood(&mut stream, &[0; 65_536], FLOOD / 2);
        assert!(taken < 4 << 20, "{taken} bytes of a frame of {length} were taken");
    }
    siege.survives("long-requests");
    for length in [70_000, 255_000, 300_000, 2 << 20] {
        let mut speaker = siege.speaker(&script);
        speaker.gossip_bytes(&publication(&siege.clear(), &vec![7; length]));
    }
    let mut speaker = siege.speaker(&script);
    speaker.gossip_bytes(&[varint(1 << 30), vec![0; 1 << 20]].concat());
    siege.survives("long-gossip");
}

#[test]
fn streams_without_an_end_are_cut() {
    let siege = Siege::by_stranger();
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    // A good request, and then no end.
    let hello = prefixed(&starfish_protocol::codec::encode(&script.introduction()));
    let mut stream = speaker.pour(&hello).expect("the victim takes a request");
    let taken = speaker.flood(&mut stream, &[0; 65_536], FLOOD);
    assert!(taken < 32 << 20, "{taken} bytes behind a request were taken");
    drop(stream);
    // Varints without an end, on both protocols.
    if let Some(mut stream) = speaker.pour(&[0xff; 64]) {
        let taken = speaker.flood(&mut stream, &[0xff; 65_536], FLOOD);
        assert!(taken < 32 << 20, "{taken} bytes of a length were taken");
    }
    let mut speaker = siege.speaker(&script);
    for _ in 0..64 {
        if !speaker.gossip_bytes(&[0xff; 65_536]) {
            break;
        }
    }
    siege.survives("endless");
}

#[test]
fn idle_streams_do_not_take_the_place_of_others() {
    let siege = Siege::by_stranger();
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    // Half a request each: more of them than one peer may have open.
    let half = prefixed(&starfish_protocol::codec::encode(&script.introduction()));
    let half = &half[..half.len() / 2];
    let open: Vec<_> = (0..300).map_while(|_| speaker.pour(half)).collect();
    assert!(!open.is_empty());
    // Somebody else is answered all the same, while these are open.
    let mut other = Speaker::connect(
        &siege.mesh[VICTIM].tcp_address(),
        &SecretKey::from_seed([97; 32]),
        script.manners(),
    );
    assert!(matches!(other.ask(&script.introduction()), Some(Response::Hello(_))));
    siege.survives("idle");
    // In the end they are cut, every one of them.
    for stream in open {
        assert!(speaker.read_to_end(stream).is_some(), "an idle stream is held open");
    }
    assert!(matches!(
        speaker.ask(&script.introduction()),
        Some(Response::Hello(_)) | None
    ));
}

/// Makes the same answer as often as it is asked for.
type Say = Box<dyn Fn() -> Answer + Send + Sync>;

#[test]
fn answers_without_an_end_are_cut() {
    let siege = Siege::by_believed();
    let sealed = sealed_names("endless", 2_000);
    let other = sealed_names("other", 2_000);
    let head = body_head(other.compressed.len() as u64, group_values(&other.compressed));
    let answers: [(&str, Say); 7] = [
        ("endless-length", Box::new(|| Answer::Endless(vec![0xff; 65_536]))),
        ("endless-zeros", Box::new(|| Answer::Endless(vec![0; 65_536]))),
        (
            "endless-frame",
            Box::new(|| Answer::Endless([varint(1 << 30), vec![1; 65_536]].concat())),
        ),
        (
            "drip",
            Box::new(|| Answer::Drip([varint(100_000), vec![0; 600]].concat())),
        ),
        ("never", Box::new(|| Answer::Never)),
        (
            "long-head",
            Box::new(|| Answer::Endless(body_head(1 << 40, vec![[7; 32]; 20_000]))),
        ),
        ("other-body", Box::new(move || Answer::Bytes(head.clone()))),
    ];
    for (name, answer) in answers {
        let script = siege.script();
        let manners = script.manners_but(move |request| matches!(request, Request::Body { .. }).then(&answer));
        let mut speaker = siege.speaker_with(&script, manners);
        let header = script.writes(script.opening(), &sealed, |_| {});
        speaker.publish(&siege.clear(), &bare(&header));
        speaker.is_asked_for(sealed.digest);
        siege.survives(name);
        siege.believes_none(&["endless-0.example"]);
    }
    // Once somebody serves it, it is here: nothing was given up for good.
    let script = siege.script();
    script.holds(&sealed);
    let mut speaker = siege.speaker(&script);
    let header = script.writes(script.opening(), &sealed, |_| {});
    speaker.publish(&siege.clear(), &bare(&header));
    siege.mesh[VICTIM].gets("endless-0.example");
}

#[test]
fn a_body_that_was_lost_on_the_way_is_asked_for_again() {
    let siege = Siege::by_believed();
    let script = siege.script();
    let broken_off = AtomicBool::new(false);
    // The only holder breaks off once, as a bad line would, and stays connected.
    let manners = script.manners_but(move |request| {
        let broken = matches!(request, Request::Body { .. }) && !broken_off.swap(true, Ordering::Relaxed);
        broken.then(|| Answer::Bytes(Vec::new()))
    });
    let mut speaker = siege.speaker_with(&script, manners);
    let sealed = sealed_names("lost", 40);
    script.holds(&sealed);
    let header = script.writes(script.opening(), &sealed, |_| {});
    speaker.publish(&siege.clear(), &bare(&header));
    // With nobody else to ask, the next comparison looks for it again: 30 to 60 s later.
    let arrived = || !siege.mesh[VICTIM].believed("lost-0.example").is_empty();
    eventually("the body is asked for again", 2 * SOON, arrived);
    assert!(speaker.is_connected(), "a bad line was taken for malice");
}
