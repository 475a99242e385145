//! How one body is looked for: whom to ask next, when to ask another besides, and when to give up.

use starfish_crypto::Digest;

use crate::{limits, peer::Peer, time::Millis};

use super::{Asking, Bodies, BodyStep, OwnStore, Stage, Wanted};

/// Whom to ask for a body.
enum Choice {
    Peer(Peer),
    /// Nobody has room for it now.
    Full,
    /// Nobody is left who may have it.
    Nobody,
}

impl Bodies {
    /// Moves a body on by whatever is due, and sets its next timer.
    pub(super) fn advance(&mut self, digest: Digest, now: Millis) -> Vec<BodyStep> {
        self.note_silence(digest, now);
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        let idle = wanted.asking.is_empty() && wanted.place.is_none();
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
                self.ask_next(digest, now)
            }
            _ => Vec::new(),
        };
        self.reschedule(digest, now);
        steps
    }

    /// Requests of which nothing came for long leave their share of the line to others.
    fn note_silence(&mut self, digest: Digest, now: Millis) {
        let under_way = self.under_way.len();
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return;
        };
        for (peer, asking) in wanted.asking.iter_mut().filter(|(_, asking)| asking.comes) {
            if now >= asking.progress + self.neighbours.share_lasts(peer, under_way) {
                asking.comes = false;
                self.neighbours.comes(peer, false);
            }
        }
    }

    fn ask_next(&mut self, digest: Digest, now: Millis) -> Vec<BodyStep> {
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        match wanted.own_store {
            OwnStore::ToAsk => {
                wanted.own_store = OwnStore::Asked;
                return vec![BodyStep::LookUp { digest }];
            }
            OwnStore::Asked => return Vec::new(),
            OwnStore::Empty => {}
        }
        let Some(wanted) = self.wanted.get(&digest) else {
            return Vec::new();
        };
        let first = wanted.asking.is_empty();
        if wanted.answers_due(now).count() >= limits::ASKS_PER_BODY {
            return Vec::new();
        }
        match self.choose(digest, wanted, first, now) {
            Choice::Peer(peer) => {
                self.leave_line(digest);
                self.neighbours.begin(&peer);
                if let Some(wanted) = self.wanted.get_mut(&digest) {
                    wanted.asking.insert(peer.clone(), Asking::new(now));
                }
                vec![BodyStep::Ask { peer, digest }]
            }
            Choice::Full => {
                if first {
                    self.stand_in_line(digest, now);
                }
                Vec::new()
            }
            Choice::Nobody if first => self.give_up(digest, now),
            Choice::Nobody => Vec::new(),
        }
    }

    /// Those who told of it first; then anyone; the author last. A second peer is asked besides one that may be stuck,
    /// however full the line is.
    fn choose(&self, digest: Digest, wanted: &Wanted, first: bool, now: Millis) -> Choice {
        let overdue = self.is_overdue(digest, now);
        let may_ask = |peer: &Peer| self.neighbours.may_ask(peer, wanted.live) && wanted.may_ask(peer);
        let has_room = |peer: &Peer| {
            if first {
                self.neighbours.has_room(peer) || (overdue && self.neighbours.is_idle(peer))
            } else {
                self.neighbours.has_place(peer)
            }
        };
        let mut told = wanted.providers.iter().filter(|peer| may_ask(peer)).peekable();
        let is_told = told.peek().is_some();
        if let Some(peer) = told.find(|peer| has_room(peer)) {
            return Choice::Peer(peer.clone());
        }
        let refused_by_right = wanted.refused.iter().filter(|peer| self.neighbours.is_by_right(peer));
        let spent = refused_by_right.count() >= limits::PROVIDERS_PER_BODY
            || wanted.refused.len() >= 2 * limits::PROVIDERS_PER_BODY;
        let green = wanted.is_green();
        let may_hear = |peer: &Peer| !green || self.neighbours.is_confided_in(peer);
        let passes = |peer: &Peer, author: bool| may_ask(peer) && (author || (!spent && may_hear(peer)));
        let anyone = |passes: &dyn Fn(&Peer, bool) -> bool| {
            let found = self.neighbours.least_busy(&digest, &wanted.author, passes, now);
            found.filter(|_| wanted.anyone)
        };
        match anyone(&|peer, author| passes(peer, author) && has_room(peer)) {
            Some(peer) => Choice::Peer(peer.clone()),
            None if is_told || anyone(&passes).is_some() => Choice::Full,
            None => Choice::Nobody,
        }
    }

    /// Has a body wait until somebody has room: first come, first served, whoever it is that has it.
    fn stand_in_line(&mut self, digest: Digest, now: Millis) {
        if let Some(wanted) = self.wanted.get_mut(&digest).filter(|wanted| wanted.place.is_none()) {
            self.places += 1;
            wanted.place = Some(self.places);
            self.in_line.insert(self.places, (digest, now));
        }
    }

    pub(super) fn leave_line(&mut self, digest: Digest) {
        let place = self.wanted.get_mut(&digest).and_then(|wanted| wanted.place.take());
        place.map(|place| self.in_line.remove(&place));
    }

    /// Asks for what waited for room, where there is room now. Those further back may wait for a peer that has room while those
    /// before them do not, so a look goes through the whole line, some at a step; and once more if something changed meanwhile.
    pub(super) fn serve_line(&mut self, now: Millis) -> Vec<BodyStep> {
        let mut steps = Vec::new();
        if self.held_up {
            return steps;
        }
        let changed = self.neighbours.take_changed();
        let mut next = match self.look {
            Some(next) => next,
            None if changed => 0,
            None => return steps,
        };
        self.look_again |= changed && self.look.is_some();
        for _ in 0..limits::LINE_LOOKS {
            let waiting = self
                .in_line
                .range(next..)
                .next()
                .map(|(place, (digest, _))| (*place, *digest));
            let Some((place, digest)) =
                waiting.filter(|(_, digest)| !self.neighbours.are_full() || self.is_overdue(*digest, now))
            else {
                self.look = std::mem::take(&mut self.look_again).then_some(0);
                return steps;
            };
            next = place + 1;
            steps.extend(self.ask_next(digest, now));
            self.reschedule(digest, now);
        }
        self.look = Some(next);
        steps
    }

    /// Whether this body is the first in line, and has been for long: the only one who has it may be slower than the others who
    /// send meanwhile, and never have room beside them.
    fn is_overdue(&self, digest: Digest, now: Millis) -> bool {
        let first = self.in_line.first_key_value();
        first.is_some_and(|(_, (first, since))| *first == digest && now >= *since + limits::BODY_WAIT)
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
        wanted.begin_round();
        self.stage(digest, Stage::Seeking);
        self.ask_next(digest, now)
    }

    /// Nobody has it. What was only looked for again is forgotten; the store knows what is missing.
    fn give_up(&mut self, digest: Digest, now: Millis) -> Vec<BodyStep> {
        let all = self.wanted.len();
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        let missing = self.authors.get(&wanted.author).map_or(0, |count| count.missing);
        let room = all < limits::UNRESOLVED_BODIES && missing < limits::UNRESOLVED_BODIES_PER_AUTHOR;
        let since = *wanted.missed.get_or_insert(now);
        let goes_on = (wanted.recent || wanted.was_busy) && wanted.rounds < limits::BODY_ROUNDS;
        if !(wanted.live || goes_on) || !room || now >= since + limits::MISSING_COUNTS {
            return self.remove(digest, now);
        }
        // Whoever told of it will have it: it may have been busy, or lost its own source for a moment.
        let wait = Millis(limits::BODY_AGAIN.0 << wanted.rounds.min(limits::BODY_ROUNDS));
        wanted.again = (wanted.rounds < limits::BODY_ROUNDS).then(|| now + wait);
        wanted.rounds = wanted.rounds.saturating_add(1);
        self.unserved.insert(wanted.author);
        let waiters = std::mem::take(&mut wanted.waiters);
        self.stage(digest, Stage::Missing(since));
        self.turn_away(waiters)
    }

    /// Ends our requests for this body to these peers.
    pub(super) fn stop(&mut self, digest: Digest, peers: &[Peer]) -> Vec<BodyStep> {
        let mut steps = Vec::new();
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return steps;
        };
        for peer in peers {
            let Some(asking) = wanted.asking.remove(peer) else {
                continue;
            };
            self.neighbours.end(peer, asking.comes);
            if let Some(ticket) = asking.ticket {
                self.tickets.remove(&ticket);
                steps.push(BodyStep::Cancel { ticket });
            }
        }
        if wanted.asking.is_empty() {
            wanted.another = None;
        }
        self.note_under_way(&digest);
        steps
    }

    /// A body of which nobody who is asked has sent anything does not come.
    pub(super) fn note_under_way(&mut self, digest: &Digest) {
        let wanted = self.wanted.get(digest);
        if !wanted.is_some_and(|wanted| wanted.asking.values().any(|asking| asking.started)) {
            self.under_way.remove(digest);
        }
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
        let waiters = std::mem::take(&mut wanted.waiters);
        self.stage(digest, Stage::Missing(now));
        let mut steps = self.stop(digest, &asked);
        steps.extend(self.turn_away(waiters));
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
        if stage != Stage::Seeking {
            self.leave_line(digest);
            self.under_way.remove(&digest);
        }
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return;
        };
        let was = std::mem::replace(&mut wanted.stage, stage);
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
        let under_way = self.under_way.len();
        let silent = |(peer, asking): (&Peer, &Asking)| {
            asking.progress + self.neighbours.patience(peer, asking.started, under_way)
        };
        if !self.held_up && wanted.stage == Stage::Seeking && wanted.another.is_none() {
            // Nobody else was there to be asked: that may change, but not in every millisecond.
            let soon = |at: Millis| if at > now { at } else { now + limits::BODY_PATIENCE };
            let all = wanted.answers_due(now).count() >= limits::ASKS_PER_BODY;
            let least = wanted.answers_due(now).min().filter(|_| all);
            wanted.another = wanted.asking.iter().map(silent).max().map(soon).max(least);
        }
        let forgotten = match wanted.stage {
            Stage::Missing(since) => Some(since + limits::MISSING_COUNTS),
            _ => None,
        };
        let again = wanted.again.filter(|_| forgotten.is_some() && !self.held_up);
        let waiters = wanted.waiters.iter().map(|waiter| waiter.until).min();
        let another = wanted
            .another
            .filter(|_| wanted.stage == Stage::Seeking && !self.held_up);
        let coming = wanted.asking.iter().filter(|(_, asking)| asking.comes);
        let quiet = coming
            .map(|(peer, asking)| asking.progress + self.neighbours.share_lasts(peer, under_way))
            .min();
        let next = [forgotten, again, waiters, another, quiet].into_iter().flatten().min();
        let next = next.map(|at| at.max(now + Millis(1)));
        if wanted.due != next {
            wanted.due.map(|at| self.due.remove(&(at, digest)));
            next.map(|at| self.due.insert((at, digest)));
            wanted.due = next;
        }
    }
}
