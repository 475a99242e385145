//! Why this node is as sure of an observable as it is, and what that is enough for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use starfish_protocol::{
    confidence::{Assessment, Evidence, Fading, Missing, Policy, Weighed},
    engine::port::{Command, Outcome},
    observable::{Observable, Suffix},
    organisation::OrgId,
    record::Topic,
    time::Millis,
    trust::web::Question,
};

use super::{
    super::{Answer, Node, node::unexpected, streams::beside, usage},
    policy::unread,
};
use crate::{
    daemon::{
        control::documents::trust::{Lacking, Sure, Word},
        moment::{self, rfc3339},
    },
    ledger::reading::claims::{Claim, Claimed},
};

/// About what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Asked {
    value: String,
}

/// A value's claims are weighed topic by topic, because organisations may be trusted about one and not another.
pub(in super::super) async fn sure(State(node): State<Arc<Node>>, Query(asked): Query<Asked>) -> Answer<Vec<Sure>> {
    let value = Observable::parse(&asked.value).map_err(|error| usage(format!("{}: {error}", asked.value)))?;
    let (reader, about, now) = (Arc::clone(&node), value.clone(), moment::now());
    let claims = beside(move || reader.ledger.claims(&about, now))
        .await
        .map_err(unread)?;
    let mut answers = Vec::new();
    for (topic, said) in by_topic(claims.claims) {
        let fading = node.settings.lasting.of(&value, &topic);
        let command = Command::Assess {
            question: question(&value, &topic),
            claims: said.iter().filter_map(Claim::weighable).collect(),
            fading,
            weights: node.settings.weights,
        };
        let assessment = match node.handle.command(command).await {
            Outcome::Assessed(assessment) => assessment,
            other => return Err(unexpected(other)),
        };
        let (reader, value) = (Arc::clone(&node), value.clone());
        let shown = move || Ok(shown(&reader, &value, &topic, &said, &assessment, fading, now));
        let mut sure = beside(shown).await.map_err(unread)?;
        sure.truncated |= claims.truncated;
        answers.push(sure);
    }
    Ok(Json(answers))
}

fn by_topic(claims: Vec<Claim>) -> BTreeMap<Topic, Vec<Claim>> {
    let mut topics: BTreeMap<Topic, Vec<Claim>> = BTreeMap::new();
    for claim in claims {
        topics.entry(claim.topic.clone()).or_default().push(claim);
    }
    topics
}

/// Only a name is under a suffix: the address in a URL is none.
fn question(value: &Observable, topic: &Topic) -> Question {
    let host = value.host().filter(|_| value.address().is_none());
    Question {
        topics: BTreeSet::from([topic.clone()]),
        name: host.and_then(|host| Suffix::parse(host).ok()),
    }
}

fn shown(
    node: &Node,
    value: &Observable,
    topic: &Topic,
    said: &[Claim],
    assessment: &Assessment,
    fading: Fading,
    now: Millis,
) -> Sure {
    let word = |claim: &Claim| word(node, claim, assessment);
    Sure {
        value: value.to_string(),
        topic: topic.to_string(),
        claims: said.iter().map(word).collect(),
        support: assessment.support.value,
        dispute: assessment.dispute.value,
        belief: assessment.belief,
        disbelief: assessment.disbelief,
        uncertainty: assessment.uncertainty,
        score: assessment.score(),
        two_source: assessment.two_source,
        two_source_dispute: assessment.two_source_dispute,
        fades_after_ms: fading.tau.0,
        changes_at: assessment.changes_at.map(rfc3339),
        policies: policies(said, assessment, now),
        truncated: assessment.truncated,
    }
}

fn word(node: &Node, claim: &Claim, assessment: &Assessment) -> Word {
    let counts = |one: &&Weighed| {
        let place = (one.claim.place.0, one.claim.place.1);
        Some(one.claim.log) == claim.weighable().map(|claim| claim.log) && place == (claim.log.epoch, claim.seq)
    };
    let weighed = assessment.claims.iter().find(counts);
    Word {
        record: claim.record.to_string(),
        target: claim.target.map(|target| target.to_string()),
        organisation: claim.org.map(|org| org.to_string()),
        name: claim.org.and_then(|org| node.name_of(&org)),
        claim: match claim.claimed {
            Claimed::Report => "report",
            Claimed::Sighting => "sighting",
            Claimed::FalsePositive => "false-positive",
        }
        .to_owned(),
        confidence: claim.confidence,
        count: claim.count,
        seen: rfc3339(claim.seen.1),
        received_at: rfc3339(claim.received_at),
        expires_at: rfc3339(claim.expires_at),
        believed: claim.believed,
        withdrawn: claim.withdrawn,
        counts: weighed.is_some(),
        reason: weighed.is_none().then(|| passed_over(claim, assessment).to_owned()),
        trust: weighed.map_or(0, |one| one.trust),
        fresh_ppm: weighed.map_or(0, |one| one.fresh),
        weight: weighed.map_or(0, |one| one.weight),
        supply: weighed.map_or(0, |one| one.supply),
        derived_from: claim.derived_from.map(|origin| origin.to_string()),
        shared_origin: weighed.is_some_and(|one| one.shared),
    }
}

