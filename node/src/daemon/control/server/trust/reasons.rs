//! Why an organisation is judged as it is, in words.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use starfish_protocol::{
    engine::port::{Command, Outcome},
    observable::Suffix,
    organisation::OrgId,
    record::Topic,
    statement::FULL,
    trust::{
        flow,
        web::{self, Explanation, Overruled, Question, Unheeded},
    },
};

use super::{
    super::{Answer, Node, Refused, node::unexpected, streams::beside, usage},
    policy::{about, bar, organisation, unread},
};
use crate::daemon::{
    control::documents::trust::{Explained, Ignored, Limit, Objection, Way},
    moment::rfc3339,
};

/// Why whom, and for what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Asked {
    organisation: String,
    /// Joined by commas.
    #[serde(default)]
    topics: String,
    #[serde(default)]
    name: Option<String>,
}

pub(in super::super) async fn explain(State(node): State<Arc<Node>>, Query(asked): Query<Asked>) -> Answer<Explained> {
    let org = organisation(&asked.organisation)?;
    let question = question(&asked)?;
    let command = Command::Explain {
        org,
        question: question.clone(),
    };
    let explanation = match node.handle.command(command).await {
        Outcome::Explained(explanation) => explanation,
        other => return Err(unexpected(other)),
    };
    let shown = move || {
        let names = named(&explanation).into_iter();
        let names = names.filter_map(|org| Some((org.to_string(), node.name_of(&org)?)));
        Ok(shown(&explanation, &question, names.collect()))
    };
    Ok(Json(beside(shown).await.map_err(unread)?))
}

fn question(asked: &Asked) -> Result<Question, Refused> {
    let topics = asked.topics.split(',').filter(|text| !text.is_empty());
    let name = asked.name.as_deref().map(Suffix::parse);
    Ok(Question {
        topics: topics.map(Topic::parse).collect::<Result<_, _>>().map_err(usage)?,
        name: name.transpose().map_err(usage)?,
    })
}

/// Everybody who occurs in an explanation.
fn named(explanation: &Explanation) -> Vec<OrgId> {
    let mut orgs = vec![explanation.org, explanation.counts_as];
    orgs.extend(explanation.vetoed_by.iter().chain(&explanation.keystone));
    orgs.extend(explanation.witness.iter().chain(&explanation.dominators));
    orgs.extend(explanation.flow.paths.iter().flat_map(|path| &path.orgs));
    for ignored in &explanation.ignored {
        orgs.extend(ignored.issuer.into_iter().chain([ignored.subject]));
        orgs.extend(match ignored.why {
            Unheeded::VetoedBy(by) => Some(by),
            _ => None,
        });
    }
    for objection in &explanation.objections {
        orgs.extend([objection.issuer, objection.subject]);
    }
    orgs.sort();
    orgs.dedup();
    orgs
}

fn shown(explanation: &Explanation, question: &Question, names: BTreeMap<String, String>) -> Explained {
    let text = |orgs: &[OrgId]| orgs.iter().map(ToString::to_string).collect::<Vec<String>>();
    let way = |path: &flow::Path| Way {
        organisations: text(&path.orgs),
        amount: path.amount,
    };
    let gates = explanation.gates;
    Explained {
        organisation: explanation.org.to_string(),
        names,
        topics: question.topics.iter().map(ToString::to_string).collect(),
        host: question.name.as_ref().map(ToString::to_string),
        counts_as: (explanation.counts_as != explanation.org).then(|| explanation.counts_as.to_string()),
        barred: explanation.barred.map(|barred| bar(barred).to_owned()),
        vetoed_by: explanation.vetoed_by.map(|org| org.to_string()),
        connect: gates.connect,
        relay: gates.relay,
        accept: gates.accept,
        confide: gates.confide,
        act: gates.act,
        best: explanation.best,
        full: explanation.marks.full,
        max_remaining_depth: explanation.max_remaining_depth,
        witness: text(&explanation.witness),
        paths: explanation.flow.paths.iter().map(way).collect(),
        limits: explanation.flow.cut.iter().map(limit).collect(),
        truncated: explanation.flow.truncated,
        dominators: text(&explanation.dominators),
        independent: explanation.marks.independent,
        keystone: explanation.keystone.map(|org| org.to_string()),
        ignored: explanation.ignored.iter().map(ignored).collect(),
        more_ignored: explanation.more_ignored,
        vetoes: explanation.objections.iter().map(objection).collect(),
        more_vetoes: explanation.more_objections,
        changes_at: explanation.changes_at.map(rfc3339),
    }
}

