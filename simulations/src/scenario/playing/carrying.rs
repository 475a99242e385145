//! What was sent between two looks: [`Sent`].

use std::collections::BTreeMap;

use crate::{
    network::{Count, Traffic},
    report::gathering::Carried,
    world::World,
};

/// What was sent so far, by the nodes and by their twins.
pub(super) struct Sent {
    nodes: Traffic,
    twins: Option<Traffic>,
    count: usize,
}

impl Sent {
    pub(super) fn of(world: &World) -> Self {
        Self {
            nodes: world.network().traffic(),
            twins: world.pushed(),
            count: world.len(),
        }
    }

    /// What an adversary said to honest nodes, since the beginning.
    pub(super) fn said_to_honest(&self, adversary: usize) -> BTreeMap<&str, Count> {
        self.nodes.said_to_honest(adversary)
    }

    /// What honest nodes said to an adversary, since the beginning.
    pub(super) fn said_by_honest(&self, adversary: usize) -> BTreeMap<&str, Count> {
        self.nodes.said_by_honest(adversary)
    }

    /// What each node sent and was sent since an earlier look.
    pub(super) fn by_nodes(&self, before: &Self) -> Vec<Carried> {
        let carried = |node| carried(&self.nodes, &before.nodes, node);
        (0..self.count).map(carried).collect()
    }

    /// The same of the twins; nothing when there are none.
    pub(super) fn by_twins(&self, before: &Self) -> Vec<Carried> {
        let (Some(after), Some(before)) = (&self.twins, &before.twins) else {
            return vec![Carried::default(); self.count];
        };
        (0..self.count).map(|node| carried(after, before, node)).collect()
    }
}

fn carried(after: &Traffic, before: &Traffic, node: usize) -> Carried {
    type Counts<'a> = BTreeMap<&'a str, Count>;
    let since = |after: Counts<'_>, before: Counts<'_>| {
        let pairs = after.into_iter().map(|(kind, now)| {
            let then = before.get(kind).copied().unwrap_or_default();
            (kind.to_owned(), (now.bytes - then.bytes, now.writes - then.writes))
        });
        pairs.collect()
    };
    Carried {
        sent: since(after.sent(node), before.sent(node)),
        received: since(after.received(node), before.received(node)),
    }
}
