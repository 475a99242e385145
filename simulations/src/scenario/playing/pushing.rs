//! What plain gossipsub did with the same bodies: [`Pushes`].

use std::{collections::BTreeMap, time::Duration};

use starfish_crypto::Digest;
use starfish_protocol::record::RecordId;

use crate::report::{
    Push,
    gathering::{Carried, Gathering, Known},
};

/// Hears of every push and arrival while a run goes on.
#[derive(Debug)]
pub(super) struct Pushes {
    gathering: Gathering,
    bodies: BTreeMap<Digest, Pushed>,
}

#[derive(Debug)]
struct Pushed {
    at: Duration,
    /// Its record, once that is published; until then, who has it since when.
    record: Result<RecordId, Vec<(Duration, u32)>>,
}

impl Pushes {
    pub(super) fn new(nodes: Vec<Known>, splits: Vec<(Duration, Duration)>) -> Self {
        Self {
            gathering: Gathering::new(nodes, splits),
            bodies: BTreeMap::new(),
        }
    }

    /// The twin of an honest node pushes this body.
    pub(super) fn pushed(&mut self, at: Duration, body: Digest) {
        let record = Err(Vec::new());
        self.bodies.entry(body).or_insert(Pushed { at, record });
    }

    /// The node has published it as this record, which these others want. What was pushed counts from the push, which does
    /// not wait for a disk.
    pub(super) fn published(&mut self, author: u32, record: RecordId, (body, length): (Digest, u64), wanted: &[u32]) {
        let Some(pushed) = self.bodies.get_mut(&body) else {
            return;
        };
        if let Err(early) = std::mem::replace(&mut pushed.record, Ok(record)) {
            let wanted = wanted.iter().copied();
            self.gathering.published(pushed.at, author, record, length, wanted);
            for (at, node) in early {
                self.gathering.arrived(at, node, record);
            }
        }
    }

    /// The twin of a node has it.
    pub(super) fn arrived(&mut self, at: Duration, node: u32, body: Digest) {
        match self.bodies.get_mut(&body).map(|pushed| &mut pushed.record) {
            Some(Ok(record)) => self.gathering.arrived(at, node, *record),
            Some(Err(early)) => early.push((at, node)),
            None => {}
        }
    }

    /// All figures. Everything that a twin receives is gossip, so that there is no count of bodies alone beside that of the nodes.
    pub(super) fn finish(self, carried: &[Carried]) -> Push {
        Push::of(&self.gathering.finish(carried, |_| false))
    }
}

#[cfg(test)]
mod tests {
    use starfish_crypto::domain;

    use super::*;
    use crate::{report::Names, scenario::written::AdversaryKind};

    #[test]
    fn what_arrives_before_its_record_is_published_counts() {
        let known = |adversary: Option<AdversaryKind>| Known {
            role: "cert".into(),
            region: "north".into(),
            adversary,
            names: Names::default(),
            is_selective: false,
        };
        let mut pushes = Pushes::new(
            vec![
                known(None),
                known(None),
                known(None),
                known(Some(AdversaryKind::Flooder)),
            ],
            vec![],
        );
        let digest = |number: u8| Digest::of(domain::COMMUNITY, &[number]);
        let (ms, body) = (Duration::from_millis, digest(1));
        pushes.pushed(ms(100), body);
        pushes.arrived(ms(101), 1, body);
        pushes.arrived(ms(101), 2, digest(9));
        let record = RecordId::from_digest(digest(2));
        pushes.published(0, record, (body, 1_000), &[1, 2]);
        pushes.published(0, RecordId::from_digest(digest(3)), (digest(4), 1_000), &[1, 2]);
        pushes.arrived(ms(103), 2, body);
        let carried = |bytes| Carried {
            received: [("gossip".to_owned(), (bytes, 1))].into(),
            ..Carried::default()
        };
        let push = pushes.finish(&[carried(0), carried(1_000), carried(5_000), carried(99)]);
        assert_eq!(push.delivered_percent, 100.0);
        assert_eq!(
            (push.latency.count, push.latency.p50, push.everyone.most),
            (2, 1.0, 3.0)
        );
        assert_eq!(push.received_each, 2_000.0);
    }
}
