//! Bodies that are here already, behind a record of somebody else.
//!
//! Several organisations publish the same list, and each of them signs a record of its own over one body. Whoever holds it
//! needs not be sent it again: before any peer is asked for a body, or waits for a peer's room, this node's own store is asked.

use starfish_crypto::Digest;

use crate::limits;

use super::super::{
    Engine, Reading,
    port::{Found, Query},
};

impl Engine {
    /// Looks for a body in the own store, unless that has enough to read.
    pub(super) fn look_for_held(&mut self, digest: Digest) {
        if self.reads.len() >= limits::OWN_READS {
            return self.held(digest, Found::Failed);
        }
        // Whatever it is believed for: nobody else is told.
        self.read(Query::Body { digest, green: true }, Reading::Held(digest));
    }

    /// What the store has of a body that is wanted. It may have come from somebody else meanwhile.
    pub(in crate::engine) fn held(&mut self, digest: Digest, found: Found) {
        let now = self.now.mono;
        let steps = match found {
            Found::Body(Some(body)) if self.bodies.seeks(&digest) => {
                self.open(None, digest, &body, None);
                self.bodies.arrived(digest, now)
            }
            _ => self.bodies.not_stored(digest, now),
        };
        self.carry_out(steps);
    }
}
