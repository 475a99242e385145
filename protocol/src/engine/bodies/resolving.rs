//! The end of a wanted body: its records have it, or it cannot be opened, or the bytes were not it after all.

use starfish_crypto::Digest;

use crate::{peer::Peer, record::RecordId, time::Millis};

use super::{
    Bodies, BodyStep,
    wanted::{OwnStore, Stage, Waiter},
};

impl Bodies {
    /// The body of this record is durable.
    pub(in crate::engine) fn done(&mut self, digest: Digest, record: RecordId, now: Millis) -> Vec<BodyStep> {
        self.resolve(digest, record, true, now)
    }

    /// The body of this record cannot be opened.
    pub(in crate::engine) fn spoiled(&mut self, digest: Digest, record: RecordId, now: Millis) -> Vec<BodyStep> {
        self.resolve(digest, record, false, now)
    }

    /// The bytes that this peer sent, or none but the own store had, were not the body after all.
    pub(in crate::engine) fn mistaken(&mut self, digest: Digest, peer: Option<Peer>, now: Millis) -> Vec<BodyStep> {
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        wanted.refused.extend(peer);
        self.stage(digest, Stage::Seeking);
        self.advance(digest, now)
    }

    fn resolve(&mut self, digest: Digest, record: RecordId, held: bool, now: Millis) -> Vec<BodyStep> {
        let Some(wanted) = self.wanted.get_mut(&digest) else {
            return Vec::new();
        };
        wanted.headers.retain(|header| RecordId::of(header) != record);
        let empty = wanted.headers.is_empty();
        // Nothing is being opened for those that are left: they came when it had begun.
        let left_out = |header| wanted.late.contains(&RecordId::of(header));
        let is_late = wanted.stage == Stage::Opening && wanted.headers.iter().all(left_out);
        if is_late {
            wanted.own_store = OwnStore::ToAsk;
        }
        let waiters = if held || empty {
            std::mem::take(&mut wanted.waiters)
        } else {
            Vec::new()
        };
        let mut steps: Vec<BodyStep> = waiters
            .into_iter()
            .map(|Waiter { peer, ticket, .. }| {
                self.neighbours.waits_no_more(&peer, ticket);
                if held {
                    BodyStep::Serve { peer, ticket, digest }
                } else {
                    BodyStep::NotHeld { ticket }
                }
            })
            .collect();
        if empty {
            steps.extend(self.remove(digest, now));
        } else if is_late {
            self.stage(digest, Stage::Seeking);
            steps.extend(self.advance(digest, now));
        }
        steps
    }
}
