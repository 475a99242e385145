//! Tables over several reports: [`side_by_side`] for two, [`Sweep`] for many seeds.

use serde::Serialize;

use super::{
    Report,
    figures::{Figure, Interval, Unit},
};

/// One figure of two reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Its name.
    pub figure: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// In the first report; none when it has no such figure.
    pub one: Option<f64>,
    /// In the second.
    pub other: Option<f64>,
    /// By how many percent the second is larger; none when that means nothing.
    pub change: Option<f64>,
}

/// Every figure that one of two reports has.
pub fn side_by_side(one: &Report, other: &Report) -> Vec<Pair> {
    let both = [one.figures(), other.figures()];
    let pair = |(figure, unit)| {
        let [one, other] = both.each_ref().map(|figures| value(figures, figure));
        let change = one.zip(other).filter(|(one, _)| *one != 0.0);
        Pair {
            figure,
            unit,
            one,
            other,
            change: change.map(|(one, other)| 100.0 * (other - one) / one),
        }
    };
    names(&both).into_iter().map(pair).collect()
}

/// The name and unit of every figure that one of the reports has.
fn names(reports: &[Vec<Figure>]) -> Vec<(&'static str, Unit)> {
    let mut names = Vec::new();
    for figure in reports.iter().flatten() {
        let name = (figure.name, figure.unit);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn value(figures: &[Figure], name: &str) -> Option<f64> {
    figures.iter().find(|figure| figure.name == name)?.value
}

/// Results of one setting over several seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sweep {
    /// The settings that differ between the rows of a table.
    pub settings: Vec<String>,
    /// Figures by name, each with its unit, over the seeds that have a value of it; none when no seed has.
    pub figures: Vec<(&'static str, Unit, Option<Interval>)>,
    /// Seeds whose runs missed what was expected.
    pub broken: Vec<u64>,
    /// Seeds whose runs an invariant ended.
    pub breached: Vec<u64>,
    /// Seeds whose runs left nothing.
    pub failed: Vec<u64>,
}

impl Sweep {
    /// Over these reports of one setting.
    pub fn of(settings: Vec<String>, reports: &[Report], breached: Vec<u64>, failed: Vec<u64>) -> Self {
        let figures: Vec<Vec<Figure>> = reports.iter().map(Report::figures).collect();
        let over_all = |(name, unit)| {
            let values: Vec<f64> = figures.iter().filter_map(|figures| value(figures, name)).collect();
            (name, unit, Interval::of(&values))
        };
        let broken = reports.iter().filter(|report| !report.outcome.broken.is_empty());
        Self {
            settings,
            figures: names(&figures).into_iter().map(over_all).collect(),
            broken: broken.map(|report| report.head.seed).collect(),
            breached,
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
    use crate::report::{page, trust};
    use crate::scenario::written::AdversaryKind;

    #[test]
    fn figures_stand_side_by_side() {
        let (one, mut other) = (page::tests::report(), page::tests::report());
        other.outcome.own_tld_percent = None;
        other.outcome.latency.p50 *= 2.0;
        let pairs = side_by_side(&one, &other);
        let find = |name: &str| pairs.iter().find(|pair| pair.figure == name).expect("the figure");
        assert_eq!(find("latency p50").change, Some(100.0));
        assert_eq!((find("own TLD").one, find("own TLD").other), (Some(200.0), None));
        assert_eq!(find("own TLD").change, None);
        // The other way round the figure is there too.
        assert_eq!(side_by_side(&other, &one).len(), pairs.len());
    }

    #[test]
    fn sweeps_tell_which_seeds_were_broken() {
        let (good, mut bad) = (page::tests::report(), page::tests::report());
        (bad.head.seed, bad.outcome.broken) = (8, vec!["something".to_owned()]);
        let sweep = Sweep::of(vec![], &[good, bad], vec![5], vec![9]);
        assert_eq!(
            (sweep.broken, sweep.breached, sweep.failed),
            (vec![8], vec![5], vec![9])
        );
        let over_both = |interval: Interval| interval.runs == 2 && interval.margin.is_some();
        assert!(
            sweep
                .figures
                .iter()
                .all(|(.., interval)| interval.is_some_and(over_both))
        );
        assert!(Sweep::of(vec![], &[], vec![1], vec![2]).figures.is_empty());
    }

    #[test]
    fn figures_that_some_seeds_lack_do_not_shift_the_others() {
        let (mut with, mut without) = (page::tests::report(), page::tests::report());
        for report in [&mut with, &mut without] {
            report
                .outcome
                .nodes
                .push(trust::tests::adversary(AdversaryKind::Sleeper));
            report.outcome.trust.as_mut().expect("trust").true_listed_percent = Some(100.0);
        }
        with.outcome.trust.as_mut().expect("trust").poison_gone_seconds = Some(1.0);
        // No time to nobody: neither a row of zeros nor a part of the mean.
        without.outcome.everyone = Default::default();
        without.outcome.own_tld_percent = None;
        let sweep = Sweep::of(vec![], &[without.clone(), with], vec![], vec![]);
        let check = |name: &str, runs: usize, mean: f64| {
            let found = sweep.figures.iter().filter(|(found, ..)| *found == name);
            let found: Vec<_> = found.filter_map(|(.., interval)| *interval).collect();
            assert!(
                matches!(found[..], [only] if (only.runs, only.mean) == (runs, mean)),
                "{name}: {found:?}"
            );
        };
        check("poison gone", 1, 1.0);
        check("true listed", 2, 100.0);
        check("everyone max", 1, 300.0);
        check("own TLD", 1, 200.0);
        let none = Sweep::of(vec![], &[without], vec![], vec![]);
        assert!(none.figures.contains(&("poison gone", Unit::Seconds, None)));
    }

    #[test]
    fn tables_are_aligned() {
        let row = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        let text = table(&[row(&["a", "long one"]), row(&["longer", "1"])]);
        assert_eq!(text, "a       long one\nlonger         1\n");
        assert_eq!(table(&[]), "");
    }
}
