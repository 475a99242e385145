//! Requests of others: how many streams a peer may have open, and whose turn it is to be sent a body.
//!
//! Small answers go at once. Bodies go three at a time to each peer; the others wait within a budget of bytes, beyond
//! which the answer is `Busy`. A peer that does not read what it asked for loses the stream.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::{
    AsyncRead, AsyncWrite, FutureExt, SinkExt,
    channel::oneshot,
    future::{Either, select},
};
use libp2p::{PeerId, Stream};
use starfish_protocol::{
    engine::port::Ticket,
    intake::{Fault, OpenRequest, open_request, pushed_body},
    limits,
    record::groups::group_values,
    time::Millis,
    wire::{BodyHead, Response},
};

use super::{
    Answer, Desk, Report, Running,
    line::{Broken, Line, framed},
};
use crate::mesh::{
    environment::{Cost, Work, compute},
    settings::Limits,
};

/// The longest request: a pushed body with its header.
const REQUEST_BYTES: usize = limits::BODY_BYTES + 65_536;
/// How long a request may wait for its answer and for its turn. The rules answer sooner; this is for what they forget.
const ANSWER_WITHIN: Millis = Millis(120_000);

/// The streams that others opened. Dropping it resets all of them.
pub(crate) struct Answering {
    streams: BTreeMap<Ticket, Served>,
    open: BTreeMap<PeerId, usize>,
    uploads: BTreeMap<PeerId, Uploads>,
    waiting_bytes: usize,
    large: Arc<AtomicUsize>,
    limits: Limits,
}

struct Served {
    peer: PeerId,
    reply: Option<oneshot::Sender<Response>>,
    _running: Running,
}

#[derive(Default)]
struct Uploads {
    active: BTreeSet<Ticket>,
    waiting: VecDeque<(Ticket, Vec<u8>)>,
}

impl Answering {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            streams: BTreeMap::new(),
            open: BTreeMap::new(),
            uploads: BTreeMap::new(),
            waiting_bytes: 0,
            large: Arc::default(),
            limits,
        }
    }

    /// Takes a stream, or resets it when the peer has too many.
    pub(crate) fn accept(&mut self, desk: &Desk, ticket: Ticket, peer: PeerId, stream: Stream) {
        let open = self.open.entry(peer).or_default();
        if *open >= self.limits.streams_per_peer {
            desk.figures.refused_streams.inc();
            return;
        }
        *open += 1;
        let (reply, answered) = oneshot::channel();
        let large = Places {
            taken: Arc::clone(&self.large),
            limits: self.limits.clone(),
        };
        let mut visit = Visit {
            desk: desk.clone(),
            ticket,
            large,
        };
        let task = async move {
            // Whoever breaks a stream off knows it already.
            let _ = visit.run(stream, answered).await;
            let _ = visit.desk.reports.send(Report::Served(ticket)).await;
        };
        let served = Served {
            peer,
            reply: Some(reply),
            _running: desk.spawn(task.boxed()),
        };
        self.streams.insert(ticket, served);
    }

    /// Whose request this is.
    pub(crate) fn peer(&self, ticket: Ticket) -> Option<PeerId> {
        self.streams.get(&ticket).map(|served| served.peer)
    }

    /// Answers a request, or lets a body wait for its turn.
    pub(crate) fn reply(&mut self, ticket: Ticket, response: Response) {
        let Some(peer) = self.peer(ticket) else { return };
        let Response::Body(body) = response else {
            return self.send(ticket, response);
        };
        if self.waiting_bytes + body.len() > self.limits.upload_bytes {
            return self.send(ticket, Response::Busy);
        }
        self.waiting_bytes += body.len();
        self.uploads.entry(peer).or_default().waiting.push_back((ticket, body));
        self.continue_uploads(peer);
    }

    /// A stream is done with: the next body may go.
    pub(crate) fn served(&mut self, ticket: Ticket) {
        let Some(served) = self.streams.remove(&ticket) else {
            return;
        };
        if let Some(open) = self.open.get_mut(&served.peer) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&served.peer);
            }
        }
        if let Some(uploads) = self.uploads.get_mut(&served.peer) {
            uploads.active.remove(&ticket);
        }
        self.continue_uploads(served.peer);
    }

    /// A peer is gone, and all its streams with it.
    pub(crate) fn gone(&mut self, peer: &PeerId) {
        self.streams.retain(|_, served| served.peer != *peer);
        self.open.remove(peer);
        let waiting = self
            .uploads
            .remove(peer)
            .map(|uploads| uploads.waiting)
            .unwrap_or_default();
        self.waiting_bytes -= waiting.iter().map(|(_, body)| body.len()).sum::<usize>();
    }

    fn continue_uploads(&mut self, peer: PeerId) {
        while let Some(uploads) = self.uploads.get_mut(&peer) {
            if uploads.active.len() >= self.limits.uploads_per_peer {
                return;
            }
            let Some((ticket, body)) = uploads.waiting.pop_front() else {
                if uploads.active.is_empty() {
                    self.uploads.remove(&peer);
                }
                return;
            };
            self.waiting_bytes -= body.len();
            if self.streams.contains_key(&ticket) {
                uploads.active.insert(ticket);
                self.send(ticket, Response::Body(body));
            }
        }
    }

    fn send(&mut self, ticket: Ticket, response: Response) {
        if let Some(reply) = self.streams.get_mut(&ticket).and_then(|served| served.reply.take()) {
            // The asking side may have gone: its task then reports the end of the stream.
            let _ = reply.send(response);
        }
    }
}

