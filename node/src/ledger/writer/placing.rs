//! Where the values of a record are in the index, and how they get from one space to another.
//!
//! Of a value in `Seen` or `Held`, one record is the holder, whose number is the row's value; each further record has a row
//! of its own behind it. So a value that is new costs one write and no read, and the distinct values are the holders' rows.
//!
//! A few values move in the draft's own batch. Many do not fit into one: first the body and an [`Intent`] are written, then
//! the rows in any number of batches, last everything else. Whoever finds an unfinished intent does its moves again. That
//! gives the same rows and counts however far the first attempt came: a value counts as new when this record is its holder,
//! and as gone when it has no holder.

use serde::{Deserialize, Serialize};
use starfish_protocol::{
    observable::Observable,
    record::{Body, Header, Kind, open_body},
};

use crate::{
    ledger::{
        catalogue::{Card, Counts},
        keys::{Number, decoded, encoded, holder_of, holder_value, meta, number_of, numbered, numbered_end},
    },
    store::{BATCH_KEYS, Batch, Space, StoreError, Write},
};

use super::draft::Draft;

/// So many values, and the rest of a record's changes, fit into the room that a draft keeps free.
const FEW: usize = 100;
/// A large move writes its rows whenever so many are together; one value changes at most three.
const ROWS: usize = BATCH_KEYS - 3;

/// Some values of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Select {
    All,
    Only(Vec<Observable>),
    Except(Vec<Observable>),
}

impl Select {
    fn holds(&self, observable: &Observable) -> bool {
        match self {
            Self::All => true,
            Self::Only(some) => some.binary_search(observable).is_ok(),
            Self::Except(some) => some.binary_search(observable).is_err(),
        }
    }
}

/// Values that leave one space, enter another, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Move {
    pub(crate) select: Select,
    pub(crate) from: Option<Space>,
    pub(crate) to: Option<Space>,
}

impl Move {
    pub(crate) fn new(select: Select, from: Option<Space>, to: Option<Space>) -> Self {
        Self { select, from, to }
    }
}

/// A large move that has begun.
#[derive(Debug, Serialize, Deserialize)]
struct Intent {
    number: Number,
    /// The header's bytes, because a new record's are in `finals`.
    header: Vec<u8>,
    moves: Vec<Move>,
    finals: Vec<Write>,
    counts: Counts,
}

/// The values of a body that lead to its record.
pub(crate) fn indexed(body: &Body) -> &[Observable] {
    match body {
        Body::Indicators(bundle) => &bundle.observables,
        Body::Opinion(opinion) => &opinion.observables,
        Body::Withdrawal(_) | Body::Unknown(_) => &[],
    }
}

/// Where the values of a record are that are not withdrawn. Opinions have a place of their own: a search does not find them.
pub(crate) fn home_of(card: &Card) -> Space {
    match (card.kind, card.believed) {
        (Kind::OPINION, true) => Space::Opinions,
        (Kind::OPINION, false) => Space::HeldOpinions,
        (_, believed) => home(believed),
    }
}

/// Whether each value of each record has a row of its own there, and none is counted.
fn is_plain(space: Space) -> bool {
    matches!(space, Space::Withdrawn | Space::Opinions | Space::HeldOpinions)
}

/// Where values are that a search finds: among the believed ones, or in quarantine.
pub(crate) fn home(believed: bool) -> Space {
    if believed { Space::Seen } else { Space::Held }
}

