//! Thousands of real nodes in virtual time, in one process, from one seed.
//!
//! [`world::World::new`] begins a plan; [`world::Plan::run`] builds the world and hands it to a scenario, which lets time pass, publishes,
//! breaks things and looks. The nodes are the real ones: libp2p's swarm and gossipsub, the engine, the ledger. What is
//! simulated lies around them: time, chance, the network and the disk.
//!
//! The same binary, plan and seed give the same events, byte by byte. One world a process: see [`starfish_sim_kernel::enter`].

pub mod command;
mod environment;
pub mod network;
pub mod plots;
pub mod report;
pub mod scenario;
mod storage;
pub mod world;

pub use storage::Damage;
