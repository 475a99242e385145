//! Digests of files: MD5, SHA-1, SHA-256 and SHA-512, told apart by their length.

use std::fmt;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

/// The digest of a file, in hexadecimal text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FileDigest(Box<[u8]>);

/// Name and length in bytes of each kind, in the order of their store keys.
pub(super) const KINDS: [(&str, usize); 4] = [("md5", 16), ("sha1", 20), ("sha256", 32), ("sha512", 64)];

impl FileDigest {
    /// Takes the bytes of a digest of one of the four lengths.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        KINDS
            .iter()
            .any(|(_, length)| *length == bytes.len())
            .then(|| Self(bytes.into()))
    }

    /// Reads hexadecimal digits of either case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::from_bytes(&HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?)
    }

    /// The digest.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// `md5`, `sha1`, `sha256` or `sha512`.
    pub fn kind(&self) -> &'static str {
        let found = KINDS.iter().find(|(_, length)| *length == self.0.len());
        found
            .map(|(name, _)| *name)
            .expect("the constructor takes no other length")
    }
}

impl Ord for FileDigest {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for FileDigest {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
