//! Where statements are kept: in an order in which each follows those it rests on, counted, and under one digest.
//!
//! The digest is made of 256 others, one for each first byte of an id, so that a new statement costs a part of the
//! whole.

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::{Digest, domain};

use super::super::{Kind, Statement};
use crate::{limits, organisation::OrgId};

/// Where a kind stands among the statements that others rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Manifest,
    Certificate,
    Other,
}

/// The statements, with the organisation that each is charged to.
#[derive(Debug)]
pub(super) struct Shelf {
    held: BTreeMap<(Rank, Digest), (OrgId, Statement)>,
    manifests: BTreeMap<OrgId, Digest>,
    unknown: BTreeMap<OrgId, usize>,
    ids: BTreeSet<Digest>,
    parts: Vec<Digest>,
    bytes: usize,
}

impl Default for Shelf {
    fn default() -> Self {
        let (held, manifests, unknown, ids) = Default::default();
        Self {
            held,
            manifests,
            unknown,
            ids,
            parts: vec![Digest::ZERO; 256],
            bytes: 0,
        }
    }
}

impl Shelf {
    pub(super) fn holds(&self, id: &Digest) -> bool {
        self.ids.contains(id)
    }

    pub(super) fn has_room(&self, statement: &Statement) -> bool {
        self.held.len() < limits::STATEMENTS && self.bytes + statement.size() <= limits::STATEMENTS_BYTES
    }

    pub(super) fn put(&mut self, rank: Rank, id: Digest, statement: Statement, org: OrgId) {
        self.bytes += statement.size();
        if rank == Rank::Manifest {
            self.manifests.insert(org, id);
        }
        if is_unknown(&statement) {
            *self.unknown.entry(org).or_default() += 1;
        }
        self.held.insert((rank, id), (org, statement));
        self.ids.insert(id);
        self.digest_part(&id);
    }

    pub(super) fn remove(&mut self, rank: Rank, id: &Digest) {
        let Some((org, statement)) = self.held.remove(&(rank, *id)) else {
            return;
        };
        self.bytes -= statement.size();
        if rank == Rank::Manifest {
            self.manifests.remove(&org);
        }
        if is_unknown(&statement)
            && let Some(count) = self.unknown.get_mut(&org)
        {
            *count -= 1;
        }
        self.ids.remove(id);
        self.digest_part(id);
    }

    pub(super) fn remove_all_of(&mut self, org: &OrgId) {
        let theirs = self.held.iter().filter(|(_, (of, _))| of == org);
        let places: Vec<(Rank, Digest)> = theirs.map(|(place, _)| *place).collect();
        for (rank, id) in places {
            self.remove(rank, &id);
        }
        self.unknown.remove(org);
    }

    pub(super) fn statement(&self, rank: Rank, id: &Digest) -> Option<&Statement> {
        self.held.get(&(rank, *id)).map(|(_, statement)| statement)
    }

    pub(super) fn manifest_of(&self, org: &OrgId) -> Option<&Statement> {
        self.statement(Rank::Manifest, self.manifests.get(org)?)
    }

    /// How many statements of later versions an organisation has here.
    pub(super) fn unknown_of(&self, org: &OrgId) -> usize {
        self.unknown.get(org).copied().unwrap_or_default()
    }

    pub(super) fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.held.values().map(|(_, statement)| statement)
    }

    pub(super) fn digest(&self) -> Digest {
        digest_over(self.parts.iter())
    }

    fn digest_part(&mut self, changed: &Digest) {
        let [byte, ..] = *changed.as_bytes();
        let mut first = [0; 32];
        first[0] = byte;
        let ids = self
            .ids
            .range(Digest::from_bytes(first)..)
            .take_while(|id| id.as_bytes()[0] == byte);
        self.parts[usize::from(byte)] = digest_over(ids);
    }
}

fn is_unknown(statement: &Statement) -> bool {
    !matches!(statement.kind(), Kind::MANIFEST | Kind::CERTIFICATE | Kind::ENDPOINT)
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
