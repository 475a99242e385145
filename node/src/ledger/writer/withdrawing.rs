//! Withdrawals: the same organisation takes back a record, or some of its observables.
//!
//! Either may come first. A withdrawal whose target is not here waits for it under the target's id; a body that comes after
//! its withdrawal is stored as withdrawn. While only the header of a withdrawal is here, nobody knows what it covers: a body
//! that comes then is withheld as a whole, so that a late joiner does not show for a moment what others took back long ago.

use std::collections::BTreeSet;

use starfish_protocol::{
    observable::Observable,
    record::{Body, Header, Kind, RecordId, Withdrawal},
    time::Millis,
};

use crate::{
    ledger::{
        catalogue::{Card, EntryKind, State, reopened},
        keys::{Number, due_key, number_of, numbered, numbered_end, pending, users_key, withdrawal_key},
    },
    store::{Space, StoreError},
};

use super::{
    Writer,
    placing::{Move, Select, home_of, indexed},
};

/// How many withdrawals of one record are read at a time.
const PAGE: usize = 256;

/// What of a record is withdrawn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    None,
    Some {
        /// Rising.
        values: Vec<Observable>,
        /// The withdrawal, when it is a single one.
        cause: Option<RecordId>,
    },
    All {
        /// True when that is only assumed, because a withdrawal's content is not here.
        withheld: bool,
        /// The withdrawal, when it is known.
        cause: Option<RecordId>,
    },
}

