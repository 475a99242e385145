//! What a body costs: 20 in-process nodes with real libp2p swarms over memory, each with 8 neighbours. A node publishes bodies of
//! about 20 kB and 200 kB compressed; the measure is everything that a node received (gossip, requests, bodies; above TLS),
//! from the publication until everybody has the body, over its compressed size. `BODIES` changes how many of each.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, channel::mpsc};
use libp2p::{
    Multiaddr, PeerId, Transport as _,
    core::{
        muxing::StreamMuxerBox,
        transport::{Boxed, MemoryTransport},
        upgrade::Version,
    },
    identity::Keypair,
    metrics::{BandwidthTransport, Registry},
    tls,
};
use starfish_crypto::{Digest, Strict};
use starfish_node::{
    daemon::{environment::Machine, transport::muxing},
    ledger::{Ledger, Options, journal::MemoryJournal},
    mesh::{Event, Handle, KeepError, Keeper, MeshSettings, Parts, keypair, start},
    store::memory::MemoryStore,
};
use starfish_protocol::{
    community::Community,
    engine::{
        Setup,
        port::{self, Change, Command, Draft, Found, Outcome, Query},
    },
    observable::Observable,
    record::{Body, RecordId, SealedBody, Tlp, seal_body},
    time::Millis,
    trust::Policy,
};
use starfish_tests::{
    cast::{Organisation, bundle, now},
    shape::{Chance, asked, percentile},
};

const NODES: usize = 20;
/// Each dials the nodes this far ahead on a circle, and is dialled by as many.
const CHORDS: [usize; 4] = [1, 2, 5, 9];
/// Compressed sizes in bytes, and how many copies of one a node may receive.
const SIZES: [(usize, f64); 2] = [(20_000, 1.35), (200_000, 1.10)];
const DEADLINE: Duration = Duration::from_secs(60);

/// The ledger as the mesh sees it.
struct Kept(Ledger<MemoryStore>);

impl Keeper for Kept {
    fn apply(&self, changes: &[Change]) -> Result<(), KeepError> {
        self.0.apply(changes)?;
        Ok(())
    }

    fn answer(&self, query: &Query) -> Found {
        self.0.answer(query)
    }
}

/// A node that runs.
struct Resident {
    handle: Handle,
    registry: Registry,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Resident {
    /// Everything that it received so far, in bytes.
    fn received(&self) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("counters are text");
        let lines = text
            .lines()
            .filter(|line| line.starts_with("libp2p_bandwidth_bytes") && line.contains("Inbound"));
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum()
    }

    /// Waits until so many neighbours have said who they are.
    async fn meets(&mut self, neighbours: usize) {
        let mut met = BTreeSet::new();
        let all = async {
            while met.len() < neighbours {
                if let Some(Event::Engine(port::Event::Introduced { peer, .. })) = self.events.next().await {
                    met.insert(peer);
                }
            }
        };
        tokio::time::timeout(DEADLINE, all)
            .await
            .expect("the nodes find each other");
    }

