//! Why an organisation is judged as it is.

use std::collections::BTreeMap;

use super::{
    super::{GOOD, HEAD, Plain, WARN, clean, counted, styled, table::pairs},
    scope, short,
};
use crate::daemon::control::documents::trust::{Explained, Ignored, Limit, Objection, Way};

impl Plain for Explained {
    fn plain(&self) -> Vec<String> {
        let names = Names(&self.names);
        let mut lines = vec![format!("{}, {}", names.of(&self.organisation), self.asked())];
        lines.extend(self.verdicts());
        let bars = [
            self.counts_as
                .as_ref()
                .map(|org| format!("counts as {}", names.of(org))),
            self.barred
                .as_ref()
                .map(|why| styled(WARN, &format!("nothing of it counts: {why}"))),
            self.vetoed_by
                .as_ref()
                .map(|org| styled(WARN, &format!("vetoed by {}", names.of(org)))),
        ];
        lines.extend(bars.into_iter().flatten());
        lines.extend(self.ways(names));
        lines.extend(self.hangs_on(names));
        if !self.ignored.is_empty() {
            lines.push(styled(HEAD, "What does not count"));
            lines.extend(self.ignored.iter().map(|ignored| names.ignored(ignored)));
            lines.extend(more(self.more_ignored));
        }
        if !self.vetoes.is_empty() {
            lines.push(styled(HEAD, "Vetoes"));
            lines.extend(self.vetoes.iter().map(|objection| names.objection(objection)));
            lines.extend(more(self.more_vetoes));
        }
        let next = self.changes_at.as_ref();
        lines.extend(next.map(|at| format!("time alone next changes this {at}")));
        lines
    }
}

impl Explained {
    fn asked(&self) -> String {
        match (self.topics.is_empty(), &self.host) {
            (true, None) => "for records about anything".to_owned(),
            (true, Some(host)) => format!("for records about {}", clean(host)),
            (false, None) => format!("for records of {}", clean(&self.topics.join(", "))),
            (false, Some(host)) => format!(
                "for records of {} about {}",
                clean(&self.topics.join(", ")),
                clean(host)
            ),
        }
    }

    fn verdicts(&self) -> Vec<String> {
        let verdict = |open: bool| if open { "yes" } else { "no" }.to_owned();
        let depth = self.max_remaining_depth.map_or_else(
            || "-".to_owned(),
            |depth| counted(usize::from(depth), "further introduction"),
        );
        // Whoever is not blocked is let in as a guest.
        let connect = if self.connect {
            "yes"
        } else {
            "only as a guest, while there is room"
        };
        pairs(&[
            ("may connect", connect.to_owned()),
            ("is relayed", verdict(self.relay)),
            ("is accepted", verdict(self.accept)),
            ("is confided in", verdict(self.confide)),
            ("may be acted on", verdict(self.act)),
            ("B, the best chain", format!("{} of 120, {depth}", self.best)),
            ("F, all chains", format!("{} of 120", self.full)),
        ])
    }

    /// The chains by which trust comes, and what holds it down.
    fn ways(&self, names: Names<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.witness.is_empty() {
            lines.push(format!("best chain: {}", names.chain(&self.witness)));
        }
        let way = |way: &Way| format!("  {:>3} by {}", way.amount, names.chain(&way.organisations));
        if self.paths.len() > 1 {
            lines.push("all chains:".to_owned());
            lines.extend(self.paths.iter().map(way));
        }
        lines.extend(
            self.limits
                .iter()
                .map(|limit| format!("limited by {}", names.limit(limit))),
        );
        if self.truncated {
            lines.push(styled(WARN, "not everything was looked at: F may be more"));
        }
        lines
    }

    fn hangs_on(&self, names: Names<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(last) = self.dominators.last() {
            lines.push(styled(WARN, &format!("single point of trust: {}", names.of(last))));
        }
        if self.dominators.len() > 1 {
            lines.push(format!("everything comes by way of {}", names.chain(&self.dominators)));
        }
        match &self.keystone {
            Some(org) => lines.push(format!("without {} it would not be believed", names.of(org))),
            None if self.independent => {
                lines.push(styled(GOOD, "it is believed whichever one other organisation is gone"))
            }
            None => {}
        }
        lines
    }
}

/// What organisations call themselves, beside their ids.
#[derive(Clone, Copy)]
struct Names<'a>(&'a BTreeMap<String, String>);

