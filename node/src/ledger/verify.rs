//! Reads everything and says what does not fit: digests, signatures, chains, the index in both directions, counters, serials.
//!
//! Each header is followed to everything that has to be there because of it. The other direction is a count: the rows of each
//! space must be as many as the headers account for, and every row must lead back to a record.

mod rows;

use std::collections::BTreeMap;

use starfish_crypto::Verified;
use starfish_protocol::{
    observable::Observable,
    record::{Header, Kind, RecordId, check_digest},
};

use crate::store::{Space, Store, StoreError};

use super::{
    Ledger,
    catalogue::{Card, Counts, State, reopened},
    keys::{Number, digest_key, holder_of, number_of, numbered, position_key, users_key},
    writer::{home_of, indexed, verified},
};

/// How many findings are kept word by word; the rest are only counted.
const EXAMPLES: usize = 50;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Records read.
    pub records: u64,
    /// Of so many.
    pub of: u64,
}

/// What was read, and what does not fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Headers read.
    pub records: u64,
    /// Bodies read, once for each record that uses one.
    pub bodies: u64,
    /// Index rows found for the values in them.
    pub observables: u64,
    /// How many findings of each kind; empty when all is well.
    pub findings: BTreeMap<&'static str, u64>,
    /// The first of them, in a sentence each.
    pub examples: Vec<String>,
}

impl Report {
    /// Whether everything fits.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, kind: &'static str, which: impl std::fmt::Display) {
        *self.findings.entry(kind).or_default() += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(format!("{kind}: {which}"));
        }
    }
}

/// What the headers account for.
#[derive(Default)]
struct Expected {
    counts: Counts,
    /// Rows of the index.
    seen: u64,
    held: u64,
    opined: u64,
    held_opined: u64,
    withdrawn: u64,
    topics: BTreeMap<String, u64>,
}

impl<S: Store> Ledger<S> {
    /// Reads everything. Nothing is written meanwhile; changes wait.
    ///
    /// # Errors
    /// The store failed, or is too damaged to be read.
    pub fn verify(&self, progress: &mut dyn FnMut(Progress)) -> Result<Report, StoreError> {
        let mut writing = self.writing.lock();
        self.mend(&mut writing)?;
        let counts = writing.counts;
        let (mut report, mut expected) = (Report::default(), Expected::default());
        expected.counts = Counts {
            records: counts.records,
            ..Counts::default()
        };
        for number in 0..counts.records {
            self.verify_record(number, &mut report, &mut expected)?;
            report.records += 1;
            if number % 256 == 0 {
                progress(Progress {
                    records: number,
                    of: counts.records,
                });
            }
        }
        self.verify_rows(&counts, &mut expected, &mut report)?;
        progress(Progress {
            records: counts.records,
            of: counts.records,
        });
        Ok(report)
    }

    fn verify_record(&self, number: Number, report: &mut Report, expected: &mut Expected) -> Result<(), StoreError> {
        let Some(signed) = self.signed(number)? else {
            report.find("a header is missing", number);
            return Ok(());
        };
        let Ok(header) = verified(signed) else {
            report.find("a header's signature does not fit", number);
            return Ok(());
        };
        let id = RecordId::of(&header);
        let Some(card) = self.card(number)?.filter(|card| card.id == id) else {
            report.find("a record has no card", id);
            return Ok(());
        };
        let leads = |space, key: &[u8]| -> Result<bool, StoreError> {
            let found = self.store.get(space, key)?;
            Ok(found.as_deref().map(number_of).transpose()? == Some(number))
        };
        if !leads(Space::Ids, digest_key(&id.digest()))? {
            report.find("a record is not found by its id", id);
        }
        if !leads(Space::Logs, &position_key(&header.log(), header.seq))? {
            report.find("a record is not found in its log", id);
        }
        self.verify_chain(&header, id, report)?;
        self.verify_places(number, &card, report)?;
        if card.state == State::Waiting && self.store.get(Space::Missing, &number.to_be_bytes())?.is_some() {
            expected.counts.missing += 1;
        }
        if card.is_present() {
            self.verify_content(number, &header, &card, report, expected)?;
        }
        Ok(())
    }

