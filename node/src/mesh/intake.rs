//! Gossip on its way to the rules: [`Intake`] counts what each peer sends and has it checked off the loop.
//!
//! Checks are shared out: a peer has so many under way at a time, its next messages wait, and those of other peers pass
//! them by. Results come back in the order in which the checks began, which for each peer, and for all of them as long as
//! nobody floods, is the order of arrival: headers of one log that overtook each other would look like a gap.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    task::{Context, Poll},
};

use futures::{
    FutureExt,
    future::BoxFuture,
    stream::{FuturesOrdered, StreamExt},
};
use libp2p::PeerId;
use starfish_protocol::{
    intake::{Fault, OpenGossip, open_gossip},
    quota::Quotas,
    statement::Checker,
    time::Millis,
    wire::{Channel, GOSSIP_BYTES},
};

use super::{
    environment::{Cost, Env, Work, compute},
    settings::Limits,
};

/// What a message may weigh to count as one.
const MESSAGE_BYTES: u64 = 1_024;
/// How many peers' use is remembered, connected or not, so that to come back is not to begin anew. A new peer is refused
/// when all of them are in use: to shut others out takes that many identities within the time of a refill.
const REMEMBERED: usize = 16_384;

/// A gossip message whose signatures were checked, or nothing when the check was lost.
pub(crate) struct Checked {
    pub(crate) peer: PeerId,
    pub(crate) channel: Channel,
    pub(crate) message: Vec<u8>,
    pub(crate) opened: Option<Result<OpenGossip, Fault>>,
}

/// Why a message is not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is longer than any message.
    TooLong,
    /// The peer has sent more than any honest one does.
    Flood,
    /// Too much of this peer waits already.
    Full,
}

/// What is being checked, and what waits for that.
pub(crate) struct Intake {
    env: Arc<dyn Env>,
    checker: Arc<dyn Checker>,
    quotas: Quotas<PeerId>,
    lanes: BTreeMap<PeerId, Lane>,
    /// Those whose next message may be checked, each once.
    turns: VecDeque<PeerId>,
    running: FuturesOrdered<BoxFuture<'static, Checked>>,
    most: usize,
    most_per_peer: usize,
    most_waiting: usize,
}

/// What one peer sent.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Message>,
    bytes: usize,
    running: usize,
    has_turn: bool,
}

struct Message {
    channel: Channel,
    id: Vec<u8>,
    data: Vec<u8>,
}

impl Intake {
    pub(crate) fn new(env: Arc<dyn Env>, checker: Arc<dyn Checker>, limits: &Limits) -> Self {
        let refill = limits.gossip_burst.saturating_mul(1_000) / limits.gossip_per_second.max(1);
        Self {
            env,
            checker,
            quotas: Quotas::new(limits.gossip_burst, Millis(refill), REMEMBERED),
            lanes: BTreeMap::new(),
            turns: VecDeque::new(),
            running: FuturesOrdered::new(),
            most: limits.gossip_checks,
            most_per_peer: limits.gossip_checks_per_peer,
            most_waiting: limits.gossip_waiting,
        }
    }

    /// Takes a message, which is checked at once or in its turn.
    pub(crate) fn offer(
        &mut self,
        peer: PeerId,
        (channel, id): (Channel, &[u8]),
        data: Vec<u8>,
        now: Millis,
    ) -> Result<(), Refusal> {
        if data.len() > GOSSIP_BYTES {
            return Err(Refusal::TooLong);
        }
        if !self.quotas.take(&peer, 1 + data.len() as u64 / MESSAGE_BYTES, now) {
            return Err(Refusal::Flood);
        }
        let lane = self.lanes.entry(peer).or_default();
        if lane.bytes + data.len() > self.most_waiting {
            return Err(Refusal::Full);
        }
        lane.bytes += data.len();
        let id = id.to_vec();
        lane.waiting.push_back(Message { channel, id, data });
        self.line_up(peer);
        self.start();
        Ok(())
    }

    /// What of this peer waits is not checked any more; gives the names of these messages.
    pub(crate) fn drop_waiting(&mut self, peer: &PeerId) -> Vec<(Channel, Vec<u8>)> {
        let Some(lane) = self.lanes.get_mut(peer) else {
            return Vec::new();
        };
        lane.bytes = 0;
        std::mem::take(&mut lane.waiting)
            .into_iter()
            .map(|message| (message.channel, message.id))
            .collect()
    }

    /// The next message that was checked.
    pub(crate) fn poll_checked(&mut self, cx: &mut Context<'_>) -> Poll<Checked> {
        let Poll::Ready(Some(checked)) = self.running.poll_next_unpin(cx) else {
            return Poll::Pending;
        };
        if let Some(lane) = self.lanes.get_mut(&checked.peer) {
            lane.running = lane.running.saturating_sub(1);
            if lane.running == 0 && lane.waiting.is_empty() && !lane.has_turn {
                self.lanes.remove(&checked.peer);
            }
        }
        self.line_up(checked.peer);
        self.start();
        Poll::Ready(checked)
    }

    fn line_up(&mut self, peer: PeerId) {
        if let Some(lane) = self.lanes.get_mut(&peer)
            && !lane.has_turn
            && !lane.waiting.is_empty()
            && lane.running < self.most_per_peer
        {
            lane.has_turn = true;
            self.turns.push_back(peer);
        }
    }

