//! Virtual time for one thread.
