//! The daemon's own transport: TCP with TLS and yamux, and QUIC.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use libp2p::{Multiaddr, multiaddr::Protocol};
use starfish_crypto::Strict;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpSocket, TcpStream},
};

use super::{
    house::{Resident, Street, body},
    shelf::Shelf,
};
use crate::{
    daemon::{environment::Machine, transport::transport},
    mesh::{Event, MeshSettings, Parts, keypair, start},
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
async fn connections_that_say_nothing_keep_nobody_out() {
    for listen in ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"] {
        let street = Street::new("half open", 2);
        let key = keypair(&street.setup(0, &Shelf::default()).key);
        let mut settings = street.settings(0, &[]);
        settings.listen = vec![
            "/ip4/127.0.0.1/tcp/0".parse().expect("an address"),
            listen.parse().expect("an address"),
        ];
        let mut one = street.live_over(0, settings, Arc::default(), transport(&key).expect("a transport"));
        let (first, second) = (address(&mut one).await, address(&mut one).await);
        let tcp = [&first, &second]
            .into_iter()
            .find_map(|address| match address.iter().nth(1) {
                Some(Protocol::Tcp(port)) => Some(port),
                _ => None,
            });
        let place = SocketAddr::from(([127, 0, 0, 1], tcp.expect("it listens over TCP")));
        let mut silent = Vec::new();
        // Another address of this machine than the one that the honest node comes from.
        for _ in 0..400 {
            let socket = TcpSocket::new_v4().expect("a socket");
            // Else no node on this machine could dial from a port of the same number.
            socket.set_reuseaddr(true).expect("a new socket");
            socket.bind(SocketAddr::from(([127, 0, 0, 2], 0))).expect("an address");
            silent.push(socket.connect(place).await.expect("a connection"));
        }
        let two = live(&street, 1, listen, &[], Arc::default());
        for address in [first, second] {
            assert_eq!(two.handle.dial(address).await, Ok(one.peer));
        }
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_soon() {
    let street = Street::new("silent", 1);
    let mut one = live(&street, 0, "/ip4/127.0.0.1/tcp/0", &[], Arc::default());
    let Some(Protocol::Tcp(port)) = address(&mut one).await.iter().nth(1) else {
        panic!("it listens over TCP");
    };
    let mut silent = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
    let mut said = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(8), silent.read_to_end(&mut said));
    // Closed or reset, it holds no place any more.
    let _ = closed.await.expect("an end within the time of a handshake");
}

#[tokio::test]
async fn what_cannot_be_listened_on_or_reached_is_told_with_its_reason() {
    let street = Street::new("reasons", 2);
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("an address");
    let setup = street.setup(0, &Shelf::default());
    let settings = MeshSettings {
        listen: vec![address.clone()],
        ..MeshSettings::default()
    };
    let parts = Parts {
        transport: transport(&keypair(&setup.key)).expect("a transport"),
        setup,
        keeper: Arc::<Shelf>::default(),
        checker: Arc::new(Strict),
        registry: None,
    };
    let machine = Machine::new(Box::new(|_| {})).expect("threads");
    let refused = start(machine, settings, parts)
        .map(drop)
        .expect_err("the port is taken");
    let expected = format!("cannot listen on {address}: Address already in use (os error 98)");
    assert_eq!(refused.to_string(), expected);
    drop(taken);

    let two = live(&street, 1, "/ip4/127.0.0.1/tcp/0", &[], Arc::default());
    let failed = two.handle.dial(address.clone()).await.expect_err("nobody is there");
    assert_eq!(
        failed.to_string(),
        format!("{address}: Connection refused (os error 111)")
    );
}

#[tokio::test]
async fn an_orderly_end_is_no_loss_of_an_address() {
    let street = Street::new("no loss", 2);
    let mut one = live(&street, 0, "/ip4/127.0.0.1/tcp/0", &[], Arc::default());
    let two = live(&street, 1, "/ip4/127.0.0.1/tcp/0", &[], Arc::default());
    let place = address(&mut one).await;
    // Without any connection it ends before the listener says so.
    assert_eq!(two.handle.dial(place.clone()).await, Ok(one.peer));
    one.connected(two.peer).await;
    one.handle.shutdown().await;
    assert!(one.has_said(|event| *event == Event::ListenerClosed(place.to_string())));
    assert!(!one.has_said(|event| matches!(event, Event::ListenerLost(_))));
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
