//! Headers whose authors have proved nothing: held for a moment, in case their certificates are on the way.

use std::collections::BTreeMap;

use starfish_crypto::{PublicKey, Verified};

use crate::{limits, peer::Peer, record::Header, wire::Request};

use super::{
    super::{Engine, exchange::Ask},
    Opened,
};

/// A header whose author proved nothing yet.
#[derive(Debug)]
pub(super) struct Stranger {
    pub(super) header: Verified<Header>,
    pub(super) body: Option<Opened>,
    pub(super) peer: Peer,
}

/// Headers that wait for a certificate, by author.
#[derive(Debug, Default)]
pub(in crate::engine) struct Strangers(BTreeMap<PublicKey, Vec<Stranger>>);

impl Strangers {
    /// How many headers wait.
    #[cfg(any(test, feature = "exercise"))]
    pub(in crate::engine) fn headers(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// How many authors this peer has brought: the one whose header came first counts.
    fn brought_by(&self, peer: &Peer) -> usize {
        self.0
            .values()
            .filter(|held| held.first().is_some_and(|first| first.peer == *peer))
            .count()
    }

    /// Makes room for an author that `peer` brings, at the cost of the peer that brought most.
    fn make_room(&mut self, peer: &Peer) -> bool {
        if self.brought_by(peer) >= limits::STRANGERS_PER_PEER {
            return false;
        }
        if self.0.len() < limits::STRANGERS {
            return true;
        }
        let brought = |held: &Vec<Stranger>| held.first().map_or(0, |first| self.brought_by(&first.peer));
        let victim = self
            .0
            .iter()
            .max_by_key(|(_, held)| brought(held))
            .map(|(author, _)| *author);
        victim.is_some_and(|author| self.0.remove(&author).is_some())
    }
}

impl Engine {
    /// Keeps a header of an unknown author, and asks whoever sent it who that is.
    pub(super) fn hold_stranger(&mut self, mut stranger: Stranger) {
        let (author, peer) = (stranger.header.author, stranger.peer.clone());
        let known = self.strangers.0.contains_key(&author);
        let source = self.source(&peer);
        if !self.charges.delivered(source, self.now.mono) || !(known || self.strangers.make_room(&peer)) {
            return self.bounded("headers of unknown authors");
        }
        // A large body is pulled again when its author turns out to be somebody.
        stranger.body = stranger
            .body
            .filter(|(compressed, _)| compressed.len() <= limits::INLINE_BODY_BYTES);
        let held = self.strangers.0.entry(author).or_default();
        if held.len() < limits::HEADERS_PER_STRANGER {
            held.push(stranger);
        }
        let free = self
            .peers
            .get(&peer)
            .is_some_and(|state| state.asks < limits::ASKS_PER_PEER);
        if !known && free {
            self.ask(
                peer,
                Request::Statements {
                    about: vec![author],
                    since: None,
                },
                Ask::About,
            );
        }
    }

    /// Takes the headers of those who are known by now.
    pub(super) fn admit_strangers(&mut self) {
        let is_known = |held: &[Stranger]| {
            held.iter().any(|stranger| {
                let header = &stranger.header;
                self.author_of(header).is_some() || self.roster.revoked(&header.author).is_some()
            })
        };
        let known: Vec<PublicKey> = self
            .strangers
            .0
            .iter()
            .filter(|(_, held)| is_known(held))
            .map(|(author, _)| *author)
            .collect();
        for author in known {
            for stranger in self.strangers.0.remove(&author).unwrap_or_default() {
                self.arrive(stranger.header, stranger.body, &stranger.peer, true);
            }
        }
    }
}
