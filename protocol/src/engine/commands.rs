//! What the operator wants.

mod answers;
mod pairing;
mod trusting;

use crate::{
    codec, limits,
    peer::Peer,
    record::RecordId,
    statement::{Admitted, CheckedStatement, EndpointStatement, NodeCertificate, Statement},
};

pub(super) use self::{
    answers::Answer,
    pairing::{Invitation, Pairing},
};
use super::{
    Engine, Subscription,
    port::{Audit, Change, Command, Deed, DisconnectReason, Outcome, Output, Overview, Refusal, Ticket, Who},
};

/// The setting that holds the organisations that were paired.
pub const PAIRED: &str = "paired";
/// The setting that holds the root entries that the operator wrote.
pub const ROOTS: &str = "roots";
/// The setting that holds the operator's pins.
pub const PINS: &str = "pins";
/// The setting that holds the peers that are refused.
pub const BLOCKED: &str = "blocked";
/// The setting that holds what this node pulls.
pub const SUBSCRIPTION: &str = "subscription";

impl Engine {
    pub(super) fn command(&mut self, ticket: Ticket, command: Command) {
        match command {
            Command::Publish(draft) => self.publish(ticket, draft),
            Command::Withdraw {
                record,
                observables,
                reason,
            } => {
                self.answer_to(
                    ticket,
                    Answer::Withdrawal {
                        record,
                        observables,
                        reason,
                    },
                );
            }
            Command::Opine(opinion) => self.answer_to(ticket, Answer::Opinion(opinion)),
            Command::Release(record) => self.release(ticket, record),
            Command::Drop(record) => {
                self.decide(ticket, Change::Drop(record), Deed::Dropped, record);
            }
            Command::Invite {
                secret,
                until,
                confirmed,
            } => self.invite(ticket, secret, Invitation::new(until, confirmed)),
            Command::Pair { peer, secret } => self.visit(ticket, peer, secret),
            Command::Trust(org) => self.change_trust(ticket, org, true),
            Command::Distrust(org) => self.change_trust(ticket, org, false),
            Command::SetRoot(root) => self.set_root(ticket, root),
            Command::RemoveRoot(org) => self.remove_root(ticket, org),
            Command::Pin { org, pin } => self.pin(ticket, org, pin),
            Command::Trusted => self.show_trusted(ticket),
            Command::Vouching(among) => {
                self.done(ticket, Outcome::Vouching(self.trust.vouching(&among)));
            }
            Command::Standing(statements) => {
                let stands = statements.iter().map(|said| self.roster.stands_by(said)).collect();
                self.done(ticket, Outcome::Standing(stands));
            }
            Command::Explain { org, question } => {
                let explanation = self.trust.explain(&org, &question);
                self.done(ticket, Outcome::Explained(Box::new(explanation)));
            }
            Command::Assess {
                question,
                claims,
                fading,
                weights,
            } => self.weigh(ticket, &question, &claims, fading, &weights),
            Command::Block { peer, blocked } => self.block(ticket, peer, blocked),
            Command::Subscribe { topics, tlds } => {
                let topics = topics.into_iter().collect();
                self.subscribe(
                    ticket,
                    Subscription {
                        topics,
                        tlds: tlds.into_iter().collect(),
                    },
                );
            }
            Command::Tell(statements) => self.tell(ticket, &statements),
            Command::Listening(addresses) => self.listening(ticket, addresses),
            Command::Overview => {
                let overview = self.overview();
                self.done(ticket, Outcome::Overview(overview));
            }
        }
    }

    /// Answers a command that needs nothing to become durable.
    pub(super) fn done(&mut self, ticket: Ticket, outcome: Outcome) {
        self.out.push(Output::Done { ticket, outcome });
    }

    /// Whether a revocation leaves this node without any certificate that counts; one may be of an earlier manifest than its
    /// newest certificate is.
    fn is_revoked(&self) -> bool {
        let own = self.key.public();
        self.roster.revoked(&own).is_some() && self.roster.certificate_of(&own, self.now.wall).is_none()
    }

    fn overview(&self) -> Overview {
        Overview {
            peers: self.peer_views(),
            own_heads: self.own_heads(),
            missing_bodies: self.bodies.unresolved(),
            comparing: self.own.is_comparing(),
            revoked: self.is_revoked(),
            standstill: self.roster.is_frozen(&self.org),
        }
    }

    fn set(&mut self, name: &'static str, value: Vec<u8>) {
        self.step.changes.push(Change::Setting(name, value));
    }

