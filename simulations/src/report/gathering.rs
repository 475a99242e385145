//! From what happened to figures: [`Gathering`] hears of every publication and arrival while a run goes on.

use std::{collections::BTreeMap, time::Duration};

use starfish_protocol::record::RecordId;

use super::{Group, Names, NodeRow, Outcome, Spread, TrafficRow, figures::Percentiles};
use crate::scenario::written::AdversaryKind;

/// What is known of a node before a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its role.
    pub role: String,
    /// Its region.
    pub region: String,
    /// What it does instead of what it should.
    pub adversary: Option<AdversaryKind>,
    /// By which events call it.
    pub names: Names,
    /// Whether it pulls one TLD only.
    pub is_selective: bool,
}

/// Bytes that one node sent and was sent, by kind of stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Bytes and writes that it sent.
    pub sent: BTreeMap<String, (u64, u64)>,
    /// Bytes and writes that it was sent.
    pub received: BTreeMap<String, (u64, u64)>,
}

/// Collects what happens.
#[derive(Debug)]
pub struct Gathering {
    nodes: Vec<Known>,
    /// Stretches in which a part of the network could not be reached.
    splits: Vec<(Duration, Duration)>,
    records: Vec<Published>,
    by_id: BTreeMap<RecordId, usize>,
    /// Bytes of bodies that each node stored, wanted or not, and again after its store was lost.
    stored: Vec<u64>,
    refused: u64,
}

#[derive(Debug)]
struct Published {
    at: Duration,
    author: u32,
    length: u64,
    /// By node: when it had the body, if it has.
    wanted: BTreeMap<u32, Option<Duration>>,
}

impl Gathering {
    /// For these nodes, in a network that is split in these stretches of time.
    pub fn new(nodes: Vec<Known>, splits: Vec<(Duration, Duration)>) -> Self {
        Self {
            stored: vec![0; nodes.len()],
            nodes,
            splits,
            records: Vec::new(),
            by_id: BTreeMap::new(),
            refused: 0,
        }
    }

    /// A node published a record with so many bytes of body, and these other nodes want it.
    pub fn published(
        &mut self,
        at: Duration,
        author: u32,
        record: RecordId,
        length: u64,
        wanted: impl IntoIterator<Item = u32>,
    ) {
        self.by_id.insert(record, self.records.len());
        let wanted = wanted.into_iter().map(|node| (node, None)).collect();
        self.records.push(Published {
            at,
            author,
            length,
            wanted,
        });
    }

    /// A node stored the body of a record. Only the first time counts as its arrival, and only where it is wanted.
    pub fn arrived(&mut self, at: Duration, node: u32, record: RecordId) {
        let Some(published) = self.by_id.get(&record).and_then(|place| self.records.get_mut(*place)) else {
            return;
        };
        if node != published.author {
            self.stored[node as usize] += published.length;
        }
        if let Some(arrival) = published.wanted.get_mut(&node) {
            arrival.get_or_insert(at);
        }
    }

    /// A node refused to publish.
    pub fn refused(&mut self) {
        self.refused += 1;
    }

    /// All figures; `carried` holds the bytes of each node, and `carries_bodies` knows the kinds that are bodies.
    pub fn finish(self, carried: &[Carried], carries_bodies: impl Fn(&str) -> bool) -> Outcome {
        let mut outcome = Outcome {
            records: self.records.len() as u64,
            refused: self.refused,
            ..Outcome::default()
        };
        self.times(&mut outcome);
        outcome.traffic = traffic(carried);
        outcome.nodes = self.rows(carried, carries_bodies);
        let useful: u64 = self
            .records
            .iter()
            .map(|record| record.length * arrivals(record) as u64)
            .sum();
        let honest = outcome.nodes.iter().filter(|row| row.adversary.is_none());
        let received: u64 = honest.map(|row| row.received_bodies).sum();
        outcome.copies = (useful > 0).then(|| received as f64 / useful as f64);
        outcome.own_tld_percent = self.selectivity(&outcome.nodes, |row| row.received_bodies);
        outcome.own_tld_received_percent = self.selectivity(&outcome.nodes, |row| row.received);
        outcome
    }

    fn times(&self, outcome: &mut Outcome) {
        let [mut regions, mut roles]: [BTreeMap<&str, Vec<f64>>; 2] = Default::default();
        let (mut all, mut everyone) = (Vec::new(), Vec::new());
        for (number, record) in self.records.iter().enumerate() {
            let (mut spread, mut last) = (Vec::new(), Duration::ZERO);
            for (node, arrival) in &record.wanted {
                let Some(arrival) = arrival else { continue };
                let time = milliseconds(arrival.saturating_sub(record.at));
                last = last.max(self.took(record.at, *arrival));
                spread.push(time);
                if let Some(known) = self.nodes.get(*node as usize) {
                    regions.entry(&known.region).or_default().push(time);
                    roles.entry(&known.role).or_default().push(time);
                }
            }
            outcome.wanted += record.wanted.len() as u64;
            outcome.arrived += spread.len() as u64;
            if !spread.is_empty() && spread.len() == record.wanted.len() {
                everyone.push(milliseconds(last));
            }
            spread.sort_by(f64::total_cmp);
            all.extend(&spread);
            outcome.spread.push(Spread {
                record: number as u64,
                at: milliseconds(record.at),
                wanted: record.wanted.len() as u64,
                arrivals: spread,
            });
        }
        outcome.latency = Percentiles::of(all);
        outcome.everyone = Percentiles::of(everyone);
        let group = |(name, times): (&str, Vec<f64>)| Group {
            name: name.to_owned(),
            latency: Percentiles::of(times),
        };
        outcome.regions = regions.into_iter().map(group).collect();
        outcome.roles = roles.into_iter().map(group).collect();
    }

