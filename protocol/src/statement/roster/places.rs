//! By what statements about nodes and their keys are found, each held once however many ways there are to find it.

use std::sync::Arc;

use starfish_crypto::{Digest, PublicKey};

use super::super::checked::{Certified, Located, Named};
use crate::{ordered::Placed, organisation::OrgId, time::Millis};

/// A certificate in the order of nodes, then of organisations.
#[derive(Debug)]
pub(super) struct ByNode(pub(super) Arc<Certified>);

/// The same in the order of organisations, then of ends.
#[derive(Debug)]
pub(super) struct ByEnd(pub(super) Arc<Certified>);

/// Where [`ByEnd`] has a certificate: it names all that there is to find it by.
pub(super) type End = (OrgId, Millis, Digest, PublicKey);

/// Where a node of an organisation is.
#[derive(Debug)]
pub(super) struct AtNode(pub(super) Arc<Located>);

/// A root or the endorsing key of a manifest.
#[derive(Debug)]
pub(super) struct Signer {
    named: Arc<Named>,
    /// The how manieth root; the endorsing key comes behind all of them.
    number: usize,
}

impl Certified {
    pub(super) fn end(&self) -> End {
        let certificate = &self.certificate;
        (certificate.org, certificate.not_after, self.id, certificate.node_key)
    }
}

impl Signer {
    /// Everybody whom a manifest lets sign something.
    pub(super) fn of(named: &Arc<Named>) -> impl Iterator<Item = Self> {
        let manifest = &named.manifest;
        let count = manifest.roots.len() + usize::from(manifest.endorse_key.is_some());
        (0..count).map(|number| Self {
            named: Arc::clone(named),
            number,
        })
    }
}

impl Placed for ByNode {
    type Place = (PublicKey, OrgId, Digest);

    fn place(&self) -> Self::Place {
        let Certified { id, certificate, .. } = &*self.0;
        (certificate.node_key, certificate.org, *id)
    }
}

impl Placed for ByEnd {
    type Place = End;

    fn place(&self) -> End {
        self.0.end()
    }
}

impl Placed for AtNode {
    type Place = (PublicKey, OrgId);

    fn place(&self) -> Self::Place {
        (self.0.endpoint.node_key, self.0.endpoint.org)
    }
}

impl Placed for Signer {
    type Place = (PublicKey, OrgId);

    fn place(&self) -> Self::Place {
        let manifest = &self.named.manifest;
        let root = manifest.roots.get(self.number).copied();
        let key = root.or(manifest.endorse_key);
        (key.unwrap_or(PublicKey::from_bytes([0; 32])), self.named.org)
    }
}
