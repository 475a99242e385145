//! Who is connected to whom.

use libp2p::multiaddr::Protocol;
use starfish_protocol::engine::port::{Command, Outcome};

use super::house::{Street, address, body};
use crate::mesh::{CloseReason, DialError, Event, peers::peer_of};

#[tokio::test]
async fn of_two_simultaneous_dials_one_stays() {
    let street = Street::new("simultaneous", 2);
    let (mut one, mut two) = (street.move_in(0, &[]), street.move_in(1, &[]));
    let addresses = (street.houses[0].address.clone(), street.houses[1].address.clone());
    let dialled = futures::join!(one.handle.dial(addresses.1), two.handle.dial(addresses.0));
    assert_eq!(dialled, (Ok(two.peer), Ok(one.peer)));
    // Either side may be the first to close; the other then has nothing left to close.
    let doubled = |event: &Event| {
        matches!(
            event,
            Event::Closed {
                reason: CloseReason::Doubled,
                ..
            }
        )
        .then_some(())
    };
    {
        let (first, second) = (one.wait("closing", doubled), two.wait("closing", doubled));
        futures::future::select(std::pin::pin!(first), std::pin::pin!(second)).await;
    }
    one.introduced(street.houses[1].org).await;
    two.introduced(street.houses[0].org).await;
    let records = one.publish(vec![body(20_000, 1)]).await;
    assert_eq!(two.holds(records[0]).await, body(20_000, 1));
    let (here, there) = (one.handle.connections().await, two.handle.connections().await);
    assert_eq!((here.len(), there.len()), (1, 1), "{here:?} {there:?}");
    let smaller_dialled = if one.peer < two.peer {
        here[0].outbound
    } else {
        there[0].outbound
    };
    assert!(smaller_dialled, "{here:?} {there:?}");
    assert_ne!(here[0].outbound, there[0].outbound);
}

#[tokio::test]
async fn a_blocked_peer_stays_out() {
    let street = Street::new("blocked", 2);
    let mut one = street.move_in(0, &[]);
    let mut two = street.move_in(1, &[0]);
    one.connected(two.peer).await;
    two.connected(one.peer).await;

    let block = |blocked| Command::Block {
        peer: peer_of(&two.peer),
        blocked,
    };
    assert_eq!(one.handle.command(block(true)).await, Outcome::Done);
    one.disconnected(two.peer).await;
    let unblock = block(false);
    // It tries again, and is turned away each time.
    for _ in 0..3 {
        two.disconnected(one.peer).await;
    }
    assert_eq!(one.handle.connections().await, []);
    let address = street.houses[1].address.clone().with(Protocol::P2p(two.peer));
    assert!(matches!(one.handle.dial(address).await, Err(DialError::Failed(_))));

    assert_eq!(one.handle.command(unblock).await, Outcome::Done);
    one.connected(two.peer).await;
}

#[tokio::test]
async fn dials_are_answered() {
    let street = Street::new("dials", 2);
    let one = street.move_in(0, &[]);
    let two = street.move_in(1, &[]);
    let own = street.houses[0].address.clone();
    let other = street.houses[1].address.clone();
    assert!(matches!(one.handle.dial(address()).await, Err(DialError::Failed(_))));
    assert_eq!(
        one.handle.dial(own.clone().with(Protocol::P2p(one.peer))).await,
        Err(DialError::Own)
    );
    assert_eq!(one.handle.dial(own.clone()).await, Err(DialError::Own));
    let wrong = other.clone().with(Protocol::P2p(libp2p::PeerId::random()));
    assert!(matches!(one.handle.dial(wrong).await, Err(DialError::Failed(_))));
    let right = other.with(Protocol::P2p(two.peer));
    assert_eq!(one.handle.dial(right.clone()).await, Ok(two.peer));
    assert_eq!(one.handle.dial(right).await, Ok(two.peer));
    assert_eq!(one.handle.listening().await, [own]);
}
