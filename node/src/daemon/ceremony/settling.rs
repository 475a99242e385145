//! An organisation settles what an accident, or a thief, has left open.

use std::path::Path;

use starfish_crypto::{Digest, SecretKey};
use starfish_protocol::{
    community::Community,
    statement::{Manifest, Resolution, Settles},
};

use super::{
    documents::Signed,
    papers::{Lineage, history, keys, must_not_exist, place},
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
    let path = place(papers, data);
    let lineage = history(&path)?;
    let newest = &lineage.newest;
    let keys = keys(signing)?;
    let enough = |needed: u8| usize::from(needed).saturating_sub(keys.len());
    let (settles, missing) = match question {
        // One root is enough, also of a manifest that not everybody has seen.
        Question { recovery: Some(id), .. } => {
            roots(&keys, newest)?;
            (Settles::Recovery { id: *id }, enough(1))
        }
        Question {
            manifest_id: Some(id), ..
        } => (Settles::Manifest { id: *id }, missing(&lineage, id, &keys, &path)?),
        Question { node: Some(node), .. } => {
            let missing = || Failure::new(Exit::Usage, "--node needs --last-good: from where the node goes on");
            let settles = Settles::Node {
                node_key: *node,
                manifest_seq: newest.seq,
                at: position(last_good.as_deref().ok_or_else(missing)?)?,
            };
            roots(&keys, newest)?;
            (settles, enough(newest.m))
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
    let written = written(&signing.out, vec![statement], keys.len(), 0)?;
    Ok(Signed { missing, ..written })
}

/// How many must still sign the choice of this manifest: its own roots and those of the one before it, each in sufficient
/// number.
fn missing(lineage: &Lineage, id: &Digest, keys: &[SecretKey], path: &Path) -> Result<usize, Failure> {
    let refused = |why: String| Failure::new(Exit::Refused, format!("{}: {why}", path.display()));
    let chosen = lineage.manifest(id).ok_or_else(|| {
        refused(format!(
            "there is no manifest {id} in it; put both manifests into one file and name it with --manifest"
        ))
    })?;
    let before = lineage.manifest(&chosen.prev).ok_or_else(|| {
        refused(format!(
            "the manifest before {id} is not in it, so its roots are not known"
        ))
    })?;
    let both = [before, chosen];
    let signs = |manifest: &Manifest, key: &SecretKey| manifest.roots.contains(&key.public());
    if let Some(other) = keys
        .iter()
        .find(|key| !both.iter().any(|manifest| signs(manifest, key)))
    {
        return Err(refused(format!(
            "{} is a root neither of this manifest nor of the one before it",
            other.public()
        )));
    }
    let [one, two] = both.map(|manifest| {
        let signed = keys.iter().filter(|key| signs(manifest, key)).count();
        usize::from(manifest.m).saturating_sub(signed)
    });
    let share = before.roots.iter().any(|root| chosen.roots.contains(root));
    Ok(if share { one.max(two) } else { one + two })
}
