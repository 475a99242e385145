//! The organisations of a world and the keys of its nodes: [`Cast`], all of them from the seed. What organisations say of each
//! other is in `vouching`.

pub(super) mod vouching;

use std::collections::BTreeMap;

use starfish_crypto::{Digest, PublicKey, SecretKey, Strict};
use starfish_node::mesh::keypair;
use starfish_protocol::{
    community::Community,
    organisation::OrgId,
    statement::{
        CheckedStatement, Endorsement, EndpointStatement, LogPosition, Manifest, NodeCertificate, Revocation, Scope,
        Statement, StatementError, Veto,
    },
    time::Millis,
};
use starfish_sim_kernel::EPOCH_S;

use super::plan::Vouch;

const DAY: u64 = 86_400_000;
/// How many seconds of a world certificates and endorsements hold. Worlds are shorter.
pub(crate) const CERTIFIED_S: u64 = 80 * 86_400;

/// One node, as it is known to others, and its secrets.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) key: SecretKey,
    pub(crate) peer: libp2p::PeerId,
    pub(crate) org: OrgId,
    /// The manifest of its organisation and its own certificate.
    pub(crate) statements: Vec<Statement>,
    /// What its organisation says of others, if it is the one that tells.
    pub(crate) says: Vec<CheckedStatement>,
}

impl Member {
    /// Its statements, and the one that says where it is, as it will say itself.
    pub(crate) fn papers(&self, community: Community, address: String) -> Vec<Statement> {
        let endpoint = EndpointStatement {
            org: self.org,
            node_key: self.key.public(),
            community,
            seq: 1,
            addresses: vec![address],
            issued_at: period().0,
        };
        let mut papers = self.statements.clone();
        papers.push(endpoint.sign(&self.key).expect("the endpoint is in order"));
        papers
    }
}

/// An organisation: its keys, and how far its chain of statements about others has come.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) org: OrgId,
    community: Community,
    manifest: Statement,
    root: SecretKey,
    endorser: SecretKey,
    next: u64,
    last: Digest,
}

/// Who is who.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) community: Community,
    pub(crate) members: Vec<Member>,
    numbers: BTreeMap<PublicKey, usize>,
    /// By their numbers.
    pub(crate) houses: BTreeMap<usize, House>,
}

impl Cast {
    /// Nodes of the organisations of these numbers.
    pub(crate) fn new(seed: u64, organisations: &[usize]) -> Self {
        let community = Community::named("simulation");
        let mut houses = BTreeMap::new();
        let member = |(node, organisation): (usize, &usize)| {
            let house = houses
                .entry(*organisation)
                .or_insert_with(|| House::new(seed, community, *organisation));
            house.member(secret(seed, "node", node))
        };
        let members: Vec<Member> = organisations.iter().enumerate().map(member).collect();
        let keys = members.iter().map(|member| member.key.public());
        Self {
            community,
            numbers: keys.zip(0..).collect(),
            members,
            houses,
        }
    }

    /// The node whose records this key signs.
    pub(crate) fn node_of(&self, author: &PublicKey) -> Option<usize> {
        self.numbers.get(author).copied()
    }

    /// The organisation of this number.
    pub(crate) fn house(&self, organisation: usize) -> &House {
        &self.houses[&organisation]
    }

    pub(crate) fn house_mut(&mut self, organisation: usize) -> &mut House {
        self.houses.get_mut(&organisation).expect("an organisation with a node")
    }
}

fn secret(seed: u64, purpose: &str, number: usize) -> SecretKey {
    let mut source = blake3::Hasher::new_derive_key("starfish simulation key");
    source.update(&seed.to_le_bytes());
    source.update(purpose.as_bytes());
    source.update(&(number as u64).to_le_bytes());
    SecretKey::from_seed(*source.finalize().as_bytes())
}

/// From when to when everything that is signed here holds.
fn period() -> (Millis, Millis) {
    let epoch = EPOCH_S * 1_000;
    (Millis(epoch - DAY), Millis(epoch + CERTIFIED_S * 1_000))
}

fn checked(signed: Result<Statement, StatementError>) -> CheckedStatement {
    let checked = signed.map_err(Into::into).and_then(|signed| signed.check(&Strict));
    checked.expect("what is signed here is in order")
}

impl House {
    fn new(seed: u64, community: Community, number: usize) -> Self {
        let (root, endorser) = (secret(seed, "root", number), secret(seed, "endorser", number));
        let name = format!("Organisation {number}");
        let mut manifest = Manifest::genesis(&name, &[root.public()], 1, Digest::ZERO, period().1);
        manifest.endorse_key = Some(endorser.public());
        Self {
            org: manifest.id(),
            community,
            manifest: manifest.sign(&[&root]).expect("the manifest is in order"),
            root,
            endorser,
            next: 0,
            last: Digest::ZERO,
        }
    }

    fn member(&self, key: SecretKey) -> Member {
        let (from, until) = period();
        let certificate = NodeCertificate::new(self.org, self.community, key.public(), from, until);
        let certificate = certificate.sign(&[&self.root], &key);
        Member {
            peer: keypair(&key).public().to_peer_id(),
            org: self.org,
            statements: vec![self.manifest.clone(), certificate.expect("the certificate is in order")],
            says: Vec::new(),
            key,
        }
    }

    /// Its endorsing key vouches for an organisation; an amount of 0 takes that back.
    pub(crate) fn endorses(&mut self, subject: OrgId, vouch: &Vouch) -> CheckedStatement {
        let (not_before, not_after) = period();
        let endorsement = Endorsement {
            issuer: self.org,
            subject,
            community: Some(self.community),
            seq: self.next,
            prev: self.last,
            amount: vouch.amount,
            depth: vouch.depth,
            scope: Scope::default(),
            not_before,
            not_after,
            may_veto: vouch.may_veto,
            receive_green: vouch.receive_green,
        };
        self.chained(checked(endorsement.sign(&[&self.endorser])))
    }

    /// Its endorsing key vetoes an organisation.
    pub(crate) fn vetoes(&mut self, subject: OrgId) -> CheckedStatement {
        let (not_before, not_after) = period();
        let veto = Veto {
            issuer: self.org,
            subject,
            community: Some(self.community),
            seq: self.next,
            prev: self.last,
            scope: Scope::default(),
            withdrawn: false,
            not_before,
            not_after,
        };
        self.chained(checked(veto.sign(&[&self.endorser])))
    }

    /// Its root revokes a node of its own, whose records up to these places stay.
    pub(crate) fn revokes(&self, node: PublicKey, last_good: Vec<LogPosition>) -> CheckedStatement {
        let revocation = Revocation {
            last_good,
            ..Revocation::in_advance(self.org, 0, node)
        };
        checked(revocation.sign(&[&self.root]))
    }

    fn chained(&mut self, said: CheckedStatement) -> CheckedStatement {
        self.next += 1;
        self.last = said.statement().id();
        said
    }
}
