//! The engine as a whole, in small worlds of several nodes.

mod bodies;
mod clocks;
mod confiding;
mod consequences;
mod converging;
mod costs;
mod dialling;
mod hostile;
mod opinions;
mod own_log;
mod serving;
mod statements;
mod trusting;
mod vouching;
mod weighing;
