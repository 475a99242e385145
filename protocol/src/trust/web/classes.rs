//! The questions that were asked lately: [`Classes`], one [`Layer`] for all questions that the same scopes cover.
//!
//! A layer follows what changed only when it is asked again. One that would have too much to follow is built anew instead.

use std::collections::BTreeSet;

use super::{
    grounds::{
        Changes, Grounds,
        scopes::{Question, ScopeId},
    },
    layer::{Layer, Purpose},
};
use crate::limits;

#[derive(Clone, Debug)]
struct Class {
    scopes: BTreeSet<ScopeId>,
    /// One of its questions: a new scope that covers it belongs to the class.
    question: Question,
    layer: Layer,
    /// What the layer has not followed yet.
    pending: Changes,
    /// When it was asked last, counted in questions.
    asked: u64,
}

/// The layers of the questions that were asked lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Classes {
    classes: Vec<Class>,
    questions: u64,
}

impl Classes {
    /// The layer of a question, as of now.
    pub(super) fn ask(&mut self, grounds: &Grounds, question: &Question) -> &mut Layer {
        self.questions += 1;
        let scopes = grounds.scopes.within(question);
        let place = match self.classes.iter().position(|class| class.scopes == scopes) {
            Some(place) => place,
            None => self.open(grounds, question, scopes),
        };
        let class = &mut self.classes[place];
        class.asked = self.questions;
        let pending = std::mem::take(&mut class.pending);
        if !pending.is_empty() {
            class.layer.follow(grounds, &pending);
        }
        &mut class.layer
    }

    /// Notes what changed.
    pub(super) fn note(&mut self, grounds: &Grounds, changes: &Changes) {
        for class in &mut self.classes {
            let scope = |id: &&ScopeId| grounds.scopes.scope(**id);
            let joins = |id: &&ScopeId| scope(id).is_some_and(|scope| class.question.is_within(scope));
            let joining: Vec<ScopeId> = changes.begun.iter().filter(joins).copied().collect();
            class.scopes.extend(joining);
            class.scopes.retain(|id| !changes.ended.contains(id));
            class.layer.purpose = Purpose::Scopes(class.scopes.clone());
            class.pending.extend(changes);
        }
        self.classes
            .retain(|class| class.pending.pairs.len() <= limits::TRUST_PENDING);
        // Where scopes are gone, two classes can be one.
        let mut met = BTreeSet::new();
        self.classes.retain(|class| met.insert(class.scopes.clone()));
    }

    fn open(&mut self, grounds: &Grounds, question: &Question, scopes: BTreeSet<ScopeId>) -> usize {
        if self.classes.len() >= limits::TRUST_CLASSES {
            let oldest = (0..).zip(&self.classes).min_by_key(|(_, class)| class.asked);
            let oldest: Option<usize> = oldest.map(|(place, _)| place);
            oldest
                .into_iter()
                .for_each(|place| drop(self.classes.swap_remove(place)));
        }
        self.classes.push(Class {
            layer: Layer::new(grounds, Purpose::Scopes(scopes.clone())),
            scopes,
            question: question.clone(),
            pending: Changes::default(),
            asked: 0,
        });
        self.classes.len() - 1
    }
}
