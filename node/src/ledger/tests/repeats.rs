//! One value again and again costs no more than the first time.

use std::time::{Duration, Instant};

use starfish_protocol::engine::port::Change;

use crate::{
    ledger::search::Search,
    store::{Space, Store},
};

use super::{Bench, NOW, author::Author, observable};

/// Applies `count` records with one and the same value; how long that took.
fn repeat(bench: &Bench, author: &mut Author, count: usize) -> Duration {
    let changes: Vec<Change> = (0..count).map(|_| author.publish(&["same.example"]).whole()).collect();
    let began = Instant::now();
    changes.chunks(500).for_each(|changes| {
        bench.apply(changes);
    });
    began.elapsed()
}

#[test]
fn repeats_of_one_value_stay_linear() {
    let bench = Bench::new();
    let mut author = Author::new(1);
    let rows = |bench: &Bench| {
        let mut rows = 0u64;
        for space in Space::ALL {
            let each = &mut |_: &[u8], _: &[u8]| {
                rows += 1;
                std::ops::ControlFlow::Continue(())
            };
            bench.disk.scan(space, &[], each).expect("memory");
        }
        rows
    };
    let first = repeat(&bench, &mut author, 400);
    let rows_before = rows(&bench);
    repeat(&bench, &mut author, 1_200);
    let last = repeat(&bench, &mut author, 400);
    assert!(
        rows(&bench) <= rows_before * 5 + 100,
        "the store grows faster than its records"
    );
    // Quadratic work would take nine times as long; the machine is busy with other things too.
    assert!(
        last < first * 5 + Duration::from_millis(200),
        "{first:?} for the first, {last:?} for the last"
    );
    let counts = bench.ledger.counts();
    assert_eq!((counts.observables, counts.records, counts.bodies), (1, 2_000, 1));
    let search = Search::value(&observable("same.example")).at(NOW);
    assert_eq!(bench.finds(&search).len(), 2_000);
}
