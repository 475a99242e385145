//! How two nodes catch up: a digest first, then what changed since the last time, then only what is missing.
//!
//! With each peer there is a short queue: statements when they differ, because they say whose the headers are, then the
//! ranges in which the peer is ahead, a few at a time. What could not be had from one peer is remembered as [`Lag`] and
//! asked of the next ones.

use rand::Rng as _;

use crate::{
    intake::OpenResponse,
    limits,
    peer::Peer,
    record::{Audience, LogId},
    time::Millis,
    wire::{Head, Request, Response, SYNC_EVERY},
};

use super::{
    super::{Engine, frontier::Gap, port::AskError},
    Ask,
};

/// A log in which some peer was seen ahead of us, and how often it was asked for since.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Lag {
    to: u64,
    tries: u32,
}

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
        let statements = self.roster.digest();
        let Some(state) = self.peers.get_mut(peer) else { return };
        if state.syncing {
            return;
        }
        state.syncing = true;
        let request = self.frontier.query(peer, statements);
        self.ask(peer.clone(), request, Ask::Frontier);
    }

    /// Remembers that some peer has more of this log.
    pub(in crate::engine) fn lag(&mut self, log: LogId, to: u64) {
        let full = self.lagging.len() >= limits::LAGGING && !self.lagging.contains_key(&log);
        if full {
            // The next exchanges will name it again.
            return self.frontier.forget_cursors();
        }
        let lag = self.lagging.entry(log).or_insert(Lag { to, tries: 0 });
        if to > lag.to {
            *lag = Lag { to, tries: 0 };
        }
    }

    /// What a peer's head says that is missing here.
    fn gap(&self, head: &Head) -> Option<Gap> {
        if self.logs.is_frozen(&head.log.author) || head.log.audience != Audience::Clear {
            return None;
        }
        let gap = Gap {
            log: head.log,
            from: 0,
            to: head.seq,
        };
        match self.logs.head(&head.log) {
            None => Some(gap),
            Some((seq, _)) if seq < head.seq => Some(Gap { from: seq + 1, ..gap }),
            // Another record at the same number: fetching it makes the proof.
            Some((seq, id)) if seq == head.seq && id.digest() != head.id => Some(Gap { from: seq, ..gap }),
            Some(_) => None,
        }
    }

    pub(super) fn compared(&mut self, peer: &Peer, response: Result<OpenResponse, AskError>) {
        let mine = self.roster.digest();
        let Some(state) = self.peers.get_mut(peer) else { return };
        state.syncing = false;
        let Ok(OpenResponse::Plain(response)) = response else {
            return;
        };
        match &response {
            Response::Same { .. } => state.shown = true,
            Response::Heads { statements, more, .. } => {
                (state.more_heads, state.shown) = (*more, state.shown || !*more);
                // Statements that this node refuses would make it read all of them again each time.
                if *statements != mine && state.statements_read != Some(*statements) {
                    state.statements_from = Some(0);
                    state.statements_shown = Some(*statements);
                }
            }
            _ => return,
        }
        let heads = self.frontier.learn(peer, &response);
        let gaps: Vec<Gap> = heads.iter().filter_map(|head| self.gap(head)).collect();
        let author = self.key.public();
        let ahead = gaps.iter().any(|gap| gap.log.author == author);
        if ahead && self.own.is_comparing() && self.is_trusted(peer) {
            self.own.behind();
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

    /// Tries this peer for what others could not give.
    fn queue_lagging(&mut self, peer: &Peer) {
        let logs = &self.logs;
        self.lagging
            .retain(|log, lag| lag.tries < limits::LAGGING_TRIES && logs.head(log).is_none_or(|(seq, _)| seq < lag.to));
        let Some(state) = self.peers.get_mut(peer) else { return };
        for (log, lag) in self.lagging.iter_mut().take(limits::LAGGING_PER_SYNC) {
            if state.gaps.iter().all(|gap| gap.log != *log) {
                lag.tries += 1;
                state.gaps.push_back(Gap {
                    log: *log,
                    from: 0,
                    to: lag.to,
                });
            }
        }
    }

    /// Early headers whose predecessors have not come by now.
    pub(in crate::engine) fn fill_early_when_due(&mut self) {
        let now = self.now.mono;
        let due: Vec<LogId> = self
            .early
            .iter()
            .filter(|(_, (at, _))| *at <= now)
            .map(|(log, _)| *log)
            .collect();
        for log in due {
            let Some((_, peer)) = self.early.remove(&log) else {
                continue;
            };
            let Some(to) = self.logs.last_early(log) else { continue };
            match self.peers.get_mut(&peer) {
                Some(state) if state.gaps.iter().all(|gap| gap.log != log) => {
                    state.gaps.push_back(Gap { log, from: 0, to });
                    self.continue_sync(&peer);
                }
                Some(_) => {}
                None => self.lag(log, to),
            }
        }
    }

    /// The next requests of a peer's queue. At its end this node knows what the peer holds of its own log.
    pub(in crate::engine) fn continue_sync(&mut self, peer: &Peer) {
        let Some(state) = self.peers.get_mut(peer) else { return };
        if state.syncing {
            return;
        }
        if let Some(skip) = state.statements_from.take() {
            state.syncing = true;
            self.ask(
                peer.clone(),
                Request::Statements {
                    about: Vec::new(),
                    skip,
                },
                Ask::Statements { skip },
            );
            return;
        }
        while let Some(state) = self
            .peers
            .get_mut(peer)
            .filter(|state| state.ranging < limits::RANGES_PER_PEER)
        {
            let Some(mut gap) = state.gaps.pop_front() else { break };
            if let Some((seq, _)) = self.logs.head(&gap.log) {
                gap.from = gap.from.max(seq.saturating_add(u64::from(gap.to > seq)));
            }
            if gap.from <= gap.to && !self.logs.is_frozen(&gap.log.author) {
                state.ranging += 1;
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
        if !state.gaps.is_empty() || state.ranging > 0 {
            return;
        }
        if std::mem::take(&mut state.more_heads) {
            return self.start_sync(peer);
        }
        let first = state.shown && !std::mem::replace(&mut state.caught_up, true);
        if state.shown && self.is_trusted(peer) {
            self.own.compared();
            if first {
                self.missing.look_at_new_peer(self.now.mono);
            }
        }
    }

    pub(super) fn told(&mut self, peer: &Peer, skip: u32, response: Result<OpenResponse, AskError>) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.syncing = false;
        }
        if let Ok(OpenResponse::Plain(Response::Statements { statements, more })) = response {
            let read = skip.saturating_add(statements.len() as u32);
            self.learn_statements(peer, &statements);
            if let Some(state) = self.peers.get_mut(peer) {
                if more && read > skip && (read as usize) < limits::STATEMENTS {
                    state.statements_from = Some(read);
                } else {
                    state.statements_read = state.statements_shown;
                }
            }
        }
        self.continue_sync(peer);
    }

    pub(super) fn ranged(&mut self, peer: &Peer, gap: Gap, response: Result<OpenResponse, AskError>) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.ranging = state.ranging.saturating_sub(1);
        }
        let mut last = None;
        if let Ok(OpenResponse::Headers(headers)) = response {
            last = headers.last().map(|header| header.seq);
            for header in headers.into_iter().take(limits::RANGE_HEADERS) {
                if header.log() == gap.log && header.seq <= gap.to {
                    self.arrive(header, None, peer, false);
                }
            }
        }
        let head = self.logs.head(&gap.log).map(|(seq, _)| seq);
        let advanced = head.is_some_and(|seq| seq >= gap.from) && last.is_some_and(|last| last < gap.to);
        if head.is_none_or(|seq| seq < gap.to) && !self.logs.is_frozen(&gap.log.author) {
            match self.peers.get_mut(peer).filter(|_| advanced) {
                Some(state) => state.gaps.push_front(gap),
                None => self.lag(gap.log, gap.to),
            }
        }
        self.continue_sync(peer);
    }
}
