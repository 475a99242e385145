//! What `sequoia-wot` says of a graph: [`Judge`]. Every organisation is a certificate with one user ID, the root is the
//! certificate that is trusted, and an endorsement is a trust signature over the user ID of its subject.
//!
//! No certificate signs its own user ID, because OpenPGP would take that for one more path, which we do not have.

use std::{
    collections::BTreeSet,
    iter,
    time::{Duration, SystemTime},
};

use sequoia_openpgp::{Fingerprint, packet::UserID};
use sequoia_wot::{CertSynopsis, Certification, FULLY_TRUSTED, Network, RevocationStatus, UserIDSynopsis};

use crate::graphs::{Endorsement, orgs};

/// Judges one graph.
pub struct Judge {
    certificates: Vec<CertSynopsis>,
    certifications: Vec<Certification>,
}

impl Judge {
    /// Of these endorsements.
    pub fn new(edges: &[Endorsement]) -> Self {
        let all: BTreeSet<u32> = orgs(edges).into_iter().chain([0]).collect();
        Self {
            certificates: all.into_iter().map(certificate).collect(),
            certifications: edges.iter().map(certification).collect(),
        }
    }

    /// How far the organisation is authenticated, up to 120.
    pub fn amount(&self, org: u32) -> u32 {
        let network = Network::from_synopses(&self.certificates, &self.certifications, now(), &[fingerprint(0)][..])
            .expect("a synthetic network is a network");
        let paths = network.authenticate(user_id(org), fingerprint(org), FULLY_TRUSTED);
        u32::try_from(paths.amount().min(FULLY_TRUSTED)).expect("120 fits")
    }
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn fingerprint(org: u32) -> Fingerprint {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&org.to_be_bytes());
    // Key IDs are the last eight bytes.
    bytes[16..].copy_from_slice(&org.to_be_bytes());
    Fingerprint::from_bytes(4, &bytes).expect("twenty bytes are a fingerprint of version 4")
}

fn user_id(org: u32) -> UserID {
    UserID::from(format!("<{org}@example.org>"))
}

fn certificate(org: u32) -> CertSynopsis {
    let none = iter::empty::<UserIDSynopsis>();
    CertSynopsis::new(fingerprint(org), None, RevocationStatus::NotAsFarAsWeKnow, none)
}

fn certification(edge: &Endorsement) -> Certification {
    let subject = Some(user_id(edge.to));
    Certification::new(
        certificate(edge.from),
        subject,
        certificate(edge.to),
        now() - Duration::from_secs(60),
    )
    .set_amount(usize::from(edge.amount))
    .set_depth(usize::from(edge.depth))
}
