//! Lines between hosts that no node uses: when what is written arrives, to the nanosecond.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};

use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use libp2p::core::{
    Endpoint,
    muxing::{StreamMuxerBox, StreamMuxerExt as _, SubstreamBox},
    transport::{DialOpts, ListenerId, PortUse, Transport as _, TransportEvent},
};
use starfish_sim::{
    network::{Links, Separation},
    world::{NodePlan, World},
};
use starfish_sim_kernel::{Owner, spawn};

use crate::alone::alone;

const MS: u64 = 1_000_000;
const NEAR: u64 = 10;
const FAR: u64 = 400;
/// With what the lower layers add, 12.8 kB: a millisecond at 100 Mbit/s, 400 ms at 256 kbit/s.
const BYTES: usize = 12_740;
const SENDING: u64 = 1_024_000;
const RECEIVING: u64 = 400 * MS;

/// A host on a line of 256 kbit/s, one near it and one far from it; no nodes.
fn hosts<T: Send>(act: impl FnOnce(&mut World) -> T + Send) -> T {
    let host = |number: usize| NodePlan {
        starts: false,
        region: usize::from(number == 2),
        downlink: if number == 0 { 256_000 } else { 100_000_000 },
        ..NodePlan::new(number)
    };
    let links = Links {
        latency: vec![vec![NEAR * MS, FAR * MS], vec![FAR * MS, NEAR * MS]],
        jitter_percent: 0,
    };
    let plan = World::new(1).links(links);
    plan.node(host(0)).node(host(1)).node(host(2)).run(act)
}

/// Says when so many bytes have been read, of each stream that anybody opens to this host.
fn listen(world: &World, host: usize) -> mpsc::Receiver<u64> {
    let (told, heard) = mpsc::channel();
    let mut transport = world.network().transport(host, world.peer(host));
    let listening = transport.listen_on(ListenerId::next(), world.network().address(host));
    listening.expect("nobody listens there");
    spawn(Owner::WORLD, async move {
        loop {
            let event = poll_fn(|cx| std::pin::Pin::new(&mut transport).poll(cx)).await;
            if let TransportEvent::Incoming { upgrade, .. } = event {
                spawn(Owner::WORLD, read(upgrade, told.clone()));
            }
        }
    });
    heard
}

async fn read(
    upgrade: impl Future<Output = std::io::Result<(libp2p::PeerId, StreamMuxerBox)>>,
    told: mpsc::Sender<u64>,
) {
    let (_, mut muxer) = upgrade.await.expect("a connection");
    let mut stream = poll_fn(|cx| muxer.poll_inbound_unpin(cx)).await.expect("a stream");
    while stream.read_exact(&mut [0; BYTES]).await.is_ok() {
        // The receiver lives as long as the world.
        let _ = told.send(starfish_sim_kernel::now().expect("inside a world"));
    }
}

/// A stream to the first host.
#[derive(Clone)]
struct Line(Arc<Mutex<Option<(StreamMuxerBox, SubstreamBox)>>>);

fn dial(world: &mut World, from: usize) -> Line {
    let mut transport = world.network().transport(from, world.peer(from));
    let options = DialOpts {
        role: Endpoint::Dialer,
        port_use: PortUse::Reuse,
    };
    let address = world.network().address(0);
    let dial = transport.dial(address, options).expect("an address of this network");
    let line = Line(Arc::default());
    let slot = line.clone();
    spawn(Owner::WORLD, async move {
        let (_, mut muxer) = dial.await.expect("there is a listener");
        let stream = poll_fn(|cx| muxer.poll_outbound_unpin(cx)).await.expect("a stream");
        *slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((muxer, stream));
    });
    world.run_for(Duration::from_secs(5));
    line
}

impl Line {
    fn write(&self) {
        let line = self.clone();
        spawn(Owner::WORLD, async move {
            let taken = line.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (muxer, mut stream) = taken.expect("it is connected");
            stream.write_all(&[7; BYTES]).await.expect("the window is empty");
            *line.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((muxer, stream));
        });
    }
}

