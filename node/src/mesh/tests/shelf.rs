//! A store in memory: what a test node keeps, and what is left of it after a restart.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use starfish_crypto::{Digest, Verified};
use starfish_protocol::{
    engine::port::{Change, Found, Query},
    organisation::OrgId,
    record::{Audience, Body, Header, LogId, RecordId},
    statement::Statement,
    wire::Head,
};

use crate::mesh::{KeepError, Keeper};

/// The store.
#[derive(Default)]
pub(super) struct Shelf {
    state: Mutex<State>,
    /// Fails every write from now on.
    pub(super) broken: AtomicBool,
    /// Gives bodies out with one bit changed.
    pub(super) lying: AtomicBool,
}

#[derive(Default)]
struct State {
    logs: BTreeMap<(LogId, u64), RecordId>,
    records: BTreeMap<RecordId, (Verified<Header>, Option<OrgId>)>,
    bodies: BTreeMap<Digest, (Vec<u8>, Body)>,
    statements: Vec<Statement>,
}

impl Shelf {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics under the lock")
    }

    pub(super) fn heads(&self) -> Vec<Head> {
        let mut heads: BTreeMap<LogId, Head> = BTreeMap::new();
        for ((log, seq), record) in &self.state().logs {
            heads.insert(
                *log,
                Head {
                    log: *log,
                    seq: *seq,
                    id: record.digest(),
                },
            );
        }
        heads.into_values().collect()
    }

    pub(super) fn statements(&self) -> Vec<Statement> {
        self.state().statements.clone()
    }

    pub(super) fn records(&self) -> u64 {
        self.state().records.len() as u64
    }

    /// A header that is here.
    pub(super) fn header(&self, record: &RecordId) -> Option<Verified<Header>> {
        self.state().records.get(record).map(|(header, _)| header.clone())
    }

    /// The observables of a body that is here.
    pub(super) fn body(&self, record: &RecordId) -> Option<Body> {
        let state = self.state();
        let (header, _) = state.records.get(record)?;
        state.bodies.get(&header.body_digest).map(|(_, body)| body.clone())
    }
}

impl Keeper for Shelf {
    fn apply(&self, changes: &[Change]) -> Result<(), KeepError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(KeepError::Failed("no room on the disk".to_owned()));
        }
        let mut state = self.state();
        for change in changes {
            match change {
                Change::Record { header, org, body, .. } => {
                    let id = RecordId::of(header);
                    state.logs.insert((header.log(), header.seq), id);
                    if let Some(body) = body {
                        state.bodies.insert(header.body_digest, body.clone());
                    }
                    state.records.insert(id, (header.clone(), *org));
                }
                Change::Body {
                    record,
                    compressed,
                    body,
                    ..
                } => {
                    let digest = state.records.get(record).map(|(header, _)| header.body_digest);
                    let digest = digest.expect("a body follows its header");
                    state.bodies.insert(digest, (compressed.clone(), body.clone()));
                }
                Change::Statement(statement) => state.statements.push(statement.clone()),
                Change::Displaced(statement) => state.statements.retain(|held| held != statement),
                _ => {}
            }
        }
        Ok(())
    }

    fn answer(&self, query: &Query) -> Found {
        let state = self.state();
        match query {
            Query::Headers { log, from, limit } => {
                let ids = state.logs.range((*log, *from)..=(*log, u64::MAX)).take(*limit);
                Found::Headers(ids.map(|(_, id)| state.records[id].0.signed().clone()).collect())
            }
            Query::Body { digest, green } => {
                let stands = |(header, _): &(Verified<Header>, _)| {
                    header.body_digest == *digest && (*green || header.audience == Audience::Clear)
                };
                if !state.records.values().any(stands) {
                    return Found::Body(None);
                }
                let mut body = state.bodies.get(digest).map(|(compressed, _)| compressed.clone());
                if let Some(last) = body.as_mut().and_then(|body| body.last_mut())
                    && self.lying.load(Ordering::Relaxed)
                {
                    *last ^= 1;
                }
                Found::Body(body)
            }
            Query::Record(id) => Found::Record(state.records.get(id).map(|(header, org)| {
                let body = state.bodies.get(&header.body_digest).map(|(_, body)| body.clone());
                (header.clone(), *org, body)
            })),
            Query::Missing { after, limit } => {
                let later = state
                    .records
                    .iter()
                    .filter(|(id, _)| after.is_none_or(|after| **id > after));
                let missing = later.filter(|(_, (header, _))| !state.bodies.contains_key(&header.body_digest));
                Found::Missing(missing.take(*limit).map(|(_, (header, _))| header.clone()).collect())
            }
        }
    }
}
