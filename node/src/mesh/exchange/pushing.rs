//! Bodies of this node's own that go to its mesh peers unasked, together with their header.
//!
//! Nothing depends on a push: whoever misses one pulls the body. Hence a bound in bytes, beyond which pushes are left out.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use futures::{FutureExt, SinkExt, channel::oneshot};
use libp2p::{PeerId, Stream};
use starfish_protocol::{limits, wire::Request};

use super::{
    Desk, Report, Running,
    line::{Broken, Line, framed},
};

/// The longest answer that is read: it only says that the body was taken.
const ANSWER_BYTES: usize = 64;

/// The pushes under way and those that wait. Dropping it gives all of them up.
pub(crate) struct Pushing {
    peers: BTreeMap<PeerId, Pushes>,
    waiting_bytes: usize,
    most_bytes: usize,
    at_a_time: usize,
    count: u64,
}

#[derive(Default)]
struct Pushes {
    waiting: VecDeque<Arc<[u8]>>,
    running: BTreeMap<u64, Running>,
}

impl Pushing {
    pub(crate) fn new(most_bytes: usize, at_a_time: usize) -> Self {
        Self {
            peers: BTreeMap::new(),
            waiting_bytes: 0,
            most_bytes,
            at_a_time,
            count: 0,
        }
    }

    /// Queues a push to each of these peers, oldest first.
    pub(crate) fn push(&mut self, desk: &Desk, peers: &[PeerId], request: &Request) {
        let frame: Arc<[u8]> = framed(request).into();
        for peer in peers {
            if self.waiting_bytes + frame.len() > self.most_bytes {
                desk.figures.dropped_pushes.inc();
                continue;
            }
            self.waiting_bytes += frame.len();
            self.peers
                .entry(*peer)
                .or_default()
                .waiting
                .push_back(Arc::clone(&frame));
        }
    }

    /// This peer is given nothing more.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        if let Some(pushes) = self.peers.remove(peer) {
            self.waiting_bytes -= pushes.waiting.iter().map(|frame| frame.len()).sum::<usize>();
        }
    }

    /// Starts what may start. `open` gives a stream to a peer, or none when it is not connected.
    pub(crate) fn start(&mut self, desk: &Desk, mut open: impl FnMut(PeerId) -> Option<oneshot::Receiver<Stream>>) {
        for (peer, pushes) in &mut self.peers {
            while pushes.running.len() < self.at_a_time {
                let Some(frame) = pushes.waiting.pop_front() else { break };
                self.waiting_bytes -= frame.len();
                if let Some(opened) = open(*peer) {
                    self.count += 1;
                    pushes
                        .running
                        .insert(self.count, push(desk, *peer, self.count, frame, opened));
                }
            }
        }
        self.peers
            .retain(|_, pushes| !pushes.running.is_empty() || !pushes.waiting.is_empty());
    }

    /// A push ended.
    pub(crate) fn pushed(&mut self, peer: PeerId, push: u64) {
        if let Some(pushes) = self.peers.get_mut(&peer) {
            pushes.running.remove(&push);
        }
    }

    /// Whether every push has ended.
    pub(crate) fn is_idle(&self) -> bool {
        self.peers.is_empty()
    }
}

fn push(desk: &Desk, peer: PeerId, push: u64, frame: Arc<[u8]>, opened: oneshot::Receiver<Stream>) -> Running {
    let mut own = desk.clone();
    let task = async move {
        // Whether it was wanted, and whether it arrived, is the other side's business.
        let _ = deliver(&own, &frame, opened).await;
        let _ = own.reports.send(Report::Pushed { peer, push }).await;
    };
    desk.spawn(task.boxed())
}

async fn deliver(desk: &Desk, frame: &[u8], opened: oneshot::Receiver<Stream>) -> Result<(), Broken> {
    let stream = opened.await.map_err(|_| Broken::Lost)?;
    let mut line = Line::new(stream, Arc::clone(&desk.env), limits::REQUEST_DEADLINE);
    line.write(frame).await?;
    line.frame(ANSWER_BYTES).await.map(drop)
}
