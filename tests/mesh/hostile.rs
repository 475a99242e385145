//! A hostile peer against a real node: [`Siege`] is a victim, an honest neighbour that proves that the victim still works, and
//! an organisation whose node is a [`speaker::Speaker`]. Whatever it says costs the victim bounded memory, never a panic
//! (every daemon's end is checked for one), and makes it believe nothing that is not so.

mod believed;
mod bodies;
mod chains;
mod channels;
mod confided;
mod farm;
mod frames;
mod gossip_frames;
mod guest;
mod policy;
mod script;
mod speaker;
mod streams;

use starfish_crypto::{Signed, Strict, Verified};
use starfish_protocol::{
    codec,
    community::Community,
    record::Header,
    time::Millis,
    wire::{Channel, Gossip},
};
use starfish_tests::{
    cast::{Organisation, now},
    nodes::Nodes,
};

use script::Script;
use speaker::Speaker;

/// The victim and its honest neighbour.
const VICTIM: usize = 0;
const NEIGHBOUR: usize = 1;
/// How much the victim's memory may have grown at its highest, in bytes: what its own limits allow to be on the way, and the
/// slack of an allocator.
const GROWTH: u64 = 160 << 20;

/// A victim under attack.
struct Siege {
    mesh: Nodes,
    community: Community,
    hostile: Organisation,
    memory: u64,
}

impl Siege {
    /// Lays siege with an organisation that the victim, and the neighbour too, lists as a root.
    fn by_believed() -> Self {
        Self::begin(true)
    }

    /// Lays siege with an organisation that nobody knows.
    fn by_stranger() -> Self {
        Self::begin(false)
    }

    fn begin(believed: bool) -> Self {
        let community = Community::named("starfish");
        let hostile = Organisation::new("Hostile", 66, community, now());
        let listed = if believed {
            vec![hostile.id.to_string()]
        } else {
            Vec::new()
        };
        let mesh = Nodes::start_listing(2, &[(VICTIM, NEIGHBOUR)], |_| listed.clone());
        let memory = mesh[VICTIM].peak_memory();
        Self {
            mesh,
            community,
            hostile,
            memory,
        }
    }

    /// A connection that answers politely from the script, and has introduced itself.
    fn speaker(&self, script: &Script) -> Speaker {
        self.speaker_with(script, script.manners())
    }

    /// A connection that answers as told, and has introduced itself.
    fn speaker_with(&self, script: &Script, manners: speaker::Manners) -> Speaker {
        let mut speaker = Speaker::connect(&self.mesh[VICTIM].tcp_address(), script.key(), manners);
        speaker.ask(&script.introduction()).expect("the victim answers a Hello");
        speaker.join(&self.clear());
        speaker
    }

    fn script(&self) -> Script {
        Script::new(&self.hostile, self.community)
    }

    fn clear(&self) -> String {
        Channel::Clear.topic(&self.community)
    }

    fn statements(&self) -> String {
        Channel::Statements.topic(&self.community)
    }

    /// The victim holds nothing of these, in the open or in quarantine.
    fn believes_none(&self, values: &[&str]) {
        for value in values {
            assert!(
                self.mesh[VICTIM].believed(value).is_empty(),
                "the victim believes {value}"
            );
            assert!(
                self.mesh[NEIGHBOUR].believed(value).is_empty(),
                "the neighbour believes {value}"
            );
        }
    }

    /// The victim still publishes, receives and answers, and has kept its memory in bounds.
    fn survives(&self, round: &str) {
        let (out, back) = (format!("out-{round}.example"), format!("back-{round}.example"));
        self.mesh[VICTIM].publish("c2", std::slice::from_ref(&out));
        self.mesh[NEIGHBOUR].gets(&out);
        self.mesh[NEIGHBOUR].publish("c2", std::slice::from_ref(&back));
        self.mesh[VICTIM].gets(&back);
        let grown = self.mesh[VICTIM].peak_memory().saturating_sub(self.memory);
        assert!(
            grown < GROWTH,
            "{round}: the victim's memory grew by {} MB",
            grown >> 20
        );
        self.keeps_its_neighbour();
    }

    /// Nobody honest was blamed.
    fn keeps_its_neighbour(&self) {
        for (node, other) in [(VICTIM, NEIGHBOUR), (NEIGHBOUR, VICTIM)] {
            let peers = self.mesh[node].json(&["peers"]);
            let organisation = &self.mesh[other].organisation;
            let peer = peers.iter().find(|peer| peer["organisation"] == organisation.as_str());
            let peer = peer.unwrap_or_else(|| panic!("{organisation} is not connected: {peers:?}"));
            assert!(peer["strikes"] == 0 && peer["score"].as_f64() >= Some(0.0), "{peer}");
        }
    }

    fn records(&self) -> u64 {
        self.mesh[VICTIM].status()["records"]
            .as_u64()
            .expect("status counts records")
    }
}

/// A header's message, without a body.
fn bare(header: &Signed) -> Vec<u8> {
    codec::encode(&Gossip::Header {
        header: header.clone(),
        body: None,
    })
}

/// A header's message with a body inside.
fn inline(header: &Signed, body: &[u8]) -> Vec<u8> {
    codec::encode(&Gossip::Header {
        header: header.clone(),
        body: Some(body.to_vec()),
    })
}

/// A header that the hostile organisation really signed.
fn verified(header: &Signed) -> Verified<Header> {
    header
        .clone()
        .verify::<Header>(&Strict)
        .expect("a header made here verifies")
}

/// Time as a header writes it, so many ms from now.
fn after(offset: u64) -> Millis {
    Millis(now().0 + offset)
}
