//! Requests of others: how many streams a peer may have open, and whose turn it is to be sent a body.
//!
//! Small answers go at once. Bodies go three at a time to each peer; the others wait ([`Uploads`]) within a budget of bytes,
//! beyond which the answer is `Busy`. A peer that does not read what it asked for loses the stream.

use std::{
    collections::BTreeMap,
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
    Answer, Desk, Report, Running, SHARE,
    line::{Broken, Line, framed},
    uploads::Uploads,
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
    open: BTreeMap<PeerId, Open>,
    uploads: Uploads,
    large: Arc<AtomicUsize>,
    limits: Limits,
}

struct Served {
    peer: PeerId,
    reply: Option<oneshot::Sender<Response>>,
    _running: Running,
}

/// What one peer has open.
#[derive(Default)]
struct Open {
    streams: usize,
    large: Arc<AtomicUsize>,
}

impl Answering {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            streams: BTreeMap::new(),
            open: BTreeMap::new(),
            uploads: Uploads::new(&limits),
            large: Arc::default(),
            limits,
        }
    }

    /// Takes a stream, or resets it when the peer has too many.
    pub(crate) fn accept(&mut self, desk: &Desk, ticket: Ticket, peer: PeerId, stream: Stream) {
        let open = self.open.entry(peer).or_default();
        if open.streams >= self.limits.streams_per_peer {
            desk.figures.refused_streams.inc();
            return;
        }
        open.streams += 1;
        let (reply, answered) = oneshot::channel();
        let large = Places {
            own: Arc::clone(&open.large),
            all: Arc::clone(&self.large),
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

    /// Whether a request has no answer yet.
    pub(crate) fn owes(&self, ticket: Ticket) -> bool {
        self.streams.get(&ticket).is_some_and(|served| served.reply.is_some())
    }

    /// Answers a request, or lets a body wait for its turn.
    pub(crate) fn reply(&mut self, ticket: Ticket, response: Response) {
        let Some(peer) = self.peer(ticket) else { return };
        let Response::Body(body) = response else {
            return self.send(ticket, response);
        };
        if self.uploads.offer(peer, (ticket, body)) {
            self.continue_uploads(&peer);
        } else {
            self.send(ticket, Response::Busy);
        }
    }

    /// A stream is done with: the next body may go.
    pub(crate) fn served(&mut self, ticket: Ticket) {
        let Some(served) = self.streams.remove(&ticket) else {
            return;
        };
        if let Some(open) = self.open.get_mut(&served.peer) {
            open.streams -= 1;
            if open.streams == 0 {
                self.open.remove(&served.peer);
            }
        }
        self.uploads.ended(&served.peer, ticket);
        self.continue_uploads(&served.peer);
    }

    /// A peer is gone, and all its streams with it.
    pub(crate) fn gone(&mut self, peer: &PeerId) {
        self.streams.retain(|_, served| served.peer != *peer);
        self.open.remove(peer);
        self.uploads.gone(peer);
    }

    fn continue_uploads(&mut self, peer: &PeerId) {
        while let Some((ticket, body)) = self.uploads.next(peer) {
            self.send(ticket, Response::Body(body));
        }
    }

    fn send(&mut self, ticket: Ticket, response: Response) {
        if let Some(reply) = self.streams.get_mut(&ticket).and_then(|served| served.reply.take()) {
            // The asking side may have gone: its task then reports the end of the stream.
            let _ = reply.send(response);
        }
    }
}

/// Places for long requests, so that all peers together cannot fill the memory with half-sent ones, nor one peer keep all
/// others from sending theirs.
struct Places {
    own: Arc<AtomicUsize>,
    all: Arc<AtomicUsize>,
    limits: Limits,
}

/// One of so many; it is free again when this is dropped.
struct Place(Arc<AtomicUsize>);

impl Places {
    /// The places that a request of this length takes: none, or one of its peer's and one of all; or nothing is free.
    fn take(&self, length: usize) -> Option<Vec<Place>> {
        if length <= self.limits.large_request {
            return Some(Vec::new());
        }
        let most = self.limits.large_requests;
        let own = Place::take(&self.own, most.div_ceil(SHARE))?;
        Some(vec![own, Place::take(&self.all, most)?])
    }
}

impl Place {
    fn take(taken: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let more = |taken: usize| (taken < most).then_some(taken + 1);
        taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Self(Arc::clone(taken)))
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
        let Some(places) = self.large.take(bytes) else {
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
            let _places = places;
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
            own: Arc::default(),
            all: Arc::default(),
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
    fn nobody_takes_the_places_of_all() {
        let limits = Limits::default();
        let all = Arc::default();
        let of_one = || Places {
            own: Arc::default(),
            all: Arc::clone(&all),
            limits: limits.clone(),
        };
        let long = limits.large_request + 1;
        let (greedy, other) = (of_one(), of_one());
        let mut taken: Vec<_> = std::iter::from_fn(|| greedy.take(long)).collect();
        assert_eq!(taken.len(), limits.large_requests / SHARE);
        assert!(greedy.take(long - 1).is_some_and(|places| places.is_empty()));
        assert!(other.take(long).is_some(), "another one has a place");
        taken.pop();
        assert!(greedy.take(long).is_some(), "it is free again");
        drop(taken);
        // All of them, of many.
        let many: Vec<_> = (0..SHARE).map(|_| of_one()).collect();
        let taken: Vec<_> = many
            .iter()
            .flat_map(|one| std::iter::from_fn(|| one.take(long)))
            .collect();
        assert_eq!(taken.len(), limits.large_requests);
        assert!(other.take(long).is_none());
        drop(taken);
        assert_eq!(all.load(Ordering::Relaxed), 0);
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
