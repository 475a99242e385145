//! Statements that come in, and what changes when one of them holds.

use starfish_crypto::Strict;

use crate::{
    codec,
    intake::Fault,
    limits,
    peer::Peer,
    statement::{Admitted, RosterRefusal, Statement},
    wire::{Channel, GOSSIP_BYTES, Gossip},
};

use super::super::{
    Engine,
    port::{Acceptance, Change, Output},
};

impl Engine {
    /// Statements that nobody asked for.
    pub(super) fn statements_told(&mut self, peer: &Peer, statements: &[Statement]) -> Acceptance {
        if !self.charges.statements(peer, statements.len() as u64, self.now.mono) {
            self.bounded("statements of one peer; they come with the next sync");
            return Acceptance::Ignore;
        }
        self.admit_statements(peer, statements).0
    }

    /// Takes statements that came in answer to a question, or with a greeting, and passes a few of them on: whoever has
    /// just joined is to be known everywhere before its first header, which nobody forwards for an unknown author.
    pub(in crate::engine) fn learn_statements(&mut self, peer: &Peer, statements: &[Statement]) {
        let (_, news) = self.admit_statements(peer, statements);
        let few = (1..=limits::STATEMENTS_RETOLD).contains(&news.len());
        if !few || !self.charges.statements(peer, news.len() as u64, self.now.mono) {
            return;
        }
        let payload = codec::encode(&Gossip::Statements(news));
        if payload.len() <= GOSSIP_BYTES {
            self.out.push(Output::Gossip {
                channel: Channel::Statements,
                payload,
            });
        }
    }

    /// Takes statements that hold. Forwarded when one of them is news, refused when one is forged.
    fn admit_statements(&mut self, peer: &Peer, statements: &[Statement]) -> (Acceptance, Vec<Statement>) {
        let mut acceptance = Acceptance::Ignore;
        let mut news = Vec::new();
        for statement in statements.iter().take(limits::STATEMENTS_PER_ANSWER) {
            if self.is_congested() {
                self.bounded("the store is behind; statements come with the next sync");
                break;
            }
            match self.roster.admit(statement, &Strict) {
                Ok(Admitted::New | Admitted::Newer) => {
                    self.step.changes.push(Change::Statement(statement.clone()));
                    news.push(statement.clone());
                    acceptance = Acceptance::Accept;
                }
                Err(RosterRefusal::Forged) => {
                    self.strike(peer, Fault::Signature);
                    acceptance = Acceptance::Reject;
                    break;
                }
                Ok(Admitted::Known) | Err(_) => {}
            }
        }
        if acceptance != Acceptance::Ignore {
            self.refresh_peers();
            self.admit_strangers();
            self.dial_soon = true;
        }
        (acceptance, news)
    }

    /// Whose the connected peers are, by what is known now.
    fn refresh_peers(&mut self) {
        let wall = self.now.wall;
        for state in self.peers.values_mut() {
            state.org = state.key.and_then(|key| self.roster.organisation_of(&key, wall));
        }
    }
}
