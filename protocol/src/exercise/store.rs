//! A store as the engine sees one: maps, and the answers to its questions.

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::{Digest, PublicKey, Signed, Strict, Verified};

use crate::{
    codec,
    engine::{
        HIGHEST_WALL, PAIRED, PINS, ROOTS,
        port::{Audit, Change, Found, Query, RecoverySeen},
    },
    observable::Observable,
    organisation::OrgId,
    record::{Audience, Body, Header, Kind, LogId, RecordId, Withdrawal},
    statement::{LogPosition, Statement},
    time::Millis,
    trust::{Acceptance, Policy, Rights},
    wire::Head,
};

/// One record.
#[derive(Debug, Clone)]
pub struct Stored {
    /// As signed.
    pub header: Verified<Header>,
    /// Whose it is.
    pub org: Option<OrgId>,
    /// The node's own.
    pub own: bool,
    /// False: in the quarantine, or its body is not here.
    pub believed: bool,
    /// What it says, when that is here.
    pub body: Option<Body>,
    /// Its body cannot be opened.
    pub spoiled: bool,
}

/// By node and organisation.
type Cuts = BTreeMap<(PublicKey, OrgId), Vec<LogPosition>>;

/// Everything that is durable.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// By place.
    pub logs: BTreeMap<(LogId, u64), RecordId>,
    /// By id.
    pub records: BTreeMap<RecordId, Stored>,
    /// Compressed bodies.
    pub bodies: BTreeMap<Digest, Vec<u8>>,
    /// In the order in which they came.
    pub statements: Vec<Statement>,
    /// Authors of two histories, and where these part.
    pub frozen: BTreeMap<PublicKey, (LogId, u64)>,
    /// Which records of whom are believed.
    pub judged: BTreeMap<OrgId, Acceptance>,
    /// What organisations may do.
    pub rights: BTreeMap<OrgId, Rights>,
    /// How far the logs of revoked nodes count, for whom.
    pub cuts: Cuts,
    /// How far recoveries have come.
    pub recoveries: BTreeMap<Digest, RecoverySeen>,
    /// Records that the operator released (true) or threw away.
    pub decisions: BTreeMap<RecordId, bool>,
    /// The audit log.
    pub audit: Vec<Audit>,
    /// The node's own values.
    pub settings: BTreeMap<&'static str, Vec<u8>>,
    /// The last time up to which expired records left.
    pub expired: Millis,
}

