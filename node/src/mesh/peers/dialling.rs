//! Whom to dial and when: [`Dialler`]. Configured peers and nodes of paired organisations are sought for ever, with a
//! backoff of at most 5 s; others once each time the rules name them, with a backoff of up to 5 min.

use std::collections::BTreeMap;

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol, swarm::ConnectionId};
use starfish_protocol::{engine::port::Wish, time::Millis};

/// The first wait after a failure; it doubles from there.
const FIRST_WAIT: u64 = 250;
/// The longest wait for a peer that is always wanted, and for any other.
const LASTING_CAP: u64 = 5_000;
const PASSING_CAP: u64 = 300_000;
/// How many targets are remembered; those that are not lasting make room first.
const TARGETS: usize = 512;
/// How many addresses of one target are tried.
const ADDRESSES: usize = 8;

/// The targets of one node.
#[derive(Debug, Default)]
pub(crate) struct Dialler {
    targets: BTreeMap<Name, Target>,
}

/// A target is an address whose owner is not known beforehand, or a peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Address(String),
    Peer(PeerId),
}

#[derive(Debug)]
struct Target {
    peer: Option<PeerId>,
    /// What the operator wrote, which stays.
    configured: Vec<Multiaddr>,
    /// What the peer published last.
    published: Vec<Multiaddr>,
    lasting: bool,
    /// For those that are not lasting: what the rules asked, when no attempt has followed yet.
    wanted: Option<Wish>,
    failures: u32,
    next: Millis,
    under_way: Option<ConnectionId>,
}

/// One dial to begin. The dialler is told its connection's id with [`Dialler::begun`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    name: Name,
    /// Who must answer, when that is known.
    pub(crate) pinned: Option<PeerId>,
    /// Where.
    pub(crate) addresses: Vec<Multiaddr>,
}

impl Dialler {
    /// A configured address, sought for ever.
    pub(crate) fn add_address(&mut self, address: Multiaddr, now: Millis) {
        let name = match address.iter().last() {
            Some(Protocol::P2p(peer)) => Name::Peer(peer),
            _ => Name::Address(address.to_string()),
        };
        if let Some(target) = self.add(name, Wish::Always, now)
            && !target.configured.contains(&address)
        {
            target.configured.push(address);
        }
    }

    /// Addresses that a peer published. A peer that is not always wanted gets one attempt each time it is named, and is
    /// forgotten when it is named without addresses. What the operator configured stays either way.
    pub(crate) fn add_peer(&mut self, peer: PeerId, mut addresses: Vec<Multiaddr>, wish: Wish, now: Millis) {
        if addresses.is_empty() && wish != Wish::Always {
            return self.forget_published(peer);
        }
        addresses.truncate(ADDRESSES);
        if let Some(target) = self.add(Name::Peer(peer), wish, now) {
            target.published = addresses;
        }
    }

    fn forget_published(&mut self, peer: PeerId) {
        let name = Name::Peer(peer);
        match self.targets.get_mut(&name) {
            Some(target) if !target.configured.is_empty() => target.published.clear(),
            _ => drop(self.targets.remove(&name)),
        }
    }

    /// The target of this name, old or new; none when there are too many.
    fn add(&mut self, name: Name, wish: Wish, now: Millis) -> Option<&mut Target> {
        if !self.targets.contains_key(&name) && self.targets.len() >= TARGETS {
            let passing = self
                .targets
                .iter()
                .find(|(_, target)| !target.lasting && target.under_way.is_none());
            let leaving = passing.map(|(name, _)| name.clone())?;
            self.targets.remove(&leaving);
        }
        let peer = if let Name::Peer(peer) = &name {
            Some(*peer)
        } else {
            None
        };
        let target = self.targets.entry(name).or_insert(Target {
            peer,
            configured: Vec::new(),
            published: Vec::new(),
            lasting: wish == Wish::Always,
            wanted: Some(wish),
            failures: 0,
            next: now,
            under_way: None,
        });
        target.lasting = wish == Wish::Always || !target.configured.is_empty();
        target.wanted = Some(wish);
        Some(target)
    }

    /// A peer whose connection is made anew, dialled at this address before, is dialled there once more, unless it is sought
    /// already.
    pub(crate) fn add_again(&mut self, peer: PeerId, address: Multiaddr, now: Millis) {
        if self.targets.values().all(|target| target.peer != Some(peer)) {
            self.add_peer(peer, vec![address], Wish::Now, now);
        }
    }

