//! Gossip's streams without the room that they are given at the start: [`lean`].
//!
//! A stream of frames begins with 8 KiB for what will be read and as much for what will be written. A connection has two of
//! gossip's, of which one is only read and one only written, and most frames are shorter than a quarter of it. Here that room
//! begins empty and grows with what is in hand at once: in a world of 1,000 nodes each takes a quarter less of memory.

use asynchronous_codec::{Decoder, Encoder, Framed};
use futures::{
    future::Either,
    io::{AsyncRead, AsyncWrite},
};
use libp2p::swarm::{
    THandler,
    handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound},
};

use super::{
    apart::{Apart, EventFor},
    gossip::Gossipsub,
};

/// Gossipsub, with streams that have no more room than they need. The one for TLP:GREEN stays as it is: few connections
/// have it, and its handler is polled with ping's and others', which it needs where an error ended its stream and nothing else
/// would wake it.
pub(crate) fn lean(gossip: Gossipsub) -> Apart<Gossipsub> {
    Apart::changing(gossip, with_less_room)
}

/// The same event; the stream that it brings is smaller.
fn with_less_room(event: EventFor<'_, THandler<Gossipsub>>) -> EventFor<'_, THandler<Gossipsub>> {
    match event {
        ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
            protocol: Either::Left((frames, kind)),
            info,
        }) => ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
            protocol: Either::Left((trimmed(frames), kind)),
            info,
        }),
        ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
            protocol: (frames, kind),
            info,
        }) => ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
            protocol: (trimmed(frames), kind),
            info,
        }),
        event => event,
    }
}

/// The same frames, what was read of them or waits to be written included, with room for no more than that.
fn trimmed<S: AsyncRead + AsyncWrite, C: Encoder + Decoder>(frames: Framed<S, C>) -> Framed<S, C> {
    let mut parts = frames.into_parts();
    parts.read_buffer = parts.read_buffer.as_ref().into();
    parts.write_buffer = parts.write_buffer.as_ref().into();
    Framed::from_parts(parts)
}

#[cfg(test)]
mod tests {
    use std::{io::Cursor, pin::Pin};

    use asynchronous_codec::LengthCodec;
    use futures::{Sink, StreamExt, executor::block_on, io::AllowStdIo};

    use super::*;

    /// The most that a few bytes take.
    const FEW: usize = 64;

    #[test]
    fn what_waits_to_be_written_or_was_read_stays_in_its_place() {
        let mut frames = Framed::new(AllowStdIo::new(Cursor::new(vec![0; FEW])), LengthCodec);
        Pin::new(&mut frames).start_send("later".into()).expect("it is encoded");
        let mut parts = frames.into_parts();
        // A whole frame and the beginning of another.
        parts
            .read_buffer
            .extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 3, b'n', b'o', b'w', 0, 0]);
        assert!(parts.read_buffer.capacity() > FEW && parts.write_buffer.capacity() > FEW);
        let parts = trimmed(Framed::from_parts(parts)).into_parts();
        assert!(parts.read_buffer.capacity() <= FEW && parts.write_buffer.capacity() <= FEW);
        assert_eq!(parts.write_buffer.as_ref(), b"\0\0\0\0\0\0\0\x05later");
        let mut frames = Framed::from_parts(parts);
        let read = block_on(frames.next()).expect("a frame").expect("a good one");
        assert_eq!(read.as_ref(), b"now");
        assert_eq!(frames.read_buffer().as_ref(), [0, 0]);
    }

    #[test]
    fn a_new_stream_has_no_room() {
        let frames = Framed::new(AllowStdIo::new(Cursor::new(Vec::new())), LengthCodec);
        let parts = trimmed(frames).into_parts();
        assert_eq!((parts.read_buffer.capacity(), parts.write_buffer.capacity()), (0, 0));
    }
}
