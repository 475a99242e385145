//! A peer that speaks the protocol by hand: [`Speaker`] knows libp2p's transport and Starfish's wire types, and none of the
//! node's code. It says exactly what a test wants, and answers as its [`Manners`] tell it: politely, or not at all.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _, channel::oneshot};
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder, identify,
    identity::Keypair,
    multiaddr::Protocol,
    ping,
    swarm::{NetworkBehaviour, SwarmEvent},
    tcp, tls, yamux,
};
use starfish_crypto::{Digest, SecretKey};
use starfish_protocol::{
    codec,
    wire::{FRAME_BYTES, REQUEST_PROTOCOL, Request, Response},
};
use starfish_tests::nodes::{SOON, eventually};
use tokio::{
    runtime::Runtime,
    sync::{mpsc, watch},
    time::timeout,
};

use super::{
    channels::{Channels, Incoming, Wanted},
    frames::{read_frame, read_response, write_response},
    gossip_frames::{graft, payloads, prefixed, publication, subscriptions},
};

const REQUESTS: StreamProtocol = StreamProtocol::new(REQUEST_PROTOCOL);
const GOSSIP: StreamProtocol = StreamProtocol::new("/meshsub/1.1.0");
/// How long anything that must happen may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// How an incoming request is answered.
pub(super) enum Answer {
    /// As the protocol says.
    Response(Response),
    /// These bytes, then the end of the stream.
    Bytes(Vec<u8>),
    /// Bytes without an end, as fast as they are taken.
    Endless(Vec<u8>),
    /// One byte of these every 100 ms.
    Drip(Vec<u8>),
    /// Nothing, with the stream held open.
    Never,
}

/// Decides how requests are answered.
pub(super) type Manners = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

#[derive(NetworkBehaviour)]
struct Behaviour {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    channels: Channels,
}

/// What the tasks of one speaker share.
#[derive(Default)]
struct Heard {
    payloads: Mutex<Vec<Vec<u8>>>,
    requests: Mutex<Vec<Request>>,
}

/// One connection to the victim.
pub(super) struct Speaker {
    runtime: Runtime,
    wanted: mpsc::UnboundedSender<Wanted>,
    connected: watch::Receiver<bool>,
    heard: Arc<Heard>,
    gossip: Option<Stream>,
}

impl Speaker {
    /// Connects with this node key, and answers whatever it is asked with these manners.
    pub(super) fn connect(address: &str, key: &SecretKey, manners: Manners) -> Self {
        let address: Multiaddr = address.parse().expect("the victim's address is a multiaddress");
        let Some(Protocol::P2p(victim)) = address.iter().last() else {
            panic!("{address} names no peer")
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime can be made");
        let (up, connected) = watch::channel(false);
        let heard = Arc::new(Heard::default());
        let (wanted, orders) = mpsc::unbounded_channel();
        {
            let _inside = runtime.enter();
            let mut swarm = swarm(key);
            swarm.dial(address).expect("the victim can be dialled");
            let house = House {
                victim,
                manners,
                heard: heard.clone(),
            };
            runtime.spawn(house.drive(swarm, orders, up));
        }
        let mut speaker = Self {
            runtime,
            wanted,
            connected,
            heard,
            gossip: None,
        };
        speaker.wait_for_connection();
        speaker
    }

    fn wait_for_connection(&mut self) {
        let connected = &mut self.connected;
        let up = self.runtime.block_on(async {
            timeout(DEADLINE, connected.wait_for(|up| *up))
                .await
                .is_ok_and(|up| up.is_ok())
        });
        assert!(up, "no connection to the victim within {DEADLINE:?}");
    }

    /// Whether the victim still wants us.
    pub(super) fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }

    /// Waits until the victim has closed the connection.
    pub(super) fn is_thrown_out(&mut self) -> bool {
        let connected = &mut self.connected;
        self.runtime
            .block_on(async { timeout(DEADLINE, connected.wait_for(|up| !*up)).await.is_ok() })
    }

