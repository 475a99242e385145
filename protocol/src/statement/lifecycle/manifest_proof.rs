//! Proofs of two manifests of one number: their organisation stands still until guardians or the local operator decide.
//!
//! Nobody signs such a statement; the organisation signed both manifests in it. Any two of one number say the same, so that
//! the id covers the organisation and the manifest before alone.

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, Verifier, domain};

use crate::{
    organisation::OrgId,
    statement::{CheckError, Kind, Manifest, Statement, StatementError, read as read_body, statement},
};

/// The body of such a statement. What its id covers stands first.
#[derive(Serialize, Deserialize)]
struct ManifestProof {
    org: OrgId,
    prev: Digest,
    first: Statement,
    second: Statement,
}

/// How many bytes of the body the id covers.
const NAMED: usize = 64;

/// The id of every such proof with this body.
pub(in crate::statement) fn id_of(body: &[u8]) -> Digest {
    let named = body.get(..NAMED).unwrap_or(body);
    Digest::of(
        domain::STATEMENT,
        &[&Kind::MANIFEST_PROOF.0.to_be_bytes(), named].concat(),
    )
}

pub(in crate::statement) fn write(one: &Statement, two: &Statement) -> Result<Statement, StatementError> {
    let (first, second) = if one.id() < two.id() { (one, two) } else { (two, one) };
    let manifest = contradiction(first, second)?;
    let proof = ManifestProof {
        org: manifest.id(),
        prev: manifest.prev,
        first: first.clone(),
        second: second.clone(),
    };
    statement(Kind::MANIFEST_PROOF, &proof)
}

/// One of the two manifests: they have their roots, and what they follow, in common.
pub(in crate::statement) fn read(statement: &Statement, verifier: &dyn Verifier) -> Result<Manifest, CheckError> {
    let proof: ManifestProof = read_body(statement)?;
    if !statement.signatures.is_empty() {
        return Err(CheckError::Forged);
    }
    let manifest = contradiction(&proof.first, &proof.second)?;
    if manifest.org != Some(proof.org) || manifest.prev != proof.prev || proof.first.id() > proof.second.id() {
        return Err(StatementError::Proof.into());
    }
    let hold = [&proof.first, &proof.second]
        .into_iter()
        .all(|statement| manifest.is_signed(statement, verifier));
    if hold { Ok(manifest) } else { Err(CheckError::Forged) }
}

/// The two manifests that a statement of this kind would show. Nothing is checked.
pub(in crate::statement) fn shown(statement: &Statement) -> Option<[Statement; 2]> {
    let proof: ManifestProof = read_body(statement).ok()?;
    Some([proof.first, proof.second])
}

/// Two different successors of one manifest have the same roots: those that it committed to.
fn contradiction(one: &Statement, two: &Statement) -> Result<Manifest, StatementError> {
    let (first, second) = (Manifest::read(one)?, Manifest::read(two)?);
    let place = |manifest: &Manifest| {
        let Manifest { org, seq, prev, m, .. } = manifest;
        (*org, *seq, *prev, manifest.roots.clone(), *m)
    };
    if first.org.is_some() && place(&first) == place(&second) && first != second {
        Ok(first)
    } else {
        Err(StatementError::Proof)
    }
}
