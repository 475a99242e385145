//! Thousands of real nodes in virtual time.

pub mod scenario;
