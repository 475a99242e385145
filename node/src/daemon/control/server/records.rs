//! What is published, withdrawn and said of others' records, and what is decided on those that are held.

mod held;
mod opinions;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
};
use serde::Deserialize;
use starfish_crypto::Digest;
use starfish_protocol::{
    engine::port::{Command, Draft, Outcome},
    limits,
    listing::{self, Listing, Options},
    observable::Observable,
    record::{self, Origin, RecordId, SealedBody, Tlp, Topic},
    time::Millis,
};

use super::{Answer, Node, Refused, node::unexpected, usage};
use crate::{
    daemon::{
        arguments::Lifetime,
        control::documents::{Published, RefusedLine, Withdrawal, Withdrawn},
        exit::{Exit, Failure},
        identity::random,
        moment,
    },
    ledger::catalogue::Standing,
    store::StoreError,
};

pub(super) use self::{
    held::{decide, held, shown},
    opinions::opine,
};

/// What is said about a list beside its lines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    topic: String,
    /// Who may see it; everyone, when nothing is said.
    #[serde(default = "everyone")]
    tlp: String,
    /// How long it is worth knowing, in ms.
    #[serde(default = "a_month")]
    expires: u64,
    #[serde(default = "rather_sure")]
    confidence: u8,
    #[serde(default)]
    context: String,
    /// What the list repeats: a feed's address, a report's title, a record's id.
    derived_from: Option<String>,
    /// Private and reserved values too.
    #[serde(default)]
    force: bool,
}

fn everyone() -> String {
    "clear".to_owned()
}

fn a_month() -> u64 {
    30 * 86_400_000
}

fn rather_sure() -> u8 {
    80
}

/// A list, ready to be published.
struct Prepared {
    listing: Listing,
    bodies: Vec<SealedBody>,
}

pub(super) async fn publish(
    State(node): State<Arc<Node>>,
    Query(about): Query<About>,
    list: Bytes,
) -> Answer<Published> {
    let topic = Topic::parse(&about.topic).map_err(usage)?;
    let tlp = mark(&about.tlp)?;
    let About {
        expires,
        confidence,
        context,
        force,
        derived_from,
        ..
    } = about;
    check(expires, confidence, &context)?;
    // Lists are large in memory once they are read, so they are taken one after the other.
    let _turn = node.turn().await?;
    let prepared = tokio::task::spawn_blocking(move || prepare(&list, confidence, &context, force)).await;
    let Prepared { listing, bodies } = prepared.map_err(|error| Failure::machine("the list was not read", error))?;
    let earlier = earlier(&node, &topic, tlp, &bodies).await?;
    let body_bytes = bodies.iter().map(|body| body.compressed.len() as u64).sum();
    let records = if bodies.is_empty() {
        Vec::new()
    } else {
        let set = if bodies.len() > 1 {
            Some(Digest::from_bytes(random()?))
        } else {
            None
        };
        let expires_at = Millis(moment::now().0 + expires);
        match node
            .handle
            .command(Command::Publish(Draft {
                topic,
                tlp,
                expires_at,
                bodies,
                set,
                derived_from: derived_from.as_deref().map(Origin::named),
            }))
            .await
        {
            Outcome::Published(records) => records,
            other => return Err(unexpected(other)),
        }
    };
    Ok(Json(Published {
        records: records.iter().map(ToString::to_string).collect(),
        observables: listing.observables.len() as u64,
        repeated: listing.repeated as u64,
        refused: refused(&listing),
        body_bytes,
        earlier: earlier.iter().map(ToString::to_string).collect(),
    }))
}

/// Records of this node that stand and say the same under the same topic and mark. To publish again may be meant, because
/// the new ones end later; so it is told and not refused.
async fn earlier(node: &Arc<Node>, topic: &Topic, tlp: Tlp, bodies: &[SealedBody]) -> Result<Vec<RecordId>, Refused> {
    let digests: Vec<Digest> = bodies.iter().map(|body| body.digest).collect();
    let (node, topic, now) = (Arc::clone(node), topic.clone(), moment::now());
    let looked = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        for digest in &digests {
            let cards = node.ledger.bearers(digest)?.into_iter();
            let same = cards.filter(|card| {
                let stands = card.withdrawn_at.is_none() && card.expires_at > now;
                card.own && stands && card.topic == topic && card.tlp == u8::from(tlp)
            });
            found.extend(same.map(|card| card.id));
        }
        Ok::<_, StoreError>(found)
    });
    let looked = looked
        .await
        .map_err(|error| Failure::machine("the records were not read", error))?;
    Ok(looked.map_err(|error| Failure::machine("the records were not read", error))?)
}

/// The mark of what this node can publish.
fn mark(tlp: &str) -> Result<Tlp, Refused> {
    match tlp {
        "clear" => Ok(Tlp::Clear),
        "green" => Ok(Tlp::Green),
        _ => {
            let message = format!("nothing was published: only TLP:CLEAR and TLP:GREEN can be so far, not {tlp}");
            Err(Failure::new(Exit::Refused, message).into())
        }
    }
}

