//! The other direction: every row of the store belongs to a record, and the counters are right.

use std::ops::ControlFlow;

use starfish_crypto::{Signed, Strict};
use starfish_protocol::{observable::Observable, record::Header, statement::Statement, wire::Head};

use crate::{
    ledger::{
        Ledger,
        catalogue::{Counts, Entry},
        keys::{decoded, log_key, number_of, position_key, users_key},
    },
    store::{Space, Store, StoreError},
};

use super::{Expected, Report};

impl<S: Store> Ledger<S> {
    pub(super) fn verify_rows(
        &self,
        counts: &Counts,
        expected: &mut Expected,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        for (space, rows) in [
            (Space::Seen, expected.seen),
            (Space::Held, expected.held),
            (Space::Opinions, expected.opined),
            (Space::HeldOpinions, expected.held_opined),
            (Space::Withdrawn, expected.withdrawn),
        ] {
            let (found, distinct) = self.verify_index(space, report)?;
            match space {
                Space::Seen => expected.counts.observables = distinct,
                Space::Held => expected.counts.held_observables = distinct,
                _ => {}
            }
            if found != rows {
                let which = format_args!("{}: {found} rows where records have {rows}", space.name());
                report.find("the index has other rows than the records", which);
            }
        }
        for (space, records) in [
            (Space::Headers, true),
            (Space::Records, true),
            (Space::Ids, true),
            (Space::Logs, true),
        ] {
            let rows = self.count_rows(space)?;
            if records && rows != counts.records {
                let which = format_args!("{}: {rows} rows for {} records", space.name(), counts.records);
                report.find("an index has other rows than records", which);
            }
        }
        self.verify_bodies(expected, report)?;
        self.verify_topics(expected, report)?;
        self.verify_serials(counts, report)?;
        self.verify_heads(report)?;
        self.verify_statements(report)?;
        compare(counts, &expected.counts, report);
        Ok(())
    }

    fn each(
        &self,
        space: Space,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut failed = Ok(());
        self.store.scan(space, &[], &mut |key, value| match each(key, value) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Err(error);
                ControlFlow::Break(())
            }
        })?;
        failed
    }

    fn count_rows(&self, space: Space) -> Result<u64, StoreError> {
        let mut rows = 0;
        self.each(space, |_, _| {
            rows += 1;
            Ok(())
        })?;
        Ok(rows)
    }

    /// How many rows a space of the index has, and how many distinct values.
    fn verify_index(&self, space: Space, report: &mut Report) -> Result<(u64, u64), StoreError> {
        let (mut rows, mut distinct) = (0, 0);
        let mut held: Vec<u8> = Vec::new();
        self.each(space, |key, value| {
            rows += 1;
            let further = value.is_empty();
            let of = if further {
                &key[..key.len().saturating_sub(8)]
            } else {
                key
            };
            if !further {
                distinct += 1;
                held = of.to_vec();
            } else if matches!(space, Space::Seen | Space::Held) && held != of {
                report.find(
                    "a value has no first record",
                    format_args!("{}: {of:02x?}", space.name()),
                );
            }
            if Observable::from_key(of).is_none() {
                report.find("a key is no observable", format_args!("{}: {of:02x?}", space.name()));
            }
            Ok(())
        })?;
        Ok((rows, distinct))
    }

    fn verify_bodies(&self, expected: &mut Expected, report: &mut Report) -> Result<(), StoreError> {
        let mut bodies = Vec::new();
        self.each(Space::Bodies, |key, _| {
            bodies.push(<[u8; 32]>::try_from(key).map_err(|_| StoreError::corrupt("a body without its digest"))?);
            Ok(())
        })?;
        expected.counts.bodies = bodies.len() as u64;
        for digest in bodies {
            let users = users_key(&starfish_crypto::Digest::from_bytes(digest), false);
            let mut used = false;
            self.store.scan(Space::Uses, &users, &mut |key, _| {
                used = key.starts_with(&users);
                ControlFlow::Break(())
            })?;
            if !used {
                report.find("a body belongs to no record", format_args!("{digest:02x?}"));
            }
        }
        Ok(())
    }

    fn verify_topics(&self, expected: &Expected, report: &mut Report) -> Result<(), StoreError> {
        let held = self.topics()?;
        let held = held.into_iter().map(|held| (held.topic, held.records));
        if !held.eq(expected.topics.iter().map(|(topic, records)| (topic.clone(), *records))) {
            report.find("a topic is counted wrongly", expected.topics.len());
        }
        Ok(())
    }

    fn verify_serials(&self, counts: &Counts, report: &mut Report) -> Result<(), StoreError> {
        let mut next = counts.first_serial + 1;
        self.each(Space::Serials, |key, value| {
            let serial = number_of(key)?;
            let entry: Option<Entry> = decoded(value).ok();
            if serial != next || entry.is_none_or(|entry| entry.serial != serial) {
                report.find("the serials have a gap", serial);
            }
            next = serial + 1;
            Ok(())
        })?;
        if next != counts.serial + 1 {
            report.find("the serials end too early or too late", next);
        }
        Ok(())
    }

    fn verify_heads(&self, report: &mut Report) -> Result<(), StoreError> {
        self.each(Space::Heads, |key, value| {
            let head: Head = decoded(value)?;
            let number = self.store.get(Space::Logs, &position_key(&head.log, head.seq))?;
            let number = number.as_deref().map(number_of).transpose()?;
            let card = number.map(|number| self.card(number)).transpose()?.flatten();
            let next = self
                .store
                .get(Space::Logs, &position_key(&head.log, head.seq.saturating_add(1)))?;
            if key != log_key(&head.log) || next.is_some() || card.is_none_or(|card| card.id.digest() != head.id) {
                report.find("a log ends elsewhere than noted", head.seq);
            }
            Ok(())
        })
    }

    fn verify_statements(&self, report: &mut Report) -> Result<(), StoreError> {
        self.each(Space::Statements, |_, value| {
            if decoded::<Statement>(value).is_err() {
                report.find("a statement does not decode", value.len());
            }
            Ok(())
        })?;
        self.each(Space::Forks, |author, value| {
            let holds = |signed: Signed| {
                signed
                    .verify::<Header>(&Strict)
                    .is_ok_and(|one| one.author.as_bytes() == author)
            };
            let pair: Option<(Signed, Signed)> = decoded(value).ok();
            if !pair.is_some_and(|(one, two)| holds(one) && holds(two)) {
                report.find("a proof of two histories does not hold", format_args!("{author:02x?}"));
            }
            Ok(())
        })
    }
}

fn compare(counts: &Counts, expected: &Counts, report: &mut Report) {
    let rows = [
        ("observables", counts.observables, expected.observables),
        ("believed records", counts.believed, expected.believed),
        ("quarantined records", counts.held_records, expected.held_records),
        (
            "quarantined observables",
            counts.held_observables,
            expected.held_observables,
        ),
        ("quarantined bytes", counts.held_bytes, expected.held_bytes),
        ("bodies", counts.bodies, expected.bodies),
        ("missing bodies", counts.missing, expected.missing),
    ];
    for (name, noted, found) in rows {
        if noted != found {
            report.find(
                "a counter is wrong",
                format_args!("{name}: {noted} noted, {found} found"),
            );
        }
    }
}
