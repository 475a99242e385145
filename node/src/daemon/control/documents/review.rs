//! What is said of others' records: opinions on them, what is held of them, what was decided.

use serde::{Deserialize, Serialize};

use crate::daemon::report::{GOOD, HEAD, Plain, WARN, clean, counted, styled, table::pairs};

/// Says something of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// The observable.
    pub value: String,
    /// On this record only; else on every believed one of others that holds the value.
    pub record: Option<String>,
    /// `sighting` or `false-positive`.
    pub verdict: String,
    /// How often.
    pub count: u32,
    /// When first, in ms since 1970.
    pub first: u64,
    /// When last.
    pub last: u64,
    /// From 0 to 100.
    pub confidence: u8,
    /// Why.
    pub reason: String,
}

/// Opinions that are durable and on their way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opined {
    /// The observable, in its normal form.
    pub value: String,
    /// `sighting` or `false-positive`.
    pub verdict: String,
    /// One for each record that it is on, the newest first.
    pub opinions: Vec<Said>,
}

/// An opinion on one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The opinion's own record.
    pub record: String,
    /// What it is on.
    pub target: String,
    /// Whose that is.
    pub organisation: Option<String>,
    /// What that organisation calls itself.
    pub name: Option<String>,
}

/// A record in quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The record.
    pub record: String,
    /// Its organisation, when its author was certified.
    pub organisation: Option<String>,
    /// What that organisation calls itself.
    pub name: Option<String>,
    /// The author's key.
    pub author: String,
    /// Its topic.
    pub topic: String,
    /// `indicators`, `withdrawal`, `opinion`, or the number of a later kind.
    pub holds: String,
    /// How many observables.
    pub observables: u32,
    /// Compressed bytes of its body.
    pub bytes: u32,
    /// Since when it is held.
    pub since: String,
    /// When it leaves, if nothing happens before.
    pub until: String,
    /// `revoked`, `uncertified`, `not-trusted`, `out-of-scope` or `rising`.
    pub why: String,
}

/// A record in quarantine, with what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRecord {
    /// What is known of it.
    #[serde(flatten)]
    pub held: Held,
    /// What its author says that it is; the reason of a withdrawal or an opinion.
    pub context: String,
    /// From 0 to 100; none of a withdrawal.
    pub confidence: Option<u8>,
    /// Its observables, as many as were asked for.
    pub values: Vec<String>,
}

/// What an operator decides on a held record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The record.
    pub record: String,
    /// True to believe it, false to throw it away.
    pub release: bool,
}

/// A decision that is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The record.
    pub record: String,
    /// `released` or `dropped`.
    pub decided: String,
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number, from 1.
    pub line: u64,
    /// When, by this node's clock.
    pub at: String,
    /// `operator`, `time`, `guardians`, or the organisation that decided.
    pub who: String,
    /// What that organisation calls itself.
    pub name: Option<String>,
    /// What was done, such as `endorsed` or `released`.
    pub what: String,
    /// To whom: an organisation, a node or a record.
    pub subject: String,
    /// What the subject calls itself, when it is an organisation.
    pub subject_name: Option<String>,
    /// Why, in words.
    pub why: String,
}

impl Plain for Opined {
    fn plain(&self) -> Vec<String> {
        let said = if self.verdict == "sighting" { "seen" } else { "disputed" };
        let count = counted(self.opinions.len(), "record");
        let mut lines = vec![styled(GOOD, &format!("{said}: {}, in {count}", clean(&self.value)))];
        for opinion in &self.opinions {
            let Said { record, target, .. } = opinion;
            let whose = called(&opinion.name, &opinion.organisation);
            lines.push(format!("  {target} of {whose}\n    by {record}"));
        }
        lines
    }
}

impl Held {
    fn reason(&self) -> &str {
        match self.why.as_str() {
            "revoked" => "its node was revoked before it",
            "uncertified" => "its author belonged to no organisation",
            "not-trusted" => "nothing of its organisation is believed here",
            "out-of-scope" => "its organisation is believed, but not about this",
            "rising" => "it is believed by now and about to be let out",
            why => why,
        }
    }
}

impl Plain for Held {
    fn plain(&self) -> Vec<String> {
        let whose = called(&self.name, &self.organisation);
        let what = counted(self.observables as usize, "observable");
        let Self {
            record, since, until, ..
        } = self;
        vec![
            format!(
                "{}  {}, {}, {what}, from {whose}  {}",
                styled(HEAD, record),
                self.holds,
                clean(&self.topic),
                styled(WARN, self.reason())
            ),
            format!("    held since {since}, leaves {until}"),
        ]
    }
}

