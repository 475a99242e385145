//! What is known to be missing without a comparison, and what others do not know to be missing.
//!
//! A header that came before its predecessors says that these exist: they are asked of whoever brought it, again after a
//! little while when that peer is itself about to get them. And a node that caught up with one peer tells the others, or
//! they would learn of it only when they compare with this node the next time.

use starfish_crypto::Verified;

use crate::{
    codec, limits,
    peer::Peer,
    record::{Header, LogId, RecordId},
    time::Millis,
    wire::{Channel, Gossip},
};

use super::super::{Engine, frontier::Gap, port::Output};

/// Headers before an early one that are asked for, unless they come by themselves.
#[derive(Debug)]
pub(in crate::engine) struct Filling {
    /// When.
    pub(in crate::engine) at: Millis,
    /// Of whom.
    peer: Peer,
    /// Up to which number.
    pub(in crate::engine) to: u64,
    /// How often that was in vain.
    tries: u32,
}

impl Engine {
    /// Gossip passes itself by: what came too early waits a moment before its predecessors are asked for. False when
    /// `most` logs wait for that already.
    pub(in crate::engine) fn fill_soon(&mut self, log: LogId, seq: u64, peer: &Peer, most: usize) -> bool {
        self.fill_later(log, seq, peer, most, 0)
    }

    fn fill_later(&mut self, log: LogId, seq: u64, peer: &Peer, most: usize, tries: u32) -> bool {
        if self.early.len() >= most && !self.early.contains_key(&log) {
            return false;
        }
        let fresh = Filling {
            at: self.now.mono + Millis(limits::EARLY_WAIT.0 << tries),
            peer: peer.clone(),
            to: seq,
            tries,
        };
        let filling = self.early.entry(log).or_insert(fresh);
        filling.to = filling.to.max(seq);
        true
    }

    /// Early headers whose predecessors have not come by now.
    pub(in crate::engine) fn fill_early_when_due(&mut self) {
        let now = self.now.mono;
        let due = self.early.iter().filter(|(_, filling)| filling.at <= now);
        for log in due.map(|(log, _)| *log).collect::<Vec<_>>() {
            let Some(Filling { peer, to, tries, .. }) = self.early.remove(&log) else {
                continue;
            };
            if self.logs.head(&log).is_some_and(|(seq, _)| seq >= to) {
                continue;
            }
            let Some(state) = self.peers.get_mut(&peer) else {
                self.lag(log, to);
                continue;
            };
            match state.gaps.iter_mut().find(|gap| gap.log == log) {
                Some(queued) => queued.to = queued.to.max(to),
                None => state.gaps.push_back(Gap {
                    log,
                    from: 0,
                    to,
                    disputed: false,
                    tries,
                }),
            }
            self.continue_sync(&peer);
        }
    }

    /// A peer did not give what it has shown, or what comes before a header that it brought. That it may have soon: a gap
    /// is closed hop by hop.
    pub(super) fn remains(&mut self, peer: &Peer, gap: Gap) {
        let waits = self.logs.last_early(gap.log).is_some() && self.peers.contains_key(peer);
        let again = waits && gap.tries < limits::EARLY_TRIES;
        if again && self.fill_later(gap.log, gap.to, peer, limits::EARLY_LOGS, gap.tries + 1) {
            return;
        }
        if !self.may_see(peer, &gap.log) {
            // It confides in us and not the other way: it is asked for no more than what it shows, and shows this again.
            self.frontier.forget_cursor(peer);
        }
        self.lag_behind(gap, self.is_trusted(peer));
        self.logs.stuck(gap.log);
    }

    /// Whether a header that came unasked is so old that somebody told it again. Its body waits until all is known that
    /// this peer knows of it.
    pub(in crate::engine) fn is_told_again(&self, header: &Header) -> bool {
        header.created_at + limits::REPEATS_PASSED_ON < self.now.wall
    }

    /// The head of a log that was fetched from a peer is told to the others when all is fetched, unless it is so new that
    /// gossip is about to bring it to them.
    pub(super) fn retell(&mut self, from: &Peer, header: Verified<Header>) {
        let wall = self.now.wall;
        let is_head = self.logs.head(&header.log()).map(|(_, id)| id) == Some(RecordId::of(&header));
        let org = self.roster.organisation_of(&header.author, wall);
        let stands = self.trust.judge(org).relay && header.created_at + limits::SETTLING <= wall;
        if let Some(state) = self.peers.get_mut(from)
            && is_head
            && stands
            && state.retold.len() < limits::HEADS_RETOLD
        {
            state.retold.push(header);
        }
    }

    /// All of what a peer has shown is here: those who are connected besides hear of it once it is durable.
    pub(super) fn tell_again(&mut self, peer: &Peer) {
        let others = self.peers.len() > 1;
        let Some(state) = self.peers.get_mut(peer) else { return };
        let retold = std::mem::take(&mut state.retold);
        for header in retold.into_iter().filter(|_| others) {
            let Some(channel) = Channel::of(header.audience) else {
                continue;
            };
            let (header, body) = (header.signed().clone(), None);
            self.step.told.push(Output::Gossip {
                channel,
                payload: codec::encode(&Gossip::Header { header, body }),
            });
        }
    }
}
