//! Two histories of one author: found by comparing with the store, or proved by somebody else's statement.

use starfish_crypto::{Strict, Verified};

use crate::{
    limits,
    record::Header,
    statement::{Admitted, CheckedStatement},
};

use super::super::{
    Engine, Reading,
    port::{Change, Event, Found, Output, Query},
};

impl Engine {
    /// Looks up what the store holds at the number that this header disputes.
    pub(super) fn dispute(&mut self, header: Verified<Header>, seq: u64) {
        if self.contradictions >= limits::CONTRADICTIONS {
            return self.bounded("disputed numbers; the next copy is compared");
        }
        self.contradictions += 1;
        let query = Query::Headers {
            log: header.log(),
            from: seq,
            limit: 1,
        };
        self.read(query, Reading::Contradiction(Box::new(header)));
    }

    /// Holds a header against the store's copy. What they prove is a statement from then on: it reaches whoever is not
    /// connected now with the next sync.
    pub(super) fn compare(&mut self, header: Verified<Header>, found: Found) {
        let Found::Headers(headers) = found else { return };
        let Some(held) = headers.into_iter().next() else { return };
        let Ok(held) = held.verify::<Header>(&Strict) else {
            return;
        };
        let Ok(proof) = CheckedStatement::of_fork(&held, &header) else {
            return;
        };
        if self.admit_statement(&proof) == Ok(Admitted::New) {
            self.tell_statements(vec![proof.statement().clone()]);
        }
        // Whether or not there is room for the proof, what it says is so.
        self.freeze((held, header));
    }

    /// Takes nothing more from an author that wrote two histories.
    pub(super) fn freeze(&mut self, pair: (Verified<Header>, Verified<Header>)) {
        let author = pair.0.author;
        let relayed = Self::relays(&self.roster, &self.trust, &pair.0.log(), self.now.wall);
        if !self.logs.freeze(author, relayed) {
            return;
        }
        self.early.retain(|log, _| log.author != author);
        self.lagging.forget(&author);
        self.out.push(Output::Event(Event::ForkProven(author)));
        self.step.changes.push(Change::Fork(Box::new(pair)));
    }
}
