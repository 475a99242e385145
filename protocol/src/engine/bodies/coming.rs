//! Bodies that are coming in, group by group: asked for, or pushed by their author.

use starfish_crypto::Digest;

use super::{
    super::port::Ticket,
    Bodies, BodyStep,
    wanted::{Asking, Stage},
};
use crate::{peer::Peer, time::Millis};

impl Bodies {
    /// Part of the body came: peers that were asked besides and have sent nothing are left alone.
    pub(in crate::engine) fn progress(&mut self, ticket: Ticket, now: Millis) -> Vec<BodyStep> {
        let Some((digest, peer)) = self.tickets.get(&ticket).cloned() else {
            return Vec::new();
        };
        self.came(&peer, digest, now);
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        let Some(asking) = wanted.asking.get_mut(&peer) else {
            return Vec::new();
        };
        let first = !std::mem::replace(&mut asking.started, true);
        asking.progress = now;
        wanted.another = None;
        let idle = |(other, asking): (&Peer, &Asking)| (!asking.started && *other != peer).then(|| other.clone());
        let idle: Vec<Peer> = if first {
            wanted.asking.iter().filter_map(idle).collect()
        } else {
            Vec::new()
        };
        let mut steps = self.stop(digest, &idle, now);
        steps.extend(self.advance(digest, now));
        steps
    }

    /// Part of the author's own push came: it is as good as an answer of his, and nobody else is asked while it goes on.
    ///
    /// Whoever is asked and sends nothing yet is left alone; the author is not asked in this round, or the body would come
    /// twice over his line.
    pub(in crate::engine) fn pushing(&mut self, peer: &Peer, digest: Digest, now: Millis) -> Vec<BodyStep> {
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        if wanted.stage != Stage::Seeking || !self.neighbours.is(peer, &wanted.author) {
            return Vec::new();
        }
        wanted.refused.insert(peer.clone());
        let idle = wanted.asking.iter().filter(|(_, asking)| !asking.started);
        let idle: Vec<Peer> = idle.map(|(other, _)| other.clone()).collect();
        self.came(peer, digest, now);
        let steps = self.stop(digest, &idle, now);
        let patience = self.neighbours.patience(peer, self.pace.under_way());
        if let Some(wanted) = self.wanted.get_mut(&digest) {
            wanted.another = Some(now + patience);
        }
        self.reschedule(digest, now);
        steps
    }

    /// Takes note of how long a group took.
    pub(super) fn came(&mut self, from: &Peer, digest: Digest, now: Millis) {
        if let Some(gap) = self.pace.came(digest, now) {
            self.neighbours.gap(from, gap);
        }
    }
}
