//! Endpoint statements: where a node can be reached, in its own words. The one with the highest number counts.

use serde::{Deserialize, Serialize};
use starfish_crypto::{PublicKey, SecretKey};

use super::{Kind, Statement, StatementError, read, statement};
use crate::{community::Community, limits, organisation::OrgId, time::Millis};

/// A node's addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointStatement {
    /// For whom the node speaks.
    pub org: OrgId,
    /// The node, which signs.
    pub node_key: PublicKey,
    /// In which mesh.
    pub community: Community,
    /// Higher than in the node's earlier ones.
    pub seq: u64,
    /// Multiaddresses as text, the best first; what they mean is the transport's business.
    pub addresses: Vec<String>,
    /// In wall time, as the node says.
    pub issued_at: Millis,
}

impl EndpointStatement {
    /// Signs with the node's key.
    pub fn sign(&self, node: &SecretKey) -> Result<Statement, StatementError> {
        self.check()?;
        if node.public() != self.node_key {
            return Err(StatementError::Signer);
        }
        statement(Kind::ENDPOINT, self)?.signed_by(node)
    }

    pub(super) fn read(statement: &Statement) -> Result<Self, StatementError> {
        let endpoint: Self = read(statement)?;
        endpoint.check()?;
        Ok(endpoint)
    }

    fn check(&self) -> Result<(), StatementError> {
        let fits = |address: &String| {
            (1..=limits::ADDRESS_BYTES).contains(&address.len()) && address.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if self.addresses.len() <= limits::ADDRESSES && self.addresses.iter().all(fits) {
            Ok(())
        } else {
            Err(StatementError::Addresses)
        }
    }
}
