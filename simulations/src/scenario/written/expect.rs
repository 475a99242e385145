//! What a scenario promises.

use serde::{Deserialize, Serialize};

/// What must come out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// The share of wanted bodies that must be where they are wanted at the end, in percent.
    pub delivered_percent: Option<f64>,
    /// Half of all bodies arrive within this.
    pub p50_ms: Option<f64>,
    /// 99 of 100 bodies arrive within this.
    pub p99_ms: Option<f64>,
    /// Everyone has a body within this after it was published or, when it was published in a partition, after that ended.
    pub everyone_within_seconds: Option<f64>,
    /// Bytes that a node receives on streams of bodies, for each byte of body that it wants.
    pub copies: Option<f64>,
    /// Body bytes that the median node with `tlds = "own"` received, in percent of the median of those that pull everything.
    pub own_tld_percent: Option<f64>,
    /// Poison that honest nodes held at the end, believed or not, in percent of what there was: a run in which nobody met it
    /// proves nothing.
    pub poison_met_percent: Option<f64>,
    /// Poison that was believed at the end, in percent.
    pub poison_believed_percent: Option<f64>,
    /// The most poisoned names that a `two-source` output would have listed at once, in percent.
    pub poison_listed_percent: Option<f64>,
    /// The highest score of a poisoned name, per mille.
    pub poison_score: Option<f64>,
    /// Nobody believes any poison any more within this after the answer.
    pub poison_gone_seconds: Option<f64>,
    /// Records of honest authors that are believed at the end, of those that are wanted, in percent.
    pub kept_percent: Option<f64>,
    /// The first names of lists that several honest nodes reported, which are listed at the end, in percent.
    pub true_listed_percent: Option<f64>,
    /// So often, at least, honest nodes felt each `[adversary]` and each `[partition]`: a run in which one of them did nothing
    /// proves nothing.
    pub felt: Option<f64>,
    /// So often honest nodes turned something away.
    pub turned_away: Option<f64>,
    /// Pairs of an honest node and an author of two histories, whose log is frozen there, in percent.
    pub frozen_percent: Option<f64>,
}

impl Expect {
    /// The keys with values that nothing can be compared with.
    pub fn not_finite(&self) -> impl Iterator<Item = &'static str> + use<> {
        let all = [
            ("delivered_percent", self.delivered_percent),
            ("p50_ms", self.p50_ms),
            ("p99_ms", self.p99_ms),
            ("everyone_within_seconds", self.everyone_within_seconds),
            ("copies", self.copies),
            ("own_tld_percent", self.own_tld_percent),
            ("poison_met_percent", self.poison_met_percent),
            ("poison_believed_percent", self.poison_believed_percent),
            ("poison_listed_percent", self.poison_listed_percent),
            ("poison_score", self.poison_score),
            ("poison_gone_seconds", self.poison_gone_seconds),
            ("kept_percent", self.kept_percent),
            ("true_listed_percent", self.true_listed_percent),
            ("frozen_percent", self.frozen_percent),
            ("felt", self.felt),
            ("turned_away", self.turned_away),
        ];
        let wrong = |(_, value): &(&str, Option<f64>)| value.is_some_and(|value| !value.is_finite());
        all.into_iter().filter(wrong).map(|(name, _)| name)
    }
}