    /// What is to be dialled now. `connected` says whether a peer is, `room` how many passing peers may be added.
    pub(crate) fn due(&mut self, now: Millis, connected: impl Fn(&PeerId) -> bool, mut room: usize) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        for (name, target) in &mut self.targets {
            let absent = target.peer.is_none_or(|peer| !connected(&peer));
            if !absent
                || target.under_way.is_some()
                || target.next > now
                || !(target.lasting || target.wanted.is_some())
            {
                continue;
            }
            if !target.lasting {
                let needed = target.wanted.take() == Some(Wish::Now);
                if room == 0 && !needed {
                    continue;
                }
                room = room.saturating_sub(usize::from(!needed));
            }
            let pinned = if let Name::Peer(peer) = name { Some(*peer) } else { None };
            let addresses = target.configured.iter().chain(&target.published).cloned().collect();
            attempts.push(Attempt {
                name: name.clone(),
                pinned,
                addresses,
            });
        }
        attempts
    }

    /// A dial began.
    pub(crate) fn begun(&mut self, attempt: &Attempt, connection: ConnectionId) {
        if let Some(target) = self.targets.get_mut(&attempt.name) {
            target.under_way = Some(connection);
        }
    }

    /// A dial succeeded: an address has an owner now.
    pub(crate) fn succeeded(&mut self, connection: ConnectionId, peer: PeerId) {
        for target in self
            .targets
            .values_mut()
            .filter(|target| target.under_way == Some(connection))
        {
            target.under_way = None;
            target.peer = Some(peer);
        }
    }

    /// A dial failed. `chance` is a random number for the jitter.
    pub(crate) fn failed(&mut self, connection: ConnectionId, now: Millis, chance: u64) {
        for target in self
            .targets
            .values_mut()
            .filter(|target| target.under_way == Some(connection))
        {
            target.under_way = None;
            target.back_off(now, chance);
        }
    }

    /// A peer is gone. A connection that lasted clears its failures, so that a restart is followed quickly.
    pub(crate) fn lost(&mut self, peer: &PeerId, lasted: Millis, now: Millis, chance: u64) {
        for target in self.targets.values_mut().filter(|target| target.peer == Some(*peer)) {
            if lasted.0 > LASTING_CAP {
                target.failures = 0;
            }
            target.back_off(now, chance);
        }
    }

    /// A peer is not to be dialled for the longest wait: it, or we, refuse.
    pub(crate) fn avoid(&mut self, peer: &PeerId, now: Millis) {
        for target in self.targets.values_mut().filter(|target| target.peer == Some(*peer)) {
            target.next = Millis(now.0 + PASSING_CAP);
        }
    }

    /// An address turned out to be this node's own.
    pub(crate) fn forget(&mut self, connection: ConnectionId) {
        self.targets.retain(|_, target| target.under_way != Some(connection));
    }

    /// When `due` should be asked next.
    pub(crate) fn next_due(&self, connected: impl Fn(&PeerId) -> bool) -> Option<Millis> {
        let absent = |target: &&Target| {
            target.under_way.is_none()
                && (target.lasting || target.wanted.is_some())
                && target.peer.is_none_or(|peer| !connected(&peer))
        };
        self.targets.values().filter(absent).map(|target| target.next).min()
    }
}

