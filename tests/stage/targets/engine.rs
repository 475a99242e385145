//! The engine under any sequence of operations: four bytes are one [`Op`] on a [`World`], a shell around one engine that is as
//! slow, as doubled and as broken as the bytes say. What must hold at every step is asserted where the output is carried out.
//!
//! | law | why |
//! |---|---|
//! | each gossip message is answered exactly once, in its step | libp2p forgets the message within seconds |
//! | each request is answered at most once, and in the end | a peer's stream is not held open |
//! | only roots are believed | nothing is believed without the operator's word |
//! | nothing is told to others before it is durable | `kill -9` must not fork our own log |
//! | no number of our own log is written twice | the same |

mod store;
mod world;

use world::World;

/// The longest sequence that is looked at.
const OPERATIONS: usize = 256;

/// One operation: a kind and three arguments, each of which is read as far as the kind needs it.
#[derive(Clone, Copy, Debug)]
struct Op {
    kind: u8,
    who: u8,
    what: u8,
    how: u8,
}

impl Op {
    fn read(bytes: &[u8]) -> Self {
        let at = |place: usize| bytes.get(place).copied().unwrap_or_default();
        Self {
            kind: at(0),
            who: at(1),
            what: at(2),
            how: at(3),
        }
    }
}

/// Runs the operations, then lets everything that is open come to its end.
pub(super) fn target(bytes: &[u8]) {
    let mut world = World::new();
    for op in bytes.chunks(4).take(OPERATIONS).map(Op::read) {
        world.step(op);
    }
    world.end();
}