/// Places for long requests, so that all peers together cannot fill the memory with half-sent ones.
struct Places {
    taken: Arc<AtomicUsize>,
    limits: Limits,
}

struct Place(Arc<AtomicUsize>);

impl Places {
    fn take(&self, length: usize) -> Option<Option<Place>> {
        if length <= self.limits.large_request {
            return Some(None);
        }
        let most = self.limits.large_requests;
        let more = |taken: usize| (taken < most).then_some(taken + 1);
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Some(Place(Arc::clone(&self.taken))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One request of a peer.
struct Visit {
    desk: Desk,
    ticket: Ticket,
    large: Places,
}

impl Visit {
    async fn run(&mut self, stream: Stream, answered: oneshot::Receiver<Response>) -> Result<(), Broken> {
        let mut line = Line::new(stream, Arc::clone(&self.desk.env), self.desk.patience);
        let request = match self.request(&mut line).await {
            Err(Broken::Malformed) => Err(Fault::Malformed),
            Err(broken) => return Err(broken),
            Ok(request) => request,
        };
        let asked = Report::Asked {
            ticket: self.ticket,
            request: Box::new(request),
        };
        self.desk.reports.send(asked).await.map_err(|_| Broken::Lost)?;
        let late = self.desk.env.sleep(ANSWER_WITHIN);
        let response = {
            let gone = std::pin::pin!(self.broken_off(&mut line));
            match select(answered, select(gone, late)).await {
                Either::Left((response, _)) => response.map_err(|_| Broken::Lost)?,
                Either::Right(_) => return Err(Broken::Lost),
            }
        };
        match response {
            Response::Body(body) => self.body(&mut line, &body).await?,
            response => line.write(&framed(&Answer::Whole(response))).await?,
        }
        line.close().await
    }

    /// Ends only when the other side broke the stream off. Its orderly end is told: some muxers show nothing else.
    async fn broken_off(&mut self, line: &mut Line<Stream>) {
        if line.ended().await {
            let _ = self.desk.reports.send(Report::SaidAll(self.ticket)).await;
            std::future::pending::<()>().await;
        }
    }

    async fn request(&mut self, line: &mut Line<Stream>) -> Result<Result<OpenRequest, Fault>, Broken> {
        let bytes = line.length(REQUEST_BYTES).await?;
        let Some(place) = self.large.take(bytes) else {
            self.desk.figures.refused_streams.inc();
            return Err(Broken::Lost);
        };
        let frame = self.frame(line, bytes).await?;
        let checker = Arc::clone(&self.desk.checker);
        let cost = Cost {
            work: Work::Exchange,
            bytes,
        };
        let opened = compute(&self.desk.env, cost, move || {
            let _place = place;
            open_request(&frame, checker.as_ref())
        });
        opened.await.ok_or(Broken::Lost)
    }

    /// Reads a frame, and tells of each piece of a push: whoever waits for the body asks nobody else meanwhile.
    async fn frame<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &mut self,
        line: &mut Line<S>,
        length: usize,
    ) -> Result<Vec<u8>, Broken> {
        let mut frame = Vec::new();
        let mut more = line.piece(&mut frame, length).await?;
        let pushed = pushed_body(&frame);
        while more {
            if let Some(digest) = pushed {
                let ticket = self.ticket;
                let pushing = Report::Pushing { ticket, digest };
                self.desk.reports.send(pushing).await.map_err(|_| Broken::Lost)?;
            }
            more = line.piece(&mut frame, length).await?;
        }
        Ok(frame)
    }

    /// Sends a body with what is needed to check it group by group.
    async fn body(&mut self, line: &mut Line<Stream>, body: &[u8]) -> Result<(), Broken> {
        let head = BodyHead {
            len: body.len() as u64,
            groups: group_values(body),
        };
        line.write(&framed(&Answer::Body(head))).await?;
        line.write(body).await?;
        self.desk.figures.body_bytes_out.inc_by(body.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, channel::mpsc, executor::block_on, io::Cursor};
    use starfish_crypto::{Digest, SecretKey, Signed};
    use starfish_protocol::{
        codec,
        community::Community,
        record::{Audience, Extensions, Header, Kind, Tlp, Topic, groups::GROUP_BYTES},
        wire::Request,
    };

    use super::*;

    /// A push of a body of this digest; nothing looks at the bytes that come with it.
    fn push(digest: Digest) -> Vec<u8> {
        let body = vec![7; 5 * GROUP_BYTES];
        let key = SecretKey::from_seed([1; 32]);
        let header = Header {
            version: Header::VERSION,
            community: Community::named("test"),
            author: key.public(),
            audience: Audience::Clear,
            tlp: Tlp::Clear,
            kind: Kind::INDICATORS,
            epoch: Millis(1),
            seq: 0,
            prev: Digest::ZERO,
            created_at: Millis(1),
            expires_at: Millis(2),
            body_digest: digest,
            compressed_len: body.len() as u32,
            raw_len: body.len() as u32,
            items: 1,
            topic: Topic::parse("malware").expect("a topic"),
            extensions: Extensions::default(),
        };
        let header = Signed::sign::<Header>(header.encode(), &key);
        codec::encode(&Request::Push { header, body })
    }

    /// Reads a request to its end, or until it breaks off, and gives the bodies of which pieces were told.
    fn told(frame: &[u8], sent: usize) -> (bool, Vec<Digest>) {
        let (reports, told) = mpsc::channel(64);
        let desk = Desk::still(reports);
        let mut line = Line::new(Cursor::new(frame[..sent].to_vec()), Arc::clone(&desk.env), Millis(1));
        let large = Places {
            taken: Arc::default(),
            limits: Limits::default(),
        };
        let mut visit = Visit { desk, ticket: 7, large };
        let read = block_on(visit.frame(&mut line, frame.len()));
        assert!(read.as_ref().map_or(true, |read| read == frame));
        drop(visit);
        let digest = |report| match report {
            Report::Pushing { ticket: 7, digest } => digest,
            other => panic!("{other:?}"),
        };
        (read.is_ok(), block_on(told.map(digest).collect()))
    }

    #[test]
    fn each_piece_of_a_push_is_told_of() {
        let digest = Digest::from_bytes([9; 32]);
        let push = push(digest);
        let pieces = push.len().div_ceil(GROUP_BYTES);
        assert_eq!(pieces, 6);
        assert_eq!(told(&push, push.len()), (true, vec![digest; pieces - 1]));
        assert_eq!(told(&push, 2 * GROUP_BYTES + 1), (false, vec![digest; 2]));
        assert_eq!(told(&push, GROUP_BYTES - 1), (false, vec![]));
        // What comes in one piece is here, and what pushes nothing has nothing to tell.
        assert_eq!(told(&push[..GROUP_BYTES], GROUP_BYTES), (true, vec![]));
        let mut other = push.clone();
        for variant in (0..=255).filter(|variant| *variant != push[0]) {
            other[0] = variant;
            assert_eq!(told(&other, other.len()), (true, vec![]), "{variant}");
        }
        let mut broken = push;
        broken[3] ^= 1;
        assert_eq!(told(&broken, broken.len()), (true, vec![]), "a header that is none");
    }
}
