//! Frames of the request protocol by hand: a length, then a document. An answer begins with one byte: 0 for a whole answer,
//! 1 for a body, whose groups follow the frame as they are.

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use starfish_protocol::{
    codec, limits,
    record::groups::group_values,
    wire::{BodyHead, FRAME_BYTES, Response},
};

use super::gossip_frames::prefixed;

const WHOLE: u8 = 0;
const BODY: u8 = 1;

/// Reads one frame. None at the end of the stream, or for a frame that no honest peer sends.
pub(super) async fn read_frame<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Vec<u8>> {
    let mut length = 0usize;
    for place in 0..4 {
        let mut byte = [0];
        stream.read_exact(&mut byte).await.ok()?;
        length |= usize::from(byte[0] & 0x7f) << (7 * place);
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut frame = vec![0; Some(length).filter(|length| *length <= FRAME_BYTES)?];
    stream.read_exact(&mut frame).await.ok()?;
    Some(frame)
}

/// Reads an answer, with its body when it is one.
pub(super) async fn read_response<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Response> {
    let frame = read_frame(stream).await?;
    let (kind, document) = frame.split_first()?;
    if *kind == WHOLE {
        return codec::decode(document, FRAME_BYTES).ok();
    }
    let head: BodyHead = codec::decode(document, FRAME_BYTES).ok()?;
    let length = usize::try_from(head.len)
        .ok()
        .filter(|length| *length <= limits::BODY_BYTES)?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Response::Body(body))
}

/// The bytes of an answer as a good node sends them.
pub(super) fn answer_bytes(response: &Response) -> Vec<u8> {
    match response {
        Response::Body(body) => [body_head(body.len() as u64, group_values(body)), body.clone()].concat(),
        response => prefixed(&[vec![WHOLE], codec::encode(response)].concat()),
    }
}

/// The frame that announces a body, true or not.
pub(super) fn body_head(len: u64, groups: Vec<[u8; 32]>) -> Vec<u8> {
    prefixed(&[vec![BODY], codec::encode(&BodyHead { len, groups })].concat())
}

/// Sends an answer. None when the other side has gone.
pub(super) async fn write_response<S: AsyncWrite + Unpin>(stream: &mut S, response: &Response) -> Option<()> {
    stream.write_all(&answer_bytes(response)).await.ok()?;
    stream.flush().await.ok()
}