/// When each of them was read, in ns since `began`.
fn arrivals(heard: &mpsc::Receiver<u64>, began: Duration) -> Vec<u64> {
    let began = began.as_nanos() as u64;
    heard.try_iter().map(|at| at - began).collect()
}

#[test]
fn a_slow_line_begins_with_what_has_reached_it() {
    alone("lines::a_slow_line_begins_with_what_has_reached_it", || {
        hosts(|world| {
            let heard = listen(world, 0);
            let far = dial(world, 2);
            let began = world.now();
            far.write();
            far.write();
            world.run_for(Duration::from_secs(5));
            let first = SENDING + FAR * MS + RECEIVING;
            assert_eq!(arrivals(&heard, began), [first, first + RECEIVING]);
        });
    });
}

#[test]
fn what_is_near_does_not_wait_for_what_is_far() {
    alone("lines::what_is_near_does_not_wait_for_what_is_far", || {
        hosts(|world| {
            let heard = listen(world, 0);
            let (near, far) = (dial(world, 1), dial(world, 2));
            let began = world.now();
            far.write();
            near.write();
            world.run_for(Duration::from_secs(5));
            // What is far gets there while the line is busy.
            let first = SENDING + NEAR * MS + RECEIVING;
            assert_eq!(arrivals(&heard, began), [first, first + RECEIVING]);
        });
    });
}

#[test]
fn a_black_hole_holds_what_is_under_way() {
    alone("lines::a_black_hole_holds_what_is_under_way", || {
        hosts(|world| {
            let heard = listen(world, 0);
            let (near, far) = (dial(world, 1), dial(world, 2));
            let began = world.now();
            // Four that reach the line at once; and one of the far host, which reaches it while it carries the second.
            (0..4).for_each(|_| near.write());
            far.write();
            let first = SENDING + NEAR * MS + RECEIVING;
            let hole = Duration::from_nanos(first + RECEIVING / 4);
            world.run_until(began + hole);
            world.block(0, 1, Separation::BlackHole);
            world.run_for(Duration::from_secs(9));
            // The line is free at once.
            assert_eq!(arrivals(&heard, began), [first, first + RECEIVING / 4 + RECEIVING]);
            let healed = world.now();
            world.heal();
            world.run_for(Duration::from_secs(9));
            assert_eq!(
                arrivals(&heard, healed),
                [0, 1, 2].map(|before| first + before * RECEIVING)
            );
        });
    });
}

#[test]
fn what_is_under_way_or_unread_is_counted_until_it_is_read_or_nobody_will() {
    alone(
        "lines::what_is_under_way_or_unread_is_counted_until_it_is_read_or_nobody_will",
        || {
            hosts(|world| {
                let _heard = listen(world, 0);
                let (near, far) = (dial(world, 1), dial(world, 2));
                let queued = |world: &World| world.network().queued()[0];
                assert_eq!(queued(world), 0);
                near.write();
                near.write();
                far.write();
                world.run_for(Duration::from_nanos(SENDING + NEAR * MS));
                assert_eq!(queued(world), 3 * BYTES, "under way");
                world.run_for(Duration::from_nanos(RECEIVING));
                assert_eq!(queued(world), 2 * BYTES, "one was read");
                world.block(0, 2, Separation::BlackHole);
                world.run_for(Duration::from_secs(5));
                assert_eq!(queued(world), BYTES, "a black hole holds one");
                // Its connection ends with it, at both ends.
                drop(far.0.lock().unwrap_or_else(PoisonError::into_inner).take());
                world.heal();
                world.run_for(Duration::from_secs(5));
                assert_eq!(queued(world), 0);
                assert_eq!(world.network().queued(), [0, 0, 0], "nobody writes back");
            });
        },
    );
}
