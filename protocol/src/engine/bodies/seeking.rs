//! How one body is looked for: whom to ask next, when to ask another besides, and when to give up.

use starfish_crypto::Digest;

use crate::{limits, peer::Peer, time::Millis};

use super::{Asking, Bodies, BodyStep, Stage, Wanted};

/// How long a body stays in the queue of a busy peer before a free one is tried.
const QUEUE_PATIENCE: Millis = Millis(1_000);

impl Bodies {
    /// Moves a body on by whatever is due, and sets its next timer.
    pub(super) fn advance(&mut self, digest: Digest, now: Millis) -> Vec<BodyStep> {
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        let idle = wanted.asking.is_empty() && wanted.queued.is_none();
        let due = wanted.another.map_or(idle, |at| at <= now);
        let steps = match wanted.stage {
            Stage::Missing(since) if now >= since + limits::MISSING_COUNTS => {
                return self.remove(digest, now);
            }
            Stage::Missing(_) if wanted.again.is_some_and(|at| at <= now) && !self.held_up => {
                self.begin_again(digest, now)
            }
            Stage::Seeking if due && !self.held_up => {
                wanted.another = None;
                // What was pushed has stopped, if nobody is asked.
                if wanted.asking.is_empty() {
                    self.under_way.remove(&digest);
                }
                self.ask_next(digest, idle, now)
            }
            _ => Vec::new(),
        };
        self.reschedule(digest, now);
        steps
    }

    fn ask_next(&mut self, digest: Digest, idle: bool, now: Millis) -> Vec<BodyStep> {
        let Some(wanted) = self.wanted.get(&digest) else {
            return Vec::new();
        };
        if wanted.asking.len() >= limits::ASKS_PER_BODY {
            return Vec::new();
        }
        let Some(peer) = self.choose(digest, wanted).cloned() else {
            return if idle { self.give_up(digest, now) } else { Vec::new() };
        };
        // A second peer is asked besides one that may be stuck, however full the line is.
        let room = if wanted.asking.is_empty() {
            self.neighbours.has_room(&peer)
        } else {
            self.neighbours.has_place(&peer)
        };
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        if room {
            if let Some(busy) = wanted.queued.take() {
                self.neighbours.leave_queue(&busy, &digest);
            }
            wanted.asking.insert(
                peer.clone(),
                Asking {
                    ticket: None,
                    progress: now,
                    started: false,
                },
            );
            self.neighbours.begin(&peer);
            return vec![BodyStep::Ask { peer, digest }];
        }
        if idle {
            self.neighbours.queue(&peer, digest);
            wanted.queued = Some(peer);
        }
        Vec::new()
    }

    /// Those who told of it first, one with room before a busy one; then anyone; the author last.
    fn choose<'a>(&'a self, digest: Digest, wanted: &'a Wanted) -> Option<&'a Peer> {
        let told = || {
            wanted
                .providers
                .iter()
                .filter(|peer| self.neighbours.may_ask(peer, wanted.live) && wanted.may_ask(peer))
        };
        if let Some(peer) = told()
            .find(|peer| self.neighbours.has_room(peer))
            .or_else(|| told().next())
        {
            return Some(peer);
        }
        let spent = wanted.refused.len() >= limits::PROVIDERS_PER_BODY;
        let may_ask = |peer: &Peer| self.neighbours.may_ask(peer, wanted.live) && wanted.may_ask(peer);
        let green = wanted.is_green();
        let may_hear = |peer: &Peer| !green || self.neighbours.is_confided_in(peer);
        let passes = |peer: &Peer, author: bool| may_ask(peer) && (author || (!spent && may_hear(peer)));
        if wanted.anyone {
            self.neighbours.least_busy(&digest, &wanted.author, passes)
        } else {
            None
        }
    }

    /// Another round, in which everyone may be asked, when there is room for it.
    fn begin_again(&mut self, digest: Digest, now: Millis) -> Vec<BodyStep> {
        let author = self.wanted.get(&digest).map(|wanted| wanted.author);
        let room = author.is_some_and(|author| self.may_want(&author));
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        if !room {
            wanted.again = Some(now + limits::BODY_AGAIN);
            return Vec::new();
        }
        (wanted.again, wanted.another) = (None, None);
        wanted.refused.clear();
        self.stage(digest, Stage::Seeking);
        self.ask_next(digest, true, now)
    }

    /// Nobody has it. What was only looked for again is forgotten; the store knows what is missing.
    fn give_up(&mut self, digest: Digest, now: Millis) -> Vec<BodyStep> {
        let room = self.wanted.len() < limits::UNRESOLVED_BODIES;
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        let since = *wanted.missed.get_or_insert(now);
        let goes_on = wanted.recent && room && wanted.rounds < limits::BODY_ROUNDS;
        if !(wanted.live || goes_on) || now >= since + limits::MISSING_COUNTS {
            return self.remove(digest, now);
        }
        // Whoever told of it will have it: it may have been busy, or lost its own source for a moment.
        let wait = Millis(limits::BODY_AGAIN.0 << wanted.rounds.min(limits::BODY_ROUNDS));
        wanted.again = (wanted.rounds < limits::BODY_ROUNDS).then(|| now + wait);
        wanted.rounds = wanted.rounds.saturating_add(1);
        self.unserved.insert(wanted.author);
        let waiters = std::mem::take(&mut wanted.waiters);
        self.stage(digest, Stage::Missing(since));
        let not_held = |waiter: super::Waiter| {
            self.neighbours.waits(&waiter.peer, false);
            BodyStep::NotHeld { ticket: waiter.ticket }
        };
        waiters.into_iter().map(not_held).collect()
    }

