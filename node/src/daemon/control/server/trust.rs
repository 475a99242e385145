//! Invitations, pairing, trust and blocking.
//!
//! | part | what it answers |
//! |---|---|
//! | `policy` | root entries and pins, who is trusted, what somebody signed |
//! | `reasons` | why an organisation is judged as it is |
//! | `values` | why this node is as sure of a value as it is |
//! | `graph` | who vouches for whom |

mod graph;
mod policy;
mod reasons;
mod values;

use std::{io, sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{Query, State},
    response::Response,
};
use futures::stream;
use libp2p::{Multiaddr, PeerId};
use serde::Deserialize;
use starfish_protocol::{
    engine::port::{Command, Outcome, Refusal},
    organisation::OrgId,
    peer::Peer,
    time::Millis,
};
use tokio::sync::broadcast::{self, error::RecvError};

use super::{Answer, Node, Refused, node::unexpected, streams::line, usage};
use crate::daemon::{
    control::documents::{Block, Done, Invitation, Met, Pair, Trust},
    exit::{Exit, Failure},
    happenings::Visit,
    identity::{node_key, random},
    moment::{self, rfc3339},
    pairing::Code,
    reach,
    settings::on_port,
};

pub(super) use self::{
    graph::graph,
    policy::{known, pin, root, trusted},
    reasons::explain,
    values::sure,
};

/// No code works longer: who has not come within a month does not come.
const LONGEST: u64 = 30 * 86_400_000;

/// What an invitation is to be like.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Invite {
    /// How long the code works, in ms.
    lasts: u64,
    /// Trusts whoever brings it; else the stream goes on with the visitor.
    #[serde(default)]
    confirmed: bool,
}

pub(super) async fn invite(State(node): State<Arc<Node>>, Query(asked): Query<Invite>) -> Result<Response, Refused> {
    if asked.lasts == 0 || asked.lasts > LONGEST {
        return Err(usage("a code works at most 30 days"));
    }
    let until = Millis(moment::now().0 + asked.lasts);
    let secret = random()?;
    let nowhere = || Failure::new(Exit::Refused, "the node listens nowhere; its log says why");
    let host = reach::host(&node.settings, &node.handle.listening().await).ok_or_else(nowhere)?;
    let code = Code::new(secret, &node.identity.node, host, node.settings.port);
    // Listens before the door is open, so that no visitor is missed.
    let visitors = node.visitors();
    match node
        .handle
        .command(Command::Invite {
            secret,
            until,
            confirmed: asked.confirmed,
        })
        .await
    {
        Outcome::Done => {}
        Outcome::Refused(Refusal::Busy) => {
            let message = "too many codes are open; each ends when it is used or its time is over, so try again later";
            return Err(Failure::new(Exit::Refused, message).into());
        }
        other => return Err(unexpected(other)),
    }
    let invitation = Invitation {
        code: code.to_string(),
        until: rfc3339(until),
        address: code.address().to_string(),
        confirmed: asked.confirmed,
    };
    let first = line(&invitation);
    if asked.confirmed {
        return Ok(Response::new(Body::from(first)));
    }
    let (wait, stopping) = (Duration::from_millis(asked.lasts), node.stopping());
    let then = async move {
        tokio::select! {
            came = tokio::time::timeout(wait, visitor(visitors, secret)) => {
                Ok(came.ok().flatten().map(|met| line(&met)).unwrap_or_default())
            }
            // Cut short, which the reader tells from a code that nobody used in time.
            () = stopping => Err(io::Error::other("the node stops")),
        }
    };
    let lines = stream::iter([Ok(first)]);
    Ok(Response::new(Body::from_stream(stream::StreamExt::chain(
        lines,
        stream::once(then),
    ))))
}

