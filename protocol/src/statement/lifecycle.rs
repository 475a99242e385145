//! What happens to keys after they were made: nodes are revoked, accidents are settled, lost roots are replaced, and two
//! manifests of one number are shown to everyone (design, trust 6.2).

mod manifest_proof;
mod recovery;
mod resolution;
mod revocation;

pub(super) use manifest_proof::{
    id_of as proof_id_of, read as read_manifest_proof, shown as manifests_shown, write as write_manifest_proof,
};
pub use recovery::Recovery;
pub use resolution::{Resolution, Settles};
pub use revocation::{LogPosition, Revocation, RevocationReason};