    /// Waits until a body of this record is durable here.
    async fn gets(&mut self, record: RecordId) {
        let wanted = Event::Engine(port::Event::BodyStored(record));
        let got = async { while self.events.next().await.is_some_and(|event| event != wanted) {} };
        tokio::time::timeout(DEADLINE, got).await.expect("a body arrives");
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(measure(asked("BODIES", 10)));
}

async fn measure(bodies: usize) {
    let mut residents = street().await;
    let mut chance = Chance::new(3);
    for (size, target) in SIZES {
        let (mut ratios, mut seconds) = (Vec::new(), Vec::new());
        for number in 0..bodies {
            let sealed = incompressible(size, &mut chance);
            let length = sealed.compressed.len() as f64;
            let before: Vec<u64> = residents.iter().map(Resident::received).collect();
            let began = Instant::now();
            let publisher = number * 7 % NODES;
            let record = publish(&residents[publisher].handle, sealed).await;
            for (_, resident) in residents
                .iter_mut()
                .enumerate()
                .filter(|(index, _)| *index != publisher)
            {
                resident.gets(record).await;
            }
            seconds.push(began.elapsed().as_secs_f64());
            // What is still on its way to somebody who has it already counts too.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let received = residents
                .iter()
                .zip(&before)
                .map(|(resident, before)| resident.received() - before);
            let others: u64 = received
                .enumerate()
                .filter(|(index, _)| *index != publisher)
                .map(|(_, bytes)| bytes)
                .sum();
            ratios.push(others as f64 / (NODES - 1) as f64 / length);
        }
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        println!(
            "spread: {NODES} nodes, {bodies} bodies of {} kB: {mean:.2} bytes received per node and byte of body (at most \
             {target}), worst {:.2}; everywhere after p50 {:.2} s",
            size / 1_000,
            percentile(&mut ratios, 100),
            percentile(&mut seconds, 50),
        );
    }
}

async fn publish(handle: &Handle, sealed: SealedBody) -> RecordId {
    let draft = Draft {
        topic: "bench".parse().expect("a topic"),
        tlp: Tlp::Clear,
        expires_at: Millis(now().0 + 86_400_000),
        bodies: vec![sealed],
        set: None,
        derived_from: None,
    };
    match handle.command(Command::Publish(draft)).await {
        Outcome::Published(records) => records[0],
        other => panic!("not published: {other:?}"),
    }
}

/// File digests do not shrink, so that so many of them are a body of this size.
fn incompressible(size: usize, chance: &mut Chance) -> SealedBody {
    let mut digest = || -> Observable {
        let text: String = (0..32).map(|_| format!("{:02x}", chance.below(256))).collect();
        text.parse().expect("64 digits are a digest")
    };
    let observables = (0..size / 33).map(|_| digest()).collect();
    seal_body(Body::Indicators(bundle(observables)))
}

/// Twenty organisations with a node each, all of them connected.
async fn street() -> Vec<Resident> {
    let community = Community::named("bench");
    let organisations: Vec<Organisation> = (1..=NODES as u8)
        .map(|number| Organisation::new("Resident", number, community, now()))
        .collect();
    let mut residents: Vec<Resident> = (0..NODES)
        .map(|index| resident(index, &organisations, community))
        .collect();
    let degree = 2 * CHORDS.len();
    for resident in &mut residents {
        resident.meets(degree).await;
    }
    // Nobody says when that is: a few heartbeats, until every mesh of gossipsub stands, and the first comparisons are over.
    tokio::time::sleep(Duration::from_secs(5)).await;
    residents
}

fn address(index: usize) -> Multiaddr {
    format!("/memory/{}", 5_000 + index % NODES)
        .parse()
        .expect("an address")
}

fn resident(index: usize, organisations: &[Organisation], community: Community) -> Resident {
    let own = &organisations[index];
    let (send, events) = mpsc::unbounded();
    let environment =
        Machine::new(Box::new(move |event| drop(send.unbounded_send(event)))).expect("threads can be made");
    let mut registry = Registry::default();
    let transport = memory(&keypair(&own.node), &mut registry);
    let ledger = Ledger::open(MemoryStore::default(), MemoryJournal::default(), Options::default());
    let seed = *Digest::of("bench seed", &[index as u8]).as_bytes();
    let setup = Setup {
        policy: Policy {
            listed: organisations.iter().map(|organisation| organisation.id).collect(),
            ..Policy::default()
        },
        ..Setup::new(own.node.clone(), own.id, community, own.statements.clone(), seed)
    };
    let settings = MeshSettings {
        listen: vec![address(index)],
        dial: CHORDS.iter().map(|ahead| address(index + ahead)).collect(),
        ..MeshSettings::default()
    };
    let keeper = Arc::new(Kept(ledger.expect("the ledger opens")));
    let parts = Parts {
        transport,
        setup,
        keeper,
        checker: Arc::new(Strict),
        registry: None,
    };
    let (handle, running) = start(environment, settings, parts).expect("the node starts");
    tokio::spawn(running);
    Resident {
        handle,
        registry,
        events,
    }
}

/// The memory transport with the daemon's protocols, its bytes counted.
fn memory(key: &Keypair, registry: &mut Registry) -> Boxed<(PeerId, StreamMuxerBox)> {
    let plain = MemoryTransport::default()
        .upgrade(Version::V1Lazy)
        .authenticate(tls::Config::new(key).expect("a certificate can be made"))
        .multiplex(muxing())
        .boxed();
    let counted = BandwidthTransport::new(plain, registry);
    counted
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
        .boxed()
}
