//! What came of trust: [`TrustFigures`], and each [`Look`] at it while a run went on.

use serde::{Deserialize, Serialize};

use super::{
    NodeRow, Outcome,
    figures::{Figure, Unit},
};

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
    /// Pairs of a node and the first name of a list that several honest nodes had reported, which were listed at the end, in
    /// percent; none when there is no such list.
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
    /// Records of poison that are believed, of those that were published so far, in percent; none before the first.
    pub poison_believed_percent: Option<f64>,
    /// Poisoned names that a `two-source` output would list, in percent; none before one was looked at.
    pub poison_listed_percent: Option<f64>,
    /// The highest score of a poisoned name, per mille; none before one was looked at.
    pub poison_score: Option<u32>,
    /// First names of lists of several honest reporters that are listed, in percent; none where there are none.
    pub true_listed_percent: Option<f64>,
}

impl TrustFigures {
    /// From then on nobody believed any poison; none when somebody did at the last look, or nobody ever did.
    pub fn clean_from(&self) -> Option<f64> {
        let believed = |look: &Look| look.poison_believed_percent.is_some_and(|percent| percent > 0.0);
        let last = self.looks.iter().rposition(believed)?;
        self.looks.get(last + 1).map(|look| look.seconds)
    }
}

impl Outcome {
    /// Figures of trust, for what they say of poison; none in a run in which nobody publishes any.
    pub fn poison(&self) -> Option<&TrustFigures> {
        self.trust.as_ref().filter(|_| self.nodes.iter().any(NodeRow::poisons))
    }

    /// Records of honest authors that were believed at the end, of those that were wanted, in percent; none when nothing was.
    pub fn kept_percent(&self) -> Option<f64> {
        let trust = self.trust.as_ref().filter(|_| self.wanted > 0);
        trust.map(|trust| trust.kept_percent)
    }

    /// The figures of trust that tables show.
    pub(super) fn trust_figures(&self) -> Vec<Figure> {
        let Some(trust) = &self.trust else {
            return Vec::new();
        };
        let percent = |name, percent| Figure::new(name, Unit::Percent, percent);
        let mut figures = Vec::new();
        if let Some(poison) = self.poison() {
            let score = f64::from(poison.poison_score);
            figures.extend([
                percent("poison met", Some(poison.poison_met_percent)),
                percent("poison believed", Some(poison.poison_believed_percent)),
                percent("poison listed", Some(poison.poison_listed_percent)),
                Figure::new("poison score", Unit::PerMille, Some(score)),
                Figure::new("poison gone", Unit::Seconds, poison.poison_gone_seconds),
            ]);
        }
        figures.push(percent("kept", self.kept_percent()));
        for (name, value) in [
            ("true listed", trust.true_listed_percent),
            ("frozen", trust.frozen_percent),
        ] {
            figures.extend(value.map(|value| percent(name, Some(value))));
        }
        figures
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
pub(super) mod tests {
    use super::*;
    use crate::{report::Names, scenario::written::AdversaryKind};

    /// One adversary.
    pub(in crate::report) fn adversary(kind: AdversaryKind) -> NodeRow {
        NodeRow {
            node: 0,
            role: "cert".to_owned(),
            region: "north".to_owned(),
            adversary: Some(kind),
            names: Names::default(),
            missing: 0,
            received: 0,
            received_bodies: 0,
            stored_bodies: 0,
            sent: 0,
        }
    }

    #[test]
    fn only_where_there_is_poison_it_has_rows() {
        let check = |kind: AdversaryKind, has_rows: bool| {
            let outcome = Outcome {
                nodes: vec![adversary(kind)],
                trust: Some(TrustFigures::default()),
                ..Outcome::default()
            };
            let figures = outcome.trust_figures();
            let poison = figures.iter().filter(|figure| figure.name.starts_with("poison"));
            assert_eq!(poison.count(), if has_rows { 5 } else { 0 }, "{kind:?}");
            // Nothing was wanted.
            let kept = figures.iter().find(|figure| figure.name == "kept").expect("a row");
            assert_eq!(kept.value, None);
        };
        use AdversaryKind::{Colluder, Equivocator, IhaveSpammer, Poisoner, Sleeper, Sybil, Thief};
        for kind in [Sybil, Poisoner, Sleeper, Thief] {
            check(kind, true);
        }
        for kind in [Equivocator, IhaveSpammer, Colluder] {
            check(kind, false);
        }
    }

    #[test]
    fn poison_is_gone_when_nobody_believes_it_again() {
        let check = |believed: &[f64], from: Option<f64>| {
            let looks = believed.iter().enumerate().map(|(place, percent)| Look {
                seconds: place as f64,
                poison_believed_percent: Some(*percent),
                ..Look::default()
            });
            let figures = TrustFigures {
                looks: looks.collect(),
                ..TrustFigures::default()
            };
            assert_eq!(figures.clean_from(), from, "{believed:?}");
        };
        check(&[], None);
        check(&[0.0, 0.0], None);
        check(&[0.0, 5.0, 0.0, 1.0, 0.0, 0.0], Some(4.0));
        check(&[0.0, 5.0], None);
    }
}
