//! One direction of a stream: [`Pipe`], and both of them as one end holds them: [`Substream`].

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use futures::{AsyncRead, AsyncWrite};
use starfish_sim_kernel::Timer;

use super::{Network, Separation, connection::Connection, now, traffic::Label};

/// How many bytes may be under way or unread, as yamux allows.
const WINDOW: usize = 256 * 1_024;
/// Never, unless the link is mended.
pub(super) const HELD: u64 = u64::MAX;

/// Bytes from one host to another, in order.
#[derive(Debug)]
pub(super) struct Pipe {
    network: Network,
    /// The hosts of the stream, first the one that opened it.
    ends: [usize; 2],
    from_opener: bool,
    label: Arc<Label>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    parcels: VecDeque<Parcel>,
    /// How much of the first parcel was read.
    offset: usize,
    queued: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
    timer: Timer,
    /// When the end of the stream arrives.
    end: Option<u64>,
    /// Nobody will read any more.
    is_abandoned: bool,
    /// When the last bytes arrive; later ones do not overtake them.
    last: u64,
}

#[derive(Debug)]
struct Parcel {
    at: u64,
    bytes: Vec<u8>,
}

impl State {
    fn read(&mut self, buffer: &mut [u8], now: u64) -> usize {
        let mut done = 0;
        while done < buffer.len() {
            let Some(parcel) = self.parcels.front().filter(|parcel| parcel.at <= now) else {
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

    /// When there is something to read.
    fn due(&self) -> Option<u64> {
        self.parcels.front().map(|parcel| parcel.at).or(self.end)
    }

    fn put(&mut self, at: u64, bytes: &[u8]) {
        self.last = at;
        self.queued += bytes.len();
        match self.parcels.back_mut() {
            Some(parcel) if parcel.at == at => parcel.bytes.extend_from_slice(bytes),
            _ => self.parcels.push_back(Parcel {
                at,
                bytes: bytes.to_vec(),
            }),
        }
    }

    /// Wakes the reader when there is something to read.
    fn tell_reader(&mut self) {
        if let Some(at) = self.due().filter(|at| *at != HELD)
            && let Some(reader) = self.reader.take()
        {
            self.timer.arm(at, &reader);
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

    /// When bytes that are written now can be read.
    fn arrival(&self, bytes: usize, last: u64) -> u64 {
        let [from, to] = self.direction();
        let mut wires = self.network.wires();
        match wires.fault(from, to) {
            Some(Separation::BlackHole) => HELD,
            _ => wires.arrival(from, to, bytes).max(last),
        }
    }

    fn finish(&self) {
        let mut state = self.lock();
        if state.end.is_none() {
            state.end = Some(self.arrival(0, state.last));
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
        state.queued = 0;
        state.offset = 0;
        state.wake_both();
    }

    /// The connection is gone: whoever waits looks again.
    pub(super) fn wake(&self) {
        let mut state = self.lock();
        // A reader that waits for a time has its waker there.
        state.timer.cancel();
        state.wake_both();
    }

    /// Sends what a black hole held.
    pub(super) fn resume(&self) {
        let mut state = self.lock();
        if state.last == HELD {
            state.last = 0;
        }
        let mut last = state.last;
        for place in 0..state.parcels.len() {
            if state.parcels[place].at == HELD {
                last = self.arrival(state.parcels[place].bytes.len(), last);
                state.parcels[place].at = last;
            }
        }
        state.last = last;
        if state.end == Some(HELD) {
            state.end = Some(self.arrival(0, last));
        }
        state.tell_reader();
    }

    /// Who is to read from it, and how many bytes.
    pub(super) fn queued(&self) -> (usize, usize) {
        (self.ends[usize::from(self.from_opener)], self.lock().queued)
    }
}

/// The two pipes of a stream that one host opens to another: the opener's way, and the way back.
pub(super) fn pair(network: &Network, ends: [usize; 2]) -> (Arc<Pipe>, Arc<Pipe>) {
    let label = Arc::new(Label::new());
    let pipe = |from_opener| {
        Arc::new(Pipe {
            network: network.clone(),
            ends,
            from_opener,
            label: Arc::clone(&label),
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
        let mut state = self.reading.lock();
        let now = now();
        let done = state.read(buffer, now);
        if done > 0 || buffer.is_empty() {
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
        let mut state = pipe.lock();
        if state.is_abandoned || state.end.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.queued >= WINDOW {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes = &bytes[..bytes.len().min(WINDOW - state.queued)];
        let at = pipe.arrival(bytes.len(), state.last);
        state.put(at, bytes);
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
        self.reading.abandon();
    }
}
