//! What tables show, a [`Figure`] a row, and numbers about many numbers: [`Percentiles`] of one run and [`Interval`] over several.

use serde::{Deserialize, Serialize, Serializer};

/// One figure of a report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// None when nothing happened that it could be about: a time of no arrivals is not 0.
    pub value: Option<f64>,
}

impl Figure {
    /// One that has a value or none.
    pub fn new(name: &'static str, unit: Unit, value: Option<f64>) -> Self {
        Self { name, unit, value }
    }
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// So many for each.
    Ratio,
    /// Of 100.
    Percent,
    /// Of 1,000.
    PerMille,
    /// Seconds of virtual time.
    Seconds,
    /// Thousandths of them.
    Milliseconds,
    /// Thousands of bytes.
    Kilobytes,
    /// Millions of bytes.
    Megabytes,
}

impl Unit {
    /// As it is written after a number.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Count | Self::Ratio => "",
            Self::Percent => "%",
            Self::PerMille => "‰",
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Kilobytes => "kB",
            Self::Megabytes => "MB",
        }
    }

    /// The number alone. A mean of counts may lie between two of them.
    pub fn show(self, value: Option<f64>) -> String {
        let is_counted = matches!(self, Self::Count | Self::PerMille);
        match value {
            None => "-".to_owned(),
            Some(value) if is_counted && value.fract() == 0.0 => format!("{value:.0}"),
            Some(value) => format!("{value:.2}"),
        }
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.sign())
    }
}

/// How a set of times spreads, in ms. All are 0 when there is none: ask [`Percentiles::known`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Percentiles {
    /// How many.
    pub count: u64,
    /// Half are at most this.
    pub p50: f64,
    /// 90 of 100 are at most this.
    pub p90: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// The longest.
    pub most: f64,
}

impl Percentiles {
    /// None of no times.
    pub fn known(&self) -> Option<&Self> {
        (self.count > 0).then_some(self)
    }

    /// Of these numbers, in any order.
    pub fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        let Some(most) = numbers.last().copied() else {
            return Self::default();
        };
        // The nearest rank: a number that occurred, not one between two.
        let at = |percent: usize| numbers[(numbers.len() * percent).div_ceil(100).max(1) - 1];
        Self {
            count: numbers.len() as u64,
            p50: at(50),
            p90: at(90),
            p99: at(99),
            most,
        }
    }
}

/// A mean and how far the true one may be from it, with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// How many runs.
    pub runs: usize,
    /// Their mean.
    pub mean: f64,
    /// Half of the interval's width; none for a single run, which says nothing about others.
    pub margin: Option<f64>,
}

/// Student's t for 95 % and 1 to 30 degrees of freedom; beyond, the normal distribution's 1.96 is within 4 %.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

impl Interval {
    /// Of the results of independent runs; none of no runs.
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let runs = numbers.len();
        if runs == 0 {
            return None;
        }
        let mean = numbers.iter().sum::<f64>() / runs as f64;
        let freedom = runs - 1;
        let margin = (freedom > 0).then(|| {
            let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
            let student = STUDENT.get(freedom - 1).copied().unwrap_or(1.96);
            student * (squares / freedom as f64 / runs as f64).sqrt()
        });
        Some(Self { runs, mean, margin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numbers_that_occurred() {
        let check = |numbers: &[f64], expected: [f64; 4]| {
            let found = Percentiles::of(numbers.to_vec());
            assert_eq!([found.p50, found.p90, found.p99, found.most], expected, "{numbers:?}");
            assert_eq!(found.count, numbers.len() as u64);
        };
        check(&[], [0.0; 4]);
        check(&[7.0], [7.0; 4]);
        check(&[2.0, 1.0], [1.0, 2.0, 2.0, 2.0]);
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        check(&hundred, [50.0, 90.0, 99.0, 100.0]);
    }

    #[test]
    fn no_times_are_not_times_of_nothing() {
        assert_eq!(Percentiles::of(vec![]).known(), None);
        assert!(Percentiles::of(vec![0.0]).known().is_some());
    }

    #[test]
    fn what_is_counted_is_whole() {
        let check = |unit: Unit, value: Option<f64>, expected: &str| assert_eq!(unit.show(value), expected);
        check(Unit::Count, Some(6.0), "6");
        check(Unit::Count, Some(6.5), "6.50");
        check(Unit::PerMille, Some(600.0), "600");
        check(Unit::Ratio, Some(1.0), "1.00");
        check(Unit::Seconds, Some(0.0), "0.00");
        check(Unit::Seconds, None, "-");
    }

    #[test]
    fn intervals_follow_student() {
        let check = |numbers: &[f64], mean: f64, margin: Option<f64>| {
            let found = Interval::of(numbers).expect("some runs");
            assert!((found.mean - mean).abs() < 1e-9, "{found:?}");
            match (found.margin, margin) {
                (Some(found), Some(margin)) => assert!((found - margin).abs() < 1e-3, "{found}"),
                (found, margin) => assert_eq!(found.is_some(), margin.is_some()),
            }
        };
        check(&[5.0], 5.0, None);
        check(&[5.0, 5.0], 5.0, Some(0.0));
        check(&[1.0, 3.0], 2.0, Some(12.706));
        check(&[1.0, 2.0, 3.0], 2.0, Some(2.484));
        assert_eq!(Interval::of(&[]), None);
    }
}
