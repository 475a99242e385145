//! Bodies of this node's own that go to its mesh peers unasked, together with their header.
//!
//! Nothing depends on a push: whoever misses one pulls the body. Hence a bound in bytes, beyond which pushes are left out.
//! Who asks for a body that is being pushed to it waits for the push: answered as well, it would come twice over a slow line.
//!
//! As much is pushed at once as the line takes within two seconds. Pushed to six peers at once, 100 kB would fill a line of
//! 256 kbit/s for twenty seconds, in which no ping is answered and every connection is taken for dead; one after the other,
//! the first peer has them after three, and the rest have them from it.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    pin::pin,
    sync::Arc,
};

use futures::{
    FutureExt, SinkExt,
    channel::oneshot,
    future::{Either, select},
};
use libp2p::{PeerId, Stream};
use starfish_crypto::Digest;
use starfish_protocol::{
    codec,
    engine::port::Ticket,
    limits,
    time::Millis,
    wire::{Request, Response},
};

use super::{
    Answer, Desk, Report, Running,
    line::{Broken, Line, framed},
    room::{Room, SLOW},
};

/// The longest answer that is read: it only says whether the body was taken.
const ANSWER_BYTES: usize = 64;

/// The pushes under way and those that wait. Dropping it gives all of them up.
pub(crate) struct Pushing {
    peers: BTreeMap<PeerId, Pushes>,
    /// Whose push began last: the others come before it.
    served: Option<PeerId>,
    room: Room,
    waiting_bytes: usize,
    most_bytes: usize,
    at_a_time: usize,
    count: u64,
}

#[derive(Default)]
struct Pushes {
    waiting: VecDeque<Frame>,
    running: BTreeMap<u64, Started>,
    /// Requests of the peer for what is pushed to it.
    asked: Vec<(Digest, Ticket)>,
}

/// A push under way.
struct Started {
    body: Digest,
    bytes: usize,
    /// How many of them take room.
    room: usize,
    _running: Running,
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
            served: None,
            room: Room::new(most_bytes),
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

    /// A peer has perhaps stopped waiting for this request, or, when it is over, surely. A push that has not begun is dropped:
    /// the peer may have the body from somebody else. Gives back the requests that are to be answered without the push.
    pub(crate) fn withdrawn(&mut self, peer: &PeerId, ticket: Ticket, is_over: bool) -> Vec<(Digest, Ticket)> {
        let Some(pushes) = self.peers.get_mut(peer) else {
            return Vec::new();
        };
        let Some(place) = pushes.asked.iter().position(|(_, asked)| *asked == ticket) else {
            return Vec::new();
        };
        let (body, _) = pushes.asked[place];
        if is_over {
            pushes.asked.swap_remove(place);
        }
        if pushes.running.values().any(|started| started.body == body) {
            return Vec::new();
        }
        let asked = std::mem::take(&mut pushes.asked).into_iter();
        let (ended, others) = asked.partition(|(other, _)| *other == body);
        pushes.asked = others;
        let waiting = std::mem::take(&mut pushes.waiting).into_iter();
        let (left_out, rest): (VecDeque<Frame>, _) = waiting.partition(|frame| frame.body == body);
        pushes.waiting = rest;
        self.waiting_bytes -= left_out.iter().map(|frame| frame.bytes.len()).sum::<usize>();
        ended
    }

