//! The store as the mesh sees it, and the one writer to it.
//!
//! Steps are written in the order in which the rules asked for them, but for bodies: those are most of the work, and nothing
//! that comes after one rests on it, so that what an operator decides does not wait until a day of somebody's names is
//! indexed. What waits while something is being written goes together into the next write, because one flush costs the
//! same for all.

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
/// After so many values no further body goes into the same write: some fifty milliseconds of work.
const VALUES: usize = 4_096;

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

/// What is to become durable together.
#[derive(Debug)]
struct Step {
    /// Its place among all that ever were.
    number: u64,
    ticket: Ticket,
    changes: Vec<Change>,
}

/// The steps that wait.
#[derive(Debug, Default)]
struct Queue {
    steps: VecDeque<Step>,
    /// Those of nothing but bodies.
    bodies: VecDeque<Step>,
    appended: u64,
}

impl Queue {
    fn append(&mut self, ticket: Ticket, changes: Vec<Change>) {
        self.appended += 1;
        let bodies = changes.iter().filter_map(values).count();
        let queue = if bodies > 0 && bodies == changes.len() {
            &mut self.bodies
        } else {
            &mut self.steps
        };
        queue.push_back(Step {
            number: self.appended,
            ticket,
            changes,
        });
    }

    fn len(&self) -> usize {
        self.steps.len() + self.bodies.len()
    }

    /// What goes into one write.
    fn take(&mut self) -> (Vec<Ticket>, Vec<Change>) {
        let (mut tickets, mut changes) = (Vec::new(), Vec::new());
        while tickets.len() < STEPS && (tickets.is_empty() || changes.len() < CHANGES) {
            let Some(step) = self.steps.pop_front() else { break };
            tickets.push(step.ticket);
            changes.extend(step.changes);
        }
        // A body rests on its header, which came before it and may be in a step that is left.
        let left = self.steps.front().map_or(u64::MAX, |step| step.number);
        let (most, mut taken) = (tickets.len() + STEPS, 0);
        while tickets.len() < most && taken < VALUES && self.bodies.front().is_some_and(|step| step.number < left) {
            let Some(step) = self.bodies.pop_front() else { break };
            taken += step.changes.iter().filter_map(values).sum::<usize>();
            tickets.push(step.ticket);
            changes.extend(step.changes);
        }
        (tickets, changes)
    }
}

/// How many values a body has; none for any other change.
fn values(change: &Change) -> Option<usize> {
    match change {
        Change::Body { body, .. } => Some(body.observables().len()),
        _ => None,
    }
}

/// The queue in front of `apply`.
pub(crate) struct Writer {
    env: Arc<dyn Env>,
    keeper: Arc<dyn Keeper>,
    waiting: Queue,
    writing: Option<BoxFuture<'static, Result<Vec<Ticket>, KeepError>>>,
    most: usize,
}

impl Writer {
    pub(crate) fn new(env: Arc<dyn Env>, keeper: Arc<dyn Keeper>, most: usize) -> Self {
        Self {
            env,
            keeper,
            waiting: Queue::default(),
            writing: None,
            most,
        }
    }

    pub(crate) fn append(&mut self, ticket: Ticket, changes: Vec<Change>) {
        self.waiting.append(ticket, changes);
    }

    /// True when nothing more should be taken from the network until some of it is written.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= self.most
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.len() == 0 && self.writing.is_none()
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
        let (tickets, changes) = self.waiting.take();
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
    use starfish_crypto::{Digest, domain};
    use starfish_protocol::{
        observable::Observable,
        record::{Body, Bundle, RecordId},
        time::Millis,
    };

    use super::*;

    fn body(values: usize) -> Vec<Change> {
        let observables = (0..values).map(|value| {
            let name = format!("name-{value}.example");
            Observable::parse(&name).expect("the test is written so")
        });
        vec![Change::Body {
            record: RecordId::from_digest(Digest::of(domain::BODY, b"record")),
            compressed: Vec::new(),
            body: Body::Indicators(Bundle::new(80, String::new(), observables.collect()).expect("it is in order")),
            received_at: Millis(0),
        }]
    }

    #[test]
    fn bodies_let_everything_else_pass_and_are_not_forgotten() {
        let mut queue = Queue::default();
        let decision = || vec![Change::Setting("paired", Vec::new())];
        let mut check = |appended: Vec<(Ticket, Vec<Change>)>, expected: &[Ticket], left: usize| {
            appended
                .into_iter()
                .for_each(|(ticket, changes)| queue.append(ticket, changes));
            assert_eq!((queue.take().0.as_slice(), queue.len()), (expected, left));
        };
        // A large body fills a write; what an operator decides does not wait for the second one.
        check(vec![(1, body(5_000)), (2, body(5_000))], &[1], 1);
        check(vec![(3, body(10)), (4, decision())], &[4, 2], 1);
        check(Vec::new(), &[3], 0);
        // A step that has more than bodies is no body.
        let mixed = body(1).into_iter().chain(decision()).collect();
        check(vec![(5, body(1)), (6, mixed), (9, Vec::new())], &[6, 9, 5], 0);
        // However much is decided, bodies come in their turn, and never before what they may rest on.
        let many = (10..10 + 2 * STEPS as u64).map(|ticket| (ticket, decision()));
        let first: Vec<Ticket> = (10..10 + STEPS as u64).chain([7]).collect();
        let appended = [(7, body(1))].into_iter().chain(many).chain([(8, body(1))]);
        check(appended.collect(), &first, STEPS + 1);
        let second: Vec<Ticket> = (10 + STEPS as u64..10 + 2 * STEPS as u64).chain([8]).collect();
        check(Vec::new(), &second, 0);
        check(Vec::new(), &[], 0);
    }

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
