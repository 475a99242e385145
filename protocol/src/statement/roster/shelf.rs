//! Where statements are kept: in an order in which each follows those it rests on, counted, and under one digest.
//!
//! The digest is made of 256 others, one for each first byte of an id, so that a new statement costs a part of the
//! whole. Each addition has a number, so that a peer that names the last one it has seen is told only what came since.

use std::collections::BTreeMap;

use starfish_crypto::{Digest, domain};

use super::super::{CheckedStatement, Kind, Statement};
use crate::{
    limits,
    ordered::{Ordered, Placed},
    organisation::OrgId,
};

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
    checked: CheckedStatement,
    rank: Rank,
    change: u64,
}

/// A statement in the order in which they came.
#[derive(Debug)]
struct Came {
    change: u64,
    checked: CheckedStatement,
}

impl Placed for Held {
    type Place = Digest;

    fn place(&self) -> Digest {
        self.checked.id()
    }
}

impl Placed for Came {
    type Place = u64;

    fn place(&self) -> u64 {
        self.change
    }
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
    held: Ordered<Held>,
    /// Which organisation is charged for a statement of a later version, which does not say whose it is.
    charged: BTreeMap<Digest, OrgId>,
    /// How many of these each organisation has here.
    unknown: BTreeMap<OrgId, usize>,
    /// How many of them say the same, by what they say.
    variants: BTreeMap<Digest, usize>,
    change: u64,
    changes: Ordered<Came>,
    parts: Vec<Digest>,
    bytes: usize,
}

impl Default for Shelf {
    fn default() -> Self {
        let (held, charged, unknown, variants, change, changes) = Default::default();
        Self {
            held,
            charged,
            unknown,
            variants,
            change,
            changes,
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
        self.held.get(id).is_some()
    }

    /// Whether there is room for a statement.
    pub(super) fn has_room(&self, wanted: Wanted<'_>) -> bool {
        wanted.fits(self.held.len(), self.bytes)
    }

    /// The organisation that is charged for a statement and takes it along when it goes.
    fn org_of(&self, checked: &CheckedStatement) -> Option<OrgId> {
        checked.issuer().or_else(|| self.charged.get(&checked.id()).copied())
    }

    /// The same when only those that `stays` names are left of all organisations.
    pub(super) fn would_have_room(&self, wanted: Wanted<'_>, stays: impl Fn(&OrgId) -> bool) -> bool {
        let stays = |held: &&Held| self.org_of(&held.checked).as_ref().is_none_or(&stays);
        let left = self.held.iter().filter(stays);
        let (count, bytes) = left.fold((0, 0), |(count, bytes), held| {
            (count + 1, bytes + held.checked.statement().size())
        });
        wanted.fits(count, bytes)
    }

    pub(super) fn put(&mut self, checked: &CheckedStatement, rank: Rank) {
        self.bytes += checked.statement().size();
        self.change += 1;
        let (change, checked) = (self.change, checked.clone());
        let id = checked.id();
        self.changes.insert(Came {
            change,
            checked: checked.clone(),
        });
        self.held.insert(Held { checked, rank, change });
        self.digest_part(&id);
    }

    /// Puts a statement of a later version here, for which this organisation is charged.
    pub(super) fn put_unknown(&mut self, checked: &CheckedStatement, org: OrgId) {
        *self.variants.entry(checked.statement().content()).or_default() += 1;
        *self.unknown.entry(org).or_default() += 1;
        self.charged.insert(checked.id(), org);
        self.put(checked, Rank::Other);
    }

    pub(super) fn remove(&mut self, id: &Digest) -> Option<Statement> {
        let Held { checked, change, .. } = self.held.remove(id)?;
        let statement = checked.statement();
        self.bytes -= statement.size();
        self.changes.remove(&change);
        if let Some(org) = self.charged.remove(id) {
            take_one(&mut self.variants, &statement.content());
            take_one(&mut self.unknown, &org);
        }
        self.digest_part(id);
        Some(statement.clone())
    }

    pub(super) fn remove_all_of(&mut self, org: &OrgId) -> Vec<Statement> {
        let theirs = self.held.iter().filter(|held| self.org_of(&held.checked) == Some(*org));
        let ids: Vec<Digest> = theirs.map(Held::place).collect();
        ids.iter().filter_map(|id| self.remove(id)).collect()
    }

    pub(super) fn checked(&self, id: &Digest) -> Option<&CheckedStatement> {
        self.held.get(id).map(|held| &held.checked)
    }

    pub(super) fn statement(&self, id: &Digest) -> Option<&Statement> {
        self.checked(id).map(CheckedStatement::statement)
    }

    /// Those of these ids that are here, each once and after those it rests on.
    pub(super) fn in_order(&self, ids: &[Digest]) -> Vec<Statement> {
        let held = ids.iter().filter_map(|id| self.held.get(id));
        let mut statements: Vec<Statement> = sorted(held).cloned().collect();
        statements.dedup();
        statements
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
        sorted(self.held.iter())
    }

    /// What came after this change, each with its own.
    pub(super) fn since(&self, change: u64) -> impl Iterator<Item = (u64, &Statement)> {
        let later = self.changes.from(&change.saturating_add(1));
        later.map(|came| (came.change, came.checked.statement()))
    }

    /// The last change.
    pub(super) fn change(&self) -> u64 {
        self.change
    }

    pub(super) fn digest(&self) -> Digest {
        digest_over(self.parts.iter().copied())
    }

    fn digest_part(&mut self, changed: &Digest) {
        let [byte, ..] = *changed.as_bytes();
        let mut first = [0; 32];
        first[0] = byte;
        let ids = self.held.from(&Digest::from_bytes(first)).map(Held::place);
        let ids = ids.take_while(|id| id.as_bytes()[0] == byte);
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

/// Each after those that it rests on.
fn sorted<'a>(held: impl Iterator<Item = &'a Held>) -> impl Iterator<Item = &'a Statement> {
    let mut held: Vec<&Held> = held.collect();
    held.sort_unstable_by_key(|held| (held.rank, held.place()));
    held.into_iter().map(|held| held.checked.statement())
}

/// Nothing has the zero digest, so that a part that became empty again is as it was.
fn digest_over(digests: impl Iterator<Item = Digest>) -> Digest {
    let mut bytes = Vec::new();
    digests.for_each(|digest| bytes.extend(digest.as_bytes()));
    if bytes.is_empty() {
        Digest::ZERO
    } else {
        Digest::of(domain::STATEMENT, &bytes)
    }
}
