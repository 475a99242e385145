//! The pure rules of the mesh: what travels, how it is checked, and what a node does about it.
//!
//! No IO, clock, threads or ambient randomness below here: time and chance are arguments, and everything that a node

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
#[cfg(any(test, feature = "exercise"))]
pub mod exercise;
