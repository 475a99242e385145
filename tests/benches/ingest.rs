//! From received bytes to durable and searchable, on one thread: requests as they come from a stream are opened, judged by the
//! engine and written by the ledger into sled. The measure is raw sled, taking one minimal key per observable in the same run.
//! `OBSERVABLES` changes the size.

use std::time::Instant;

use starfish_crypto::Digest;
use starfish_node::{
    daemon::sled_store::SledStore,
    ledger::{Ledger, Options, journal::MemoryJournal, search::Search},
};
use starfish_protocol::{
    codec,
    community::Community,
    engine::port::Input,
    observable::Observable,
    peer::Peer,
    record::{Body, RecordId, seal_body},
    time::Millis,
    wire::Request,
};
use starfish_tests::{
    cast::{Organisation, Position, bundle, now},
    shape::{asked, day, percentile},
    shell::Shell,
};

/// Observables of one record: about what a list of one TLD has.
const RECORD: usize = 2_000;
/// The cache of both, in bytes, as the configuration's default.
const CACHE: u64 = 32 << 20;
const BATCH: usize = 1_000;
const TARGET: f64 = 0.7;

fn main() {
    let records = asked("OBSERVABLES", 400_000) / RECORD;
    let lists: Vec<Vec<Observable>> = (0..records).map(|record| list(record as u64 + 1)).collect();
    let observables: usize = lists.iter().map(Vec::len).sum();
    // Both in turn, so that a machine that is busy for a while is busy for both.
    let rounds: Vec<(f64, f64)> = (0..asked("ROUNDS", 5)).map(|_| (raw(&lists), node(&lists))).collect();
    let median = |mut values: Vec<f64>| percentile(&mut values, 50);
    println!(
        "ingest: {:.0} observables/s from bytes to durable and searchable, raw sled {:.0} keys/s, ratio {:.2} (at least {TARGET}); \
         medians of {} rounds of {observables} observables in {records} records",
        observables as f64 / median(rounds.iter().map(|(_, node)| *node).collect()),
        observables as f64 / median(rounds.iter().map(|(raw, _)| *raw).collect()),
        median(rounds.iter().map(|(raw, node)| raw / node).collect()),
        rounds.len(),
    );
}

fn list(seed: u64) -> Vec<Observable> {
    let names = day(seed, RECORD);
    let mut list: Vec<Observable> = names
        .iter()
        .map(|name| name.parse().expect("a name is an observable"))
        .collect();
    list.sort();
    list
}

/// Seconds for one key per observable, in batches, flushed at the end.
fn raw(lists: &[Vec<Observable>]) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = sled::Config::new()
        .path(folder.path())
        .cache_capacity(CACHE)
        .mode(sled::Mode::HighThroughput);
    let database = config.open().expect("sled opens");
    let began = Instant::now();
    for keys in lists.iter().flat_map(|list| list.chunks(BATCH)) {
        let mut batch = sled::Batch::default();
        keys.iter().for_each(|observable| batch.insert(observable.key(), &[]));
        database.apply_batch(batch).expect("sled takes a batch");
    }
    database.flush().expect("sled flushes");
    began.elapsed().as_secs_f64()
}

/// Seconds for the whole way of the same observables.
fn node(lists: &[Vec<Observable>]) -> f64 {
    let community = Community::named("bench");
    let own = Organisation::new("Own", 1, community, now());
    let author = Organisation::new("Author", 2, community, now());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = SledStore::open(folder.path(), CACHE).expect("the store opens");
    let ledger = Ledger::open(store, MemoryJournal::default(), Options::default()).expect("the ledger opens");
    let mut shell = Shell::new(&own, community, vec![author.id], ledger);
    let peer = Peer::from_bytes(b"author");
    shell.take(Input::Connected {
        peer: peer.clone(),
        key: Some(author.node.public()),
        outbound: true,
    });
    let statements = author.statements.clone();
    let hello = starfish_protocol::wire::Hello {
        community,
        statements,
        topics: Vec::new(),
        tlds: Vec::new(),
        records: 0,
        wall: now(),
    };
    shell.asked(&peer, &codec::encode(&Request::Hello(hello)));
    shell.settle();

    let frames = pushes(lists, &author, community);
    let began = Instant::now();
    for frame in &frames {
        shell.asked(&peer, frame);
    }
    shell.settle();
    let seconds = began.elapsed().as_secs_f64();
    let last = lists
        .last()
        .and_then(|list| list.last())
        .expect("there are observables");
    let hits = shell
        .ledger
        .search(&Search::value(last).at(now()), None, 10)
        .expect("the index can be read")
        .hits;
    assert_eq!(hits.len(), 1, "ingested, but not found");
    assert_eq!(shell.ledger.counts().records, lists.len() as u64);
    seconds
}

/// What the publisher's node would send: each header with its body.
fn pushes(lists: &[Vec<Observable>], author: &Organisation, community: Community) -> Vec<Vec<u8>> {
    let epoch = Millis(now().0 - 60_000);
    let mut prev = Digest::ZERO;
    let mut frames = Vec::with_capacity(lists.len());
    for (seq, list) in lists.iter().enumerate() {
        let sealed = seal_body(Body::Indicators(bundle(list.clone())));
        let position = Position {
            community,
            epoch,
            seq: seq as u64,
            prev,
            created_at: Millis(epoch.0 + seq as u64),
        };
        let header = position.header(&author.node, &sealed, |_| {});
        let verified = header
            .clone()
            .verify(&starfish_crypto::Strict)
            .expect("a header made here verifies");
        prev = RecordId::of(&verified).digest();
        frames.push(codec::encode(&Request::Push {
            header,
            body: sealed.compressed,
        }));
    }
    frames
}
