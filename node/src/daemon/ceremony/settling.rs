//! An organisation settles what an accident, or a thief, has left open.

use std::path::Path;

use starfish_crypto::SecretKey;
use starfish_protocol::{
    community::Community,
    statement::{Resolution, Settles},
};

use super::{
    documents::Signed,
    papers::{keys, lineage, must_not_exist, place},
    signing::{position, roots, unfit, written},
};
use crate::daemon::{
    arguments::org::{Question, Settle},
    exit::{Exit, Failure},
};

/// Signs the answer to a question that is open.
///
/// # Errors
/// When a key may not answer it, a position cannot be read, or a file cannot be read or written.
pub fn settle(arguments: &Settle, data: &Path) -> Result<Signed, Failure> {
    let Settle {
        papers,
        question,
        last_good,
        community,
        signing,
    } = arguments;
    must_not_exist(&signing.out)?;
    let newest = lineage(&place(papers, data))?.newest;
    let keys = keys(signing)?;
    let (settles, keys, needed) = match question {
        // One root is enough, also of a manifest that not everybody has seen.
        Question { recovery: Some(id), .. } => (Settles::Recovery { id: *id }, roots(&keys, &newest)?, 1),
        // The roots before the two sign as well, which stand in a manifest before this one.
        Question {
            manifest_id: Some(id), ..
        } => (Settles::Manifest { id: *id }, keys, newest.m),
        Question { node: Some(node), .. } => {
            let missing = || Failure::new(Exit::Usage, "--node needs --last-good: from where the node goes on");
            let settles = Settles::Node {
                node_key: *node,
                manifest_seq: newest.seq,
                at: position(last_good.as_deref().ok_or_else(missing)?)?,
            };
            (settles, roots(&keys, &newest)?, newest.m)
        }
        _ => {
            return Err(Failure::new(
                Exit::Usage,
                "say what is to be settled: --recovery, --manifest-id or --node",
            ));
        }
    };
    let resolution = Resolution {
        org: newest.id(),
        community: community.as_deref().map(Community::named),
        settles,
    };
    let statement = resolution
        .sign(&keys.iter().collect::<Vec<&SecretKey>>())
        .map_err(unfit)?;
    written(&signing.out, vec![statement], keys.len(), needed)
}
