//! Hosts and the links between them: how long bytes take, and who cannot reach whom.

use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
    sync::{Arc, Weak},
    task::Waker,
};

use libp2p::PeerId;
use serde::{Deserialize, Serialize};

use super::{
    Separation,
    connection::Connection,
    downlink::{Arrival, Downlink},
    now,
    pipe::Backlog,
    traffic::Traffic,
};

const SECOND: u64 = 1_000_000_000;
/// What the headers of the lower layers add to each write, and what a write of nothing costs.
const OVERHEAD: u64 = 60;

/// How far apart regions are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Links {
    /// One-way latency in ns, by the region of the sender and of the receiver.
    pub latency: Vec<Vec<u64>>,
    /// By how many percent of it the latency of a pair of hosts may be higher, each pair by its own share.
    pub jitter_percent: u64,
}

impl Default for Links {
    /// Five regions, 8 to 80 ms apart.
    fn default() -> Self {
        const MS: u64 = 1_000_000;
        let rows: [[u64; 5]; 5] = [
            [8, 20, 45, 70, 80],
            [20, 8, 40, 65, 75],
            [45, 40, 8, 50, 60],
            [70, 65, 50, 8, 35],
            [80, 75, 60, 35, 8],
        ];
        Self {
            latency: rows.iter().map(|row| row.map(|ms| ms * MS).to_vec()).collect(),
            jitter_percent: 10,
        }
    }
}

/// Where a host is, and how it is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The row of [`Links::latency`].
    pub region: usize,
    /// Bits a second that it can send.
    pub uplink: u64,
    /// Bits a second that it can receive.
    pub downlink: u64,
    /// Its address; several hosts of one subnet are possible, two hosts of one address are not.
    pub ip: Ipv4Addr,
}

#[derive(Debug)]
struct Host {
    site: Site,
    peer: Option<PeerId>,
    /// When the uplink has sent everything so far.
    uplink_free: u64,
    downlink: Downlink,
    backlog: Backlog,
    /// The machine has no power.
    is_off: bool,
    /// It gives no answers to requests for bodies.
    is_silent: bool,
    door: Option<Door>,
}

/// Hosts of different groups do not reach each other.
#[derive(Debug)]
struct Partition {
    /// The group of each host.
    groups: Vec<usize>,
    separation: Separation,
}

/// Connections that wait to be accepted.
#[derive(Debug, Default)]
struct Door {
    waiting: VecDeque<Arc<Connection>>,
    waker: Option<Waker>,
}

#[derive(Debug)]
pub(super) struct Wires {
    links: Links,
    hosts: Vec<Host>,
    places: BTreeMap<Ipv4Addr, usize>,
    partitions: Vec<Partition>,
    blocks: BTreeMap<(usize, usize), Separation>,
    connections: Vec<Weak<Connection>>,
    pub(super) traffic: Traffic,
}

impl Wires {
    pub(super) fn new(links: Links, sites: Vec<Site>) -> Self {
        let places: BTreeMap<_, _> = sites.iter().enumerate().map(|(host, site)| (site.ip, host)).collect();
        assert_eq!(places.len(), sites.len(), "each host has an address of its own");
        let regions = links.latency.len();
        assert!(
            sites
                .iter()
                .all(|site| site.region < regions && site.uplink > 0 && site.downlink > 0)
                && links.latency.iter().all(|row| row.len() == regions),
            "each site is in a region of the latency matrix, which is square, and has bandwidth"
        );
        let traffic = Traffic::new(sites.len());
        let host = |site| Host {
            site,
            peer: None,
            uplink_free: 0,
            downlink: Downlink::default(),
            backlog: Backlog::default(),
            is_off: false,
            is_silent: false,
            door: None,
        };
        Self {
            links,
            hosts: sites.into_iter().map(host).collect(),
            places,
            partitions: Vec::new(),
            blocks: BTreeMap::new(),
            connections: Vec::new(),
            traffic,
        }
    }

    pub(super) fn twin(&self) -> Self {
        let sites = self.hosts.iter().map(|host| host.site.clone());
        Self::new(self.links.clone(), sites.collect())
    }

    pub(super) fn set_peer(&mut self, host: usize, peer: PeerId) {
        self.hosts[host].peer = Some(peer);
    }

    pub(super) fn peer(&self, host: usize) -> Option<PeerId> {
        self.hosts[host].peer
    }

    pub(super) fn ip(&self, host: usize) -> Ipv4Addr {
        self.hosts[host].site.ip
    }

    pub(super) fn host(&self, ip: Ipv4Addr) -> Option<usize> {
        self.places.get(&ip).copied()
    }

