//! Logs that no good node writes, from an organisation that the victim believes: times, epochs, gaps, two histories.

use starfish_crypto::Digest;
use starfish_protocol::{
    codec,
    record::Header,
    statement::{Kind, Statement},
    time::Millis,
    wire::{Gossip, Request},
};
use starfish_tests::{
    cast::{now, sealed_names},
    nodes::{SOON, eventually},
};

use super::{NEIGHBOUR, Siege, VICTIM, after, bare, inline, script::Script, speaker::Speaker};

const DAY: u64 = 86_400_000;

/// Publishes a record with its body inside, under a change of its header.
fn say(siege: &Siege, speaker: &mut Speaker, script: &Script, name: &str, change: impl FnOnce(&mut Header)) {
    let sealed = sealed_names(name, 2);
    script.holds(&sealed);
    let header = script.writes(script.opening(), &sealed, change);
    speaker.publish(&siege.clear(), &bare(&header));
}

/// What is done to an honest header.
type Change = fn(&mut Header);

#[test]
fn absurd_times_are_not_believed() {
    let siege = Siege::by_believed();
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    let changes: [(&str, Change); 8] = [
        ("created-never", |header| header.created_at = Millis(0)),
        ("created-late", |header| {
            header.created_at = after(DAY);
            header.expires_at = after(2 * DAY);
        }),
        ("created-last", |header| {
            (header.created_at, header.expires_at) = (Millis(u64::MAX), Millis(u64::MAX))
        }),
        ("expires-never", |header| header.expires_at = Millis(u64::MAX)),
        ("expires-late", |header| header.expires_at = after(401 * DAY)),
        ("expired", |header| {
            (header.created_at, header.expires_at) = (Millis(now().0 - 3_600_000), Millis(now().0 - 60_000))
        }),
        ("epoch-late", |header| header.epoch = after(DAY)),
        ("epoch-last", |header| header.epoch = Millis(u64::MAX)),
    ];
    for (name, change) in changes {
        say(&siege, &mut speaker, &script, name, change);
    }
    siege.survives("times");
    for (name, _) in changes {
        siege.believes_none(&[&format!("{name}-0.example")]);
    }
    // The author is not to blame for its clock: what it writes rightly is taken.
    say(&siege, &mut speaker, &script, "rightly", |_| {});
    siege.mesh[VICTIM].gets("rightly-0.example");
    assert!(speaker.is_connected());
}

#[test]
fn epochs_do_not_multiply() {
    let siege = Siege::by_believed();
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    let before = siege.records();
    let opened = now().0 - 10_000;
    for epoch in 0..200 {
        say(&siege, &mut speaker, &script, &format!("epoch-{epoch}"), |header| {
            header.epoch = Millis(opened + epoch)
        });
    }
    siege.mesh[VICTIM].gets("epoch-0-0.example");
    siege.survives("epochs");
    // Eight openings a day; a test that runs over midnight sees two days. `survives` published two records.
    let more = siege.records() - before;
    assert!(more <= 2 * 8 + 2, "{more} records of 200 epochs are held");
    // Through catching up neither: the frontier of a peer is no way around it.
    assert!(speaker.is_connected());
}

#[test]
fn gaps_are_filled_or_left() {
    let siege = Siege::by_believed();
    let script = siege.script();
    // Ranges are answered from what is held here: the gap is known to nobody else.
    let mut speaker = siege.speaker(&script);
    let mut headers = Vec::new();
    let mut position = script.opening();
    let held_back = siege.script();
    for number in 0..40 {
        let sealed = sealed_names(&format!("gap-{number}"), 2);
        script.holds(&sealed);
        let header = held_back.writes(position, &sealed, |_| {});
        position = script.behind(&header);
        headers.push(header);
    }
    speaker.publish(&siege.clear(), &bare(&headers[0]));
    siege.mesh[VICTIM].gets("gap-0-0.example");
    for header in &headers[2..] {
        speaker.publish(&siege.clear(), &bare(header));
    }
    // Numbers that nobody can mean.
    let sealed = sealed_names("far", 2);
    script.holds(&sealed);
    for seq in [5_000, 1 << 32, u64::MAX - 1, u64::MAX] {
        let far = script
            .behind(&headers[39])
            .header(script.key(), &sealed, |header| header.seq = seq);
        speaker.publish(&siege.clear(), &bare(&far));
    }
    siege.survives("gaps");
    siege.believes_none(&["gap-2-0.example", "gap-39-0.example", "far-0.example"]);
    // The missing one arrives, and everything behind it counts.
    headers[2..].iter().for_each(|header| script.remembers(header));
    speaker.publish(&siege.clear(), &bare(&headers[1]));
    speaker.publish(
        &siege.clear(),
        &bare(&script.writes(script.behind(&headers[39]), &sealed_names("last", 1), |_| {})),
    );
    siege.mesh[VICTIM].gets("gap-39-0.example");
    siege.mesh[NEIGHBOUR].gets("gap-39-0.example");
    siege.believes_none(&["far-0.example"]);
}

