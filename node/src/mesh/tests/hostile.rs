//! Peers that break the rules: each costs little, is struck, and is out in the end.

use std::sync::atomic::Ordering;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{
    PeerId, Stream, StreamProtocol, Swarm, gossipsub,
    identity::Keypair,
    swarm::{Config, SwarmEvent},
};
use starfish_crypto::{PublicKey, Signature};
use starfish_protocol::{
    codec,
    engine::port,
    intake::Fault,
    statement::Statement,
    wire::{Channel, FRAME_BYTES, Gossip, REQUEST_PROTOCOL},
};

use super::house::{Resident, Street, body, memory};
use crate::mesh::{CloseReason, Event, MeshSettings, behaviour::gossip};

/// A peer that shares nothing with ours but the transport. It is driven by a task of its own.
struct Stranger {
    control: libp2p_stream::Control,
    peer: PeerId,
}

impl Stranger {
    async fn visit(street: &Street, house: usize) -> Self {
        let key = Keypair::generate_ed25519();
        let peer = key.public().to_peer_id();
        let behaviour = libp2p_stream::Behaviour::new();
        let control = behaviour.new_control();
        let settings = Config::with_tokio_executor().with_idle_connection_timeout(std::time::Duration::from_secs(60));
        let mut swarm = Swarm::new(memory(&key), behaviour, peer, settings);
        swarm.dial(street.houses[house].address.clone()).expect("an address");
        while !matches!(swarm.next().await, Some(SwarmEvent::ConnectionEstablished { .. })) {}
        tokio::spawn(async move { while swarm.next().await.is_some() {} });
        Self { control, peer }
    }

    async fn stream(&mut self, peer: PeerId) -> Stream {
        self.control
            .open_stream(peer, StreamProtocol::new(REQUEST_PROTOCOL))
            .await
            .expect("a stream")
    }
}

async fn faulted(node: &mut Resident, peer: PeerId, fault: Fault) {
    let peer = crate::mesh::peers::peer_of(&peer);
    let wanted = |event: &Event| match event {
        Event::Engine(port::Event::Faulted { peer: who, fault: what }) if *who == peer && *what == fault => Some(()),
        _ => None,
    };
    node.wait("fault", wanted).await;
}

fn length(bytes: usize) -> Vec<u8> {
    unsigned_varint::encode::usize(bytes, &mut unsigned_varint::encode::usize_buffer()).to_vec()
}

#[tokio::test]
async fn broken_requests_are_struck_and_answered_with_little() {
    let street = Street::new("broken", 1);
    let mut node = street.move_in(0, &[]);
    let mut stranger = Stranger::visit(&street, 0).await;
    node.connected(stranger.peer).await;
    let frames: [Vec<u8>; 5] = [
        // Announced longer than allowed.
        length(FRAME_BYTES + 1),
        length(usize::try_from(u32::MAX).expect("64 bits")),
        // A length without an end.
        vec![0xff; 64],
        // Nothing, and nonsense.
        length(0),
        [length(300), vec![0xee; 300]].concat(),
    ];
    for frame in frames {
        let mut stream = stranger.stream(node.peer).await;
        stream.write_all(&frame).await.expect("written");
        stream.flush().await.expect("flushed");
        faulted(&mut node, stranger.peer, Fault::Malformed).await;
        let mut answer = Vec::new();
        // The node answers with a word, or resets the stream.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.len() < 16, "{answer:?}");
    }
}

#[tokio::test]
async fn an_endless_stream_ends() {
    let street = Street::new("endless", 1);
    let mut node = street.move_in(0, &[]);
    let mut stranger = Stranger::visit(&street, 0).await;
    node.connected(stranger.peer).await;
    let mut stream = stranger.stream(node.peer).await;
    let mut sent = 0_usize;
    // More than any window holds: it can only end because the node breaks it off.
    while stream.write_all(&[0x80; 16_384]).await.is_ok() && stream.flush().await.is_ok() {
        sent += 16_384;
        assert!(sent < 64 << 20, "the node reads on and on");
    }
    faulted(&mut node, stranger.peer, Fault::Malformed).await;
}

#[tokio::test]
async fn a_peer_that_breaks_the_rules_again_and_again_is_out() {
    let street = Street::new("again", 1);
    let mut node = street.move_in(0, &[]);
    let mut stranger = Stranger::visit(&street, 0).await;
    node.connected(stranger.peer).await;
    for _ in 0..8 {
        let mut stream = stranger.stream(node.peer).await;
        stream.write_all(&length(0)).await.expect("written");
        stream.flush().await.expect("flushed");
        faulted(&mut node, stranger.peer, Fault::Malformed).await;
    }
    let out = CloseReason::Engine(port::DisconnectReason::Misbehaved);
    node.wait("end", |event| {
        matches!(event, Event::Closed { reason, .. } if *reason == out).then_some(())
    })
    .await;
    node.disconnected(stranger.peer).await;
    assert_eq!(node.handle.connections().await, []);
}

