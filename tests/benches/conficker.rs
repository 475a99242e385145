//! The main case: a day of 50,000 generated names, published on one of five loopback nodes, until it is searchable on all of
//! them, three hops away. `STARFISH_BIN` names the program; `MESHES` and `NAMES` change the size.

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

/// Days that one mesh gets in a row. Nine are as many as an author's burst of headers carries (`limits::HEADER_BURST`); those of
/// a tenth day in the same minute would come with the next comparison, a minute or two later.
const DAYS: usize = 5;

/// Seconds from the start of one publication.
struct Run {
    acknowledged: f64,
    everywhere: f64,
}

fn main() {
    let (meshes, count) = (asked("MESHES", 4), asked("NAMES", 50_000));
    let runs: Vec<Run> = (0..meshes).flat_map(|_| days(count)).collect();
    let seconds = |of: fn(&Run) -> f64| runs.iter().map(of).collect::<Vec<f64>>();
    let mut everywhere = seconds(|run| run.everywhere);
    println!(
        "conficker: {count} names from publish to searchable on 5 of 5 nodes (3 hops): p50 {:.2} s, p99 {:.2} s, all of them in \
         {} of {} runs; acknowledged after p50 {:.2} s",
        percentile(&mut everywhere, 50),
        percentile(&mut everywhere, 99),
        runs.len(),
        meshes * DAYS,
        percentile(&mut seconds(|run| run.acknowledged), 50),
    );
}

/// Publishes some days on a mesh of its own.
fn days(count: usize) -> Vec<Run> {
    let mesh = Nodes::start(5, &EDGES);
    let mut known = BTreeSet::new();
    let publish = |day_number: usize| {
        let names = day(day_number as u64 + 1, count);
        known.extend(names.iter().cloned());
        let list: Vec<String> = names.into_iter().collect();
        let began = Instant::now();
        mesh[0].publish("dga", &list);
        let acknowledged = began.elapsed().as_secs_f64();
        thread::scope(|scope| {
            for node in mesh.all() {
                scope.spawn(|| {
                    let all = || node.status()["observables"] == known.len();
                    eventually("the whole list is searchable", DEADLINE, all);
                });
            }
        });
        let everywhere = began.elapsed().as_secs_f64();
        let last = list.last().expect("the list is not empty");
        assert_eq!(mesh[4].believed(last).len(), 1, "counted, but not found");
        eprintln!("acknowledged after {acknowledged:.2} s, everywhere after {everywhere:.2} s");
        Run {
            acknowledged,
            everywhere,
        }
    };
    (0..DAYS).map(publish).collect()
}