    /// Ends our requests for this body to these peers, and lets what waits for a place there go on.
    pub(super) fn stop(&mut self, digest: Digest, peers: &[Peer], now: Millis) -> Vec<BodyStep> {
        let mut steps = Vec::new();
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return steps;
        };
        for peer in peers {
            let Some(asking) = wanted.asking.remove(peer) else {
                continue;
            };
            self.neighbours.end(peer);
            if let Some(ticket) = asking.ticket {
                self.tickets.remove(&ticket);
                steps.push(BodyStep::Cancel { ticket });
            }
        }
        if wanted.asking.is_empty() {
            wanted.another = None;
        }
        if !wanted.asking.values().any(|asking| asking.started) {
            self.under_way.remove(&digest);
        }
        while let Some(next) = self.neighbours.next_queued() {
            if let Some(wanted) = self.wanted.get_mut(&next) {
                wanted.queued = None;
                wanted.another = None;
            }
            steps.extend(self.advance(next, now));
        }
        steps
    }

    /// Forgets a body altogether.
    pub(super) fn remove(&mut self, digest: Digest, now: Millis) -> Vec<BodyStep> {
        let asked: Vec<Peer> = self
            .wanted
            .get(&digest)
            .map(|wanted| wanted.asking.keys().cloned().collect())
            .unwrap_or_default();
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        // Nothing of it may go on while its requests are ended.
        let waiters = std::mem::take(&mut wanted.waiters);
        let queued = wanted.queued.take();
        self.stage(digest, Stage::Missing(now));
        let mut steps = self.stop(digest, &asked, now);
        if let Some(busy) = queued {
            self.neighbours.leave_queue(&busy, &digest);
        }
        for waiter in waiters {
            self.neighbours.waits(&waiter.peer, false);
            steps.push(BodyStep::NotHeld { ticket: waiter.ticket });
        }
        if let Some(wanted) = self.wanted.remove(&digest) {
            wanted.due.map(|at| self.due.remove(&(at, digest)));
            let count = self.authors.entry(wanted.author).or_default();
            count.missing = count.missing.saturating_sub(usize::from(wanted.live));
            if count.missing + count.active == 0 {
                self.authors.remove(&wanted.author);
            }
        }
        steps
    }

    /// Moves a body to another stage, and its author's count with it.
    pub(super) fn stage(&mut self, digest: Digest, stage: Stage) {
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return;
        };
        let was = std::mem::replace(&mut wanted.stage, stage);
        if stage != Stage::Seeking {
            self.under_way.remove(&digest);
        }
        // What was not told of by gossip is nobody's debt.
        let owed = usize::from(wanted.live);
        let count = self.authors.entry(wanted.author).or_default();
        match (matches!(was, Stage::Missing(_)), matches!(stage, Stage::Missing(_))) {
            (true, false) => {
                count.missing = count.missing.saturating_sub(owed);
                count.active += 1;
                self.active += 1;
            }
            (false, true) => {
                count.active = count.active.saturating_sub(1);
                count.missing += owed;
                self.active = self.active.saturating_sub(1);
                self.ended += 1;
            }
            _ => {}
        }
    }

    /// Sets the one timer of a body to the first thing that may happen to it.
    pub(super) fn reschedule(&mut self, digest: Digest, now: Millis) {
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return;
        };
        if self.held_up {
            wanted.another = None;
        } else if wanted.stage == Stage::Seeking && wanted.another.is_none() {
            let under_way = self.under_way.len();
            let asked = wanted
                .asking
                .iter()
                .map(|(peer, asking)| asking.progress + self.neighbours.patience(peer, under_way));
            wanted.another = match asked.max() {
                // Nobody else was there to be asked: that may change, but not in every millisecond.
                Some(at) => Some(if at > now { at } else { now + limits::BODY_PATIENCE })
                    .filter(|_| wanted.asking.len() < limits::ASKS_PER_BODY),
                None => wanted.queued.as_ref().map(|_| now + QUEUE_PATIENCE),
            };
        }
        let forgotten = match wanted.stage {
            Stage::Missing(since) => Some(since + limits::MISSING_COUNTS),
            _ => None,
        };
        let again = wanted.again.filter(|_| forgotten.is_some() && !self.held_up);
        let waiters = wanted.waiters.iter().map(|waiter| waiter.until).min();
        let another = wanted.another.filter(|_| wanted.stage == Stage::Seeking);
        let next = [forgotten, again, waiters, another].into_iter().flatten().min();
        let next = next.map(|at| at.max(now + Millis(1)));
        if wanted.due != next {
            wanted.due.map(|at| self.due.remove(&(at, digest)));
            next.map(|at| self.due.insert((at, digest)));
            wanted.due = next;
        }
    }
}
