//! Bytes by host and kind of stream. What a stream carries before its kind is known is counted once it is.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

use super::{
    Network,
    kinds::{UNKNOWN, kind, kind_at_most},
};

/// What says the kind of a stream comes no later than this.
const BEGINNING: usize = 256;

/// How much was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// In bytes, without what lower layers add.
    pub bytes: u64,
    /// In writes.
    pub writes: u64,
    /// Streams that the sender opened.
    pub opened: u64,
    /// Streams that were opened to the sender, and on which it said anything.
    pub answered: u64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.writes += other.writes;
        self.opened += other.opened;
        self.answered += other.answered;
    }
}

/// What each host sent and was sent, by kind.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    kinds: Vec<String>,
    sent: Vec<Vec<Count>>,
    received: Vec<Vec<Count>>,
    /// What each hostile host said to honest ones, and what they said to it.
    met: BTreeMap<usize, [Vec<Count>; 2]>,
}

impl Traffic {
    pub(super) fn new(hosts: usize) -> Self {
        Self {
            kinds: Vec::new(),
            sent: vec![Vec::new(); hosts],
            received: vec![Vec::new(); hosts],
            met: BTreeMap::new(),
        }
    }

    /// From now on, what these and all others say to each other is counted by itself.
    pub(super) fn turn_hostile(&mut self, hosts: impl IntoIterator<Item = usize>) {
        self.met = hosts.into_iter().map(|host| (host, Default::default())).collect();
    }

    /// What a hostile host said to honest ones; nothing of an honest host.
    pub fn said_to_honest(&self, host: usize) -> BTreeMap<&str, Count> {
        self.met
            .get(&host)
            .map_or_else(BTreeMap::new, |[said, _]| self.named(said))
    }

    /// What honest hosts said to a hostile one; nothing of an honest host.
    pub fn said_by_honest(&self, host: usize) -> BTreeMap<&str, Count> {
        self.met
            .get(&host)
            .map_or_else(BTreeMap::new, |[_, told]| self.named(told))
    }

    /// What a host sent.
    pub fn sent(&self, host: usize) -> BTreeMap<&str, Count> {
        self.named(&self.sent[host])
    }

    /// What a host was sent.
    pub fn received(&self, host: usize) -> BTreeMap<&str, Count> {
        self.named(&self.received[host])
    }

    /// What all hosts sent.
    pub fn total(&self) -> BTreeMap<&str, Count> {
        let mut total: BTreeMap<&str, Count> = BTreeMap::new();
        for host in 0..self.sent.len() {
            for (kind, count) in self.sent(host) {
                total.entry(kind).or_default().add(count);
            }
        }
        total
    }

    fn named(&self, counts: &[Count]) -> BTreeMap<&str, Count> {
        let names = self.kinds.iter().map(String::as_str);
        names
            .zip(counts.iter().copied())
            .filter(|(_, count)| count.writes > 0)
            .collect()
    }

    fn kind(&mut self, name: &str) -> usize {
        self.kinds.iter().position(|known| known == name).unwrap_or_else(|| {
            self.kinds.push(name.to_owned());
            self.kinds.len() - 1
        })
    }

    fn add(&mut self, [from, to]: [usize; 2], kind: usize, count: Count) {
        let met = match (self.met.contains_key(&from), self.met.contains_key(&to)) {
            (true, false) => self.met.get_mut(&from).map(|[said, _]| said),
            (false, true) => self.met.get_mut(&to).map(|[_, told]| told),
            _ => None,
        };
        for counts in [&mut self.sent[from], &mut self.received[to]].into_iter().chain(met) {
            if counts.len() <= kind {
                counts.resize(kind + 1, Count::default());
            }
            counts[kind].add(count);
        }
    }
}

/// What one stream is for.
#[derive(Debug)]
pub(super) struct Label(Mutex<Reading>);

#[derive(Debug)]
enum Reading {
    /// The first bytes, and what each end sent.
    Unknown {
        first: Vec<u8>,
        sent: [Count; 2],
    },
    Known {
        kind: usize,
        is_answered: bool,
    },
}

impl Label {
    pub(super) fn new() -> Self {
        let opened = Count {
            opened: 1,
            ..Count::default()
        };
        Self(Mutex::new(Reading::Unknown {
            first: Vec::new(),
            sent: [opened, Count::default()],
        }))
    }

