//! Two histories of one author: found by comparing with the store, or proved by somebody else's statement.

use starfish_crypto::{Strict, Verified};

use crate::{
    limits,
    record::Header,
    statement::{Admitted, CheckedStatement},
};

use super::super::{
    Engine, Reading,
    port::{Change, Deed, Event, Found, Output, Query, Who},
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
        let (author, log, seq) = (pair.0.author, pair.0.log(), pair.0.seq.max(pair.1.seq));
        let relayed = Self::relays(&self.roster, &self.trust, &log, self.now.wall);
        // A fork below what roots have confirmed is of no interest any more.
        if self.roster.confirms(&log, seq) || !self.logs.freeze((log, seq), relayed) {
            return;
        }
        if let Some(org) = Self::organisation(&self.roster, &log, self.now.wall).filter(|_| relayed) {
            let why = "it wrote two histories; only its organisation's roots can settle that";
            self.write_down(Who::Organisation(org), Deed::Frozen, author.to_string(), why);
        }
        self.early.retain(|log, _| log.author != author);
        self.lagging.forget(&author);
        self.out.push(Output::Event(Event::ForkProven(author)));
        self.step.changes.push(Change::Fork(Box::new(pair)));
    }
}
