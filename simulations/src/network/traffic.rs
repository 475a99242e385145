//! Bytes by host and protocol. The protocol of a stream is read from its negotiation, whose first proposal comes with the
//! first bytes; what a stream carried before that is counted once it is known.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

use super::Network;

/// No protocol's name comes later than this in a stream.
const NEGOTIATION: usize = 256;
/// What each negotiation begins with, after its length.
const GREETING: &[u8] = b"\x13/multistream/1.0.0\n";
/// The name of streams whose negotiation was not understood.
const UNKNOWN: &str = "unknown";

/// How much was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// In bytes, without what lower layers add.
    pub bytes: u64,
    /// In writes.
    pub writes: u64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.writes += other.writes;
    }
}

/// What each host sent and was sent, by protocol.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    protocols: Vec<String>,
    sent: Vec<Vec<Count>>,
    received: Vec<Vec<Count>>,
}

impl Traffic {
    pub(super) fn new(hosts: usize) -> Self {
        Self {
            protocols: Vec::new(),
            sent: vec![Vec::new(); hosts],
            received: vec![Vec::new(); hosts],
        }
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
            for (protocol, count) in self.sent(host) {
                total.entry(protocol).or_default().add(count);
            }
        }
        total
    }

    fn named(&self, counts: &[Count]) -> BTreeMap<&str, Count> {
        let names = self.protocols.iter().map(String::as_str);
        names
            .zip(counts.iter().copied())
            .filter(|(_, count)| count.writes > 0)
            .collect()
    }

    fn protocol(&mut self, name: &str) -> usize {
        self.protocols
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                self.protocols.push(name.to_owned());
                self.protocols.len() - 1
            })
    }

    fn add(&mut self, [from, to]: [usize; 2], protocol: usize, count: Count) {
        for counts in [&mut self.sent[from], &mut self.received[to]] {
            if counts.len() <= protocol {
                counts.resize(protocol + 1, Count::default());
            }
            counts[protocol].add(count);
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
    Known(usize),
}

impl Label {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Reading::Unknown {
            first: Vec::new(),
            sent: [Count::default(); 2],
        }))
    }

    /// Counts what one end wrote. `ends` are the hosts, first the one that opened the stream.
    pub(super) fn count(&self, network: &Network, ends: [usize; 2], by_opener: bool, bytes: &[u8]) {
        let count = Count {
            bytes: bytes.len() as u64,
            writes: 1,
        };
        let direction = if by_opener { ends } else { [ends[1], ends[0]] };
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, sent) = match &mut *reading {
            Reading::Known(protocol) => return network.wires().traffic.add(direction, *protocol, count),
            Reading::Unknown { first, sent } => (first, sent),
        };
        sent[usize::from(!by_opener)].add(count);
        if by_opener {
            first.extend_from_slice(&bytes[..bytes.len().min(NEGOTIATION)]);
        }
        let name = match proposed(first) {
            Some(name) => name,
            None if first.len() >= NEGOTIATION => UNKNOWN.to_owned(),
            None => return,
        };
        let mut wires = network.wires();
        let protocol = wires.traffic.protocol(&name);
        wires.traffic.add(ends, protocol, sent[0]);
        if sent[1].writes > 0 {
            wires.traffic.add([ends[1], ends[0]], protocol, sent[1]);
        }
        *reading = Reading::Known(protocol);
    }
}

/// The protocol that is proposed first.
fn proposed(first: &[u8]) -> Option<String> {
    let proposal = first.strip_prefix(GREETING)?;
    // Protocols' names are shorter than 128 bytes, so that their length is one byte.
    let (length, rest) = proposal.split_first()?;
    let name = rest.get(..usize::from(*length))?;
    Some(String::from_utf8_lossy(name).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_proposal_names_the_stream() {
        let check = |first: &[u8], name: Option<&str>| assert_eq!(proposed(first).as_deref(), name);
        check(b"\x13/multistream/1.0.0\n\x0d/ipfs/ping/1\nxyz", Some("/ipfs/ping/1"));
        check(b"\x13/multistream/1.0.0\n\x0d/ipfs/p", None);
        check(b"\x13/multistream/1.0.0\n", None);
        check(b"\x13/multistr", None);
        check(b"something else altogether", None);
    }
}
