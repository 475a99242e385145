//! What must hold of everything that concerns trust: its shape, and what adversaries make of it.

use std::path::Path;

use starfish_protocol::statement::{DEPTH, FULL};

use super::Found;
use crate::scenario::{
    vouching::{self, Vouches, is_grown, is_web, may_be_smuggled},
    written::{Adversary, AdversaryKind, Answer, TrustKind, Written},
};

pub(super) fn trust(written: &Written, folder: &Path, found: &mut Found) -> Option<Vouches> {
    let trust = &written.trust;
    let listed = trust.kind == TrustKind::Listed;
    if listed {
        for (who, whom) in &trust.roles {
            for role in std::iter::once(who).chain(whom) {
                found.role(written, &format!("trust.roles.{who}"), role);
            }
        }
    }
    let rows = [
        (
            listed || trust.roles.is_empty(),
            "roles",
            "is only for `kind = \"listed\"`",
            "take it away",
        ),
        (
            is_web(trust.kind) || trust.members.is_empty(),
            "members",
            "is only for what endorsements make",
            "take it away, or choose another kind",
        ),
        (
            is_grown(trust.kind) || trust.green.is_empty(),
            "green",
            "is only for `two-sponsors` and `scale-free`",
            "take it away, or choose one of these",
        ),
        (
            (1..=FULL).contains(&trust.amount),
            "amount",
            "is nothing that anybody can vouch",
            "write a number between 1 and 120",
        ),
        (
            trust.depth <= DEPTH,
            "depth",
            "is deeper than introductions go",
            "write a number between 0 and 7",
        ),
        (
            trust.roots >= 1,
            "roots",
            "leaves nobody to begin with",
            "write at least 1",
        ),
        (trust.sponsors >= 1, "sponsors", "lets nobody in", "write at least 1"),
        (
            trust.kind == TrustKind::File || trust.path.is_none(),
            "path",
            "is only for `kind = \"file\"`",
            "take it away",
        ),
    ];
    for (holds, key, problem, remedy) in rows {
        found.unless(holds, &format!("trust.{key}"), problem, remedy);
    }
    for (key, roles) in [("trust.members", &trust.members), ("trust.green", &trust.green)] {
        for role in roles {
            found.role(written, key, role);
            let certified = written.nodes.get(role).is_none_or(|nodes| nodes.certified);
            let problem = format!("names `{role}`, which has no certificates, so that nobody can vouch for it");
            found.unless(certified, key, &problem, "name roles whose nodes are certified");
        }
    }
    (trust.kind == TrustKind::File)
        .then(|| file(written, folder, found))
        .flatten()
}

fn file(written: &Written, folder: &Path, found: &mut Found) -> Option<Vouches> {
    let Some(path) = &written.trust.path else {
        found.add(
            "trust.kind",
            "`file` needs a path",
            "add path = \"trust.csv\" to [trust]",
        );
        return None;
    };
    let total = written.total();
    let file = folder.join(path);
    let text = std::fs::read_to_string(&file).map_err(|error| error.to_string());
    let parsed = text.and_then(|text| vouching::parse(&text, total));
    let explain = |problem: String| {
        let problem = format!("{}: {problem}", file.display());
        let remedy = "each line is who vouches (or `root`), for whom, how much and how deep, such as 0,1,60,7";
        found.add("trust.path", problem, remedy);
    };
    parsed.map_err(explain).ok()
}

/// What only some kinds of adversaries have.
pub(super) fn hostile(name: &str, adversary: &Adversary, written: &Written, found: &mut Found) {
    use AdversaryKind::{Colluder, Poisoner, Sleeper, Sybil, Thief};
    let key = |key: &str| format!("adversary.{name}.{key}");
    let kind = adversary.kind;
    let web = is_web(written.trust.kind);
    let turns = matches!(kind, Sleeper | Thief);
    let acts = turns || kind.speaks() || matches!(kind, Sybil | Poisoner | Colluder);
    let smuggled = adversary.endorsements.is_some();
    let every = adversary.every_seconds;
    let rows = [
        (
            !smuggled || web && may_be_smuggled(kind),
            "endorsements",
            "is only for sybils and colluders, where endorsements make the trust",
            "take it away, or set trust.kind = \"two-sponsors\"",
        ),
        (
            kind != Sybil || smuggled,
            "kind",
            "`sybil` needs a way in",
            "add endorsements = 2 and amount = 50",
        ),
        (
            smuggled == adversary.amount.is_some(),
            "amount",
            "goes together with `endorsements`",
            "write both, or none",
        ),
        (
            adversary.amount.is_none_or(|amount| (1..=FULL).contains(&amount)),
            "amount",
            "is nothing that anybody can vouch",
            "write a number between 1 and 120",
        ),
        (
            acts || every.is_none(),
            "every_seconds",
            "is only for those who publish poison, vote or are no nodes",
            "take it away",
        ),
        (
            every.is_none_or(|every| every.is_finite() && every >= 0.1),
            "every_seconds",
            "is no time between two of them",
            "write at least 0.1",
        ),
        (
            !turns || adversary.from_seconds > 0,
            "from_seconds",
            "leaves no time to behave",
            "write when it turns",
        ),
    ];
    let rows = rows.into_iter().chain(answered(adversary, written));
    for (holds, place, problem, remedy) in rows {
        found.unless(holds, &key(place), problem, remedy);
    }
}

/// Whether it holds, of which key, what is wrong and what to do.
type Row = (bool, &'static str, &'static str, &'static str);

/// How an adversary is answered.
fn answered(adversary: &Adversary, written: &Written) -> [Row; 3] {
    let answer = adversary.answer;
    [
        (
            answer.is_some() == adversary.answered_seconds.is_some(),
            "answer",
            "goes together with `answered_seconds`",
            "write both, or none",
        ),
        (
            adversary
                .answered_seconds
                .is_none_or(|at| adversary.from_seconds < at && at < written.seconds),
            "answered_seconds",
            "is not between the beginning of it and the end of the run",
            "write a time after from_seconds",
        ),
        (
            is_web(written.trust.kind) || !matches!(answer, Some(Answer::Withdraw | Answer::Veto)),
            "answer",
            "needs endorsements",
            "set trust.kind = \"two-sponsors\", or answer otherwise",
        ),
    ]
}
