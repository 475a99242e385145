//! A peer that nobody here wrote: js-libp2p connects over TCP with TLS as a guest, completes identify, subscribes with the
//! anonymous signature policy, and receives a header of the CLEAR mesh. `STARFISH_JS_PEER` is the folder where `npm ci` has
//! installed `tests/jspeer`; `bash tests/run.sh` makes and exports it.

use std::{
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;
use starfish_crypto::{Digest, domain};

use starfish_tests::nodes::{Nodes, pause, run, text};

/// The record's topic: it stands in the signed header, so the bytes that the guest received must hold it.
const TOPIC: &str = "guest-probe";

#[test]
fn a_js_libp2p_guest_receives_a_header() {
    let folder = std::env::var_os("STARFISH_JS_PEER")
        .expect("STARFISH_JS_PEER names the folder of the js peer: run `bash tests/run.sh`, or `npm ci` in a copy of tests/jspeer");
    let mesh = Nodes::start(1, &[]);
    let community = Digest::of(domain::COMMUNITY, b"starfish");
    let gossip = format!("/starfish/{community}/clear/1");
    let mut guest = Command::new("node");
    guest
        .arg(PathBuf::from(folder).join("peer.mjs"))
        .args([&mesh[0].tcp_address(), &gossip, "45"]);

    // A guest hears what is published while it is there, so something is published until it has heard.
    let ended = AtomicBool::new(false);
    let answer = thread::scope(|scope| {
        let listening = scope.spawn(|| {
            let answer = run(&mut guest, "");
            ended.store(true, Ordering::Release);
            answer
        });
        for number in 0.. {
            if ended.load(Ordering::Acquire) {
                break;
            }
            mesh[0].publish(TOPIC, &[format!("guest-{number}.example")]);
            pause(Duration::from_secs(1));
        }
        listening.join().expect("the listening thread does not panic")
    });

    assert_eq!(answer.code, Some(0), "{answer:?}");
    let heard: Value = serde_json::from_str(answer.output.trim()).expect("the guest says one JSON document");
    assert_eq!(heard["identified"], true, "{heard}");
    assert!(text(&heard, "agent").starts_with("starfish/"), "{heard}");
    assert_eq!(
        (text(&heard, "encryption"), text(&heard, "multiplexer")),
        ("/tls/1.0.0".into(), "/yamux/1.0.0".into())
    );
    assert_eq!(text(&heard, "type"), "unsigned");
    let topic: String = TOPIC.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(
        text(&heard, "message").contains(&topic),
        "not a header of {TOPIC}: {heard}"
    );
}
