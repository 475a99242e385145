//! A small world of engines in memory, for tests and fuzz targets: seeded delays, losses and repeats, stores that keep
//! what was appended, crashes that lose what was not.
//!
//! [`World`] is the shell around each engine; [`operations`] plays a string of bytes as a sequence of events in such a
//! world, well-meant and hostile, and panics when an invariant breaks.

pub mod identity;
pub mod operations;
pub mod store;
pub mod world;

pub use identity::Identity;
pub use store::Store;
pub use world::{Chaos, World};

/// So many cases of a law whose every case is a whole world, unless `PROPTEST_CASES` asks for another number.
#[cfg(test)]
pub(crate) fn cases(count: u32) -> proptest::prelude::ProptestConfig {
    let config = proptest::prelude::ProptestConfig::default();
    let cases = if config.cases == 256 { count } else { config.cases };
    proptest::prelude::ProptestConfig { cases, ..config }
}
