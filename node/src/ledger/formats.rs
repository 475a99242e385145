//! The version of the store's content, and the steps that bring an older store forward.
//!
//! A step may be interrupted: the next opening does it again, so each leads to the same rows however often it is begun.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use starfish_crypto::Signed;
use starfish_protocol::{
    organisation::OrgId,
    record::{Body, Header, Kind},
    statement::Scope,
    trust::Acceptance,
};

use crate::store::{BATCH_KEYS, Batch, Space, Store, StoreError};

use super::{
    catalogue::{Card, reopened},
    keys::{Number, decoded, encoded, meta, number_key, number_of, numbered, organisation_key, pending},
    reading::END,
    writer::{home_of, stored_rows},
};

/// The version of the store's content. Only ever raised, with a step in [`MIGRATIONS`].
pub const FORMAT: u32 = 3;

/// Brings the content of a store one version forward.
type Migration = fn(&dyn Store) -> Result<(), StoreError>;

/// `MIGRATIONS[n]` leads from version n + 1 to n + 2.
const MIGRATIONS: [Migration; FORMAT as usize - 1] = [to_second, to_third];

/// Checks the version of a store, brings an older one forward, and marks a new one.
pub(super) fn prepare(store: &dyn Store) -> Result<(), StoreError> {
    let format = match store.get(Space::Meta, meta::FORMAT)? {
        Some(value) => decoded(&value)?,
        None => FORMAT,
    };
    if format > FORMAT {
        return Err(StoreError::Newer {
            found: format,
            known: FORMAT,
        });
    }
    let steps = MIGRATIONS.get(format.saturating_sub(1) as usize..).unwrap_or_default();
    steps.iter().try_for_each(|step| step(store))?;
    let mut batch = Batch::default();
    batch.put(Space::Meta, meta::FORMAT, encoded(&FORMAT));
    store.write(&batch)
}

fn to_second(store: &dyn Store) -> Result<(), StoreError> {
    keep_verdicts(store)?;
    index_opinions(store)
}

/// The second version knew no exceptions from what an organisation is believed about.
fn to_third(store: &dyn Store) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for (key, value) in stored_rows(store, Space::Acceptances, &[], END, usize::MAX)? {
        // What an interrupted attempt wrote, or the step before, has both lists.
        if decoded::<Acceptance>(&value).is_err() {
            let scopes: Vec<Scope> = decoded(&value)?;
            batch.put(Space::Acceptances, key, encoded(&Acceptance::new(scopes)));
        }
    }
    batch
        .writes()
        .chunks(BATCH_KEYS)
        .try_for_each(|writes| store.write(&writes.iter().cloned().collect()))
}

/// The first version kept opinions unread.
fn index_opinions(store: &dyn Store) -> Result<(), StoreError> {
    let mut opinions = Vec::new();
    each_card(store, |number, card| {
        if card.kind == Kind::OPINION && card.is_present() {
            opinions.push(number);
        }
    })?;
    opinions.into_iter().try_for_each(|number| index_opinion(store, number))
}

fn index_opinion(store: &dyn Store, number: Number) -> Result<(), StoreError> {
    let key = number_key(number);
    let (Some(card), Some(header)) = (store.get(Space::Records, &key)?, store.get(Space::Headers, &key)?) else {
        return Ok(());
    };
    let mut card: Card = decoded(&card)?;
    let header: Signed = decoded(&header)?;
    let header = Header::decode(header.bytes()).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
    let Some(compressed) = store.get(Space::Bodies, card.body.as_bytes())? else {
        return Ok(());
    };
    let Body::Opinion(opinion) = reopened(&header, &compressed)? else {
        return Ok(());
    };
    // It could only be withdrawn as a whole: nobody knew what it holds.
    let gone = card.withheld || card.withdrawn_at.is_some();
    let space = if gone { Space::Withdrawn } else { home_of(&card) };
    let mut batch = Batch::default();
    for value in &opinion.observables {
        batch.put(space, numbered(&value.key(), number), []);
    }
    card.confidence = opinion.confidence;
    card.context = opinion.reason;
    card.withdrawn = if gone { card.items } else { 0 };
    batch.put(Space::Records, key, encoded(&card));
    store.write(&batch)
}

/// The first version kept a verdict on every card and none for an organisation. An organisation of which anything is
/// believed was believed whole; a judgement that was not carried out to its end is the newer word.
fn keep_verdicts(store: &dyn Store) -> Result<(), StoreError> {
    let mut believed: BTreeMap<OrgId, bool> = believed_in(store)?.into_iter().map(|org| (org, true)).collect();
    let mut batch = Batch::default();
    for (key, value) in stored_rows(store, Space::Pending, pending::JUDGEMENTS, pending::EXPIRE, usize::MAX)? {
        let org = pending::judged_of(&key).ok_or_else(|| StoreError::corrupt("pending work of no kind"))?;
        // The second version's rows are numbers alone, and no number has this form.
        if let Ok((verdict, next)) = decoded::<(bool, Number)>(&value) {
            believed.insert(org, verdict);
            batch.put(Space::Pending, key, encoded(&next));
        }
    }
    let mut rows = Vec::new();
    for (org, verdict) in believed {
        let key = organisation_key(Some(org));
        // What an interrupted attempt wrote stands: the row that it came from may have been changed already.
        if store.get(Space::Acceptances, &key)?.is_none() {
            let acceptance = if verdict {
                Acceptance::everything()
            } else {
                Acceptance::nothing()
            };
            rows.push((key, acceptance));
        }
    }
    for rows in rows.chunks(BATCH_KEYS) {
        let mut batch = Batch::default();
        for (key, acceptance) in rows {
            batch.put(Space::Acceptances, key.as_slice(), encoded(acceptance));
        }
        store.write(&batch)?;
    }
    // Last: until these rows are changed, they say which verdicts are newer than the cards.
    batch
        .writes()
        .chunks(BATCH_KEYS)
        .try_for_each(|writes| store.write(&writes.iter().cloned().collect()))
}

/// The organisations of which some record is believed.
fn believed_in(store: &dyn Store) -> Result<BTreeSet<OrgId>, StoreError> {
    let mut found = BTreeSet::new();
    each_card(store, |_, card| found.extend(card.org.filter(|_| card.believed)))?;
    Ok(found)
}

fn each_card(store: &dyn Store, mut each: impl FnMut(Number, Card)) -> Result<(), StoreError> {
    let mut failed = Ok(());
    store.scan(Space::Records, &[], &mut |key, value| {
        match number_of(key).and_then(|number| Ok((number, decoded(value)?))) {
            Ok((number, card)) => each(number, card),
            Err(error) => failed = Err(error),
        }
        if failed.is_ok() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    failed
}
