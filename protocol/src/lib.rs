//! The pure rules of the mesh: what travels, how it is checked, and what a node does about it.
//!
//! No IO, clock, threads or ambient randomness below here: time and chance are arguments, and everything that a node
//! does comes out of [`engine`](self) as data.

pub mod observable;
pub mod peer;
pub mod community;
pub mod organisation;
pub mod time;
pub mod codec;
pub mod limits;
pub mod record;
pub mod listing;
pub mod statement;
pub mod wire;
pub mod intake;
pub mod trust;
pub mod quota;
pub mod engine;
#[cfg(any(test, feature = "exercise"))]
pub mod exercise;
