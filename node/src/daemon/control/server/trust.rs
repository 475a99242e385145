//! Invitations, pairing, trust and blocking.

use std::{sync::Arc, time::Duration};

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
    engine::port::{Command, Outcome},
    organisation::OrgId,
    peer::Peer,
    time::Millis,
};
use tokio::sync::broadcast;

use super::{Answer, Node, Refused, node::unexpected, streams::line, usage};
use crate::daemon::{
    control::documents::{Block, Done, Invitation, Met, Pair, Trust},
    exit::{Exit, Failure},
    identity::{node_key, random},
    moment::{self, rfc3339},
    pairing::Code,
    reach,
    settings::on_port,
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
    let wait = Duration::from_millis(asked.lasts);
    let lines = stream::iter([Ok::<_, std::convert::Infallible>(first)]);
    let then = stream::once(async move { Ok(visitor(visitors, wait).await.map(|met| line(&met)).unwrap_or_default()) });
    Ok(Response::new(Body::from_stream(stream::StreamExt::chain(lines, then))))
}

/// The next visitor. With several codes open at once it may be another's; the words tell.
async fn visitor(mut visitors: broadcast::Receiver<Met>, wait: Duration) -> Option<Met> {
    tokio::time::timeout(wait, visitors.recv()).await.ok()?.ok()
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
    let mut why = String::new();
    for address in on_port(&code.host, code.port) {
        match node.handle.dial(address.clone()).await {
            Ok(peer) => return Ok((peer, address)),
            Err(error) => why = format!("{why}\n  {address}: {error}"),
        }
    }
    let message = format!("the node that made the code was not reached:{why}");
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
    match node.handle.command(command).await {
        Outcome::Done => {}
        other => return Err(unexpected(other)),
    }
    let kept = if asked.trusted {
        node.keep_contact(org)
    } else {
        node.drop_contact(org)
    };
    kept.map_err(|error| Failure::machine("trust is changed, but its address was not written", error))?;
    Ok(Json(Done { done: true }))
}

pub(super) async fn block(State(node): State<Arc<Node>>, Json(asked): Json<Block>) -> Answer<Done> {
    let peer: PeerId = asked
        .peer
        .parse()
        .map_err(|error| usage(format!("{}: {error}", asked.peer)))?;
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
