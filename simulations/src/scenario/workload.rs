//! What is published: lists of observables, drawn from the seed.

use rand::{Rng, RngExt as _};
use starfish_protocol::observable::Observable;

use super::written::PublishKind;

/// The suffixes of a day: `data/suffixes.txt`.
const SUFFIXES: &str = include_str!("../../data/suffixes.txt");
/// Letters of a name; the shortest that Conficker.C made had four, but 50,000 of them in one day need a few more to differ.
const LETTERS: std::ops::RangeInclusive<usize> = 6..=10;

/// The suffixes under which the names of a day are.
pub fn suffixes() -> Vec<&'static str> {
    SUFFIXES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// Their TLDs, each once.
pub fn tlds() -> Vec<&'static str> {
    let mut tlds: Vec<&str> = suffixes()
        .into_iter()
        .map(|suffix| suffix.rsplit('.').next().unwrap_or(suffix))
        .collect();
    tlds.sort_unstable();
    tlds.dedup();
    tlds
}

/// One list.
pub fn list(kind: PublishKind, items: u32, chance: &mut impl Rng) -> Vec<Observable> {
    let suffixes = suffixes();
    let one = |index: u32, chance: &mut dyn Rng| match kind {
        PublishKind::Names => format!("{}.example", letters(chance)),
        PublishKind::ConfickerDay => format!("{}.{}", letters(chance), suffixes[index as usize % suffixes.len()]),
        PublishKind::Digests => digest(chance),
    };
    let texts = (0..items).map(|index| one(index, chance));
    texts
        .map(|text| Observable::parse(&text).expect("names and digests are observables"))
        .collect()
}

fn letters(chance: &mut dyn Rng) -> String {
    let length = chance.random_range(LETTERS);
    (0..length)
        .map(|_| char::from(chance.random_range(b'a'..=b'z')))
        .collect()
}

fn digest(chance: &mut dyn Rng) -> String {
    let mut bytes = [0; 32];
    chance.fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::placing::chance;

    #[test]
    fn a_day_spans_all_tlds() {
        assert_eq!((suffixes().len(), tlds().len()), (116, 110));
        let day = list(PublishKind::ConfickerDay, 1_160, &mut chance(1, "test"));
        let found: std::collections::BTreeSet<String> = day
            .iter()
            .filter_map(|name| Some(name.tld()?.as_str().to_owned()))
            .collect();
        assert_eq!(found.len(), 110);
    }

    #[test]
    fn the_same_seed_gives_the_same_list() {
        let check = |kind| {
            let [one, again] = [1, 1].map(|seed| list(kind, 50, &mut chance(seed, "test")));
            assert_eq!(one, again);
            assert_ne!(one, list(kind, 50, &mut chance(2, "test")));
        };
        check(PublishKind::Names);
        check(PublishKind::Digests);
        check(PublishKind::ConfickerDay);
    }
}
