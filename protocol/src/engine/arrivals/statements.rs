//! Statements that come in, and what changes when one of them holds.

use crate::{
    codec,
    intake::{Fault, OpenStatements},
    limits,
    peer::Peer,
    statement::{Admitted, CheckedStatement, NodeCertificate, RosterRefusal, Statement},
    wire::{Channel, GOSSIP_BYTES, Gossip},
};

use super::super::{
    Engine,
    port::{Acceptance, Change, Output, Who},
};

/// What became of the statements of one message.
#[derive(Default)]
struct Told {
    news: Vec<Statement>,
    /// Every one of them is news, or held here as it is.
    all_hold: bool,
    forged: bool,
}

impl Engine {
    /// Statements that nobody asked for. The message is passed on when all of it was found to hold here: neighbours blame
    /// whoever hands them a forged one. Otherwise what is news goes on by itself.
    pub(super) fn statements_told(&mut self, peer: &Peer, statements: &OpenStatements) -> Acceptance {
        let source = self.source(peer);
        if !self.charges.statements(source, statements.told as u64, self.now.mono) {
            self.bounded("statements of one peer; they come with the next sync");
            return Acceptance::Ignore;
        }
        let told = self.admit_statements(peer, &statements.checked);
        if told.forged {
            return Acceptance::Reject;
        }
        let whole = told.all_hold && statements.checked.len() == statements.told;
        if whole && !told.news.is_empty() {
            return Acceptance::Accept;
        }
        self.tell_statements(told.news);
        Acceptance::Ignore
    }

    /// Takes statements that came in answer to a question, or with a greeting, and passes a few of them on: whoever has
    /// just joined is to be known everywhere before its first header, which nobody forwards for an unknown author.
    pub(in crate::engine) fn learn_statements(&mut self, peer: &Peer, statements: &[CheckedStatement]) {
        let news = self.admit_statements(peer, statements).news;
        let few = news.len() <= limits::STATEMENTS_RETOLD;
        let source = self.source(peer);
        if few && self.charges.statements(source, news.len() as u64, self.now.mono) {
            self.tell_statements(news);
        }
    }

    /// Gossips statements that were found to hold, once they are durable here.
    pub(in crate::engine) fn tell_statements(&mut self, statements: Vec<Statement>) {
        let payload = codec::encode(&Gossip::Statements(statements.clone()));
        if !statements.is_empty() && payload.len() <= GOSSIP_BYTES {
            self.step.told.push(Output::Gossip {
                channel: Channel::Statements,
                payload,
            });
        }
    }

    /// Takes statements that hold, up to the first one that only its makers' roots could have signed and did not.
    fn admit_statements(&mut self, peer: &Peer, statements: &[CheckedStatement]) -> Told {
        let mut told = Told {
            all_hold: true,
            ..Told::default()
        };
        for statement in statements {
            if self.is_congested() {
                self.bounded("the store is behind; statements come with the next sync");
                told.all_hold = false;
                break;
            }
            match self.admit_statement(statement) {
                Ok(Admitted::New | Admitted::Newer) => told.news.push(statement.statement().clone()),
                Err(RosterRefusal::Forged) => {
                    self.strike(peer, Fault::Signature);
                    told.forged = true;
                    break;
                }
                Ok(Admitted::Known) => told.all_hold &= self.roster.holds(statement),
                Err(_) => told.all_hold = false,
            }
        }
        if !told.news.is_empty() {
            self.refresh_peers();
            self.admit_strangers();
            self.dial_soon = true;
        }
        told
    }

    /// Puts a statement into the roster and the store, and acts on a proof. What left for it goes first: a node's newer
    /// endpoint has its older one's place in the store.
    pub(in crate::engine) fn admit_statement(
        &mut self,
        statement: &CheckedStatement,
    ) -> Result<Admitted, RosterRefusal> {
        let admitted = self.roster.admit(statement);
        let displaced = self.roster.take_displaced();
        self.step.changes.extend(displaced.into_iter().map(Change::Displaced));
        if let Ok(Admitted::New | Admitted::Newer) = admitted {
            self.step.changes.push(Change::Statement(statement.statement().clone()));
            self.offer_again(statement.statement());
            if let Some(pair) = statement.fork() {
                self.freeze(pair.clone());
            }
            let who = statement.statement().issuer().map_or(Who::Time, Who::Organisation);
            self.follow_roster(who);
        }
        admitted
    }

    /// What this node has refused of an author that nobody vouched for is of use when somebody does.
    fn offer_again(&mut self, statement: &Statement) {
        let certified = NodeCertificate::read(statement).ok().map(|certificate| certificate.org);
        if certified.is_some_and(|org| self.trust.judge(Some(org)).relay) {
            self.frontier.forget_cursors();
        }
    }

    /// Whose the connected peers are, by what is known now.
    pub(in crate::engine) fn refresh_peers(&mut self) {
        let wall = self.now.wall;
        for state in self.peers.values_mut() {
            state.org = state.key.and_then(|key| self.roster.organisation_of(&key, wall));
        }
    }
}