    /// Begins as many checks as may run, one of each peer in turn.
    fn start(&mut self) {
        while self.running.len() < self.most {
            let Some(peer) = self.turns.pop_front() else { break };
            let Some(lane) = self.lanes.get_mut(&peer) else {
                continue;
            };
            lane.has_turn = false;
            let Some(message) = lane.waiting.pop_front() else {
                continue;
            };
            lane.bytes -= message.data.len();
            lane.running += 1;
            self.check(peer, message);
            self.line_up(peer);
        }
    }

    fn check(&mut self, peer: PeerId, message: Message) {
        let Message { channel, id, data } = message;
        let checker = Arc::clone(&self.checker);
        let cost = Cost {
            work: Work::Gossip,
            bytes: data.len(),
        };
        let opened = compute(&self.env, cost, move || open_gossip(channel, &data, checker.as_ref()));
        let checked = opened.map(move |opened| Checked {
            peer,
            channel,
            message: id,
            opened,
        });
        self.running.push_back(checked.boxed());
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use starfish_crypto::Strict;

    use super::*;
    use crate::mesh::environment::alarms::Alarms;

    const ID: (Channel, &[u8]) = (Channel::Clear, b"id");

    fn intake(change: impl FnOnce(&mut Limits)) -> Intake {
        let mut limits = Limits::default();
        change(&mut limits);
        Intake::new(Arc::new(Alarms { ring: false }), Arc::new(Strict), &limits)
    }

    fn checked(intake: &mut Intake) -> Option<PeerId> {
        match intake.poll_checked(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(checked) => Some(checked.peer),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_flood_is_told_from_a_burst() {
        // How many messages of so many bytes a peer may send at once, and again so long after the last one.
        let check = |bytes: usize, burst: usize, later: u64, again: usize| {
            let mut intake = intake(|_| {});
            let (peer, other) = (PeerId::random(), PeerId::random());
            let mut offered = |peer: PeerId, at: u64| {
                let all = (0..20_000).map(|_| {
                    let taken = intake.offer(peer, ID, vec![0; bytes], Millis(at));
                    while checked(&mut intake).is_some() {}
                    taken
                });
                let refused: Vec<_> = all.filter_map(Result::err).collect();
                assert!(refused.iter().all(|refusal| *refusal == Refusal::Flood));
                20_000 - refused.len()
            };
            assert_eq!(offered(peer, 5), burst, "{bytes}");
            assert_eq!(offered(peer, 5 + later), again, "{bytes}");
            assert_eq!(offered(other, 5), burst, "{bytes}");
        };
        check(400, 8_192, 1_000, 100);
        check(1_023, 8_192, 1_000_000, 8_192);
        check(1_024, 4_096, 2_000, 100);
        check(GOSSIP_BYTES, 8_192 / (1 + GOSSIP_BYTES / 1_024), 10, 0);
    }

    #[test]
    fn who_floods_does_not_keep_others_waiting() {
        let mut intake = intake(|_| {});
        let (flooder, honest) = (PeerId::random(), PeerId::random());
        for _ in 0..1_000 {
            assert_eq!(intake.offer(flooder, ID, vec![1; 500], Millis(0)), Ok(()));
        }
        assert_eq!(intake.running.len(), 64);
        for _ in 0..110 {
            assert_eq!(intake.offer(honest, ID, vec![2; 500], Millis(0)), Ok(()));
        }
        let order: Vec<PeerId> = std::iter::from_fn(|| checked(&mut intake)).collect();
        assert_eq!(order.len(), 1_110);
        let last = order
            .iter()
            .rposition(|peer| *peer == honest)
            .expect("all were checked");
        assert!(last < 64 + 2 * 110, "{last}");
        assert!(intake.lanes.is_empty() && intake.turns.is_empty());
    }

    #[test]
    fn many_floods_leave_room_too() {
        let mut intake = intake(|limits| limits.gossip_checks = 100);
        let honest = PeerId::random();
        for flooder in std::iter::repeat_with(PeerId::random).take(10) {
            for _ in 0..100 {
                assert_eq!(intake.offer(flooder, ID, vec![1; 500], Millis(0)), Ok(()));
            }
        }
        assert_eq!(intake.running.len(), 100);
        assert_eq!(intake.offer(honest, ID, vec![2; 500], Millis(0)), Ok(()));
        let order: Vec<PeerId> = std::iter::from_fn(|| checked(&mut intake)).collect();
        let place = order.iter().position(|peer| *peer == honest);
        assert!(place.is_some_and(|place| place < 120), "{place:?}");
        assert_eq!(order.len(), 1_001);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut intake = intake(|limits| (limits.gossip_checks_per_peer, limits.gossip_waiting) = (2, 5_000));
        let peer = PeerId::random();
        let mut check = |bytes: usize, expected: Result<(), Refusal>| {
            assert_eq!(
                intake.offer(peer, (Channel::Green, &[7]), vec![0; bytes], Millis(0)),
                expected,
                "{bytes}"
            );
        };
        check(4_000, Ok(()));
        check(4_000, Ok(()));
        check(4_000, Ok(()));
        check(1_001, Err(Refusal::Full));
        check(1_000, Ok(()));
        check(1, Err(Refusal::Full));
        check(GOSSIP_BYTES + 1, Err(Refusal::TooLong));
        assert_eq!(
            intake.drop_waiting(&peer),
            [(Channel::Green, vec![7]), (Channel::Green, vec![7])]
        );
        assert_eq!(std::iter::from_fn(|| checked(&mut intake)).count(), 2);
        assert!(intake.lanes.is_empty());
    }
}
