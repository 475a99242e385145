//! What the tests are made of: organisations, nodes, and waiting for what a node says.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, channel::mpsc};
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
use starfish_crypto::{Digest, SecretKey, Strict};
use starfish_protocol::{
    community::Community,
    engine::{
        Setup,
        port::{self, Command, Draft, Outcome},
    },
    observable::Observable,
    organisation::OrgId,
    record::{Body, Bundle, RecordId, Tlp, Topic, seal_body},
    statement::{Manifest, NodeCertificate, Statement},
    time::Millis,
    trust::Policy,
};
use tokio::task::JoinHandle;

use super::shelf::Shelf;
use crate::{
    daemon::{environment::Machine, transport::muxing},
    mesh::{Event, Handle, MeshError, MeshSettings, Parts, Running, keypair, start},
};

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
const DAY: u64 = 86_400_000;

/// One organisation with one node.
pub(super) struct House {
    number: u8,
    pub(super) org: OrgId,
    statements: Vec<Statement>,
    /// Its node's address.
    pub(super) address: Multiaddr,
    pub(super) peer: PeerId,
}

/// Organisations that list each other, in a mesh of their own.
pub(super) struct Street {
    pub(super) community: Community,
    pub(super) houses: Vec<House>,
}

/// A node that runs.
pub(super) struct Resident {
    pub(super) handle: Handle,
    pub(super) shelf: Arc<Shelf>,
    pub(super) peer: PeerId,
    task: JoinHandle<Result<(), MeshError>>,
    events: mpsc::UnboundedReceiver<Event>,
    missed: VecDeque<Event>,
}

/// Time in ms since 1970, as the machine says.
pub(super) fn now() -> Millis {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    Millis(now.as_millis() as u64)
}

/// An address that no other test of this process uses.
pub(super) fn address() -> Multiaddr {
    static NEXT: AtomicU64 = AtomicU64::new(1_000);
    format!("/memory/{}", NEXT.fetch_add(1, Ordering::Relaxed))
        .parse()
        .expect("an address")
}

/// The memory transport with the daemon's protocols.
pub(super) fn memory(key: &Keypair) -> Boxed<(PeerId, StreamMuxerBox)> {
    MemoryTransport::default()
        .upgrade(Version::V1Lazy)
        .authenticate(tls::Config::new(key).expect("a certificate"))
        .multiplex(muxing())
        .boxed()
}

impl House {
    fn new(number: u8, community: Community) -> Self {
        let root = SecretKey::from_seed([number; 32]);
        let node = Self::key(number);
        let (from, to) = (Millis(now().0 - DAY), Millis(now().0 + 30 * DAY));
        let manifest = Manifest::genesis(&format!("House {number}"), &[root.public()], 1, Digest::ZERO, to);
        let certificate = NodeCertificate::new(manifest.id(), community, node.public(), from, to);
        let statements = vec![
            manifest.sign(&[&root]).expect("a manifest"),
            certificate.sign(&[&root], &node).expect("a certificate"),
        ];
        let peer = keypair(&node).public().to_peer_id();
        Self {
            number,
            org: manifest.id(),
            statements,
            address: address(),
            peer,
        }
    }

    fn key(number: u8) -> SecretKey {
        SecretKey::from_seed([100 + number; 32])
    }
}

impl Street {
    pub(super) fn new(name: &str, houses: u8) -> Self {
        let community = Community::named(name);
        Self {
            community,
            houses: (1..=houses).map(|number| House::new(number, community)).collect(),
        }
    }

    /// The key of a house's node.
    pub(super) fn key(&self, house: usize) -> SecretKey {
        House::key(self.houses[house].number)
    }

    pub(super) fn setup(&self, house: usize, shelf: &Shelf) -> Setup {
        let own = &self.houses[house];
        let (key, statements) = (House::key(own.number), own.statements.clone());
        Setup {
            stored_statements: shelf.statements(),
            policy: Policy {
                listed: self.houses.iter().map(|house| house.org).collect(),
                ..Policy::default()
            },
            heads: shelf.heads(),
            records: shelf.records(),
            ..Setup::new(key, own.org, self.community, statements, [own.number; 32])
        }
    }

    /// Settings of a node that listens, and dials these others.
    pub(super) fn settings(&self, house: usize, dial: &[usize]) -> MeshSettings {
        MeshSettings {
            listen: vec![self.houses[house].address.clone()],
            dial: dial.iter().map(|other| self.houses[*other].address.clone()).collect(),
            ..MeshSettings::default()
        }
    }

    /// A node with an empty store.
    pub(super) fn move_in(&self, house: usize, dial: &[usize]) -> Resident {
        self.live(house, self.settings(house, dial), Arc::default(), None)
    }

    /// A node with this store, and with its traffic counted in this registry.
    pub(super) fn live(
        &self,
        house: usize,
        settings: MeshSettings,
        shelf: Arc<Shelf>,
        registry: Option<&mut Registry>,
    ) -> Resident {
        let key = keypair(&House::key(self.houses[house].number));
        let mut transport = memory(&key);
        if let Some(registry) = registry {
            transport = BandwidthTransport::new(transport, registry)
                .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
                .boxed();
        }
        self.live_over(house, settings, shelf, transport)
    }

    /// A node that shares its environment with others and tells nobody what happens to it.
    pub(super) fn lodge(&self, house: usize, machine: Arc<Machine>) -> (Handle, JoinHandle<Result<(), MeshError>>) {
        let (handle, running) = self.build_in(machine, house, self.settings(house, &[]), Arc::default());
        (handle, tokio::spawn(running))
    }

