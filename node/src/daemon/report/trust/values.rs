//! How sure this node is about a value, and what that is enough for.

use super::super::{GOOD, HEAD, Plain, WARN, clean, counted, styled, table::Table};
use crate::daemon::control::documents::trust::{Lacking, Sure, Word};

impl Plain for Sure {
    fn plain(&self) -> Vec<String> {
        let Self {
            value,
            topic,
            score,
            belief,
            disbelief,
            uncertainty,
            ..
        } = self;
        let mut lines = vec![format!(
            "{}  {}: score {score} of 1000 (believed {belief}, disbelieved {disbelief}, open {uncertainty})",
            styled(HEAD, &clean(value)),
            clean(topic)
        )];
        let sources = |support: u32| format!("{support} (120 is one full source)");
        lines.push(format!(
            "  for it {}, against it {}",
            sources(self.support),
            self.dispute
        ));
        let mut table = Table::new(&[
            "  WHO",
            "SAYS",
            "SURE",
            "TRUST",
            "LEFT BY AGE",
            "WEIGHT",
            "COMES TO",
            "SEEN",
            "RECORD",
        ]);
        self.claims.iter().for_each(|word| table.row(row(word)));
        lines.extend(table.lines());
        let days = self.fades_after_ms / 86_400_000;
        lines.push(format!(
            "  claims about it fade within {}; a dispute within twice that",
            counted(days as usize, "day")
        ));
        if let Some(at) = &self.changes_at {
            lines.push(format!("  age next changes a claim {at}"));
        }
        lines.push(if self.two_source {
            styled(
                GOOD,
                "  two sources: it stays reported whichever one organisation is gone",
            )
        } else {
            "  one source: removing one organisation leaves no believed reporter".to_owned()
        });
        if self.two_source_dispute {
            lines.push(styled(WARN, "  two independent sources dispute it"));
        }
        lines.extend(self.policies.iter().map(policy));
        if self.truncated {
            lines.push(styled(WARN, "  not everything that is said of it was weighed"));
        }
        lines
    }
}

fn row(word: &Word) -> Vec<String> {
    let who = word
        .name
        .as_deref()
        .or(word.organisation.as_deref())
        .unwrap_or("nobody known");
    let state = match (&word.reason, word.supply) {
        (Some(reason), _) => reason.clone(),
        (None, 0) if word.trust == 0 => "0, not trusted".to_owned(),
        (None, supply) if word.shared_origin => format!("{supply}, shared origin"),
        (None, supply) => supply.to_string(),
    };
    vec![
        format!("  {who}"),
        word.claim.clone(),
        word.confidence.to_string(),
        word.trust.to_string(),
        format!("{}%", word.fresh_ppm / 10_000),
        format!("{}%", word.weight / 10),
        state,
        word.seen.clone(),
        word.record.clone(),
    ]
}

fn policy(lacking: &Lacking) -> String {
    let Lacking {
        policy,
        listed,
        missing,
    } = lacking;
    if *listed {
        styled(GOOD, &format!("  policy {policy}: enough"))
    } else {
        format!("  policy {policy}: missing {}", clean(&missing.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_says_why_it_counts_for_what_it_counts() {
        let check = |word: Word, expected: &str| assert_eq!(row(&word).get(6).map(String::as_str), Some(expected));
        let word = Word {
            counts: true,
            trust: 60,
            supply: 48,
            ..Word::default()
        };
        let shared = Word {
            shared_origin: true,
            ..word.clone()
        };
        check(word.clone(), "48");
        check(shared, "48, shared origin");
        let none = |trust: u32| Word {
            supply: 0,
            trust,
            ..word.clone()
        };
        check(none(0), "0, not trusted");
        check(none(60), "0");
        let passed_over = Word {
            counts: false,
            reason: Some("withdrawn".to_owned()),
            ..word
        };
        check(passed_over, "withdrawn");
    }

    #[test]
    fn what_is_missing_is_named() {
        let check = |missing: &[&str], expected: &str| {
            let lacking = Lacking {
                policy: "two-source".to_owned(),
                listed: missing.is_empty(),
                missing: missing.iter().map(|text| (*text).to_owned()).collect(),
            };
            assert_eq!(anstream::adapter::strip_str(&policy(&lacking)).to_string(), expected);
        };
        check(&[], "  policy two-source: enough");
        check(
            &["a second source", "a score"],
            "  policy two-source: missing a second source; a score",
        );
    }
}
