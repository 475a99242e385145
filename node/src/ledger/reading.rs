//! What the engine and the outputs ask: headers, bodies, entries and counters.

mod audited;
pub mod claims;
mod loading;
pub mod quarantined;

use std::sync::PoisonError;

use starfish_crypto::{Digest, Signed};
use starfish_protocol::{
    engine::port::{Found, Query},
    observable::Observable,
    record::{Body, Header, Kind, LogId, RecordId, Tlp},
};

use crate::store::{Space, Store, StoreError};

pub use self::loading::Loaded;
use super::{
    Ledger,
    catalogue::{Card, Counts, Entry, Standing, reopened},
    keys::{
        Number, decoded, holder_of, log_key, number_key, number_of, numbered, numbered_end, position_key, users_key,
    },
    writer::{home, indexed, stored_rows, verified},
};

/// After every key of a space.
pub(super) const END: &[u8] = &[u8::MAX; 64];
/// So many pieces of pending work are counted.
const UNSETTLED: usize = 10_000;
/// How many records of one body are looked at in one read.
const USERS: usize = 64;

/// One topic, and how many believed records it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicCount {
    /// The topic.
    pub topic: String,
    /// How many records of it are held.
    pub records: u64,
}

impl<S: Store> Ledger<S> {
    /// The counters, as of the last flush.
    pub fn counts(&self) -> Counts {
        *self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whose records are not all where they belong yet, as far as [`UNSETTLED`].
    ///
    /// # Errors
    /// The store failed.
    pub fn unsettled(&self) -> Result<usize, StoreError> {
        let rows = stored_rows(&self.store, Space::Pending, &[], END, UNSETTLED);
        Ok(self.noted(rows)?.len())
    }

    /// The topics that are held.
    ///
    /// # Errors
    /// The store failed.
    pub fn topics(&self) -> Result<Vec<TopicCount>, StoreError> {
        let rows = self.noted(stored_rows(&self.store, Space::Topics, &[], END, usize::MAX))?;
        let topic = |(key, value): &(Vec<u8>, Vec<u8>)| {
            Ok(TopicCount {
                topic: String::from_utf8_lossy(key).into_owned(),
                records: decoded(value)?,
            })
        };
        self.noted(rows.iter().map(topic).collect())
    }

    /// Entries after a serial, in order, without gaps.
    ///
    /// # Errors
    /// The store failed.
    pub fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let end = self.counts().serial.saturating_add(1).to_be_bytes();
        let from = after.saturating_add(1).to_be_bytes();
        let rows = self.noted(stored_rows(&self.store, Space::Serials, &from, &end, limit))?;
        self.noted(rows.iter().map(|(_, entry)| decoded(entry)).collect())
    }

    /// What is kept of a record: its number here and its card.
    ///
    /// # Errors
    /// The store failed.
    pub fn card_of(&self, record: &RecordId) -> Result<Option<(u64, Card)>, StoreError> {
        let Some(value) = self.store.get(Space::Ids, record.digest().as_bytes())? else {
            return Ok(None);
        };
        let number = number_of(&value)?;
        Ok(self.card(number)?.map(|card| (number, card)))
    }

    /// Records whose body is this one and is here, up to [`USERS`] of them.
    ///
    /// # Errors
    /// The store failed.
    pub fn bearers(&self, body: &Digest) -> Result<Vec<Card>, StoreError> {
        let key = users_key(body, false);
        let rows = stored_rows(&self.store, Space::Uses, &key, &numbered_end(&key), USERS);
        let card = |(key, _): &(Vec<u8>, Vec<u8>)| number_of(key).and_then(|number| self.card(number)).transpose();
        self.noted(rows.and_then(|rows| rows.iter().filter_map(card).collect()))
    }

    pub(super) fn card(&self, number: Number) -> Result<Option<Card>, StoreError> {
        self.store
            .get(Space::Records, &number_key(number))?
            .map(|card| decoded(&card))
            .transpose()
    }

    pub(super) fn signed(&self, number: Number) -> Result<Option<Signed>, StoreError> {
        self.store
            .get(Space::Headers, &number_key(number))?
            .map(|header| decoded(&header))
            .transpose()
    }

    /// The body of a record, when it is here.
    ///
    /// # Errors
    /// The store failed, or the body is no longer what it was.
    pub fn body_of(&self, record: &RecordId) -> Result<Option<Body>, StoreError> {
        let body = self.card_of(record).and_then(|found| match found {
            Some((number, card)) => self.content(number, &card),
            None => Ok(None),
        });
        self.noted(body)
    }

    pub(super) fn content(&self, number: Number, card: &Card) -> Result<Option<Body>, StoreError> {
        if !card.is_present() {
            return Ok(None);
        }
        let (Some(header), Some(compressed)) = (self.signed(number)?, self.compressed(&card.body)?) else {
            // It left between two reads.
            return Ok(None);
        };
        let header = Header::decode(header.bytes()).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
        reopened(&header, &compressed).map(Some)
    }

