//! A connection between two hosts: [`Connection`], and each end of it as libp2p sees it: [`Muxer`].

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use starfish_sim_kernel::{Owner, Timer, sleep, spawn};

use super::{
    Network,
    downlink::Arrival,
    now,
    pipe::{Pipe, Substream, pair},
};

/// What opening a stream sends, in bytes.
const OPENING: usize = 12;

/// Side 0 dialled.
pub(super) struct Connection {
    network: Network,
    ends: [usize; 2],
    /// Whether either side has a `death`: each read and each write asks, and needs no lock for that.
    is_broken: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sides: [Side; 2],
    pipes: Vec<Weak<Pipe>>,
}

#[derive(Default)]
struct Side {
    /// Streams that the other side opened: when each arrives, and its pipes to read from and to write to.
    incoming: VecDeque<(Arrival, Arc<Pipe>, Arc<Pipe>)>,
    acceptor: Option<Waker>,
    watcher: Option<Waker>,
    timer: Timer,
    /// When this side sees that the connection is gone.
    death: Option<Arrival>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Connection")
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn new(network: &Network, from: usize, to: usize) -> Arc<Self> {
        Arc::new(Self {
            network: network.clone(),
            ends: [from, to],
            is_broken: AtomicBool::new(false),
            state: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ends(&self) -> [usize; 2] {
        self.ends
    }

    pub(super) fn is_dead(&self, side: usize) -> bool {
        let has_arrived = |death: &Arrival| self.network.wires().has_arrived(self.ends[side], death);
        self.is_broken() && self.lock().sides[side].death.as_ref().is_some_and(has_arrived)
    }

    fn set_death(&self, side: usize, arrival: Arrival) {
        self.lock().sides[side].death = Some(arrival);
        self.is_broken.store(true, Ordering::Relaxed);
    }

    /// Whether either side has given it up.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }

    /// Both sides see at once that it is gone.
    pub(super) fn break_up(&self) {
        for side in 0..2 {
            self.set_death(side, Arrival::at(now()));
            self.notice(side);
        }
    }

    /// One side goes; the other one sees it when the news arrives.
    pub(super) fn close(self: &Arc<Self>, side: usize) {
        if self.is_dead(side) {
            return;
        }
        self.set_death(side, Arrival::at(now()));
        self.notice(side);
        let other = 1 - side;
        if self.lock().sides[other].death.is_none() {
            self.send_death(other);
        }
    }

    /// Sends one side the news that the other has gone.
    fn send_death(self: &Arc<Self>, side: usize) {
        let (from, to) = (self.ends[1 - side], self.ends[side]);
        let death = self.network.wires().send(from, to, 0);
        self.set_death(side, death.clone());
        // While a world is torn down there is nobody to tell.
        if starfish_sim_kernel::now().is_some() {
            let connection = Arc::clone(self);
            spawn(Owner::WORLD, async move {
                while !death.is_held() && !connection.is_dead(side) {
                    sleep(Duration::from_nanos(death.time().saturating_sub(now()))).await;
                }
                connection.notice(side);
            });
        }
    }

    /// Wakes everything of one side.
    fn notice(&self, side: usize) {
        let (wakers, pipes) = {
            let mut state = self.lock();
            let state = &mut *state;
            let wakers = [state.sides[side].acceptor.take(), state.sides[side].watcher.take()];
            (wakers, state.pipes.clone())
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
        pipes.iter().filter_map(Weak::upgrade).for_each(|pipe| pipe.wake());
    }

    /// The link is whole again: what was held goes on its way. Of a connection that one side has given up, that is the news
    /// of it.
    pub(super) fn resume(self: &Arc<Self>) {
        let is_held = |side: usize| self.lock().sides[side].death.as_ref().is_some_and(Arrival::is_held);
        for side in 0..2 {
            if is_held(side) {
                self.send_death(side);
            }
        }
        if self.is_broken() {
            return;
        }
        let pipes = self.lock().pipes.clone();
        for side in 0..2 {
            let (from, to) = (self.ends[1 - side], self.ends[side]);
            let side = &mut self.lock().sides[side];
            for (arrival, ..) in side.incoming.iter_mut().filter(|(arrival, ..)| arrival.is_held()) {
                *arrival = self.network.wires().send(from, to, OPENING);
            }
            side.tell_acceptor();
        }
        pipes.iter().filter_map(Weak::upgrade).for_each(|pipe| pipe.resume());
    }

    fn open(self: &Arc<Self>, side: usize) -> Substream {
        let other = 1 - side;
        let (from, to) = (self.ends[side], self.ends[other]);
        let (there, back) = pair(&self.network, [from, to]);
        let arrival = self.network.wires().send(from, to, OPENING);
        let mut state = self.lock();
        if state.pipes.len() == state.pipes.capacity() {
            state.pipes.retain(|pipe| pipe.strong_count() > 0);
        }
        state.pipes.extend([Arc::downgrade(&there), Arc::downgrade(&back)]);
        let far = &mut state.sides[other];
        far.incoming.push_back((arrival, Arc::clone(&there), Arc::clone(&back)));
        far.tell_acceptor();
        drop(state);
        Substream::new(back, there, Arc::clone(self), side)
    }
}

impl Side {
    fn tell_acceptor(&mut self) {
        if let Some((arrival, ..)) = self.incoming.front()
            && !arrival.is_held()
            && let Some(acceptor) = &self.acceptor
        {
            self.timer.arm(arrival.time(), acceptor);
        }
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Muxer {
    connection: Arc<Connection>,
    side: usize,
}

impl Muxer {
    pub(super) fn new(connection: Arc<Connection>, side: usize) -> Self {
        Self { connection, side }
    }

    fn check(&self) -> io::Result<()> {
        if self.connection.is_dead(self.side) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl StreamMuxer for Muxer {
    type Substream = Substream;
    type Error = io::Error;

    fn poll_inbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Substream>> {
        self.check()?;
        let connection = &self.connection;
        let mut state = connection.lock();
        let side = &mut state.sides[self.side];
        let host = connection.ends[self.side];
        let first = side.incoming.front();
        if !first.is_some_and(|(arrival, ..)| connection.network.wires().has_arrived(host, arrival)) {
            side.acceptor = Some(cx.waker().clone());
            side.tell_acceptor();
            return Poll::Pending;
        }
        let (_, reading, writing) = side.incoming.pop_front().expect("it was looked at just now");
        drop(state);
        let stream = Substream::new(reading, writing, Arc::clone(connection), self.side);
        Poll::Ready(Ok(stream))
    }

    fn poll_outbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Substream>> {
        self.check()?;
        Poll::Ready(Ok(self.connection.open(self.side)))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.close(self.side);
        Poll::Ready(Ok(()))
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        self.check()?;
        self.connection.lock().sides[self.side].watcher = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Muxer {
    fn drop(&mut self) {
        self.connection.close(self.side);
    }
}