    /// Each header names the one before it, and that one is here.
    fn verify_chain(&self, header: &Verified<Header>, id: RecordId, report: &mut Report) -> Result<(), StoreError> {
        if header.seq == 0 {
            return Ok(());
        }
        let before = self
            .store
            .get(Space::Logs, &position_key(&header.log(), header.seq - 1))?;
        let before = before.as_deref().map(number_of).transpose()?;
        match before.map(|before| self.card(before)).transpose()?.flatten() {
            None => report.find("a log has a hole", id),
            Some(before) if before.id.digest() != header.prev => report.find("a chain is broken", id),
            Some(_) => {}
        }
        Ok(())
    }

    /// The small indexes that lead to a record.
    fn verify_places(&self, number: Number, card: &Card, report: &mut Report) -> Result<(), StoreError> {
        let whose = super::keys::organisation_key(card.org);
        let left = matches!(card.state, State::Expired | State::Purged);
        let users = numbered(&users_key(&card.body, !card.is_present()), number);
        let due = super::keys::due_key(card.expires_at, number);
        let held = card.is_present() && !card.believed;
        let places = [
            (Space::Organisations, numbered(&whose, number), true),
            (Space::Quarantine, numbered(&whose, number), held),
            (Space::Uses, users, !left),
            (Space::Expiry, due, card.state != State::Expired),
        ];
        for (space, key, there) in places {
            if self.store.get(space, &key)?.is_some() != there {
                report.find(
                    "an index leads to no record, or past one",
                    format_args!("{} of {}", space.name(), card.id),
                );
            }
        }
        Ok(())
    }

    fn verify_content(
        &self,
        number: Number,
        header: &Verified<Header>,
        card: &Card,
        report: &mut Report,
        expected: &mut Expected,
    ) -> Result<(), StoreError> {
        report.bodies += 1;
        if card.believed {
            expected.counts.believed += 1;
            *expected.topics.entry(card.topic.to_string()).or_default() += 1;
        } else {
            expected.counts.held_records += 1;
            expected.counts.held_bytes += u64::from(card.compressed_len);
        }
        let Some(compressed) = self.compressed(&card.body)? else {
            report.find("a body is missing", card.id);
            return Ok(());
        };
        if check_digest(header, &compressed).is_err() {
            report.find("a body is not what its header says", card.id);
            return Ok(());
        }
        let Ok(body) = reopened(header, &compressed) else {
            report.find("a body does not open", card.id);
            return Ok(());
        };
        let mut withdrawn = 0;
        for value in indexed(&body) {
            withdrawn += u32::from(self.verify_value(number, value, card, report)?);
        }
        if withdrawn != card.withdrawn {
            report.find("the withdrawn values are not as many as noted", card.id);
        }
        let shown = indexed(&body).len() as u64 - u64::from(withdrawn);
        expected.withdrawn += u64::from(withdrawn);
        *(match home_of(card) {
            Space::Opinions => &mut expected.opined,
            Space::HeldOpinions => &mut expected.held_opined,
            Space::Seen => &mut expected.seen,
            _ => &mut expected.held,
        }) += shown;
        Ok(())
    }

    /// One value is in one space. True when that is the withdrawn ones'.
    fn verify_value(
        &self,
        number: Number,
        value: &Observable,
        card: &Card,
        report: &mut Report,
    ) -> Result<bool, StoreError> {
        let key = value.key();
        let further = numbered(&key, number);
        let withdrawn = card.withdrawn > 0 && self.store.get(Space::Withdrawn, &further)?.is_some();
        let space = home_of(card);
        let holder = self.store.get(space, &key)?.as_deref().map(holder_of).transpose()?;
        let shown = match holder {
            None if card.kind == Kind::OPINION => self.store.get(space, &further)?.is_some(),
            Some(holder) if holder == number => true,
            Some(_) => self.store.get(space, &further)?.is_some(),
            None => false,
        };
        if shown == withdrawn {
            report.find(
                "a value is not where it should be in the index",
                format_args!("{value} of {}", card.id),
            );
        } else {
            report.observables += 1;
        }
        Ok(withdrawn)
    }
}