impl Store {
    /// Makes a change durable.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Record {
                header, org, body, own, ..
            } => self.put(header, org, own, body),
            Change::Body {
                record,
                compressed,
                body,
                ..
            } => self.put_body(record, compressed, body),
            Change::Spoiled(record) => {
                if let Some(stored) = self.records.get_mut(&record) {
                    stored.spoiled = true;
                }
            }
            Change::Statement(statement) => self.statements.push(statement),
            Change::Displaced(statement) => self.statements.retain(|held| *held != statement),
            Change::Fork(pair) => {
                let (one, two) = &*pair;
                self.frozen.insert(one.author, (one.log(), one.seq.max(two.seq)));
            }
            Change::Judge { org, acceptance } => {
                self.judged.insert(org, acceptance);
                self.judge_all();
            }
            Change::Rights { org, rights } => {
                self.rights.insert(org, rights);
            }
            Change::Reopened(author) => {
                self.frozen.remove(&author);
            }
            Change::Cut { node, org, last_good } => {
                match last_good {
                    Some(places) => self.cuts.insert((node, org), places),
                    None => self.cuts.remove(&(node, org)),
                };
                self.judge_all();
            }
            Change::Recovery { id, seen } => {
                match seen {
                    Some(seen) => self.recoveries.insert(id, seen),
                    None => self.recoveries.remove(&id),
                };
            }
            Change::Release(record) => {
                self.decisions.insert(record, true);
                self.judge_all();
            }
            Change::Drop(record) => self.throw_away(record),
            Change::Audit(audit) => self.audit.push(audit),
            Change::Expire(at) => self.expire(at),
            Change::Setting(name, value) => {
                self.settings.insert(name, value);
            }
        }
    }

    fn put(&mut self, header: Verified<Header>, org: Option<OrgId>, own: bool, body: Option<(Vec<u8>, Body)>) {
        let id = RecordId::of(&header);
        let place = (header.log(), header.seq);
        let before = self.logs.insert(place, id);
        assert!(before.is_none(), "two records at one place of a log: {place:?}");
        let gap = header.seq > 0 && !self.logs.contains_key(&(header.log(), header.seq - 1));
        assert!(!gap, "a hole in a log: {place:?}");
        self.records.insert(
            id,
            Stored {
                header,
                org,
                own,
                believed: false,
                body: None,
                spoiled: false,
            },
        );
        if let Some((compressed, body)) = body {
            self.put_body(id, compressed, body);
        }
    }

    fn put_body(&mut self, record: RecordId, compressed: Vec<u8>, body: Body) {
        if self.decisions.get(&record) == Some(&false) {
            return;
        }
        let stored = self.records.get_mut(&record).expect("a body comes after its record");
        self.bodies.insert(stored.header.body_digest, compressed);
        stored.body = Some(body);
        stored.believed = believes(&self.judged, &self.cuts, &self.decisions, stored);
    }

    fn judge_all(&mut self) {
        for stored in self.records.values_mut() {
            stored.believed = believes(&self.judged, &self.cuts, &self.decisions, stored);
        }
    }

    /// What is believed by now stays.
    fn throw_away(&mut self, record: RecordId) {
        let stored = self.records.get_mut(&record);
        if stored.as_ref().is_some_and(|stored| stored.believed) {
            return;
        }
        self.decisions.insert(record, false);
        if let Some(stored) = stored {
            stored.body = None;
        }
    }

    fn is_void(&self, stored: &Stored) -> bool {
        is_void(&self.cuts, stored)
    }

    fn expire(&mut self, at: Millis) {
        self.expired = self.expired.max(at);
        for stored in self
            .records
            .values_mut()
            .filter(|stored| stored.header.expires_at <= at)
        {
            self.bodies.remove(&stored.header.body_digest);
            stored.body = None;
        }
    }

    /// Answers a question.
    pub fn answer(&self, query: &Query) -> Found {
        match query {
            Query::Headers { log, from, limit } => {
                let range = self.logs.range((*log, *from)..=(*log, u64::MAX)).take(*limit);
                Found::Headers(range.filter_map(|(_, id)| self.signed(id)).collect())
            }
            Query::Body { digest, green } => Found::Body(self.believed_body(digest, *green)),
            Query::Record(id) => Found::Record(
                self.records
                    .get(id)
                    .map(|stored| (stored.header.clone(), stored.org, stored.body.clone())),
            ),
            Query::Missing { after, limit } => {
                let missing = |(_, stored): &(&RecordId, &Stored)| {
                    stored.body.is_none()
                        && !stored.spoiled
                        && stored.header.raw_len > 0
                        && self.decisions.get(&RecordId::of(&stored.header)) != Some(&false)
                };
                let later = self
                    .records
                    .iter()
                    .filter(|(id, _)| after.is_none_or(|after| **id > after));
                Found::Missing(
                    later
                        .filter(missing)
                        .take(*limit)
                        .map(|(_, stored)| stored.header.clone())
                        .collect(),
                )
            }
        }
    }

    fn believed_body(&self, digest: &Digest, green: bool) -> Option<Vec<u8>> {
        let stands = |stored: &Stored| {
            let may_see = green || stored.header.audience == Audience::Clear;
            may_see && stored.believed && stored.body.is_some() && stored.header.body_digest == *digest
        };
        let body = self.bodies.get(digest)?;
        self.records.values().any(stands).then(|| body.clone())
    }

    fn signed(&self, id: &RecordId) -> Option<Signed> {
        self.records.get(id).map(|stored| stored.header.signed().clone())
    }

    /// The last position of every log.
    pub fn heads(&self) -> Vec<Head> {
        let heads: BTreeMap<LogId, Head> = self
            .logs
            .iter()
            .map(|((log, seq), id)| {
                (
                    *log,
                    Head {
                        log: *log,
                        seq: *seq,
                        id: id.digest(),
                    },
                )
            })
            .collect();
        heads.into_values().collect()
    }

    /// Which records of whom are believed, as the engine said last.
    pub fn judged(&self) -> Vec<(OrgId, Acceptance)> {
        self.judged
            .iter()
            .map(|(org, acceptance)| (*org, acceptance.clone()))
            .collect()
    }

    /// What the operator has decided, with the configured list.
    pub fn policy(&self, listed: Vec<OrgId>) -> Policy {
        Policy {
            listed,
            paired: self.setting(PAIRED).unwrap_or_default(),
            roots: self.setting(ROOTS).unwrap_or_default(),
            pins: self.setting(PINS).unwrap_or_default(),
            blocked: Vec::new(),
        }
    }

    /// How far the logs of revoked nodes count, as the engine said last.
    pub fn cuts(&self) -> Vec<(PublicKey, OrgId, Vec<LogPosition>)> {
        let cut = |((node, org), good): (&(PublicKey, OrgId), &Vec<LogPosition>)| (*node, *org, good.clone());
        self.cuts.iter().map(cut).collect()
    }

    /// The highest time that an earlier life was sure of.
    pub fn highest_wall(&self) -> Millis {
        self.setting(HIGHEST_WALL).unwrap_or_default()
    }

    fn setting<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        codec::decode(self.settings.get(name)?, codec::DOCUMENT_BYTES).ok()
    }

    /// What a search shows: believed observables that were not withdrawn by their own organisation. What a withdrawal
    /// names is not shown before it is known how much of it is withdrawn.
    pub fn shown(&self) -> BTreeSet<Observable> {
        let withheld = self.withheld();
        let mut withdrawals: BTreeMap<RecordId, Vec<(&Stored, &Withdrawal)>> = BTreeMap::new();
        for stored in self.records.values() {
            if let Some(Body::Withdrawal(withdrawal)) = &stored.body
                && !self.is_void(stored)
            {
                withdrawals
                    .entry(withdrawal.target)
                    .or_default()
                    .push((stored, withdrawal));
            }
        }
        let mut shown = BTreeSet::new();
        let is_shown = |id: &RecordId, stored: &Stored| stored.believed && !withheld.contains(&(*id, stored.org));
        for (id, stored) in self.records.iter().filter(|(id, stored)| is_shown(id, stored)) {
            let Some(Body::Indicators(bundle)) = &stored.body else {
                continue;
            };
            let against = withdrawals
                .get(id)
                .into_iter()
                .flatten()
                .filter(|(by, _)| by.org == stored.org);
            let against: Vec<&Withdrawal> = against.map(|(_, withdrawal)| *withdrawal).collect();
            let withdrawn = |value: &&Observable| {
                against
                    .iter()
                    .any(|found| found.observables.is_empty() || found.observables.contains(value))
            };
            shown.extend(bundle.observables.iter().filter(|value| !withdrawn(value)).cloned());
        }
        shown
    }

    /// What a withdrawal names whose content is not here yet, and whose withdrawal that is.
    fn withheld(&self) -> BTreeSet<(RecordId, Option<OrgId>)> {
        let open = |stored: &&Stored| {
            stored.header.kind == Kind::WITHDRAWAL && stored.body.is_none() && !stored.spoiled && !self.is_void(stored)
        };
        let named = |stored: &Stored| {
            let targets = stored.header.extensions.targets.clone();
            targets
                .into_iter()
                .map(|target| (target, stored.org))
                .collect::<Vec<_>>()
        };
        self.records.values().filter(open).flat_map(named).collect()
    }

    /// Whether every chain holds; the panic says which does not.
    pub fn check(&self) {
        for ((log, seq), id) in &self.logs {
            let stored = self.records.get(id).expect("what a log names is stored");
            let header = stored
                .header
                .signed()
                .clone()
                .verify::<Header>(&Strict)
                .expect("only verified headers");
            assert_eq!((header.log(), header.seq), (*log, *seq));
            if *seq > 0 {
                let before = self.logs.get(&(*log, seq - 1)).expect("logs have no holes");
                assert_eq!(header.prev, before.digest(), "a broken chain at {seq} of {log:?}");
            }
        }
    }
}

/// A cut weighs more than the operator's word, and that more than the word about an organisation.
fn believes(
    judged: &BTreeMap<OrgId, Acceptance>,
    cuts: &Cuts,
    decisions: &BTreeMap<RecordId, bool>,
    stored: &Stored,
) -> bool {
    let released = decisions.get(&RecordId::of(&stored.header)) == Some(&true);
    let acceptance = stored.org.and_then(|org| judged.get(&org));
    let covered = |body: &Body| acceptance.is_some_and(|all| all.covers(&stored.header.topic, body));
    let counts = |body: &Body| stored.own || released || covered(body);
    stored.body.as_ref().is_some_and(counts) && !is_void(cuts, stored)
}

fn is_void(cuts: &Cuts, stored: &Stored) -> bool {
    let (header, id) = (&stored.header, RecordId::of(&stored.header));
    let covers = |good: &LogPosition| good.covers(header.audience, header.epoch, header.seq, id);
    let cut = stored.org.and_then(|org| cuts.get(&(header.author, org)));
    cut.is_some_and(|places| !places.iter().any(covers))
}
