//! What is no node: [`Speaker`] stands in a node's place, speaks the nodes' own frames and says what no node would say.
//!
//! It listens and dials as the node would, answers pings, subscribes, grafts itself into both open meshes, and from its time
//! on says one thing after the other on each connection. It declines everything else and answers no question. Whoever closes
//! a connection that it dialled is dialled again.
//!
//! | part | what it does |
//! |---|---|
//! | `mouth` | what is said, and what was heard |
//! | `histories` | two logs of one author |
//! | `prying` | questions about what is TLP:GREEN |
//! | `frames` | how gossipsub writes it |

mod frames;
mod histories;
mod mouth;
mod prying;

use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use libp2p::{
    Multiaddr, PeerId,
    core::{
        Endpoint,
        muxing::{StreamMuxerBox, StreamMuxerExt as _, SubstreamBox},
        transport::{Boxed, DialOpts, ListenerId, PortUse, Transport as _, TransportEvent},
    },
};
use starfish_crypto::Digest;
use starfish_protocol::record::{Header, LogId};
use starfish_sim_kernel::{self as kernel, Owner};

use self::{frames::Use, mouth::Mouth};
use super::{REDIAL, World};

/// Bytes of a ping.
const PING: usize = 32;

/// What a speaker says again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// That it has messages which nobody ever wrote.
    Announce,
    /// That it leaves the mesh, and that it is part of it, by turns.
    Graft,
    /// What it heard, as it heard it, and headers without the body that came with them.
    Repeat,
    /// The next record of its node's log: one to every second neighbour, another with the same number to the others.
    Equivocate,
    /// Questions about what is TLP:GREEN, whose names it knows from somebody who may be told.
    Pry,
}

/// Something that speaks in a node's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// What it says.
    pub speech: Speech,
    /// From when on.
    pub from: Duration,
    /// The time between two turns with one neighbour.
    pub every: Duration,
}

/// Names of what is TLP:GREEN, which every speaker knows.
pub(super) type Rumours = Arc<Mutex<Vec<(LogId, Digest)>>>;
/// One mouth for all connections of a speaker.
type Shared = Arc<Mutex<Mouth>>;
/// One connection.
type Line = Arc<Mutex<StreamMuxerBox>>;

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// Lets speakers know the name of a record and of its body.
    pub fn name(&self, header: &Header) {
        lock(&self.rumours).push((header.log(), header.body_digest));
    }

    /// Starts what speaks in the place of a node, in the place of what spoke before.
    pub(super) fn speak(&self, node: usize, speaker: Speaker) {
        let owner = Owner::node(node);
        kernel::kill(owner);
        let mouth: Shared = Arc::new(Mutex::new(Mouth::new(self, node, speaker)));
        let mut transport = self.network.transport(node, self.peer(node));
        let listening = transport.listen_on(ListenerId::next(), self.network.address(node));
        listening.expect("nothing else listens in this place");
        for other in self.plan[node].dials.iter().flatten() {
            let dialler = self.network.transport(node, self.peer(node));
            let address = self.network.address(*other);
            kernel::spawn(owner, call(dialler, address, Arc::clone(&mouth), owner));
        }
        kernel::spawn(owner, async move {
            loop {
                let event = poll_fn(|cx| Pin::new(&mut transport).poll(cx)).await;
                if let TransportEvent::Incoming { upgrade, .. } = event {
                    kernel::spawn(owner, converse(upgrade, Arc::clone(&mouth), owner));
                }
            }
        });
    }
}

/// Keeps a connection to this address.
async fn call(mut transport: Boxed<(PeerId, StreamMuxerBox)>, address: Multiaddr, mouth: Shared, owner: Owner) {
    loop {
        let options = DialOpts {
            role: Endpoint::Dialer,
            port_use: PortUse::Reuse,
        };
        let Ok(dial) = transport.dial(address.clone(), options) else {
            return;
        };
        converse(dial, Arc::clone(&mouth), owner).await;
        kernel::sleep(REDIAL).await;
    }
}

/// One connection, from its handshake on: speaks on streams of its own, and listens on all that the other opens.
async fn converse(connecting: impl Future<Output = io::Result<(PeerId, StreamMuxerBox)>>, mouth: Shared, owner: Owner) {
    let Ok((peer, muxer)) = connecting.await else { return };
    let line: Line = Arc::new(Mutex::new(muxer));
    let (heard, ears) = (Arc::clone(&line), Arc::clone(&mouth));
    kernel::spawn(owner, async move {
        while let Ok(stream) = poll_fn(|cx| lock(&heard).poll_inbound_unpin(cx)).await {
            let ears = Arc::clone(&ears);
            kernel::spawn(owner, async move {
                // The other side ends the stream as it likes.
                let _ = listen(stream, &ears).await;
            });
        }
    });
    // It ends with the connection.
    let _ = speak(&line, peer, &mouth, owner).await;
}

async fn open(line: &Line) -> io::Result<SubstreamBox> {
    poll_fn(|cx| lock(line).poll_outbound_unpin(cx)).await
}

async fn speak(line: &Line, peer: PeerId, mouth: &Shared, owner: Owner) -> io::Result<()> {
    let mut stream = open(line).await?;
    stream.write_all(&frames::gossip()).await?;
    let (greeting, speaker, side) = lock(mouth).greet(&peer);
    say(&mut stream, &greeting).await?;
    let now = Duration::from_nanos(kernel::now().unwrap_or_default());
    kernel::sleep(speaker.from.saturating_sub(now)).await;
    for turn in 0.. {
        let said = lock(mouth).say(side, turn);
        for rpc in said {
            say(&mut stream, &rpc).await?;
        }
        if speaker.speech == Speech::Pry {
            prying::ask(line, mouth, owner).await?;
        }
        kernel::sleep(speaker.every).await;
    }
    Ok(())
}

async fn say(stream: &mut SubstreamBox, rpc: &[u8]) -> io::Result<()> {
    stream.write_all(&frames::framed(rpc)).await?;
    stream.flush().await
}

/// Agrees to gossip and to pings, keeps what is said and answers the pings.
async fn listen(mut stream: SubstreamBox, mouth: &Shared) -> io::Result<()> {
    stream.write_all(&frames::greeting()).await?;
    stream.flush().await?;
    let agreed = loop {
        let proposal = frame(&mut stream).await?;
        let Some(answer) = frames::answer(&proposal) else {
            continue;
        };
        stream.write_all(&answer.line).await?;
        stream.flush().await?;
        if let Some(agreed) = answer.agreed {
            break agreed;
        }
    };
    loop {
        match agreed {
            Use::Gossip => {
                let rpc = frame(&mut stream).await?;
                lock(mouth).hear(&rpc);
            }
            Use::Ping => {
                let mut ping = [0; PING];
                stream.read_exact(&mut ping).await?;
                stream.write_all(&ping).await?;
                stream.flush().await?;
            }
        }
    }
}

/// One frame, by its length.
async fn frame(stream: &mut SubstreamBox) -> io::Result<Vec<u8>> {
    let mut length = Vec::new();
    let length = loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        length.extend(byte);
        if byte[0] < 0x80 {
            break frames::length(&length);
        }
    };
    let length = length.ok_or(io::ErrorKind::InvalidData)?;
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
