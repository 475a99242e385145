//! What a scenario expected, held against what came out: [`judge`].

use super::{Outcome, trust::TrustFigures};
use crate::scenario::written::Expect;

/// Everything that was expected and did not come out, in sentences.
pub fn judge(expect: &Expect, outcome: &Outcome) -> Vec<String> {
    let mut broken = Vec::new();
    let mut at_least = |name: &str, expected: Option<f64>, found: f64| {
        if let Some(expected) = expected.filter(|expected| found < *expected) {
            broken.push(format!("{name} is {found:.2}, and at least {expected} was expected"));
        }
    };
    at_least(
        "delivered_percent",
        expect.delivered_percent,
        outcome.delivered_percent(),
    );
    let everyone = outcome.everyone.most / 1_000.0;
    let mut at_most = |name: &str, expected: Option<f64>, found: f64| {
        if let Some(expected) = expected.filter(|expected| found > *expected) {
            broken.push(format!("{name} is {found:.2}, and at most {expected} was expected"));
        }
    };
    at_most("p50_ms", expect.p50_ms, outcome.latency.p50);
    at_most("p99_ms", expect.p99_ms, outcome.latency.p99);
    at_most("everyone_within_seconds", expect.everyone_within_seconds, everyone);
    at_most("copies", expect.copies, outcome.copies);
    match outcome.own_tld_percent {
        Some(own) => at_most("own_tld_percent", expect.own_tld_percent, own),
        None if expect.own_tld_percent.is_some() => {
            broken.push(
                "own_tld_percent has no value: it takes nodes with `tlds = \"own\"` and others, and bodies".to_owned(),
            );
        }
        None => {}
    }
    broken.extend(trust(expect, outcome.trust.as_ref()));
    if outcome.faults_among_honest > 0 {
        let count = outcome.faults_among_honest;
        broken.push(format!(
            "honest nodes counted {count} provable faults against honest nodes"
        ));
    }
    broken
}

/// What was expected of trust and poison.
fn trust(expect: &Expect, found: Option<&TrustFigures>) -> Vec<String> {
    // A name, what was expected, what was found, and whether more would be better.
    let mut rows: Vec<(&str, Option<f64>, Option<f64>, bool)> = Vec::new();
    let of = |value: fn(&TrustFigures) -> f64| found.map(value);
    let gone = found.and_then(|found| found.poison_gone_seconds);
    let listed = found.and_then(|found| found.true_listed_percent);
    let frozen = found.and_then(|found| found.frozen_percent);
    rows.push((
        "poison_met_percent",
        expect.poison_met_percent,
        of(|found| found.poison_met_percent),
        true,
    ));
    rows.push((
        "poison_believed_percent",
        expect.poison_believed_percent,
        of(|found| found.poison_believed_percent),
        false,
    ));
    rows.push((
        "poison_listed_percent",
        expect.poison_listed_percent,
        of(|found| found.poison_listed_percent),
        false,
    ));
    rows.push((
        "poison_score",
        expect.poison_score,
        of(|found| f64::from(found.poison_score)),
        false,
    ));
    rows.push(("poison_gone_seconds", expect.poison_gone_seconds, gone, false));
    rows.push((
        "kept_percent",
        expect.kept_percent,
        of(|found| found.kept_percent),
        true,
    ));
    rows.push(("true_listed_percent", expect.true_listed_percent, listed, true));
    rows.push(("frozen_percent", expect.frozen_percent, frozen, true));
    let missed = |(name, expected, found, more): (&str, Option<f64>, Option<f64>, bool)| {
        let (expected, way) = (expected?, if more { "least" } else { "most" });
        let Some(found) = found else {
            return Some(format!("{name} has no value, and at {way} {expected} was expected"));
        };
        let holds = if more { found >= expected } else { found <= expected };
        (!holds).then(|| format!("{name} is {found:.2}, and at {way} {expected} was expected"))
    };
    rows.into_iter().filter_map(missed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::Percentiles;

    #[test]
    fn only_what_was_expected_and_missed_is_broken() {
        let outcome = Outcome {
            wanted: 200,
            arrived: 199,
            latency: Percentiles::of(vec![100.0, 300.0]),
            everyone: Percentiles::of(vec![5_000.0]),
            copies: 1.1,
            ..Outcome::default()
        };
        let check = |expect: Expect, words: &[&str]| {
            let broken = judge(&expect, &outcome);
            assert_eq!(broken.len(), words.len(), "{broken:?}");
            assert!(
                broken.iter().zip(words).all(|(broken, word)| broken.contains(word)),
                "{broken:?}"
            );
        };
        let nothing = Expect::default;
        check(nothing(), &[]);
        check(
            Expect {
                delivered_percent: Some(99.5),
                ..nothing()
            },
            &[],
        );
        check(
            Expect {
                delivered_percent: Some(100.0),
                ..nothing()
            },
            &["delivered_percent is 99.50"],
        );
        check(
            Expect {
                p50_ms: Some(100.0),
                p99_ms: Some(299.0),
                ..nothing()
            },
            &["p99_ms is 300"],
        );
        check(
            Expect {
                everyone_within_seconds: Some(4.0),
                copies: Some(1.05),
                ..nothing()
            },
            &["everyone", "copies"],
        );
        check(
            Expect {
                own_tld_percent: Some(5.0),
                ..nothing()
            },
            &["own_tld_percent"],
        );
        check(
            Expect {
                kept_percent: Some(1.0),
                ..nothing()
            },
            &["kept_percent has no value"],
        );
        let faulty = Outcome {
            faults_among_honest: 2,
            ..Outcome::default()
        };
        assert_eq!(judge(&nothing(), &faulty).len(), 1);
    }

    #[test]
    fn trust_is_judged_both_ways() {
        let outcome = Outcome {
            trust: Some(TrustFigures {
                poison_met_percent: 50.0,
                poison_believed_percent: 10.0,
                poison_score: 600,
                kept_percent: 99.0,
                frozen_percent: Some(90.0),
                ..TrustFigures::default()
            }),
            ..Outcome::default()
        };
        let check = |expect: Expect, holds: bool| {
            assert_eq!(judge(&expect, &outcome).is_empty(), holds, "{expect:?}");
        };
        let expect = |change: fn(&mut Expect)| {
            let mut expect = Expect::default();
            change(&mut expect);
            expect
        };
        check(expect(|expect| expect.poison_met_percent = Some(50.0)), true);
        check(expect(|expect| expect.poison_met_percent = Some(51.0)), false);
        check(expect(|expect| expect.poison_believed_percent = Some(10.0)), true);
        check(expect(|expect| expect.poison_believed_percent = Some(9.0)), false);
        check(expect(|expect| expect.poison_listed_percent = Some(0.0)), true);
        check(expect(|expect| expect.poison_score = Some(600.0)), true);
        check(expect(|expect| expect.poison_score = Some(599.0)), false);
        check(expect(|expect| expect.kept_percent = Some(99.0)), true);
        check(expect(|expect| expect.kept_percent = Some(100.0)), false);
        check(expect(|expect| expect.frozen_percent = Some(90.0)), true);
        check(expect(|expect| expect.frozen_percent = Some(91.0)), false);
        // Nobody answered, and no name had several reporters.
        check(expect(|expect| expect.poison_gone_seconds = Some(900.0)), false);
        check(expect(|expect| expect.true_listed_percent = Some(0.0)), false);
    }
}
