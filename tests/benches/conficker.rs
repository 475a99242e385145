//! The main case: a day of 50,000 generated names, published on one of five loopback nodes, until it is searchable on all of
//! them, three hops away. `STARFISH_BIN` names the program; `RUNS` and `NAMES` change the size.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use starfish_tests::{
    nodes::{Nodes, eventually},
    shape::{asked, day, percentile},
};

/// Three hops from 0 to 4, as in the demo.
const EDGES: [(usize, usize); 4] = [(0, 1), (1, 2), (1, 3), (3, 4)];
const DEADLINE: Duration = Duration::from_secs(300);

fn main() {
    let (runs, count) = (asked("RUNS", 10), asked("NAMES", 50_000));
    let mesh = Nodes::start(5, &EDGES);
    let mut known = BTreeSet::new();
    let (mut acknowledged, mut everywhere) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let names = day(run as u64 + 1, count);
        known.extend(names.iter().cloned());
        let list: Vec<String> = names.into_iter().collect();
        let began = Instant::now();
        mesh[0].publish("dga", &list);
        acknowledged.push(began.elapsed().as_secs_f64());
        thread::scope(|scope| {
            for node in mesh.all() {
                scope.spawn(|| {
                    let all = || node.status()["observables"] == known.len();
                    eventually("the whole list is searchable", DEADLINE, all);
                });
            }
        });
        everywhere.push(began.elapsed().as_secs_f64());
        let last = list.last().expect("the list is not empty");
        assert_eq!(mesh[4].believed(last).len(), 1, "counted, but not found");
        eprintln!(
            "run {run}: acknowledged after {:.2} s, everywhere after {:.2} s",
            acknowledged[run], everywhere[run]
        );
    }
    println!(
        "conficker: {count} names from publish to searchable on 5 of 5 nodes (3 hops): p50 {:.2} s, p99 {:.2} s, all of them in \
         {runs} of {runs} runs; acknowledged after p50 {:.2} s",
        percentile(&mut everywhere, 50),
        percentile(&mut everywhere, 99),
        percentile(&mut acknowledged, 50),
    );
}
