//! Where statements are kept: in an order in which each follows those it rests on, counted, and under one digest.
//!
//! The digest is made of 256 others, one for each first byte of an id, so that a new statement costs a part of the
//! whole. Each addition has a number, so that a peer that names the last one it has seen is told only what came since.

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::{Digest, domain};

use super::super::{Kind, Statement};
use crate::{limits, organisation::OrgId};

/// Where a kind stands among the statements that others rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// With the number of manifests and recoveries that it rests on, one after the other.
    Manifest(u32),
    Certificate,
    Other,
}

#[derive(Debug)]
struct Held {
    /// The organisation that is charged for it and takes it along when it goes.
    org: Option<OrgId>,
    change: u64,
    statement: Statement,
}

/// A statement that wants room, once one of `freed` bytes has left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) statement: &'a Statement,
    pub(super) freed: usize,
    /// It may have the room that is kept for such.
    pub(super) urgent: bool,
}

/// The statements.
#[derive(Debug)]
pub(super) struct Shelf {
    held: BTreeMap<(Rank, Digest), Held>,
    /// How many statements of later versions each organisation has here.
    unknown: BTreeMap<OrgId, usize>,
    /// How many of them say the same, by what they say.
    variants: BTreeMap<Digest, usize>,
    change: u64,
    changes: BTreeMap<u64, (Rank, Digest)>,
    ranks: BTreeMap<Digest, Rank>,
    parts: Vec<Digest>,
    bytes: usize,
}

impl Default for Shelf {
    fn default() -> Self {
        let (held, unknown, variants, change, changes, ranks) = Default::default();
        Self {
            held,
            unknown,
            variants,
            change,
            changes,
            ranks,
            parts: vec![Digest::ZERO; 256],
            bytes: 0,
        }
    }
}

impl Wanted<'_> {
    /// Whether it fits beside so many of so many bytes, of which one may leave.
    fn fits(self, count: usize, bytes: usize) -> bool {
        let kept = |all: usize| if self.urgent { 0 } else { all / limits::URGENT_SHARE };
        let left = count.saturating_sub(usize::from(self.freed > 0));
        let bytes = (bytes + self.statement.size()).saturating_sub(self.freed);
        left < limits::STATEMENTS - kept(limits::STATEMENTS)
            && bytes <= limits::STATEMENTS_BYTES - kept(limits::STATEMENTS_BYTES)
    }
}

impl Rank {
    /// The rank of a kind that rests on manifests.
    pub(super) fn of(kind: Kind) -> Self {
        if kind == Kind::CERTIFICATE {
            Self::Certificate
        } else {
            Self::Other
        }
    }
}

impl Shelf {
    pub(super) fn holds(&self, id: &Digest) -> bool {
        self.ranks.contains_key(id)
    }

    /// Whether there is room for a statement.
    pub(super) fn has_room(&self, wanted: Wanted<'_>) -> bool {
        wanted.fits(self.held.len(), self.bytes)
    }

    /// The same when only those that `stays` names are left of all organisations.
    pub(super) fn would_have_room(&self, wanted: Wanted<'_>, stays: impl Fn(&OrgId) -> bool) -> bool {
        let left = self.held.values().filter(|held| held.org.as_ref().is_none_or(&stays));
        let (count, bytes) = left.fold((0, 0), |(count, bytes), held| {
            (count + 1, bytes + held.statement.size())
        });
        wanted.fits(count, bytes)
    }

    pub(super) fn put(&mut self, id: Digest, statement: Statement, org: Option<OrgId>, rank: Rank) {
        let place = (rank, id);
        self.bytes += statement.size();
        if statement.is_of_later_version() {
            *self.variants.entry(statement.content()).or_default() += 1;
            if let Some(org) = org {
                *self.unknown.entry(org).or_default() += 1;
            }
        }
        self.change += 1;
        self.changes.insert(self.change, place);
        let change = self.change;
        self.held.insert(place, Held { org, change, statement });
        self.ranks.insert(id, rank);
        self.digest_part(&id);
    }

    pub(super) fn remove(&mut self, id: &Digest) -> Option<Statement> {
        let rank = self.ranks.remove(id)?;
        let Held { org, change, statement } = self.held.remove(&(rank, *id))?;
        self.bytes -= statement.size();
        self.changes.remove(&change);
        if statement.is_of_later_version() {
            take_one(&mut self.variants, &statement.content());
            if let Some(org) = org {
                take_one(&mut self.unknown, &org);
            }
        }
        self.digest_part(id);
        Some(statement)
    }

    pub(super) fn remove_all_of(&mut self, org: &OrgId) -> Vec<Statement> {
        let theirs = self.held.iter().filter(|(_, held)| held.org.as_ref() == Some(org));
        let places: Vec<(Rank, Digest)> = theirs.map(|(place, _)| *place).collect();
        places.iter().filter_map(|(_, id)| self.remove(id)).collect()
    }

    pub(super) fn statement(&self, id: &Digest) -> Option<&Statement> {
        let rank = self.ranks.get(id)?;
        self.held.get(&(*rank, *id)).map(|held| &held.statement)
    }

    /// Those of these ids that are here, each after those it rests on.
    pub(super) fn in_order(&self, ids: &[Digest]) -> Vec<Statement> {
        let places: BTreeSet<(Rank, Digest)> = ids.iter().filter_map(|id| Some((*self.ranks.get(id)?, *id))).collect();
        let held = places.iter().filter_map(|place| self.held.get(place));
        held.map(|held| held.statement.clone()).collect()
    }

    /// How many bytes would be free without this one.
    pub(super) fn size_of(&self, id: &Digest) -> usize {
        self.statement(id).map_or(0, Statement::size)
    }

    /// How many statements of later versions an organisation has here.
    pub(super) fn unknown_of(&self, org: &OrgId) -> usize {
        self.unknown.get(org).copied().unwrap_or_default()
    }

    /// How many of them say what this one says.
    pub(super) fn variants_of(&self, statement: &Statement) -> usize {
        self.variants.get(&statement.content()).copied().unwrap_or_default()
    }

    pub(super) fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.held.values().map(|held| &held.statement)
    }

    /// What came after this change, each with its own.
    pub(super) fn since(&self, change: u64) -> impl Iterator<Item = (u64, &Statement)> {
        let later = self.changes.range(change.saturating_add(1)..);
        later.filter_map(|(change, place)| self.held.get(place).map(|held| (*change, &held.statement)))
    }

    /// The last change.
    pub(super) fn change(&self) -> u64 {
        self.change
    }

    pub(super) fn digest(&self) -> Digest {
        digest_over(self.parts.iter())
    }

    fn digest_part(&mut self, changed: &Digest) {
        let [byte, ..] = *changed.as_bytes();
        let mut first = [0; 32];
        first[0] = byte;
        let ids = self
            .ranks
            .range(Digest::from_bytes(first)..)
            .map(|(id, _)| id)
            .take_while(|id| id.as_bytes()[0] == byte);
        self.parts[usize::from(byte)] = digest_over(ids);
    }
}

fn take_one<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// Nothing has the zero digest, so that a part that became empty again is as it was.
fn digest_over<'a>(digests: impl Iterator<Item = &'a Digest>) -> Digest {
    let bytes: Vec<u8> = digests.flat_map(Digest::as_bytes).copied().collect();
    if bytes.is_empty() {
        Digest::ZERO
    } else {
        Digest::of(domain::STATEMENT, &bytes)
    }
}
