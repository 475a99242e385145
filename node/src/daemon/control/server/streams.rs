//! Streams: `search`, `watch`, `backup`, the quarantine and the audit log. Each reads a page of the ledger at a time, off the event loop, and only when
//! the reader has taken the page before.

mod backup;
mod review;
mod search;
mod watch;

use std::io;

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use futures::Stream;
use serde::Serialize;

pub(super) use self::{
    backup::backup,
    review::{audit, quarantine},
    search::search,
    watch::{holds, watch},
};

/// A document as a line.
pub(super) fn line(document: &impl Serialize) -> String {
    // Documents are made of texts and numbers, which always have a form in JSON.
    serde_json::to_string(document)
        .map(|text| text + "\n")
        .unwrap_or_default()
}

/// An answer that goes on for as long as its reader takes more. An error cuts it short, which the reader notices.
fn flowing(pages: impl Stream<Item = io::Result<String>> + Send + 'static) -> Response {
    let bytes = futures::StreamExt::map(pages, |page| page.map(Bytes::from));
    Response::new(Body::from_stream(bytes))
}

/// Runs what reads the store beside the event loop.
pub(super) async fn beside<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, crate::store::StoreError> + Send + 'static,
) -> io::Result<T> {
    let read = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?;
    read.map_err(|error| {
        tracing::error!(%error, "a stream was cut short");
        io::Error::other(error)
    })
}
