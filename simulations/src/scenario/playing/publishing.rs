//! Publications: what a stream of the scenario has a node say, and who wants it once it is durable there.

use std::time::Duration;

use starfish_crypto::{Digest, domain};
use starfish_protocol::{
    engine::port::{Command, Draft, Found, Query},
    listing::bundles,
    record::{Body, RecordId, SealedBody, Tlp, Topic, seal_body},
    time::Millis,
};

use super::Play;
use crate::{
    scenario::{
        placing::chance,
        workload,
        written::{AdversaryKind, PublishKind, Sharing},
    },
    world::World,
};

pub(super) const HOUR: u64 = 3_600_000;
/// How sure the publishers of a study say they are.
const CONFIDENCE: u8 = 80;
/// The topic of floods, and for how many hours a flooder's records live.
const FLOOD: (&str, u64) = ("flood", 24);

impl Play<'_> {
    /// These records are durable at an author.
    pub(super) fn published(&mut self, world: &mut World, at: Duration, author: usize, records: &[RecordId]) {
        if !self.is_honest_at(author, at) {
            self.felt.published(author, records);
            return self.watch_poison(author, records);
        }
        // A publisher that crashed within a second of publishing is asked nothing; its journal will spread what it said.
        for record in records {
            let found = world
                .ledger(author)
                .map(|ledger| ledger.answer(&Query::Record(*record)));
            let Some(Found::Record(Some((header, ..)))) = found else {
                continue;
            };
            self.last_good.insert(author, *record);
            if header.tlp == Tlp::Green {
                world.name(&header);
            }
            let mut wants = |node: &usize| {
                let honest = *node != author && self.places[*node].adversary.is_none();
                let told = header.tlp == Tlp::Clear || world.may_confide(author, *node);
                honest && told && world.plan(*node).subscription.covers(&header) && world.may_believe(*node, author)
            };
            let wanted: Vec<u32> = (0..self.places.len())
                .filter(&mut wants)
                .map(|node| node as u32)
                .collect();
            let length = u64::from(header.compressed_len);
            if let Some(pushes) = &mut self.pushes {
                pushes.published(author as u32, *record, (header.body_digest, length), &wanted);
            }
            self.gathering
                .published(at, author as u32, *record, length, wanted.clone());
            // What a sleeper said while it behaved falls with it.
            if self.watches && self.places[author].adversary != Some(AdversaryKind::Sleeper) {
                self.watch.reported(*record, wanted);
            }
        }
    }

    fn watch_poison(&mut self, author: usize, records: &[RecordId]) {
        if self.places[author].adversary.is_some_and(AdversaryKind::poisons) {
            self.watch.poisoned(records);
        }
    }

    /// Has a node publish the next list of a stream, or one record of a flood.
    pub(super) fn publish(&mut self, world: &mut World, node: usize, stream: Option<&str>, number: u64) {
        if world.handle(node).is_none() {
            if self.places[node].adversary.is_none() {
                self.gathering.refused();
            }
            return;
        }
        let has_turned = self.places[node].honest_until > Duration::ZERO && !self.is_honest_at(node, world.now());
        if has_turned {
            return;
        }
        let stream = stream.map(|name| &self.scenario.written.publish[name]);
        let (kind, items) = stream.map_or((PublishKind::Names, 1), |stream| (stream.kind, stream.items));
        let (topic, hours) = stream.map_or(FLOOD, |stream| (stream.topic.as_str(), stream.expire_hours));
        let list = workload::list(kind, items, &mut chance(self.seed, &format!("list {number}")));
        if stream.is_some_and(|stream| stream.reporters > 1)
            && let Some(name) = list.first()
        {
            self.watch
                .follow(name, &Topic::parse(topic).expect("checked with the scenario"));
        }
        let bundles = bundles(list, CONFIDENCE, "simulated");
        let bodies: Vec<SealedBody> = bundles
            .into_iter()
            .map(|bundle| seal_body(Body::Indicators(bundle)))
            .collect();
        self.push(world, node, &bodies);
        let name = format!("publication {number}");
        let draft = Draft {
            topic: Topic::parse(topic).expect("checked with the scenario"),
            tlp: match stream.map(|stream| stream.tlp) {
                Some(Sharing::Green) => Tlp::Green,
                _ => Tlp::Clear,
            },
            expires_at: Millis(world.wall().0 + hours * HOUR),
            set: (bodies.len() > 1).then(|| Digest::of(domain::COMMUNITY, name.as_bytes())),
            bodies,
            derived_from: None,
        };
        world.begin(node, Command::Publish(draft));
    }

    /// Has the node's twin push what the node is about to publish.
    fn push(&mut self, world: &World, node: usize, bodies: &[SealedBody]) {
        let Some(pushes) = &mut self.pushes else { return };
        for body in bodies {
            // What an adversary says is wanted by nobody.
            if self.places[node].adversary.is_none() {
                pushes.pushed(world.now(), body.digest);
            }
            world.push(node, body.compressed.clone());
        }
    }
}
