//! What a change of trust costs everybody else: one organisation with 10^6 observables is pinned as bad and taken back, and
//! meanwhile another one's short records go on arriving. `STARFISH_BIN` names the program; `OBSERVABLES` changes the size.
//!
//! The measure is how long the same records take when nothing is judged anew, in the same run.

use std::time::{Duration, Instant};

use starfish_tests::{
    nodes::{Node, Nodes, eventually},
    shape::{asked, percentile},
};

const LIST: usize = 50_000;
const DEADLINE: Duration = Duration::from_secs(600);
/// Records that are measured while nothing else happens.
const QUIET: usize = 40;

fn main() {
    let observables = asked("OBSERVABLES", 1_000_000);
    let mesh = Nodes::start(3, &[(0, 1), (0, 2)]);
    for number in 0..observables.div_ceil(LIST) {
        // Under one TLD, so that a list is few records: an author's burst holds no more than a thousand.
        let names = (0..LIST.min(observables - number * LIST)).map(|name| format!("name-{number}-{name}.example"));
        mesh[1].publish("dga", &names.collect::<Vec<_>>());
    }
    eventually("all of it is here", DEADLINE, || held(&mesh[0]) == observables as u64);
    let all = held(&mesh[0]);
    let mut told = 0;
    let mut quiet: Vec<f64> = (0..QUIET).map(|_| arrival(&mesh, &mut told)).collect();
    let judge = |pin: &str, left: u64, told: &mut usize| {
        let began = Instant::now();
        mesh[0]
            .said(&["trust", "pin", &mesh[1].organisation, pin], "")
            .done("trust pin");
        eprintln!("the command took {:.3} s", began.elapsed().as_secs_f64());
        let mut arrivals = Vec::new();
        let mut judged = false;
        while !judged {
            arrivals.push(arrival(&mesh, told));
            let now = held(&mesh[0]);
            judged = if left == 0 { now <= *told as u64 } else { now >= left };
        }
        (began.elapsed().as_secs_f64(), arrivals)
    };
    let (fall, mut falling) = judge("bad", 0, &mut told);
    let (rise, mut rising) = judge("none", all, &mut told);
    let reference = percentile(&mut quiet, 50);
    for (what, seconds, arrivals) in [("falling", fall, &mut falling), ("rising", rise, &mut rising)] {
        let (count, p50, p99) = (arrivals.len(), percentile(arrivals, 50), percentile(arrivals, 99));
        println!(
            "rejudge: {all} observables {what} in {seconds:.1} s; meanwhile {count} records of another organisation arrived after \
             p50 {p50:.3} s ({:.2} of {reference:.3} s when nothing is judged), p99 {p99:.3} s",
            p50 / reference,
        );
    }
}

fn held(node: &Node) -> u64 {
    node.status()["observables"]
        .as_u64()
        .expect("status counts observables")
}

/// How long one record takes from node 2 to being searchable on node 0, in seconds.
fn arrival(mesh: &Nodes, told: &mut usize) -> f64 {
    let name = format!("other-{told}.example");
    *told += 1;
    let began = Instant::now();
    mesh[2].publish("c2", std::slice::from_ref(&name));
    eventually("it arrives", DEADLINE, || !mesh[0].believed(&name).is_empty());
    began.elapsed().as_secs_f64()
}
