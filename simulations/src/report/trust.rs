//! What came of trust: [`TrustFigures`], and each [`Look`] at it while a run went on.

use serde::{Deserialize, Serialize};

/// Figures about trust and poison, of honest nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustFigures {
    /// Pairs of a node and a record of poison that was held there at the end, believed or not, in percent.
    pub poison_met_percent: f64,
    /// Such pairs in which it was believed at the end, in percent.
    pub poison_believed_percent: f64,
    /// The most pairs of a node and a poisoned name that a `two-source` output would have listed at once, in percent.
    pub poison_listed_percent: f64,
    /// The highest score of a poisoned name anywhere, per mille.
    pub poison_score: u32,
    /// From the answer to the adversaries until nobody believed any poison any more, in seconds; none when somebody did to the
    /// end, or nobody answered.
    pub poison_gone_seconds: Option<f64>,
    /// Records of honest authors that were believed at the end, of those that were wanted, in percent.
    pub kept_percent: f64,
    /// Pairs of a node and a name that several honest nodes had reported, which were listed at the end, in percent; none when
    /// there is no such name.
    pub true_listed_percent: Option<f64>,
    /// Pairs of a node and an author of two histories, of whom the node has the proof, in percent; none when there is no such
    /// author.
    pub frozen_percent: Option<f64>,
    /// Everything over time.
    pub looks: Vec<Look>,
}

/// One look at all honest nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// When, in virtual seconds.
    pub seconds: f64,
    /// Honest organisations that are believed, of those that there are, in percent.
    pub honest_trusted_percent: f64,
    /// Organisations of adversaries that are, in percent.
    pub hostile_trusted_percent: f64,
    /// Records of poison that are believed, of those that were published so far, in percent.
    pub poison_believed_percent: f64,
    /// Poisoned names that a `two-source` output would list, in percent.
    pub poison_listed_percent: f64,
    /// The highest score of a poisoned name, per mille.
    pub poison_score: u32,
    /// Names of several honest reporters that are listed, in percent.
    pub true_listed_percent: f64,
}

impl TrustFigures {
    /// The figures that tables show: name, unit and value.
    pub fn headline(&self) -> Vec<(&'static str, &'static str, f64)> {
        let mut figures = vec![
            ("poison met", "%", self.poison_met_percent),
            ("poison believed", "%", self.poison_believed_percent),
            ("poison listed", "%", self.poison_listed_percent),
            ("poison score", "‰", f64::from(self.poison_score)),
            ("kept", "%", self.kept_percent),
        ];
        figures.extend(self.poison_gone_seconds.map(|seconds| ("poison gone", "s", seconds)));
        figures.extend(self.true_listed_percent.map(|percent| ("true listed", "%", percent)));
        figures.extend(self.frozen_percent.map(|percent| ("frozen", "%", percent)));
        figures
    }

    /// From then on nobody believed any poison; none when somebody did at the last look.
    pub fn clean_from(&self) -> Option<f64> {
        let believed = |look: &Look| look.poison_believed_percent > 0.0;
        let clean = self.looks.iter().rposition(believed).map_or(0, |last| last + 1);
        self.looks.get(clean).map(|look| look.seconds)
    }
}

/// A part of a whole in percent; 0 of nothing.
pub fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        100.0 * part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poison_is_gone_when_nobody_believes_it_again() {
        let check = |believed: &[f64], from: Option<f64>| {
            let looks = believed.iter().enumerate().map(|(place, percent)| Look {
                seconds: place as f64,
                poison_believed_percent: *percent,
                ..Look::default()
            });
            let figures = TrustFigures {
                looks: looks.collect(),
                ..TrustFigures::default()
            };
            assert_eq!(figures.clean_from(), from, "{believed:?}");
        };
        check(&[], None);
        check(&[0.0, 0.0], Some(0.0));
        check(&[0.0, 5.0, 0.0, 1.0, 0.0, 0.0], Some(4.0));
        check(&[0.0, 5.0], None);
    }
}
