//! What overrides the word about an organisation: cuts of the logs of a revoked node, and the operator's decisions on single
//! records; and the log in which every decision is written down. In order of weight: a cut, because everything behind it may be a thief's; the operator's release; that a record
//! is our own; what its organisation is believed for.

use starfish_crypto::PublicKey;
use starfish_protocol::{
    engine::port::Audit,
    limits,
    organisation::OrgId,
    record::{Header, RecordId},
    statement::LogPosition,
};

use crate::{
    ledger::{
        catalogue::{Card, Decision, EntryKind, State},
        keys::{Number, cut_key, decoded, digest_key, encoded, logs_key, meta, number_key, number_of, pending},
        reading::END,
    },
    store::{Space, StoreError},
};

use super::{ROWS, Writer};

/// So many lines of the audit log are looked at for the same one: as many as one step of the engine may bring.
const TOLD_AGAIN: u64 = 128;

impl Writer<'_> {
    /// Notes how far what a node wrote for an organisation counts from now on; its records follow in slices.
    pub(super) fn cut(
        &mut self,
        node: &PublicKey,
        org: OrgId,
        last_good: Option<&[LogPosition]>,
    ) -> Result<(), StoreError> {
        let (key, cut) = (cut_key(node, Some(org)), last_good.map(|places| encoded(&places)));
        if self.draft.get(Space::Cuts, &key)? == cut {
            return Ok(());
        }
        match cut {
            Some(cut) => self.draft.put(Space::Cuts, key, cut),
            None => self.draft.delete(Space::Cuts, key),
        }
        self.draft.put(Space::Pending, pending::cut(node), logs_key(node));
        Ok(())
    }

    /// Looks again at records of nodes that were cut, until the slice is spent.
    pub(super) fn cut_some(&mut self, limit: usize) -> Result<(), StoreError> {
        while !self.is_spent(limit) {
            self.draft.begin(false)?;
            let rows = self.draft.rows(Space::Pending, pending::CUTS, pending::CUTS_END, 1)?;
            let Some((key, from)) = rows.first() else { break };
            let node = pending::cut_of(key).ok_or_else(|| StoreError::corrupt("pending work of no kind"))?;
            let end = [logs_key(&node).as_slice(), END].concat();
            let records = self.draft.rows(Space::Logs, from, &end, ROWS)?;
            let done = self.work_through(&records, limit, |writer, (_, number)| {
                let number = number_of(number)?;
                writer.judge_record(number)?;
                let card = writer.draft.card(number)?;
                writer.weigh_again(number, &card)
            })?;
            match done {
                (Some(last), is_all) if !is_all || records.len() == ROWS => {
                    let next = [last, &[0]].concat();
                    self.draft.put(Space::Pending, key.as_slice(), next);
                }
                _ => self.draft.delete(Space::Pending, key.as_slice()),
            }
        }
        Ok(())
    }

    /// Whether a record is behind the place at which its node was cut. Its header is in the draft or in the store.
    pub(super) fn is_void(&self, number: Number, card: &Card) -> Result<bool, StoreError> {
        let Some(cut) = self.draft.get(Space::Cuts, &cut_key(&card.author, card.org))? else {
            return Ok(false);
        };
        let last_good: Vec<LogPosition> = decoded(&cut)?;
        let header = self.draft.header(number)?;
        let header = Header::decode(header.bytes()).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
        Ok(is_behind(&last_good, &header, card.id))
    }

    /// What the operator decided on a record.
    pub(super) fn decision(&self, record: &RecordId) -> Result<Option<Decision>, StoreError> {
        let noted = self.draft.get(Space::Decisions, digest_key(&record.digest()))?;
        noted.map(|value| decoded(&value)).transpose()
    }

    fn decide(&mut self, record: &RecordId, decision: Decision) {
        let key = record.digest();
        self.draft.put(Space::Decisions, *key.as_bytes(), encoded(&decision));
    }

    /// The operator believes a record. It may be one that is not here yet: the journal comes before the mesh.
    pub(super) fn release(&mut self, record: &RecordId) -> Result<(), StoreError> {
        self.decide(record, Decision::Released);
        match self.draft.number(record)? {
            Some(number) => self.judge_record(number),
            None => Ok(()),
        }
    }

    /// Adds a line to the audit log. One that is there already was told again after a failure.
    pub(super) fn write_down(&mut self, audit: &Audit) -> Result<(), StoreError> {
        // What follows from a decision happens no earlier than it.
        self.see(audit.at);
        let last: u64 = self
            .draft
            .get(Space::Meta, meta::AUDIT)?
            .map_or(Ok(0), |value| decoded(&value))?;
        let line = encoded(audit);
        let from = number_key(last.saturating_sub(TOLD_AGAIN));
        if self.draft.has_value(Space::Audit, &from, &line)? {
            return Ok(());
        }
        self.draft.put(Space::Audit, number_key(last + 1), line);
        if let Some(oldest) = (last + 1).checked_sub(limits::AUDIT_LINES) {
            self.draft.delete(Space::Audit, number_key(oldest));
        }
        self.draft.put(Space::Meta, meta::AUDIT, encoded(&(last + 1)));
        Ok(())
    }

    /// The operator throws a record of the quarantine away. One that is believed by now is left where it is.
    pub(super) fn throw_away(&mut self, record: &RecordId) -> Result<(), StoreError> {
        let Some(number) = self.draft.number(record)? else {
            self.decide(record, Decision::Dropped);
            return Ok(());
        };
        let mut card = self.draft.card(number)?;
        match card.state {
            State::Present if card.believed => return Ok(()),
            State::Present => {
                self.decide(record, Decision::Dropped);
                return self.remove(number, card, State::Dropped, Some(EntryKind::Dropped), None);
            }
            State::Waiting => {
                self.draft.begin_record(0)?;
                card.state = State::Dropped;
                self.draft.set_missing(number, false)?;
                self.draft.put_card(number, &card);
            }
            _ => {}
        }
        self.decide(record, Decision::Dropped);
        Ok(())
    }
}

/// Whether a record is behind every place that is surely right.
pub(in crate::ledger) fn is_behind(last_good: &[LogPosition], header: &Header, id: RecordId) -> bool {
    let covers = |good: &LogPosition| good.covers(header.audience, header.epoch, header.seq, id);
    !last_good.iter().any(covers)
}
