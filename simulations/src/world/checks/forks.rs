//! Authors of two histories: nobody honest is taken for one, and nothing more is taken of whoever is.

use starfish_crypto::PublicKey;
use starfish_node::mesh::Event;
use starfish_protocol::{engine::port, record::RecordId};

use super::{Checks, wall};
use crate::world::{
    cast::Cast,
    ended::{broken, invariant},
    residents::Resident,
};

impl Checks {
    pub(super) fn check_history(&mut self, node: usize, event: &Event, resident: &Resident, cast: &Cast) {
        match event {
            Event::Engine(port::Event::ForkProven(author)) => self.prove(node, author, cast),
            Event::Engine(port::Event::Reopened(author)) => {
                self.forks[node].remove(author);
            }
            Event::Engine(port::Event::Stored(id)) if !self.forks[node].is_empty() => {
                self.check_frozen(node, id, resident);
            }
            _ => {}
        }
    }

    fn prove(&mut self, node: usize, author: &PublicKey, cast: &Cast) {
        if let Some(blamed) = cast.node_of(author).filter(|author| self.is_honest[*author]) {
            broken(format!(
                "node {node} holds honest node {blamed} to have written two histories"
            ));
        }
        self.forks[node].entry(*author).or_insert(wall(node));
    }

    /// What was on its way to the store when the proof came may become durable after it.
    fn check_frozen(&self, node: usize, id: &RecordId, resident: &Resident) {
        let card = resident.ledger.as_ref().and_then(|ledger| {
            let card = ledger.card_of(id).expect("memory does not fail");
            card.map(|(_, card)| card)
        });
        let Some(card) = card else { return };
        if let Some(proven) = self.forks[node].get(&card.author) {
            invariant!(
                card.received_at <= *proven,
                "node {node} has taken record {id}, though it knows that its author wrote two histories"
            );
        }
    }
}
