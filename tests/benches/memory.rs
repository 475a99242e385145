//! Resident memory of one real node: idle, and with 10^6 observables after a restart and a full scan. `STARFISH_BIN` names the
//! program; `OBSERVABLES` changes the size.

use std::time::Duration;

use starfish_tests::{
    nodes::{Nodes, Signal, eventually, pause},
    shape::{asked, day},
};

/// The targets, in MB.
const IDLE: f64 = 64.0;
const FULL: f64 = 512.0;
const DAY: usize = 50_000;

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn main() {
    let observables = asked("OBSERVABLES", 1_000_000);
    let mut mesh = Nodes::start(1, &[]);
    // Idle is not the moment of the start: what the start needed must have been given back by then.
    pause(Duration::from_secs(10));
    let idle = megabytes(mesh[0].resident_memory());
    for number in 0..observables.div_ceil(DAY) {
        let names: Vec<String> = day(number as u64 + 1, DAY.min(observables - number * DAY))
            .into_iter()
            .collect();
        mesh[0].publish("dga", &names);
    }
    let filled = megabytes(mesh[0].peak_memory());
    mesh.node(0).stop(Signal::Terminate);
    mesh.node(0).start();
    let held = mesh[0].status()["observables"]
        .as_u64()
        .expect("status counts observables");
    assert!(held as usize > observables * 99 / 100, "only {held} are held");

    let started = megabytes(mesh[0].resident_memory());
    let mut scanned = 0;
    for suffix in ["nl", "com.br", "co.uk", "fr", "us", "vn", "tw", "com.tw"] {
        scanned += mesh[0].under(suffix).len();
    }
    // The rest of the names, without keeping them here.
    for suffix in ('a'..='z').flat_map(|one| ('a'..='z').map(move |two| format!("{one}{two}"))) {
        scanned += mesh[0]
            .said(&["--json", "search", "--under", &suffix, "--limit", "0"], "")
            .output
            .lines()
            .count();
    }
    eventually("the scan is over", Duration::from_secs(60), || {
        mesh[0].status()["observables"] == held
    });
    let (resident, peak) = (megabytes(mesh[0].resident_memory()), megabytes(mesh[0].peak_memory()));
    println!(
        "memory: idle {idle:.0} MB ({:.2} of {IDLE:.0}); with {held} observables after a restart and a scan of {scanned} hits \
         {resident:.0} MB, at most {peak:.0} MB ({:.2} of {FULL:.0}); just started {started:.0} MB, while filling {filled:.0} MB",
        idle / IDLE,
        peak / FULL,
    );
}
