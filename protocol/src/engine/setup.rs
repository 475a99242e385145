//! What an engine starts from, and which bodies it pulls.

use std::collections::BTreeSet;

use starfish_crypto::{Digest, PublicKey, SecretKey};

use crate::{
    community::Community,
    limits,
    observable::Tld,
    organisation::OrgId,
    record::{Header, Kind, LogId, Scope, Topic},
    statement::{LogPosition, Statement},
    time::Millis,
    trust::{Acceptance, Policy, Rights},
    wire::Head,
};

use super::port::RecoverySeen;

/// What an engine starts from: who it is, what the operator decided, and what the store holds.
#[derive(Debug)]
pub struct Setup {
    /// The node's key.
    pub key: SecretKey,
    /// Its organisation.
    pub org: OrgId,
    /// Its mesh.
    pub community: Community,
    /// The organisation's manifest and this node's certificate.
    pub statements: Vec<Statement>,
    /// Every statement in the store.
    pub stored_statements: Vec<Statement>,
    /// What the operator has decided about others.
    pub policy: Policy,
    /// What this node pulls.
    pub subscription: Subscription,
    /// The last position of every log in the store.
    pub heads: Vec<Head>,
    /// The logs against whose authors a proof of two histories is stored, and where they were forked.
    pub frozen: Vec<(LogId, u64)>,
    /// How far the logs of revoked nodes count for which organisation, as the store was told last.
    pub cuts: Vec<(PublicKey, OrgId, Vec<LogPosition>)>,
    /// How far recoveries have come, by the ids of their statements.
    pub recoveries: Vec<(Digest, RecoverySeen)>,
    /// Which records of which organisations the store believes, as it was told last.
    pub judged: Vec<(OrgId, Acceptance)>,
    /// The rights of organisations, as the store was told last.
    pub rights: Vec<(OrgId, Rights)>,
    /// True after a restore, until something of our own was published again: nothing of ours goes out before a peer has
    /// shown what it holds of our log, and then into a new epoch.
    pub safe_mode: bool,
    /// How many records are stored.
    pub records: u64,
    /// The highest wall time that an earlier life was sure of (`HIGHEST_WALL`).
    pub highest_wall: Millis,
    /// True to connect to other roots than paired ones as well.
    pub dial_others: bool,
    /// Seeds every random choice of this engine.
    pub seed: [u8; 32],
}

impl Setup {
    /// Of a node with an empty store whose operator has decided nothing: it pulls everything and dials nobody.
    pub fn new(key: SecretKey, org: OrgId, community: Community, statements: Vec<Statement>, seed: [u8; 32]) -> Self {
        Self {
            key,
            org,
            community,
            statements,
            stored_statements: Vec::new(),
            policy: Policy::default(),
            subscription: Subscription::default(),
            heads: Vec::new(),
            frozen: Vec::new(),
            cuts: Vec::new(),
            recoveries: Vec::new(),
            judged: Vec::new(),
            rights: Vec::new(),
            safe_mode: false,
            records: 0,
            highest_wall: Millis(0),
            dial_others: false,
            seed,
        }
    }
}

/// Which bodies a node pulls. Empty sets mean everything; withdrawals are pulled always, because what they withdraw may be
/// here since a time when more was pulled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscription {
    /// Topics.
    pub topics: BTreeSet<Topic>,
    /// TLDs; records without a scope, or with `many`, are pulled all the same.
    pub tlds: BTreeSet<Tld>,
}

impl Subscription {
    /// What a peer says it pulls, as far as it is understood and remembered.
    pub(super) fn told(topics: &[String], tlds: &[String]) -> Self {
        let topics = topics.iter().take(limits::SUBSCRIPTIONS);
        let tlds = tlds.iter().take(limits::SUBSCRIPTIONS);
        Self {
            topics: topics.filter_map(|topic| Topic::parse(topic).ok()).collect(),
            tlds: tlds.filter_map(|tld| Tld::parse(tld).ok()).collect(),
        }
    }

    /// Whether the body of this header is wanted.
    pub fn covers(&self, header: &Header) -> bool {
        let topic = self.topics.is_empty() || self.topics.contains(&header.topic);
        let scope = match &header.extensions.scope {
            Some(Scope::Tlds(tlds)) if !self.tlds.is_empty() => tlds.iter().any(|tld| self.tlds.contains(tld)),
            _ => true,
        };
        header.kind == Kind::WITHDRAWAL || topic && scope
    }
}
