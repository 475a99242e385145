//! TLP:GREEN against a peer that the victim believes and does not confide in: at every door it gets nothing, before it had the
//! right and after it lost it.

use starfish_crypto::{Digest, PublicKey};
use starfish_protocol::{
    codec,
    record::{Audience, Body, Bundle, Header, LogId, seal_body},
    time::Millis,
    wire::{Channel, Cursor, Gossip, Request, Response},
};
use starfish_tests::{
    cast::names,
    nodes::{SOON, eventually, text},
};

use super::{NEIGHBOUR, Siege, VICTIM, speaker::Speaker};

/// What the mesh of what is GREEN is spoken by.
const GREEN: &str = "/starfish-green/1.1.0";

/// Up to what an organisation may be told.
fn may_receive(siege: &Siege, node: usize, organisation: &str, tlp: &str) {
    let arguments = ["trust", "root", "add", organisation, "--receive-tlp", tlp];
    siege.mesh[node].said(&arguments, "").done("trust root add");
}

fn publish(siege: &Siege, tlp: &str, name: &str) {
    let list: Vec<String> = names(name, 200).iter().map(ToString::to_string).collect();
    let arguments = ["publish", "--topic", "c2", "--tlp", tlp, "-"];
    siege.mesh[VICTIM].said(&arguments, &list.join("\n")).done("publish");
}

/// The digest of the body that the victim publishes of these names.
fn digest_of(name: &str) -> Digest {
    let mut values = names(name, 200);
    values.sort();
    let bundle = Bundle::new(80, String::new(), values).expect("a bundle");
    seal_body(Body::Indicators(bundle)).digest
}

/// The victim's log for the community, which a thief may know the name of.
fn green_log(siege: &Siege) -> LogId {
    let victim = &siege.mesh[VICTIM];
    let author: PublicKey = text(&victim.one(&["id"]), "node").parse().expect("a node key");
    let status = victim.status();
    let mut heads = status["heads"].as_array().expect("status shows heads").iter();
    let head = heads
        .find(|head| head["audience"] == "green")
        .expect("a log for the community");
    LogId {
        author,
        audience: Audience::Green,
        epoch: Millis(head["epoch"].as_u64().expect("a time")),
    }
}

fn audience(payload: &[u8]) -> Option<Audience> {
    match codec::decode(payload, payload.len()) {
        Ok(Gossip::Header { header, .. }) => Header::decode(header.bytes()).ok().map(|header| header.audience),
        _ => None,
    }
}

/// Goes to every door with everything that a thief could know.
fn gets_nothing(siege: &Siege, speaker: &mut Speaker, name: &str) {
    assert!(!speaker.may_speak(GREEN), "the mesh of what is GREEN is open");
    let cursor = |green| Cursor {
        life: 0,
        change: 0,
        green,
    };
    for since in [None, Some(cursor(0)), Some(cursor(u64::MAX))] {
        let frontier = Request::Frontier {
            heads: Digest::ZERO,
            statements: Digest::ZERO,
            since,
        };
        let Some(Response::Heads { heads, cursor, .. }) = speaker.ask(&frontier) else {
            panic!("a frontier is answered")
        };
        assert!(
            heads.iter().all(|head| head.log.audience == Audience::Clear),
            "{heads:?}"
        );
        assert_eq!(cursor.green, 0);
    }
    let (log, digest) = (green_log(siege), digest_of(name));
    for from in [0, 1, u64::MAX] {
        let range = Request::Range { log, from, limit: 256 };
        assert!(
            matches!(speaker.ask(&range), Some(Response::NotHeld)),
            "a range from {from}"
        );
    }
    let body = speaker.ask(&Request::Body { digest });
    assert!(matches!(body, Some(Response::NotHeld)), "{body:?}");
    assert!(
        speaker
            .payloads()
            .iter()
            .all(|payload| audience(payload) != Some(Audience::Green))
    );
}

/// A connection that takes part in every mesh that it can, by whatever name.
fn thief(siege: &Siege) -> Speaker {
    let mut speaker = siege.speaker(&siege.script());
    speaker.join(&Channel::Green.topic(&siege.community));
    speaker
}

#[test]
fn nothing_green_is_behind_any_door() {
    let siege = Siege::by_believed();
    let (victim, neighbour) = (&siege.mesh[VICTIM].organisation, &siege.mesh[NEIGHBOUR].organisation);
    may_receive(&siege, VICTIM, neighbour, "green");
    may_receive(&siege, NEIGHBOUR, victim, "green");
    let mut speaker = thief(&siege);
    publish(&siege, "green", "secret");
    siege.mesh[NEIGHBOUR].gets("secret-0.example");
    gets_nothing(&siege, &mut speaker, "secret");

    // It gains the right, and a new connection is one of those who may be told.
    let hostile = siege.hostile.id.to_string();
    may_receive(&siege, VICTIM, &hostile, "green");
    assert!(speaker.is_thrown_out(), "its connection is of the other kind");
    let mut speaker = siege.speaker(&siege.script());
    assert!(speaker.may_speak(GREEN));
    let digest = digest_of("secret");
    assert!(matches!(
        speaker.ask(&Request::Body { digest }),
        Some(Response::Body(_))
    ));

    // It loses the right in mid-connection.
    may_receive(&siege, VICTIM, &hostile, "clear");
    assert!(speaker.is_thrown_out(), "a right that is lost leaves the connection");
    let mut speaker = thief(&siege);
    publish(&siege, "green", "later");
    siege.mesh[NEIGHBOUR].gets("later-0.example");
    gets_nothing(&siege, &mut speaker, "later");
    gets_nothing(&siege, &mut speaker, "secret");

    // What is said to everyone is everyone's, if it were said to a few before.
    publish(&siege, "clear", "later");
    let told = || {
        speaker
            .payloads()
            .iter()
            .any(|payload| audience(payload) == Some(Audience::Clear))
    };
    eventually("the victim tells what is for everyone", SOON, told);
    assert!(
        speaker
            .payloads()
            .iter()
            .all(|payload| audience(payload) != Some(Audience::Green))
    );
    let digest = digest_of("later");
    assert!(matches!(
        speaker.ask(&Request::Body { digest }),
        Some(Response::Body(_))
    ));
    siege.survives("green");
}
