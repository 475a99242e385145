//! Two histories of one author: found by comparing with the store, or proved by somebody else.

use starfish_crypto::{Strict, Verified};

use crate::{
    codec, limits,
    record::{Audience, Header, RecordId},
    wire::{Channel, Gossip},
};

use super::super::{
    Engine, Reading,
    logs::proves_fork,
    port::{Acceptance, Change, Event, Found, Output, Query},
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

    /// Holds a header against the store's copy.
    pub(super) fn compare(&mut self, header: Verified<Header>, found: Found) {
        let Found::Headers(headers) = found else { return };
        let Some(held) = headers.into_iter().next() else { return };
        let Ok(held) = held.verify::<Header>(&Strict) else {
            return;
        };
        if RecordId::of(&held) == RecordId::of(&header) {
            return;
        }
        let proof = Gossip::Fork(Box::new((held.signed().clone(), header.signed().clone())));
        if self.learn_fork((held, header)) == Acceptance::Accept {
            self.out.push(Output::Gossip {
                channel: Channel::Statements,
                payload: codec::encode(&proof),
            });
        }
    }

    /// A proof of two histories, from gossip or from our own comparison. Only of authors that matter here: anybody can
    /// make up a key and prove that it wrote two histories.
    pub(super) fn learn_fork(&mut self, (one, two): (Verified<Header>, Verified<Header>)) -> Acceptance {
        let ours = one.community == self.community && one.audience == Audience::Clear;
        if !ours || !proves_fork(&one, &two) {
            return Acceptance::Ignore;
        }
        let author = one.author;
        let relayed = Self::relays(&self.roster, &self.trust, &one.log(), self.now.wall);
        if !relayed && self.logs.of(author).next().is_none() {
            return Acceptance::Ignore;
        }
        if !self.logs.freeze(author) {
            return Acceptance::Ignore;
        }
        self.early.retain(|log, _| log.author != author);
        self.lagging.retain(|log, _| log.author != author);
        self.out.push(Output::Event(Event::ForkProven(author)));
        self.step.changes.push(Change::Fork(Box::new((one, two))));
        if relayed {
            Acceptance::Accept
        } else {
            Acceptance::Ignore
        }
    }
}