impl Draft<'_> {
    /// Makes room for the changes of one record with so many values.
    pub(crate) fn begin_record(&mut self, values: usize) -> Result<(), StoreError> {
        self.begin(values > FEW)
    }

    /// The last step of a record's change: moves its values, together with everything since `begin_record`.
    pub(crate) fn place(
        &mut self,
        number: Number,
        header: &[u8],
        values: &[Observable],
        moves: Vec<Move>,
    ) -> Result<(), StoreError> {
        self.moved += values.len();
        if values.len() <= FEW {
            return self.carry_out(number, values, &moves, None);
        }
        let (bodies, finals) = self
            .take_writes()
            .partition(|write| write.space == Space::Bodies && write.value.is_some());
        let intent = Intent {
            number,
            header: header.to_vec(),
            moves,
            finals,
            counts: self.counts,
        };
        let mut first: Vec<Write> = bodies;
        first.push(Write {
            space: Space::Meta,
            key: meta::INTENT.to_vec(),
            value: Some(encoded(&intent)),
        });
        self.store.write(&Batch::from_iter(first))?;
        self.finish(intent, values)
    }

    /// Does an unfinished intent again, if there is one.
    pub(crate) fn mend(&mut self) -> Result<bool, StoreError> {
        let Some(value) = self.get(Space::Meta, meta::INTENT)? else {
            return Ok(false);
        };
        let intent: Intent = decoded(&value)?;
        let broken = |_| StoreError::corrupt("the header of an unfinished change does not decode");
        let header = Header::decode(&intent.header).map_err(broken)?;
        let compressed = self.compressed(&header.body_digest)?;
        let compressed = compressed.ok_or_else(|| StoreError::corrupt("an unfinished change without its body"))?;
        let body = open_body(&header, &compressed).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
        self.counts = intent.counts;
        self.finish(intent, indexed(&body))?;
        Ok(true)
    }

    fn finish(&mut self, intent: Intent, values: &[Observable]) -> Result<(), StoreError> {
        self.carry_out(intent.number, values, &intent.moves, Some(ROWS))?;
        self.commit_rows()?;
        for Write { space, key, value } in intent.finals {
            self.writes.insert((space, key), value);
        }
        self.delete(Space::Meta, meta::INTENT);
        self.commit()
    }

    /// Moves values; `room` is given for a large move, whose rows are written on the way.
    fn carry_out(
        &mut self,
        number: Number,
        values: &[Observable],
        moves: &[Move],
        room: Option<usize>,
    ) -> Result<(), StoreError> {
        for Move { select, from, to } in moves {
            let keys: Vec<Vec<u8>> = values
                .iter()
                .filter(|value| select.holds(value))
                .map(Observable::key)
                .collect();
            if let Some(space) = *from {
                for key in &keys {
                    self.leave(space, key, number, room.is_some())?;
                    if room.is_some_and(|room| self.writes.len() > room) {
                        self.commit_rows()?;
                    }
                }
            }
            match (*to, room) {
                (None, _) => {}
                (Some(space), None) => keys.iter().try_for_each(|key| self.arrive(space, key, number))?,
                (Some(space), Some(_)) => self.arrive_many(space, keys, number)?,
            }
        }
        Ok(())
    }

    fn distinct(&mut self, space: Space) -> &mut u64 {
        if space == Space::Seen {
            &mut self.counts.observables
        } else {
            &mut self.counts.held_observables
        }
    }

    fn arrive(&mut self, space: Space, key: &[u8], number: Number) -> Result<(), StoreError> {
        if is_plain(space) {
            self.put(space, numbered(key, number), []);
            return Ok(());
        }
        match self.get(space, key)? {
            None => {
                self.put(space, key, holder_value(number));
                *self.distinct(space) += 1;
            }
            Some(holder) if holder_of(&holder)? == number => {}
            Some(_) => self.put(space, numbered(key, number), []),
        }
        Ok(())
    }

    fn arrive_many(&mut self, space: Space, keys: Vec<Vec<u8>>, number: Number) -> Result<(), StoreError> {
        // What left is written first: the same key may be among both.
        self.commit_rows()?;
        if is_plain(space) {
            let rows: Vec<_> = keys.iter().map(|key| (numbered(key, number), Vec::new())).collect();
            return self.store.add(space, &rows).map(|_| ());
        }
        let holder = holder_value(number);
        let rows: Vec<_> = keys.into_iter().map(|key| (key, holder.clone())).collect();
        let present = self.store.add(space, &rows)?;
        let mut new = rows.len() - present.len();
        let mut further = Vec::new();
        for (place, value) in present {
            if holder_of(&value)? == number {
                new += 1;
            } else {
                further.push((numbered(&rows[place].0, number), Vec::new()));
            }
        }
        *self.distinct(space) += new as u64;
        self.store.add(space, &further).map(|_| ())
    }

    /// `repeated`: a value without a holder lost it to an earlier attempt at this same move.
    fn leave(&mut self, space: Space, key: &[u8], number: Number, repeated: bool) -> Result<(), StoreError> {
        if is_plain(space) {
            self.delete(space, numbered(key, number));
            return Ok(());
        }
        let Some(holder) = self.get(space, key)? else {
            let distinct = self.distinct(space);
            *distinct = distinct.saturating_sub(u64::from(repeated));
            return Ok(());
        };
        if holder_of(&holder)? != number {
            self.delete(space, numbered(key, number));
            return Ok(());
        }
        let next = self.rows(space, &numbered(key, 0), &numbered_end(key), 1)?;
        match next.first() {
            Some((next, _)) => {
                self.put(space, key, holder_value(number_of(next)?));
                self.delete(space, next.as_slice());
            }
            None => {
                self.delete(space, key);
                let distinct = self.distinct(space);
                *distinct = distinct.saturating_sub(1);
            }
        }
        Ok(())
    }
}