#[tokio::test]
async fn too_many_streams_are_reset() {
    let street = Street::new("many", 1);
    let mut settings = street.settings(0, &[]);
    settings.limits.streams_per_peer = 8;
    let mut node = street.live(0, settings, std::sync::Arc::default(), None);
    let mut stranger = Stranger::visit(&street, 0).await;
    node.connected(stranger.peer).await;
    let mut held = Vec::new();
    for _ in 0..8 {
        let mut stream = stranger.stream(node.peer).await;
        // Half a frame, so that it stays open.
        stream
            .write_all(&[length(100), vec![0; 50]].concat())
            .await
            .expect("written");
        stream.flush().await.expect("flushed");
        held.push(stream);
    }
    let mut late = stranger.stream(node.peer).await;
    // It may be reset before anything is written.
    let _ = late.write_all(&length(0)).await;
    let _ = late.flush().await;
    assert_eq!(
        late.read(&mut [0; 16]).await.unwrap_or(0),
        0,
        "the ninth stream is answered"
    );
}

/// A statement of a kind that nobody knows, laid out as any other.
fn strange(number: u64) -> Statement {
    let signatures: [(PublicKey, Signature); 0] = [];
    let bytes = codec::encode(&(60_000_u16, number.to_le_bytes().to_vec(), &signatures[..]));
    codec::decode(&bytes, bytes.len()).expect("a statement")
}

/// A peer that gossips these messages, which nobody has asked for and of which none is provably false.
async fn flood(street: &Street, house: usize, settings: &MeshSettings, messages: std::ops::Range<u64>) -> PeerId {
    let key = Keypair::generate_ed25519();
    let peer = key.public().to_peer_id();
    let gossip = gossip::gossipsub(&street.community, settings, None).expect("good parameters");
    let config = Config::with_tokio_executor().with_idle_connection_timeout(std::time::Duration::from_secs(60));
    let mut swarm = Swarm::new(memory(&key), gossip, peer, config);
    swarm.dial(street.houses[house].address.clone()).expect("an address");
    while !matches!(
        swarm.next().await,
        Some(SwarmEvent::Behaviour(gossipsub::Event::Subscribed { .. }))
    ) {}
    for number in messages {
        let payload = codec::encode(&Gossip::Statements(vec![strange(number)]));
        let topic = gossip::topic(&street.community, Channel::Statements);
        // It may be out before it has said everything.
        let _ = swarm.behaviour_mut().publish(topic, payload);
    }
    tokio::spawn(async move { while swarm.next().await.is_some() {} });
    peer
}

#[tokio::test]
async fn a_peer_that_floods_is_out_for_a_while() {
    let street = Street::new("flood", 2);
    let mut settings = street.settings(0, &[]);
    (settings.limits.gossip_burst, settings.limits.gossip_per_second) = (100, 1);
    let mut node = street.live(0, settings.clone(), std::sync::Arc::default(), None);
    let within = flood(&street, 0, &settings, 0..100).await;
    node.connected(within).await;
    let beyond = flood(&street, 0, &settings, 100..210).await;
    node.connected(beyond).await;
    let closed = node.wait("end of the flood", |event| match event {
        Event::Closed { peer, reason } if *reason == CloseReason::Flooding => Some(*peer),
        _ => None,
    });
    assert_eq!(closed.await, beyond);
    node.disconnected(beyond).await;
    // Nobody was accused of anything, and everybody else is welcome.
    let accused = |event: &Event| matches!(event, Event::Engine(port::Event::Faulted { .. }));
    assert!(!node.has_said(accused));
    let left: Vec<PeerId> = node.handle.connections().await.iter().map(|view| view.peer).collect();
    assert_eq!(left, [within]);
}

#[tokio::test]
async fn a_body_that_does_not_fit_its_digest_is_its_sender_s_fault() {
    let street = Street::new("lying", 2);
    let mut liar = street.move_in(0, &[]);
    let records = liar.publish(vec![body(100_000, 1)]).await;
    liar.shelf.lying.store(true, Ordering::Relaxed);
    let mut node = street.move_in(1, &[0]);
    faulted(&mut node, liar.peer, Fault::Body).await;
    assert!(node.shelf.body(&records[0]).is_none());
    liar.connected(node.peer).await;
}
