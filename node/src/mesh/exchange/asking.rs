//! Requests of ours: one stream each, ended by an answer, a fault, or the deadline without progress.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use futures::{AsyncRead, AsyncWrite, FutureExt, SinkExt, channel::oneshot};
use libp2p::{PeerId, Stream};
use starfish_crypto::Digest;
use starfish_protocol::{
    codec,
    engine::port::{AskError, Ticket},
    intake::{Fault, OpenResponse, open_response},
    limits,
    record::groups::{GROUP_BYTES, GroupVerifier},
    time::Millis,
    wire::{FRAME_BYTES, Request, Response},
};

use super::{
    Answer, Desk, Report, Running,
    line::{Line, framed},
};
use crate::mesh::environment::{Cost, Work, compute};

/// Streams of ours to one peer. The muxer ends a connection with more than 128 of both sides together.
const STREAMS_PER_PEER: usize = 32;

// What is asked for is sent at once: the rules count its patience from then.
const _: () = assert!(limits::BODY_REQUESTS_PER_PEER + limits::RANGES_PER_PEER <= STREAMS_PER_PEER);

/// The longest first frame of the answer to a request for a body: with it, the groups follow, each within the deadline. A
/// longer one would be sent in pieces that nobody is told of, each as late as possible.
const BODY_HEAD_BYTES: usize = 1_024;

// A length, and a value for each group.
const _: () =
    assert!(limits::BODY_BYTES.div_ceil(GROUP_BYTES) * 32 + 32 <= BODY_HEAD_BYTES && BODY_HEAD_BYTES <= GROUP_BYTES);

/// The requests under way, and those that wait for a stream. Dropping it gives all of them up.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    running: BTreeMap<Ticket, (PeerId, Running)>,
    active: BTreeMap<PeerId, usize>,
    waiting: BTreeMap<PeerId, VecDeque<Asked>>,
}

/// A request that waits.
#[derive(Debug)]
struct Asked {
    ticket: Ticket,
    request: Request,
    deadline: Millis,
}

impl Asking {
    /// Queues a request; `start` sends it.
    pub(crate) fn ask(&mut self, ticket: Ticket, peer: PeerId, request: Request, deadline: Millis) {
        self.waiting.entry(peer).or_default().push_back(Asked {
            ticket,
            request,
            deadline,
        });
    }

    /// Sends what may be sent, and gives back what can not be. `open` gives a stream, or none without a connection.
    pub(crate) fn start(
        &mut self,
        desk: &Desk,
        mut open: impl FnMut(PeerId) -> Option<oneshot::Receiver<Stream>>,
    ) -> Vec<Ticket> {
        let mut lost = Vec::new();
        for (peer, waiting) in &mut self.waiting {
            let active = self.active.entry(*peer).or_default();
            while *active < STREAMS_PER_PEER {
                let Some(asked) = waiting.pop_front() else { break };
                let Some(opened) = open(*peer) else {
                    lost.push(asked.ticket);
                    continue;
                };
                *active += 1;
                self.running.insert(asked.ticket, (*peer, send(desk, asked, opened)));
            }
        }
        self.waiting.retain(|_, waiting| !waiting.is_empty());
        self.active.retain(|_, active| *active > 0);
        lost
    }

    /// Whether the request is still wanted.
    pub(crate) fn is_running(&self, ticket: Ticket) -> bool {
        self.running.contains_key(&ticket)
    }

    /// Ends a request that was sent. True when it was still wanted.
    pub(crate) fn end(&mut self, ticket: Ticket) -> bool {
        let Some((peer, _)) = self.running.remove(&ticket) else {
            return false;
        };
        if let Some(active) = self.active.get_mut(&peer) {
            *active = active.saturating_sub(1);
        }
        true
    }

    /// Gives a request up, sent or not.
    pub(crate) fn cancel(&mut self, ticket: Ticket) {
        if !self.end(ticket) {
            for waiting in self.waiting.values_mut() {
                waiting.retain(|asked| asked.ticket != ticket);
            }
        }
    }
}

fn send(desk: &Desk, asked: Asked, opened: oneshot::Receiver<Stream>) -> Running {
    let Asked {
        ticket,
        request,
        deadline,
    } = asked;
    let mut errand = Errand {
        desk: desk.clone(),
        ticket,
        deadline,
    };
    let task = async move {
        let response = errand.run(request, opened).await;
        // The loop is gone: so is the interest.
        let _ = errand.desk.reports.send(Report::Answered { ticket, response }).await;
    };
    desk.spawn(task.boxed())
}

/// One request on its way.
struct Errand {
    desk: Desk,
    ticket: Ticket,
    deadline: Millis,
}

impl Errand {
    async fn run(&mut self, request: Request, opened: oneshot::Receiver<Stream>) -> Result<OpenResponse, AskError> {
        let stream = opened.await.map_err(|_| AskError::Lost)?;
        let mut line = Line::new(stream, Arc::clone(&self.desk.env), self.deadline);
        line.write(&framed(&request)).await?;
        let wanted = match request {
            Request::Body { digest } => Some(digest),
            _ => None,
        };
        self.answer(&mut line, wanted).await
    }

