//! Made-up organisations with one node each, and records in their names.

use starfish_crypto::{Digest, SecretKey, Signed, Strict, Verified};

use crate::{
    community::Community,
    observable::Observable,
    organisation::OrgId,
    peer::Peer,
    record::{Audience, Body, Bundle, Extensions, Header, Kind, RecordId, SealedBody, Tlp, Topic, seal_body},
    statement::{
        Endorsement, FULL, LogPosition, Manifest, NodeCertificate, Resolution, Revocation, Scope as StatementScope,
        Settles, Statement,
    },
    time::Millis,
};

/// When every world begins, in wall time.
pub const BEGIN: Millis = Millis(1_800_000_000_000);
const DAY: u64 = 86_400_000;

/// The mesh of every world.
pub fn community() -> Community {
    Community::named("exercise")
}

/// An organisation and its node.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The node's key.
    pub key: SecretKey,
    /// The organisation.
    pub org: OrgId,
    /// Its manifest and the node's certificate.
    pub statements: Vec<Statement>,
    /// Its root, and the one that follows.
    pub roots: [SecretKey; 2],
    /// What the first of its statements says.
    pub manifest: Manifest,
}

impl Identity {
    /// The one with this number, the same in every world.
    pub fn numbered(number: u64) -> Self {
        Self::founded(number, |_| ())
    }

    /// The same with another first manifest.
    pub fn founded(number: u64, change: impl FnOnce(&mut Manifest)) -> Self {
        let key = |purpose: u8| {
            let mut seed = [purpose; 32];
            seed.iter_mut()
                .zip(number.to_le_bytes())
                .for_each(|(byte, value)| *byte = value);
            SecretKey::from_seed(seed)
        };
        let (root, next, node) = (key(101), key(102), key(103));
        let commitment = Manifest::commitment(&[next.public()], 1);
        let ends = Millis(BEGIN.0 + 3_650 * DAY);
        let mut manifest = Manifest::genesis(&format!("CERT {number}"), &[root.public()], 1, commitment, ends);
        change(&mut manifest);
        let (from, to) = (Millis(BEGIN.0 - 40 * DAY), Millis(BEGIN.0 + 50 * DAY));
        let certificate = NodeCertificate::new(manifest.id(), community(), node.public(), from, to);
        let statements = [manifest.sign(&[&root]), certificate.sign(&[&root], &node)];
        let statements = statements
            .into_iter()
            .map(|made| made.expect("a plain statement can be signed"))
            .collect();
        Self {
            key: node,
            org: manifest.id(),
            statements,
            roots: [root, next],
            manifest,
        }
    }

    /// The end of its node, compromised unless `change` says otherwise.
    pub fn revocation(&self, change: impl FnOnce(&mut Revocation)) -> Statement {
        let mut revocation = Revocation::in_advance(self.org, 0, self.key.public());
        change(&mut revocation);
        let signed = revocation.sign(&[&self.roots[0]]);
        signed.expect("a plain revocation can be signed")
    }

    /// Its root settles something.
    pub fn resolution(&self, settles: Settles) -> Statement {
        let (org, community) = (self.org, Some(community()));
        let resolution = Resolution {
            org,
            community,
            settles,
        };
        let signed = resolution.sign(&[&self.roots[0]]);
        signed.expect("a plain resolution can be signed")
    }

    /// Its node goes on from this record.
    pub fn confirms(&self, header: &Verified<Header>) -> Statement {
        self.resolution(Settles::Node {
            node_key: self.key.public(),
            manifest_seq: 0,
            at: position(header),
        })
    }

    /// It vouches for another in full, for that one alone, the first in its chain unless `change` says otherwise.
    pub fn vouches_for(&self, subject: OrgId, change: impl FnOnce(&mut Endorsement)) -> Statement {
        let mut says = Endorsement {
            issuer: self.org,
            subject,
            community: Some(community()),
            seq: 0,
            prev: Digest::ZERO,
            amount: FULL,
            depth: 0,
            scope: StatementScope::default(),
            not_before: Millis(BEGIN.0 - DAY),
            not_after: Millis(BEGIN.0 + 40 * DAY),
            may_veto: false,
            receive_green: false,
        };
        change(&mut says);
        says.sign(&[&self.roots[0]]).expect("a plain endorsement can be signed")
    }

