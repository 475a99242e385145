//! Numbers about many numbers: [`Percentiles`] of one run and [`Interval`] over several.

use serde::{Deserialize, Serialize};

/// How a set of times spreads, in ms. All are 0 when there is none.
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
