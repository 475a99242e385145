//! What a scenario expected, held against what came out: [`judge`].

use super::Outcome;
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
    if outcome.faults_among_honest > 0 {
        let count = outcome.faults_among_honest;
        broken.push(format!(
            "honest nodes counted {count} provable faults against honest nodes"
        ));
    }
    broken
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
        let faulty = Outcome {
            faults_among_honest: 2,
            ..Outcome::default()
        };
        assert_eq!(judge(&nothing(), &faulty).len(), 1);
    }
}
