//! The exchange of two nodes that have nothing to tell each other: 10^6 observables, a fifth of the bodies held by only one of
//! them. Bytes are those of the frames, both ways. `OBSERVABLES` changes the size.

use starfish_tests::{comparison::compare, shape::asked};

const TARGET: usize = 1_000;

fn main() {
    let figures = compare(asked("OBSERVABLES", 1_000_000));
    assert!(figures.trips > 0, "nobody compared anything");
    assert_eq!(figures.moved, 0, "a no-op sync moved a body");
    println!(
        "noop_sync: {} observables, bodies {} and {}: {} bytes ({:.2} of {TARGET}), {} round trip(s), {:.1} ms",
        figures.observables,
        figures.bodies[0],
        figures.bodies[1],
        figures.bytes,
        figures.bytes as f64 / TARGET as f64,
        figures.trips,
        figures.seconds * 1e3,
    );
}
