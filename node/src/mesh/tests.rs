//! Nodes of one process, over libp2p's memory transport with real TLS and yamux. Every wait is for an event, with a
//! deadline.

mod confiding;
mod endurance;
mod hostile;
mod house;
mod peering;
mod shelf;
mod sockets;
mod spread;