    /// This peer is given nothing more.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        if let Some(pushes) = self.peers.remove(peer) {
            self.waiting_bytes -= pushes.waiting.iter().map(|frame| frame.bytes.len()).sum::<usize>();
            self.room
                .give_back(pushes.running.values().map(|started| started.room).sum());
        }
    }

    /// Starts what may start. `open` gives a stream to a peer, or none when it is not connected.
    pub(crate) fn start(&mut self, desk: &Desk, mut open: impl FnMut(PeerId) -> Option<oneshot::Receiver<Stream>>) {
        let begins = self.served.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.peers.range((begins, Bound::Unbounded));
        let all: Vec<PeerId> = later
            .chain(&self.peers)
            .map(|(peer, _)| *peer)
            .take(self.peers.len())
            .collect();
        for peer in &all {
            let Some(pushes) = self.peers.get_mut(peer) else {
                continue;
            };
            while pushes.running.len() < self.at_a_time {
                let Some(length) = pushes.waiting.front().map(|frame| frame.bytes.len()) else {
                    break;
                };
                if !self.room.take(length) {
                    break;
                }
                self.waiting_bytes -= length;
                let frame = pushes.waiting.pop_front();
                let Some((Frame { body, bytes }, opened)) = frame.zip(open(*peer)) else {
                    self.room.give_back(length);
                    continue;
                };
                self.count += 1;
                self.served = Some(*peer);
                let started = Started {
                    body,
                    bytes: length,
                    room: length,
                    _running: push(desk, *peer, self.count, bytes, opened),
                };
                pushes.running.insert(self.count, started);
            }
        }
        self.peers
            .retain(|_, pushes| !pushes.running.is_empty() || !pushes.waiting.is_empty());
    }

    /// A push ended, and was taken after so long, or not; gives back the requests that waited for it. Who has the body by now
    /// has given them up.
    pub(crate) fn pushed(&mut self, peer: PeerId, push: u64, took: Option<Millis>) -> Vec<(Digest, Ticket)> {
        let Some(pushes) = self.peers.get_mut(&peer) else {
            return Vec::new();
        };
        if let Some(started) = pushes.running.remove(&push) {
            self.room.give_back(started.room);
            if let Some(took) = took {
                self.room.arrived(started.bytes, took);
            }
        }
        let asked = std::mem::take(&mut pushes.asked);
        let (waiting, ended) = asked.into_iter().partition(|(body, _)| pushes.brings(body));
        pushes.asked = waiting;
        ended
    }

    /// A push has gone on for long, or has waited so long for its stream: others need not wait for it.
    pub(crate) fn slow(&mut self, peer: PeerId, push: u64, is_open: bool) {
        let running = self.peers.get_mut(&peer).map(|pushes| &mut pushes.running);
        if let Some(started) = running.and_then(|running| running.get_mut(&push)) {
            self.room.give_back(std::mem::take(&mut started.room));
            if is_open {
                self.room.slowed(peer, started.bytes);
            }
        }
    }

    /// Whether every push has ended.
    pub(crate) fn is_idle(&self) -> bool {
        self.peers.is_empty()
    }
}

impl Pushes {
    fn brings(&self, body: &Digest) -> bool {
        let mut running = self.running.values().map(|started| &started.body);
        running.any(|other| other == body) || self.waiting.iter().any(|frame| frame.body == *body)
    }
}

fn push(desk: &Desk, peer: PeerId, push: u64, frame: Arc<[u8]>, opened: oneshot::Receiver<Stream>) -> Running {
    let mut own = desk.clone();
    let task = async move {
        let stream = unless_slow(&mut own, (peer, push, false), opened).await;
        // How long it took to open says nothing of the line: the peer answers when it likes.
        let begun = own.env.now();
        let taken = match stream {
            Ok(stream) => {
                let delivery = deliver(own.clone(), frame, stream);
                unless_slow(&mut own, (peer, push, true), delivery).await
            }
            Err(_) => Err(Broken::Lost),
        };
        let took = Millis(own.env.now().0.saturating_sub(begun.0));
        let took = taken.unwrap_or(false).then_some(took);
        // The loop is gone: so is the interest.
        let _ = own.reports.send(Report::Pushed { peer, push, took }).await;
    };
    desk.spawn(task.boxed())
}

/// The end of some work for a push. When that takes long, it is told meanwhile.
async fn unless_slow<T>(
    desk: &mut Desk,
    (peer, push, is_open): (PeerId, u64, bool),
    work: impl Future<Output = T>,
) -> T {
    match select(pin!(work), desk.env.sleep(SLOW)).await {
        Either::Left((done, _)) => done,
        Either::Right(((), work)) => {
            let slow = Report::PushIsSlow { peer, push, is_open };
            let _ = desk.reports.send(slow).await;
            work.await
        }
    }
}

