//! Bodies that are coming in, group by group: asked for, or pushed by their author.
//!
//! A line of 256 kbit/s needs half a second for a group of 16 KiB. Whoever takes that for a peer that is stuck asks a second
//! one and a third, and gets every body three times over the line that can bear it least.

use starfish_crypto::Digest;

use super::{
    super::port::Ticket,
    Bodies, BodyStep,
    wanted::{Asking, Pushed, Stage, Wanted},
};
use crate::{peer::Peer, record::groups::GROUP_BYTES, time::Millis};

impl Bodies {
    /// Part of the body came: peers that were asked besides and have sent nothing are left alone.
    pub(in crate::engine) fn progress(&mut self, ticket: Ticket, now: Millis) -> Vec<BodyStep> {
        let Some((digest, peer)) = self.tickets.get(&ticket).cloned() else {
            return Vec::new();
        };
        let asking = self.wanted.get_mut(&digest).map(|wanted| &mut wanted.asking);
        let Some(asking) = asking.and_then(|asking| asking.get_mut(&peer)) else {
            return Vec::new();
        };
        let last = std::mem::replace(&mut asking.progress, now);
        let first = !std::mem::replace(&mut asking.started, true);
        if !std::mem::replace(&mut asking.comes, true) {
            self.neighbours.comes(&peer, true);
        }
        self.came(&peer, digest, (!first).then_some(last), now);
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        wanted.another = None;
        let idle = |(other, asking): (&Peer, &Asking)| (!asking.started && *other != peer).then(|| other.clone());
        let idle: Vec<Peer> = if first {
            wanted.asking.iter().filter_map(idle).collect()
        } else {
            Vec::new()
        };
        let mut steps = self.stop(digest, &idle);
        steps.extend(self.advance(digest, now));
        steps
    }

    /// Part of the author's own push came: it is as good as an answer of his, and nobody else is asked while it goes on.
    ///
    /// Whoever is asked and sends nothing yet is left alone; the author is not asked in this round, or the body would come
    /// twice over his line. Nothing of a push is verified before its end, so that it counts for as many pieces as the body
    /// has, and for nothing where somebody else's record has the same body.
    pub(in crate::engine) fn pushing(&mut self, peer: &Peer, digest: Digest, now: Millis) -> Vec<BodyStep> {
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        let mut authors = wanted.headers.iter().map(|header| &header.author);
        if wanted.stage != Stage::Seeking || !authors.all(|author| self.neighbours.is(peer, author)) {
            return Vec::new();
        }
        let Pushed { pieces, last } = wanted.pushed;
        if pieces > pieces_of(wanted) {
            return Vec::new();
        }
        wanted.pushed = Pushed {
            pieces: pieces + 1,
            last: now,
        };
        wanted.refused.insert(peer.clone());
        let idle = wanted.asking.iter().filter(|(_, asking)| !asking.started);
        let idle: Vec<Peer> = idle.map(|(other, _)| other.clone()).collect();
        self.leave_line(digest);
        let steps = self.stop(digest, &idle);
        self.came(peer, digest, (pieces > 0).then_some(last), now);
        let patience = self.neighbours.patience(peer, true, self.under_way.len());
        if let Some(wanted) = self.wanted.get_mut(&digest) {
            wanted.another = Some(now + patience);
        }
        self.reschedule(digest, now);
        steps
    }

    /// Takes note of how long a group took of its share of the line.
    fn came(&mut self, from: &Peer, digest: Digest, last: Option<Millis>, now: Millis) {
        self.under_way.insert(digest);
        if let Some(last) = last {
            let share = now.0.saturating_sub(last.0) / self.under_way.len() as u64;
            self.neighbours.group_took(from, Millis(share));
        }
    }
}

/// In how many pieces the body comes, with its header before it.
fn pieces_of(wanted: &Wanted) -> usize {
    let lengths = wanted.headers.iter().map(|header| header.compressed_len as usize);
    lengths.max().unwrap_or_default().div_ceil(GROUP_BYTES) + 1
}
