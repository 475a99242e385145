//! What adversaries do in a world, and what the others do about them.

use std::{collections::BTreeSet, time::Duration};

use starfish_protocol::{
    engine::port::{Command, Draft},
    observable::Observable,
    record::{Body, Bundle, Opinion, RecordId, Tlp, Topic, View, seal_body},
    time::Millis,
};

use super::{Play, publishing::HOUR};
use crate::{
    scenario::{placing::of_scheme, written::Answer},
    world::World,
};

/// Names that everybody needs, made up: whoever blocks them is cut off from the world.
const NEEDED: [&str; 3] = ["bank.needed.example", "mail.needed.example", "health.needed.example"];
/// The topic of poison.
const TOPIC: &str = "malware";
/// Adversaries are as sure as can be.
const SURE: u8 = 100;
/// Records that an adversary votes against at a time.
const VOTES: usize = 4;
/// Names that one vote is on.
const VOTED: usize = 100;

pub(super) fn needed() -> Vec<Observable> {
    let parse = |name: &&str| Observable::parse(name).expect("a domain");
    NEEDED.iter().map(parse).collect()
}

pub(super) fn topic() -> Topic {
    Topic::parse(TOPIC).expect("a topic")
}

impl Play<'_> {
    pub(super) fn poison(&mut self, world: &World, node: usize) {
        if world.handle(node).is_none() {
            return;
        }
        let bundle = Bundle::new(SURE, "poison".to_owned(), needed()).expect("a few names fit");
        let draft = Draft {
            topic: topic(),
            tlp: Tlp::Clear,
            expires_at: Millis(world.wall().0 + 24 * HOUR),
            bodies: vec![seal_body(Body::Indicators(bundle))],
            set: None,
            derived_from: None,
        };
        world.begin(node, Command::Publish(draft));
    }

    /// Votes against some records of honest nodes that it holds and has not voted against before.
    pub(super) fn vote(&mut self, world: &World, node: usize) {
        let Some(ledger) = world.ledger(node) else { return };
        let voted: &BTreeSet<RecordId> = self.voted.entry(node).or_default();
        let left = self.watch.reports().filter(|record| !voted.contains(record));
        let bodies = left.filter_map(|record| Some((record, ledger.body_of(&record).expect("memory does not fail")?)));
        let votes: Vec<(RecordId, Opinion)> = bodies
            .filter_map(|(record, body)| Some((record, against(record, &body, world.wall())?)))
            .take(VOTES)
            .collect();
        for (record, opinion) in votes {
            self.voted.entry(node).or_default().insert(record);
            world.begin(node, Command::Opine(opinion));
        }
    }

    pub(super) fn answer(&mut self, world: &mut World, name: &str) {
        let written = &self.scenario.written;
        let Some(answer) = written.adversary.get(name).and_then(|adversary| adversary.answer) else {
            return;
        };
        self.watch.answered(world.now());
        for node in of_scheme(self.places, name) {
            let node = node as usize;
            match answer {
                Answer::Withdraw => {
                    // Those of one section vouch for each other to the end.
                    let honest = |by: &usize| self.places[*by].adversary.is_none();
                    for by in world.vouchers_of(node).into_iter().filter(honest) {
                        world.withdraw(by, node);
                    }
                }
                Answer::Veto => {
                    let founder = self.vouches.entries.first().map(|entry| entry.organisation);
                    world.veto(founder.expect("a web has founders"), node);
                }
                Answer::Revoke => self.revoke(world, node),
                Answer::Pin => {
                    for operator in 0..self.places.len() {
                        if self.places[operator].adversary.is_none() && world.handle(operator).is_some() {
                            world.pin_bad(operator, node);
                        }
                    }
                }
            }
        }
    }

    /// The last record that the node published while it was honest is good, and all before it.
    fn revoke(&self, world: &mut World, node: usize) {
        let good = self
            .last_good
            .get(&node)
            .and_then(|record| world.position(node, record));
        let custodian = (0..self.places.len()).find(|other| {
            let honest = self.places[*other].adversary.is_none();
            honest && world.handle(*other).is_some()
        });
        if let Some(custodian) = custodian {
            world.revoke(node, good.into_iter().collect(), custodian);
        }
    }

    /// Whether a node plays by the rules at this time.
    pub(super) fn is_honest_at(&self, node: usize, at: Duration) -> bool {
        self.places[node].is_honest_at(at)
    }
}

fn against(target: RecordId, body: &Body, now: Millis) -> Option<Opinion> {
    if !matches!(body, Body::Indicators(_)) {
        return None;
    }
    let observables: Vec<Observable> = body.observables().iter().take(VOTED).cloned().collect();
    let opinion = Opinion::new(Opinion {
        target,
        observables,
        verdict: View::FalsePositive,
        count: 1,
        first_seen: now,
        last_seen: now,
        confidence: SURE,
        reason: "it is no threat".to_owned(),
    });
    opinion.ok()
}