    /// The values of a record, rising, each with where it stands. None when its body is not here.
    ///
    /// A value counts as believed or held only when the index says so; everything else counts as withdrawn. While a record
    /// is on its way out its values are in no space for a moment, and one that was withdrawn must not look usable then.
    ///
    /// # Errors
    /// The store failed, or the body is no longer what it was.
    pub fn observables(&self, record: &RecordId) -> Result<Vec<(Observable, Standing)>, StoreError> {
        self.noted(self.standings(record))
    }

    fn standings(&self, record: &RecordId) -> Result<Vec<(Observable, Standing)>, StoreError> {
        let Some((number, card)) = self.card_of(record)? else {
            return Ok(Vec::new());
        };
        // What an opinion is on is not what it says to look out for.
        let Some(body) = self.content(number, &card)?.filter(|_| card.kind != Kind::OPINION) else {
            return Ok(Vec::new());
        };
        let at_home = if card.believed {
            Standing::Believed
        } else {
            Standing::Held
        };
        let mut found = Vec::with_capacity(indexed(&body).len());
        for value in indexed(&body) {
            let standing = if self.is_at_home(number, &value.key(), card.believed)? {
                at_home
            } else {
                Standing::Withdrawn
            };
            found.push((value.clone(), standing));
        }
        Ok(found)
    }

    /// Whether this record gives a value to `Seen` or `Held`.
    fn is_at_home(&self, number: Number, key: &[u8], believed: bool) -> Result<bool, StoreError> {
        let space = home(believed);
        let mut before = None;
        loop {
            let holder = self.store.get(space, key)?.as_deref().map(holder_of).transpose()?;
            if holder.is_none() || holder == Some(number) {
                return Ok(holder.is_some());
            }
            if self.store.get(space, &numbered(key, number))?.is_some() {
                return Ok(true);
            }
            // When the holder leaves, a further record takes its place: it may have been this one, between the two reads.
            if holder == before {
                return Ok(false);
            }
            before = holder;
        }
    }

    pub(super) fn compressed(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(Space::Bodies, digest.as_bytes())
    }

    /// The body, when a believed record stands for it: what is in quarantine is nobody else's business.
    fn believed_body(&self, digest: &Digest, green: bool) -> Result<Option<Vec<u8>>, StoreError> {
        let key = users_key(digest, false);
        let (mut from, end) = (key.clone(), numbered_end(&key));
        loop {
            let users = stored_rows(&self.store, Space::Uses, &from, &end, USERS)?;
            for (user, _) in &users {
                let card = self.card(number_of(user)?)?;
                if card.is_some_and(|card| card.believed && (green || Tlp::from(card.tlp) == Tlp::Clear)) {
                    return self.compressed(digest);
                }
            }
            let Some((last, _)) = users.last().filter(|_| users.len() >= USERS) else {
                return Ok(None);
            };
            from = [last.as_slice(), &[0]].concat();
        }
    }

    /// Answers the engine.
    pub fn answer(&self, query: &Query) -> Found {
        let found = match query {
            Query::Headers { log, from, limit } => self.headers(log, *from, *limit).map(Found::Headers),
            Query::Body { digest, green } => self.believed_body(digest, *green).map(Found::Body),
            Query::Record(record) => self.record(record),
            Query::Missing { after, limit } => self.missing(after.as_ref(), *limit),
        };
        self.noted(found).unwrap_or(Found::Failed)
    }

    /// Consecutive headers, as far as they are durable.
    fn headers(&self, log: &LogId, from: u64, limit: usize) -> Result<Vec<Signed>, StoreError> {
        let durable = self.counts().records;
        let end = [log_key(log), END.to_vec()].concat();
        let rows = stored_rows(&self.store, Space::Logs, &position_key(log, from), &end, limit)?;
        let mut headers = Vec::with_capacity(rows.len());
        for (seq, (key, number)) in (from..).zip(&rows) {
            let number = number_of(number)?;
            if number_of(key)? != seq || number >= durable {
                break;
            }
            let Some(header) = self.signed(number)? else { break };
            headers.push(header);
        }
        Ok(headers)
    }

    fn record(&self, record: &RecordId) -> Result<Found, StoreError> {
        let Some((number, card)) = self.card_of(record)? else {
            return Ok(Found::Record(None));
        };
        let Some(header) = self.signed(number)? else {
            return Ok(Found::Record(None));
        };
        let body = self.content(number, &card)?;
        Ok(Found::Record(Some((verified(header)?, card.org, body))))
    }

    fn missing(&self, after: Option<&RecordId>, limit: usize) -> Result<Found, StoreError> {
        let from = match after.map(|after| self.card_of(after)).transpose()?.flatten() {
            Some((number, _)) => number + 1,
            None => 0,
        };
        let mut headers = Vec::new();
        for (key, _) in stored_rows(&self.store, Space::Missing, &number_key(from), END, limit)? {
            if let Some(header) = self.signed(number_of(&key)?)? {
                headers.push(verified(header)?);
            }
        }
        Ok(Found::Missing(headers))
    }
}