fn limit(limit: &flow::Limit) -> Limit {
    let (kind, from, to, amount) = match limit {
        flow::Limit::Endorsement { from: None, to, amount } => ("root", None, to.to_string(), *amount),
        flow::Limit::Endorsement { from, to, amount } => ("endorsement", *from, to.to_string(), *amount),
        flow::Limit::Organisation(org) => ("organisation", None, org.to_string(), u32::from(FULL)),
        flow::Limit::Supply { org, amount } => ("supply", None, org.to_string(), *amount),
        flow::Limit::Origin { origin, amount } => ("origin", None, origin.to_string(), *amount),
    };
    Limit {
        from: from.map(|org| org.to_string()),
        to,
        amount,
        kind: kind.to_owned(),
    }
}

fn ignored(ignored: &web::Ignored) -> Ignored {
    let why = match ignored.why {
        Unheeded::Withdrawn => "it was taken back".to_owned(),
        Unheeded::IssuerBarred(barred) => format!("nothing of its issuer counts: {}", bar(barred)),
        Unheeded::SubjectBarred(barred) => format!("nothing of its subject counts: {}", bar(barred)),
        Unheeded::NotYet(at) => format!("it begins {}", rfc3339(at)),
        Unheeded::Expired(at) => format!("it was over {}", rfc3339(at)),
        Unheeded::OutOfScope => "it is not about this".to_owned(),
        Unheeded::VetoedBy(org) => format!("vetoed by {org}"),
        Unheeded::Unreached => "nobody who counts vouches for its issuer".to_owned(),
        Unheeded::TooDeep => "too many introductions away".to_owned(),
    };
    Ignored {
        from: ignored.issuer.map(|org| org.to_string()),
        to: ignored.subject.to_string(),
        amount: ignored.amount,
        depth: ignored.depth,
        about: about(&ignored.scope),
        why,
    }
}

fn objection(objection: &web::Objection) -> Objection {
    let why = objection.why.map(|why| match why {
        Overruled::Withdrawn => "it was taken back".to_owned(),
        Overruled::IssuerBarred(barred) => format!("nothing of its issuer counts: {}", bar(barred)),
        Overruled::NotYet(at) => format!("it begins {}", rfc3339(at)),
        Overruled::Expired(at) => format!("it was over {}", rfc3339(at)),
        Overruled::OutOfScope => "it is not about this".to_owned(),
        Overruled::Immune => "this node has a root entry or a good pin for the organisation, or is of it".to_owned(),
        Overruled::IssuerVetoedBy(org) => format!("its issuer is vetoed itself, by {org}"),
        Overruled::NoRight(amount) => format!("its issuer may veto with {amount}, and 60 are needed"),
    });
    Objection {
        from: objection.issuer.to_string(),
        to: objection.subject.to_string(),
        about: about(&objection.scope),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_about_topics_and_one_name() {
        let check = |topics: &str, name: Option<&str>, expected: Option<(usize, Option<&str>)>| {
            let asked = Asked {
                organisation: String::new(),
                topics: topics.to_owned(),
                name: name.map(str::to_owned),
            };
            let read = question(&asked).ok();
            let read = read
                .as_ref()
                .map(|read| (read.topics.len(), read.name.as_ref().map(Suffix::as_str)));
            assert_eq!(read, expected, "{topics} {name:?}");
        };
        check("", None, Some((0, None)));
        check("c2", None, Some((1, None)));
        check("c2,dga,c2", Some("Bank.NL."), Some((2, Some("bank.nl"))));
        check("C2", None, None);
        check("c2, dga", None, None);
        check("", Some(""), None);
        check("", Some("a..b"), None);
    }
}
