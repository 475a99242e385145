//! The web of trust against the design: its vectors, its invariants, and every way of being told the same.

mod accepting;
mod explaining;
mod laws;
mod statements;
mod vectors;
mod vetoes;
mod world;
