//! What is TLP:GREEN over real connections: who is confided in has it, and a hostile peer at any door has nothing.

use futures::StreamExt;
use libp2p::{
    PeerId, Swarm, gossipsub,
    swarm::{Config, SwarmEvent},
};
use starfish_protocol::{
    codec,
    engine::port::{Command, Outcome},
    record::{Audience, Header, RecordId, Tlp},
    trust::Root,
    wire::{Channel, Gossip},
};

use super::house::{Resident, Street, address, body, memory};
use crate::mesh::{CloseReason, Event, behaviour::gossip, keypair};

async fn confide(node: &Resident, street: &Street, other: usize, may: bool) {
    let org = street.houses[other].org;
    let root = Root {
        receive_green: may,
        ..Root::paired(org)
    };
    assert_eq!(node.handle.command(Command::SetRoot(root)).await, Outcome::Done);
}

/// Waits until there is no connection to a peer, of which there may have been several.
async fn gone(node: &mut Resident, peer: PeerId) {
    while node.handle.connections().await.iter().any(|view| view.peer == peer) {
        node.disconnected(peer).await;
    }
}

async fn made_anew(node: &mut Resident, peer: PeerId) {
    let wanted = |event: &Event| match event {
        Event::Closed { peer: who, reason } if *who == peer && *reason == CloseReason::Confided => Some(()),
        _ => None,
    };
    node.wait("end of a connection of the other kind", wanted).await;
}

/// Whether a record that everyone may have, published after another one, has come, and the other one has not.
async fn came_alone(publisher: &Resident, other: &mut Resident, green: &[RecordId], number: u64) {
    let clear = publisher.publish(vec![body(20_000, number)]).await;
    other.holds(clear[0]).await;
    assert!(green.iter().all(|record| other.shelf.header(record).is_none()));
}

#[tokio::test]
async fn it_goes_where_it_may_and_nowhere_else() {
    let street = Street::new("confiding", 3);
    let mut one = street.move_in(0, &[]);
    let mut two = street.move_in(1, &[0]);
    let mut three = street.move_in(2, &[0, 1]);
    for (node, others) in [(&mut one, [1, 2]), (&mut two, [0, 2]), (&mut three, [0, 1])] {
        for other in others {
            node.introduced(street.houses[other].org).await;
        }
    }
    confide(&one, &street, 1, true).await;
    confide(&two, &street, 0, true).await;
    let (bodies, sizes) = ([1, 2, 3], [66, 20_000, 200_000]);
    let bodies = bodies.into_iter().zip(sizes).map(|(number, bytes)| body(bytes, number));
    let green = one.publish_for(Tlp::Green, bodies.collect()).await;
    for (record, (number, bytes)) in green.iter().zip([(1, 66), (2, 20_000), (3, 200_000)]) {
        assert_eq!(two.holds(*record).await, body(bytes, number));
    }
    came_alone(&one, &mut three, &green, 4).await;
    // Back again, over the mesh that both are in by now.
    let back = two.publish_for(Tlp::Green, vec![body(200_000, 5)]).await;
    assert_eq!(one.holds(back[0]).await, body(200_000, 5));
    // The right goes while all are connected: nothing more comes, and what is for everyone still does.
    confide(&one, &street, 1, false).await;
    made_anew(&mut one, two.peer).await;
    let late = one.publish_for(Tlp::Green, vec![body(66, 6), body(20_000, 7)]).await;
    came_alone(&one, &mut two, &late, 8).await;
    came_alone(&two, &mut three, &[green, back, late].concat(), 9).await;
}

