//! Requests on streams, both ways. Each runs as a task of its own beside the event loop and tells it what happened with
//! a [`Report`]. The channel of reports is bounded: when the loop is busy, the tasks, and with them their streams, wait.

pub(crate) mod answering;
pub(crate) mod asking;
pub(crate) mod line;
pub(crate) mod pushing;
mod room;
mod uploads;

use std::sync::Arc;

use futures::{
    channel::mpsc,
    future::{AbortHandle, BoxFuture, abortable},
};
use libp2p::PeerId;
use serde::{Deserialize, Serialize};
use starfish_crypto::Digest;
use starfish_protocol::{
    engine::port::{AskError, Ticket},
    intake::{Fault, OpenRequest, OpenResponse},
    statement::Checker,
    time::Millis,
    wire::{BodyHead, Response},
};

use super::{environment::Env, figures::Figures};

/// Which part of what all peers share one of them may take: an eighth, so that seven others have room.
const SHARE: usize = 8;

/// Reports that may wait for the event loop, beside one of each task.
pub(crate) const REPORTS: usize = 64;

/// What a task tells the event loop.
#[derive(Debug)]
pub(crate) enum Report {
    /// Another group of a body is here.
    Progress(Ticket),
    /// Another piece of a push of this body is here.
    Pushing { ticket: Ticket, digest: Digest },
    /// A request of ours ended.
    Answered {
        ticket: Ticket,
        response: Result<OpenResponse, AskError>,
    },
    /// A peer asked something.
    Asked {
        ticket: Ticket,
        request: Box<Result<OpenRequest, Fault>>,
    },
    /// A peer will say nothing more on this stream, and may have broken it off.
    SaidAll(Ticket),
    /// A peer's stream is done with.
    Served(Ticket),
    /// A push goes on for long, or has waited so long for its stream.
    PushIsSlow { peer: PeerId, push: u64, is_open: bool },
    /// A push ended; after how long it was taken, if it was.
    Pushed {
        peer: PeerId,
        push: u64,
        took: Option<Millis>,
    },
}

/// The only frame of an answer. After `Body`, the groups follow as they are, `len` bytes in all.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// All of it, except a body.
    Whole(Response),
    /// What is needed to check each group of a body when it arrives.
    Body(BodyHead),
}

/// What every task has at hand.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) env: Arc<dyn Env>,
    pub(crate) checker: Arc<dyn Checker>,
    pub(crate) figures: Figures,
    pub(crate) reports: mpsc::Sender<Report>,
    pub(crate) patience: Millis,
}

impl Desk {
    /// Runs a task that ends when the returned value is dropped.
    pub(crate) fn spawn(&self, task: BoxFuture<'static, ()>) -> Running {
        let (task, handle) = abortable(task);
        // Ended or aborted, nobody waits for it.
        self.env.spawn(Box::pin(async move {
            let _ = task.await;
        }));
        Running(handle)
    }
}

#[cfg(test)]
impl Desk {
    /// One for which no time passes and nothing runs.
    pub(crate) fn still(reports: mpsc::Sender<Report>) -> Self {
        Self {
            env: Arc::new(super::environment::alarms::Alarms { ring: false }),
            checker: Arc::new(starfish_crypto::Strict),
            figures: Figures::default(),
            reports,
            patience: Millis(1),
        }
    }
}

/// A task that ends with its owner.
#[derive(Debug)]
pub(crate) struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}