    /// One way, in ns. There is always some: two nodes that begin at the same moment must both be there when one is dialled.
    pub(super) fn latency(&self, from: usize, to: usize) -> u64 {
        let region = |host: usize| self.hosts[host].site.region;
        let base = self.links.latency[region(from)][region(to)];
        let pair = (from.min(to) as u64) << 32 | from.max(to) as u64;
        // The share of this pair in thousandths, the same both ways and at all times.
        let share = (pair.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 1_000;
        (base + base * self.links.jitter_percent / 100 * share / 1_000).max(1)
    }

    /// Sends bytes, unless a black hole holds them: the uplink sends them after all that it has to send, and the downlink
    /// takes them after all that reached it before.
    pub(super) fn send(&mut self, from: usize, to: usize, bytes: usize) -> Arrival {
        if self.fault(from, to) == Some(Separation::BlackHole) {
            return Arrival::held();
        }
        let bits = (bytes as u64 + OVERHEAD) * 8;
        let latency = self.latency(from, to);
        let sender = &mut self.hosts[from];
        let sent = sender.uplink_free.max(now()) + bits * SECOND / sender.site.uplink;
        sender.uplink_free = sent;
        let receiver = &mut self.hosts[to];
        let length = bits * SECOND / receiver.site.downlink;
        receiver.downlink.expect(from, sent + latency, length)
    }

    pub(super) fn backlog(&self, host: usize) -> &Backlog {
        &self.hosts[host].backlog
    }

    /// How many bytes are on their way to each host, or unread there.
    pub(super) fn backlogs(&self) -> Vec<usize> {
        self.hosts.iter().map(|host| host.backlog.bytes()).collect()
    }

    /// Lets the downlink of a host come to all that has reached it.
    pub(super) fn serve(&mut self, host: usize) {
        self.hosts[host].downlink.serve(now());
    }

    /// Whether something that was sent to a host is there.
    pub(super) fn has_arrived(&mut self, host: usize, arrival: &Arrival) -> bool {
        if arrival.time() <= now() {
            self.serve(host);
        }
        arrival.time() <= now()
    }

    /// What keeps two hosts apart, if anything does. A machine that is off is a black hole to all others.
    pub(super) fn fault(&self, one: usize, other: usize) -> Option<Separation> {
        let is_off = self.is_off(one) || self.is_off(other);
        let dark = is_off.then_some(Separation::BlackHole);
        self.separation(one, other).into_iter().chain(dark).min()
    }

    /// What a scenario has put between two hosts.
    fn separation(&self, one: usize, other: usize) -> Option<Separation> {
        let blocked = self.blocks.get(&(one.min(other), one.max(other))).copied();
        let separates = |partition: &&Partition| partition.groups[one] != partition.groups[other];
        let apart = self.partitions.iter().filter(separates);
        apart.map(|partition| partition.separation).chain(blocked).min()
    }

    pub(super) fn partition(&mut self, partitions: &[(Vec<Vec<usize>>, Separation)]) {
        let hosts = self.hosts.len();
        let of = |(parts, separation): &(Vec<Vec<usize>>, Separation)| {
            let mut groups = vec![0; hosts];
            for (number, part) in parts.iter().enumerate() {
                part.iter().for_each(|host| groups[*host] = number + 1);
            }
            Partition {
                groups,
                separation: *separation,
            }
        };
        self.partitions = partitions.iter().map(of).collect();
    }

    pub(super) fn is_off(&self, host: usize) -> bool {
        self.hosts[host].is_off
    }

    pub(super) fn silence(&mut self, host: usize) {
        self.hosts[host].is_silent = true;
    }

    pub(super) fn is_silent(&self, host: usize) -> bool {
        self.hosts[host].is_silent
    }

    /// Gives a machine its power or takes it; whether that is news.
    pub(super) fn switch(&mut self, host: usize, is_off: bool) -> bool {
        let host = &mut self.hosts[host];
        if host.is_off == is_off {
            return false;
        }
        // What it had still to send is lost.
        (host.is_off, host.uplink_free) = (is_off, 0);
        true
    }

    /// Holds what is under way between those who are kept apart, but for what a machine sent before it went off. The
    /// uplinks stay as busy as they were: what waits there behind it has its time already, and who sends into a black hole
    /// does not know it.
    pub(super) fn hold(&mut self) {
        for to in 0..self.hosts.len() {
            let mut downlink = std::mem::take(&mut self.hosts[to].downlink);
            downlink.hold(now(), |from, reaches| {
                let is_unsent = || reaches > now() + self.latency(from, to);
                self.separation(from, to).is_some() || self.is_off(to) || self.is_off(from) && is_unsent()
            });
            self.hosts[to].downlink = downlink;
        }
    }

    pub(super) fn has_blocks(&self) -> bool {
        !self.blocks.is_empty()
    }

    pub(super) fn block(&mut self, one: usize, other: usize, separation: Separation) {
        self.blocks.insert((one.min(other), one.max(other)), separation);
    }

    pub(super) fn mend(&mut self) {
        self.blocks.clear();
        self.partitions.clear();
    }

    pub(super) fn connections(&mut self) -> Vec<Weak<Connection>> {
        self.connections.retain(|connection| connection.strong_count() > 0);
        self.connections.clone()
    }

    pub(super) fn open_door(&mut self, host: usize) {
        self.hosts[host].door = Some(Door::default());
    }

    /// The port is free again, and whoever waited before the door is sent away.
    pub(super) fn close_door(&mut self, host: usize) -> Vec<Arc<Connection>> {
        let door = self.hosts[host].door.take();
        door.map_or_else(Vec::new, |door| door.waiting.into())
    }

    /// Brings a connection to the door of its other end; false when nobody listens there.
    pub(super) fn arrive(&mut self, connection: &Arc<Connection>) -> bool {
        let [_, to] = connection.ends();
        let Some(door) = &mut self.hosts[to].door else {
            return false;
        };
        door.waiting.push_back(Arc::clone(connection));
        if let Some(waker) = door.waker.take() {
            waker.wake();
        }
        // The list is cleaned when it has doubled since, so that each connection costs little.
        if self.connections.len() == self.connections.capacity() {
            self.connections.retain(|known| known.strong_count() > 0);
        }
        self.connections.push(Arc::downgrade(connection));
        true
    }

    pub(super) fn accept(&mut self, host: usize, waker: &Waker) -> Option<Arc<Connection>> {
        let door = self.hosts[host].door.as_mut()?;
        let connection = door.waiting.pop_front();
        if connection.is_none() {
            door.waker = Some(waker.clone());
        }
        connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wires(jitter_percent: u64) -> Wires {
        let links = Links {
            latency: vec![vec![1_000_000, 50_000_000], vec![50_000_000, 2_000_000]],
            jitter_percent,
        };
        let site = |host: u8| Site {
            region: usize::from(host % 2),
            uplink: 8_000_000,
            downlink: 1_000_000_000,
            ip: [10, 0, 0, host].into(),
        };
        Wires::new(links, (0..4).map(site).collect())
    }

    #[test]
    fn latency_is_the_same_both_ways_and_within_the_jitter() {
        let wires = wires(20);
        for (from, to, base) in [
            (0, 2, 1_000_000),
            (1, 3, 2_000_000),
            (0, 1, 50_000_000),
            (2, 3, 50_000_000),
        ] {
            let latency = wires.latency(from, to);
            assert_eq!(latency, wires.latency(to, from));
            assert!((base..=base * 12 / 10).contains(&latency), "{from} {to}: {latency}");
        }
    }

    #[test]
    fn nothing_is_there_before_it_was_sent() {
        let mut wires = wires(0);
        wires.links.latency = vec![vec![0; 2]; 2];
        assert_eq!(wires.latency(0, 1), 1);
    }

    #[test]
    fn groups_and_blocks_keep_apart_until_mended() {
        let mut wires = wires(0);
        let check = |wires: &Wires, apart: &[(usize, usize)]| {
            for one in 0..4 {
                for other in one + 1..4 {
                    let is_apart = wires.fault(other, one).is_some();
                    assert_eq!(is_apart, apart.contains(&(one, other)), "{one} {other}");
                }
            }
        };
        check(&wires, &[]);
        wires.partition(&[(vec![vec![0], vec![1]], Separation::BlackHole)]);
        check(&wires, &[(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)]);
        let two = [
            (vec![vec![0]], Separation::BlackHole),
            (vec![vec![0, 1]], Separation::Cut),
        ];
        wires.partition(&two);
        check(&wires, &[(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)]);
        assert_eq!(wires.fault(0, 1), Some(Separation::BlackHole), "in one of them");
        assert_eq!(wires.fault(0, 2), Some(Separation::Cut), "in both, and a cut is seen");
        wires.partition(&[(vec![vec![0], vec![1]], Separation::BlackHole)]);
        wires.block(3, 2, Separation::Cut);
        assert_eq!(wires.fault(2, 3), Some(Separation::Cut));
        assert_eq!(wires.fault(0, 3), Some(Separation::BlackHole));
        wires.mend();
        check(&wires, &[]);
    }
}