    /// Counts what one end wrote. `ends` are the hosts, first the one that opened the stream.
    pub(super) fn count(&self, network: &Network, ends: [usize; 2], by_opener: bool, bytes: &[u8]) {
        let mut count = Count {
            bytes: bytes.len() as u64,
            writes: 1,
            ..Count::default()
        };
        let direction = if by_opener { ends } else { [ends[1], ends[0]] };
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, sent) = match &mut *reading {
            Reading::Known { kind, is_answered } => {
                count.answered = u64::from(!by_opener && !std::mem::replace(is_answered, true));
                return network.wires().traffic.add(direction, *kind, count);
            }
            Reading::Unknown { first, sent } => (first, sent),
        };
        sent[usize::from(!by_opener)].add(count);
        if by_opener {
            first.extend_from_slice(&bytes[..bytes.len().min(BEGINNING)]);
        }
        match kind(first) {
            Some(name) => reading.know(network, ends, &name),
            None if first.len() >= BEGINNING => reading.know(network, ends, UNKNOWN),
            None => {}
        }
    }

    /// Whether the stream is known to carry this.
    pub(super) fn is(&self, network: &Network, name: &str) -> bool {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Reading::Known { kind, .. } => network.wires().traffic.kinds[kind] == name,
            Reading::Unknown { .. } => false,
        }
    }

    /// The opener says nothing more: what it has not said by now stays unknown.
    pub(super) fn settle(&self, network: &Network, ends: [usize; 2]) {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Reading::Unknown { first, .. } = &*reading {
            let name = kind_at_most(first);
            reading.know(network, ends, &name);
        }
    }
}

impl Reading {
    /// Counts what was sent until now as this kind.
    fn know(&mut self, network: &Network, ends: [usize; 2], name: &str) {
        let mut wires = network.wires();
        let kind = wires.traffic.kind(name);
        let is_answered = matches!(self, Self::Unknown { sent: [_, back], .. } if back.writes > 0);
        let known = std::mem::replace(self, Self::Known { kind, is_answered });
        if let Self::Unknown { mut sent, .. } = known {
            sent[1].answered = u64::from(is_answered);
            let ways = [ends, [ends[1], ends[0]]].into_iter().zip(sent);
            ways.filter(|(_, count)| count.writes > 0)
                .for_each(|(way, count)| wires.traffic.add(way, kind, count));
        }
    }
}

#[cfg(test)]
mod tests {
    use starfish_protocol::wire::REQUEST_PROTOCOL;

    use super::*;
    use crate::network::{Links, Site};

    #[test]
    fn what_a_stream_carried_counts_once_its_kind_is_known() {
        let check = |said: &[u8], ends: bool, kind: &str| {
            let site = |host: u8| Site {
                region: 0,
                uplink: 1_000,
                downlink: 1_000,
                ip: [10, 0, 0, host].into(),
            };
            let links = Links {
                latency: vec![vec![1]],
                jitter_percent: 0,
            };
            let network = Network::new(links, (0..2).map(site).collect());
            network.turn_hostile([1]);
            let label = Label::new();
            let opening = format!("\x13/multistream/1.0.0\n\x14{REQUEST_PROTOCOL}");
            label.count(&network, [0, 1], true, opening.as_bytes());
            label.count(&network, [0, 1], false, &[0; 40]);
            assert!(network.traffic().total().is_empty(), "nobody knows yet");
            label.count(&network, [0, 1], true, said);
            if ends {
                label.settle(&network, [0, 1]);
            }
            // What comes later is of the same kind, and the end changes nothing.
            label.count(&network, [0, 1], false, &[0; 1_000]);
            label.settle(&network, [0, 1]);
            let count = |bytes: usize, opened, answered| Count {
                bytes: bytes as u64,
                writes: 2,
                opened,
                answered,
            };
            let (there, back) = (count(opening.len() + said.len(), 1, 0), count(1_040, 0, 1));
            let traffic = network.traffic();
            assert_eq!(traffic.sent(0), [(kind, there)].into());
            assert_eq!(
                (traffic.sent(1), traffic.received(1)),
                ([(kind, back)].into(), [(kind, there)].into())
            );
            // The first host is honest, and the other one is not.
            assert_eq!(traffic.said_by_honest(1), [(kind, there)].into());
            assert_eq!(traffic.said_to_honest(1), [(kind, back)].into());
            assert!(traffic.said_by_honest(0).is_empty() && traffic.said_to_honest(0).is_empty());
        };
        // A line ends with a line feed; then comes the length of a request for a body, and its number.
        check(b"\n\x21\x04", false, "bodies");
        check(b"\n\x21", true, REQUEST_PROTOCOL);
        check(b"", true, UNKNOWN);
    }
}
