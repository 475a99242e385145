//! Many organisations that one person made up behind one endorsement, and a good one that turns: neither of them lifts a name
//! over the threshold at which names are blocked.

use serde_json::Value;
use starfish_crypto::Digest;
use starfish_protocol::{
    community::Community,
    organisation::OrgId,
    statement::{Endorsement, FULL, Scope, Statement},
    time::Millis,
    wire::Channel,
};
use starfish_tests::{
    cast::{Organisation, names, now, sealed_names},
    nodes::{Nodes, SOON, eventually, text},
};

use super::{inline, script::Script, speaker::Speaker};
use crate::vouching::{pair, says};

/// How many there are: each is believed like a real one.
const FARM: u8 = 200;

/// That one of them vouches for another in full, the `seq`th that it says.
fn vouches(by: &Organisation, subject: OrgId, (seq, prev): (u64, Digest)) -> Statement {
    let says = Endorsement {
        issuer: by.id,
        subject,
        community: None,
        seq,
        prev,
        amount: FULL,
        depth: 0,
        scope: Scope::default(),
        not_before: Millis(0),
        not_after: Millis(now().0 + 86_400_000),
        may_veto: false,
        receive_green: false,
    };
    says.sign(&[&by.root]).expect("a plain endorsement")
}

/// Gives statements to a node, as its operator would.
fn accept(mesh: &Nodes, node: usize, statements: &[Statement]) {
    let file = mesh[node].data().join("told.txt");
    let lines: Vec<String> = statements.iter().map(Statement::to_text).collect();
    std::fs::write(&file, lines.join("\n")).expect("the folder is writable");
    let file = file.to_str().expect("a temporary path is UTF-8");
    mesh[node].said(&["org", "accept", file], "").done("accept");
}

/// Node 0 has entered node 1 with two introductions, and node 1, confused, endorses the first of the farm in full.
#[test]
fn a_farm_behind_one_endorsement_blocks_nothing() {
    let community = Community::named("starfish");
    let mesh = Nodes::start_apart(2);
    pair(&mesh, 0, 1);
    mesh[0]
        .said(&["trust", "root", "add", &mesh[1].organisation, "--depth", "3"], "")
        .done("root add");
    let farm: Vec<Organisation> = (0..FARM)
        .map(|seed| Organisation::new(&format!("Sybil {seed}"), seed, community, now()))
        .collect();
    let (first, others) = farm.split_first().expect("there are many");
    accept(&mesh, 1, &first.statements);
    says(&mesh[1], &["endorse", &first.id.to_string(), "--depth", "2"]);
    let believes = |count: usize| {
        let trusted = mesh[0].one(&["trust", "list", "--limit", "1000"]);
        let all = trusted["organisations"].as_array().expect("a list");
        all.iter().filter(|one| one["accept"] == true).count() >= count
    };
    eventually("the first of the farm is believed", SOON, || believes(3));
    let mut place = (0, Digest::ZERO);
    for some in others.chunks(50) {
        let mut told = Vec::new();
        for other in some {
            let vouched = vouches(first, other.id, place);
            place = (place.0 + 1, vouched.id());
            told.extend(other.statements.iter().cloned());
            told.push(vouched);
        }
        accept(&mesh, 0, &told);
    }
    eventually("all of the farm is believed", SOON, || believes(2 + usize::from(FARM)));

    // Each of them reports the same name, by one connection.
    let script = Script::new(first, community);
    let mut speaker = Speaker::connect(&mesh[0].tcp_address(), script.key(), script.manners());
    speaker.ask(&script.introduction()).expect("the node answers a Hello");
    let topic = Channel::Clear.topic(&community);
    speaker.join(&topic);
    let value = names("victim", 1)[0].to_string();
    for sybil in &farm {
        let script = Script::new(sybil, community);
        let sealed = sealed_names("victim", 1);
        let header = script.writes(script.opening(), &sealed, |_| {});
        speaker.publish(&topic, &inline(&header, &sealed.compressed));
    }
    let sure = || mesh[0].one(&["explain", &value]);
    let claims = |sure: &Value| sure["claims"].as_array().expect("a list").len();
    mesh[0].gets(&value);
    eventually("every report is here", SOON, || claims(&sure()) == usize::from(FARM));
    let reason = sure();
    assert!(
        reason["support"].as_u64() <= Some(120),
        "one source, whatever they are: {reason}"
    );
    assert!(reason["score"].as_u64() <= Some(750), "{reason}");
    assert_eq!(reason["two_source"], false);
    assert_eq!(reason["policies"][0]["listed"], false, "{reason}");
    // Even with the word of the one who was confused.
    mesh[1].publish("test", std::slice::from_ref(&value));
    eventually("its word is here", SOON, || claims(&sure()) == usize::from(FARM) + 1);
    let both = sure();
    assert_eq!(
        (&both["two_source"], &both["policies"][0]["listed"]),
        (&Value::from(false), &Value::from(false))
    );
    let explained = mesh[0].one(&["trust", "explain", &others[0].id.to_string()]);
    assert_eq!(explained["act"], false, "{explained}");
    assert_eq!(explained["independent"], false);
    // One who is independent of them all makes the difference.
    mesh[0].publish("test", std::slice::from_ref(&value));
    let sure = mesh[0].one(&["explain", &value]);
    assert_eq!(
        (&sure["two_source"], &sure["policies"][0]["listed"]),
        (&Value::from(true), &Value::from(true)),
        "{sure}"
    );
    assert!(speaker.is_connected());
}

/// An organisation that is trusted in full was right a hundred times, and then is not.
#[test]
fn a_sleeper_alone_blocks_nothing() {
    let mesh = Nodes::start(2, &[(0, 1)]);
    let good: Vec<String> = (0..100).map(|number| format!("bad-{number}.example")).collect();
    for some in good.chunks(10) {
        mesh[1].publish("c2", some);
    }
    mesh[0].gets(&good[99]);
    let poison = "everybody-needs-this.example".to_owned();
    mesh[1].publish("c2", std::slice::from_ref(&poison));
    mesh[0].gets(&poison);
    let sure = mesh[0].one(&["explain", &poison]);
    assert_eq!(text(&sure["claims"][0], "organisation"), mesh[1].organisation);
    assert!(sure["score"].as_u64() <= Some(750), "{sure}");
    let listed = |sure: &Value| (sure["two_source"].clone(), sure["policies"][0]["listed"].clone());
    assert_eq!(listed(&sure), (Value::from(false), Value::from(false)));
    // A second source lists it, so that the first one alone is what was not enough.
    mesh[0].publish("c2", std::slice::from_ref(&poison));
    let sure = mesh[0].one(&["explain", &poison]);
    assert_eq!(listed(&sure), (Value::from(true), Value::from(true)), "{sure}");
}