    /// For each split: how many bodies that were published while it lasted arrived after its end.
    pub fn waited(&self) -> Vec<u64> {
        let arrivals = |record: &Published| record.wanted.values().flatten().copied().collect::<Vec<_>>();
        let of = |(from, until): &(Duration, Duration)| {
            let meanwhile = self
                .records
                .iter()
                .filter(|record| (*from..*until).contains(&record.at));
            let late = meanwhile.flat_map(arrivals).filter(|arrival| arrival >= until);
            late.count() as u64
        };
        self.splits.iter().map(of).collect()
    }

    /// How long a body took: since it was published, or since the end of the partition for which it had to wait. A partition
    /// is in the way of those on one side of it too, who may have had no other way to each other.
    fn took(&self, published: Duration, arrival: Duration) -> Duration {
        let mut since = published;
        let waited = |at: Duration| {
            let holds = |(from, until): &&(Duration, Duration)| (*from..*until).contains(&at) && *until <= arrival;
            self.splits.iter().filter(holds).map(|(_, until)| *until).max()
        };
        while let Some(end) = waited(since) {
            since = end;
        }
        arrival.saturating_sub(since)
    }

    fn rows(&self, carried: &[Carried], carries_bodies: impl Fn(&str) -> bool) -> Vec<NodeRow> {
        let mut missing = vec![0; self.nodes.len()];
        for record in &self.records {
            for (node, arrival) in &record.wanted {
                missing[*node as usize] += u64::from(arrival.is_none());
            }
        }
        let rows = self.nodes.iter().zip(carried).zip(missing).enumerate();
        let row = |(node, ((known, carried), missing)): (usize, ((&Known, &Carried), u64))| NodeRow {
            node: node as u32,
            role: known.role.clone(),
            region: known.region.clone(),
            adversary: known.adversary,
            names: known.names.clone(),
            missing,
            received: carried.received.values().map(|(bytes, _)| bytes).sum(),
            stored_bodies: self.stored[node],
            received_bodies: carried
                .received
                .iter()
                .filter(|(name, _)| carries_bodies(name))
                .map(|(_, (bytes, _))| bytes)
                .sum(),
            sent: carried.sent.values().map(|(bytes, _)| bytes).sum(),
        };
        rows.map(row).collect()
    }

    fn selectivity(&self, rows: &[NodeRow], of: impl Fn(&NodeRow) -> u64) -> Option<f64> {
        let bytes = |is_selective: bool| -> Vec<f64> {
            let nodes = self.nodes.iter().zip(rows);
            let such = nodes.filter(|(known, _)| known.is_selective == is_selective && known.adversary.is_none());
            such.map(|(_, row)| of(row) as f64).collect()
        };
        let (own, full) = (bytes(true), bytes(false));
        // Medians: whoever published receives little of what it wrote.
        let [own, full] = [own, full].map(|bytes| Percentiles::of(bytes).p50);
        (own > 0.0 && full > 0.0).then(|| 100.0 * own / full)
    }
}

fn arrivals(record: &Published) -> usize {
    record.wanted.values().flatten().count()
}

fn milliseconds(length: Duration) -> f64 {
    length.as_nanos() as f64 / 1e6
}

