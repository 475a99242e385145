//! What a scenario expected, held against what came out: [`judge`].

use super::Outcome;
use crate::scenario::written::Expect;

/// A key, what is expected, and what was found. What has no value meets no expectation.
type Row = (&'static str, Option<f64>, Option<f64>);

/// Everything that was expected and did not come out, in sentences.
pub fn judge(expect: &Expect, outcome: &Outcome) -> Vec<String> {
    let least = at_least(expect, outcome);
    let least = least.into_iter().filter_map(|row| missed(row, "least", f64::ge));
    let most = at_most(expect, outcome);
    let most = most.into_iter().filter_map(|row| missed(row, "most", f64::le));
    least.chain(most).collect()
}

fn missed((name, expected, found): Row, way: &str, holds: fn(&f64, &f64) -> bool) -> Option<String> {
    let expected = expected?;
    match found {
        None => Some(format!("{name} has no value, and at {way} {expected} was expected")),
        Some(found) if holds(&found, &expected) => None,
        Some(found) => Some(format!("{name} is {found:.2}, and at {way} {expected} was expected")),
    }
}

fn at_least(expect: &Expect, outcome: &Outcome) -> [Row; 7] {
    let met = outcome.poison().map(|poison| poison.poison_met_percent);
    let trust = outcome.trust.as_ref();
    let listed = trust.and_then(|trust| trust.true_listed_percent);
    let frozen = trust.and_then(|trust| trust.frozen_percent);
    [
        (
            "delivered_percent",
            expect.delivered_percent,
            outcome.delivered_percent(),
        ),
        ("poison_met_percent", expect.poison_met_percent, met),
        ("kept_percent", expect.kept_percent, outcome.kept_percent()),
        ("true_listed_percent", expect.true_listed_percent, listed),
        ("frozen_percent", expect.frozen_percent, frozen),
        ("felt", expect.felt, outcome.felt()),
        ("turned_away", expect.turned_away, Some(outcome.turned_away())),
    ]
}

fn at_most(expect: &Expect, outcome: &Outcome) -> [Row; 9] {
    let (latency, everyone) = (outcome.latency.known(), outcome.everyone.known());
    let everyone = everyone.map(|times| times.most / 1_000.0);
    let poison = outcome.poison();
    let believed = poison.map(|poison| poison.poison_believed_percent);
    let listed = poison.map(|poison| poison.poison_listed_percent);
    let score = poison.map(|poison| f64::from(poison.poison_score));
    let gone = poison.and_then(|poison| poison.poison_gone_seconds);
    [
        ("p50_ms", expect.p50_ms, latency.map(|times| times.p50)),
        ("p99_ms", expect.p99_ms, latency.map(|times| times.p99)),
        ("everyone_within_seconds", expect.everyone_within_seconds, everyone),
        ("copies", expect.copies, outcome.copies),
        ("own_tld_percent", expect.own_tld_percent, outcome.own_tld_percent),
        ("poison_believed_percent", expect.poison_believed_percent, believed),
        ("poison_listed_percent", expect.poison_listed_percent, listed),
        ("poison_score", expect.poison_score, score),
        ("poison_gone_seconds", expect.poison_gone_seconds, gone),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Trouble, figures::Percentiles, trust, trust::TrustFigures};
    use crate::scenario::written::AdversaryKind;

    #[test]
    fn only_what_was_expected_and_missed_is_broken() {
        let outcome = Outcome {
            wanted: 200,
            arrived: 199,
            latency: Percentiles::of(vec![100.0, 300.0]),
            everyone: Percentiles::of(vec![5_000.0]),
            copies: Some(1.1),
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
    }

    #[test]
    fn what_did_not_happen_meets_no_expectation() {
        let expect = Expect {
            delivered_percent: Some(0.0),
            p50_ms: Some(1e9),
            p99_ms: Some(1e9),
            everyone_within_seconds: Some(1e9),
            copies: Some(1e9),
            poison_believed_percent: Some(100.0),
            kept_percent: Some(0.0),
            felt: Some(0.0),
            ..Expect::default()
        };
        let outcome = Outcome {
            trust: Some(TrustFigures {
                kept_percent: 100.0,
                ..TrustFigures::default()
            }),
            ..Outcome::default()
        };
        let broken = judge(&expect, &outcome);
        assert_eq!(broken.len(), 8, "{broken:?}");
        assert!(broken.iter().all(|line| line.contains("has no value")), "{broken:?}");
        assert!(broken.contains(&"p50_ms has no value, and at most 1000000000 was expected".to_owned()));
    }

    fn trouble(felt: u64) -> Trouble {
        Trouble {
            section: "adversary.one".to_owned(),
            felt,
            counts: "questions".to_owned(),
        }
    }

    #[test]
    fn trust_is_judged_both_ways() {
        let outcome = Outcome {
            wanted: 1,
            nodes: vec![trust::tests::adversary(AdversaryKind::Sleeper)],
            troubles: [5, 3, 9].map(trouble).into(),
            turned_away: [("one".to_owned(), 4), ("other".to_owned(), 7)].into(),
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
        // What was felt least counts.
        check(expect(|expect| expect.felt = Some(3.0)), true);
        check(expect(|expect| expect.felt = Some(4.0)), false);
        check(expect(|expect| expect.turned_away = Some(11.0)), true);
        check(expect(|expect| expect.turned_away = Some(12.0)), false);
        // Nobody answered, and no name had several reporters.
        check(expect(|expect| expect.poison_gone_seconds = Some(900.0)), false);
        check(expect(|expect| expect.true_listed_percent = Some(0.0)), false);
    }
}
