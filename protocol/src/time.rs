//! Time as an argument: milliseconds, monotonic for what must not jump, wall time for what people and other nodes say.

use std::ops::Add;

use serde::{Deserialize, Serialize};

/// Milliseconds: since 1970 for wall times, since some start for monotonic ones, or a length of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Millis(pub u64);

impl Add for Millis {
    type Output = Self;

    /// Later by a length of time. Times that others wrote can be anything, so the sum stops at the end of time.
    fn add(self, length: Self) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}

/// The two clocks at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Time {
    /// Never goes back. Waiting and quotas count with it.
    pub mono: Millis,
    /// Since 1970. Records, certificates and expiry count with it; it may jump.
    pub wall: Millis,
}
