//! One stream as the exchange uses it: [`Line`] reads and writes length-prefixed frames in pieces of 16 KiB, each of
//! which must get through within the patience given. Memory is taken for what has arrived, never for what was announced.

use std::{io, pin::pin, sync::Arc};

use futures::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt,
    future::{Either, select},
};
use serde::Serialize;
use starfish_protocol::{codec, engine::port::AskError, intake::Fault, record::groups::GROUP_BYTES, time::Millis};
use unsigned_varint::io::ReadError;

use crate::mesh::environment::Env;

/// What must get through in one go: a group of a body.
const PIECE: usize = GROUP_BYTES;

/// Why a stream is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It ended too early, or its connection did.
    Lost,
    /// Nothing, or too little, within the patience.
    Late,
    /// A frame longer than allowed, or with a length that is no number.
    Malformed,
}

impl From<Broken> for AskError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Lost => Self::Lost,
            Broken::Late => Self::Timeout,
            Broken::Malformed => Self::Fault(Fault::Malformed),
        }
    }
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Lost
    }
}

impl From<ReadError> for Broken {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(_) => Self::Lost,
            _ => Self::Malformed,
        }
    }
}

/// A stream with a clock.
pub(crate) struct Line<S> {
    stream: S,
    env: Arc<dyn Env>,
    patience: Millis,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Line<S> {
    pub(crate) fn new(stream: S, env: Arc<dyn Env>, patience: Millis) -> Self {
        Self { stream, env, patience }
    }

    /// Reads how long the next frame is; more than `most` is malformed.
    pub(crate) async fn length(&mut self, most: usize) -> Result<usize, Broken> {
        let alarm = self.env.sleep(self.patience);
        let length = within(alarm, unsigned_varint::aio::read_u32(&mut self.stream)).await?;
        usize::try_from(length)
            .ok()
            .filter(|length| *length <= most)
            .ok_or(Broken::Malformed)
    }

    /// Reads exactly so many bytes.
    pub(crate) async fn bytes(&mut self, length: usize) -> Result<Vec<u8>, Broken> {
        let mut bytes = Vec::new();
        while self.piece(&mut bytes, length).await? {}
        Ok(bytes)
    }

    /// Reads the next piece of `length` bytes, behind those that are here; false when that was the last one.
    pub(crate) async fn piece(&mut self, bytes: &mut Vec<u8>, length: usize) -> Result<bool, Broken> {
        let start = bytes.len();
        bytes.resize(start + PIECE.min(length - start), 0);
        let alarm = self.env.sleep(self.patience);
        within(alarm, self.stream.read_exact(&mut bytes[start..])).await?;
        Ok(bytes.len() < length)
    }

    /// Reads one frame.
    pub(crate) async fn frame(&mut self, most: usize) -> Result<Vec<u8>, Broken> {
        let length = self.length(most).await?;
        self.bytes(length).await
    }

    /// Writes bytes, piece by piece, and flushes them.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        for piece in bytes.chunks(PIECE) {
            let alarm = self.env.sleep(self.patience);
            let stream = &mut self.stream;
            within(alarm, async {
                stream.write_all(piece).await?;
                stream.flush().await
            })
            .await?;
        }
        Ok(())
    }

    /// Says that nothing more will be written.
    pub(crate) async fn close(&mut self) -> Result<(), Broken> {
        let alarm = self.env.sleep(self.patience);
        within(alarm, self.stream.close()).await
    }

    /// Waits for the other side's end: true when it is orderly, false when the stream was broken off. More bytes are no end,
    /// and behind more than a few it is not looked for.
    pub(crate) async fn ended(&mut self) -> bool {
        let mut rest = [0; 64];
        match self.stream.read_exact(&mut rest).await {
            Ok(()) => futures::future::pending().await,
            Err(error) => error.kind() == io::ErrorKind::UnexpectedEof,
        }
    }
}

/// The work's result, unless the alarm comes first.
async fn within<T, E: Into<Broken>>(
    alarm: impl Future<Output = ()> + Unpin,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Broken> {
    match select(pin!(work), alarm).await {
        Either::Left((result, _)) => result.map_err(Into::into),
        Either::Right(_) => Err(Broken::Late),
    }
}

/// A document as a frame: its length, then its bytes.
pub(crate) fn framed<T: Serialize>(document: &T) -> Vec<u8> {
    let document = codec::encode(document);
    let mut length = unsigned_varint::encode::usize_buffer();
    let mut frame = unsigned_varint::encode::usize(document.len(), &mut length).to_vec();
    frame.extend_from_slice(&document);
    frame
}

#[cfg(test)]
mod tests {
    use futures::{executor::block_on, io::Cursor};

    use super::*;
    use crate::mesh::environment::alarms::Alarms;

    /// A stream on which nothing happens.
    struct Still;

    impl AsyncRead for Still {
        fn poll_read(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            _: &mut [u8],
        ) -> std::task::Poll<io::Result<usize>> {
            std::task::Poll::Pending
        }
    }

    impl AsyncWrite for Still {
        fn poll_write(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            _: &[u8],
        ) -> std::task::Poll<io::Result<usize>> {
            std::task::Poll::Pending
        }

        fn poll_flush(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            std::task::Poll::Pending
        }

        fn poll_close(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            std::task::Poll::Pending
        }
    }

    fn line<S: AsyncRead + AsyncWrite + Unpin + Send>(stream: S, ring: bool) -> Line<S> {
        Line::new(stream, Arc::new(Alarms { ring }), Millis(10))
    }

    #[test]
    fn frames_are_read_whole_or_not_at_all() {
        let check = |bytes: Vec<u8>, most: usize, expected: Result<Vec<u8>, Broken>| {
            assert_eq!(block_on(line(Cursor::new(bytes), false).frame(most)), expected);
        };
        let frame = framed(&vec![7_u8; 40_000]);
        let document = codec::encode(&vec![7_u8; 40_000]);
        check(frame.clone(), 50_000, Ok(document.clone()));
        check(frame.clone(), document.len(), Ok(document.clone()));
        check(frame.clone(), document.len() - 1, Err(Broken::Malformed));
        check(frame[..frame.len() - 1].to_vec(), 50_000, Err(Broken::Lost));
        check(vec![0], 10, Ok(Vec::new()));
        check(Vec::new(), 10, Err(Broken::Lost));
        check(vec![0x80], 10, Err(Broken::Lost));
        check(vec![0xff; 5], usize::MAX, Err(Broken::Malformed));
        check(
            vec![0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
            usize::MAX,
            Err(Broken::Malformed),
        );
    }

    #[test]
    fn patience_ends() {
        assert_eq!(block_on(line(Still, true).frame(10)), Err(Broken::Late));
        assert_eq!(block_on(line(Still, true).bytes(10)), Err(Broken::Late));
        assert_eq!(block_on(line(Still, true).write(b"x")), Err(Broken::Late));
        assert_eq!(block_on(line(Still, true).close()), Err(Broken::Late));
        assert_eq!(block_on(line(Cursor::new(vec![1, 2]), true).frame(10)), Ok(vec![2]));
    }
}
