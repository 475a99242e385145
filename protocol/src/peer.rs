//! A neighbour in the mesh, as the rules see it: opaque bytes, so that nothing here knows the transport.
//!
//! The node hands in whatever names a peer there (the bytes of a libp2p peer id) and gets the same bytes back.

use std::fmt;

/// The name of a connected or known node. Ordered, so that every iteration over peers is the same everywhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer(Box<[u8]>);

impl Peer {
    /// Takes the transport's bytes for a peer.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The transport's bytes again.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default();
        write!(out, "Peer({})", data_encoding::HEXLOWER.encode(tail))
    }
}
