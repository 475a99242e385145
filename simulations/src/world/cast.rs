//! The organisations of a world and the keys of its nodes: [`Cast`], all of them from the seed.

use starfish_crypto::{Digest, SecretKey};
use starfish_node::mesh::keypair;
use starfish_protocol::{
    community::Community,
    organisation::OrgId,
    statement::{Manifest, NodeCertificate, Statement},
    time::Millis,
};
use starfish_sim_kernel::EPOCH_S;

const DAY: u64 = 86_400_000;
/// How long certificates hold. Worlds are shorter.
const CERTIFIED: u64 = 80 * DAY;

/// One node, as it is known to others, and its secrets.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) key: SecretKey,
    pub(crate) peer: libp2p::PeerId,
    pub(crate) org: OrgId,
    /// The manifest of its organisation and its own certificate.
    pub(crate) statements: Vec<Statement>,
}

/// Who is who.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) community: Community,
    pub(crate) members: Vec<Member>,
}

impl Cast {
    /// Nodes of the organisations of these numbers.
    pub(crate) fn new(seed: u64, organisations: &[usize]) -> Self {
        let community = Community::named("simulation");
        let member = |(node, organisation): (usize, &usize)| member(seed, community, node, *organisation);
        Self {
            community,
            members: organisations.iter().enumerate().map(member).collect(),
        }
    }
}

fn secret(seed: u64, purpose: &str, number: usize) -> SecretKey {
    let mut source = blake3::Hasher::new_derive_key("starfish simulation key");
    source.update(&seed.to_le_bytes());
    source.update(purpose.as_bytes());
    source.update(&(number as u64).to_le_bytes());
    SecretKey::from_seed(*source.finalize().as_bytes())
}

/// The root key of the organisation of this number.
pub(crate) fn root(seed: u64, organisation: usize) -> SecretKey {
    secret(seed, "root", organisation)
}

fn member(seed: u64, community: Community, node: usize, organisation: usize) -> Member {
    let (root, key) = (root(seed, organisation), secret(seed, "node", node));
    let epoch = EPOCH_S * 1_000;
    let (from, until) = (Millis(epoch - DAY), Millis(epoch + CERTIFIED));
    let name = format!("Organisation {organisation}");
    let manifest = Manifest::genesis(&name, &[root.public()], 1, Digest::ZERO, until);
    let certificate = NodeCertificate::new(manifest.id(), community, key.public(), from, until);
    Member {
        peer: keypair(&key).public().to_peer_id(),
        org: manifest.id(),
        statements: vec![
            manifest.sign(&[&root]).expect("the manifest is in order"),
            certificate.sign(&[&root], &key).expect("the certificate is in order"),
        ],
        key,
    }
}
