//! What a speaker says and what it heard: [`Mouth`].

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use libp2p::PeerId;
use starfish_crypto::Digest;
use starfish_protocol::{
    codec,
    record::LogId,
    wire::{Channel, GOSSIP_BYTES, Gossip},
};

use super::{Rumours, Speaker, Speech, frames, histories::Histories, lock};
use crate::world::{
    World,
    chronicle::{Chronicle, What},
};

/// Messages of each mesh that are kept to be said again.
const KEPT: usize = 32;
/// Message ids of one announcement: nearly as many as gossipsub takes in one frame, 16 KiB.
const IDS: u64 = 450;

#[derive(Debug)]
pub(super) struct Mouth {
    speaker: Speaker,
    node: usize,
    chronicle: Arc<Chronicle>,
    /// Of the two meshes that everybody takes part in: records, statements.
    topics: [String; 2],
    /// Of the mesh of those who may be told TLP:GREEN.
    green: String,
    rumours: Rumours,
    heard: Heard,
    histories: Histories,
    /// The peers that are nodes, and how many of them it has talked to.
    nodes: BTreeSet<PeerId>,
    sides: usize,
}

impl Mouth {
    pub(super) fn new(world: &World, node: usize, speaker: Speaker) -> Self {
        let nodes = (0..world.len()).filter(|other| world.plan(*other).speaker.is_none());
        let topic = |channel: Channel| channel.topic(&world.cast.community);
        Self {
            speaker,
            node,
            chronicle: Arc::clone(&world.chronicle),
            topics: [Channel::Clear, Channel::Statements].map(topic),
            green: topic(Channel::Green),
            rumours: Arc::clone(&world.rumours),
            heard: Heard::default(),
            histories: Histories::new(&world.cast, node),
            nodes: nodes.map(|other| world.peer(other)).collect(),
            sides: 0,
        }
    }

    /// The first frame to a neighbour, and how many nodes came before it. Whoever wants to be somebody says who it is.
    pub(super) fn greet(&mut self, peer: &PeerId) -> (Vec<u8>, Speaker, usize) {
        let side = self.sides;
        self.sides += usize::from(self.nodes.contains(peer));
        let mut greeting = frames::join(&self.topics);
        if matches!(self.speaker.speech, Speech::Equivocate | Speech::Pry) {
            greeting.extend(frames::message(&self.topics[1], &self.histories.introduction()));
        }
        (greeting, self.speaker, side)
    }

    /// The frames of one turn to one neighbour.
    pub(super) fn say(&mut self, side: usize, turn: u64) -> Vec<Vec<u8>> {
        let [records, _] = &self.topics;
        match self.speaker.speech {
            Speech::Announce => {
                let id = |number: u64| *blake3::hash(&(turn * IDS + number).to_le_bytes()).as_bytes();
                vec![frames::announcement(records, (0..IDS).map(id))]
            }
            Speech::Graft if turn.is_multiple_of(2) => vec![frames::prunes(&self.topics)],
            Speech::Graft => vec![frames::grafts(&self.topics)],
            Speech::Repeat => self.heard.again(),
            Speech::Equivocate => {
                let record = self.histories.record(turn, side % 2);
                vec![frames::message(records, &record)]
            }
            Speech::Pry => Vec::new(),
        }
    }

    /// Keeps what it hears.
    pub(super) fn hear(&mut self, rpc: &[u8]) {
        for (topic, data) in frames::messages(rpc) {
            if topic == self.green {
                self.overhear("a message".to_owned());
            }
            self.heard.keep(topic, data);
        }
    }

    /// It was told something that is TLP:GREEN.
    pub(super) fn overhear(&self, what: String) {
        self.chronicle.note(Some(self.node), What::Overheard(what));
    }

    /// The mesh in which TLP:GREEN is told, and the names that are known of it.
    pub(super) fn green(&self) -> (String, Vec<(LogId, Digest)>) {
        (self.green.clone(), lock(&self.rumours).clone())
    }
}

/// The newest messages of each mesh, each once. In a mesh that has just met there are many statements for each record: each
/// mesh has room of its own.
#[derive(Debug, Default)]
struct Heard(BTreeMap<String, VecDeque<Vec<u8>>>);

impl Heard {
    fn keep(&mut self, topic: String, data: Vec<u8>) {
        let messages = self.0.entry(topic).or_default();
        if messages.contains(&data) {
            return;
        }
        if messages.len() == KEPT {
            messages.pop_front();
        }
        messages.push_back(data);
    }

    /// The frames that say all of it again, each header also without the body that came with it.
    fn again(&self) -> Vec<Vec<u8>> {
        let each = self
            .0
            .iter()
            .flat_map(|(topic, messages)| messages.iter().map(move |data| (topic, data)));
        let again = each.flat_map(|(topic, data)| {
            let both = [Some(data.clone()), without_body(data)].into_iter().flatten();
            both.map(move |data| frames::message(topic, &data))
        });
        again.collect()
    }
}

/// The same header in a message of another id, when a body came with it: nobody's memory of messages knows that one.
fn without_body(data: &[u8]) -> Option<Vec<u8>> {
    match codec::decode(data, GOSSIP_BYTES) {
        Ok(Gossip::Header { header, body: Some(_) }) => Some(codec::encode(&Gossip::Header { header, body: None })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{SecretKey, Signed};
    use starfish_protocol::record::Header;

    use super::*;

    /// A header with a body.
    fn record() -> Vec<u8> {
        let header = Signed::sign::<Header>(vec![0; 200], &SecretKey::from_seed([1; 32]));
        codec::encode(&Gossip::Header {
            header,
            body: Some(vec![7; 100]),
        })
    }

    #[test]
    fn the_newest_of_each_mesh_is_said_again_once() {
        let mut heard = Heard::default();
        let statement = |number: usize| number.to_le_bytes().to_vec();
        for number in 0..KEPT {
            heard.keep("statements".to_owned(), statement(number));
        }
        for _ in 0..2 {
            heard.keep("records".to_owned(), record());
        }
        heard.keep("statements".to_owned(), statement(KEPT));
        heard.keep("statements".to_owned(), statement(KEPT));
        let bare = without_body(&record()).expect("it has a body");
        let records = [record(), bare].map(|data| frames::message("records", &data));
        let statements = (1..=KEPT).map(|number| frames::message("statements", &statement(number)));
        assert_eq!(heard.again(), records.into_iter().chain(statements).collect::<Vec<_>>());
    }
}
