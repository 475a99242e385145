//! How a node ends, and what many of them cost.

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use libp2p::metrics::Registry;
use prometheus_client::encoding::text::encode;

use super::{
    house::{Resident, Street, body},
    shelf::Shelf,
};
use crate::{
    daemon::environment::Machine,
    mesh::{KeepError, MeshError, Running},
};

#[tokio::test]
async fn a_failed_store_ends_the_node() {
    let street = Street::new("broken store", 1);
    let node = street.move_in(0, &[]);
    node.publish(vec![body(1_000, 1)]).await;
    node.shelf.broken.store(true, Ordering::Relaxed);
    let handle = node.handle.clone();
    let publishing = tokio::spawn(async move {
        let draft = starfish_protocol::engine::port::Command::Trust(Street::new("other", 2).houses[1].org);
        handle.command(draft).await
    });
    assert_eq!(
        node.ended().await,
        Err(MeshError::Store(KeepError::Failed("no room on the disk".to_owned())))
    );
    let outcome = publishing.await.expect("no panic");
    assert!(
        matches!(outcome, starfish_protocol::engine::port::Outcome::Refused(_)),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn an_orderly_end_keeps_its_word() {
    let street = Street::new("end", 2);
    let mut one = street.move_in(0, &[]);
    let mut two = street.move_in(1, &[0]);
    one.introduced(street.houses[1].org).await;
    two.introduced(street.houses[0].org).await;
    let records = one.publish(vec![body(20_000, 1)]).await;
    one.handle.shutdown().await;
    assert!(one.shelf.body(&records[0]).is_some());
    assert_eq!(one.handle.connections().await, []);
    let peer = one.peer;
    assert_eq!(one.ended().await, Ok(()));
    two.disconnected(peer).await;
}

/// A node that is polled so many times, or until it holds all there is, and then dropped where it stands.
struct Fuse {
    node: Running,
    polls: usize,
    shelf: Arc<Shelf>,
    all: u64,
}

impl Future for Fuse {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.polls == 0 || self.shelf.records() == self.all || self.node.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        self.polls -= 1;
        Poll::Pending
    }
}

#[tokio::test]
async fn a_node_may_be_dropped_anywhere() {
    let street = Street::new("dropped", 2);
    let mut one = street.move_in(0, &[]);
    let shelf: Arc<Shelf> = Arc::default();
    let mut settings = street.settings(1, &[0]);
    settings.listen.clear();
    let mut records = Vec::new();
    for number in 0..40 {
        records.extend(one.publish(vec![body(40_000, number)]).await);
        let (_handle, node) = street.build(1, settings.clone(), Arc::clone(&shelf));
        // From its first steps to far into catching up.
        Fuse {
            node,
            polls: number as usize,
            shelf: Arc::clone(&shelf),
            all: number + 1,
        }
        .await;
    }
    let mut two = street.live(1, settings, shelf, None);
    for (record, number) in records.into_iter().zip(0..) {
        assert_eq!(two.holds(record).await, body(40_000, number));
    }
    one.introduced(street.houses[1].org).await;
}

/// Bytes that came in over a node's connections.
fn inbound(registry: &Registry) -> u64 {
    let mut text = String::new();
    encode(&mut text, registry).expect("text");
    let lines = text
        .lines()
        .filter(|line| line.contains("bandwidth") && line.contains("Inbound"));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

async fn spread_to_all(nodes: &mut [Resident], registries: &[Registry], bytes: usize, number: u64) {
    let before: Vec<u64> = registries.iter().map(inbound).collect();
    let started = std::time::Instant::now();
    let records = nodes[0].publish(vec![body(bytes, number)]).await;
    for node in nodes.iter_mut() {
        node.holds(records[0]).await;
    }
    let took = started.elapsed();
    let after: Vec<u64> = registries.iter().map(inbound).collect();
    let received: Vec<u64> = after
        .iter()
        .zip(before)
        .skip(1)
        .map(|(after, before)| after - before)
        .collect();
    let (mean, most) = (
        received.iter().sum::<u64>() / received.len() as u64,
        received.iter().max().expect("nodes"),
    );
    println!(
        "{bytes} bytes to {} nodes in {took:?}: mean {}.{:02}, most {}.{:02} times the body",
        nodes.len(),
        mean / bytes as u64,
        mean * 100 / bytes as u64 % 100,
        most / bytes as u64,
        most * 100 / bytes as u64 % 100,
    );
    assert!(mean < 4 * bytes as u64, "{received:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_nodes_receive_a_body_about_once() {
    let street = Street::new("twenty", 20);
    let mut registries: Vec<Registry> = (0..20).map(|_| Registry::default()).collect();
    let mut nodes: Vec<Resident> = Vec::new();
    for (house, registry) in registries.iter_mut().enumerate() {
        let dial: Vec<usize> = [1, 3, 7].iter().map(|step| (house + step) % 20).collect();
        let settings = street.settings(house, &dial);
        nodes.push(street.live(house, settings, Arc::default(), Some(registry)));
    }
    for (house, node) in nodes.iter_mut().enumerate() {
        for step in [1, 3, 7] {
            node.introduced(street.houses[(house + step) % 20].org).await;
        }
    }
    // The first one carries everybody's statements and the first meshes; it is not counted.
    let records = nodes[0].publish(vec![body(1_000, 0)]).await;
    for node in &mut nodes {
        node.holds(records[0]).await;
    }
    for (bytes, number) in [(20_000, 1), (200_000, 2), (20_000, 3), (200_000, 4)] {
        spread_to_all(&mut nodes, &registries, bytes, number).await;
    }
}

/// The largest publication of a day: 50,000 names are about so many records.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_publication_reaches_five_nodes() {
    let street = Street::new("large", 5);
    let mut nodes: Vec<Resident> = (0..5_usize)
        .map(|house| street.move_in(house, &(0..house).collect::<Vec<_>>()))
        .collect();
    for (house, node) in nodes.iter_mut().enumerate() {
        for other in (0..5).filter(|other| *other != house) {
            node.introduced(street.houses[other].org).await;
        }
    }
    let bodies: Vec<_> = (0..110).map(|number| body(20_000, number)).collect();
    let started = std::time::Instant::now();
    let records = nodes[0].publish(bodies).await;
    let published = started.elapsed();
    for node in &mut nodes {
        for record in &records {
            node.holds(*record).await;
        }
    }
    println!("published in {published:?}, everywhere in {:?}", started.elapsed());
}

/// Memory of this process that is resident, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    line.split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

#[tokio::test]
async fn an_idle_node_takes_less_than_a_mebibyte() {
    const NODES: u8 = 100;
    let street = Street::new("idle", NODES);
    let machine = Machine::new(Box::new(|_| {})).expect("threads");
    let before = resident();
    let nodes: Vec<_> = (0..usize::from(NODES))
        .map(|house| street.lodge(house, Arc::clone(&machine)))
        .collect();
    for (handle, _) in &nodes {
        while handle.listening().await.is_empty() {
            tokio::task::yield_now().await;
        }
    }
    let each = resident().saturating_sub(before) / u64::from(NODES);
    println!("an idle node takes {each} KiB");
    assert!(each < 1_024, "{each} KiB");
}
