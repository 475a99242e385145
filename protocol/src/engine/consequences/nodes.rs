//! Nodes that their organisation has revoked, and nodes that wrote two histories until their roots settled that.

use std::collections::BTreeSet;

use starfish_crypto::PublicKey;

use crate::{
    organisation::OrgId,
    statement::{LogPosition, RevocationReason},
};

use super::super::{
    Engine,
    port::{Change, Deed, Event, Output, Who, Wish},
};

/// How the right of a node to speak for an organisation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was put out of service: everything that it wrote stays.
    Retired,
    /// What lies behind these places is void.
    Cut(Vec<LogPosition>),
}

impl End {
    fn cut(&self) -> Option<&Vec<LogPosition>> {
        match self {
            Self::Retired => None,
            Self::Cut(last_good) => Some(last_good),
        }
    }

    fn why(end: Option<&Self>) -> &'static str {
        match end {
            None => "its revocation counts no more",
            Some(Self::Retired) => "put out of service: what it wrote stays",
            Some(Self::Cut(last_good)) if last_good.is_empty() => "nothing that it wrote is believed any more",
            Some(Self::Cut(_)) => "revoked: what it wrote behind the last good record is not believed",
        }
    }
}

impl Engine {
    /// Nodes of this organisation, or of any, that something may follow for.
    pub(super) fn nodes_concerned(&self, org: Option<OrgId>) -> BTreeSet<PublicKey> {
        let is_theirs = |of: &OrgId| org.is_none_or(|org| org == *of);
        let told = self.consequences.ends.keys().filter(|(_, of)| is_theirs(of));
        let held = self.roster.revocations().filter(|held| is_theirs(&held.org));
        let frozen = self.logs.frozen().filter(|_| org.is_none()).copied();
        let certified = self.roster.nodes_of(org).into_iter();
        told.map(|(node, _)| *node)
            .chain(certified)
            .chain(held.map(|held| held.node_key))
            .chain(frozen)
            .collect()
    }

    /// At a start: what needs no row in the store was told by an earlier life together with the revocation.
    pub(super) fn note_what_was_told(&mut self) {
        let ends = self.roster.revocations().filter_map(|held| {
            let end = self.end_of(&held.node_key, &held.org)?;
            (end == End::Retired).then_some(((held.node_key, held.org), end))
        });
        let ends: Vec<_> = ends.collect();
        for (place, end) in ends {
            self.consequences.ends.entry(place).or_insert(end);
        }
        self.consequences.standstills = self.roster.frozen().collect();
    }

    fn end_of(&self, node: &PublicKey, org: &OrgId) -> Option<End> {
        let Some(revocation) = self.roster.end_of(node, org) else {
            // While nobody can tell which of its manifests count, what is held of it stays.
            let disowned = self.roster.is_frozen(org).is_none() && self.roster.is_disowned(node, org);
            return disowned.then(|| End::Cut(Vec::new()));
        };
        Some(match revocation.reason {
            RevocationReason::Retired => End::Retired,
            RevocationReason::Compromised => End::Cut(revocation.last_good.clone()),
        })
    }

    /// Whether a node is revoked, and whether a proof against it is settled.
    pub(super) fn reconsider_node(&mut self, node: PublicKey) {
        let mut orgs = self.roster.organisations_behind(&node);
        let first = (node, OrgId::from_digest(starfish_crypto::Digest::ZERO));
        let told = self.consequences.ends.range(first..);
        orgs.extend(told.take_while(|((of, _), _)| *of == node).map(|((_, org), _)| *org));
        let (mut changed, mut grown) = (false, false);
        for org in orgs {
            let end = self.end_of(&node, &org);
            let told = self.consequences.ends.get(&(node, org)).cloned();
            if end != told {
                changed = true;
                grown |= told.is_some() && self.trust.judge(Some(org)).relay;
                self.end_node(node, org, end, told);
            }
        }
        if changed {
            self.show_logs_of(node, grown);
        }
        self.reopen_if_settled(node);
    }

    /// Tells the store and the operator.
    fn end_node(&mut self, node: PublicKey, org: OrgId, end: Option<End>, told: Option<End>) {
        let (cut, before) = (end.as_ref().and_then(End::cut), told.as_ref().and_then(End::cut));
        if cut != before {
            self.step.changes.push(Change::Cut {
                node,
                org,
                last_good: cut.cloned(),
            });
        }
        if self.matters(org) {
            let ended = end.is_some();
            let what = if ended { Deed::Revoked } else { Deed::Reopened };
            self.write_down(Who::Organisation(org), what, node.to_string(), End::why(end.as_ref()));
            self.out.push(Output::Event(Event::Revoked { node, org, ended }));
        }
        match end {
            Some(end) => self.consequences.ends.insert((node, org), end),
            None => self.consequences.ends.remove(&(node, org)),
        };
    }

    /// A node lost its right or has it again: what is handed on of its logs, and what becomes of its connection. `grown` when
    /// more of its records may count than before, which were refused and are to be had from others.
    pub(super) fn show_logs_of(&mut self, node: PublicKey, grown: bool) {
        for (log, seq, id) in self.logs.of(node).collect::<Vec<_>>() {
            self.frontier.remove(&log);
            if let Some((seq, id)) = self.handed_on(&log, (seq, id)) {
                self.frontier.note(log, seq, id);
            }
        }
        self.refresh_peers();
        self.limit_guests();
        self.dial_soon = true;
        if self.roster.organisation_of(&node, self.now.wall).is_none() {
            self.out.push(Output::Dial {
                key: node,
                addresses: Vec::new(),
                wish: Wish::WhenRoom,
            });
        }
        if grown {
            self.missing.look_through();
            self.sync_with_all();
        }
    }

    /// Takes an author's records again whose roots have settled which of its histories is right. Those who hold the other
    /// one go on with its next epoch; we open one ourselves if it is our own.
    fn reopen_if_settled(&mut self, node: PublicKey) {
        let Some((log, seq)) = self.logs.fork_of(&node) else {
            return;
        };
        if self.roster.is_proven(&node) || !self.roster.confirms(&log, seq) {
            return;
        }
        self.logs.reopen(&node);
        self.step.changes.push(Change::Reopened(node));
        self.out.push(Output::Event(Event::Reopened(node)));
        let org = Self::organisation(&self.roster, &log, self.now.wall);
        if let Some(org) = org.filter(|org| self.matters(*org)) {
            let why = "its organisation's roots have settled which of its histories is right";
            self.write_down(Who::Organisation(org), Deed::Reopened, node.to_string(), why);
        }
        if node == self.key.public() {
            self.own.all_behind();
        }
        self.sync_with_all();
    }
}
