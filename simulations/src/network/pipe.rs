//! One direction of a stream: [`Pipe`], and both of them as one end holds them: [`Substream`].

use std::{
    collections::VecDeque,
    io, mem,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use futures::{AsyncRead, AsyncWrite};
use starfish_sim_kernel::Timer;

use super::{
    Network,
    connection::Connection,
    downlink::{Arrival, HELD},
    kinds::BODIES,
    now,
    traffic::Label,
};

/// How many bytes may be under way or unread, as yamux allows.
const WINDOW: usize = 256 * 1_024;

/// Bytes from one host to another, in order.
#[derive(Debug)]
pub(super) struct Pipe {
    network: Network,
    /// The hosts of the stream, first the one that opened it.
    ends: [usize; 2],
    from_opener: bool,
    /// Whether bodies that were asked for, and whatever else is said instead, never leave.
    is_silent: bool,
    label: Arc<Label>,
    backlog: Backlog,
    state: Mutex<State>,
}

/// How many bytes are on their way to a host, or wait for it to read them, in all its streams.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog(Arc<AtomicUsize>);

impl Backlog {
    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
struct State {
    parcels: VecDeque<Parcel>,
    /// How much of the first parcel was read.
    offset: usize,
    queued: usize,
    /// Waits for something to read.
    reader: Option<Waker>,
    writer: Option<Waker>,
    timer: Timer,
    /// When the end of the stream arrives.
    end: Option<Arrival>,
    /// Nobody will read any more.
    is_abandoned: bool,
}

#[derive(Debug)]
struct Parcel {
    arrival: Arrival,
    bytes: Vec<u8>,
}

impl State {
    fn read(&mut self, buffer: &mut [u8], now: u64) -> usize {
        let mut done = 0;
        while done < buffer.len() {
            let Some(parcel) = self.parcels.front().filter(|parcel| parcel.arrival.time() <= now) else {
                break;
            };
            let unread = &parcel.bytes[self.offset..];
            let length = unread.len().min(buffer.len() - done);
            buffer[done..done + length].copy_from_slice(&unread[..length]);
            done += length;
            self.offset += length;
            if self.offset == parcel.bytes.len() {
                self.offset = 0;
                self.parcels.pop_front();
            }
        }
        self.queued -= done;
        if self.parcels.is_empty() {
            // Ten thousand nodes have a million idle streams.
            self.parcels.shrink_to_fit();
        }
        done
    }

    /// When there is something to read, at the earliest.
    fn due(&self) -> Option<u64> {
        let first = self.parcels.front().map(|parcel| &parcel.arrival);
        first.or(self.end.as_ref()).map(Arrival::time)
    }

    fn put(&mut self, arrival: Arrival, bytes: &[u8]) {
        self.queued += bytes.len();
        match self.parcels.back_mut() {
            // What is held goes on together.
            Some(last) if last.arrival.is_held() && arrival.is_held() => last.bytes.extend_from_slice(bytes),
            _ => self.parcels.push_back(Parcel {
                arrival,
                bytes: bytes.to_vec(),
            }),
        }
    }

    /// Wakes the reader when there is something to read.
    fn tell_reader(&mut self) {
        if let Some(at) = self.due().filter(|at| *at != HELD)
            && let Some(reader) = &self.reader
        {
            self.timer.arm(at, reader);
        }
    }

    fn wake_both(&mut self) {
        let wakers = [self.reader.take(), self.writer.take()];
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn direction(&self) -> [usize; 2] {
        let [opener, other] = self.ends;
        if self.from_opener {
            [opener, other]
        } else {
            [other, opener]
        }
    }

    fn send(&self, bytes: usize) -> Arrival {
        let [from, to] = self.direction();
        self.network.wires().send(from, to, bytes)
    }

    /// Whether what is written, and its end, are lost.
    fn keeps_silent(&self) -> bool {
        self.is_silent && self.label.is(&self.network, BODIES)
    }

    fn finish(&self) {
        if self.keeps_silent() {
            return;
        }
        let mut state = self.lock();
        if state.end.is_none() {
            state.end = Some(self.send(0));
            if self.from_opener {
                self.label.settle(&self.network, self.ends);
            }
            state.tell_reader();
        }
    }

    fn abandon(&self) {
        let mut state = self.lock();
        state.is_abandoned = true;
        state.parcels = VecDeque::new();
        self.backlog.take(mem::take(&mut state.queued));
        state.offset = 0;
        state.wake_both();
    }

    /// The connection is gone: whoever waits looks again.
    pub(super) fn wake(&self) {
        let mut state = self.lock();
        state.timer.cancel();
        state.wake_both();
    }

    /// Sends what a black hole held.
    pub(super) fn resume(&self) {
        let mut state = self.lock();
        let state = &mut *state;
        for parcel in state.parcels.iter_mut().filter(|parcel| parcel.arrival.is_held()) {
            parcel.arrival = self.send(parcel.bytes.len());
        }
        if let Some(end) = state.end.as_mut().filter(|end| end.is_held()) {
            *end = self.send(0);
        }
        state.tell_reader();
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.backlog.take(state.queued);
    }
}

/// The two pipes of a stream that one host opens to another: the opener's way, and the way back.
pub(super) fn pair(network: &Network, ends: [usize; 2]) -> (Arc<Pipe>, Arc<Pipe>) {
    let label = Arc::new(Label::new());
    let answers = !network.wires().is_silent(ends[1]);
    let pipe = |from_opener: bool| {
        let reader = ends[usize::from(from_opener)];
        Arc::new(Pipe {
            network: network.clone(),
            ends,
            from_opener,
            is_silent: !from_opener && !answers,
            label: Arc::clone(&label),
            backlog: network.wires().backlog(reader).clone(),
            state: Mutex::default(),
        })
    };
    (pipe(true), pipe(false))
}

/// A stream, as one end holds it.
#[derive(Debug)]
pub(super) struct Substream {
    reading: Arc<Pipe>,
    writing: Arc<Pipe>,
    connection: Arc<Connection>,
    side: usize,
}

impl Substream {
    pub(super) fn new(reading: Arc<Pipe>, writing: Arc<Pipe>, connection: Arc<Connection>, side: usize) -> Self {
        Self {
            reading,
            writing,
            connection,
            side,
        }
    }
}

impl AsyncRead for Substream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.connection.is_dead(self.side) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let pipe = &self.reading;
        let mut state = pipe.lock();
        let now = now();
        if state.due().is_some_and(|at| at <= now) {
            pipe.network.wires().serve(pipe.direction()[1]);
        }
        let done = state.read(buffer, now);
        pipe.backlog.take(done);
        if done > 0 || buffer.is_empty() {
            state.reader = None;
            if let Some(writer) = state.writer.take() {
                writer.wake();
            }
            return Poll::Ready(Ok(done));
        }
        match state.due() {
            Some(at) if at <= now => return Poll::Ready(Ok(0)),
            Some(at) if at != HELD => state.timer.arm(at, cx.waker()),
            _ => state.timer.cancel(),
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for Substream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.connection.is_dead(self.side) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let pipe = &self.writing;
        if pipe.keeps_silent() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let mut state = pipe.lock();
        if state.is_abandoned || state.end.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.queued >= WINDOW {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes = &bytes[..bytes.len().min(WINDOW - state.queued)];
        state.put(pipe.send(bytes.len()), bytes);
        pipe.backlog.add(bytes.len());
        pipe.label.count(&pipe.network, pipe.ends, pipe.from_opener, bytes);
        state.tell_reader();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writing.finish();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Substream {
    fn drop(&mut self) {
        self.writing.finish();
        let [_, host] = self.reading.direction();
        // Nobody hears of it from a machine that is off.
        let is_off = self.reading.network.wires().is_off(host);
        if !is_off {
            self.reading.abandon();
        }
    }
}
