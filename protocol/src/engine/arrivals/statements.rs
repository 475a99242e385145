//! Statements that come in, and what changes when one of them holds.

use crate::{
    codec,
    intake::{Fault, OpenStatements},
    limits,
    organisation::OrgId,
    peer::Peer,
    statement::{Admitted, CheckedStatement, NodeCertificate, RosterRefusal, Statement},
    wire::{Channel, GOSSIP_BYTES, Gossip},
};

use super::super::{
    Engine,
    port::{Acceptance, Change, Output},
};

/// What the statements of one message have room for: the rest is what kind of message it is, and how many they are.
const STATEMENTS_BYTES: usize = GOSSIP_BYTES - 16;

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
            return self.told_urgently(peer, &statements.checked);
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

    /// What takes rights away from an organisation that is known here is not held up by whoever else used up a peer's quota:
    /// each organisation has one of its own for it. Only news are charged to that, which its own roots have signed.
    fn told_urgently(&mut self, peer: &Peer, statements: &[CheckedStatement]) -> Acceptance {
        let mut urgent = Vec::new();
        for statement in statements {
            let org = self.urgent_of(statement.statement());
            let now = self.now.mono;
            if org.is_some_and(|org| !self.roster.holds(statement) && self.charges.may_be_urgent(org, now)) {
                urgent.push(statement.clone());
            }
        }
        let told = self.admit_statements(peer, &urgent);
        if told.forged {
            return Acceptance::Reject;
        }
        self.tell_urgently(told.news);
        Acceptance::Ignore
    }

    /// The organisation, known here, whom an urgent statement concerns.
    fn urgent_of(&self, statement: &Statement) -> Option<OrgId> {
        let urgent = statement.kind().is_urgent() && statement.founds().is_none();
        let org = match statement.accuses() {
            _ if !urgent => None,
            Some(author) => self.roster.organisations_behind(&author).first().copied(),
            None => statement.issuer(),
        };
        org.filter(|org| self.roster.manifest_of(org).is_some())
    }

    /// Passes on what of this is urgent, as much of it as its organisations have left.
    fn tell_urgently(&mut self, mut news: Vec<Statement>) {
        let now = self.now.mono;
        news.retain(|statement| {
            self.urgent_of(statement)
                .is_some_and(|org| self.charges.urgent(org, now))
        });
        news.truncate(limits::STATEMENTS_RETOLD);
        self.tell_statements(news);
    }

    /// Takes statements that came in answer to a question, or with a greeting, and passes a few of them on: whoever has
    /// just joined is to be known everywhere before its first header, which nobody forwards for an unknown author.
    pub(in crate::engine) fn learn_statements(&mut self, peer: &Peer, statements: &[CheckedStatement]) {
        let news = self.admit_statements(peer, statements).news;
        let few = news.len() <= limits::STATEMENTS_RETOLD;
        let source = self.source(peer);
        if few && self.charges.statements(source, news.len() as u64, self.now.mono) {
            self.tell_statements(news);
        } else {
            self.tell_urgently(news);
        }
    }

    /// Gossips statements that were found to hold, once they are durable here, in as many messages as they need.
    pub(in crate::engine) fn tell_statements(&mut self, statements: Vec<Statement>) {
        let (mut message, mut bytes) = (Vec::new(), 0);
        for statement in statements {
            let length = codec::encode(&statement).len();
            if bytes + length > STATEMENTS_BYTES || message.len() == limits::STATEMENTS_PER_ANSWER {
                self.gossip_statements(std::mem::take(&mut message));
                bytes = 0;
            }
            bytes += length;
            message.push(statement);
        }
        self.gossip_statements(message);
    }

    fn gossip_statements(&mut self, statements: Vec<Statement>) {
        if !statements.is_empty() {
            self.step.told.push(Output::Gossip {
                channel: Channel::Statements,
                payload: codec::encode(&Gossip::Statements(statements)),
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
        }
        self.consequences();
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
        self.confide_soon = true;
        let wall = self.now.wall;
        for state in self.peers.values_mut() {
            state.org = state.key.and_then(|key| self.roster.organisation_of(&key, wall));
        }
    }
}
