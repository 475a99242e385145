//! One node of the mesh: all IO around the pure protocol.

#[cfg(feature = "daemon")]
pub mod daemon;
pub mod ledger;
pub mod mesh;
pub mod store;