/// Who came with this code; several may be open at once.
async fn visitor(mut visitors: broadcast::Receiver<Visit>, secret: [u8; 5]) -> Option<Met> {
    loop {
        match visitors.recv().await {
            Ok(visit) if visit.secret == secret => return Some(visit.met),
            // Somebody else's visitor, or more of them at once than are kept.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

pub(super) async fn pair(State(node): State<Arc<Node>>, Json(asked): Json<Pair>) -> Answer<Met> {
    let code: Code = asked.code.parse().map_err(usage)?;
    if code.names(&node.identity.node) {
        return Err(usage(
            "this is a code of this node itself; give it to the other operator",
        ));
    }
    let (peer, address) = reach_code(&node, &code).await?;
    if !node_key(&peer).is_some_and(|key| code.names(&key)) {
        let message = format!("another node than the one that made the code answers at {address}; ask for a new code");
        return Err(Failure::new(Exit::Refused, message).into());
    }
    let asked = Command::Pair {
        peer: Peer::from_bytes(&peer.to_bytes()),
        secret: code.secret,
    };
    match node.handle.command(asked).await {
        Outcome::Met { org, name, words } => {
            node.remember(org, address);
            let words = starfish_crypto::words(&words).map(str::to_owned).to_vec();
            let confirmed = node.trusts(&peer).await?;
            Ok(Json(Met {
                organisation: org.to_string(),
                name,
                words,
                confirmed,
            }))
        }
        other => Err(unexpected(other)),
    }
}

/// Over TCP, else over QUIC.
async fn reach_code(node: &Node, code: &Code) -> Result<(PeerId, Multiaddr), Refused> {
    let meant = |peer: &PeerId| node_key(peer).is_some_and(|key| code.names(&key));
    let connected = node
        .handle
        .connections()
        .await
        .into_iter()
        .map(|connection| connection.peer);
    if let Some(met) = connected
        .into_iter()
        .find(meant)
        .zip(on_port(&code.host, code.port).into_iter().next())
    {
        return Ok(met);
    }
    let mut why = String::new();
    for address in on_port(&code.host, code.port) {
        match node.handle.dial(address.clone()).await {
            Ok(peer) => return Ok((peer, address)),
            Err(error) => why = format!("{why}\n  {address}: {error}"),
        }
    }
    let message =
        format!("the node that made the code was not reached; is it running, and its port open for TCP and UDP?{why}");
    Err(Failure::new(Exit::Refused, message).into())
}

pub(super) async fn trust(State(node): State<Arc<Node>>, Json(asked): Json<Trust>) -> Answer<Done> {
    let org: OrgId = asked
        .organisation
        .parse()
        .map_err(|error| usage(format!("{}: {error}", asked.organisation)))?;
    if org == node.identity.org {
        return Err(usage("this is this node's own organisation"));
    }
    let command = if asked.trusted {
        Command::Trust(org)
    } else {
        Command::Distrust(org)
    };
    let outcome = node.handle.command(command).await;
    let kept = match &outcome {
        Outcome::Done if asked.trusted => node.keep_contact(org),
        // Also where there was no trust: a crash may have left the address behind.
        Outcome::Done | Outcome::Refused(Refusal::NotTrusted) => node.drop_contact(org),
        _ => Ok(()),
    };
    kept.map_err(|error| Failure::machine("trust is changed, but its address was not written", error))?;
    match outcome {
        Outcome::Done => Ok(Json(Done { done: true })),
        other => Err(unexpected(other)),
    }
}

pub(super) async fn block(State(node): State<Arc<Node>>, Json(asked): Json<Block>) -> Answer<Done> {
    let peer: PeerId = asked.peer.parse().map_err(|error| {
        let whose = "it is a peer id, as `starfish peers` shows them";
        usage(format!("{}: {error}; {whose}", asked.peer))
    })?;
    if peer == node.handle.peer() {
        return Err(usage("this is this node itself"));
    }
    let peer = Peer::from_bytes(&peer.to_bytes());
    match node
        .handle
        .command(Command::Block {
            peer,
            blocked: asked.blocked,
        })
        .await
    {
        Outcome::Done => Ok(Json(Done { done: true })),
        other => Err(unexpected(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_code_has_its_own_visitor() {
        let sender = broadcast::Sender::new(2);
        let (first, second) = (sender.subscribe(), sender.subscribe());
        let visit = |number: u8| Visit {
            secret: [number; 5],
            met: Met {
                organisation: number.to_string(),
                name: String::new(),
                words: Vec::new(),
                confirmed: false,
            },
        };
        // The first one is overtaken by more visits than are kept for a slow reader.
        for number in [9, 9, 2, 1] {
            sender.send(visit(number)).expect("there are readers");
        }
        drop(sender);
        let check = async |visitors, number: u8, expected: Option<&str>| {
            let met = visitor(visitors, [number; 5]).await;
            assert_eq!(met.map(|met| met.organisation).as_deref(), expected, "{number}");
        };
        check(first, 1, Some("1")).await;
        check(second.resubscribe(), 2, None).await;
        check(second, 2, Some("2")).await;
    }
}
