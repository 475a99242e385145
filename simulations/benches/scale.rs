//! What a large world costs: virtual seconds for each second of processor time, and memory for each node.
//!
//! `cargo bench --bench scale -- NODES MESSAGES_PER_SECOND VIRTUAL_SECONDS [ORGANISATIONS]`; a message is a header with a
//! body of 1 KiB. The mesh has stood for long: its nodes know each other. So many organisations have one node each, which
//! publish in turn, as many as there are nodes when nothing is said; all other nodes are guests, who listen and pass on.

use std::{fs, time::Duration};

use starfish_protocol::{engine::port::Command, record::RecordId};
use starfish_sim::world::{
    World,
    chronicle::{Happening, What},
};
use starfish_sim_kernel::processor_time;

/// Until the mesh stands.
const WARMING: Duration = Duration::from_secs(20);
/// SHA-256 digests do not compress: so many are about 1 KiB.
const VALUES: u64 = 30;

fn main() {
    // Cargo adds `--bench`.
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (nodes, rate, seconds, organisations) = match numbers[..] {
        [nodes, rate, seconds] => (nodes, rate, seconds, nodes),
        [nodes, rate, seconds, organisations] => (nodes, rate, seconds, organisations),
        _ => {
            println!("cargo bench --bench scale -- NODES MESSAGES_PER_SECOND VIRTUAL_SECONDS [ORGANISATIONS]");
            return;
        }
    };
    let before = resident();
    let (told, published) = std::sync::mpsc::channel();
    let listener = move |happening: &Happening| {
        if let What::Published(records) = &happening.what {
            // The receiver lives as long as the world.
            let _ = records.iter().try_for_each(|record| told.send(*record));
        }
    };
    let count = usize::try_from(nodes).expect("a number of nodes");
    let plan = World::new(1).nodes(count).acquainted(true).listen(Box::new(listener));
    let plan = plan.each(|number, node| node.is_certified = (number as u64) < organisations);
    plan.run(move |world| {
        world.run_for(WARMING);
        let meshed = processor_time();
        println!(
            "{nodes} nodes, {organisations} organisations: {:.1} CPU-s for the first {} s; {:.0} KiB a node",
            meshed.as_secs_f64(),
            WARMING.as_secs(),
            kib_each(resident() - before, nodes)
        );
        let began = world.now();
        for number in 0..seconds * rate {
            let author = usize::try_from(number * 7_919 % organisations).expect("below the count");
            let draft = world.draft("malware", &values(number));
            world.begin(author, Command::Publish(draft));
            world.run_for(Duration::from_nanos(1_000_000_000 / rate));
        }
        world.run_until(began + Duration::from_secs(seconds));
        let steady = (processor_time() - meshed).as_secs_f64();
        world.run_for(Duration::from_secs(10));
        let records: Vec<RecordId> = published.try_iter().collect();
        let held: usize = records.iter().map(|record| world.holders(record)).sum();
        let sent: u64 = world.network().traffic().total().values().map(|count| count.bytes).sum();
        let (stored, once) = world.stored();
        println!(
            "the stores: {:.0} KiB a node, which take {:.1} KiB a node, because what all hold alike is held once",
            kib_each(stored as u64, nodes),
            kib_each(once as u64, nodes)
        );
        println!(
            "{rate}/s for {seconds} s: {:.2} virtual seconds per CPU-s; {:.0} KiB a node; {held} of {} copies; {} MB sent; {}",
            seconds as f64 / steady,
            kib_each(resident() - before, nodes),
            records.len() * count,
            sent / 1_000_000,
            world.digest()
        );
        for (protocol, count) in world.network().traffic().total() {
            println!("  {protocol}: {} MB in {} writes", count.bytes / 1_000_000, count.writes);
        }
    });
}

fn values(number: u64) -> Vec<String> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut word = || {
        state = state
            .wrapping_mul(0xD129_42E5_8CCB_5F67)
            .wrapping_add(0x2545_F491_4F6C_DD1D);
        state ^ state >> 29
    };
    (0..VALUES)
        .map(|_| format!("{:016x}{:016x}{:016x}{:016x}", word(), word(), word(), word()))
        .collect()
}

/// Bytes of memory that this process has.
fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").expect("Linux");
    let resident = pages
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    resident.expect("a number of pages") * 4_096
}

fn kib_each(bytes: u64, nodes: u64) -> f64 {
    bytes as f64 / 1_024.0 / nodes as f64
}