/// Refuses what no header or bundle can carry, before the list is read.
fn check(expires: u64, confidence: u8, context: &str) -> Result<(), Refused> {
    if expires == 0 || expires > limits::LIFETIME.0 {
        return Err(usage(format!("a record lives at most {}", Lifetime(limits::LIFETIME))));
    }
    if confidence > limits::CONFIDENCE {
        return Err(usage("the confidence is a number from 0 to 100"));
    }
    if context.len() > limits::CONTEXT_BYTES || context.chars().any(char::is_control) {
        let longest = limits::CONTEXT_BYTES;
        return Err(usage(format!("the context is one line of at most {longest} bytes")));
    }
    Ok(())
}

fn prepare(list: &[u8], confidence: u8, context: &str, force: bool) -> Prepared {
    let listing = listing::read(list, Options { forced: force });
    let bundles = listing::bundles(listing.observables.clone(), confidence, context);
    let bodies = bundles.into_iter().flat_map(record::seal_parts).collect();
    Prepared { listing, bodies }
}

fn refused(listing: &Listing) -> Vec<RefusedLine> {
    let line = |refused: &listing::Refused| RefusedLine {
        line: refused.line as u64,
        reason: refused.reason.to_string(),
        text: refused.text.clone(),
    };
    let mut lines: Vec<RefusedLine> = listing.refused.iter().map(line).collect();
    if listing.refused_beyond > 0 {
        let reason = format!("{} more lines were refused and are not shown", listing.refused_beyond);
        lines.push(RefusedLine {
            line: 0,
            reason,
            text: String::new(),
        });
    }
    lines
}

pub(super) async fn withdraw(State(node): State<Arc<Node>>, Json(asked): Json<Withdrawal>) -> Answer<Withdrawn> {
    let record: RecordId = asked.record.parse().map_err(usage)?;
    let read = |text: &String| Observable::parse(text).map_err(|error| usage(format!("{text}: {error}")));
    let observables = asked.values.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let values = observables.len() as u64;
    if is_withdrawn(&node, record, &observables).await? {
        let message = format!("{record}: this is withdrawn already; nothing was published");
        return Err(Failure::new(Exit::Refused, message).into());
    }
    let withdrawal = record::Withdrawal::new(record, observables, asked.reason).map_err(usage)?;
    let record::Withdrawal {
        target,
        observables,
        reason,
    } = withdrawal;
    match node
        .handle
        .command(Command::Withdraw {
            record: target,
            observables,
            reason,
        })
        .await
    {
        Outcome::Published(records) => match records.first() {
            Some(record) => Ok(Json(Withdrawn {
                record: record.to_string(),
                target: target.to_string(),
                values,
            })),
            None => Err(Failure::new(Exit::Incomplete, "the withdrawal has no record").into()),
        },
        other => Err(unexpected(other)),
    }
}

/// Whether all of that is withdrawn already. The engine says what is wrong with a record that is not here.
async fn is_withdrawn(node: &Arc<Node>, record: RecordId, values: &[Observable]) -> Result<bool, Refused> {
    let (node, values) = (Arc::clone(node), values.to_vec());
    let looked = tokio::task::spawn_blocking(move || {
        if values.is_empty() {
            let card = node.ledger.card_of(&record)?;
            return Ok(card.is_some_and(|(_, card)| card.withdrawn_at.is_some() && card.withdrawn >= card.items));
        }
        let held: BTreeMap<Observable, Standing> = node.ledger.observables(&record)?.into_iter().collect();
        Ok::<bool, StoreError>(values.iter().all(|value| held.get(value) == Some(&Standing::Withdrawn)))
    });
    let looked = looked
        .await
        .map_err(|error| Failure::machine("the record was not read", error))?;
    Ok(looked.map_err(|error| Failure::machine("the record was not read", error))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_record_carries_is_refused() {
        let check = |expires: u64, confidence: u8, context: &str, good: bool| {
            assert_eq!(
                super::check(expires, confidence, context).is_ok(),
                good,
                "{expires} {confidence} {context:?}"
            );
        };
        check(a_month(), 80, "seen in mail", true);
        check(limits::LIFETIME.0, 0, "", true);
        check(limits::LIFETIME.0 + 1, 0, "", false);
        check(0, 0, "", false);
        check(1, 101, "", false);
        check(1, 100, &"x".repeat(limits::CONTEXT_BYTES), true);
        check(1, 100, &"x".repeat(limits::CONTEXT_BYTES + 1), false);
        check(1, 100, "two\nlines", false);
    }

    #[test]
    fn what_would_have_to_be_sealed_is_refused() {
        let check = |tlp: &str, expected: Option<Tlp>| assert_eq!(mark(tlp).ok(), expected, "{tlp}");
        check("clear", Some(Tlp::Clear));
        check("green", Some(Tlp::Green));
        for tlp in ["amber", "amber+strict", "red", "GREEN", "", "white"] {
            check(tlp, None);
        }
    }

    #[test]
    fn a_list_becomes_bodies() {
        let list = b"# x\nhxxp://evil[.]example/path\nbad.example.com\nbad.example.com\nnot an observable at all\n";
        let Prepared { listing, bodies } = prepare(list, 80, "seen", true);
        assert_eq!((listing.observables.len(), listing.repeated, bodies.len()), (2, 1, 1));
        let lines: Vec<u64> = refused(&listing).iter().map(|line| line.line).collect();
        assert_eq!(lines, [5]);
    }
}