/// Whether it was taken.
async fn deliver(desk: Desk, frame: Arc<[u8]>, stream: Stream) -> Result<bool, Broken> {
    let mut line = Line::new(stream, desk.env, limits::REQUEST_DEADLINE);
    line.write(&frame).await?;
    let answer = codec::decode(&line.frame(ANSWER_BYTES).await?, ANSWER_BYTES);
    Ok(matches!(answer, Ok(Answer::Whole(Response::Taken))))
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;

    use super::{super::room::LEAST, *};

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
        assert_eq!(
            pushing.pushed(peers[0], 1, Some(Millis(0))),
            [(body(1), 1), (body(1), 5)]
        );
        assert!(!waits(&mut pushing, 0, 1), "it is over");
        assert!(waits(&mut pushing, 0, 2), "its turn has not come");
        // Without a connection, no push begins; nor does anybody wait who is gone.
        pushing.forget(&peers[0]);
        assert!(!waits(&mut pushing, 0, 2));
        assert!(pushing.is_idle());
    }

    #[test]
    fn as_much_goes_at_once_as_the_line_takes() {
        let (reports, _told) = mpsc::channel(64);
        let desk = Desk::still(reports);
        let mut peers: Vec<PeerId> = (0..8).map(|_| PeerId::random()).collect();
        peers.sort_unstable();
        let mut pushing = Pushing::new(64 << 20, 1);
        let request = Request::Push {
            header: starfish_crypto::Signed::from_parts(vec![0; 100], starfish_crypto::Signature::from_bytes([0; 64])),
            body: vec![0; 250 << 10],
        };
        let mut streams = Vec::new();
        let mut open = |_| {
            let (stream, opened) = oneshot::channel();
            streams.push(stream);
            Some(opened)
        };
        pushing.push(&desk, &peers, body(1), &request);
        pushing.start(&desk, &mut open);
        assert_eq!(pushing.count, 8, "two megabytes at once");
        // None of them has arrived after two seconds: the next body goes to one peer, and then to the next.
        for (peer, push) in peers.iter().zip(1..) {
            pushing.slow(*peer, push, true);
        }
        assert_eq!((pushing.room.most, pushing.room.taken), (LEAST, 0));
        for (peer, push) in peers.iter().zip(1..) {
            pushing.pushed(*peer, push, Some(Millis(60_000)));
        }
        pushing.push(&desk, &peers, body(2), &request);
        pushing.start(&desk, &mut open);
        assert_eq!(pushing.count, 9);
        // Whoever has it from somebody else by then is left out; a slow one holds up nobody for longer than that.
        assert!(pushing.lets_wait(&peers[1], body(2), 70));
        assert!(pushing.lets_wait(&peers[1], body(2), 69));
        assert_eq!(pushing.withdrawn(&peers[1], 70, true), [(body(2), 69)]);
        assert_eq!(pushing.withdrawn(&peers[1], 70, true), []);
        assert!(!pushing.lets_wait(&peers[1], body(2), 71));
        pushing.slow(peers[0], 9, true);
        pushing.start(&desk, &mut open);
        assert_eq!((pushing.count, pushing.peers.contains_key(&peers[1])), (10, false));
        assert!(pushing.lets_wait(&peers[2], body(2), 72));
        assert_eq!(pushing.withdrawn(&peers[2], 72, false), []);
        assert_eq!(pushing.peers[&peers[2]].asked.len(), 1, "it may still wait");
        assert_eq!(pushing.withdrawn(&peers[2], 72, true), []);
        assert_eq!(pushing.peers[&peers[2]].asked.len(), 0);
        assert!(pushing.lets_wait(&peers[2], body(2), 73), "it goes on");
        // Quick ones make room again.
        let mut next = 10;
        while next < 16 {
            let peer = *peers
                .iter()
                .find(|peer| is_running(&pushing, peer, next))
                .expect("it runs");
            pushing.pushed(peer, next, (next > 10).then_some(Millis(0)));
            pushing.start(&desk, &mut open);
            next += 1;
        }
        assert_eq!((pushing.room.most, pushing.count), (LEAST << 5, 15));
        pushing.forget(&peers[0]);
        assert!(pushing.is_idle());
        assert_eq!((pushing.room.taken, pushing.waiting_bytes), (0, 0));
    }

    fn is_running(pushing: &Pushing, peer: &PeerId, push: u64) -> bool {
        let pushes = pushing.peers.get(peer);
        pushes.is_some_and(|pushes| pushes.running.contains_key(&push))
    }

    #[test]
    fn a_stream_that_does_not_open_says_nothing_of_the_line() {
        let (reports, _told) = mpsc::channel(8);
        let (desk, peer) = (Desk::still(reports), PeerId::random());
        let mut pushing = Pushing::new(64 << 20, 1);
        let request = Request::Push {
            header: starfish_crypto::Signed::from_parts(vec![0; 100], starfish_crypto::Signature::from_bytes([0; 64])),
            body: vec![0; LEAST],
        };
        pushing.push(&desk, &[peer], body(1), &request);
        let (_stream, opened) = oneshot::channel();
        let mut opened = Some(opened);
        pushing.start(&desk, |_| opened.take());
        let most = pushing.room.most;
        assert!(pushing.room.taken > LEAST);
        pushing.slow(peer, 1, false);
        assert_eq!(
            (pushing.room.most, pushing.room.taken),
            (most, 0),
            "others need not wait for it"
        );
        pushing.slow(peer, 1, true);
        assert_eq!((pushing.room.most, pushing.room.taken), (most / 2, 0));
        pushing.pushed(peer, 1, None);
        assert_eq!((pushing.room.most, pushing.room.taken), (most / 2, 0));
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
