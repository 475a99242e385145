//! Records reach every node, whole.

use starfish_protocol::engine::port::Command;

use super::house::{Street, body};

#[tokio::test]
async fn a_record_reaches_a_neighbour() {
    let street = Street::new("neighbour", 2);
    let mut one = street.move_in(0, &[]);
    let mut two = street.move_in(1, &[0]);
    one.introduced(street.houses[1].org).await;
    two.introduced(street.houses[0].org).await;
    for (bytes, number) in [(66, 1), (20_000, 2), (200_000, 3)] {
        let records = one.publish(vec![body(bytes, number)]).await;
        assert_eq!(two.holds(records[0]).await, body(bytes, number));
    }
    let records = two.publish(vec![body(20_000, 4)]).await;
    assert_eq!(one.holds(records[0]).await, body(20_000, 4));
}

#[tokio::test]
async fn a_record_goes_down_a_chain() {
    let street = Street::new("chain", 5);
    let mut nodes: Vec<_> = (0..5_usize)
        .map(|house| street.move_in(house, &house.checked_sub(1).map_or(Vec::new(), |before| vec![before])))
        .collect();
    for (node, house) in nodes.iter().zip(&street.houses) {
        // As the daemon does: this also carries who they are to those whom they never meet.
        node.handle
            .command(Command::Listening(vec![house.address.to_string()]))
            .await;
    }
    for house in 1..5 {
        nodes[house].introduced(street.houses[house - 1].org).await;
        nodes[house - 1].introduced(street.houses[house].org).await;
    }
    let records = nodes[0].publish(vec![body(200_000, 1), body(1_000, 2)]).await;
    for node in &mut nodes {
        assert_eq!(node.holds(records[0]).await, body(200_000, 1));
        assert_eq!(node.holds(records[1]).await, body(1_000, 2));
    }
}

#[tokio::test]
async fn a_burst_arrives_whole() {
    let street = Street::new("burst", 2);
    let mut one = street.move_in(0, &[]);
    let mut two = street.move_in(1, &[0]);
    one.introduced(street.houses[1].org).await;
    two.introduced(street.houses[0].org).await;
    let bodies: Vec<_> = (0..110).map(|number| body(20_000, number)).collect();
    let records = one.publish(bodies.clone()).await;
    for (record, body) in records.into_iter().zip(bodies) {
        assert_eq!(two.holds(record).await, body);
    }
}

#[tokio::test]
async fn a_late_comer_catches_up() {
    let street = Street::new("late", 2);
    let one = street.move_in(0, &[]);
    let records = one.publish((0..30).map(|number| body(30_000, number)).collect()).await;
    let mut two = street.move_in(1, &[0]);
    for (record, number) in records.into_iter().zip(0..) {
        assert_eq!(two.holds(record).await, body(30_000, number));
    }
}