fn traffic(carried: &[Carried]) -> Vec<TrafficRow> {
    let mut total: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (kind, (bytes, writes)) in carried.iter().flat_map(|carried| &carried.sent) {
        let sum = total.entry(kind).or_default();
        *sum = (sum.0 + bytes, sum.1 + writes);
    }
    let row = |(kind, (bytes, writes)): (&str, (u64, u64))| TrafficRow {
        kind: kind.to_owned(),
        bytes,
        writes,
    };
    total.into_iter().map(row).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use starfish_crypto::{Digest, domain};

    pub(crate) fn record(number: u8) -> RecordId {
        RecordId::from_digest(Digest::of(domain::COMMUNITY, &[number]))
    }

    /// Four nodes, one of them hostile and one of them selective; two records, of which one did not reach everyone.
    pub(crate) fn gathered() -> Outcome {
        let known = |role: &str, region: &str, adversary: Option<AdversaryKind>| Known {
            role: role.to_owned(),
            region: region.to_owned(),
            adversary,
            names: Names::default(),
            is_selective: role == "registry",
        };
        let nodes = vec![
            known("cert", "north", None),
            known("cert", "south", None),
            known("registry", "south", None),
            known("cert", "north", Some(AdversaryKind::Withholder)),
        ];
        let seconds = Duration::from_secs;
        let mut gathering = Gathering::new(nodes, vec![(seconds(10), seconds(20))]);
        gathering.published(seconds(5), 0, record(1), 1_000, [1, 2]);
        gathering.published(seconds(12), 0, record(2), 500, [1, 2]);
        gathering.arrived(Duration::from_millis(5_100), 1, record(1));
        gathering.arrived(Duration::from_millis(5_300), 2, record(1));
        gathering.arrived(Duration::from_millis(9_000), 2, record(1));
        gathering.arrived(Duration::from_millis(21_000), 1, record(2));
        // Not wanted there, and not known at all.
        gathering.arrived(Duration::from_millis(5_100), 3, record(1));
        gathering.arrived(Duration::from_millis(5_100), 1, record(9));
        let carried = |gossip: u64, bodies: u64| Carried {
            sent: [("gossip".to_owned(), (gossip, 1))].into(),
            received: [("gossip".to_owned(), (gossip, 1)), ("bodies".to_owned(), (bodies, 1))].into(),
        };
        let carried = [
            carried(10, 50),
            carried(20, 2_000),
            carried(30, 100),
            carried(40, 9_999),
        ];
        gathering.finish(&carried, |kind| kind == "bodies")
    }

    #[test]
    fn figures_follow_from_what_happened() {
        let outcome = gathered();
        assert_eq!((outcome.records, outcome.wanted, outcome.arrived), (2, 4, 3));
        assert_eq!(outcome.delivered_percent(), Some(75.0));
        assert_eq!((outcome.latency.p50, outcome.latency.most), (300.0, 9_000.0));
        // Only the first record is everywhere.
        assert_eq!((outcome.everyone.count, outcome.everyone.most), (1, 300.0));
        assert_eq!(outcome.copies, Some(2_150.0 / 2_500.0));
        // Of bodies the selective node was sent 100 bytes, and the median of the two others 50; in all 130, and 60.
        assert_eq!(outcome.own_tld_percent, Some(100.0 * 100.0 / 50.0));
        assert_eq!(outcome.own_tld_received_percent, Some(100.0 * 130.0 / 60.0));
        assert_eq!(outcome.traffic[0].bytes, 100);
        let missing: Vec<u64> = outcome.nodes.iter().map(|row| row.missing).collect();
        assert_eq!(missing, [0, 0, 1, 0]);
        assert_eq!(outcome.spread[0].arrivals, [100.0, 300.0]);
    }

    fn anybody() -> Known {
        Known {
            role: "a".into(),
            region: "b".into(),
            adversary: None,
            names: Names::default(),
            is_selective: false,
        }
    }

    #[test]
    fn only_what_was_published_in_a_split_waits_for_its_end() {
        let seconds = Duration::from_secs;
        let splits = vec![(seconds(10), seconds(20)), (seconds(15), seconds(30))];
        let mut gathering = Gathering::new(vec![anybody(); 3], splits);
        for (number, at) in [(1, 5), (2, 12), (3, 20)] {
            gathering.published(seconds(at), 0, record(number), 1, [1, 2]);
        }
        for (number, node, at) in [(1, 1, 25), (2, 1, 13), (2, 2, 20), (3, 1, 31), (3, 2, 35)] {
            gathering.arrived(seconds(at), node, record(number));
        }
        assert_eq!(gathering.waited(), [1, 2]);
    }

    #[test]
    fn what_waited_for_the_end_of_a_partition_counts_from_there() {
        let seconds = Duration::from_secs;
        let check = |splits: &[(u64, u64)], arrivals: [u64; 2], everyone: f64| {
            let splits = splits.iter().map(|(from, until)| (seconds(*from), seconds(*until)));
            let mut gathering = Gathering::new(vec![anybody(); 3], splits.collect());
            gathering.published(seconds(12), 0, record(1), 1, [1, 2]);
            gathering.arrived(seconds(arrivals[0]), 1, record(1));
            gathering.arrived(seconds(arrivals[1]), 2, record(1));
            let outcome = gathering.finish(&vec![Carried::default(); 3], |_| true);
            let latest = (arrivals[0].max(arrivals[1]) - 12) as f64 * 1_000.0;
            assert_eq!((outcome.everyone.most, outcome.latency.most), (everyone, latest));
        };
        check(&[], [13, 14], 2_000.0);
        check(&[(10, 20)], [23, 14], 3_000.0);
        check(&[(10, 20)], [17, 14], 5_000.0);
        check(&[(10, 20)], [17, 24], 5_000.0);
        check(&[(10, 20), (15, 30)], [31, 14], 2_000.0);
        check(&[(10, 20), (15, 30)], [29, 14], 9_000.0);
        check(&[(10, 20), (15, 30)], [29, 31], 9_000.0);
        check(&[(5, 12), (13, 30)], [31, 13], 19_000.0);
    }
}
