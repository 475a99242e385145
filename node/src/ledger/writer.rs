//! The one writer: [`Writer`] turns changes into rows, counters and ledger entries.
//!
//! | file | what it does |
//! |---|---|
//! | `draft` | puts changes together that become durable together |
//! | `placing` | moves a record's values between the spaces of the index |
//! | `storing` | takes records and bodies in |
//! | `withdrawing` | applies withdrawals, whichever comes first, they or their targets |
//! | `deciding` | what overrides the word about an organisation: cuts, and the operator's decisions |
//! | `judging` | carries out changes of trust, in slices |
//! | `leaving` | expiry, purges and the quarantine's budget, in slices |

mod deciding;
mod draft;
mod judging;
mod leaving;
mod placing;
mod storing;
mod withdrawing;

use starfish_crypto::{Signed, Strict, Verified};
use starfish_protocol::{
    engine::port::Change,
    record::{Body, Header, RecordId, open_body},
    statement::{self, Statement},
    time::Millis,
    trust::{Acceptance, Rights},
};

use crate::store::{Space, Store, StoreError};

use super::{
    Options,
    catalogue::{Card, Counts, State},
    journal::Note,
    keys::{encoded, number_of, pending, position_key, recovery_key, rights_key},
};

pub(super) use self::deciding::is_behind;
use self::draft::Rows;
pub(super) use self::draft::{Draft, stored_rows};
pub(super) use self::placing::{home, home_of, indexed};

/// Changes on their way into the store.
pub(super) struct Writer<'a> {
    pub(super) draft: Draft<'a>,
    /// True while the journal is carried out: old records of our own are no sign that a peer has shown what it holds, so
    /// safe mode stays.
    pub(super) is_replaying: bool,
    /// Records that pending work has looked at so far.
    looked: usize,
    options: &'a Options,
}

/// So many rows of pending work are read at once.
const ROWS: usize = 256;

/// The setting that makes the next start compare this node's log with a peer before it sends anything.
pub(super) const SAFE_MODE: &str = "safe mode";

impl<'a> Writer<'a> {
    pub(super) fn new(store: &'a dyn Store, options: &'a Options, counts: Counts) -> Self {
        Self {
            draft: Draft::new(store, counts),
            is_replaying: false,
            looked: 0,
            options,
        }
    }

    /// Finishes what a crash or a failed disk left unfinished. Judgements and expiry go on in slices.
    pub(super) fn mend(&mut self) -> Result<(), StoreError> {
        self.draft.mend()?;
        self.apply_withdrawals()
    }

    /// Takes one change.
    pub(super) fn take(&mut self, change: &Change) -> Result<(), StoreError> {
        // Small changes add up too: without this, a thousand statements at once would be one batch that no store takes.
        self.draft.begin(false)?;
        match change {
            Change::Record {
                header,
                org,
                body,
                received_at,
                own,
            } => {
                self.see(*received_at);
                let mut card = Card::new(header, *org, *received_at);
                card.own = *own;
                let body = body.as_ref().map(|(compressed, body)| (compressed.as_slice(), body));
                self.store_record(header, card, body)
            }
            Change::Body {
                record,
                compressed,
                body,
                received_at,
            } => {
                self.see(*received_at);
                self.store_body(record, compressed, body, *received_at)
            }
            Change::Spoiled(record) => self.spoil(record),
            Change::Statement(statement) => {
                self.store_statement(statement);
                Ok(())
            }
            Change::Displaced(statement) => self.forget_statement(statement),
            Change::Fork(pair) => {
                let (one, two) = &**pair;
                let proof = encoded(&(one.signed(), two.signed()));
                self.draft.put(Space::Forks, *one.author.as_bytes(), proof);
                Ok(())
            }
            Change::Judge { org, acceptance } => self.judge(*org, acceptance),
            Change::Reopened(author) => {
                self.draft.delete(Space::Forks, *author.as_bytes());
                Ok(())
            }
            Change::Cut { node, org, last_good } => self.cut(node, *org, last_good.as_deref()),
            Change::Recovery { id, seen } => {
                self.set(recovery_key(id), seen.as_ref().map(encoded));
                Ok(())
            }
            Change::Rights { org, rights } => {
                let some = *rights != Rights::default();
                self.set(rights_key(org), some.then(|| encoded(rights)));
                Ok(())
            }
            Change::Release(record) => self.release(record),
            Change::Drop(record) => self.throw_away(record),
            Change::Audit(audit) => self.write_down(audit),
            Change::Expire(time) => {
                self.see(*time);
                self.expire(*time)
            }
            Change::Setting(name, value) => {
                self.draft.put(Space::Settings, *name, value.as_slice());
                Ok(())
            }
        }
    }

    fn set(&mut self, name: String, value: Option<Vec<u8>>) {
        match value {
            Some(value) => self.draft.put(Space::Settings, name, value),
            None => self.draft.delete(Space::Settings, name),
        }
    }

