//! `sight` and `dispute`: what this organisation says of values that others published.

use std::sync::Arc;

use axum::{Json, extract::State};
use starfish_protocol::{
    engine::port::{Command, Outcome},
    observable::Observable,
    organisation::OrgId,
    record::{self, RecordId, View},
    time::Millis,
};

use super::super::{Answer, Node, Refused, node::unexpected, streams::beside, usage};
use crate::{
    daemon::{
        control::documents::{Opined, Opinion, Said},
        exit::{Exit, Failure},
        moment,
    },
    ledger::reading::claims::{Claim, Claimed, Claims},
};

/// An opinion is written on so many records at once, the newest first: each is a record of its own that everyone stores.
const TARGETS: usize = 20;

pub(in super::super) async fn opine(State(node): State<Arc<Node>>, Json(asked): Json<Opinion>) -> Answer<Opined> {
    let value = Observable::parse(&asked.value).map_err(|error| usage(format!("{}: {error}", asked.value)))?;
    let verdict = match asked.verdict.as_str() {
        "sighting" => View::Sighting,
        "false-positive" => View::FalsePositive,
        other => return Err(usage(format!("{other}: an opinion is a sighting or a false-positive"))),
    };
    let mut said = Vec::new();
    for (target, org) in targets(&node, &value, asked.record.as_deref()).await? {
        let opinion = record::Opinion {
            target,
            observables: vec![value.clone()],
            verdict,
            count: asked.count,
            first_seen: Millis(asked.first),
            last_seen: Millis(asked.last),
            confidence: asked.confidence,
            reason: asked.reason.clone(),
        };
        let record = match node.handle.command(Command::Opine(opinion)).await {
            Outcome::Published(records) => records.first().map(ToString::to_string).unwrap_or_default(),
            // The node stopped, or the record left in this moment; what was said of the others is said.
            _ if !said.is_empty() => break,
            other => return Err(unexpected(other)),
        };
        said.push((record, target, org));
    }
    let value = value.to_string();
    let shown = move || {
        let one = |(record, target, org): (String, RecordId, Option<OrgId>)| Said {
            record,
            target: target.to_string(),
            organisation: org.map(|org| org.to_string()),
            name: org.and_then(|org| node.name_of(&org)),
        };
        Ok(said.into_iter().map(one).collect())
    };
    let opinions = beside(shown)
        .await
        .map_err(|error| Failure::machine("no names were read", error))?;
    Ok(Json(Opined {
        value,
        verdict: asked.verdict,
        opinions,
    }))
}

/// The records that an opinion is on, with whose they are.
async fn targets(
    node: &Arc<Node>,
    value: &Observable,
    record: Option<&str>,
) -> Result<Vec<(RecordId, Option<OrgId>)>, Refused> {
    let (reader, about, now) = (Arc::clone(node), value.clone(), moment::now());
    let claims = beside(move || reader.ledger.claims(&about, now)).await;
    let Claims { claims, .. } = claims.map_err(|error| Failure::machine("the store was not read", error))?;
    let Some(record) = record else {
        return Ok(of_others(claims, node.identity.org)?);
    };
    let record: RecordId = record.parse().map_err(|error| usage(format!("{record}: {error}")))?;
    let org = claims
        .iter()
        .find(|claim| claim.record == record)
        .and_then(|claim| claim.org);
    Ok(vec![(record, org)])
}