/// Why a claim is not among those that were weighed.
fn passed_over(claim: &Claim, assessment: &Assessment) -> &'static str {
    if claim.withdrawn {
        "withdrawn"
    } else if claim.void {
        "its node was revoked before"
    } else if claim.org.is_none() {
        "of nobody known"
    } else if assessment.claims.iter().any(|one| Some(one.claim.org) == claim.org) {
        "not the latest"
    } else if assessment.truncated {
        "not weighed: many others stand better"
    } else {
        "another one speaks for its organisation, or nothing of it counts"
    }
}

/// What each kind of policy would still want. One with names depends on the names, and takes the word of any believed
/// reporter that is among them.
fn policies(said: &[Claim], assessment: &Assessment, now: Millis) -> Vec<Lacking> {
    let standing = said
        .iter()
        .filter(|claim| !claim.withdrawn && claim.claimed == Claimed::Report);
    let evidence = Evidence {
        fresh: assessment,
        held: assessment,
        expires_at: standing.map(|claim| claim.expires_at).max().unwrap_or_default(),
        released: false,
    };
    let lacking = |policy: &str, missing: Vec<Missing>| Lacking {
        policy: policy.to_owned(),
        listed: missing.is_empty(),
        missing: missing.iter().map(lack).collect(),
    };
    let named = Policy::Named(assessment.reporters()).missing(evidence, now);
    vec![
        lacking("two-source", Policy::TwoSource.missing(evidence, now)),
        lacking("score 500", Policy::Score(500).missing(evidence, now)),
        lacking("named, of any reporter", named),
    ]
}

fn lack(missing: &Missing) -> String {
    match missing {
        Missing::Score { has, needs } => format!("a score of {needs}; it has {has}"),
        Missing::SecondSource => "a second source that does not hang on the first".to_owned(),
        Missing::Named(orgs) if orgs.is_empty() => "the word of somebody who is believed".to_owned(),
        Missing::Named(orgs) => {
            let orgs: Vec<String> = orgs.iter().map(OrgId::to_string).collect();
            format!("the word of one of {}", orgs.join(", "))
        }
        Missing::Disputed => "two independent sources dispute it".to_owned(),
        Missing::Released => "the operator took it out".to_owned(),
        Missing::Expired => "no record of it stands: expired, or withdrawn".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_asks_for_its_topic_and_its_name() {
        let topic = Topic::parse("c2").expect("a topic");
        let check = |value: &str, name: Option<&str>| {
            let value = Observable::parse(value).expect("an observable");
            let question = question(&value, &topic);
            assert_eq!(question.name.as_ref().map(Suffix::as_str), name, "{value}");
            assert_eq!(question.topics.len(), 1);
        };
        check("evil.example", Some("evil.example"));
        check("http://evil.example/x", Some("evil.example"));
        check("a@evil.example", Some("evil.example"));
        check("http://192.0.2.1/x", None);
        check("192.0.2.1", None);
        check("AS64496", None);
    }

    #[test]
    fn what_is_missing_is_said_in_words() {
        let check = |missing: Missing, expected: &str| assert_eq!(lack(&missing), expected);
        check(Missing::Score { has: 545, needs: 800 }, "a score of 800; it has 545");
        check(Missing::SecondSource, "a second source that does not hang on the first");
        check(Missing::Named(BTreeSet::new()), "the word of somebody who is believed");
        check(Missing::Disputed, "two independent sources dispute it");
        check(Missing::Released, "the operator took it out");
        check(Missing::Expired, "no record of it stands: expired, or withdrawn");
        let org = OrgId::from_digest(starfish_crypto::Digest::ZERO);
        check(Missing::Named([org].into()), &format!("the word of one of {org}"));
    }
}
