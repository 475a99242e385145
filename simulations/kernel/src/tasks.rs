//! What runs, and for whom: a task belongs to an owner and ends with it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

use crate::clock::{self, Owner};

thread_local! {
    static TASKS: RefCell<Tasks> = RefCell::new(Tasks::default());
    static READY: RefCell<VecDeque<usize>> = const { RefCell::new(VecDeque::new()) };
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
struct Tasks {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

#[derive(Default)]
enum Slot {
    #[default]
    Free,
    /// It is being polled, and lies on the stack.
    Running,
    Waiting(Task),
}

struct Task {
    work: Work,
    owner: Owner,
    alarm: Arc<Alarm>,
}

/// Puts its task into the queue, once.
struct Alarm {
    place: usize,
    is_queued: AtomicBool,
    has_ended: AtomicBool,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.has_ended.load(Ordering::Relaxed) && !self.is_queued.swap(true, Ordering::Relaxed) {
            // Wakers are also called while the thread ends, when there is no queue any more.
            let _ = READY.try_with(|ready| ready.borrow_mut().push_back(self.place));
        }
    }
}

/// Runs this task for an owner, from the current moment on.
pub fn spawn(owner: Owner, work: impl Future<Output = ()> + Send + 'static) {
    let place = TASKS.with_borrow_mut(|tasks| {
        let place = tasks.free.pop().unwrap_or_else(|| {
            tasks.slots.push(Slot::Free);
            tasks.slots.len() - 1
        });
        let alarm = Arc::new(Alarm {
            place,
            is_queued: AtomicBool::new(true),
            has_ended: AtomicBool::new(false),
        });
        tasks.slots[place] = Slot::Waiting(Task {
            work: Box::pin(work),
            owner,
            alarm,
        });
        place
    });
    READY.with_borrow_mut(|ready| ready.push_back(place));
}

/// Drops every task of an owner, wherever each of them waits: a power cut.
///
/// # Panics
/// When the owner calls it itself.
pub fn kill(owner: Owner) {
    assert_ne!(owner, clock::current(), "nobody can drop the task that is running");
    let is_owners = |slot: &Slot| matches!(slot, Slot::Waiting(task) if task.owner == owner);
    let ended = take(is_owners);
    // As the owner, so that what a destructor draws or asks is charged to nobody else.
    clock::inside(owner, || drop(ended));
}

/// Who has the most tasks, and how many.
pub fn most_tasks() -> (Owner, usize) {
    TASKS.with_borrow(|tasks| {
        let mut counts: BTreeMap<Owner, usize> = BTreeMap::new();
        for slot in &tasks.slots {
            if let Slot::Waiting(task) = slot {
                *counts.entry(task.owner).or_default() += 1;
            }
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.unwrap_or((Owner::WORLD, 0))
    })
}

/// Takes tasks out. They are to be dropped outside the borrow, because their destructors spawn and wake.
fn take(wanted: impl Fn(&Slot) -> bool) -> Vec<Task> {
    TASKS.with_borrow_mut(|tasks| {
        let mut taken = Vec::new();
        for place in 0..tasks.slots.len() {
            if !wanted(&tasks.slots[place]) {
                continue;
            }
            if let Slot::Waiting(task) = std::mem::take(&mut tasks.slots[place]) {
                task.alarm.has_ended.store(true, Ordering::Relaxed);
                tasks.free.push(place);
                taken.push(task);
            }
        }
        taken
    })
}

/// Polls what is ready, and what becomes ready by that, until everything waits.
pub(crate) fn run_ready() {
    while let Some(place) = READY.with_borrow_mut(VecDeque::pop_front) {
        let slot = TASKS.with_borrow_mut(|tasks| {
            let slot = tasks.slots.get_mut(place)?;
            match std::mem::replace(slot, Slot::Running) {
                Slot::Waiting(task) => Some(task),
                other => {
                    *slot = other;
                    None
                }
            }
        });
        if let Some(task) = slot {
            poll(place, task);
        }
    }
}

fn poll(place: usize, mut task: Task) {
    task.alarm.is_queued.store(false, Ordering::Relaxed);
    let waker = Waker::from(Arc::clone(&task.alarm));
    let owner = task.owner;
    clock::inside(owner, || {
        let polled = task.work.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_pending() {
            TASKS.with_borrow_mut(|tasks| tasks.slots[place] = Slot::Waiting(task));
            return;
        }
        task.alarm.has_ended.store(true, Ordering::Relaxed);
        drop(task);
        TASKS.with_borrow_mut(|tasks| {
            tasks.slots[place] = Slot::Free;
            tasks.free.push(place);
        });
    });
}

/// Drops all tasks, and those that their destructors spawn.
pub(crate) fn clear() {
    loop {
        let ended = take(|slot| matches!(slot, Slot::Waiting(_)));
        if ended.is_empty() {
            break;
        }
        drop(ended);
    }
    READY.take();
    TASKS.take();
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, time::Duration};

    use super::*;
    use crate::{now, sleep, turn};

    thread_local! {
        static SEEN: RefCell<Vec<(u64, &'static str)>> = const { RefCell::new(Vec::new()) };
    }

    fn see(what: &'static str) {
        SEEN.with_borrow_mut(|seen| seen.push((now().expect("inside"), what)));
    }

    /// Says when it is dropped, and by whom.
    struct Last(Owner);

    impl Drop for Last {
        fn drop(&mut self) {
            assert_eq!(clock::current(), self.0);
            see("dropped");
        }
    }

    #[test]
    fn tasks_run_in_order_and_end_with_their_owner() {
        clock::start(1);
        let (one, two) = (Owner::node(0), Owner::node(1));
        let wait = |owner, ns, what| {
            spawn(owner, async move {
                let _last = Last(owner);
                sleep(Duration::from_nanos(ns)).await;
                see(what);
            });
        };
        wait(one, 20, "second");
        wait(two, 10, "first");
        wait(one, 20, "third");
        wait(two, 30, "never");
        while turn(20) {}
        assert_eq!(most_tasks(), (two, 1));
        kill(two);
        while turn(100) {}
        let expected = [
            (10, "first"),
            (10, "dropped"),
            (20, "second"),
            (20, "dropped"),
            (20, "third"),
            (20, "dropped"),
            (20, "dropped"),
        ];
        assert_eq!(SEEN.take(), expected);
        assert_eq!(now(), Some(100), "the clock shows the end");
        clear();
        clock::stop();
    }
}
