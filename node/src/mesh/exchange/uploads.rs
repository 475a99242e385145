//! Whose turn it is to be sent a body: so many at a time to each peer, the others wait within a budget of bytes of which no
//! peer has more than its share.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use libp2p::PeerId;
use starfish_protocol::engine::port::Ticket;

use super::SHARE;
use crate::mesh::settings::Limits;

/// A body, and the request that it answers.
pub(super) type Upload = (Ticket, Vec<u8>);

/// The bodies under way, and those that wait.
pub(super) struct Uploads {
    peers: BTreeMap<PeerId, Turns>,
    waiting_bytes: usize,
    most_bytes: usize,
    at_a_time: usize,
}

#[derive(Default)]
struct Turns {
    active: BTreeSet<Ticket>,
    waiting: VecDeque<Upload>,
}

impl Turns {
    fn waiting_bytes(&self) -> usize {
        self.waiting.iter().map(|(_, body)| body.len()).sum()
    }
}

impl Uploads {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            peers: BTreeMap::new(),
            waiting_bytes: 0,
            most_bytes: limits.upload_bytes,
            at_a_time: limits.uploads_per_peer,
        }
    }

    /// Has a body wait for its turn, which `next` gives. False when there is no room for it.
    pub(super) fn offer(&mut self, peer: PeerId, (ticket, body): Upload) -> bool {
        let turns = self.peers.get(&peer);
        let waits = turns.is_some_and(|turns| turns.active.len() >= self.at_a_time);
        let own = turns.map_or(0, Turns::waiting_bytes);
        let fits = own + body.len() <= self.most_bytes / SHARE && self.waiting_bytes + body.len() <= self.most_bytes;
        if waits && !fits {
            return false;
        }
        self.waiting_bytes += body.len();
        self.peers.entry(peer).or_default().waiting.push_back((ticket, body));
        true
    }

    /// The next body whose turn has come.
    pub(super) fn next(&mut self, peer: &PeerId) -> Option<Upload> {
        let turns = self.peers.get_mut(peer)?;
        if turns.active.len() >= self.at_a_time {
            return None;
        }
        let (ticket, body) = turns.waiting.pop_front()?;
        turns.active.insert(ticket);
        self.waiting_bytes -= body.len();
        Some((ticket, body))
    }

    /// A request is over, whether its body was sent or not.
    pub(super) fn ended(&mut self, peer: &PeerId, ticket: Ticket) {
        let Some(turns) = self.peers.get_mut(peer) else { return };
        turns.active.remove(&ticket);
        let before = turns.waiting_bytes();
        turns.waiting.retain(|(waiting, _)| *waiting != ticket);
        self.waiting_bytes -= before - turns.waiting_bytes();
        if turns.active.is_empty() && turns.waiting.is_empty() {
            self.peers.remove(peer);
        }
    }

    /// A peer is gone.
    pub(super) fn gone(&mut self, peer: &PeerId) {
        let waiting = self.peers.remove(peer).map_or(0, |turns| turns.waiting_bytes());
        self.waiting_bytes -= waiting;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: usize = 100;

    /// Room for eight bodies of everybody, two of each, and one at a time.
    fn uploads() -> Uploads {
        Uploads::new(&Limits {
            upload_bytes: 2 * SHARE * BODY,
            uploads_per_peer: 1,
            ..Limits::default()
        })
    }

    /// Offers a body, and says whether it is sent at once; none when there is no room.
    fn offer(uploads: &mut Uploads, peer: PeerId, ticket: Ticket) -> Option<bool> {
        uploads
            .offer(peer, (ticket, vec![0; BODY]))
            .then(|| uploads.next(&peer).is_some())
    }

    #[test]
    fn bodies_go_one_after_the_other() {
        let (mut uploads, peer) = (uploads(), PeerId::random());
        assert_eq!(offer(&mut uploads, peer, 1), Some(true));
        assert_eq!(offer(&mut uploads, peer, 2), Some(false));
        uploads.ended(&peer, 1);
        assert_eq!(uploads.next(&peer).map(|(ticket, _)| ticket), Some(2));
        uploads.ended(&peer, 2);
        assert_eq!((uploads.next(&peer), uploads.waiting_bytes), (None, 0));
        assert!(uploads.peers.is_empty());
    }

    #[test]
    fn what_nobody_waits_for_takes_no_room() {
        let (mut uploads, peer) = (uploads(), PeerId::random());
        assert_eq!(offer(&mut uploads, peer, 1), Some(true));
        for ticket in 2..1_000 {
            assert_eq!(offer(&mut uploads, peer, ticket), Some(false));
            uploads.ended(&peer, ticket);
            assert_eq!(uploads.waiting_bytes, 0);
        }
        offer(&mut uploads, peer, 1_000);
        uploads.gone(&peer);
        assert_eq!((uploads.waiting_bytes, uploads.peers.len()), (0, 0));
    }

    #[test]
    fn nobody_takes_the_room_of_all() {
        let mut uploads = uploads();
        let greedy: Vec<PeerId> = (0..SHARE).map(|_| PeerId::random()).collect();
        for peer in &greedy {
            let answers = [Some(true), Some(false), Some(false), None, None];
            for (ticket, answer) in (1..).zip(answers) {
                assert_eq!(offer(&mut uploads, *peer, ticket), answer);
            }
        }
        // Everybody else has a turn all the same, only no room to wait.
        let other = PeerId::random();
        assert_eq!(offer(&mut uploads, other, 1), Some(true));
        assert_eq!(offer(&mut uploads, other, 2), None);
    }
}
