//! What makes adversaries of real nodes: a store that gives no body away, and links that carry nothing to third parties.

use std::sync::Arc;

use starfish_node::mesh::{KeepError, Keeper};
use starfish_protocol::engine::port::{Change, Found, Query};

use crate::{
    network::Separation,
    scenario::{placing::Place, written::AdversaryKind},
    world::{World, plan::KeeperHook},
};

/// What stands in front of a node's store.
pub(super) fn keeper(place: &Place) -> Option<KeeperHook> {
    let is_withholder = place.adversary == Some(AdversaryKind::Withholder);
    let withhold = |inner: Arc<dyn Keeper>| Arc::new(Withholding(inner)) as Arc<dyn Keeper>;
    is_withholder.then(|| Arc::new(withhold) as KeeperHook)
}

/// A store that takes every body and never gives one to others.
struct Withholding(Arc<dyn Keeper>);

impl Keeper for Withholding {
    fn apply(&self, changes: &[Change]) -> Result<(), KeepError> {
        self.0.apply(changes)
    }

    fn answer(&self, query: &Query) -> Found {
        match query {
            Query::Body { .. } => Found::Body(None),
            _ => self.0.answer(query),
        }
    }
}

/// Lets those who eclipse reach each other and their victims only, so that they have nothing to pass on.
pub(super) fn keep_apart(places: &[Place], world: &mut World) {
    let is_eclipsing = |place: &Place| place.adversary == Some(AdversaryKind::Eclipse);
    for (node, place) in places.iter().enumerate().filter(|(_, place)| is_eclipsing(place)) {
        for (other, others) in places.iter().enumerate() {
            let is_victim = place.dials.contains(&(other as u32)) && others.dials.contains(&(node as u32));
            if !is_eclipsing(others) && !is_victim {
                world.block(node, other, Separation::BlackHole);
            }
        }
    }
}