    /// How other nodes call this one.
    pub fn peer(&self) -> Peer {
        Peer::from_bytes(self.key.public().as_bytes())
    }

    /// A header of this node; `change` may spoil it in any way before it is signed.
    pub fn header(&self, sealed: &SealedBody, change: impl FnOnce(&mut Header)) -> Verified<Header> {
        let mut header = Header {
            version: Header::VERSION,
            community: community(),
            author: self.key.public(),
            audience: Audience::Clear,
            tlp: Tlp::Clear,
            kind: Kind::INDICATORS,
            epoch: BEGIN,
            seq: 0,
            prev: Digest::ZERO,
            created_at: BEGIN,
            expires_at: Millis(BEGIN.0 + 30 * DAY),
            body_digest: sealed.digest,
            compressed_len: sealed.compressed.len() as u32,
            raw_len: sealed.raw_len,
            items: sealed.items,
            topic: topic("malware"),
            extensions: Extensions {
                scope: sealed.scope.clone(),
                ..Extensions::default()
            },
        };
        change(&mut header);
        let signed = Signed::sign::<Header>(header.encode(), &self.key);
        signed
            .verify(&Strict)
            .expect("the header was changed within the format")
    }

    /// A chain of so many headers, the first with `seq` 0.
    pub fn chain(&self, sealed: &[SealedBody]) -> Vec<Verified<Header>> {
        let mut chain: Vec<Verified<Header>> = Vec::new();
        for sealed in sealed {
            let last = chain.last().map(|last| (last.seq + 1, RecordId::of(last).digest()));
            chain.push(self.header(sealed, |header| {
                if let Some((seq, prev)) = last {
                    (header.seq, header.prev) = (seq, prev);
                }
            }));
        }
        chain
    }
}

/// Where a record stands.
pub fn position(header: &Verified<Header>) -> LogPosition {
    LogPosition {
        audience: header.audience,
        epoch: header.epoch,
        seq: header.seq,
        id: RecordId::of(header),
    }
}

/// A topic.
pub fn topic(text: &str) -> Topic {
    Topic::parse(text).expect("a plain topic")
}

/// Observables of these texts.
pub fn observables(texts: &[&str]) -> Vec<Observable> {
    texts
        .iter()
        .map(|text| Observable::parse(text).expect("a plain observable"))
        .collect()
}

/// A sealed bundle of these observables.
pub fn bundle(texts: &[&str]) -> SealedBody {
    let bundle = Bundle::new(80, String::new(), observables(texts)).expect("a plain bundle");
    seal_body(Body::Indicators(bundle))
}

/// A sealed bundle of `count` addresses that no other number gives; without a TLD, so that it may ride along when small.
pub fn addresses(number: u32, count: u32) -> SealedBody {
    let text = |index: u32| {
        let [_, a, b, c] = (number * 977 + index).to_be_bytes();
        format!("11.{a}.{b}.{c}")
    };
    let texts: Vec<String> = (0..count).map(text).collect();
    bundle(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A sealed bundle of `count` names, too large to ride along.
pub fn names(number: u32, count: u32) -> SealedBody {
    let texts: Vec<String> = (0..count.max(1))
        .map(|index| format!("name{index}-{number}.example"))
        .collect();
    bundle(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A sealed bundle of `count` file digests, which do not shrink.
pub fn digests(number: u32, count: u32) -> SealedBody {
    let text = |index: u32| Digest::of("a file", &[number.to_be_bytes(), index.to_be_bytes()].concat()).to_string();
    let texts: Vec<String> = (0..count).map(text).collect();
    bundle(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}
