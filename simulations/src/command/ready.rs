//! The scenarios that come along, inside the program.

use std::path::{Path, PathBuf};

use crate::scenario::{Mistake, Scenario, reading};

/// Name and text of each.
pub const READY: [(&str, &str); 16] = [
    ("calm", include_str!("../../scenarios/calm.toml")),
    ("censor", include_str!("../../scenarios/censor.toml")),
    ("collusion", include_str!("../../scenarios/collusion.toml")),
    ("confided", include_str!("../../scenarios/confided.toml")),
    ("conficker-day", include_str!("../../scenarios/conficker-day.toml")),
    ("eclipse", include_str!("../../scenarios/eclipse.toml")),
    ("flood", include_str!("../../scenarios/flood.toml")),
    ("impostors", include_str!("../../scenarios/impostors.toml")),
    ("key-compromise", include_str!("../../scenarios/key-compromise.toml")),
    ("partition", include_str!("../../scenarios/partition.toml")),
    ("poor-region", include_str!("../../scenarios/poor-region.toml")),
    ("scale", include_str!("../../scenarios/scale.toml")),
    ("scale-10000", include_str!("../../scenarios/scale-10000.toml")),
    ("sleeper", include_str!("../../scenarios/sleeper.toml")),
    ("sybil-farm", include_str!("../../scenarios/sybil-farm.toml")),
    ("withholding", include_str!("../../scenarios/withholding.toml")),
];

/// Reads a scenario, by the name of one that comes along or from a file.
///
/// # Errors
/// With everything that is wrong with it.
pub fn load(which: &Path, changes: &reading::Changes) -> Result<Scenario, Vec<Mistake>> {
    let ready = READY.iter().find(|(name, _)| Path::new(name) == which);
    match ready {
        // A folder of that name is a report, not a scenario.
        Some((name, text)) if !which.is_file() => reading::read(&PathBuf::from(format!("{name}.toml")), text, changes),
        _ => reading::load(which, changes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{reading::Changes, written::Expect};

    #[test]
    fn every_scenario_that_comes_along_is_whole_in_both_forms() {
        for (name, _) in READY {
            for ci in [false, true] {
                let changes = Changes { ci, set: Vec::new() };
                let scenario = load(Path::new(name), &changes);
                let scenario = scenario.unwrap_or_else(|mistakes| panic!("{name}: {mistakes:?}"));
                assert_eq!(scenario.name, name);
                assert!(!scenario.written.about.is_empty(), "{name} does not say what it shows");
                assert_ne!(scenario.written.expect, Expect::default(), "{name} expects nothing");
            }
        }
    }

    #[test]
    fn every_scenario_that_comes_along_has_its_page() {
        let pages = include_str!("../../scenarios/README.md");
        let titles: Vec<&str> = pages.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let has_page = |name: &str| titles.contains(&name);
        assert!(READY.iter().all(|(name, _)| has_page(name)), "{titles:?}");
        assert_eq!(titles.len(), READY.len(), "{titles:?}");
    }

    #[test]
    fn other_names_are_files() {
        let mistakes = load(Path::new("no-such-study"), &Changes::default()).expect_err("no file");
        assert!(mistakes[0].to_string().contains("no-such-study"));
    }
}