/// Every believed report of others, the newest first; else why there is none.
fn of_others(claims: Vec<Claim>, own: OrgId) -> Result<Vec<(RecordId, Option<OrgId>)>, Failure> {
    let reports: Vec<Claim> = claims
        .into_iter()
        .filter(|claim| claim.claimed == Claimed::Report)
        .collect();
    let stands = |claim: &&Claim| claim.believed && !claim.withdrawn;
    let theirs = |claim: &&Claim| claim.org != Some(own);
    let mut found: Vec<&Claim> = reports.iter().filter(stands).filter(theirs).collect();
    found.sort_by_key(|claim| std::cmp::Reverse((claim.received_at, claim.record)));
    if !found.is_empty() {
        return Ok(found
            .into_iter()
            .take(TARGETS)
            .map(|claim| (claim.record, claim.org))
            .collect());
    }
    let (exit, why) = if reports.iter().any(|claim| stands(&claim)) {
        let why =
            "only your own organisation published this value: `starfish publish` it again, or `starfish withdraw` it";
        (Exit::Refused, why)
    } else if reports.iter().any(|claim| !claim.believed) {
        let why = "only records in quarantine hold this value: `starfish search --quarantine VALUE` shows them, and --record \
            names one";
        (Exit::Refused, why)
    } else if reports.is_empty() {
        let why = "nobody published this value, so there is nothing to say of it; `starfish publish` makes it known";
        (Exit::NothingFound, why)
    } else {
        (Exit::NothingFound, "everyone who published this value has withdrawn it")
    };
    Err(Failure::new(exit, why))
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{Digest, PublicKey, domain};
    use starfish_protocol::record::{Audience, LogId, Topic};

    use super::*;

    fn digest(number: u64) -> Digest {
        Digest::of(domain::RECORD, &number.to_be_bytes())
    }

    fn org(number: u64) -> OrgId {
        OrgId::from_digest(digest(number))
    }

    /// By this organisation, received at this time; `b` for believed, `w` for withdrawn, `s` for a sighting.
    fn claim(by: u64, received_at: u64, marks: &str) -> Claim {
        let author = PublicKey::from_bytes([1; 32]);
        Claim {
            org: Some(org(by)),
            author,
            record: RecordId::from_digest(digest(received_at)),
            target: None,
            claimed: if marks.contains('s') {
                Claimed::Sighting
            } else {
                Claimed::Report
            },
            confidence: 80,
            created_at: Millis(0),
            seen: (Millis(0), Millis(0)),
            count: 1,
            received_at: Millis(received_at),
            expires_at: Millis(u64::MAX),
            believed: marks.contains('b'),
            withdrawn: marks.contains('w'),
            void: false,
            derived_from: None,
            topic: Topic::parse("c2").expect("a topic"),
            log: LogId {
                author,
                audience: Audience::Clear,
                epoch: Millis(0),
            },
            seq: 0,
        }
    }

    #[test]
    fn an_opinion_is_on_what_others_say_and_is_believed() {
        let check = |claims: Vec<Claim>, expected: Result<&[u64], Exit>| {
            let told = format!("{claims:?}");
            let found = of_others(claims, org(0)).map_err(|failure| failure.exit);
            let records = found.map(|found| found.into_iter().map(|(record, _)| record).collect::<Vec<_>>());
            let wanted = expected.map(|numbers| {
                let records = numbers.iter().map(|number| RecordId::from_digest(digest(*number)));
                records.collect::<Vec<_>>()
            });
            assert_eq!(records, wanted, "{told}");
        };
        check(vec![claim(1, 10, "b"), claim(2, 20, "b")], Ok(&[20, 10]));
        check(vec![claim(1, 10, "b"), claim(0, 20, "b"), claim(2, 30, "")], Ok(&[10]));
        check(
            vec![claim(1, 10, "b"), claim(2, 20, "bw"), claim(2, 30, "bs")],
            Ok(&[10]),
        );
        check(Vec::new(), Err(Exit::NothingFound));
        check(vec![claim(1, 10, "bs")], Err(Exit::NothingFound));
        check(vec![claim(1, 10, "bw")], Err(Exit::NothingFound));
        check(vec![claim(0, 10, "b")], Err(Exit::Refused));
        check(vec![claim(1, 10, "")], Err(Exit::Refused));
        let many: Vec<Claim> = (1..=30).map(|number| claim(number, number, "b")).collect();
        let newest: Vec<u64> = (11..=30).rev().collect();
        check(many, Ok(&newest));
    }
}
