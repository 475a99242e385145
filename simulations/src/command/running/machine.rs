//! What a run costs on this machine, and what the program is made of.

use std::time::Duration;

use crate::report::Cost;

/// The dependencies of this program.
const LOCK: &[u8] = include_bytes!("../../../Cargo.lock");
/// Linux counts the time of processes in hundredths of a second, on every machine.
const TICKS: f64 = 100.0;

/// Version, commit, dependencies, compiler, target and profile: with the same, the same seed gives the same events.
pub(super) fn program() -> String {
    format!(
        "starfish-sim {}, commit {}, lock {}, {}, {}, {}",
        env!("CARGO_PKG_VERSION"),
        env!("STARFISH_SIM_COMMIT"),
        &blake3::hash(LOCK).to_hex()[..12],
        env!("STARFISH_SIM_COMPILER"),
        env!("STARFISH_SIM_TARGET"),
        env!("STARFISH_SIM_PROFILE"),
    )
}

/// What this process has cost so far; zeros where the system does not say.
pub(super) fn cost(simulated: Duration) -> Cost {
    let processor_seconds = processor().unwrap_or_default();
    Cost {
        processor_seconds,
        speed: if processor_seconds > 0.0 {
            simulated.as_secs_f64() / processor_seconds
        } else {
            0.0
        },
        memory_mib: memory().unwrap_or_default(),
    }
}

fn processor() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program is in parentheses and may hold spaces; user and system time are the 12th and 13th after it.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / TICKS)
}

fn memory() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib / 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_what_it_is_made_of() {
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        assert!(program().ends_with(&format!(", {profile}")), "{}", program());
    }
}
