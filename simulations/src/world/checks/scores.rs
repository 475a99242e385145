//! What honest nodes do lowers no honest node's score. What a node thinks of its neighbours shows in no event: it is asked.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use libp2p::PeerId;
use starfish_sim_kernel::{Owner, spawn};

use super::Checks;
use crate::world::{ended::broken, residents::Resident};

/// So many virtual seconds pass between two questions.
const EVERY: u64 = 10;

/// What nodes think of each other.
#[derive(Debug, Default)]
pub(super) struct Scores {
    /// Who gives whom which score, as was answered and not looked at since.
    answers: Arc<Mutex<Vec<(usize, PeerId, f64)>>>,
    asked: u64,
    /// The lowest score that an honest node had at another one.
    lowest: Option<f64>,
    /// Honest nodes, and who is not and was below zero there.
    below: BTreeSet<(usize, PeerId)>,
}

impl Checks {
    /// The lowest score that an honest node had at another one so far.
    pub(in crate::world) fn lowest_score(&self) -> Option<f64> {
        self.scores.lowest
    }

    /// Pairs of an honest node and another one that is not, whose score was below zero there so far.
    pub(in crate::world) fn scored_below_zero(&self) -> usize {
        self.scores.below.len()
    }

    pub(super) fn check_scores(&mut self, residents: &[Resident]) {
        let answers = std::mem::take(&mut *self.scores.answers.lock().unwrap_or_else(PoisonError::into_inner));
        for (node, peer, score) in answers {
            let Some(other) = self.honest.get(&peer) else {
                if score < 0.0 {
                    self.scores.below.insert((node, peer));
                }
                continue;
            };
            if score < 0.0 {
                broken(format!("node {node} gives honest node {other} the score {score:.2}"));
            }
            let lowest = &mut self.scores.lowest;
            *lowest = Some(lowest.map_or(score, |lowest| lowest.min(score)));
        }
        let turn = self.looked / EVERY;
        if std::mem::replace(&mut self.scores.asked, turn) == turn {
            return;
        }
        for node in self.honest.values().copied() {
            let Some(handle) = residents[node].handle.clone() else {
                continue;
            };
            let answers = Arc::clone(&self.scores.answers);
            spawn(Owner::WORLD, async move {
                let connections = handle.connections().await.into_iter();
                let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
                answers.extend(connections.map(|view| (node, view.peer, view.score)));
            });
        }
    }
}
