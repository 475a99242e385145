//! The store as the mesh sees it, and the one writer to it.
//!
//! Steps are written in the order in which the rules asked for them. Those that wait while one is being written go
//! together into the next write, because one flush costs the same for all.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{FutureExt, future::BoxFuture};
use starfish_protocol::engine::port::{Change, Found, Query, Ticket};

use super::environment::{Cost, Env, Work, compute};
use crate::store::StoreError;

/// How many steps, and how many changes, go into one write at most.
const STEPS: usize = 64;
const CHANGES: usize = 1_000;

/// What keeps records. Both methods block and run off the event loop; `apply` is never called twice at a time.
pub trait Keeper: Send + Sync + 'static {
    /// Makes changes durable, in order. On return they survive a power cut.
    ///
    /// # Errors
    /// When the store cannot promise that. The node ends, since it could not keep its word.
    fn apply(&self, changes: &[Change]) -> Result<(), KeepError>;

    /// Looks something up. A store that cannot answers `Found::Failed`.
    fn answer(&self, query: &Query) -> Found;
}

/// Why changes are not durable, in words, and what it takes to go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// What is stored is not what was written: the store has to be rebuilt.
    #[error("{0}")]
    Damaged(String),
    /// The disk is full or does not answer: the store is sound once that is mended.
    #[error("{0}")]
    Failed(String),
}

impl From<StoreError> for KeepError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt(_) => Self::Damaged(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// The queue in front of `apply`.
pub(crate) struct Writer {
    env: Arc<dyn Env>,
    keeper: Arc<dyn Keeper>,
    waiting: VecDeque<(Ticket, Vec<Change>)>,
    writing: Option<BoxFuture<'static, Result<Vec<Ticket>, KeepError>>>,
    most: usize,
}

impl Writer {
    pub(crate) fn new(env: Arc<dyn Env>, keeper: Arc<dyn Keeper>, most: usize) -> Self {
        Self {
            env,
            keeper,
            waiting: VecDeque::new(),
            writing: None,
            most,
        }
    }

    pub(crate) fn append(&mut self, ticket: Ticket, changes: Vec<Change>) {
        self.waiting.push_back((ticket, changes));
    }

    /// True when nothing more should be taken from the network until some of it is written.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= self.most
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.writing.is_none()
    }

    /// Steps that became durable.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<Ticket>, KeepError>> {
        if self.writing.is_none() {
            self.writing = self.write();
        }
        let Some(writing) = &mut self.writing else {
            return Poll::Pending;
        };
        let written = futures::ready!(writing.poll_unpin(cx));
        self.writing = None;
        Poll::Ready(written)
    }

    fn write(&mut self) -> Option<BoxFuture<'static, Result<Vec<Ticket>, KeepError>>> {
        let (mut tickets, mut changes) = (Vec::new(), Vec::new());
        while tickets.len() < STEPS && (tickets.is_empty() || changes.len() < CHANGES) {
            let Some((ticket, step)) = self.waiting.pop_front() else {
                break;
            };
            tickets.push(ticket);
            changes.extend(step);
        }
        if tickets.is_empty() {
            return None;
        }
        let cost = Cost {
            work: Work::Store,
            bytes: changes.iter().map(size).sum(),
        };
        let keeper = Arc::clone(&self.keeper);
        let applied = compute(&self.env, cost, move || keeper.apply(&changes));
        let lost = || KeepError::Failed("the writer ended in the middle of a write".to_owned());
        Some(async move { applied.await.unwrap_or_else(|| Err(lost())).map(|()| tickets) }.boxed())
    }
}

/// About how many bytes a change writes.
fn size(change: &Change) -> usize {
    match change {
        Change::Record {
            body: Some((compressed, _)),
            ..
        }
        | Change::Body { compressed, .. } => 1_024 + compressed.len(),
        _ => 1_024,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_no_damage() {
        let check = |error: StoreError, is_damage: bool| {
            assert_eq!(
                matches!(KeepError::from(error.clone()), KeepError::Damaged(_)),
                is_damage,
                "{error}"
            );
        };
        check(StoreError::Full, false);
        check(StoreError::Io("no answer".to_owned()), false);
        check(StoreError::Corrupt("a page".to_owned()), true);
    }
}