#[tokio::test]
async fn one_who_does_not_confide_in_us_is_told_all_the_same() {
    let street = Street::new("one way", 2);
    let mut one = street.move_in(0, &[]);
    let mut two = street.move_in(1, &[0]);
    one.introduced(street.houses[1].org).await;
    two.introduced(street.houses[0].org).await;
    confide(&one, &street, 1, true).await;
    made_anew(&mut one, two.peer).await;
    one.connected(two.peer).await;
    one.introduced(street.houses[1].org).await;
    let records = one.publish_for(Tlp::Green, vec![body(66, 1), body(20_000, 2)]).await;
    assert_eq!(two.holds(records[0]).await, body(66, 1));
    assert_eq!(two.holds(records[1]).await, body(20_000, 2));
}

#[tokio::test]
async fn who_restarts_is_known_before_it_is_connected() {
    let street = Street::new("restart", 2);
    let mut one = street.move_in(0, &[]);
    let mut two = street.move_in(1, &[0]);
    one.introduced(street.houses[1].org).await;
    two.introduced(street.houses[0].org).await;
    let records = one.publish_for(Tlp::Green, vec![body(20_000, 1)]).await;
    let (one_shelf, two_shelf) = (one.die().await, two.die().await);
    // The addresses of their earlier lives may be taken for a moment longer.
    let elsewhere = |house: usize| {
        let mut settings = street.settings(house, &[]);
        settings.listen = vec![address()];
        settings
    };
    let settings = elsewhere(0);
    let there = settings.listen[0].clone();
    let one = street.live(0, settings, one_shelf, None);
    let mut two = street.live(1, elsewhere(1), two_shelf, None);
    confide(&one, &street, 1, true).await;
    confide(&two, &street, 0, true).await;
    two.handle.dial(there).await.expect("it listens");
    assert_eq!(two.holds(records[0]).await, body(20_000, 1));
    let again = |event: &Event| matches!(event, Event::Closed { reason, .. } if *reason == CloseReason::Confided);
    assert!(!two.has_said(again));
}

/// A peer with the key of a house, and with a gossipsub that takes part in whatever it likes.
struct Eavesdropper {
    swarm: Swarm<gossipsub::Behaviour>,
    peer: PeerId,
}

/// What an eavesdropper comes upon.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Message(Vec<u8>),
    /// The node speaks no such protocol over this connection.
    NotSupported,
    Closed,
}

impl Eavesdropper {
    fn new(street: &Street, house: usize, prefix: Option<&'static str>) -> Self {
        let key = keypair(&street.key(house));
        let peer = key.public().to_peer_id();
        let mut builder = gossipsub::ConfigBuilder::default();
        builder.validation_mode(gossipsub::ValidationMode::Anonymous);
        if let Some(prefix) = prefix {
            builder.protocol_id_prefix(prefix);
        }
        let config = builder.build().expect("good parameters");
        let mut gossip =
            gossipsub::Behaviour::new(gossipsub::MessageAuthenticity::Anonymous, config).expect("anonymous");
        // A request for more subscriptions than a mesh has topics is dropped whole.
        let wanted = if prefix.is_some() {
            &[Channel::Green][..]
        } else {
            &Channel::ALL[..]
        };
        for channel in wanted.iter().copied() {
            let topic = gossip::topic(&street.community, channel);
            gossip.subscribe(&topic).expect("it may subscribe to anything");
        }
        let config = Config::with_tokio_executor().with_idle_connection_timeout(std::time::Duration::from_secs(60));
        let mut swarm = Swarm::new(memory(&key), gossip, peer, config);
        swarm.dial(street.houses[0].address.clone()).expect("an address");
        Self { swarm, peer }
    }

    async fn next(&mut self) -> Heard {
        loop {
            match self.swarm.next().await {
                Some(SwarmEvent::Behaviour(gossipsub::Event::Message { message, .. })) => {
                    return Heard::Message(message.data);
                }
                Some(SwarmEvent::Behaviour(gossipsub::Event::GossipsubNotSupported { .. })) => {
                    return Heard::NotSupported;
                }
                Some(SwarmEvent::ConnectionClosed { .. }) => return Heard::Closed,
                _ => {}
            }
        }
    }
}