impl Names<'_> {
    fn of(self, org: &str) -> String {
        match self.0.get(org) {
            Some(name) => format!("{} ({})", clean(name), short(org)),
            None => org.to_owned(),
        }
    }

    fn chain(self, orgs: &[String]) -> String {
        let orgs: Vec<String> = orgs.iter().map(|org| self.of(org)).collect();
        orgs.join(" -> ")
    }

    fn limit(self, limit: &Limit) -> String {
        let Limit { from, to, amount, kind } = limit;
        let to = self.of(to);
        match (kind.as_str(), from) {
            ("root", _) => format!("this node's root entry -> {to} {amount}"),
            ("organisation", _) => format!("what passes through {to}, {amount}"),
            ("supply", _) => format!("what {to} is asked for, {amount}"),
            (_, Some(from)) => format!("{} -> {to} {amount}", self.of(from)),
            _ => format!("{to} {amount}"),
        }
    }

    fn ignored(self, ignored: &Ignored) -> String {
        let Ignored {
            from,
            to,
            amount,
            depth,
            about,
            why,
        } = ignored;
        let from = from
            .as_ref()
            .map_or_else(|| "this node's root entry".to_owned(), |from| self.of(from));
        format!("  {from} -> {} {amount}/{depth} {}: {why}", self.of(to), scope(about))
    }

    fn objection(self, objection: &Objection) -> String {
        let Objection { from, to, about, why } = objection;
        let why = why
            .as_deref()
            .map_or_else(|| "it counts".to_owned(), |why| format!("does not count, {why}"));
        format!("  {} against {} {}: {why}", self.of(from), self.of(to), scope(about))
    }
}

fn more(count: usize) -> Option<String> {
    (count > 0).then(|| format!("  and {count} more"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::control::documents::trust::About;

    fn piped(document: &impl Plain) -> String {
        anstream::adapter::strip_str(&document.plain().join("\n")).to_string()
    }

    fn explained(change: impl Fn(&mut Explained)) -> Explained {
        let names = [("org:a", "CERT A"), ("org:b", "CERT\u{1b}B")];
        let mut explained = Explained {
            organisation: "org:x".to_owned(),
            names: names.map(|(org, name)| (org.to_owned(), name.to_owned())).into(),
            ..Explained::default()
        };
        change(&mut explained);
        explained
    }

    #[test]
    fn every_reason_is_in_words() {
        let check = |change: &dyn Fn(&mut Explained), expected: &str| {
            let shown = piped(&explained(change));
            assert!(shown.lines().any(|line| line == expected), "{expected}: {shown}");
        };
        let about = |topics: &[&str]| About {
            topics: (!topics.is_empty()).then(|| topics.iter().map(|topic| (*topic).to_owned()).collect()),
            suffixes: None,
        };
        check(&|_| {}, "org:x, for records about anything");
        check(&|it| it.topics = vec!["c2".to_owned()], "org:x, for records of c2");
        check(&|it| it.host = Some("a.nl".to_owned()), "org:x, for records about a.nl");
        check(&|it| it.connect = true, "may connect        yes");
        check(
            &|it| it.connect = false,
            "may connect        only as a guest, while there is room",
        );
        check(&|it| it.accept = true, "is accepted        yes");
        check(&|it| it.act = false, "may be acted on    no");
        check(&|it| it.best = 60, "B, the best chain  60 of 120, -");
        check(
            &|it| it.witness = vec!["org:a".to_owned(), "org:x".to_owned()],
            "best chain: CERT A (org:a) -> org:x",
        );
        let limit = |from: Option<&str>, kind: &str| Limit {
            from: from.map(str::to_owned),
            to: "org:x".to_owned(),
            amount: 60,
            kind: kind.to_owned(),
        };
        check(
            &|it| it.limits = vec![limit(Some("org:b"), "endorsement")],
            "limited by CERT\u{fffd}B (org:b) -> org:x 60",
        );
        check(
            &|it| it.limits = vec![limit(None, "root")],
            "limited by this node's root entry -> org:x 60",
        );
        check(
            &|it| it.limits = vec![limit(None, "organisation")],
            "limited by what passes through org:x, 60",
        );
        check(
            &|it| it.dominators = vec!["org:b".to_owned(), "org:a".to_owned()],
            "single point of trust: CERT A (org:a)",
        );
        check(
            &|it| it.keystone = Some("org:a".to_owned()),
            "without CERT A (org:a) it would not be believed",
        );
        check(
            &|it| it.independent = true,
            "it is believed whichever one other organisation is gone",
        );
        let ignored = |from: Option<&str>| Ignored {
            from: from.map(str::to_owned),
            to: "org:x".to_owned(),
            amount: 60,
            depth: 1,
            about: about(&["c2"]),
            why: "it was taken back".to_owned(),
        };
        check(
            &|it| it.ignored = vec![ignored(Some("org:a"))],
            "  CERT A (org:a) -> org:x 60/1 c2: it was taken back",
        );
        check(
            &|it| {
                it.ignored = vec![ignored(None)];
                it.more_ignored = 7;
            },
            "  and 7 more",
        );
        let veto = |why: Option<&str>| Objection {
            from: "org:a".to_owned(),
            to: "org:x".to_owned(),
            about: about(&[]),
            why: why.map(str::to_owned),
        };
        check(
            &|it| it.vetoes = vec![veto(None)],
            "  CERT A (org:a) against org:x anything: it counts",
        );
        check(
            &|it| it.vetoes = vec![veto(Some("it was taken back"))],
            "  CERT A (org:a) against org:x anything: does not count, it was taken back",
        );
        check(
            &|it| it.changes_at = Some("T".to_owned()),
            "time alone next changes this T",
        );
    }
}
