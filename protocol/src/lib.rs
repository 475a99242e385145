//! The pure rules of the mesh: what travels, how it is checked, and what a node does about it.
//!
//! No IO, clock, threads or ambient randomness below here: time and chance are arguments, and everything that a node
//! does comes out of [`engine`](self) as data.

pub mod codec;
pub mod community;
pub mod confidence;
pub mod engine;
#[cfg(any(test, feature = "exercise"))]
pub mod exercise;
pub mod intake;
pub mod limits;
pub mod listing;
pub mod observable;
mod ordered;
pub mod organisation;
pub mod peer;
pub mod quota;
pub mod record;
pub mod statement;
pub mod time;
pub mod trust;
pub mod wire;
