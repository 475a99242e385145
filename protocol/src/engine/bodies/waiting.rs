//! Requests of others for a body that is not here yet: they wait while it is on its way, and never in a circle of two.

use starfish_crypto::Digest;

use crate::{limits, peer::Peer, time::Millis};

use super::{super::port::Ticket, Bodies, BodyStep, Stage, Waiter};

/// What becomes of a request for a body that is not in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Serving {
    /// It waits.
    Wait,
    /// It is not on its way here, or the asking peer is the one that it would come from.
    NotHeld,
    /// Too many wait already.
    Busy,
}

impl Bodies {
    /// Somebody asks for a body that the store does not hold.
    pub(in crate::engine) fn asked(
        &mut self,
        peer: &Peer,
        ticket: Ticket,
        digest: Digest,
        now: Millis,
    ) -> (Serving, Vec<BodyStep>) {
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return (Serving::NotHeld, Vec::new());
        };
        // A peer that waits for us must not be waited for, or both would wait for nothing.
        if matches!(wanted.stage, Stage::Missing(_)) || wanted.rests_on(peer) {
            return (Serving::NotHeld, Vec::new());
        }
        if !self.neighbours.waits(peer, ticket, digest) {
            return (Serving::Busy, Vec::new());
        }
        wanted.waiters.push(Waiter {
            peer: peer.clone(),
            ticket,
            until: now + limits::BODY_WAIT,
        });
        // It was asked besides another one, and has shown that it has nothing: a second question of ours that crosses the
        // only one of a peer further on must not turn that away.
        let crossed = wanted.asking.contains_key(peer).then(|| peer.clone());
        let steps = crossed.map(|peer| self.stop(digest, &[peer])).unwrap_or_default();
        self.reschedule(digest, now);
        (Serving::Wait, steps)
    }
    /// A request that waits here was given up: whoever made it may have the body by now. It is answered all the same, in case
    /// that it only said that it has no more to say.
    pub(in crate::engine) fn given_up(&mut self, peer: &Peer, ticket: Ticket, now: Millis) -> Vec<BodyStep> {
        let Some(digest) = self.neighbours.waits_no_more(peer, ticket) else {
            return Vec::new();
        };
        if let Some(wanted) = self.wanted.get_mut(&digest) {
            wanted.waiters.retain(|waiter| waiter.ticket != ticket);
        }
        let mut steps = vec![BodyStep::NotHeld { ticket }];
        steps.extend(self.advance(digest, now));
        steps
    }

    /// Ends the wait of these, without the body.
    pub(super) fn turn_away(&mut self, waiters: Vec<Waiter>) -> Vec<BodyStep> {
        let not_held = |Waiter { peer, ticket, .. }| {
            self.neighbours.waits_no_more(&peer, ticket);
            BodyStep::NotHeld { ticket }
        };
        waiters.into_iter().map(not_held).collect()
    }
}
