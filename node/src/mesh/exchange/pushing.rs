//! Bodies of this node's own that go to its mesh peers unasked, together with their header.
//!
//! Nothing depends on a push: whoever misses one pulls the body. Hence a bound in bytes, beyond which pushes are left out.
//! Who asks for a body that is being pushed to it waits for the push: answered as well, it would come twice over a slow line.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use futures::{FutureExt, SinkExt, channel::oneshot};
use libp2p::{PeerId, Stream};
use starfish_crypto::Digest;
use starfish_protocol::{engine::port::Ticket, limits, wire::Request};

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
    waiting: VecDeque<Frame>,
    running: BTreeMap<u64, (Digest, Running)>,
    /// Requests of the peer for what is pushed to it.
    asked: Vec<(Digest, Ticket)>,
}

/// What is pushed: a body, and the frame that brings it.
#[derive(Clone)]
struct Frame {
    body: Digest,
    bytes: Arc<[u8]>,
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

    /// Queues a push of this body to each of these peers, oldest first.
    pub(crate) fn push(&mut self, desk: &Desk, peers: &[PeerId], body: Digest, request: &Request) {
        let frame = Frame {
            body,
            bytes: framed(request).into(),
        };
        for peer in peers {
            if self.waiting_bytes + frame.bytes.len() > self.most_bytes {
                desk.figures.dropped_pushes.inc();
                continue;
            }
            self.waiting_bytes += frame.bytes.len();
            self.peers.entry(*peer).or_default().waiting.push_back(frame.clone());
        }
    }

    /// Lets a request of the peer wait, if what it asks for is being pushed to it.
    pub(crate) fn lets_wait(&mut self, peer: &PeerId, body: Digest, ticket: Ticket) -> bool {
        let Some(pushes) = self.peers.get_mut(peer) else {
            return false;
        };
        let is_pushed = pushes.brings(&body);
        if is_pushed {
            pushes.asked.push((body, ticket));
        }
        is_pushed
    }

    /// This peer is given nothing more.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        if let Some(pushes) = self.peers.remove(peer) {
            self.waiting_bytes -= pushes.waiting.iter().map(|frame| frame.bytes.len()).sum::<usize>();
        }
    }

    /// Starts what may start. `open` gives a stream to a peer, or none when it is not connected.
    pub(crate) fn start(&mut self, desk: &Desk, mut open: impl FnMut(PeerId) -> Option<oneshot::Receiver<Stream>>) {
        for (peer, pushes) in &mut self.peers {
            while pushes.running.len() < self.at_a_time {
                let Some(frame) = pushes.waiting.pop_front() else { break };
                self.waiting_bytes -= frame.bytes.len();
                if let Some(opened) = open(*peer) {
                    self.count += 1;
                    let running = push(desk, *peer, self.count, frame.bytes, opened);
                    pushes.running.insert(self.count, (frame.body, running));
                }
            }
        }
        self.peers
            .retain(|_, pushes| !pushes.running.is_empty() || !pushes.waiting.is_empty());
    }

    /// A push ended; gives back the requests that waited for it, with what they ask for.
    pub(crate) fn pushed(&mut self, peer: PeerId, push: u64) -> Vec<(Digest, Ticket)> {
        let Some(pushes) = self.peers.get_mut(&peer) else {
            return Vec::new();
        };
        pushes.running.remove(&push);
        let asked = std::mem::take(&mut pushes.asked);
        let (waiting, ended) = asked.into_iter().partition(|(body, _)| pushes.brings(body));
        pushes.asked = waiting;
        ended
    }

    /// Whether every push has ended.
    pub(crate) fn is_idle(&self) -> bool {
        self.peers.is_empty()
    }
}

impl Pushes {
    fn brings(&self, body: &Digest) -> bool {
        let mut running = self.running.values().map(|(body, _)| body);
        running.any(|other| other == body) || self.waiting.iter().any(|frame| frame.body == *body)
    }
}

fn push(desk: &Desk, peer: PeerId, push: u64, frame: Arc<[u8]>, opened: oneshot::Receiver<Stream>) -> Running {
    let mut own = desk.clone();
    let task = async move {
        let taken = deliver(&own, &frame, opened).await.is_ok();
        // The loop is gone: so is the interest.
        let _ = own.reports.send(Report::Pushed { peer, push, taken }).await;
    };
    desk.spawn(task.boxed())
}

async fn deliver(desk: &Desk, frame: &[u8], opened: oneshot::Receiver<Stream>) -> Result<(), Broken> {
    let stream = opened.await.map_err(|_| Broken::Lost)?;
    let mut line = Line::new(stream, Arc::clone(&desk.env), limits::REQUEST_DEADLINE);
    line.write(frame).await?;
    line.frame(ANSWER_BYTES).await.map(drop)
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;

    use super::*;

    const BYTES: usize = 1_000;

    fn body(number: u8) -> Digest {
        Digest::from_bytes([number; 32])
    }

    #[test]
    fn who_asks_for_what_is_pushed_to_it_waits_until_that_ends() {
        let (reports, _told) = mpsc::channel(8);
        let (desk, peers) = (Desk::still(reports), [PeerId::random(), PeerId::random()]);
        let mut pushing = Pushing::new(BYTES, 1);
        let request = Request::Body { digest: body(1) };
        for number in 1..3 {
            pushing.push(&desk, &peers[..1], body(number), &request);
        }
        let mut ticket = 0;
        let mut waits = |pushing: &mut Pushing, peer: usize, number: u8| {
            ticket += 1;
            pushing.lets_wait(&peers[peer], body(number), ticket)
        };
        assert!(waits(&mut pushing, 0, 1) && waits(&mut pushing, 0, 2));
        assert!(!waits(&mut pushing, 0, 3), "it is not pushed");
        assert!(!waits(&mut pushing, 1, 1), "it is pushed to somebody else");
        let (_stream, opened) = oneshot::channel();
        let mut opened = Some(opened);
        pushing.start(&desk, |_| opened.take());
        assert!(waits(&mut pushing, 0, 1), "it goes on");
        assert_eq!(pushing.pushed(peers[0], 1), [(body(1), 1), (body(1), 5)]);
        assert!(!waits(&mut pushing, 0, 1), "it is over");
        assert!(waits(&mut pushing, 0, 2), "its turn has not come");
        // Without a connection, no push begins; nor does anybody wait who is gone.
        pushing.forget(&peers[0]);
        assert!(!waits(&mut pushing, 0, 2));
        assert!(pushing.is_idle());
    }

    #[test]
    fn a_push_that_cannot_begin_keeps_nobody_waiting() {
        let (reports, _told) = mpsc::channel(8);
        let (desk, peer) = (Desk::still(reports), PeerId::random());
        let mut pushing = Pushing::new(BYTES, 1);
        pushing.push(&desk, &[peer], body(1), &Request::Body { digest: body(1) });
        assert!(pushing.lets_wait(&peer, body(1), 1));
        pushing.start(&desk, |_| None);
        assert!(pushing.is_idle());
        assert!(!pushing.lets_wait(&peer, body(1), 2));
    }
}