    /// Takes a note from the journal, whose own signatures are checked again.
    pub(super) fn take_note(&mut self, note: Note) -> Result<(), StoreError> {
        self.draft.begin(false)?;
        match note {
            Note::Record {
                header,
                org,
                body,
                received_at,
            } => {
                let header = verified(header)?;
                if !self.follows(&header)? {
                    return Ok(());
                }
                self.see(received_at);
                let mut card = Card::new(&header, org, received_at);
                card.own = true;
                let opened = body.as_ref().map(|body| opened(&header, body)).transpose()?;
                self.store_record(&header, card, body.as_deref().zip(opened.as_ref()))
            }
            Note::Body {
                record,
                body,
                received_at,
            } => {
                self.see(received_at);
                let Some(number) = self.draft.number(&record)? else {
                    return Ok(());
                };
                let header = verified(self.draft.header(number)?)?;
                let content = opened(&header, &body)?;
                self.store_body(&record, &body, &content, received_at)
            }
            Note::Statement(statement) => {
                self.store_statement(&statement);
                Ok(())
            }
            Note::Setting(name, value) => {
                self.draft.put(Space::Settings, name, value);
                Ok(())
            }
            Note::Judge(org, true) => self.judge(org, &Acceptance::everything()),
            Note::Judge(org, false) => self.judge(org, &Acceptance::nothing()),
            Note::Accept(org, acceptance) => self.judge(org, &acceptance),
            Note::Release(record) => self.release(&record),
            Note::Drop(record) => self.throw_away(&record),
            Note::Audit(audit) => self.write_down(&audit),
        }
    }

    /// Whether a record of the journal has its place in its log. After damage to the journal some are missing; what comes
    /// behind them would be a hole that no peer takes, and comes from the old store or the mesh instead.
    fn follows(&self, header: &Header) -> Result<bool, StoreError> {
        let Some(before) = header.seq.checked_sub(1) else {
            return Ok(true);
        };
        let before = self.draft.get(Space::Logs, &position_key(&header.log(), before))?;
        let before = before.as_deref().map(number_of).transpose()?;
        let before = before.map(|number| self.draft.card(number)).transpose()?;
        Ok(before.is_some_and(|before| before.id.digest() == header.prev))
    }

    /// The latest time that anyone named is the time of an entry that has none of its own.
    fn see(&mut self, time: Millis) {
        self.draft.counts.latest = self.draft.counts.latest.max(time);
    }

    fn store_statement(&mut self, statement: &Statement) {
        self.draft
            .put(Space::Statements, statement_key(statement), encoded(statement));
    }

    /// A statement leaves, unless a newer one has its place already.
    fn forget_statement(&mut self, statement: &Statement) -> Result<(), StoreError> {
        let key = statement_key(statement);
        if self.draft.get(Space::Statements, &key)? == Some(encoded(statement)) {
            self.draft.delete(Space::Statements, key);
        }
        Ok(())
    }

    fn spoil(&mut self, record: &RecordId) -> Result<(), StoreError> {
        let Some(number) = self.draft.number(record)? else {
            return Ok(());
        };
        let mut card = self.draft.card(number)?;
        if card.state == State::Waiting {
            self.draft.begin_record(0)?;
            card.state = State::Spoiled;
            self.draft.set_missing(number, false)?;
            self.draft.put_card(number, &card);
        }
        Ok(())
    }

    /// Does pending work until `limit` records were looked at and values moved. A record is not divided.
    pub(super) fn slice(&mut self, limit: usize) -> Result<(), StoreError> {
        self.judge_some(limit)?;
        self.cut_some(limit)?;
        self.expire_some(limit)?;
        self.evict_some(limit)
    }

    /// Whether pending work is left.
    pub(super) fn has_more(&self) -> Result<bool, StoreError> {
        let rows = self.draft.rows(Space::Pending, pending::JUDGEMENTS, &[u8::MAX], 1)?;
        Ok(!rows.is_empty())
    }

    fn is_spent(&self, limit: usize) -> bool {
        self.looked + self.draft.moved >= limit
    }

    /// Does the work of each row until the slice is spent. Returns the last row that is done, and whether all of them are.
    fn work_through<'r>(
        &mut self,
        rows: &'r Rows,
        limit: usize,
        mut work: impl FnMut(&mut Self, &'r (Vec<u8>, Vec<u8>)) -> Result<(), StoreError>,
    ) -> Result<(Option<&'r [u8]>, bool), StoreError> {
        if rows.is_empty() {
            // To find nothing is work too, or a thousand organisations without records would be one slice.
            self.looked += 1;
        }
        for (place, row) in rows.iter().enumerate() {
            work(self, row)?;
            self.looked += 1;
            if self.is_spent(limit) {
                return Ok((Some(&row.0), place + 1 == rows.len()));
            }
        }
        Ok((rows.last().map(|(key, _)| key.as_slice()), true))
    }
}

fn opened(header: &Header, compressed: &[u8]) -> Result<Body, StoreError> {
    open_body(header, compressed).map_err(|fault| StoreError::Corrupt(fault.to_string()))
}

/// The journal and the store hold only what was verified before; this tells when their bytes have changed.
pub(super) fn verified(header: Signed) -> Result<Verified<Header>, StoreError> {
    header
        .verify(&Strict)
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Manifests before certificates before endpoints, as they are needed; a node's newer endpoint replaces the older one.
fn statement_key(statement: &Statement) -> Vec<u8> {
    let kind = statement.kind().0.to_be_bytes();
    match (statement.kind(), statement.signatures()) {
        (statement::Kind::ENDPOINT, [(node, _)]) => [&kind, node.as_bytes().as_slice()].concat(),
        _ => [&kind, statement.id().as_bytes().as_slice()].concat(),
    }
}
