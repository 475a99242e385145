//! Two logs of one author that begin with the same record and then have two for every number: [`Histories`].

use starfish_crypto::{Digest, SecretKey, Signed, Strict};
use starfish_protocol::{
    codec,
    community::Community,
    observable::Observable,
    record::{Audience, Body, Bundle, Extensions, Header, Kind, RecordId, Tlp, Topic, seal_body},
    statement::Statement,
    time::Millis,
    wire::Gossip,
};
use starfish_sim_kernel::WallClock;

use crate::world::cast::Cast;

/// How long each record is worth knowing, in ms.
const LIFETIME: u64 = 24 * 3_600_000;
const CONFIDENCE: u8 = 100;

#[derive(Debug)]
pub(super) struct Histories {
    community: Community,
    key: SecretKey,
    /// Manifest and certificate.
    statements: Vec<Statement>,
    /// Of each history, the messages so far.
    told: [Vec<Vec<u8>>; 2],
    last: [Digest; 2],
    epoch: Millis,
}

impl Histories {
    pub(super) fn new(cast: &Cast, node: usize) -> Self {
        let member = &cast.members[node];
        Self {
            community: cast.community,
            key: member.key.clone(),
            statements: member.statements.clone(),
            told: [Vec::new(), Vec::new()],
            last: [Digest::ZERO; 2],
            epoch: Millis(0),
        }
    }

    /// Who writes them.
    pub(super) fn introduction(&self) -> Vec<u8> {
        codec::encode(&Gossip::Statements(self.statements.clone()))
    }

    /// The message with the record of this number. It and those before are written when they are told for the first time.
    pub(super) fn record(&mut self, number: u64, history: usize) -> Vec<u8> {
        while self.told[history].len() as u64 <= number {
            self.write();
        }
        self.told[history][number as usize].clone()
    }

    /// Adds one record to each.
    fn write(&mut self) {
        let now = Millis(WallClock::now().unwrap_or_default() / 1_000_000);
        let seq = self.told[0].len() as u64;
        if seq == 0 {
            self.epoch = now;
        }
        for history in 0..self.told.len() {
            // The first one is the same.
            let number = if seq == 0 { 0 } else { 2 * seq + history as u64 };
            let (message, id) = self.signed((seq, self.last[history]), number, now);
            self.told[history].push(message);
            self.last[history] = id;
        }
    }

    fn signed(&self, (seq, prev): (u64, Digest), number: u64, now: Millis) -> (Vec<u8>, Digest) {
        let [_, _, high, low] = (number as u32).to_be_bytes();
        // Without a TLD, so that it travels with its header.
        let address = Observable::parse(&format!("11.0.{high}.{low}")).expect("an address");
        let bundle = Bundle::new(CONFIDENCE, format!("record {number}"), vec![address]).expect("one address fits");
        let sealed = seal_body(Body::Indicators(bundle));
        let header = Header {
            version: Header::VERSION,
            community: self.community,
            author: self.key.public(),
            audience: Audience::Clear,
            tlp: Tlp::Clear,
            kind: Kind::INDICATORS,
            epoch: self.epoch,
            seq,
            prev,
            created_at: now,
            expires_at: Millis(now.0 + LIFETIME),
            body_digest: sealed.digest,
            compressed_len: sealed.compressed.len() as u32,
            raw_len: sealed.raw_len,
            items: sealed.items,
            topic: Topic::parse("malware").expect("a topic"),
            extensions: Extensions::default(),
        };
        let signed = Signed::sign::<Header>(header.encode(), &self.key);
        let header = signed.verify::<Header>(&Strict).expect("it was signed just now");
        let message = Gossip::Header {
            header: header.signed().clone(),
            body: Some(sealed.compressed),
        };
        (codec::encode(&message), RecordId::of(&header).digest())
    }
}
