//! What a stream carries, by a plain name: [`kind`] reads it from the first bytes of its opener.
//!
//! The protocol of a stream is its first proposal, which comes with the first bytes. All requests share one; which of them a
//! stream is for stands at the beginning of the first frame behind the proposal.

use std::borrow::Cow;

use starfish_protocol::wire::REQUEST_PROTOCOL;

/// Messages of the meshes, with the small bodies that ride along.
pub const GOSSIP: &str = "gossip";
/// Bodies that were asked for.
pub const BODIES: &str = "bodies";
/// Bodies that their publisher pushed.
pub const PUSHED_BODIES: &str = "pushed bodies";
/// Of logs, and the headers that were missing.
pub const COMPARISONS: &str = "comparisons";
const STATEMENTS: &str = "statements";
const INTRODUCTIONS: &str = "introductions";
/// Streams whose negotiation was not understood.
pub(super) const UNKNOWN: &str = "unknown";

/// By the numbers of the variants of `wire::Request`, which are the first bytes of its documents.
const REQUESTS: [&str; 7] = [
    INTRODUCTIONS,
    COMPARISONS,
    COMPARISONS,
    STATEMENTS,
    BODIES,
    PUSHED_BODIES,
    INTRODUCTIONS,
];
/// By the beginnings of protocols' names, which a version ends.
const PROTOCOLS: [(&str, &str); 4] = [
    ("/meshsub/", GOSSIP),
    ("/starfish-green/", GOSSIP),
    ("/ipfs/ping/", "ping"),
    ("/ipfs/id/", "identify"),
];

/// What each negotiation begins with, after its length.
const GREETING: &[u8] = b"\x13/multistream/1.0.0\n";
/// The length of a frame takes at most so many bytes.
const LENGTH: usize = 5;

/// What a stream carries; none as long as its opener has not said it.
pub(super) fn kind(first: &[u8]) -> Option<Cow<'static, str>> {
    let (protocol, frames) = proposed(first)?;
    if protocol != REQUEST_PROTOCOL {
        return Some(named(protocol));
    }
    let length = frames.iter().take(LENGTH).position(|byte| *byte < 0x80);
    if length.is_none() && frames.len() >= LENGTH {
        return Some(named(protocol));
    }
    let request = REQUESTS.get(usize::from(*frames.get(length? + 1)?));
    Some(request.map_or_else(|| named(protocol), |&kind| Cow::Borrowed(kind)))
}

/// What a stream carries whose opener says nothing more.
pub(super) fn kind_at_most(first: &[u8]) -> Cow<'static, str> {
    let of_protocol = || proposed(first).map(|(protocol, _)| named(protocol));
    kind(first).or_else(of_protocol).unwrap_or(Cow::Borrowed(UNKNOWN))
}

fn named(protocol: &str) -> Cow<'static, str> {
    let known = PROTOCOLS.iter().find(|(beginning, _)| protocol.starts_with(beginning));
    known.map_or_else(|| Cow::Owned(protocol.to_owned()), |&(_, kind)| Cow::Borrowed(kind))
}

/// The protocol that is proposed first, and what comes behind it.
fn proposed(first: &[u8]) -> Option<(&str, &[u8])> {
    let proposal = first.strip_prefix(GREETING)?;
    // Protocols' names are shorter than 128 bytes, so that their length is one byte.
    let (length, rest) = proposal.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(name).ok()?.trim_end(), rest))
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{Digest, SecretKey, Signed};
    use starfish_protocol::{
        codec,
        community::Community,
        record::{Audience, Header, LogId},
        time::Millis,
        wire::{Hello, Request},
    };

    use super::*;

    fn opened(protocol: &str, frames: &[u8]) -> Vec<u8> {
        let line = [&[protocol.len() as u8 + 1], protocol.as_bytes(), b"\n"].concat();
        [GREETING, &line, frames].concat()
    }

    /// The kind of a request; a new one must have one too.
    fn expected(request: &Request) -> &'static str {
        match request {
            Request::Hello(_) | Request::Pair { .. } => "introductions",
            Request::Frontier { .. } | Request::Range { .. } => "comparisons",
            Request::Statements { .. } => "statements",
            Request::Body { .. } => "bodies",
            Request::Push { .. } => "pushed bodies",
        }
    }

    /// One of each.
    fn requests() -> [Request; REQUESTS.len()] {
        let key = SecretKey::from_seed([1; 32]);
        let hello = Hello {
            community: Community::named("test"),
            statements: Vec::new(),
            topics: Vec::new(),
            tlds: Vec::new(),
            records: 0,
            wall: Millis(0),
        };
        let log = LogId {
            author: key.public(),
            audience: Audience::Clear,
            epoch: Millis(0),
        };
        [
            Request::Hello(hello.clone()),
            Request::Frontier {
                heads: Digest::ZERO,
                statements: Digest::ZERO,
                since: None,
            },
            Request::Range { log, from: 0, limit: 1 },
            Request::Statements {
                about: Vec::new(),
                since: None,
            },
            Request::Body { digest: Digest::ZERO },
            Request::Push {
                header: Signed::sign::<Header>(vec![0; 200], &key),
                // Its length is one of three bytes.
                body: vec![0; 20_000],
            },
            Request::Pair { secret: [0; 5], hello },
        ]
    }

    #[test]
    fn the_first_request_names_its_stream() {
        for request in requests() {
            let document = codec::encode(&request);
            let mut length = document.len();
            let mut frame = Vec::new();
            while length >= 0x80 {
                frame.push(length as u8 | 0x80);
                length >>= 7;
            }
            frame.push(length as u8);
            let behind = frame.len();
            frame.extend(&document);
            let first = opened(REQUEST_PROTOCOL, &frame);
            assert_eq!(kind(&first).as_deref(), Some(expected(&request)), "{request:?}");
            // Byte by byte: known with the first byte of the document, and never as something else before.
            let known = first.len() - frame.len() + behind + 1;
            for end in 0..first.len().min(256) {
                let kind = kind(&first[..end]);
                assert_eq!(kind.is_some(), end >= known, "{request:?}, {end}");
            }
        }
    }

    #[test]
    fn protocols_have_plain_names() {
        let check = |first: &[u8], expected: Option<&str>, at_most: &str| {
            assert_eq!(kind(first).as_deref(), expected);
            assert_eq!(kind_at_most(first), at_most);
        };
        let row = |protocol: &str, expected: &str| check(&opened(protocol, b"xyz"), Some(expected), expected);
        row("/meshsub/1.2.0", "gossip");
        row("/starfish-green/1.1.0", "gossip");
        row("/ipfs/ping/1.0.0", "ping");
        row("/ipfs/id/1.0.0", "identify");
        row("/ipfs/id/push/1.0.0", "identify");
        row("/something/else", "/something/else");
        // A request that nobody knows, a length without an end, and no request at all.
        let requests = |frames: &[u8], expected| check(&opened(REQUEST_PROTOCOL, frames), expected, REQUEST_PROTOCOL);
        requests(&[1, 7], Some(REQUEST_PROTOCOL));
        requests(&[0xff; 5], Some(REQUEST_PROTOCOL));
        requests(&[0xff; 4], None);
        requests(&[40], None);
        requests(&[], None);
        check(b"\x13/multistream/1.0.0\n\x0d/ipfs/p", None, UNKNOWN);
        check(b"\x13/multistream/1.0.0\n", None, UNKNOWN);
        check(b"\x13/multistr", None, UNKNOWN);
        check(b"something else altogether", None, UNKNOWN);
    }
}