impl Target {
    /// The next attempt: half of the wait for certain, the other half by chance.
    fn back_off(&mut self, now: Millis, chance: u64) {
        let cap = if self.lasting { LASTING_CAP } else { PASSING_CAP };
        let wait = (FIRST_WAIT << self.failures.min(20)).min(cap);
        self.failures = self.failures.saturating_add(1);
        self.next = Millis(now.0 + wait / 2 + chance % (wait / 2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().expect("an address")
    }

    fn nobody(_: &PeerId) -> bool {
        false
    }

    #[test]
    fn a_configured_peer_is_sought_for_ever() {
        let mut dialler = Dialler::default();
        dialler.add_address(address("/memory/1"), Millis(0));
        let mut now = Millis(0);
        for round in 0..40 {
            let due = dialler.due(now, nobody, 0);
            assert_eq!(due.len(), 1, "{round}");
            let connection = ConnectionId::new_unchecked(round);
            dialler.begun(&due[0], connection);
            assert_eq!(dialler.due(now, nobody, 0), []);
            dialler.failed(connection, now, u64::MAX);
            let next = dialler.next_due(nobody).expect("a next attempt");
            assert!(next > now && next.0 - now.0 <= LASTING_CAP, "{round}");
            now = next;
        }
    }

    #[test]
    fn a_passing_peer_gets_one_attempt_when_there_is_room() {
        let peer = PeerId::random();
        let mut dialler = Dialler::default();
        let check = |dialler: &mut Dialler, now: u64, room: usize, attempts: usize| {
            assert_eq!(dialler.due(Millis(now), nobody, room).len(), attempts, "{now}");
        };
        dialler.add_peer(peer, vec![address("/memory/1")], Wish::WhenRoom, Millis(0));
        check(&mut dialler, 0, 0, 0);
        check(&mut dialler, 1, 1, 0);
        dialler.add_peer(peer, vec![address("/memory/1")], Wish::WhenRoom, Millis(2));
        check(&mut dialler, 2, 1, 1);
        assert_eq!(dialler.next_due(nobody), None);
        // One that has what nobody else has is dialled whatever the room, and takes none from others.
        dialler.add_peer(peer, vec![address("/memory/1")], Wish::Now, Millis(3));
        check(&mut dialler, 3, 0, 1);
        dialler.add_peer(peer, vec![address("/memory/1")], Wish::Now, Millis(4));
        dialler.add_peer(PeerId::random(), vec![address("/memory/2")], Wish::WhenRoom, Millis(4));
        check(&mut dialler, 4, 1, 2);
    }

    #[test]
    fn an_address_is_known_by_its_owner_once_it_answered() {
        let peer = PeerId::random();
        let mut dialler = Dialler::default();
        dialler.add_address(address("/memory/1"), Millis(0));
        let due = dialler.due(Millis(0), nobody, 0);
        dialler.begun(&due[0], ConnectionId::new_unchecked(1));
        dialler.succeeded(ConnectionId::new_unchecked(1), peer);
        assert_eq!(dialler.due(Millis(9), |id| *id == peer, 0), []);
        assert_eq!(dialler.next_due(|id| *id == peer), None);
        dialler.lost(&peer, Millis(60_000), Millis(60_000), 0);
        assert_eq!(dialler.next_due(nobody), Some(Millis(60_125)));
        dialler.avoid(&peer, Millis(60_000));
        assert_eq!(dialler.next_due(nobody), Some(Millis(360_000)));
    }

    #[test]
    fn a_peer_that_is_let_go_is_not_dialled() {
        let peer = PeerId::random();
        let pinned = address("/memory/1").with(Protocol::P2p(peer));
        let check = |configured: bool, named: (Vec<Multiaddr>, Wish), attempts: &[Vec<Multiaddr>], lasting: bool| {
            let mut dialler = Dialler::default();
            if configured {
                dialler.add_address(pinned.clone(), Millis(0));
            }
            dialler.add_peer(peer, vec![address("/memory/2")], Wish::Always, Millis(0));
            dialler.add_peer(peer, named.0, named.1, Millis(0));
            let due = dialler.due(Millis(0), nobody, 1);
            let dialled: Vec<Vec<Multiaddr>> = due.into_iter().map(|attempt| attempt.addresses).collect();
            assert_eq!(dialled, attempts);
            // Whether it is sought again without being named again.
            assert_eq!(dialler.next_due(nobody).is_some(), lasting);
        };
        let two = || vec![address("/memory/2")];
        check(false, (two(), Wish::Always), &[two()], true);
        check(false, (Vec::new(), Wish::WhenRoom), &[], false);
        check(false, (two(), Wish::WhenRoom), &[two()], false);
        check(true, (Vec::new(), Wish::WhenRoom), &[vec![pinned.clone()]], true);
        check(
            true,
            (two(), Wish::WhenRoom),
            &[vec![pinned.clone(), address("/memory/2")]],
            true,
        );
    }

    #[test]
    fn targets_are_bounded() {
        let mut dialler = Dialler::default();
        for _ in 0..TARGETS + 10 {
            dialler.add_peer(PeerId::random(), vec![address("/memory/2")], Wish::WhenRoom, Millis(0));
        }
        assert_eq!(dialler.targets.len(), TARGETS);
        dialler.add_address(address("/memory/1"), Millis(0));
        assert_eq!(dialler.targets.values().filter(|target| target.lasting).count(), 1);
    }
}
