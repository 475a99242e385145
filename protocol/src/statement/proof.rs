//! Proofs of two histories: two headers of one author that cannot stand in one chain.
//!
//! Nobody signs such a statement; the author signed both headers. Anyone can make it, and any two of one author say
//! the same, so that its id covers the author alone and a roster holds one for each.

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, PublicKey, Signed, Verified, Verifier, VerifyError, domain};

use super::{CheckError, Kind, Statement, StatementError, read as read_body, statement};
use crate::record::{Header, RecordId};

/// The body of such a statement. The author stands first, where the id finds it.
#[derive(Serialize, Deserialize)]
struct ForkProof {
    author: PublicKey,
    first: Signed,
    second: Signed,
}

/// The id of every proof against this author.
pub(super) fn id_of(author: &[u8]) -> Digest {
    Digest::of(domain::STATEMENT, &[&Kind::PROOF.0.to_be_bytes(), author].concat())
}

pub(super) fn write(one: &Verified<Header>, two: &Verified<Header>) -> Result<Statement, StatementError> {
    if !proves_fork(one, two) {
        return Err(StatementError::Proof);
    }
    let proof = ForkProof {
        author: one.author,
        first: one.signed().clone(),
        second: two.signed().clone(),
    };
    statement(Kind::PROOF, &proof)
}

pub(super) fn read(
    statement: &Statement,
    verifier: &dyn Verifier,
) -> Result<(Verified<Header>, Verified<Header>), CheckError> {
    let ForkProof { author, first, second } = read_body(statement)?;
    // Whoever added a signature to what needs none made a second form of it.
    if !statement.signatures.is_empty() {
        return Err(CheckError::Forged);
    }
    let header = |signed: Signed| {
        signed.verify::<Header>(verifier).map_err(|error| match error {
            VerifyError::Malformed(_) => CheckError::Malformed(StatementError::Proof),
            _ => CheckError::Forged,
        })
    };
    let (one, two) = (header(first)?, header(second)?);
    if one.author == author && proves_fork(&one, &two) {
        Ok((one, two))
    } else {
        Err(StatementError::Proof.into())
    }
}

/// Whether two verified headers prove that their author wrote two histories: two contents at one number, or a successor
/// that denies its predecessor.
fn proves_fork(one: &Verified<Header>, two: &Verified<Header>) -> bool {
    let (first, second) = if one.seq <= two.seq { (one, two) } else { (two, one) };
    first.community == second.community
        && first.log() == second.log()
        && match second.seq - first.seq {
            0 => RecordId::of(first) != RecordId::of(second),
            1 => second.prev != RecordId::of(first).digest(),
            _ => false,
        }
}
