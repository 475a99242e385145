//! The `futures-timer` crate's face over the simulator's clock.
