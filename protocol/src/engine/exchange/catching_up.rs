//! How two nodes catch up: a digest first, then what changed since the last time, then only what is missing.
//!
//! With each peer there is a short queue: statements when they differ, because they say whose the headers are, then the
//! ranges in which the peer is ahead, a few at a time. What could not be had from one peer is remembered and asked of the
//! next ones (`lagging`). Bodies come last: what a peer withdrew must be known before what it withdrew is pulled.

use rand::Rng as _;

use crate::{
    intake::OpenResponse,
    limits,
    peer::Peer,
    record::{Audience, LogId},
    statement::Extent,
    time::Millis,
    wire::{Channel, Cursor, Head, Request, Response, SYNC_EVERY},
};

use super::{
    super::{Engine, frontier::Gap, port::AskError},
    Ask,
};

impl Engine {
    pub(in crate::engine) fn sync_time(&mut self) -> Millis {
        self.now.mono + Millis(SYNC_EVERY.0 + self.rng.next_u64() % SYNC_EVERY.0)
    }

    /// Every 30 to 60 s: two peers at random, another look for bodies that nobody had, and whom to be connected to.
    pub(in crate::engine) fn sync_when_due(&mut self) {
        if self.now.mono < self.next_sync {
            return;
        }
        self.next_sync = self.sync_time();
        if self.lagging.has_overflowed() {
            self.frontier.forget_cursors();
        }
        self.refresh_peers();
        self.limit_guests();
        let chosen: Vec<Peer> = (0..2).filter_map(|_| self.random_peer()).collect();
        for peer in &chosen {
            self.start_sync(peer);
        }
        self.missing.look_again(chosen);
        self.dial_soon = true;
    }

    /// A second exchange with each new peer. What a node learns between the first one and its place in the other's gossip
    /// mesh is forwarded to nobody.
    pub(in crate::engine) fn sync_when_settled(&mut self) {
        let now = self.now.mono;
        let settled = self
            .peers
            .iter_mut()
            .filter(|(_, state)| state.settles.is_some_and(|at| at <= now));
        let settled: Vec<Peer> = settled
            .map(|(peer, state)| {
                state.settles = None;
                peer.clone()
            })
            .collect();
        for peer in &settled {
            self.start_sync(peer);
        }
    }

    fn random_peer(&mut self) -> Option<Peer> {
        let count = self.peers.len() as u64;
        let nth = self.rng.next_u64().checked_rem(count)?;
        self.peers.keys().nth(nth as usize).cloned()
    }

    /// Asks every peer, because what was of no use before is wanted now.
    pub(in crate::engine) fn sync_with_all(&mut self) {
        self.frontier.forget_cursors();
        for peer in self.peers.keys().cloned().collect::<Vec<_>>() {
            self.start_sync(&peer);
        }
    }

    /// Asks a peer what it has that we have not, unless that is going on already.
    pub(in crate::engine) fn start_sync(&mut self, peer: &Peer) {
        let (statements, green) = (self.roster.digest(), self.confides_in(peer));
        let Some(state) = self.peers.get_mut(peer) else { return };
        if state.syncing {
            return;
        }
        state.syncing = true;
        let request = self.frontier.query(peer, green, statements);
        self.ask(peer.clone(), request, Ask::Frontier);
    }

    /// Remembers that a header further on exists. Only of those who are handed on here, and of ourselves: anybody can make
    /// up an author and write its headers.
    pub(in crate::engine) fn lag(&mut self, log: LogId, to: u64) {
        if log.author == self.key.public() || Self::relays(&self.roster, &self.trust, &log, self.now.wall) {
            self.lagging.insert(log, to);
        }
    }

    /// Remembers that a peer has shown more than it gave. What a guest shows is asked of nobody else: it may be made up.
    pub(in crate::engine) fn lag_behind(&mut self, gap: Gap, by_right: bool) {
        if by_right || self.logs.last_early(gap.log).is_some() {
            self.lag(gap.log, gap.to);
        }
    }

    /// The last record of a log that a revocation leaves.
    fn last_wanted(&self, log: &LogId) -> Option<u64> {
        match Self::extent(&self.roster, log, self.now.wall) {
            Some((_, Extent::Until(last, _))) => Some(last),
            _ => None,
        }
    }

