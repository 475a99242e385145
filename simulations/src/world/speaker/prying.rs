//! Questions about what is TLP:GREEN, to somebody who may not tell it: which logs there are, the headers of those whose names
//! are known, their bodies, and a place in the mesh. Any answer with content is told to the world, which knows what may be.

use std::{io, sync::Arc};

use futures::AsyncWriteExt as _;
use serde::Deserialize;
use starfish_crypto::Digest;
use starfish_protocol::{
    codec,
    record::{Audience, LogId},
    wire::{BodyHead, FRAME_BYTES, REQUEST_PROTOCOL, Request, Response},
};
use starfish_sim_kernel::{self as kernel, Owner};

use super::{Line, Shared, frame, frames, lock, open, say};

/// The protocol of the mesh in which it is told.
const MESH: &str = "/starfish-green/1.1.0";
/// The newest names that are asked about in one turn.
const NAMES: usize = 2;
/// Headers of one log that are asked for.
const HEADERS: u16 = 16;

/// What comes on a stream of requests.
#[derive(Deserialize)]
enum Answer {
    Whole(Response),
    /// A body follows.
    Body(BodyHead),
}

/// One turn: every question on a stream of its own, whose answer may come later.
pub(super) async fn ask(line: &Line, mouth: &Shared, owner: Owner) -> io::Result<()> {
    let (mesh, names) = lock(mouth).green();
    let mut requests = vec![Request::Frontier {
        heads: Digest::ZERO,
        statements: Digest::ZERO,
        since: None,
    }];
    requests.extend(names.iter().rev().take(NAMES).flat_map(questions));
    for request in requests {
        let mut stream = open(line).await?;
        stream.write_all(&frames::proposal(REQUEST_PROTOCOL)).await?;
        say(&mut stream, &codec::encode(&request)).await?;
        let mouth = Arc::clone(mouth);
        kernel::spawn(owner, async move {
            let answer = async {
                // The protocol's name and its version, and then the answer.
                frame(&mut stream).await?;
                frame(&mut stream).await?;
                frame(&mut stream).await
            };
            if let Ok(answer) = answer.await
                && tells(&answer)
            {
                lock(&mouth).overhear(format!("{request:?}"));
            }
        });
    }
    let mut stream = open(line).await?;
    stream.write_all(&frames::proposal(MESH)).await?;
    say(&mut stream, &frames::join(&[mesh])).await
}

fn questions((log, body): &(LogId, Digest)) -> [Request; 2] {
    let headers = Request::Range {
        log: *log,
        from: 0,
        limit: HEADERS,
    };
    [headers, Request::Body { digest: *body }]
}

/// Whether an answer holds anything that is TLP:GREEN: nothing else was asked for, but for the list of logs.
fn tells(answer: &[u8]) -> bool {
    match codec::decode(answer, FRAME_BYTES) {
        Ok(Answer::Body(head)) => head.len > 0,
        Ok(Answer::Whole(Response::Heads { heads, .. })) => {
            heads.iter().any(|head| head.log.audience == Audience::Green)
        }
        Ok(Answer::Whole(Response::Headers(headers))) => !headers.is_empty(),
        Ok(Answer::Whole(Response::Body(body))) => !body.is_empty(),
        _ => false,
    }
}
