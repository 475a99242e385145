//! `store backup`: the whole ledger as of one moment, as bytes for the reader to keep.

use std::{
    io::{self, BufWriter, Write},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::Response,
};
use futures::stream;
use tokio::sync::mpsc;

use super::super::Node;
use crate::daemon::upkeep;

/// Bytes that go into the stream at a time.
const CHUNK: usize = 64 << 10;
/// How many of them wait for the reader. Changes of the ledger wait with them, so a reader that stands still is cut off
/// by closing its connection.
const WAITING: usize = 16;

/// Hands what is written to the stream, and fails when the reader is gone.
struct Pipe(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(in super::super) async fn backup(State(node): State<Arc<Node>>) -> Response {
    let (send, receive) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let failed = send.clone();
        let mut out = BufWriter::with_capacity(CHUNK, Pipe(send));
        let written = upkeep::backup(&node.ledger, &mut out)
            .map_err(io::Error::other)
            .and_then(|()| out.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "a backup was cut short");
            // Ends the stream in a way that the reader cannot take for its end.
            let _ = failed.blocking_send(Err(error));
        }
    });
    let bytes = stream::unfold(receive, |mut receive| async {
        receive.recv().await.map(|bytes| (bytes, receive))
    });
    Response::new(Body::from_stream(bytes))
}
