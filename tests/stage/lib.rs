//! What the tests share: [`nodes`] are real processes, [`cast`] makes organisations and records by hand, [`shape`] makes large
//! lists, [`shell`] is a node without a network, [`comparison`] two
//! of them, and [`targets`] is what is fuzzed, as plain functions.

pub mod cast;
pub mod comparison;
pub mod nodes;
pub mod shape;
pub mod shell;
pub mod targets;