/// The header of a message, if it is one.
fn header(payload: &[u8]) -> Option<Header> {
    match codec::decode(payload, payload.len()) {
        Ok(Gossip::Header { header, .. }) => Header::decode(header.bytes()).ok(),
        _ => None,
    }
}

/// A node that confides in the second house, whose node is there, and what the third house is in for.
async fn with_friend(street: &Street) -> (Resident, Resident) {
    let mut one = street.move_in(0, &[]);
    let mut two = street.move_in(1, &[0]);
    one.introduced(street.houses[1].org).await;
    two.introduced(street.houses[0].org).await;
    confide(&one, street, 1, true).await;
    confide(&two, street, 0, true).await;
    (one, two)
}

#[tokio::test]
async fn a_subscriber_of_the_ordinary_mesh_hears_nothing_of_it() {
    let street = Street::new("ordinary", 3);
    let (mut one, mut two) = with_friend(&street).await;
    let mut thief = Eavesdropper::new(&street, 2, None);
    let listening = async {
        loop {
            let Heard::Message(payload) = thief.next().await else {
                panic!("it stays connected")
            };
            match header(&payload).map(|header| header.audience) {
                Some(Audience::Clear) => return,
                Some(other) => panic!("it heard something {other:?}"),
                None => {}
            }
        }
    };
    let publishing = async {
        one.connected(street.houses[2].peer).await;
        for number in 0.. {
            let green = one.publish_for(Tlp::Green, vec![body(66, 2 * number)]).await;
            two.holds(green[0]).await;
            let clear = one.publish(vec![body(66, 2 * number + 1)]).await;
            two.holds(clear[0]).await;
        }
    };
    // It hears what is for everyone sooner or later, and nothing else before.
    tokio::select! {
        () = listening => {}
        () = publishing => {}
    }
}

#[tokio::test]
async fn the_green_mesh_is_closed_to_others_and_closes_when_a_right_is_lost() {
    let street = Street::new("closed", 3);
    let (mut one, mut two) = with_friend(&street).await;
    let green_prefix = Some(gossip::GREEN_PROTOCOL);
    let mut thief = Eavesdropper::new(&street, 2, green_prefix);
    assert_eq!(thief.next().await, Heard::NotSupported);
    // It had the right once. Without its statements it is nobody, so a node of the house tells who it is.
    confide(&one, &street, 2, true).await;
    drop(thief);
    gone(&mut one, street.houses[2].peer).await;
    let mut third = street.move_in(2, &[0]);
    third.introduced(street.houses[0].org).await;
    one.introduced(street.houses[2].org).await;
    third.die().await;
    gone(&mut one, street.houses[2].peer).await;
    let mut thief = Eavesdropper::new(&street, 2, green_prefix);
    let first = one.publish_for(Tlp::Green, vec![body(66, 1)]).await;
    two.holds(first[0]).await;
    let mut number = 2;
    let heard = loop {
        tokio::select! {
            heard = thief.next() => break heard,
            more = one.publish_for(Tlp::Green, vec![body(66, number)]) => { two.holds(more[0]).await; number += 1; }
        }
    };
    assert!(
        matches!(&heard, Heard::Message(payload) if header(payload).is_some()),
        "{heard:?}"
    );
    confide(&one, &street, 2, false).await;
    let late = one.publish_for(Tlp::Green, vec![body(66, 1_000)]).await;
    two.holds(late[0]).await;
    let mut last = Vec::new();
    while let Heard::Message(payload) = thief.next().await {
        last.push(payload);
    }
    let heard_late = last.iter().filter_map(|payload| header(payload)).any(|header| {
        let late = two.shelf.header(&late[0]).expect("it is here");
        header.body_digest == late.body_digest
    });
    assert!(!heard_late, "it heard what was published after its right was lost");
    thief.swarm.dial(street.houses[0].address.clone()).expect("an address");
    assert_eq!(thief.next().await, Heard::NotSupported);
    assert_eq!(thief.peer, street.houses[2].peer);
}