impl Plain for HeldRecord {
    fn plain(&self) -> Vec<String> {
        let held = &self.held;
        let mut lines = pairs(&[
            ("record", held.record.clone()),
            ("why it is held", held.reason().to_owned()),
            ("organisation", called(&held.name, &held.organisation)),
            ("author", held.author.clone()),
            ("topic", held.topic.clone()),
            (
                "holds",
                format!("{}, {}", held.holds, counted(held.observables as usize, "observable")),
            ),
            (
                "confidence",
                self.confidence.map_or_else(|| "-".to_owned(), |sure| sure.to_string()),
            ),
            ("says", self.context.clone()),
            ("held since", held.since.clone()),
            ("leaves", held.until.clone()),
        ]);
        lines.extend(self.values.iter().map(|value| format!("  {}", clean(value))));
        let left = (held.observables as usize).saturating_sub(self.values.len());
        if left > 0 && !self.values.is_empty() {
            lines.push(format!("  and {left} more; --limit 0 shows all of them"));
        }
        lines
    }
}

impl Plain for Decided {
    fn plain(&self) -> Vec<String> {
        vec![styled(GOOD, &format!("{}: {}", self.decided, self.record))]
    }
}

impl Plain for Line {
    fn plain(&self) -> Vec<String> {
        let Self { line, at, what, .. } = self;
        let who = called(&self.name, &Some(self.who.clone()));
        let subject = called(&self.subject_name, &Some(self.subject.clone()));
        vec![format!(
            "{line:>6}  {at}  {}  {subject}, by {who}: {}",
            styled(HEAD, what),
            clean(&self.why)
        )]
    }
}

/// An organisation as people know it, and as nobody can pretend to be.
fn called(name: &Option<String>, organisation: &Option<String>) -> String {
    match (name, organisation) {
        (Some(name), Some(organisation)) => format!("{} ({organisation})", clean(name)),
        (_, organisation) => clean(organisation.as_deref().unwrap_or("nobody known")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piped(document: &impl Plain) -> String {
        anstream::adapter::strip_str(&document.plain().join("\n")).to_string()
    }

    fn held(why: &str) -> Held {
        Held {
            record: "rec:a".to_owned(),
            organisation: Some("org:a".to_owned()),
            name: Some("CERT\u{1b}[2J".to_owned()),
            author: "key:a".to_owned(),
            topic: "c2".to_owned(),
            holds: "indicators".to_owned(),
            observables: 3,
            bytes: 100,
            since: "S".to_owned(),
            until: "U".to_owned(),
            why: why.to_owned(),
        }
    }

    #[test]
    fn held_records_say_why() {
        let check = |why: &str, reason: &str| {
            let expected = format!(
                "rec:a  indicators, c2, 3 observables, from CERT\u{fffd}[2J (org:a)  {reason}\n    held since S, leaves U"
            );
            assert_eq!(piped(&held(why)), expected);
        };
        check("not-trusted", "nothing of its organisation is believed here");
        check("out-of-scope", "its organisation is believed, but not about this");
        check("revoked", "its node was revoked before it");
        check("uncertified", "its author belonged to no organisation");
        check("rising", "it is believed by now and about to be let out");
        check("of a later version", "of a later version");
    }

    #[test]
    fn what_is_left_out_is_told() {
        let check = |values: &[&str], last: &str| {
            let shown = HeldRecord {
                held: held("revoked"),
                context: String::new(),
                confidence: None,
                values: values.iter().map(|value| (*value).to_owned()).collect(),
            };
            assert_eq!(piped(&shown).lines().last(), Some(last));
        };
        check(&["a.nl", "b.nl", "c.nl\u{7}"], "  c.nl\u{fffd}");
        check(&["a.nl"], "  and 2 more; --limit 0 shows all of them");
        check(&[], "leaves          U");
    }

    #[test]
    fn a_line_of_the_log_says_who_and_why() {
        let line = Line {
            line: 7,
            at: "T".to_owned(),
            who: "operator".to_owned(),
            name: None,
            what: "released".to_owned(),
            subject: "rec:a".to_owned(),
            subject_name: None,
            why: "the operator looked at it".to_owned(),
        };
        assert_eq!(
            piped(&line),
            "     7  T  released  rec:a, by operator: the operator looked at it"
        );
    }
}