    /// What a peer's head says that is missing here.
    fn gap(&self, head: &Head) -> Option<Gap> {
        Channel::of(head.log.audience)?;
        // Who has not heard of a revocation shows what is void.
        let to = self.last_wanted(&head.log).map_or(head.seq, |last| last.min(head.seq));
        let gap = Gap {
            log: head.log,
            from: 0,
            to,
            disputed: false,
            tries: 0,
        };
        let gap = match self.logs.head(&head.log) {
            _ if self.logs.disputes(head) => Gap {
                from: head.seq,
                disputed: true,
                ..gap
            },
            None => gap,
            Some((seq, _)) => Gap { from: seq + 1, ..gap },
        };
        (gap.from <= gap.to && !self.is_shut(&gap.log, gap.from)).then_some(gap)
    }

    pub(super) fn compared(&mut self, peer: &Peer, response: Result<OpenResponse, AskError>) {
        let mine = self.roster.digest();
        let Some(state) = self.peers.get_mut(peer) else { return };
        state.syncing = false;
        let Ok(OpenResponse::Plain(response)) = response else {
            return self.continue_sync(peer);
        };
        match &response {
            Response::Same { .. } => state.shown = true,
            Response::Heads {
                heads,
                statements,
                more,
                ..
            } => {
                // Only a full page is followed by the next one at once; otherwise that comes with the next sync.
                let full = heads.len() >= limits::FRONTIER_HEADS - limits::OWN_HEADS;
                (state.more_heads, state.shown) = (*more && full, state.shown || !*more);
                state.statements_differ = *statements != mine;
                let reread = state.statements_reread.map(|at| at + limits::STATEMENTS_REREAD);
                if state.statements_differ && reread.is_none_or(|at| at <= self.now.mono) {
                    (state.statements_since, state.statements_reread) = (None, Some(self.now.mono));
                }
            }
            _ => return self.continue_sync(peer),
        }
        let heads = self.frontier.learn(peer, &response);
        let gaps: Vec<Gap> = heads.iter().filter_map(|head| self.gap(head)).collect();
        let author = self.key.public();
        if self.own.is_comparing() && self.is_trusted(peer) {
            let ahead = gaps.iter().filter(|gap| gap.log.author == author);
            ahead.for_each(|gap| self.own.behind(gap.log.audience));
        }
        self.queue_gaps(peer, gaps);
        self.queue_lagging(peer);
        self.continue_sync(peer);
    }

    fn queue_gaps(&mut self, peer: &Peer, gaps: Vec<Gap>) {
        let Some(state) = self.peers.get_mut(peer) else { return };
        let room = limits::FRONTIER_HEADS.saturating_sub(state.gaps.len());
        let mut gaps = gaps.into_iter();
        state.gaps.extend(gaps.by_ref().take(room));
        if gaps.next().is_some() {
            self.frontier.forget_cursor(peer);
        }
    }

    /// Tries this peer for what others could not give. To ask for something is to tell of it.
    fn queue_lagging(&mut self, peer: &Peer) {
        let (roster, trust, wall, own) = (&self.roster, &self.trust, self.now.wall, self.key.public());
        let logs = &self.logs;
        // Behind the last good record of a revoked node there is nothing to be had.
        let is_left = |log: &LogId, extent| match extent {
            Extent::Until(last, _) => logs.head(log).is_none_or(|(seq, _)| seq < last),
            Extent::Whole => true,
        };
        let extent = |log: &LogId| Self::extent(roster, log, wall);
        let counts =
            |log: &LogId| extent(log).is_some_and(|(org, extent)| trust.judge(Some(org)).relay && is_left(log, extent));
        let matters = |log: &LogId| log.author == own || counts(log);
        let green = self.confides_in(peer);
        let may_ask = |log: &LogId| green || log.audience != Audience::Green;
        let due = self.lagging.due(&self.logs, wall, matters, may_ask);
        let Some(state) = self.peers.get_mut(peer) else { return };
        for gap in due {
            if state.gaps.iter().all(|queued| queued.log != gap.log) {
                state.gaps.push_back(gap);
            }
        }
    }