    /// A stream to the victim, opened by us. None when it refuses.
    fn open(&mut self, protocol: StreamProtocol) -> Option<Stream> {
        let (opened, stream) = oneshot::channel();
        self.wanted.send(Wanted { protocol, opened }).ok()?;
        self.runtime
            .block_on(async { timeout(DEADLINE, stream).await.ok()?.ok() })
    }

    /// Whether the victim speaks a protocol over this connection.
    pub(super) fn may_speak(&mut self, protocol: &'static str) -> bool {
        self.open(StreamProtocol::new(protocol)).is_some()
    }

    /// Writes bytes to a stream of requests and keeps it open. None when the victim does not take them.
    pub(super) fn pour(&mut self, bytes: &[u8]) -> Option<Stream> {
        let mut stream = self.open(REQUESTS)?;
        let written = self.runtime.block_on(async {
            timeout(DEADLINE, async {
                stream.write_all(bytes).await.and(stream.flush().await)
            })
            .await
        });
        matches!(written, Ok(Ok(()))).then_some(stream)
    }

    /// Writes to an open stream for this long or until the victim refuses; the number of bytes that it took.
    pub(super) fn flood(&mut self, stream: &mut Stream, bytes: &[u8], length: Duration) -> usize {
        let mut taken = 0;
        // The victim may stop reading without closing: the time limit is the test's own.
        let pouring = async {
            while let Ok(some) = stream.write(bytes).await {
                if some == 0 {
                    return;
                }
                taken += some;
            }
        };
        let _ = self.runtime.block_on(async { timeout(length, pouring).await });
        taken
    }

    /// Waits until the victim has closed a stream, and gives what it said before.
    pub(super) fn read_to_end(&mut self, mut stream: Stream) -> Option<Vec<u8>> {
        let mut said = Vec::new();
        let reading = async {
            // A reset is an end as well.
            let _ = (&mut stream).take(FRAME_BYTES as u64 * 2).read_to_end(&mut said).await;
        };
        let ended = self
            .runtime
            .block_on(async { timeout(DEADLINE, reading).await.is_ok() });
        ended.then_some(said)
    }

    /// Sends the bytes as one frame and reads the answer. None when there is none.
    pub(super) fn ask_bytes(&mut self, frame: &[u8]) -> Option<Response> {
        let stream = self.open(REQUESTS)?;
        self.runtime
            .block_on(async { timeout(DEADLINE, exchange(stream, frame.to_vec())).await.ok().flatten() })
    }

    /// Asks as the protocol says.
    pub(super) fn ask(&mut self, request: &Request) -> Option<Response> {
        self.ask_bytes(&codec::encode(request))
    }

    /// Asks many things at once, each on a stream of its own, and returns the answers in the order of the requests.
    pub(super) fn ask_all(&mut self, requests: &[Request]) -> Vec<Option<Response>> {
        let streams: Vec<Option<Stream>> = requests.iter().map(|_| self.open(REQUESTS)).collect();
        let asked = streams.into_iter().zip(requests).map(|(stream, request)| async {
            let stream = stream?;
            timeout(DEADLINE, exchange(stream, codec::encode(request)))
                .await
                .ok()
                .flatten()
        });
        self.runtime.block_on(futures::future::join_all(asked))
    }

    /// Writes bytes to our own gossip stream, as they are.
    pub(super) fn gossip_bytes(&mut self, bytes: &[u8]) -> bool {
        if self.gossip.is_none() {
            self.gossip = self.open(GOSSIP);
        }
        let Some(stream) = &mut self.gossip else { return false };
        let written = self.runtime.block_on(async {
            timeout(DEADLINE, async {
                stream.write_all(bytes).await.and(stream.flush().await)
            })
            .await
        });
        let good = matches!(written, Ok(Ok(())));
        if !good {
            self.gossip = None;
        }
        good
    }

    /// Takes part in a channel: subscribes, and takes a place in the victim's mesh.
    pub(super) fn join(&mut self, topic: &str) {
        assert!(
            self.gossip_bytes(&subscriptions([topic])),
            "the victim takes a subscription"
        );
        assert!(self.gossip_bytes(&graft(topic)), "the victim takes a graft");
    }

