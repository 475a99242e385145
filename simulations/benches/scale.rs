//! What a large world costs: virtual seconds for each second of processor time, and memory for each node, beside the same
//! number of twins that speak plain gossipsub and do nothing else.
//!
//! `cargo bench --bench scale -- NODES MESSAGES_PER_SECOND VIRTUAL_SECONDS [ORGANISATIONS]`; a message is a header with a
//! body of 1 KiB. The mesh has stood for long: its nodes know each other. So many organisations have one node each, which
//! publish in turn, as many as there are nodes when nothing is said; all other nodes are guests, who listen and pass on.

use std::{fs, process, time::Duration};

use starfish_protocol::{engine::port::Command, record::RecordId};
use starfish_sim::world::{
    Plan, Stored, World,
    chronicle::{Happening, What},
};
use starfish_sim_kernel::processor_time;

/// Until the mesh stands.
const WARMING: Duration = Duration::from_secs(20);
/// Until the last message is everywhere.
const ARRIVING: Duration = Duration::from_secs(10);
/// SHA-256 digests do not compress: so many are about 1 KiB.
const VALUES: u64 = 30;
/// The frame that a node sends for such a message.
const FRAME_BYTES: usize = 1_400;
/// Asks for the twins alone.
const PLAIN: &str = "plain";

/// What is measured.
#[derive(Clone, Copy)]
struct Course {
    nodes: u64,
    rate: u64,
    seconds: u64,
    organisations: u64,
}

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().collect();
    let numbers: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let (nodes, rate, seconds, organisations) = match numbers[..] {
        [nodes, rate, seconds] => (nodes, rate, seconds, nodes),
        [nodes, rate, seconds, organisations] => (nodes, rate, seconds, organisations),
        _ => {
            println!("cargo bench --bench scale -- NODES MESSAGES_PER_SECOND VIRTUAL_SECONDS [ORGANISATIONS]");
            return;
        }
    };
    let course = Course {
        nodes,
        rate,
        seconds,
        organisations,
    };
    if arguments.last().is_some_and(|last| last == PLAIN) {
        let (speed, memory) = course.plain();
        println!("{speed} {memory}");
        return;
    }
    let (plain_speed, plain_memory) = course.reference();
    println!("plain gossipsub: {plain_speed:.2} virtual seconds per CPU-s; {plain_memory:.0} KiB a twin");
    let (speed, memory) = course.whole();
    println!(
        "ratio: {:.2} of the speed, {:.1} times the memory of plain gossipsub",
        speed / plain_speed,
        memory / plain_memory
    );
}

impl Course {
    fn count(self) -> usize {
        usize::try_from(self.nodes).expect("a number of nodes")
    }

    fn world(self) -> Plan {
        World::new(1).nodes(self.count()).acquainted(true)
    }

    /// Publishes in turn.
    fn publish(self, world: &mut World, one: impl Fn(&mut World, usize, u64)) {
        let began = world.now();
        for number in 0..self.seconds * self.rate {
            let author = usize::try_from(number * 7_919 % self.organisations).expect("below the count");
            one(world, author, number);
            world.run_for(Duration::from_nanos(1_000_000_000 / self.rate));
        }
        world.run_until(began + Duration::from_secs(self.seconds));
    }

    /// Real nodes: their speed and their memory.
    fn whole(self) -> (f64, f64) {
        let before = resident();
        let (told, published) = std::sync::mpsc::channel();
        let listener = move |happening: &Happening| {
            if let What::Published(records) = &happening.what {
                // The receiver lives as long as the world.
                let _ = records.iter().try_for_each(|record| told.send(*record));
            }
        };
        let plan = self.world().listen(Box::new(listener));
        let plan = plan.each(|number, node| node.is_certified = (number as u64) < self.organisations);
        plan.run(move |world| {
            world.run_for(WARMING);
            let meshed = processor_time();
            println!(
                "{} nodes, {} organisations: {:.1} CPU-s for the first {} s; {:.0} KiB a node",
                self.nodes,
                self.organisations,
                meshed.as_secs_f64(),
                WARMING.as_secs(),
                kib_each(resident() - before, self.nodes)
            );
            self.publish(world, |world, author, number| {
                let draft = world.draft("malware", &values(number));
                world.begin(author, Command::Publish(draft));
            });
            let speed = self.seconds as f64 / (processor_time() - meshed).as_secs_f64();
            world.run_for(ARRIVING);
            let records: Vec<RecordId> = published.try_iter().collect();
            let held: usize = records.iter().map(|record| world.holders(record)).sum();
            let sent: u64 = world.network().traffic().total().values().map(|count| count.bytes).sum();
            let Stored { bytes, once, lists } = world.stored();
            let [bytes, once, lists] = [bytes, once, lists].map(|bytes| kib_each(bytes as u64, self.nodes));
            println!(
                "the stores: {bytes:.0} KiB a node, which take {once:.1} KiB a node, because what all hold alike is held once, \
                 and some {lists:.0} for the lists of it"
            );
            let memory = kib_each(resident() - before, self.nodes);
            let beyond = memory - once - lists;
            println!(
                "{}/s for {} s: {speed:.2} virtual seconds per CPU-s; {memory:.0} KiB a node, {beyond:.0} beyond its store; {held} of {} copies; {} MB sent; {}",
                self.rate,
                self.seconds,
                records.len() * self.count(),
                sent / 1_000_000,
                world.digest()
            );
            for (kind, count) in world.network().traffic().total() {
                println!("  {kind}: {} MB in {} writes", count.bytes / 1_000_000, count.writes);
            }
            (speed, memory)
        })
    }

    /// Twins alone, in a process of their own, because a process has one world.
    fn reference(self) -> (f64, f64) {
        let numbers = [self.nodes, self.rate, self.seconds, self.organisations];
        let this = std::env::current_exe().expect("this program");
        let mut command = process::Command::new(this);
        command.args(numbers.map(|number| number.to_string())).arg(PLAIN);
        let output = command.output().expect("this program runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let mut figures = said.split_whitespace().filter_map(|figure| figure.parse().ok());
        let (speed, memory) = (figures.next(), figures.next());
        speed.zip(memory).expect("it prints two figures")
    }

    /// Twins alone: their speed and their memory.
    fn plain(self) -> (f64, f64) {
        let before = resident();
        let plan = self.world().compare_with_pushing(true);
        let plan = plan.each(|_, node| node.starts = false);
        plan.run(move |world| {
            for node in 0..world.len() {
                world.start_twin(node);
            }
            world.run_for(WARMING);
            let meshed = processor_time();
            self.publish(world, |world, author, number| world.push(author, frame(number)));
            let speed = self.seconds as f64 / (processor_time() - meshed).as_secs_f64();
            world.run_for(ARRIVING);
            let memory = kib_each(resident() - before, self.nodes);
            (speed, memory)
        })
    }
}

/// Digests as numbers that look like chance.
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

/// As long as what a node sends for such a message.
fn frame(number: u64) -> Vec<u8> {
    let mut frame = vec![0; FRAME_BYTES];
    frame[..8].copy_from_slice(&number.to_le_bytes());
    frame
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
