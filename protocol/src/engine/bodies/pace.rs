//! How quickly bodies come in: the time between one group of 16 KiB and the next, whichever bodies they are of.
//!
//! A line of 256 kbit/s needs half a second for a group. Whoever takes that for a peer that is stuck asks a second one and
//! a third, and gets every body three times over the line that can bear it least.

use std::collections::BTreeSet;

use starfish_crypto::Digest;

use crate::time::Millis;

/// The bodies that are coming in.
#[derive(Debug, Default)]
pub(super) struct Pace {
    under_way: BTreeSet<Digest>,
    last: Millis,
}

impl Pace {
    /// A group of this body came; how long after the one before, if anything was under way since then.
    pub(super) fn came(&mut self, body: Digest, now: Millis) -> Option<Millis> {
        let last = std::mem::replace(&mut self.last, now);
        let was_idle = self.under_way.is_empty();
        self.under_way.insert(body);
        (!was_idle).then(|| Millis(now.0.saturating_sub(last.0)))
    }

    /// Nothing more will come of this one.
    pub(super) fn ended(&mut self, body: &Digest) {
        self.under_way.remove(body);
    }

    /// How many are under way: what comes is divided among them.
    pub(super) fn under_way(&self) -> u64 {
        self.under_way.len() as u64
    }
}
