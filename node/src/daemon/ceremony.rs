//! Key ceremonies: what an organisation signs with keys that are never on a machine with a network (design, trust 6).
//!
//! Everything is a file that a person carries: keys as PEM, statements as text. Each step reads files and writes one, so that
//! m of n roots sign one after the other, wherever they are.
//!
//! | part | what it does |
//! |---|---|
//! | `papers` | reads and writes the files, and finds the newest manifest |
//! | `signing` | makes the statements |
//! | `countersigning` | adds signatures to them |
//! | `settling` | answers what an accident left open |
//! | `speaking` | makes what is said of other organisations |
//! | `showing` | says what statements say |
//! | `accepting` | takes what was signed offline into a node |
//! | `documents` | what each of them tells the operator |

mod accepting;
mod countersigning;
pub mod documents;
mod papers;
mod settling;
mod showing;
mod signing;
mod speaking;
#[cfg(test)]
mod tests;

pub use accepting::accept;
pub use countersigning::sign;
pub use settling::settle;
pub use showing::{say, show};
pub use signing::{certify, next, recover, revoke, rotate};
pub use speaking::{Made, Wish, note_down, put_down, speak};
