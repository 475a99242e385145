//! Gossip that comes in.

use libp2p::{PeerId, gossipsub, gossipsub::TopicHash};
use starfish_protocol::{
    engine::port::{Acceptance, Input},
    intake::Fault,
    time::Millis,
    wire::Channel,
};

use super::Node;
use crate::mesh::{
    event::{CloseReason, Event},
    intake::{Checked, Refusal},
    peers::{connections::Closing, peer_of},
};

/// How long a peer stays out that floods. Most of what it may send at once has come back by then.
const FLOOD_OUT: Millis = Millis(60_000);

impl Node {
    /// `green` says which of the two gossipsubs speaks.
    pub(super) fn gossiped(&mut self, green: bool, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            } => {
                let channel = self.channel(green, &message.topic);
                self.check_gossip(propagation_source, channel, message_id.0, message.data);
            }
            gossipsub::Event::Subscribed { topic, .. } => self.deliver(&topic),
            gossipsub::Event::SlowPeer { peer_id, .. } => self.watchdog.slow(peer_id),
            gossipsub::Event::GossipsubNotSupported { peer_id } if !green => self.watchdog.foreign(peer_id),
            // It does not confide in us, which is its own affair.
            gossipsub::Event::GossipsubNotSupported { .. } => {}
            gossipsub::Event::Unsubscribed { .. } => {}
        }
    }

    /// The channel of a topic: each gossipsub takes messages of its own alone.
    fn channel(&self, green: bool, topic: &TopicHash) -> Channel {
        let statements = self.network.topics.of(Channel::Statements);
        match green {
            true => Channel::Green,
            false if topic == statements => Channel::Statements,
            false => Channel::Clear,
        }
    }

    /// Has a message checked off the loop, if its peer may send it.
    fn check_gossip(&mut self, peer: PeerId, channel: Channel, message: Vec<u8>, data: Vec<u8>) {
        let out = self.expelled.contains_key(&peer);
        let taken = if out {
            Err(Refusal::Full)
        } else {
            self.intake.offer(peer, (channel, &message), data, self.env.now())
        };
        match taken {
            Ok(()) => {}
            Err(Refusal::TooLong) => self.feed(Input::Gossip {
                peer: peer_of(&peer),
                channel,
                message,
                opened: Err(Fault::Malformed),
            }),
            Err(refusal) => {
                self.desk.figures.dropped_gossip.inc();
                self.ignore(peer, channel, message);
                if refusal == Refusal::Flood {
                    self.end_flood(peer);
                }
            }
        }
    }

    pub(super) fn gossip_checked(&mut self, checked: Checked) {
        let Checked {
            peer,
            channel,
            message,
            opened,
        } = checked;
        match opened {
            Some(opened) => self.feed(Input::Gossip {
                peer: peer_of(&peer),
                channel,
                message,
                opened,
            }),
            None => self.ignore(peer, channel, message),
        }
    }

    /// Never a reject: that would also blame whoever passed on the same message in good faith.
    fn ignore(&mut self, peer: PeerId, channel: Channel, message: Vec<u8>) {
        self.validate(&peer_of(&peer), channel, message, Acceptance::Ignore);
    }

    /// Puts a peer out that sends more than any honest one does.
    fn end_flood(&mut self, peer: PeerId) {
        for (channel, message) in self.intake.drop_waiting(&peer) {
            self.ignore(peer, channel, message);
        }
        self.desk.figures.ended_floods.inc();
        self.emit(Event::Closed {
            peer,
            reason: CloseReason::Flooding,
        });
        self.expel(peer, FLOOD_OUT);
        self.close(peer, Closing::All);
    }

    /// Somebody can take messages that waited.
    fn deliver(&mut self, topic: &TopicHash) {
        for (channel, payload) in std::mem::take(&mut self.undelivered) {
            if self.network.topics.of(channel) == topic {
                self.publish(channel, payload);
            } else {
                self.undelivered.push_back((channel, payload));
            }
        }
    }
}
