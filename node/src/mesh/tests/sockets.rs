//! The daemon's own transport: TCP with TLS and yamux, and QUIC.

use std::sync::Arc;

use libp2p::Multiaddr;

use super::{
    house::{Resident, Street, body},
    shelf::Shelf,
};
use crate::{
    daemon::transport::transport,
    mesh::{Event, keypair},
};

fn live(street: &Street, house: usize, listen: &str, dial: &[Multiaddr], shelf: Arc<Shelf>) -> Resident {
    let key = keypair(&street.setup(house, &shelf).key);
    let mut settings = street.settings(house, &[]);
    settings.listen = vec![listen.parse().expect("an address")];
    settings.dial = dial.to_vec();
    street.live_over(house, settings, shelf, transport(&key).expect("a transport"))
}

async fn address(node: &mut Resident) -> Multiaddr {
    node.wait("address", |event| match event {
        Event::Listening(address) => Some(address.clone()),
        _ => None,
    })
    .await
}

async fn check(name: &str, listen: &str) {
    let street = Street::new(name, 2);
    let mut one = live(&street, 0, listen, &[], Arc::default());
    let mut two = live(&street, 1, listen, &[], Arc::default());
    let address = address(&mut one).await;
    assert_eq!(two.handle.dial(address).await, Ok(one.peer));
    one.introduced(street.houses[1].org).await;
    two.introduced(street.houses[0].org).await;
    let records = one.publish(vec![body(200_000, 1), body(1_000, 2)]).await;
    assert_eq!(two.holds(records[0]).await, body(200_000, 1));
    assert_eq!(two.holds(records[1]).await, body(1_000, 2));
    let views = two.handle.connections().await;
    assert_eq!(views.iter().map(|view| view.transport).collect::<Vec<_>>(), [name]);
}

#[tokio::test]
async fn records_travel_over_tcp() {
    check("tcp", "/ip4/127.0.0.1/tcp/0").await;
}

#[tokio::test]
async fn records_travel_over_quic() {
    check("quic", "/ip4/127.0.0.1/udp/0/quic-v1").await;
}

#[tokio::test]
async fn a_restarted_peer_is_found_again() {
    let street = Street::new("restart", 2);
    let anywhere = "/ip4/127.0.0.1/tcp/0";
    let mut two = live(&street, 1, anywhere, &[], Arc::default());
    let place = address(&mut two).await;
    let mut one = live(&street, 0, anywhere, std::slice::from_ref(&place), Arc::default());
    one.introduced(street.houses[1].org).await;
    two.introduced(street.houses[0].org).await;
    let early = two.publish(vec![body(3_000, 1)]).await;
    one.holds(early[0]).await;

    let shelf = two.die().await;
    one.disconnected(street.houses[1].peer).await;
    let missed = one.publish(vec![body(30_000, 2)]).await;
    let mut two = live(&street, 1, &place.to_string(), &[], shelf);
    one.connected(two.peer).await;
    two.introduced(street.houses[0].org).await;
    assert_eq!(two.holds(missed[0]).await, body(30_000, 2));
    let later = one.publish(vec![body(30_000, 3)]).await;
    assert_eq!(two.holds(later[0]).await, body(30_000, 3));
}
