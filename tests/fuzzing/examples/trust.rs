//! Statements about trust and keys, for the corpus.

use starfish_crypto::{Digest, SecretKey};
use starfish_protocol::{
    codec,
    organisation::OrgId,
    record::RecordId,
    statement::{
        ChainHead, Endorsement, Guardians, Kind, LogPosition, Manifest, Recovery, Resolution, Revocation,
        RevocationReason, Scope, Settles, Statement, Subsidiary, Veto,
    },
    time::Millis,
};

use super::{Example, MADE};

impl Example {
    /// What one organisation says of another.
    pub(super) fn trust_statements(&self) -> Vec<Statement> {
        let (issuer, subject, community) = (self.organisation.id, OrgId::from_digest(self.small.digest), None);
        let scope = Scope {
            topics: Some(["phishing".parse().expect("a topic")].into()),
            suffixes: Some(["gov.nl".parse().expect("a suffix")].into()),
        };
        let (not_before, not_after) = (MADE, Millis(MADE.0 * 2));
        let endorsement = Endorsement {
            issuer,
            subject,
            community,
            seq: 0,
            prev: Digest::ZERO,
            amount: 120,
            depth: 2,
            scope: scope.clone(),
            not_before,
            not_after,
            may_veto: true,
            receive_green: false,
        };
        let veto = Veto {
            issuer,
            subject,
            community,
            seq: 1,
            prev: self.small.digest,
            scope,
            withdrawn: false,
            not_before,
            not_after,
        };
        let subsidiary = Subsidiary {
            issuer,
            subject,
            community,
            seq: 2,
            prev: self.large.digest,
            withdrawn: false,
        };
        let head = ChainHead {
            issuer,
            community,
            seq: 2,
            id: self.small.digest,
            standing: ChainHead::standing(&[self.small.digest]),
            as_of: MADE,
            fresh_until: Millis(MADE.0 + 86_400_000),
        };
        let keys = [&self.organisation.root];
        let signed = [
            endorsement.sign(&keys),
            veto.sign(&keys),
            subsidiary.sign(&keys),
            head.sign(&keys),
        ];
        signed.map(|statement| statement.expect("it is in order")).into()
    }

    /// What happens to keys.
    pub(super) fn key_statements(&self) -> Vec<Statement> {
        let (root, next) = (SecretKey::from_seed([91; 32]), SecretKey::from_seed([92; 32]));
        let commitment = Manifest::commitment(&[next.public()], 1);
        let genesis = Manifest {
            guardians: Some(Guardians {
                orgs: vec![self.organisation.id],
                k: 1,
            }),
            endorse_key: Some(next.public()),
            ..Manifest::genesis("Guarded", &[root.public()], 1, commitment, MADE)
        };
        let second = genesis.successor(&[next.public()], 1, Manifest::retirement(), MADE);
        let other = Manifest {
            void_from: Some(0),
            ..second.clone()
        };
        let both = [&second, &other].map(|manifest| manifest.sign(&[&next]).expect("the next root signs"));
        let recovered = genesis.successor(&[root.public()], 1, commitment, MADE);
        let recovery = Recovery {
            org: genesis.id(),
            manifest: recovered.sign(&[&root]).expect("the new root signs"),
        };
        let mut revocation = Revocation::in_advance(self.organisation.id, 0, self.organisation.node.public());
        let at = LogPosition {
            audience: self.log().audience,
            epoch: MADE,
            seq: 7,
            id: RecordId::from_digest(self.small.digest),
        };
        let in_advance = revocation.clone();
        (revocation.seq, revocation.reason, revocation.last_good) = (1, RevocationReason::Retired, vec![at]);
        let settles = Settles::Node {
            node_key: self.organisation.node.public(),
            manifest_seq: 0,
            at,
        };
        let resolution = Resolution {
            org: self.organisation.id,
            community: Some(self.community),
            settles,
        };
        let keys = [&self.organisation.root];
        let [one, two] = &both;
        let (first, last) = if one.id() < two.id() { (one, two) } else { (two, one) };
        let proof = codec::encode(&(genesis.id(), second.prev, first, last));
        vec![
            genesis.sign(&[&root]).expect("the root signs"),
            one.clone(),
            two.clone(),
            Statement::unsigned(Kind::MANIFEST_PROOF, proof).expect("two manifests fit"),
            recovery.sign(&keys).expect("it is in order"),
            in_advance.sign(&keys).expect("it is in order"),
            revocation.sign(&keys).expect("it is in order"),
            resolution.sign(&keys).expect("it is in order"),
        ]
    }
}
