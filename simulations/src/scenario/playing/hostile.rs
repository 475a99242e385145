//! What makes adversaries of nodes: a store that gives nothing away, an operator who believes nobody, and links that carry
//! nothing to third parties; or something else that speaks in a node's place.

use std::{sync::Arc, time::Duration};

use starfish_node::mesh::{KeepError, Keeper};
use starfish_protocol::{
    engine::port::{Change, Found, Query},
    trust::Pin,
};

use crate::{
    network::Separation,
    scenario::{
        placing::Place,
        written::{Adversary, AdversaryKind},
    },
    world::{
        World,
        plan::KeeperHook,
        speaker::{Speaker, Speech},
    },
};

/// The time between two frames of one that is no node, when nothing else is said.
const EVERY_SECONDS: f64 = 1.0;

/// What stands in front of a node's store.
pub(super) fn keeper(place: &Place) -> Option<KeeperHook> {
    let headers = match place.adversary {
        Some(AdversaryKind::Withholder) => true,
        Some(AdversaryKind::Censor) => false,
        _ => return None,
    };
    let withhold = move |inner| Arc::new(Withholding { inner, headers }) as Arc<dyn Keeper>;
    Some(Arc::new(withhold))
}

/// What speaks in the place of a node of these adversaries.
pub(super) fn speaker(adversary: &Adversary) -> Option<Speaker> {
    let speech = match adversary.kind {
        AdversaryKind::IhaveSpammer => Speech::Announce,
        AdversaryKind::GraftSpammer => Speech::Graft,
        AdversaryKind::Replayer => Speech::Repeat,
        AdversaryKind::Equivocator => Speech::Equivocate,
        AdversaryKind::Eavesdropper => Speech::Pry,
        _ => return None,
    };
    Some(Speaker {
        speech,
        from: Duration::from_secs(adversary.from_seconds),
        every: Duration::from_secs_f64(adversary.every_seconds.unwrap_or(EVERY_SECONDS)),
    })
}

/// What the operator of a node has pinned: a censor wants nothing of anybody passed on.
pub(super) fn pins(number: usize, places: &[Place]) -> Vec<(usize, Pin)> {
    let is_censor = places[number].adversary == Some(AdversaryKind::Censor);
    let others = (0..places.len()).filter(|other| is_censor && *other != number);
    others.map(|other| (other, Pin::Bad)).collect()
}

/// A store that takes everything, and never gives a body to others.
struct Withholding {
    inner: Arc<dyn Keeper>,
    /// Whether it gives headers.
    headers: bool,
}

impl Keeper for Withholding {
    fn apply(&self, changes: &[Change]) -> Result<(), KeepError> {
        self.inner.apply(changes)
    }

    fn answer(&self, query: &Query) -> Found {
        match query {
            Query::Body { .. } => Found::Body(None),
            Query::Headers { .. } if !self.headers => Found::Headers(Vec::new()),
            _ => self.inner.answer(query),
        }
    }
}

/// Lets those who withhold bodies take the requests for them and say nothing, not even that they have none.
pub(super) fn silence(places: &[Place], world: &mut World) {
    let withholds = |node: &usize| places[*node].adversary == Some(AdversaryKind::Withholder);
    (0..places.len()).filter(withholds).for_each(|node| world.silence(node));
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
