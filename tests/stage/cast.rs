//! Organisations and records made by hand, honest or not: [`Organisation`] has a root, two nodes and their statements, and a
//! [`Position`] writes any header at any place of a log.

use std::time::{SystemTime, UNIX_EPOCH};

use starfish_crypto::{Digest, PublicKey, SecretKey, Signed};
use starfish_protocol::{
    community::Community,
    observable::Observable,
    organisation::OrgId,
    record::{Audience, Body, Bundle, Extensions, Header, Kind, SealedBody, Tlp, Topic, seal_body},
    statement::{Manifest, NodeCertificate, Statement},
    time::Millis,
};

const DAY: u64 = 86_400_000;
/// How long records made here are worth knowing.
const LIFETIME: u64 = 30 * DAY;

/// The wall clock, as a header writes it.
pub fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("this machine's clock is set");
    Millis(u64::try_from(since.as_millis()).expect("the year is in range"))
}

/// An organisation with everything that its operator would have.
#[derive(Debug)]
pub struct Organisation {
    /// `org:...` when it is shown.
    pub id: OrgId,
    /// The node that speaks for it.
    pub node: SecretKey,
    /// Another node of the same organisation, certified as well.
    pub second: SecretKey,
    /// Its manifest, and the certificate of each node.
    pub statements: Vec<Statement>,
    /// Its only root.
    pub root: SecretKey,
    community: Community,
}

impl Organisation {
    /// An organisation whose keys all come from this seed. Its certificates hold from a day before `made`.
    pub fn new(name: &str, seed: u8, community: Community, made: Millis) -> Self {
        let [root, next, node, second] = [1, 2, 3, 4].map(|key| {
            let mut bytes = [seed; 32];
            bytes[0] = key;
            SecretKey::from_seed(bytes)
        });
        let commitment = Manifest::commitment(&[next.public()], 1);
        // One organisation is one manifest, in whatever mesh and whenever it is made.
        let end = Millis(4_000_000_000_000);
        let manifest = Manifest::genesis(name, &[root.public()], 1, commitment, end);
        let genesis = manifest.sign(&[&root]).expect("the manifest is in order");
        let mut organisation = Self {
            id: manifest.id(),
            node,
            second,
            statements: vec![genesis],
            root,
            community,
        };
        for key in [organisation.node.clone(), organisation.second.clone()] {
            organisation
                .statements
                .push(organisation.certify_for(organisation.id, &key, made));
        }
        organisation
    }

    /// A certificate for a node key, signed by our root, in whosever name.
    pub fn certify_for(&self, org: OrgId, node: &SecretKey, made: Millis) -> Statement {
        let (from, until) = (Millis(made.0 - DAY), Millis(made.0 + 80 * DAY));
        let certificate = NodeCertificate::new(org, self.community, node.public(), from, until);
        certificate
            .sign(&[&self.root], node)
            .expect("the certificate is in order")
    }
}

/// A place in a log.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// The mesh.
    pub community: Community,
    /// When the log was opened.
    pub epoch: Millis,
    /// The number.
    pub seq: u64,
    /// The record before.
    pub prev: Digest,
    /// When it is written.
    pub created_at: Millis,
}

impl Position {
    /// An honest header at this place, unsigned.
    pub fn plain(self, author: PublicKey, sealed: &SealedBody) -> Header {
        Header {
            version: Header::VERSION,
            community: self.community,
            author,
            audience: Audience::Clear,
            tlp: Tlp::Clear,
            kind: Kind::INDICATORS,
            epoch: self.epoch,
            seq: self.seq,
            prev: self.prev,
            created_at: self.created_at,
            expires_at: Millis(self.created_at.0.saturating_add(LIFETIME)),
            body_digest: sealed.digest,
            compressed_len: u32::try_from(sealed.compressed.len()).unwrap_or(u32::MAX),
            raw_len: sealed.raw_len,
            items: sealed.items,
            topic: "test".parse::<Topic>().expect("a topic"),
            extensions: Extensions {
                scope: sealed.scope.clone(),
                ..Extensions::default()
            },
        }
    }

    /// Signs a header at this place, honest but for what `change` does to it.
    pub fn header(self, key: &SecretKey, sealed: &SealedBody, change: impl FnOnce(&mut Header)) -> Signed {
        let mut header = self.plain(key.public(), sealed);
        change(&mut header);
        Signed::sign::<Header>(header.encode(), key)
    }
}

/// The names `NAME-0.example`, `NAME-1.example` and so on.
pub fn names(name: &str, count: usize) -> Vec<Observable> {
    let parse = |index| {
        format!("{name}-{index}.example")
            .parse()
            .expect("a name is an observable")
    };
    (0..count).map(parse).collect()
}

/// A bundle of observables.
pub fn bundle(mut observables: Vec<Observable>) -> Bundle {
    observables.sort();
    Bundle {
        confidence: 80,
        context: "made for a test".to_owned(),
        observables,
    }
}

/// A body of [`names`].
pub fn sealed_names(name: &str, count: usize) -> SealedBody {
    seal_body(Body::Indicators(bundle(names(name, count))))
}

/// Any bytes in the place of a compressed body, with a digest that fits and lengths that may not.
pub fn sealed_bytes(compressed: Vec<u8>, raw_len: u32, items: u32) -> SealedBody {
    let mut sealed = sealed_names("anything", 1);
    sealed.digest = Digest::from_bytes(*blake3::hash(&compressed).as_bytes());
    (sealed.compressed, sealed.raw_len, sealed.items) = (compressed, raw_len, items);
    sealed
}
