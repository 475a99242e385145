//! Inputs that are text, or that need nothing signed: what operators type, and what the engine goes through.

use starfish_crypto::PublicKey;
use starfish_node::daemon::{pairing::Code, settings::Host};
use starfish_protocol::codec;

pub(super) fn texts(texts: &[String]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.clone().into_bytes()).collect()
}

/// Codes of every kind of address, whole and not.
pub(super) fn codes() -> Vec<Vec<u8>> {
    let key = PublicKey::from_bytes([7; 32]);
    let code = |host: &str| {
        let host = Host::parse(host).expect("the examples are hosts");
        Code::new([1, 2, 3, 4, 255], &key, host, 4852).to_string()
    };
    let mut codes = ["192.0.2.7", "2001:db8::1", "node.cert.example"].map(code).to_vec();
    codes.push(codes[0].to_lowercase().replace('-', " "));
    codes.push(codes[1][..20].to_owned());
    texts(&codes)
}

pub(super) const LISTS: [&str; 9] = [
    "# comment\nhxxp://evil[.]example/path\nbad.example\nbad.example\n192.0.2.7\n",
    "127.0.0.1 localhost\n0.0.0.0 ads.example\n::1 localhost\n",
    "||evil.example^$third-party\n@@||good.example^\n! title\nexample.com##.ad\n",
    "value,type,comment\nevil.example,domain,x\n192.0.2.0/24,network,y\n",
    "evil.example\t3\n192.0.2.1\t5\n",
    "\u{feff}d41d8cd98f00b204e9800998ecf8427e\nAS64496\nuser@evil.example\n2001:db8::/32\n",
    "b\u{fc}cher.example\nxn--bcher-kva.example\n*.wild.example\n.dot.example\n",
    "",
    "\n\n\r\nnot an observable\n999.1.1.1\nhttp://[::1]/\n",
];

pub(super) const OBSERVABLES: [&str; 16] = [
    "evil.example",
    "hxxps://evil[.]example:8443/a/b?c=d#e",
    "192.0.2.7",
    "2001:db8::1",
    "192.0.2.0/24",
    "2001:db8::/32",
    "user@evil.example",
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "AS64496",
    "b\u{fc}cher.example",
    "_dmarc.evil.example",
    "ftp://192.0.2.1/x",
    "EVIL.Example.",
    "evil.example:443",
];

pub(super) fn observables() -> Vec<Vec<u8>> {
    let mut inputs = texts(&OBSERVABLES.map(str::to_owned));
    for text in OBSERVABLES {
        let observable: starfish_protocol::observable::Observable = text.parse().expect("the examples are observables");
        inputs.extend([codec::encode(&observable), observable.key()]);
    }
    inputs
}

/// Sequences of four-byte operations: a life of a node in the order in which it usually happens, and pieces of it.
pub(super) fn operations() -> Vec<Vec<u8>> {
    let (connect, gossip, ask, answer, append, found, opened, command) = (0, 2, 4, 6, 8, 9, 10, 11);
    let greet = [
        [connect, 1, 0, 0],
        [answer, 0, 1, 7],
        [append, 0, 0, 0],
        [answer, 0, 1, 5],
        [answer, 0, 1, 7],
    ];
    let publish = [
        [command, 0, 0, 0],
        [append, 0, 0, 0],
        [found, 0, 0, 1],
        [command, 0, 1, 0],
        [append, 0, 0, 0],
    ];
    let receive: Vec<[u8; 4]> = (20..25)
        .flat_map(|piece| {
            [
                [gossip, 1, piece, 3],
                [append, 0, 0, 0],
                [answer, 0, piece, 7],
                [opened, 0, 0, 0],
                [append, 0, 0, 0],
            ]
        })
        .collect();
    let fork = [
        [gossip, 1, 22, 3],
        [gossip, 1, 37, 3],
        [found, 0, 0, 1],
        [append, 0, 0, 0],
        [gossip, 1, 23, 6],
    ];
    let serve = [
        [ask, 1, 20, 4],
        [found, 0, 0, 1],
        [ask, 2, 20, 7],
        [found, 0, 0, 1],
        [ask, 1, 20, 2],
        [12, 0, 200, 0],
    ];
    let restored = [
        [gossip, 1, 0, 3],
        [gossip, 1, 1, 6],
        [command, 0, 0, 0],
        [12, 0, 60, 0],
        [append, 0, 0, 0],
    ];
    let pair = [
        [command, 1, 1, 4],
        [ask, 2, 1, 11],
        [append, 0, 0, 0],
        [command, 1, 1, 5],
        [answer, 0, 2, 7],
        [append, 0, 0, 0],
    ];
    let time = [
        [13, 0, 60, 0],
        [15, 0, 200, 0],
        [13, 0, 60, 0],
        [15, 0, 200, 1],
        [14, 1, 2, 4],
        [1, 1, 0, 0],
    ];
    let flat = |parts: &[&[[u8; 4]]]| parts.concat().concat();
    vec![
        flat(&[&greet, &publish]),
        flat(&[&greet, &receive, &serve]),
        flat(&[&greet, &receive, &fork]),
        flat(&[&greet, &restored, &publish]),
        flat(&[&publish, &greet, &pair, &receive]),
        flat(&[&greet, &time, &receive, &time, &publish]),
        flat(&[&greet, &receive, &publish, &serve, &fork, &pair, &time]),
    ]
}
