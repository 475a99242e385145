//! Changes of trust: one small row says that an organisation was judged anew, and its records follow in slices, each with a
//! ledger entry of its own, so that no cursor misses what rose from quarantine or fell into it.

use starfish_protocol::{organisation::OrgId, record::Body, trust::Acceptance};

use crate::{
    ledger::{
        catalogue::{Card, Decision, EntryKind, State},
        keys::{Number, decoded, encoded, number_of, numbered, numbered_end, organisation_key, pending},
    },
    store::{Space, StoreError},
};

use super::{
    ROWS, Writer,
    placing::{Move, Select, home_of, indexed},
};

impl Writer<'_> {
    /// Notes which records of an organisation count from now on; the newest word counts and begins anew. The same word
    /// again is no news.
    pub(super) fn judge(&mut self, org: OrgId, acceptance: &Acceptance) -> Result<(), StoreError> {
        let key = organisation_key(Some(org));
        if self.acceptance(&key)? == *acceptance {
            return Ok(());
        }
        if acceptance.is_nothing() {
            self.draft.delete(Space::Acceptances, key);
        } else {
            self.draft.put(Space::Acceptances, key, encoded(acceptance));
        }
        self.draft
            .put(Space::Pending, pending::judgement(org), encoded(&Number::MIN));
        Ok(())
    }

    /// Which records of an organisation count; unless somebody said so, none.
    fn acceptance(&self, organisation: &[u8]) -> Result<Acceptance, StoreError> {
        let noted = self.draft.get(Space::Acceptances, organisation)?;
        noted.map_or(Ok(Acceptance::nothing()), |value| decoded(&value))
    }

    /// Whether a record is believed; `None` when that depends on what its body holds.
    fn verdict_unread(&self, number: Number, card: &Card) -> Result<Option<bool>, StoreError> {
        if self.is_void(number, card)? {
            return Ok(Some(false));
        }
        match card.org {
            _ if card.own || self.decision(&card.id)? == Some(Decision::Released) => Ok(Some(true)),
            None => Ok(Some(false)),
            org => Ok(self.acceptance(&organisation_key(org))?.of_topic(&card.topic)),
        }
    }

    /// Whether a record with this body is believed.
    pub(super) fn verdict(&self, number: Number, card: &Card, body: &Body) -> Result<bool, StoreError> {
        match self.verdict_unread(number, card)? {
            Some(believed) => Ok(believed),
            None => Ok(self.acceptance(&organisation_key(card.org))?.covers(&card.topic, body)),
        }
    }

    /// Judges records of organisations that were judged anew, until the slice is spent.
    pub(super) fn judge_some(&mut self, limit: usize) -> Result<(), StoreError> {
        // What is done is not gone from the store before it is committed: whoever began anew would read all of it each time.
        let mut from = pending::JUDGEMENTS.to_vec();
        while !self.is_spent(limit) {
            self.draft.begin(false)?;
            let rows = self.draft.rows(Space::Pending, &from, pending::EXPIRE, 1)?;
            let Some((key, value)) = rows.first() else { break };
            let org = pending::judged_of(key).ok_or_else(|| StoreError::corrupt("pending work of no kind"))?;
            let next: Number = decoded(value)?;
            let whose = organisation_key(Some(org));
            let records = self.draft.rows(
                Space::Organisations,
                &numbered(&whose, next),
                &numbered_end(&whose),
                ROWS,
            )?;
            let done = self.work_through(&records, limit, |writer, (row, _)| writer.judge_record(number_of(row)?))?;
            match done {
                (Some(last), is_all) if !is_all || records.len() == ROWS => {
                    let next = number_of(last)? + 1;
                    self.draft.put(Space::Pending, key.as_slice(), encoded(&next));
                }
                _ => {
                    self.draft.delete(Space::Pending, key.as_slice());
                    from = [key.as_slice(), &[0]].concat();
                }
            }
        }
        Ok(())
    }

    /// Moves a record to where it belongs by now.
    pub(super) fn judge_record(&mut self, number: Number) -> Result<(), StoreError> {
        let mut card = self.draft.card(number)?;
        let unread = self.verdict_unread(number, &card)?;
        if !card.is_present() {
            return self.want_again(number, card, unread);
        }
        if unread == Some(card.believed) {
            return Ok(());
        }
        let body = self.body(number, &card)?;
        let believed = self.verdict(number, &card, &body)?;
        if believed == card.believed {
            return Ok(());
        }
        let values = indexed(&body);
        let withdrawn = if card.withdrawn == 0 {
            Vec::new()
        } else {
            self.withdrawn_values(number, values)?
        };
        self.draft.begin_record(values.len())?;
        self.count_out(number, &mut card)?;
        let from = home_of(&card);
        card.believed = believed;
        self.count_in(number, &mut card)?;
        let kind = if believed {
            EntryKind::Released
        } else {
            EntryKind::Retracted
        };
        self.draft.enter(&mut card, kind, values.len() - withdrawn.len(), None);
        self.draft.put_card(number, &card);
        let to = home_of(&card);
        let moves = vec![Move::new(Select::Except(withdrawn), Some(from), Some(to))];
        let header = self.draft.header(number)?;
        self.draft.place(number, header.bytes(), values, moves)
    }

    /// What the quarantine had no room for is looked for again once it may be believed.
    fn want_again(&mut self, number: Number, mut card: Card, unread: Option<bool>) -> Result<(), StoreError> {
        let thrown_away = self.decision(&card.id)? == Some(Decision::Dropped);
        if card.state != State::Dropped || thrown_away || unread == Some(false) {
            return Ok(());
        }
        self.draft.begin_record(0)?;
        card.state = State::Waiting;
        self.draft.set_missing(number, true)?;
        self.draft.put_card(number, &card);
        Ok(())
    }
}