    /// Publishes a payload to the victim.
    pub(super) fn publish(&mut self, topic: &str, payload: &[u8]) -> bool {
        self.gossip_bytes(&publication(topic, payload))
    }

    /// Every gossip payload that the victim has sent us.
    pub(super) fn payloads(&self) -> Vec<Vec<u8>> {
        self.heard
            .payloads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until the victim has asked us for this body.
    pub(super) fn is_asked_for(&self, digest: Digest) {
        let asked = || {
            let requests = self.heard.requests.lock().unwrap_or_else(PoisonError::into_inner);
            requests
                .iter()
                .any(|request| matches!(request, Request::Body { digest: wanted } if *wanted == digest))
        };
        eventually("the victim asks for the body", SOON, asked);
    }
}

fn swarm(key: &SecretKey) -> Swarm<Behaviour> {
    let keypair = Keypair::ed25519_from_bytes(key.seed().as_mut_slice()).expect("a seed is a key");
    let behaviour = |keypair: &Keypair| Behaviour {
        identify: identify::Behaviour::new(identify::Config::new("/starfish/1".to_owned(), keypair.public())),
        ping: ping::Behaviour::default(),
        channels: Channels::new(&[REQUESTS, GOSSIP]),
    };
    let builder = SwarmBuilder::with_existing_identity(keypair).with_tokio();
    let builder = builder.with_tcp(tcp::Config::default(), tls::Config::new, yamux::Config::default);
    let builder = builder
        .expect("TLS can be set up")
        .with_behaviour(behaviour)
        .expect("the behaviour cannot fail");
    builder
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(3_600)))
        .build()
}

/// What answers for one speaker.
struct House {
    victim: PeerId,
    manners: Manners,
    heard: Arc<Heard>,
}

impl House {
    /// Polls the swarm, opens streams, and takes those of the victim.
    async fn drive(
        self,
        mut swarm: Swarm<Behaviour>,
        mut orders: mpsc::UnboundedReceiver<Wanted>,
        up: watch::Sender<bool>,
    ) {
        loop {
            tokio::select! {
                event = swarm.select_next_some() => match event {
                    SwarmEvent::ConnectionEstablished { .. } => { up.send_replace(true); },
                    SwarmEvent::ConnectionClosed { num_established: 0, .. } => { up.send_replace(false); },
                    SwarmEvent::Behaviour(BehaviourEvent::Channels(incoming)) => self.take(incoming),
                    _ => {}
                },
                Some(wanted) = orders.recv() => swarm.behaviour_mut().channels.open(self.victim, wanted),
            }
        }
    }

    fn take(&self, Incoming { protocol, stream }: Incoming) {
        let heard = self.heard.clone();
        if protocol == REQUESTS {
            tokio::spawn(answer(stream, self.manners.clone(), heard));
        } else {
            tokio::spawn(listen(stream, heard));
        }
    }
}

async fn exchange(mut stream: Stream, frame: Vec<u8>) -> Option<Response> {
    stream.write_all(&prefixed(&frame)).await.ok()?;
    stream.flush().await.ok()?;
    read_response(&mut stream).await
}

/// Reads one request and answers it. A victim that gives up on us is in its right.
async fn answer(mut stream: Stream, manners: Manners, heard: Arc<Heard>) -> Option<()> {
    let frame = read_frame(&mut stream).await?;
    let request: Request = codec::decode(&frame, FRAME_BYTES).ok()?;
    heard
        .requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request.clone());
    match manners(&request) {
        Answer::Response(response) => write_response(&mut stream, &response).await?,
        Answer::Bytes(bytes) => stream.write_all(&bytes).await.ok()?,
        Answer::Endless(bytes) => loop {
            stream.write_all(&bytes).await.ok()?;
        },
        Answer::Drip(bytes) => {
            for byte in bytes {
                stream.write_all(&[byte]).await.ok()?;
                stream.flush().await.ok()?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Answer::Never => std::future::pending().await,
    }
    stream.close().await.ok()
}

/// Keeps what the victim publishes to us.
async fn listen(mut stream: Stream, heard: Arc<Heard>) {
    while let Some(frame) = read_frame(&mut stream).await {
        heard
            .payloads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(payloads(&frame));
    }
}