impl Writer<'_> {
    /// What the withdrawals that are here say about a record.
    pub(super) fn withdrawn_part(&self, card: &Card) -> Result<Part, StoreError> {
        let (mut values, mut causes, mut withheld) = (BTreeSet::new(), BTreeSet::new(), false);
        let key = withdrawal_key(&card.id, card.org);
        let end = numbered_end(&key);
        let mut from = numbered(&key, 0);
        loop {
            let rows = self.draft.rows(Space::Withdrawals, &from, &end, PAGE)?;
            for (key, _) in &rows {
                let number = number_of(key)?;
                let by = self.draft.card(number)?;
                if !may_withdraw(&by, card) || self.is_void(number, &by)? {
                    continue;
                }
                match self.withdrawal(number, &by)? {
                    Some(withdrawal) if withdrawal.target != card.id => {}
                    Some(withdrawal) if withdrawal.observables.is_empty() => {
                        return Ok(Part::All {
                            withheld: false,
                            cause: Some(by.id),
                        });
                    }
                    Some(withdrawal) => {
                        values.extend(withdrawal.observables);
                        causes.insert(by.id);
                    }
                    None => withheld |= by.state == State::Waiting,
                }
            }
            match rows.last() {
                Some((last, _)) if rows.len() == PAGE => from = [last.as_slice(), &[0]].concat(),
                _ => break,
            }
        }
        Ok(match (withheld, values.is_empty()) {
            (true, _) => Part::All {
                withheld: true,
                cause: None,
            },
            (false, true) => Part::None,
            (false, false) => Part::Some {
                values: values.into_iter().collect(),
                cause: causes.pop_first().filter(|_| causes.is_empty()),
            },
        })
    }

    /// The content of a withdrawal, when it is here.
    fn withdrawal(&self, number: Number, card: &Card) -> Result<Option<Withdrawal>, StoreError> {
        if !card.is_present() {
            return Ok(None);
        }
        match self.body(number, card)? {
            Body::Withdrawal(withdrawal) => Ok(Some(withdrawal)),
            Body::Indicators(_) | Body::Opinion(_) | Body::Unknown(_) => Ok(None),
        }
    }

    /// The body of a record that is present.
    pub(super) fn body(&self, number: Number, card: &Card) -> Result<Body, StoreError> {
        let header = self.draft.header(number)?;
        let header = Header::decode(header.bytes()).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
        let compressed = self.draft.compressed(&card.body)?;
        let compressed = compressed.ok_or_else(|| StoreError::corrupt("a record without its body"))?;
        reopened(&header, &compressed)
    }

    /// Applies every withdrawal that was stored and not applied yet.
    pub(super) fn apply_withdrawals(&mut self) -> Result<(), StoreError> {
        loop {
            self.draft.begin(false)?;
            let rows = self
                .draft
                .rows(Space::Pending, pending::WITHDRAWALS, pending::WITHDRAWALS_END, 1)?;
            let Some((key, _)) = rows.first() else { return Ok(()) };
            let number = number_of(key)?;
            let by = self.draft.card(number)?;
            if let Some(withdrawal) = self.withdrawal(number, &by)? {
                self.apply_withdrawal(number, &by, withdrawal)?;
            }
            self.draft.delete(Space::Pending, pending::withdrawal(number));
        }
    }

    fn apply_withdrawal(&mut self, number: Number, by: &Card, withdrawal: Withdrawal) -> Result<(), StoreError> {
        let Some(target) = self.draft.number(&withdrawal.target)? else {
            return Ok(());
        };
        let card = self.draft.card(target)?;
        if !may_withdraw(by, &card) || self.is_void(number, by)? {
            return Ok(());
        }
        match card.state {
            State::Present if card.withheld => self.reveal(target, card, (number, by.id)),
            State::Present => self.withdraw(target, card, withdrawal.observables, (number, by.id)),
            State::Waiting if withdrawal.observables.is_empty() => self.draft.set_missing(target, false),
            _ => Ok(()),
        }
    }

    fn withdraw(
        &mut self,
        number: Number,
        mut card: Card,
        asked: Vec<Observable>,
        (by, cause): (Number, RecordId),
    ) -> Result<(), StoreError> {
        let body = self.body(number, &card)?;
        let values = indexed(&body);
        let asked = if asked.is_empty() { values.to_vec() } else { asked };
        let known = if card.withdrawn == 0 {
            Vec::new()
        } else {
            self.withdrawn_values(number, values)?
        };
        let is_new = |value: &Observable| values.binary_search(value).is_ok() && known.binary_search(value).is_err();
        let new: Vec<Observable> = asked.into_iter().filter(is_new).collect();
        let first_of_nothing = values.is_empty() && card.withdrawn_at.is_none();
        if new.is_empty() && !first_of_nothing {
            return Ok(());
        }
        self.draft.begin_record(values.len())?;
        self.draft.delete(Space::Pending, pending::withdrawal(by));
        self.mark_withdrawn(number, &mut card, new.len(), values.len());
        self.draft
            .enter(&mut card, EntryKind::Withdrawn, new.len(), Some(cause));
        self.draft.put_card(number, &card);
        let select = if new.len() == values.len() {
            Select::All
        } else {
            Select::Only(new)
        };
        let moves = vec![Move::new(select, Some(home_of(&card)), Some(Space::Withdrawn))];
        let header = self.draft.header(number)?;
        self.draft.place(number, header.bytes(), values, moves)
    }

    /// A withdrawal was voided, or counts again: what is withdrawn of its target is found out anew.
    pub(super) fn weigh_again(&mut self, number: Number, by: &Card) -> Result<(), StoreError> {
        let header = self.draft.header(number)?;
        let header = Header::decode(header.bytes()).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
        for target in &header.extensions.targets {
            let Some(target) = self.draft.number(target)? else {
                continue;
            };
            let card = self.draft.card(target)?;
            let part = self.withdrawn_part(&card)?;
            let whole = matches!(part, Part::All { withheld: false, .. });
            match card.state {
                _ if !may_withdraw(by, &card) => {}
                State::Present if card.withheld => self.reveal(target, card, (number, by.id))?,
                State::Present => self.settle(target, card, part, by.id)?,
                State::Waiting => self.draft.set_missing(target, !whole)?,
                State::Purged if !whole && card.expires_at > self.draft.counts.latest => {
                    self.want_purged(target, card)?
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Brings a record from what is withdrawn of it to what should be.
    fn settle(&mut self, number: Number, mut card: Card, part: Part, by: RecordId) -> Result<(), StoreError> {
        let body = self.body(number, &card)?;
        let values = indexed(&body);
        let (should, withheld, cause) = match part {
            Part::None => (Vec::new(), false, None),
            Part::Some { values: some, cause } => (among(some, values), false, cause),
            Part::All { withheld, cause } => (values.to_vec(), withheld, cause),
        };
        let is = self.withdrawn_values(number, values)?;
        let only = |one: &[Observable], other: &[Observable]| -> Vec<Observable> {
            let lacks = |value: &&Observable| other.binary_search(value).is_err();
            one.iter().filter(lacks).cloned().collect()
        };
        let (more, back) = (only(&should, &is), only(&is, &should));
        if more.is_empty() && back.is_empty() {
            return Ok(());
        }
        self.draft.begin_record(values.len())?;
        card.withheld = withheld;
        card.withdrawn = (is.len() - back.len()) as u32;
        self.mark_withdrawn(number, &mut card, more.len(), values.len());
        if should.is_empty() {
            card.withdrawn_at = None;
        }
        if !more.is_empty() && !withheld {
            self.draft.enter(&mut card, EntryKind::Withdrawn, more.len(), cause);
        }
        if !back.is_empty() {
            self.draft.enter(&mut card, EntryKind::Released, back.len(), Some(by));
        }
        self.draft.put_card(number, &card);
        let (shown, gone) = (Some(home_of(&card)), Some(Space::Withdrawn));
        let moves = vec![
            Move::new(Select::Only(more), shown, gone),
            Move::new(Select::Only(back), gone, shown),
        ];
        let header = self.draft.header(number)?;
        self.draft.place(number, header.bytes(), values, moves)
    }

    /// What was purged because of a withdrawal that is void is looked for again.
    fn want_purged(&mut self, number: Number, mut card: Card) -> Result<(), StoreError> {
        self.draft.begin_record(0)?;
        card.state = State::Waiting;
        (card.withdrawn, card.withdrawn_at) = (0, None);
        self.draft
            .put(Space::Uses, numbered(&users_key(&card.body, true), number), []);
        self.draft.set_missing(number, true)?;
        self.draft.put_card(number, &card);
        Ok(())
    }

    /// The content of a withdrawal came for which a body had been withheld: what it does not cover is shown.
    fn reveal(&mut self, number: Number, mut card: Card, (by, cause): (Number, RecordId)) -> Result<(), StoreError> {
        let body = self.body(number, &card)?;
        let values = indexed(&body);
        let (some, whose) = match self.withdrawn_part(&card)? {
            Part::All { withheld: true, .. } => return Ok(()),
            Part::All { cause, .. } => (values.to_vec(), cause),
            Part::Some { values: some, cause } => (among(some, values), cause),
            Part::None => (Vec::new(), None),
        };
        self.draft.begin_record(values.len())?;
        self.draft.delete(Space::Pending, pending::withdrawal(by));
        card.withheld = false;
        card.withdrawn = 0;
        self.mark_withdrawn(number, &mut card, some.len(), values.len());
        if !some.is_empty() {
            self.draft.enter(&mut card, EntryKind::Withdrawn, some.len(), whose);
        }
        if some.len() < values.len() {
            self.draft
                .enter(&mut card, EntryKind::Released, values.len() - some.len(), Some(cause));
        }
        self.draft.put_card(number, &card);
        let moves = vec![Move::new(
            Select::Except(some),
            Some(Space::Withdrawn),
            Some(home_of(&card)),
        )];
        let header = self.draft.header(number)?;
        self.draft.place(number, header.bytes(), values, moves)
    }

    /// Notes that so many more of `all` observables are withdrawn; all of them are purged after a grace period.
    pub(super) fn mark_withdrawn(&mut self, number: Number, card: &mut Card, more: usize, all: usize) {
        let at = self.draft.counts.latest;
        card.withdrawn += more as u32;
        if more > 0 || all == 0 {
            card.withdrawn_at = Some(at);
        }
        if card.withdrawn as usize == all {
            let due = Millis(at.0.saturating_add(self.options.grace.0));
            self.draft.put(Space::Expiry, due_key(due, number), []);
        }
    }

    /// Which of a record's values are withdrawn, rising.
    pub(super) fn withdrawn_values(
        &self,
        number: Number,
        values: &[Observable],
    ) -> Result<Vec<Observable>, StoreError> {
        let mut found = Vec::new();
        for value in values {
            if self.draft.holds(Space::Withdrawn, &numbered(&value.key(), number))? {
                found.push(value.clone());
            }
        }
        Ok(found)
    }
}

/// Those of `some` that are `values` of the record; both are rising.
pub(super) fn among(some: Vec<Observable>, values: &[Observable]) -> Vec<Observable> {
    let is_here = |value: &Observable| values.binary_search(value).is_ok();
    some.into_iter().filter(is_here).collect()
}

/// Only the organisation that published a record withdraws it, whichever of its nodes did either.
fn may_withdraw(by: &Card, target: &Card) -> bool {
    by.kind == Kind::WITHDRAWAL && by.org.is_some() && by.org == target.org
}