    /// A node that nobody polls yet.
    pub(super) fn build(&self, house: usize, settings: MeshSettings, shelf: Arc<Shelf>) -> (Handle, Running) {
        self.build_in(Machine::new(Box::new(|_| {})).expect("threads"), house, settings, shelf)
    }

    fn build_in(
        &self,
        machine: Arc<Machine>,
        house: usize,
        settings: MeshSettings,
        keeper: Arc<Shelf>,
    ) -> (Handle, Running) {
        let setup = self.setup(house, &keeper);
        let transport = memory(&keypair(&setup.key));
        let parts = Parts {
            transport,
            setup,
            keeper,
            checker: Arc::new(Strict),
            registry: None,
        };
        start(machine, settings, parts).expect("a node")
    }

    /// A node over this transport.
    pub(super) fn live_over(
        &self,
        house: usize,
        settings: MeshSettings,
        shelf: Arc<Shelf>,
        transport: Boxed<(PeerId, StreamMuxerBox)>,
    ) -> Resident {
        let (said, events) = mpsc::unbounded();
        let machine = Machine::new(Box::new(move |event| drop(said.unbounded_send(event)))).expect("threads");
        let setup = self.setup(house, &shelf);
        let keeper = Arc::clone(&shelf);
        let parts = Parts {
            transport,
            setup,
            keeper,
            checker: Arc::new(Strict),
            registry: None,
        };
        let (handle, running) = start(machine, settings, parts).expect("a node");
        let peer = handle.peer();
        Resident {
            handle,
            shelf,
            peer,
            task: tokio::spawn(running),
            events,
            missed: VecDeque::new(),
        }
    }
}

impl Resident {
    /// Waits for an event, also among those that earlier waits passed over.
    pub(super) async fn wait<T>(&mut self, what: &str, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        for (place, event) in self.missed.iter().enumerate() {
            if let Some(found) = wanted(event) {
                self.missed.remove(place);
                return found;
            }
        }
        let found = tokio::time::timeout(DEADLINE, async {
            loop {
                let event = self.events.next().await.expect("the node runs");
                if let Some(found) = wanted(&event) {
                    return found;
                }
                self.missed.push_back(event);
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_) => panic!("no {what} within {DEADLINE:?}; instead: {:#?}", self.missed),
        }
    }

    /// Whether it has said such a thing so far, and nobody waited for it.
    pub(super) fn has_said(&mut self, wanted: impl Fn(&Event) -> bool) -> bool {
        while let Ok(event) = self.events.try_recv() {
            self.missed.push_back(event);
        }
        self.missed.iter().any(wanted)
    }

    pub(super) async fn connected(&mut self, peer: PeerId) {
        self.wait("connection", |event| {
            matches!(event, Event::Connected { peer: who, .. } if *who == peer).then_some(())
        })
        .await;
    }

    pub(super) async fn disconnected(&mut self, peer: PeerId) {
        let wanted =
            |event: &Event| matches!(event, Event::Disconnected { peer: who, .. } if *who == peer).then_some(());
        self.wait("end of the connection", wanted).await;
    }

    /// Waits until a peer's organisation is known, which is when its records count.
    pub(super) async fn introduced(&mut self, org: OrgId) {
        let wanted = |event: &Event| match event {
            Event::Engine(port::Event::Introduced { org: who, .. }) if *who == org => Some(()),
            _ => None,
        };
        self.wait("introduction", wanted).await;
    }

    /// Waits until a record and its body are durable here.
    pub(super) async fn holds(&mut self, record: RecordId) -> Body {
        if let Some(body) = self.shelf.body(&record) {
            return body;
        }
        let wanted = |event: &Event| match event {
            Event::Engine(port::Event::BodyStored(id) | port::Event::Stored(id)) if *id == record => Some(()),
            _ => None,
        };
        loop {
            self.wait("record", wanted).await;
            if let Some(body) = self.shelf.body(&record) {
                return body;
            }
        }
    }

    pub(super) async fn publish(&self, bodies: Vec<Body>) -> Vec<RecordId> {
        self.publish_for(Tlp::Clear, bodies).await
    }

    /// The same under this mark.
    pub(super) async fn publish_for(&self, tlp: Tlp, bodies: Vec<Body>) -> Vec<RecordId> {
        let draft = Draft {
            topic: Topic::parse("malware").expect("a topic"),
            tlp,
            expires_at: Millis(now().0 + DAY),
            bodies: bodies.into_iter().map(seal_body).collect(),
            set: None,
            derived_from: None,
        };
        match self.handle.command(Command::Publish(draft)).await {
            Outcome::Published(records) => records,
            other => panic!("not published: {other:?}"),
        }
    }

    /// Ends the node at once, as a power cut would, and gives its store.
    pub(super) async fn die(self) -> Arc<Shelf> {
        self.task.abort();
        let _ = self.task.await;
        self.shelf
    }

    /// How the node ended.
    pub(super) async fn ended(self) -> Result<(), MeshError> {
        tokio::time::timeout(DEADLINE, self.task)
            .await
            .expect("an end")
            .expect("no panic")
    }
}

/// A body of about this many bytes that does not compress: digests drawn from a number.
pub(super) fn body(bytes: usize, number: u64) -> Body {
    let observables = (0..bytes / 33).map(|place| {
        let digest = Digest::of(
            "starfish test body",
            &[number.to_le_bytes(), (place as u64).to_le_bytes()].concat(),
        );
        Observable::parse(&digest.to_string()).expect("a SHA-256 digest")
    });
    let bundle = Bundle::new(90, "made up".to_owned(), observables.collect()).expect("a bundle");
    Body::Indicators(bundle)
}
