//! Changes of trust: one small row says that an organisation was judged anew, and its records follow in slices, each with a
//! ledger entry of its own, so that no cursor misses what rose from quarantine or fell into it.

use starfish_protocol::organisation::OrgId;

use crate::{
    ledger::{
        catalogue::{EntryKind, State},
        keys::{Number, decoded, encoded, number_of, numbered, numbered_end, organisation_key, pending},
    },
    store::{Space, StoreError},
};

use super::{
    Writer,
    placing::{Move, Select, home, indexed},
};

impl Writer<'_> {
    /// Notes the new verdict; the newest one counts and begins anew.
    pub(super) fn judge(&mut self, org: OrgId, believed: bool) {
        self.draft.put(
            Space::Pending,
            pending::judgement(org),
            encoded(&(believed, Number::MIN)),
        );
    }

    /// Judges at most `limit` records; how many of `limit` are left for other work.
    pub(super) fn judge_some(&mut self, limit: usize) -> Result<usize, StoreError> {
        let mut left = limit;
        while left > 0 {
            self.draft.begin(false)?;
            let rows = self
                .draft
                .rows(Space::Pending, pending::JUDGEMENTS, pending::EXPIRE, 1)?;
            let Some((key, value)) = rows.first() else { break };
            let org = pending::judged_of(key).ok_or_else(|| StoreError::corrupt("pending work of no kind"))?;
            let (believed, next): (bool, Number) = decoded(value)?;
            let whose = organisation_key(Some(org));
            let records = self.draft.rows(
                Space::Organisations,
                &numbered(&whose, next),
                &numbered_end(&whose),
                left,
            )?;
            for (key, _) in &records {
                self.judge_record(number_of(key)?, believed)?;
            }
            match records.last() {
                Some((last, _)) if records.len() == left => {
                    let next = number_of(last)? + 1;
                    self.draft
                        .put(Space::Pending, key.as_slice(), encoded(&(believed, next)));
                }
                _ => self.draft.delete(Space::Pending, key.as_slice()),
            }
            // An organisation without records is work too, or a thousand of them would be one slice.
            left = left.saturating_sub(records.len().max(1));
        }
        Ok(left)
    }

    fn judge_record(&mut self, number: Number, believed: bool) -> Result<(), StoreError> {
        let mut card = self.draft.card(number)?;
        if card.believed == believed {
            return Ok(());
        }
        if !card.is_present() {
            self.draft.begin_record(0)?;
            card.believed = believed;
            if believed && card.state == State::Dropped {
                card.state = State::Waiting;
                self.draft.set_missing(number, true)?;
            }
            self.draft.put_card(number, &card);
            return Ok(());
        }
        let body = self.body(number, &card)?;
        let values = indexed(&body);
        let withdrawn = if card.withdrawn == 0 {
            Vec::new()
        } else {
            self.withdrawn_values(number, values)?
        };
        self.draft.begin_record(values.len())?;
        self.count_out(number, &mut card)?;
        let from = Some(home(card.believed));
        card.believed = believed;
        self.count_in(number, &mut card)?;
        let kind = if believed {
            EntryKind::Released
        } else {
            EntryKind::Retracted
        };
        self.draft.enter(&mut card, kind, values.len() - withdrawn.len(), None);
        self.draft.put_card(number, &card);
        let moves = vec![Move::new(Select::Except(withdrawn), from, Some(home(believed)))];
        let header = self.draft.header(number)?;
        self.draft.place(number, header.bytes(), values, moves)
    }
}
