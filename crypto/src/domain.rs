//! Domain tags: one for each purpose that a digest or a signature has. They are part of the protocol and never change.
//!
//! No tag is another one's beginning followed by a zero byte, which is what keeps signed messages apart (see `keys`).

/// Signatures on record headers.
pub const HEADER: &str = "starfish 2026 v1 header signature";
/// Ids of records: digests of header bytes.
pub const RECORD: &str = "starfish 2026 v1 record id";
/// Ids of the parts of one publication.
pub const SET: &str = "starfish 2026 v1 publication id";
/// Digests of record bodies where the plain tree hash is not meant.
pub const BODY: &str = "starfish 2026 v1 body";
/// Digests over the heads of logs.
pub const FRONTIER: &str = "starfish 2026 v1 frontier";
/// Ids of statements, and signatures on statements of kinds without a tag of their own.
pub const STATEMENT: &str = "starfish 2026 v1 statement";
/// Organisations' names (digests of genesis manifests) and signatures on manifests.
pub const MANIFEST: &str = "starfish 2026 v1 manifest";
/// Commitments to the roots that come next.
pub const NEXT_ROOTS: &str = "starfish 2026 v1 next roots";
/// Signatures on node certificates.
pub const CERTIFICATE: &str = "starfish 2026 v1 node certificate";
/// Signatures on endpoint statements.
pub const ENDPOINT: &str = "starfish 2026 v1 endpoint";
/// Ids of communities: digests of their names.
pub const COMMUNITY: &str = "starfish 2026 v1 community";
/// Names of the sources that several organisations repeat.
pub const ORIGIN: &str = "starfish 2026 v1 origin";
/// Everything about the first contact of two operators: codes and words.
pub const PAIRING: &str = "starfish 2026 v1 pairing";

/// Every tag, for the test that they differ.
pub const ALL: [&str; 13] = [
    HEADER,
    RECORD,
    SET,
    BODY,
    FRONTIER,
    STATEMENT,
    MANIFEST,
    NEXT_ROOTS,
    CERTIFICATE,
    ENDPOINT,
    COMMUNITY,
    ORIGIN,
    PAIRING,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_differ_and_hold_no_zero_byte() {
        let mut tags = ALL.to_vec();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), ALL.len());
        assert!(ALL.iter().all(|tag| !tag.contains('\0') && tag.is_ascii()));
    }
}