#[test]
fn two_histories_are_proven_and_end_a_log() {
    let siege = Siege::by_believed();
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    let sealed = ["first", "one", "two", "later"].map(|name| sealed_names(name, 2));
    sealed.iter().for_each(|sealed| script.holds(sealed));
    let first = script.writes(script.opening(), &sealed[0], |_| {});
    speaker.publish(&siege.clear(), &bare(&first));
    let one = script.writes(script.behind(&first), &sealed[1], |_| {});
    speaker.publish(&siege.clear(), &bare(&one));
    siege.mesh[VICTIM].gets("one-0.example");
    siege.mesh[NEIGHBOUR].gets("one-0.example");

    let two = script.behind(&first).header(script.key(), &sealed[2], |_| {});
    speaker.publish(&siege.clear(), &bare(&two));
    for node in [VICTIM, NEIGHBOUR] {
        let forks = || siege.mesh[node].status()["forks"].as_u64();
        eventually(&format!("node {node} holds the proof"), SOON, || forks() == Some(1));
    }
    // Nothing more is taken; what was durable stays.
    let later = script.writes(script.behind(&one), &sealed[3], |_| {});
    speaker.publish(&siege.clear(), &inline(&later, &sealed[3].compressed));
    speaker.publish(
        &siege.clear(),
        &bare(&script.writes(script.opening(), &sealed[3], |_| {})),
    );
    siege.survives("histories");
    siege.believes_none(&["later-0.example", "two-0.example"]);
    siege.mesh[VICTIM].gets("one-0.example");
    siege.mesh[NEIGHBOUR].gets("first-0.example");
    // Another node of the same organisation has a log of its own.
    let honest = siege.script().with_key(siege.hostile.second.clone());
    let mut second = siege.speaker(&honest);
    say(&siege, &mut second, &honest, "second", |_| {});
    siege.mesh[VICTIM].gets("second-0.example");
    siege.mesh[NEIGHBOUR].gets("second-0.example");
}

#[test]
fn an_invented_proof_freezes_nobody() {
    let siege = Siege::by_believed();
    let script = siege.script();
    let mut speaker = siege.speaker(&script);
    let sealed = sealed_names("chain", 2);
    script.holds(&sealed);
    let one = script.writes(script.opening(), &sealed, |_| {});
    let two = script.writes(script.behind(&one), &sealed, |_| {});
    let elsewhere = script
        .opening()
        .header(&siege.hostile.second, &sealed, |header| header.prev = Digest::ZERO);
    // A header and its successor, one header twice, two authors: none of them is two histories.
    for pair in [(&one, &two), (&one, &one), (&one, &elsewhere)] {
        let author = script.key().public();
        let body = codec::encode(&(author, pair.0, pair.1));
        let proof = Statement::unsigned(Kind::PROOF, body).expect("two headers fit");
        speaker.publish(&siege.statements(), &codec::encode(&Gossip::Statements(vec![proof])));
    }
    speaker.publish(&siege.clear(), &bare(&one));
    siege.mesh[VICTIM].gets("chain-0.example");
    siege.survives("proofs");
    assert_eq!(siege.mesh[VICTIM].status()["forks"], 0);
    assert!(
        speaker
            .ask(&Request::Statements {
                about: Vec::new(),
                since: None
            })
            .is_some()
    );
}
