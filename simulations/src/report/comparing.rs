//! Tables over several reports: [`side_by_side`] for two, [`Sweep`] for many seeds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Report, figures::Interval};

/// One figure of two reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Its name.
    pub figure: String,
    /// Its unit.
    pub unit: String,
    /// In the first report; none when it has no such figure.
    pub one: Option<f64>,
    /// In the second.
    pub other: Option<f64>,
}

impl Pair {
    /// By how many percent the second is larger; none when that means nothing.
    pub fn change(&self) -> Option<f64> {
        let (one, other) = (self.one?, self.other?);
        (one != 0.0).then(|| 100.0 * (other - one) / one)
    }
}

/// Every figure that one of two reports has.
pub fn side_by_side(one: &Report, other: &Report) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    for (figure, unit, value) in one.figures() {
        pairs.push(Pair {
            figure: figure.to_owned(),
            unit: unit.to_owned(),
            one: Some(value),
            other: None,
        });
    }
    for (figure, unit, value) in other.figures() {
        match pairs.iter_mut().find(|pair| pair.figure == figure) {
            Some(pair) => pair.other = Some(value),
            None => pairs.push(Pair {
                figure: figure.to_owned(),
                unit: unit.to_owned(),
                one: None,
                other: Some(value),
            }),
        }
    }
    pairs
}

/// Results of one setting over several seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sweep {
    /// The settings that differ between the rows of a table.
    pub settings: Vec<String>,
    /// Figures by name, each with its unit.
    pub figures: Vec<(String, String, Interval)>,
    /// Seeds whose runs missed what was expected.
    pub broken: Vec<u64>,
    /// Seeds whose runs ended without a report.
    pub failed: Vec<u64>,
}

impl Sweep {
    /// Over these reports of one setting.
    pub fn of(settings: Vec<String>, reports: &[Report], failed: Vec<u64>) -> Self {
        let mut numbers: BTreeMap<usize, (&str, &str, Vec<f64>)> = BTreeMap::new();
        for report in reports {
            for (place, (figure, unit, value)) in report.figures().into_iter().enumerate() {
                numbers.entry(place).or_insert((figure, unit, Vec::new())).2.push(value);
            }
        }
        let figure = |(figure, unit, values): (&str, &str, Vec<f64>)| {
            Some((figure.to_owned(), unit.to_owned(), Interval::of(&values)?))
        };
        let broken = reports.iter().filter(|report| !report.outcome.broken.is_empty());
        Self {
            settings,
            figures: numbers.into_values().filter_map(figure).collect(),
            broken: broken.map(|report| report.head.seed).collect(),
            failed,
        }
    }
}

/// Rows of cells as text, the first column to the left and all others to the right.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page;

    #[test]
    fn figures_stand_side_by_side() {
        let (one, mut other) = (page::tests::report(), page::tests::report());
        other.outcome.own_tld_percent = None;
        other.outcome.latency.p50 *= 2.0;
        let pairs = side_by_side(&one, &other);
        let find = |name: &str| pairs.iter().find(|pair| pair.figure == name).expect("the figure");
        assert_eq!(find("latency p50").change(), Some(100.0));
        assert_eq!((find("own TLD").one, find("own TLD").other), (Some(400.0 / 3.0), None));
        assert_eq!(find("own TLD").change(), None);
        // The other way round the figure is there too.
        assert_eq!(side_by_side(&other, &one).len(), pairs.len());
    }

    #[test]
    fn sweeps_tell_which_seeds_were_broken() {
        let (good, mut bad) = (page::tests::report(), page::tests::report());
        (bad.head.seed, bad.outcome.broken) = (8, vec!["something".to_owned()]);
        let sweep = Sweep::of(vec![], &[good, bad], vec![9]);
        assert_eq!((sweep.broken, sweep.failed), (vec![8], vec![9]));
        assert!(
            sweep
                .figures
                .iter()
                .all(|(_, _, interval)| interval.runs == 2 && interval.margin.is_some())
        );
        assert!(Sweep::of(vec![], &[], vec![1]).figures.is_empty());
    }

    #[test]
    fn tables_are_aligned() {
        let row = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        let text = table(&[row(&["a", "long one"]), row(&["longer", "1"])]);
        assert_eq!(text, "a       long one\nlonger         1\n");
        assert_eq!(table(&[]), "");
    }
}