    /// The next requests of a peer's queue. At its end this node knows what the peer holds of its own log.
    pub(in crate::engine) fn continue_sync(&mut self, peer: &Peer) {
        let Some(state) = self.peers.get_mut(peer) else { return };
        if state.syncing {
            return;
        }
        let (differ, since) = (state.statements_differ, state.statements_since);
        let source = self.source(peer);
        if differ && self.charges.statement_answer(source, self.now.mono) {
            return self.ask_statements(peer, since);
        }
        while let Some(state) = self
            .peers
            .get_mut(peer)
            .filter(|state| state.ranging < limits::RANGES_PER_PEER)
        {
            let Some(mut gap) = state.gaps.pop_front() else { break };
            if let Some((seq, _)) = self.logs.head(&gap.log).filter(|_| !gap.disputed) {
                gap.from = gap.from.max(seq.saturating_add(1));
            }
            if gap.from <= gap.to && !self.is_shut(&gap.log, gap.from) {
                if let Some(state) = self.peers.get_mut(peer) {
                    state.ranging += 1;
                }
                let limit = limits::RANGE_HEADERS as u16;
                self.ask(
                    peer.clone(),
                    Request::Range {
                        log: gap.log,
                        from: gap.from,
                        limit,
                    },
                    Ask::Range(gap),
                );
            }
        }
        self.end_sync(peer);
    }

    fn end_sync(&mut self, peer: &Peer) {
        let Some(state) = self.peers.get_mut(peer) else { return };
        if state.is_catching_up() {
            return;
        }
        if std::mem::take(&mut state.more_heads) {
            return self.start_sync(peer);
        }
        let first = state.shown && !std::mem::replace(&mut state.caught_up, true);
        if first {
            self.bodies.caught_up(peer);
        }
        self.want_deferred(peer);
        self.tell_again(peer);
        if first && self.is_trusted(peer) {
            self.missing.look_at_new_peer(self.now.mono);
        }
    }

    fn ask_statements(&mut self, peer: &Peer, since: Option<Cursor>) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.syncing = true;
        }
        let about = Vec::new();
        self.ask(peer.clone(), Request::Statements { about, since }, Ask::Statements);
    }

    pub(super) fn told(&mut self, peer: &Peer, response: Result<OpenResponse, AskError>) {
        if let Some(state) = self.peers.get_mut(peer) {
            (state.syncing, state.statements_differ) = (false, false);
        }
        if let Ok(OpenResponse::Statements(statements, cursor, more)) = response {
            self.learn_statements(peer, &statements.checked);
            if let Some(state) = self.peers.get_mut(peer) {
                state.statements_since = Some(cursor);
                state.statements_differ = more;
            }
        }
        self.continue_sync(peer);
    }

    pub(super) fn ranged(&mut self, peer: &Peer, gap: Gap, response: Result<OpenResponse, AskError>) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.ranging = state.ranging.saturating_sub(1);
        }
        let (mut newest, mut last, mut early) = (None, None, None);
        if let Ok(OpenResponse::Headers(headers)) = response {
            newest = headers.last().cloned();
            last = newest.as_ref().map(|header| header.seq);
            for header in headers.into_iter().take(limits::RANGE_HEADERS) {
                if header.log() == gap.log && (gap.from..=gap.to).contains(&header.seq) {
                    early = early.or(self.early_until(&header));
                    self.arrive(header, None, peer, false);
                }
            }
        }
        let head = self.logs.head(&gap.log).map(|(seq, _)| seq);
        let advanced = head.is_some_and(|seq| seq >= gap.from) && last.is_some_and(|last| last < gap.to);
        let next = head.map_or(0, |seq| seq.saturating_add(1));
        if next <= gap.to && !self.is_shut(&gap.log, next) {
            match self.peers.get_mut(peer).filter(|_| advanced) {
                Some(state) => state.gaps.push_front(gap),
                None => self.remains(peer, gap),
            }
        } else if let Some(header) = newest {
            self.retell(peer, header);
        }
        if let Some(wall) = early {
            self.lagging.wait_until(&gap.log, wall);
        }
        self.continue_sync(peer);
    }
}