    /// A record that the quarantine had no room for is looked for again.
    fn release(&mut self, ticket: Ticket, record: RecordId) {
        self.decide(ticket, Change::Release(record), Deed::Released, record);
        self.missing.look_through();
    }

    /// A decision on a single record, with its line in the audit log.
    fn decide(&mut self, ticket: Ticket, change: Change, what: Deed, record: RecordId) {
        let why = "the operator looked at it";
        let audit = Audit::new(self.now.wall, Who::Operator, what, record.to_string(), why);
        self.step.changes.extend([change, Change::Audit(audit)]);
        self.step.done.push((ticket, Outcome::Done));
    }

    fn block(&mut self, ticket: Ticket, peer: Peer, blocked: bool) {
        if !blocked && !self.trust.blocked().any(|known| *known == peer) {
            self.step.done.push((ticket, Outcome::Refused(Refusal::NotBlocked)));
            return;
        }
        self.trust.block(&peer, blocked);
        let deed = if blocked { Deed::Blocked } else { Deed::Unblocked };
        let name = data_encoding::HEXLOWER.encode(peer.as_bytes());
        self.write_down(Who::Operator, deed, name, "the operator decided so");
        match self.peers.get(&peer).and_then(|state| state.key) {
            Some(key) if blocked => self.refused.extend([key]),
            // Which keys were refused under other names is learnt again when they come.
            _ if !blocked => self.refused.clear(),
            _ => {}
        };
        let refused: Vec<Vec<u8>> = self.trust.blocked().map(|peer| peer.as_bytes().to_vec()).collect();
        self.set(BLOCKED, codec::encode(&refused));
        if blocked && self.peers.contains_key(&peer) {
            self.disconnect(peer, DisconnectReason::Blocked);
        }
        self.step.done.push((ticket, Outcome::Done));
    }

    fn subscribe(&mut self, ticket: Ticket, subscription: Subscription) {
        let topics: Vec<String> = subscription.topics.iter().map(ToString::to_string).collect();
        let tlds: Vec<String> = subscription.tlds.iter().map(ToString::to_string).collect();
        self.set(SUBSCRIPTION, codec::encode(&(topics, tlds)));
        self.subscription = subscription;
        self.missing.look_through();
        self.step.done.push((ticket, Outcome::Done));
    }

    /// Takes statements from the operator. New certificates of this node go out with its greetings at once.
    fn tell(&mut self, ticket: Ticket, statements: &[CheckedStatement]) {
        let mut outcomes = Vec::new();
        let mut news = Vec::new();
        for checked in statements {
            let admitted = self.admit_statement(checked);
            if let Ok(Admitted::New | Admitted::Newer) = admitted {
                news.push(checked.statement().clone());
            }
            outcomes.push(admitted);
        }
        let mine = |statement: &&Statement| {
            let certificate = NodeCertificate::read(statement);
            certificate.is_ok_and(|certificate| certificate.node_key == self.key.public())
        };
        let own: Vec<Statement> = news.iter().filter(mine).cloned().collect();
        self.identity.extend(own);
        self.refresh_peers();
        self.tell_statements(news);
        self.step.done.push((ticket, Outcome::Told(outcomes)));
    }

    /// Signs where this node can be reached, and tells the mesh. A node that comes back to where it was has told that before.
    fn listening(&mut self, ticket: Ticket, mut addresses: Vec<String>) {
        let author = self.key.public();
        addresses.truncate(limits::ADDRESSES);
        let said = self.roster.own_endpoint(&author, &self.org);
        if let Some((_, statement)) = said.filter(|(said, _)| said.addresses == addresses) {
            self.endpoint = Some(statement.clone());
            return self.done(ticket, Outcome::Done);
        }
        let last = said.map_or(0, |(said, _)| said.seq);
        self.endpoint_seq = self.endpoint_seq.max(last).max(self.now.wall.0).saturating_add(1);
        let endpoint = EndpointStatement {
            org: self.org,
            node_key: author,
            community: self.community,
            seq: self.endpoint_seq,
            addresses,
            issued_at: self.now.wall,
        };
        if let Ok(statement) = endpoint.sign(&self.key)
            && let Ok(checked) = statement.clone().check(&starfish_crypto::Strict)
            && self.admit_statement(&checked).is_ok()
        {
            let mut told: Vec<Statement> = self.identity.clone();
            told.push(statement.clone());
            self.tell_statements(told);
            self.endpoint = Some(statement);
        }
        self.done(ticket, Outcome::Done);
    }
}