    /// Reads the answer, to a request for this body or to another one.
    async fn answer<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &mut self,
        line: &mut Line<S>,
        wanted: Option<Digest>,
    ) -> Result<OpenResponse, AskError> {
        let most = if wanted.is_some() { BODY_HEAD_BYTES } else { FRAME_BYTES };
        let frame = line.frame(most).await?;
        let bytes = frame.len();
        let answer = codec::decode(&frame, most).map_err(|_| AskError::Fault(Fault::Malformed))?;
        let response = match (answer, wanted) {
            (Answer::Body(head), Some(digest)) => {
                let groups =
                    GroupVerifier::new(digest, head.len, &head.groups).map_err(|_| AskError::Fault(Fault::Body))?;
                return self.body(line, groups).await;
            }
            (Answer::Whole(Response::Body(_)) | Answer::Body(_), _) => return Err(AskError::Fault(Fault::Malformed)),
            (Answer::Whole(response), _) => response,
        };
        let checker = Arc::clone(&self.desk.checker);
        let cost = Cost {
            work: Work::Exchange,
            bytes,
        };
        let checked = compute(&self.desk.env, cost, move || open_response(response, checker.as_ref())).await;
        checked.ok_or(AskError::Lost)?.map_err(AskError::Fault)
    }

    /// Takes a body, group by group. What does not fit its digest is refused with the group that is wrong.
    async fn body<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &mut self,
        line: &mut Line<S>,
        mut groups: GroupVerifier,
    ) -> Result<OpenResponse, AskError> {
        let mut body = Vec::new();
        while !groups.is_complete() {
            let group = line.bytes(groups.next_len()).await?;
            groups.push(&group).map_err(|_| AskError::Fault(Fault::Body))?;
            body.extend_from_slice(&group);
            self.desk.figures.body_bytes_in.inc_by(group.len() as u64);
            if !groups.is_complete() {
                let progress = Report::Progress(self.ticket);
                self.desk.reports.send(progress).await.map_err(|_| AskError::Lost)?;
            }
        }
        Ok(OpenResponse::Plain(Response::Body(body)))
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, channel::mpsc, executor::block_on, io::Cursor};
    use starfish_protocol::{
        observable::Observable,
        record::{
            Body, Bundle, SealedBody,
            groups::{GROUP_BYTES, group_values},
            seal_body,
        },
        wire::BodyHead,
    };

    use super::*;

    /// A body of about 40 kB: three groups.
    fn sealed() -> SealedBody {
        let name = |place: u64| Digest::of("starfish test body", &place.to_le_bytes()).to_string();
        let observables = (0..1_200).map(|place| Observable::parse(&name(place)).expect("a SHA-256 digest"));
        let bundle = Bundle::new(90, String::new(), observables.collect()).expect("a bundle");
        seal_body(Body::Indicators(bundle))
    }

    /// Takes a body of which a peer sends these bytes: how it ends, and how many groups were reported on the way.
    fn check(sealed: &SealedBody, sent: &[u8], expected: Result<(), AskError>, progress: usize) {
        let (reports, reported) = mpsc::channel(64);
        let desk = Desk::still(reports);
        let env = Arc::clone(&desk.env);
        let mut errand = Errand {
            desk,
            ticket: 7,
            deadline: Millis(1),
        };
        let values = group_values(&sealed.compressed);
        let groups =
            GroupVerifier::new(sealed.digest, sealed.compressed.len() as u64, &values).expect("its own values");
        let mut line = Line::new(Cursor::new(sent.to_vec()), env, Millis(1));
        let taken = block_on(errand.body(&mut line, groups)).map(|response| match response {
            OpenResponse::Plain(Response::Body(body)) => assert_eq!(body, sealed.compressed),
            other => panic!("no body: {other:?}"),
        });
        drop(errand);
        assert_eq!((taken, block_on(reported.count())), (expected, progress));
    }

    #[test]
    fn a_body_ends_with_its_first_wrong_group() {
        let sealed = sealed();
        let whole = sealed.compressed.clone();
        assert_eq!(whole.len().div_ceil(GROUP_BYTES), 3);
        check(&sealed, &whole, Ok(()), 2);
        check(&sealed, &[&whole[..], b"and more"].concat(), Ok(()), 2);
        check(&sealed, &whole[..whole.len() - 1], Err(AskError::Lost), 2);
        check(&sealed, &[], Err(AskError::Lost), 0);
        for (place, progress) in [(0, 0), (GROUP_BYTES, 1), (whole.len() - 1, 2)] {
            let mut wrong = whole.clone();
            wrong[place] ^= 1;
            check(&sealed, &wrong, Err(AskError::Fault(Fault::Body)), progress);
        }
    }

    /// How the answer to a request ends of which only the length of the first frame comes.
    fn announced(bytes: usize, wanted: Option<Digest>, expected: AskError) {
        let (reports, _reported) = mpsc::channel(1);
        let desk = Desk::still(reports);
        let mut buffer = unsigned_varint::encode::usize_buffer();
        let sent = unsigned_varint::encode::usize(bytes, &mut buffer).to_vec();
        let mut line = Line::new(Cursor::new(sent), Arc::clone(&desk.env), Millis(1));
        let mut errand = Errand {
            desk,
            ticket: 7,
            deadline: Millis(1),
        };
        let ended = block_on(errand.answer(&mut line, wanted)).map(|answer| format!("{answer:?}"));
        assert_eq!(ended, Err(expected), "{bytes}");
    }

    #[test]
    fn what_comes_before_a_body_is_short() {
        let (wanted, malformed) = (Some(Digest::ZERO), AskError::Fault(Fault::Malformed));
        announced(BODY_HEAD_BYTES, wanted, AskError::Lost);
        announced(BODY_HEAD_BYTES + 1, wanted, malformed);
        announced(FRAME_BYTES, None, AskError::Lost);
        announced(FRAME_BYTES + 1, None, malformed);
        // The longest there is.
        let groups = group_values(&vec![7; limits::BODY_BYTES]);
        let len = limits::BODY_BYTES as u64;
        let head = framed(&Answer::Body(BodyHead { len, groups }));
        assert!((512..BODY_HEAD_BYTES).contains(&head.len()), "{}", head.len());
    }
}
