//! Worlds, each in a process of its own, and what must hold in them.

mod alone;
mod calm;
mod confiding;
mod crashes;
mod keeping;
mod lines;
mod partitions;
mod pushing;
mod repeating;
mod slow;
mod speaking;
mod trusting;
mod watching;
mod withholding;
