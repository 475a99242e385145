//! Whether the engine keeps its bounds, for tests and fuzzing.

use crate::limits;

use super::Engine;

impl Engine {
    /// Names something that others can fill and that is beyond its bound, if there is any.
    pub fn beyond_bounds(&self) -> Option<&'static str> {
        // What waited for a body is read for at once when that comes; all other reads are counted before.
        let waiting = limits::PEERS * limits::WAITING_BODIES_PER_PEER;
        let strangers = limits::STRANGERS * limits::HEADERS_PER_STRANGER;
        let bodies = 2 * limits::UNRESOLVED_BODIES;
        let bounds = [
            ("strangers", self.strangers.headers(), strangers),
            ("bodies", self.bodies.unresolved(), bodies),
            ("asks", self.asks.len(), self.peers.len() * limits::ASKS_PER_PEER),
            ("reads", self.reads.len(), limits::READS + waiting),
            ("opening", self.opening.len(), bodies * limits::RECORDS_PER_BODY),
            (
                "appending",
                self.appending.0,
                limits::APPENDING + 2 * limits::SET_PARTS as usize,
            ),
            ("lagging", self.lagging.len(), limits::LAGGING),
            ("early", self.early.len(), limits::EARLY_LOGS),
            ("spoiled", self.spoiled.len(), limits::SPOILED),
            ("invitations", self.invitations.len(), limits::INVITATIONS),
        ];
        bounds
            .into_iter()
            .find(|(_, held, most)| held > most)
            .map(|(what, ..)| what)
    }
}
