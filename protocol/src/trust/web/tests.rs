//! The web of trust against the design.
