//! Who was woken: [`Bell`]. A task that waits for several things asks those again that rang, and leaves the others alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};

use futures::task::AtomicWaker;

/// Rings when it is woken, and wakes the task that listens.
#[derive(Debug)]
pub(crate) struct Bell {
    ringing: Arc<Ringing>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Ringing {
    has_rung: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Ringing {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl Default for Bell {
    /// It has rung, so that whatever it stands for can begin.
    fn default() -> Self {
        let ringing = Arc::new(Ringing::default());
        let bell = Self {
            waker: Waker::from(Arc::clone(&ringing)),
            ringing,
        };
        bell.ring();
        bell
    }
}

impl Bell {
    /// Rings without waking: for the task itself, which goes on to ask.
    pub(crate) fn ring(&self) {
        self.ringing.has_rung.store(true, Ordering::Release);
    }

    /// Whether it rang since this was asked last. From now on it wakes this task.
    pub(crate) fn has_rung(&self, task: &Waker) -> bool {
        // First, so that what rings after the look below wakes the task.
        self.ringing.task.register(task);
        self.ringing.has_rung.swap(false, Ordering::AcqRel)
    }

    /// What rings it.
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }
}
